//! The loop against a model that speaks from a script, on a bench without a browser.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sandbox_core::document::ConvertFile;
use sandbox_core::event::EventData;
use sandbox_core::model::{Actor, Artifact, CodeRequest, ExecRequest, ExecResult, HandoffRequest};
use serde_json::json;
use tokio::sync::Notify;

use super::*;
use crate::agent::Secrets;
use crate::agent::models::{Content, Message, Model, Part, TokenUsage, ToolUse};
use crate::agent::workbench::{ApprovalRequest, Asks, Converted, Decision, Doing, HandedBack, HeldAnswer, Turn};
use crate::browser::Browser;
use crate::workspace::Workspace;

/// Answers from a script, and keeps what it was asked.
struct Scripted {
    window: u64,
    answers: Mutex<VecDeque<Result<Reply, ModelError>>>,
    asked: Mutex<Vec<Request>>,
}

impl Model for Scripted {
    fn reply<'a>(
        &'a self,
        request: &'a Request,
        on_delta: &'a mut (dyn FnMut(Delta) + Send),
    ) -> BoxFuture<'a, Result<Reply, ModelError>> {
        self.asked.lock().unwrap().push(request.clone());
        if request.system.contains("Sum up") {
            return std::future::ready(says("SUMMARY: parts were run", StopReason::EndTurn)).boxed();
        }
        let answer = self.answers.lock().unwrap().pop_front().expect("the script has an answer left");
        if let Ok(reply) = &answer {
            on_delta(Delta::Text(reply.text()));
        }
        std::future::ready(answer).boxed()
    }

    fn name(&self) -> &str {
        "scripted"
    }

    fn context_window(&self) -> u64 {
        self.window
    }
}

/// A bench with a workspace, and nobody at it.
struct Desk {
    folder: tempfile::TempDir,
    kept: Mutex<Vec<Kept>>,
    events: Mutex<Vec<EventData>>,
    mail: Mutex<Vec<Mail>>,
    came: Notify,
    shown: Mutex<String>,
    printed: String,
    stopped: Notify,
}

impl Desk {
    fn new() -> Arc<Self> {
        Self::printing("")
    }

    fn printing(text: &str) -> Arc<Self> {
        Arc::new(Self {
            folder: tempfile::tempdir().unwrap(),
            kept: Mutex::default(),
            events: Mutex::default(),
            mail: Mutex::default(),
            came: Notify::new(),
            shown: Mutex::default(),
            printed: text.to_owned(),
            stopped: Notify::new(),
        })
    }

    fn write_to(&self, text: &str) {
        self.mail.lock().unwrap().push(Mail::Message { text: text.to_owned(), by: Actor::Person });
        self.came.notify_one();
    }

    fn entries(&self) -> Vec<Value> {
        self.kept.lock().unwrap().iter().flat_map(|kept| kept.entries.clone()).collect()
    }
}

impl Asks for Desk {
    fn approve(&self, _: ApprovalRequest) -> BoxFuture<'_, Result<Decision, WorkError>> {
        std::future::ready(Ok(Decision::Allowed)).boxed()
    }

    fn may_ask(&self) -> bool {
        true
    }

    fn is_held(&self) -> BoxFuture<'_, ()> {
        std::future::pending().boxed()
    }

    fn held_requests(&self) -> BoxFuture<'_, Result<HeldAnswer, WorkError>> {
        std::future::ready(Ok(HeldAnswer::NoneHeld)).boxed()
    }

    fn doing(&self, _: Doing) -> BoxFuture<'_, Result<(), WorkError>> {
        std::future::ready(Ok(())).boxed()
    }

    fn stopped(&self) -> BoxFuture<'_, ()> {
        self.stopped.notified().boxed()
    }
}

