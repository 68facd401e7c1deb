//! Doing one thing beside the browser for the model: commands, files, results, and asking a person.

use sandbox_core::approval::judge::LONGEST_VALUE;
use sandbox_core::approval::rules;
use sandbox_core::event::{ActionError, AgentMessage};
use sandbox_core::model::{ActKind, ExecResult, Handoff, HandoffRequest, Proposal, Receipt, ShownField};
use sandbox_core::observation::{plain, quoted};
use sandbox_core::work::Work;

use super::End;
use super::fence::{Shown, Source};
use super::files;
use super::handled::Handled;
use super::hands::Hands;
use crate::agent::handoff::{self, AskError};
use crate::agent::workbench::{ApprovalRequest, Decision, WorkError};

impl Hands {
    /// Does one thing beside the browser. `done` is not among what is done here: it ends the task.
    pub async fn work(&mut self, work: &Work) -> Result<Handled, End> {
        let bench = self.bench.clone();
        if let Some(refused) = self.may_reach_out(work).await? {
            return Ok(refused);
        }
        let done = match work {
            Work::Exec(request) => bench.exec(request.clone()).await.map(|result| ran(&result)),
            Work::Code(request) => bench.code(request.clone()).await.map(|result| ran(&result)),
            Work::Read(wanted) => {
                let (workspace, wanted) = (bench.workspace(), wanted.clone());
                blocking(move || files::read(&workspace, &wanted)).await
            }
            Work::List(wanted) => {
                let (workspace, wanted) = (bench.workspace(), wanted.clone());
                blocking(move || files::list(&workspace, &wanted)).await
            }
            Work::Search(wanted) => {
                let (workspace, wanted) = (bench.workspace(), wanted.clone());
                blocking(move || files::search(&workspace, &wanted)).await
            }
            Work::Write(file) => {
                let content = file.content.clone().into_bytes();
                let n_bytes = content.len();
                crate::agent::files::write(bench.as_ref(), &file.path, content)
                    .await
                    .map(|()| Handled::said(format!("Written: {n_bytes} bytes.")))
            }
            Work::Convert(file) => bench.convert(file.clone()).await.map(|converted| {
                let mut handled = Handled::said(format!("Converted: {}.", converted.paths.join(", ")));
                handled.event.path = converted.paths.into_iter().next();
                handled.event.artifact = Some(converted.artifact.key);
                handled
            }),
            Work::Artifact(wanted) => {
                bench.save_artifact(wanted.path.clone(), wanted.name.clone()).await.map(|artifact| {
                    let mut handled = Handled::said(format!("Saved as {:?}.", artifact.name));
                    handled.event.artifact = Some(artifact.key);
                    handled
                })
            }
            Work::Handoff(request) => return self.hand_off(request).await,
            Work::Note(note) => {
                let told = AgentMessage::new(&note.text).into();
                bench.record(told).await.map(|()| Handled::said("The person can read it."))
            }
            Work::Done(_) => Ok(Handled::default()),
        };
        match done {
            Ok(handled) => Ok(handled),
            Err(WorkError::Stopped(stopped)) => Err(stopped.into()),
            Err(WorkError::Failed(message)) => Ok(Handled::not_done(format!("Not done: {message}."))),
        }
    }

