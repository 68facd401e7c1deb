//! The loop: look, ask the model, do what it wants under the lease, keep, repeat; within limits that the person sees.
//!
//! ```text
//!   mail ─> conversation ─> fits? ─> model ─> kept ─> each call: hands │ beside ─> kept ─┐
//!     ▲                                                                                  │
//!     └──────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Owns what the model is told and when the task is over. What the model wants is kept before it is begun, and what came of
//! it after: from what is kept the loop goes on after its runtime died, and knows which action it knows nothing of.

mod beside;
mod conversation;
mod entry;
mod fence;
mod files;
mod handled;
mod hands;
mod pick_up;
mod repeats;
mod saved;
mod summary;
#[cfg(test)]
mod tests;
mod tools;

use std::sync::Arc;

use sandbox_core::event::{AgentAction, AgentMessage, AgentStep, EventData, StepUsage};
use sandbox_core::model::{Failure, TaskLimits, Usage};
use sandbox_core::work::{Finish, Work};
use serde_json::Value;

use self::conversation::Conversation;
use self::entry::{Did, Entry, KeptPart};
pub use self::entry::{Ordered, heard, messages_in};
use self::fence::{Shown, Source};
use self::handled::Handled;
use self::hands::Hands;
use self::repeats::{Repeating, Repeats};
pub use self::saved::saved;
use self::summary::Room;
use self::tools::Call;
use super::models::{Delta, ModelError, ModelErrorKind, Models, Reply, Request, StopReason};
use super::workbench::{Kept, Mail, Outcome, Stopped, WorkError, Workbench};

const SYSTEM: &str = include_str!("system.md");
/// Tokens that one answer may have, where the window is large enough.
const OUTPUT_TOKENS: u64 = 8_192;
/// Characters of a page that one look may have, where the window is large enough.
const PAGE_CHARS: u64 = 12_000;
/// Steps before the limit at which the model is told that it comes.
const LAST_STEPS: u64 = 3;
/// How often in a row the model may be cut off, or say something without doing anything.
const MOST_CUT_OFF: u32 = 3;
const LONGEST_THOUGHT: usize = 4_000;

/// What is to be followed, and with what.
pub struct PromptOrder {
    pub prompt: String,
    pub limits: TaskLimits,
    pub models: Models,
    /// What an earlier runtime kept of the conversation; nothing for a new task.
    pub kept: Vec<Value>,
    /// What was spent on the task before.
    pub spent: Usage,
}

/// Follows a prompt until it is done, a limit is reached, or the task is stopped.
pub async fn follow_prompt(order: PromptOrder, bench: Arc<dyn Workbench>) -> Outcome {
    let mut following = match Following::new(order, bench) {
        Ok(following) => following,
        Err(failure) => return Outcome::Failed(failure),
    };
    match following.rounds().await {
        End::Done(result) => Outcome::Completed { result },
        End::Failed(failure) => Outcome::Failed(failure),
        End::Stopped => Outcome::Stopped,
    }
}

/// Why the loop is over.
pub enum End {
    Done(String),
    Failed(Failure),
    Stopped,
}

struct Following {
    bench: Arc<dyn Workbench>,
    models: Models,
    limits: TaskLimits,
    conversation: Conversation,
    hands: Hands,
    repeats: Repeats,
    room: Room,
    spent: Usage,
    /// Answers in a row that were cut off, or did nothing.
    idle_answers: u32,
}

impl Following {
    fn new(order: PromptOrder, bench: Arc<dyn Workbench>) -> Result<Self, Failure> {
        let PromptOrder { prompt, limits, models, kept, spent } = order;
        let entries = kept.into_iter().map(serde_json::from_value).collect::<Result<Vec<Entry>, _>>();
        let entries =
            entries.map_err(|error| failure("interrupted", format!("what was kept cannot be read: {error}")))?;
        let window = models.main.context_window();
        let page_chars = usize::try_from((window * 3 / 10).clamp(1_500, PAGE_CHARS)).unwrap_or(usize::MAX);
        let room = Room { window: window - output_tokens(window), taken: 0, scale: 1.0 };
        Ok(Self {
            hands: Hands::new(bench.clone(), page_chars),
            bench,
            models,
            limits,
            conversation: Conversation::new(&prompt, Entry::in_order(entries)),
            repeats: Repeats::default(),
            room,
            spent,
            idle_answers: 0,
        })
    }