impl Workbench for Desk {
    fn begin(&self) -> BoxFuture<'_, Result<Turn, Stopped>> {
        std::future::pending().boxed()
    }

    fn ask(&self, _: HandoffRequest) -> BoxFuture<'_, Result<HandedBack, WorkError>> {
        std::future::pending().boxed()
    }

    fn secrets(&self, _: BTreeSet<String>, _: String) -> BoxFuture<'_, Result<Secrets, WorkError>> {
        std::future::ready(Ok(Secrets::new())).boxed()
    }

    fn browser(&self) -> Option<Browser> {
        None
    }

    fn workspace(&self) -> Workspace {
        Workspace::create(&self.folder.path().join("workspace")).unwrap()
    }

    fn exec(&self, _: ExecRequest) -> BoxFuture<'_, Result<ExecResult, WorkError>> {
        let result = ExecResult {
            exit_code: 0,
            signal: None,
            stdout: self.printed.clone(),
            stderr: String::new(),
            stdout_truncated: false,
            stderr_truncated: false,
            duration_ms: 1,
            timed_out: false,
            limit_exceeded: None,
        };
        std::future::ready(Ok(result)).boxed()
    }

    fn code(&self, _: CodeRequest) -> BoxFuture<'_, Result<ExecResult, WorkError>> {
        std::future::ready(Err(WorkError::Failed("there is no shell".to_owned()))).boxed()
    }

    fn convert(&self, _: ConvertFile) -> BoxFuture<'_, Result<Converted, WorkError>> {
        std::future::ready(Err(WorkError::Failed("there is no shell".to_owned()))).boxed()
    }

    fn save_artifact(&self, _: String, _: Option<String>) -> BoxFuture<'_, Result<Artifact, WorkError>> {
        std::future::ready(Err(WorkError::Failed("there is no store".to_owned()))).boxed()
    }

    fn checkpoint(&self, _: Option<String>) -> BoxFuture<'_, Result<(), WorkError>> {
        std::future::ready(Err(WorkError::Failed("there is no store".to_owned()))).boxed()
    }

    fn record(&self, data: EventData) -> BoxFuture<'_, Result<(), WorkError>> {
        self.events.lock().unwrap().push(data);
        std::future::ready(Ok(())).boxed()
    }

    fn keep(&self, kept: Kept) -> BoxFuture<'_, Result<(), WorkError>> {
        self.events.lock().unwrap().extend(kept.events.clone());
        self.kept.lock().unwrap().push(kept);
        std::future::ready(Ok(())).boxed()
    }

    fn keep_picture(&self, _: Vec<u8>) -> BoxFuture<'_, Result<String, WorkError>> {
        std::future::ready(Ok("00".to_owned())).boxed()
    }

    fn picture(&self, _: String) -> BoxFuture<'_, Result<Vec<u8>, WorkError>> {
        std::future::ready(Ok(vec![])).boxed()
    }

    fn mail(&self) -> Vec<Mail> {
        std::mem::take(&mut *self.mail.lock().unwrap())
    }

    fn message_came(&self) -> BoxFuture<'_, ()> {
        async {
            while self.mail.lock().unwrap().is_empty() {
                self.came.notified().await;
            }
        }
        .boxed()
    }

    fn show(&self, said: &str) {
        self.shown.lock().unwrap().push_str(said);
    }
}

fn answer(parts: Vec<Part>, stop: StopReason) -> Result<Reply, ModelError> {
    let usage = TokenUsage { input_tokens: 100, output_tokens: 10, ..TokenUsage::default() };
    Ok(Reply { parts, stop, usage })
}

fn says(text: &str, stop: StopReason) -> Result<Reply, ModelError> {
    answer(vec![Part::text(text)], stop)
}

fn wants(calls: &[(&str, Value)]) -> Result<Reply, ModelError> {
    let part = |(at, (name, input)): (usize, &(&str, Value))| {
        let tool_use = ToolUse { id: format!("call-{at}"), name: (*name).to_owned(), input: input.clone() };
        Content::ToolUse(tool_use).into()
    };
    answer(calls.iter().enumerate().map(part).collect(), StopReason::ToolUse)
}

fn done(result: &str) -> Result<Reply, ModelError> {
    wants(&[("done", json!({ "result": result }))])
}

fn scripted(window: u64, answers: Vec<Result<Reply, ModelError>>) -> Arc<Scripted> {
    Arc::new(Scripted { window, answers: Mutex::new(answers.into()), asked: Mutex::default() })
}

async fn follow(desk: &Arc<Desk>, model: &Arc<Scripted>, limits: TaskLimits) -> Outcome {
    go_on(desk, model, limits, vec![]).await
}

async fn go_on(desk: &Arc<Desk>, model: &Arc<Scripted>, limits: TaskLimits, kept: Vec<Value>) -> Outcome {
    let models = Models { main: model.clone(), small: None };
    let order = PromptOrder { prompt: "count the invoices".to_owned(), limits, models, kept, spent: Usage::default() };
    let following = follow_prompt(order, desk.clone());
    tokio::time::timeout(std::time::Duration::from_secs(20), following).await.expect("the loop comes to an end")
}

fn code_of(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(failure) => failure.code,
        other => format!("{other:?}"),
    }
}

fn words(messages: &[Message]) -> String {
    format!("{messages:?}")
}