    /// A command that names an address at a site that the task was not told about is asked about, as opening it would be.
    /// What a command reaches without naming it is the network policy's to say.
    async fn may_reach_out(&mut self, work: &Work) -> Result<Option<Handled>, End> {
        let (summary, text) = match work {
            Work::Exec(request) => {
                let input = request.stdin.clone().unwrap_or_default();
                (format!("run {}", request.command), format!("{} {input}", request.args.join(" ")))
            }
            Work::Code(request) => ("run code".to_owned(), request.code.clone()),
            Work::Read(_)
            | Work::Write(_)
            | Work::List(_)
            | Work::Search(_)
            | Work::Convert(_)
            | Work::Artifact(_)
            | Work::Handoff(_)
            | Work::Note(_)
            | Work::Done(_) => return Ok(None),
        };
        for address in rules::addresses_in(&text).into_iter().filter(|address| rules::site(address).is_some()) {
            let proposal = Proposal {
                kind: ActKind::NewDestination,
                summary: summary.clone(),
                site: "the sandbox's shell".to_owned(),
                method: None,
                destination: address.to_owned(),
                fields: vec![ShownField { name: "command".to_owned(), value: shortened(&text), masked: false }],
                amount: None,
            };
            let asked = ApprovalRequest { proposal, page: String::new(), action: None };
            loop {
                match self.bench.approve(asked.clone()).await? {
                    Decision::Allowed | Decision::Approved(_) => break,
                    Decision::Void { .. } | Decision::Unanswered => {}
                    Decision::Denied { note } => {
                        let refused = Handled::not_done(
                            "Not done: a person was asked whether this may be reached, and said no. Do not try to reach \
                             it in another way.",
                        );
                        return Ok(Some(
                            note.into_iter().fold(refused, |refused, note| refused.with(Source::Person, note)),
                        ));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Asks a person, and waits; somebody who writes meanwhile is listened to, and the request stands.
    async fn hand_off(&mut self, request: &HandoffRequest) -> Result<Handled, End> {
        let bench = self.bench.clone();
        let ended = tokio::select! {
            biased;
            ended = handoff::ask(bench.as_ref(), request) => ended,
            () = bench.message_came() => return Ok(Handled::said(
                "The person has been asked and has not handed back yet, but somebody has written to you. You can work with \
                 files, commands and notes meanwhile, not with the browser. Ask again, or do anything in the browser, to wait.",
            )),
        };
        match ended {
            Ok(handoff) => {
                self.settled.insert(handoff.request_id.clone());
                let (said, shown) = handed_back(&handoff);
                let mut handled = self.look_fresh().await?;
                handled.did.said = format!("{said} This is the page as it is now:");
                handled.did.shown.splice(0..0, shown);
                Ok(handled)
            }
            Err(AskError::Work(WorkError::Stopped(stopped))) => Err(stopped.into()),
            Err(AskError::Cancelled(why)) => {
                Ok(Handled::not_done("Not done: the request was called off.").with(Source::Person, why))
            }
            Err(error @ (AskError::Expired | AskError::Lost | AskError::NoBrowser | AskError::Work(_))) => {
                Ok(Handled::not_done(format!("Not done: {error}.")))
            }
        }
    }
}

/// Says what a person did at the wheel: by names, never by values.
pub fn handed_back(handoff: &Handoff) -> (String, Vec<Shown>) {
    let mut said = "The person has handed the browser back.".to_owned();
    if let Some(receipt) = &handoff.receipt {
        said = format!("{said} {}", receipt_words(receipt));
    }
    if let Some(resume) = &handoff.resume_prompt {
        said = format!("{said} What you were to remember for now: {resume}");
    }
    said.push_str(" Every reference to an element from before is void.");
    let mut shown = Vec::new();
    if let Some(receipt) = &handoff.receipt {
        let names = receipt_names(receipt);
        if !names.is_empty() {
            shown.push(Shown::new(Source::Page, names));
        }
    }
    shown.extend(handoff.note.as_ref().map(|note| Shown::new(Source::Person, note)));
    (said, shown)
}

fn receipt_words(receipt: &Receipt) -> String {
    let mut words = format!("They drove for {} s.", receipt.held_ms / 1_000);
    match receipt.until_met {
        Some(true) => words.push_str(" The condition that you named holds."),
        Some(false) => words.push_str(" The condition that you named does not hold yet."),
        None => {}
    }
    words
}

/// What pages call what changed.
fn receipt_names(receipt: &Receipt) -> String {
    let mut lines = Vec::new();
    if receipt.before.url != receipt.after.url {
        lines.push(format!("the page was {}, and is {}", plain(&receipt.before.url), plain(&receipt.after.url)));
    }
    let lists = [
        ("tabs opened", &receipt.tabs_opened),
        ("tabs closed", &receipt.tabs_closed),
        ("signed in or out at", &receipt.signed_in_changed),
        ("fields typed in", &receipt.fields_touched),
        ("files that arrived", &receipt.files_arrived),
    ];
    for (what, names) in lists {
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            lines.push(format!("{what}: {}", names.join(", ")));
        }
    }
    lines.join("\n")
}

/// Says how a command ended, with what it printed.
fn ran(result: &ExecResult) -> Handled {
    let how = if result.timed_out {
        format!("It was stopped after {} ms", result.duration_ms)
    } else if let Some(signal) = &result.signal {
        format!("It was ended by {signal}")
    } else {
        format!("It ended with status {}", result.exit_code)
    };
    let mut handled = Handled::said(format!("{how}."));
    handled.did.failed = result.timed_out || result.exit_code != 0;
    (handled.event.exit_code, handled.event.duration_ms) = (Some(result.exit_code), Some(result.duration_ms));
    if handled.did.failed {
        handled.event.error = Some(ActionError::new(how));
    }
    let how_to_get = "send its output to a file and read that in parts";
    for (name, text, cut) in
        [("stdout", &result.stdout, result.stdout_truncated), ("stderr", &result.stderr, result.stderr_truncated)]
    {
        if text.trim().is_empty() {
            continue;
        }
        let cut = if cut { "(its beginning is left out: only the newest part was kept)\n" } else { "" };
        handled = handled.with(Source::Output, format!("{name}:\n{cut}{}", files::bounded(text, how_to_get)));
    }
    if handled.did.shown.is_empty() {
        handled.did.said.push_str(" It printed nothing.");
    }
    handled
}

fn shortened(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= LONGEST_VALUE {
        return text.to_owned();
    }
    text.chars().take(LONGEST_VALUE).chain(std::iter::once('…')).collect()
}

async fn blocking(work: impl FnOnce() -> Handled + Send + 'static) -> Result<Handled, WorkError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| WorkError::Failed(error.to_string()))
}