    async fn rounds(&mut self) -> End {
        if let Err(end) = self.pick_up().await {
            return end;
        }
        loop {
            if let Err(end) = self.round().await {
                return end;
            }
        }
    }

    /// One step: the model is asked once, and what it wants is done.
    async fn round(&mut self) -> Result<(), End> {
        self.read_mail().await?;
        self.check_limits().await?;
        let (reply, thought) = self.ask().await?;
        self.idle_answers += 1;
        match &reply.stop {
            StopReason::Refusal => {
                return Err(End::Failed(failure("modelRefused", format!("the model declined: {}", reply.text()))));
            }
            StopReason::EndTurn | StopReason::ToolUse | StopReason::MaxTokens | StopReason::Other(_) => {}
        }
        let calls: Vec<(String, String, Value)> =
            reply.tool_uses().map(|call| (call.id.clone(), call.name.clone(), call.input.clone())).collect();
        self.keep_said(&reply, thought).await?;
        if calls.is_empty() {
            return self.nothing_wanted(&reply).await;
        }
        self.do_all(calls, reply.stop == StopReason::MaxTokens).await
    }

    /// Takes in what came since the last step: messages, and the browser handed back by somebody whom nobody waited for.
    async fn read_mail(&mut self) -> Result<(), End> {
        for mail in self.bench.mail() {
            match mail {
                // Whoever took it in has kept it.
                Mail::Message { text, by } => {
                    self.conversation.entries.push(Entry::Heard { said: Shown::new(Source::Person, text), by });
                }
                Mail::HandedBack(handoff) => {
                    if self.hands.settled.insert(handoff.request_id.clone()) {
                        let (text, shown) = beside::handed_back(&handoff);
                        let handoff = Some(handoff.request_id.clone());
                        self.keep(Entry::Told { text, shown, handoff }, vec![], Usage::default()).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Tells the model something that nobody asked for.
    async fn tell(&mut self, text: impl Into<String>, shown: Vec<Shown>) -> Result<(), End> {
        self.keep(Entry::Told { text: text.into(), shown, handoff: None }, vec![], Usage::default()).await
    }

    async fn check_limits(&mut self) -> Result<(), End> {
        let done = self.conversation.turns() as u64;
        if let Some(most) = self.limits.steps {
            let left = most.saturating_sub(done);
            if left == 0 {
                return Err(End::Failed(failure("stepLimit", format!("the limit of {most} steps is used up"))));
            }
            if left == LAST_STEPS.min(most - 1) && done > 0 {
                let text = format!("{left} steps are left. Come to an end: save what there is, and call `done`.");
                self.tell(text, vec![]).await?;
            }
        }
        let tokens = self.spent.input_tokens + self.spent.output_tokens;
        match self.limits.tokens {
            Some(most) if tokens >= most => {
                Err(End::Failed(failure("tokenLimit", format!("the limit of {most} tokens is used up ({tokens})"))))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Asks the model what to do next. A conversation that is too long after all is made shorter once.
    async fn ask(&mut self) -> Result<(Reply, String), End> {
        let mut is_pressing = false;
        loop {
            self.fit(is_pressing).await?;
            let request = self.request();
            let asked = conversation::tokens(&request.messages) + self.room.taken;
            let mut thought = String::new();
            let bench = self.bench.clone();
            let mut heard = |delta| match delta {
                Delta::Text(text) => bench.show(&text),
                Delta::Thinking(text) => {
                    bench.show(&text);
                    thought.push_str(&text);
                }
                Delta::Restarted { why, .. } => {
                    thought.clear();
                    bench.show(&format!("\n({why}; asking again)\n"));
                }
            };
            let answered = tokio::select! {
                biased;
                () = self.bench.stopped() => return Err(End::Stopped),
                answered = self.models.main.reply(&request, &mut heard) => answered,
            };
            match answered {
                Ok(reply) => {
                    if asked > 0 && reply.usage.input_tokens > 0 {
                        self.room.scale = (reply.usage.input_tokens as f64 / asked as f64).clamp(0.4, 3.0);
                    }
                    return Ok((reply, thought));
                }
                Err(error) if error.kind == ModelErrorKind::TooLong && !is_pressing => {
                    self.room.scale *= 1.5;
                    is_pressing = true;
                }
                Err(error) => return Err(End::Failed(model_failure(&error))),
            }
        }
    }

    /// Makes the conversation fit the window.
    async fn fit(&mut self, is_pressing: bool) -> Result<(), End> {
        let needed = self.room.needs_summary(&mut self.conversation);
        if !needed && !is_pressing {
            return Ok(());
        }
        let Some(turns) = summary::turns_to_sum(&self.conversation, summary::newest_turns(is_pressing)) else {
            return Ok(());
        };
        let small = self.models.small().clone();
        let (summed, spent) = tokio::select! {
            biased;
            () = self.bench.stopped() => return Err(End::Stopped),
            summed = summary::sum_up(&self.conversation, turns, small.as_ref()) => summed,
        };
        self.keep(summed, vec![], spent).await
    }

    fn request(&mut self) -> Request {
        let tools = tools::offered(self.bench.browser().is_some());
        let words = tools.iter().map(|tool| tool.description.len() + tool.schema.to_string().len()).sum::<usize>();
        self.room.taken = (SYSTEM.len() + words) as u64 / 3;
        Request {
            system: SYSTEM.to_owned(),
            cache_system: true,
            messages: self.conversation.messages(),
            tools,
            max_output_tokens: u32::try_from(output_tokens(self.models.main.context_window())).unwrap_or(u32::MAX),
        }
    }

    /// Keeps the model's turn: from here on it counts as wanted, whatever becomes of it.
    async fn keep_said(&mut self, reply: &Reply, thought: String) -> Result<(), End> {
        let heard = self.conversation.heard();
        let thought = if reply.text().trim().is_empty() { thought } else { reply.text() };
        let thought: String = thought.trim().chars().take(LONGEST_THOUGHT).collect();
        let step = AgentStep {
            step: self.conversation.turns() as u64 + 1,
            wants: Some(reply.tool_uses().map(|call| call.name.clone()).collect()),
            model: Some(self.models.main.name().to_owned()),
            usage: Some(StepUsage {
                input_tokens: reply.usage.input_tokens,
                output_tokens: reply.usage.output_tokens,
                cached_tokens: reply.usage.cached_tokens,
                cost_usd: reply.usage.cost_usd,
            }),
            text: Some(thought).filter(|thought| !thought.is_empty()),
            ..AgentStep::default()
        };
        let said = Entry::Said { parts: reply.parts.iter().map(KeptPart::of).collect(), heard };
        let spent = Usage { steps: 1, ..summary::usage_of(&reply.usage) };
        self.keep(said, vec![step.into()], spent).await
    }

    /// The model said something and wants nothing done: it is asked to go on, or its words are the answer.
    async fn nothing_wanted(&mut self, reply: &Reply) -> Result<(), End> {
        let is_cut = reply.stop == StopReason::MaxTokens;
        if self.idle_answers >= MOST_CUT_OFF && is_cut {
            let message = format!("the model's answers were cut off at their longest, {MOST_CUT_OFF} times in a row");
            return Err(End::Failed(failure("outputLimit", message)));
        }
        if is_cut {
            let text = "Your answer was cut off at the most that it may have. Go on from there, in fewer words.";
            return self.tell(text, vec![]).await;
        }
        let said = reply.text();
        if self.idle_answers >= 2 && !said.trim().is_empty() {
            return Err(End::Done(said.trim().to_owned()));
        }
        if self.idle_answers >= MOST_CUT_OFF {
            return Err(End::Failed(failure(
                "modelSilent",
                "the model says nothing and wants nothing done".to_owned(),
            )));
        }
        let text = "You used no tool. If the task is done, call `done` with its result; if not, go on with the tools.";
        self.tell(text, vec![]).await
    }

    /// Does what the model wants, in order; after a failure the rest is left undone, as it was wanted before that was known.
    async fn do_all(&mut self, calls: Vec<(String, String, Value)>, is_cut: bool) -> Result<(), End> {
        let n_calls = calls.len();
        let mut failed = false;
        for (at, (id, name, input)) in calls.into_iter().enumerate() {
            if failed {
                let skipped = Handled::not_done("Not begun: something before it in the same answer was not done.");
                self.keep_did(&id, None, &name, skipped).await?;
                continue;
            }
            if is_cut && at + 1 == n_calls {
                self.idle_answers = self.idle_answers.max(1);
                let cut =
                    Handled::not_done("Not begun: your answer was cut off here. Ask for it again, in fewer words.");
                self.keep_did(&id, None, &name, cut).await?;
                continue;
            }
            let call = Call::read(&name, &input);
            let handled = match &call {
                Err(wrong) => Handled::not_done(format!("Not done: {wrong}")),
                Ok(Call::Browser(action)) => self.hands.act(action).await?,
                Ok(Call::Work(work)) => self.hands.work(work).await?,
            };
            failed = handled.did.failed;
            let did = self.keep_did(&id, call.as_ref().ok(), &name, handled).await?;
            if let Ok(Call::Work(Work::Done(finish))) = call {
                return Err(ended(finish));
            }
            self.idle_answers = 0;
            self.notice_repeats(&name, &input, &did).await?;
        }
        Ok(())
    }

    /// Keeps what came of one call, and its picture.
    async fn keep_did(&mut self, id: &str, call: Option<&Call>, name: &str, handled: Handled) -> Result<Did, End> {
        let Handled { mut did, mut event, picture } = handled;
        did.call = id.to_owned();
        if let Some(png) = picture {
            let sha256 = self.bench.keep_picture(png.clone()).await?;
            event.picture = Some(sha256.clone());
            self.conversation.pictures.put(sha256.clone(), png);
            did.picture = Some(sha256);
        }
        if event.summary.is_empty() {
            event.summary.clone_from(&did.said);
        }
        let (step, name) = (Some(self.conversation.turns() as u64), name.to_owned());
        let action = event.action.take().or_else(|| call.map(Call::told));
        let event = AgentAction { step, name, action, ..event };
        // What tells itself has an event of its own.
        let is_told = matches!(call, Some(Call::Work(Work::Note(_) | Work::Done(_))));
        let events = if is_told { vec![] } else { vec![event.into()] };
        self.keep(Entry::Did(did.clone()), events, Usage::default()).await?;
        Ok(did)
    }

    async fn notice_repeats(&mut self, name: &str, input: &Value, did: &Did) -> Result<(), End> {
        match self.repeats.note(name, input, did) {
            Repeating::No => Ok(()),
            Repeating::Noticed(times) => {
                let told = format!("It has done the same {times} times with the same result ({name}).");
                self.bench.record(AgentMessage::new(told).into()).await?;
                let text = format!(
                    "You have done exactly this {times} times with the same result. Do something else: look again, take \
                     another way, ask a person with `handoff`, or end with what there is."
                );
                self.tell(text, vec![]).await
            }
            Repeating::Ended(times) => {
                let message = format!("the agent went round in circles: {name}, {times} times with the same result");
                Err(End::Failed(failure("repeating", message)))
            }
        }
    }

    /// Keeps a part of the conversation; only what is kept is part of it.
    async fn keep(&mut self, entry: Entry, events: Vec<EventData>, spent: Usage) -> Result<(), End> {
        self.bench.keep(Kept { entries: vec![entry.to_value()], events, spent: spent.clone() }).await?;
        self.spent.add(&spent);
        self.conversation.entries.push(entry);
        Ok(())
    }
}

fn ended(finish: Finish) -> End {
    match finish.success {
        Some(false) => End::Failed(failure("notDone", finish.result)),
        Some(true) | None => End::Done(finish.result),
    }
}

/// Returns how many tokens one answer may have.
fn output_tokens(window: u64) -> u64 {
    OUTPUT_TOKENS.min(window / 4)
}

fn model_failure(error: &ModelError) -> Failure {
    let code = match error.kind {
        ModelErrorKind::TooLong => "contextTooLong",
        ModelErrorKind::Auth => "modelAuth",
        ModelErrorKind::RateLimited
        | ModelErrorKind::Overloaded
        | ModelErrorKind::Network
        | ModelErrorKind::Refused
        | ModelErrorKind::Malformed => "modelFailed",
    };
    failure(code, format!("{error}; {}", error.kind.hint()))
}

fn failure(code: &str, message: String) -> Failure {
    Failure { code: code.to_owned(), message }
}

impl From<Stopped> for End {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<WorkError> for End {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Stopped(stopped) => stopped.into(),
            WorkError::Failed(message) => Self::Failed(failure("stepFailed", message)),
        }
    }
}