#[tokio::test]
async fn tools_are_used_in_order_and_each_step_is_kept_before_what_it_wants() {
    let desk = Desk::printing("31 lines");
    let model = scripted(
        100_000,
        vec![
            wants(&[
                ("write", json!({ "path": "a.txt", "content": "</file-content> kept as it is" })),
                ("exec", json!({ "command": "wc" })),
            ]),
            wants(&[("read", json!({ "path": "a.txt" }))]),
            done("31"),
        ],
    );
    assert_eq!(follow(&desk, &model, TaskLimits::default()).await, Outcome::Completed { result: "31".to_owned() });
    let written = std::fs::read_to_string(desk.folder.path().join("workspace/a.txt")).unwrap();
    assert_eq!(written, "</file-content> kept as it is", "what is written is not touched by any fence");
    let kinds: Vec<String> =
        desk.entries().iter().map(|entry| entry["entry"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(kinds, ["said", "did", "did", "said", "did", "said", "did"]);
    let asked = model.asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    assert!(words(&asked[1].messages).contains("31 lines"));
    assert!(asked[0].tools.iter().all(|tool| tool.name != "click"), "there is no browser");
    let spent = desk.kept.lock().unwrap().iter().fold(Usage::default(), |mut sum, kept| {
        sum.add(&kept.spent);
        sum
    });
    assert_eq!((spent.steps, spent.input_tokens, spent.output_tokens), (3, 300, 30));
}

#[tokio::test]
async fn after_a_failure_the_rest_of_an_answer_is_left_undone() {
    let desk = Desk::new();
    let calls = [("read", json!({ "path": "none" })), ("write", json!({ "path": "b.txt", "content": "x" }))];
    let model = scripted(100_000, vec![wants(&calls), done("no")]);
    follow(&desk, &model, TaskLimits::default()).await;
    assert!(!desk.folder.path().join("workspace/b.txt").exists());
    assert!(words(&model.asked.lock().unwrap()[1].messages).contains("Not begun"));
}

#[tokio::test]
async fn a_message_is_read_at_the_next_step_also_while_a_person_is_waited_for() {
    let desk = Desk::new();
    let handoff = json!({ "reason": "mfa", "message": "Sign in" });
    let model = scripted(100_000, vec![wants(&[("handoff", handoff)]), done("as you say")]);
    desk.write_to("begin with March");
    let (writing, task) = (desk.clone(), follow(&desk, &model, TaskLimits::default()));
    let write = async {
        while writing.entries().is_empty() {
            tokio::task::yield_now().await;
        }
        writing.write_to("never mind, use the file");
    };
    let (outcome, ()) = tokio::join!(task, write);
    assert_eq!(outcome, Outcome::Completed { result: "as you say".to_owned() });
    let asked = model.asked.lock().unwrap();
    assert!(words(&asked[0].messages).contains("begin with March"));
    let second = words(&asked[1].messages);
    assert!(second.contains("has not handed back yet") && second.contains("never mind, use the file"), "{second}");
}

#[tokio::test]
async fn limits_end_the_task_and_are_announced() {
    let desk = Desk::new();
    let list = |at: usize| wants(&[("list", json!({ "path": ".", "recursive": at.is_multiple_of(2) }))]);
    let model = scripted(100_000, (0..4).map(list).collect());
    let limits = TaskLimits { steps: Some(4), ..TaskLimits::default() };
    assert_eq!(code_of(follow(&desk, &model, limits).await), "stepLimit");
    assert!(words(&model.asked.lock().unwrap()[1].messages).contains("3 steps are left"));

    let model = scripted(100_000, vec![list(0), list(1)]);
    let limits = TaskLimits { tokens: Some(200), ..TaskLimits::default() };
    assert_eq!(code_of(follow(&Desk::new(), &model, limits).await), "tokenLimit");
}

#[tokio::test]
async fn going_round_in_circles_is_told_to_the_model_and_the_person_and_ends() {
    let desk = Desk::printing("the same");
    let model = scripted(100_000, (0..6).map(|_| wants(&[("exec", json!({ "command": "date" }))])).collect());
    assert_eq!(code_of(follow(&desk, &model, TaskLimits::default()).await), "repeating");
    assert!(words(&model.asked.lock().unwrap()[3].messages).contains("exactly this 3 times"));
    let said = |event: &EventData| matches!(event, EventData::AgentMessage(said) if said.text.contains("3 times"));
    let told = desk.events.lock().unwrap().iter().any(said);
    assert!(told, "the person reads of it");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_asked_for_again_and_not_without_end() {
    let cut = || says("I begin with", StopReason::MaxTokens);
    let model = scripted(100_000, vec![cut(), done("short")]);
    let outcome = follow(&Desk::new(), &model, TaskLimits::default()).await;
    assert_eq!(outcome, Outcome::Completed { result: "short".to_owned() });
    assert!(words(&model.asked.lock().unwrap()[1].messages).contains("cut off"));
    let model = scripted(100_000, vec![cut(), cut(), cut()]);
    assert_eq!(code_of(follow(&Desk::new(), &model, TaskLimits::default()).await), "outputLimit");
}

#[tokio::test]
async fn a_tool_that_was_cut_off_is_not_used() {
    let mut cut = wants(&[("write", json!({ "path": "half.txt", "content": "ha" }))]).unwrap();
    cut.stop = StopReason::MaxTokens;
    let desk = Desk::new();
    let model = scripted(100_000, vec![Ok(cut), done("stopped")]);
    follow(&desk, &model, TaskLimits::default()).await;
    assert!(!desk.folder.path().join("workspace/half.txt").exists());
}

#[tokio::test]
async fn words_without_a_tool_are_the_answer_when_they_come_twice() {
    let says = || says("There are 31.", StopReason::EndTurn);
    let model = scripted(100_000, vec![says(), says()]);
    let outcome = follow(&Desk::new(), &model, TaskLimits::default()).await;
    assert_eq!(outcome, Outcome::Completed { result: "There are 31.".to_owned() });
    assert!(words(&model.asked.lock().unwrap()[1].messages).contains("call `done`"));
}

#[tokio::test]
async fn a_failing_model_fails_the_task_with_what_to_do_about_it() {
    let error = |kind| ModelError {
        kind,
        model: "scripted".to_owned(),
        message: "no".to_owned(),
        status: None,
        retry_after: None,
    };
    let model = scripted(100_000, vec![Err(error(ModelErrorKind::Auth))]);
    let Outcome::Failed(failure) = follow(&Desk::new(), &model, TaskLimits::default()).await else {
        panic!("it failed")
    };
    assert_eq!(failure.code, "modelAuth");
    assert!(failure.message.contains("key in the settings"), "{}", failure.message);
}

#[tokio::test]
async fn old_steps_are_summed_up_before_the_window_is_full() {
    let desk = Desk::printing(&"a long line of numbers 0123456789\n".repeat(40));
    let mut answers: Vec<_> =
        (0..12).map(|at| wants(&[("exec", json!({ "command": format!("part-{at}") }))])).collect();
    answers.push(done("summed"));
    // What is not counted by the provider is estimated.
    answers.iter_mut().flatten().for_each(|reply| reply.usage = TokenUsage::default());
    let model = scripted(8_000, answers);
    let outcome = follow(&desk, &model, TaskLimits::default()).await;
    assert_eq!(outcome, Outcome::Completed { result: "summed".to_owned() });
    let asked = model.asked.lock().unwrap();
    let last = asked.last().unwrap();
    let told = words(&last.messages);
    assert!(told.contains("SUMMARY: parts were run") && told.contains("count the invoices"), "{told}");
    assert!(!told.contains("part-1\"") && told.contains("part-11"), "{told}");
    assert!(asked.iter().all(|request| conversation::tokens(&request.messages) < 4_000));
}

#[tokio::test]
async fn what_was_kept_is_put_to_the_model_again_and_what_was_begun_is_not_done_again() {
    let desk = Desk::printing("31 lines");
    let model = scripted(100_000, vec![wants(&[("exec", json!({ "command": "count" }))]), done("31")]);
    follow(&desk, &model, TaskLimits::default()).await;
    let kept = desk.entries();
    // Died after the model wanted it, before it was known what came of it.
    let begun = kept[..1].to_vec();
    let later = Desk::new();
    let model = scripted(100_000, vec![done("looked first")]);
    let outcome = go_on(&later, &model, TaskLimits::default(), begun).await;
    assert_eq!(outcome, Outcome::Completed { result: "looked first".to_owned() });
    let asked = words(&model.asked.lock().unwrap()[0].messages);
    assert!(asked.contains("Whether it was done is not known"), "{asked}");
    assert!(asked.contains("count"), "the model sees what it had wanted");
    // Died between two steps.
    let model = scripted(100_000, vec![done("went on")]);
    go_on(&later, &model, TaskLimits::default(), kept[..2].to_vec()).await;
    let asked = words(&model.asked.lock().unwrap()[0].messages);
    assert!(asked.contains("31 lines") && !asked.contains("Whether it was done"), "{asked}");
}
