//! The connection of one client: reads its words, sends what may be sent, and hands it what it hears.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::prelude::{BASE64_STANDARD, Engine};
use chromiumoxide_cdp::cdp::browser_protocol::target::CreateTargetParams;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::class::{Class, class};
use super::member::{Follow, Member};
use super::reach::judged;
use super::scope::{Scoped, scoped};
use super::words::{INVALID_REQUEST, NO_SESSION, PARSE_ERROR, SERVER_ERROR, Words, refusal};
use super::{Leave, Seat};
use crate::browser::gate::{Permit, Refused};
use crate::browser::picture;
use crate::browser::pipe::{Foreign, Forwarded, Pass};
use crate::browser::veil::{VEILED, WHY};

/// One connected client. Dropping it takes all its sessions with it and leaves the others' alone.
pub struct Client {
    pub(super) member: Arc<Member>,
    pub(super) watching: JoinHandle<()>,
    pub(super) _leave: Leave,
    pub(super) _seat: Seat,
}

/// What is to be sent to the client, in order.
pub struct Ears {
    pub(super) queue: mpsc::Receiver<String>,
    pub(super) member: Arc<Member>,
}

/// A command that may be sent.
#[derive(Debug)]
pub struct Command {
    id: i64,
    /// As the client wrote it; `None` for its root.
    named: Option<String>,
    foreign: Foreign,
    class: Class,
    new_tab: bool,
    nests: bool,
}

impl Command {
    pub fn class(&self) -> Class {
        self.class
    }
}

impl Client {
    /// Reads one message. What cannot be sent is answered at once, and then there is nothing to send.
    pub fn plan(&self, text: &str) -> Option<Command> {
        self.plan_within(text, None)
    }

    /// As [`Client::plan`], for a message that was wrapped for a session.
    fn plan_within(&self, text: &str, within: Option<String>) -> Option<Command> {
        let member = &self.member;
        let Ok(words) = serde_json::from_str::<Words<'_>>(text) else {
            member
                .say(json!({ "error": { "code": PARSE_ERROR, "message": "this message is no JSON of the protocol" } }));
            return None;
        };
        let (Some(id), Some(method)) = (words.id, words.method) else {
            let said = "a message has a whole number `id` and a text `method`";
            member.say(json!({ "id": words.id, "error": { "code": INVALID_REQUEST, "message": said } }));
            return None;
        };
        let named = within.or(words.session.map(Cow::into_owned));
        let session = named.clone().unwrap_or_else(|| member.root.clone());
        let params = words.params.map_or("{}", RawValue::get);
        if method == "Target.sendMessageToTarget"
            && let Some(wrapped) = member.nested.unwrap(params)
        {
            member.send_answer(id, "result", "{}", named.as_deref());
            return self.plan_within(&wrapped.message, Some(wrapped.session_id.into_owned()));
        }
        // A browser session asked without a target tells of the browser itself, and of no page.
        let class = match class(&method) {
            Class::Look
                if method == "Target.getTargetInfo" && !params.contains("targetId") && session == member.browser =>
            {
                Class::Neutral
            }
            class => class,
        };
        let refuse = |code: i64, message: &str, why: Option<&str>| {
            member.refuse(id, named.as_deref(), code, message, why);
            None
        };
        let mut state = member.lock();
        if !state.sessions.contains_key(&session) {
            drop(state);
            return refuse(NO_SESSION, "Session with given id not found.", None);
        }
        if let Class::Refused(why) = class {
            drop(state);
            return refuse(SERVER_ERROR, why, None);
        }
        if let Err((code, why)) = member.may_reach(&state, (&session, &method, class), params) {
            drop(state);
            return refuse(code, why, None);
        }
        if state.missed.is_some() && class != Class::Neutral {
            drop(state);
            let (word, why) = refusal(class, Refused::HeldByPerson);
            return refuse(SERVER_ERROR, word, Some(&why));
        }
        // Bodies that pass while a person drives are not collected: it is laid with the rest, after the hand-back.
        if state.missed.is_some() && method == "Network.enable" {
            if let Some(attached) = state.sessions.get_mut(&session) {
                attached.standing.note(&method, params);
            }
            drop(state);
            member.send_answer(id, "result", "{}", named.as_deref());
            return None;
        }
        if matches!(&*method, "Browser.setDownloadBehavior" | "Page.setDownloadBehavior") {
            let params = serde_json::from_str(params).unwrap_or_default();
            let settled = member.settle_downloads(&mut state, &session, &method, &params);
            drop(state);
            match settled {
                Ok(()) => member.send_answer(id, "result", "{}", named.as_deref()),
                Err(why) => member.refuse(id, named.as_deref(), SERVER_ERROR, why, None),
            }
            return None;
        }
        if method == "WebAuthn.enable" {
            member.world.let_passkeys(&member.pipe);
        }
        let closes = matches!(&*method, "Target.closeTarget" | "Page.close");
        let only_tab = if closes { member.only_tab() } else { None };
        let scope = scoped(&method, params, &state, only_tab.as_deref(), &session);
        drop(state);
        let nests = matches!(scope, Scoped::Nested(_));
        let (params, new_tab) = match scope {
            Scoped::AsIs => (params.to_owned(), false),
            Scoped::Nested(flat) => (flat.to_string(), false),
            Scoped::AfterNewTab => (params.to_owned(), true),
            Scoped::Passed => {
                member.send_answer(id, "result", "{}", named.as_deref());
                return None;
            }
            Scoped::Refused(why) => return refuse(SERVER_ERROR, why, None),
        };
        let foreign = Foreign { session, method: method.into_owned(), params };
        Some(Command { id, named, foreign, class, new_tab, nests })
    }

    /// Sends a command that needs no turn.
    pub async fn send(&self, command: Command) {
        let pass = match command.class {
            Class::Neutral => Pass::Bookkeeping,
            Class::Look | Class::Prepare | Class::LetGo => Pass::Look(self.member.gate.clone()),
            // What acts needs a lease.
            Class::Act | Class::Refused(_) => return self.deny(&command, Refused::StaleLease),
        };
        self.dispatch(command, pass, None).await;
    }

    /// Sends a command under the permit of a turn; `turn` is kept until it is answered.
    pub async fn act(&self, mut command: Command, permit: Permit, turn: Box<dyn Any + Send>) {
        if let Err(why) = self.hand_out(&mut command.foreign).await {
            return self.fail(&command, &why);
        }
        let pass = Pass::Act(permit);
        if command.new_tab {
            // Refused or failed: then the closing is, too.
            let opened = self.member.pipe.command(&pass, None, CreateTargetParams::new("about:blank")).await;
            if let Err(error) = opened {
                tracing::debug!(%error, "no tab was opened in place of the last");
            }
        }
        self.dispatch(command, pass, Some(turn)).await;
    }

    /// Answers that a command is not sent, because control is elsewhere.
    pub fn deny(&self, command: &Command, refused: Refused) {
        let (word, why) = refusal(command.class, refused);
        self.member.refuse(command.id, command.named.as_deref(), SERVER_ERROR, word, Some(&why));
    }

    /// Answers that a command failed.
    pub fn fail(&self, command: &Command, message: &str) {
        self.member.refuse(command.id, command.named.as_deref(), SERVER_ERROR, message, None);
    }

    /// Says that the client runs on this machine, so that a folder it names may be one of this machine.
    pub fn runs_on_host(&self) {
        self.member.on_host.store(true, Ordering::Relaxed);
    }

    /// Resolves when the client is to be let go.
    pub async fn cut(&self) {
        self.member.cut.cancelled().await;
    }

    async fn dispatch(&self, command: Command, pass: Pass, turn: Option<Box<dyn Any + Send>>) {
        let Command { id, named, foreign, class, new_tab: _, nests } = command;
        let member = self.member.clone();
        let place = member.reads(&foreign.session, &foreign.method, class, &foreign.params);
        let is_closed = match &place {
            Some(place) => member.stays_closed(place).await,
            None => member.carries_typed(&foreign.session, &foreign.method, &foreign.params),
        };
        if is_closed {
            return member.refuse(id, named.as_deref(), SERVER_ERROR, VEILED, Some(WHY));
        }
        member.aims(&foreign);
        if let Some(tab) = member.pictured(&foreign.session, &foreign.method) {
            return self.covered_picture((id, named.as_deref()), &tab, pass, &foreign.params).await;
        }
        member.note(&foreign);
        if member.is_early(&foreign) {
            member.send_answer(id, "result", "{}", named.as_deref());
            return;
        }
        member.note_nesting(&foreign, nests);
        let follows = match foreign.method.as_str() {
            "Target.attachToTarget" if nests => Follow::Nested(named.clone()),
            _ => member.follow_of(&foreign),
        };
        let number = member.pipe.next_number();
        member.lock().unanswered.insert(number);
        let answer = {
            let (member, named, method) = (member.clone(), named.clone(), foreign.method.clone());
            move |answer: Forwarded<'_>| {
                let judged = match answer {
                    Forwarded::Result(_) if place.as_ref().is_some_and(|place| member.is_closed(place)) => {
                        Err(json!({ "code": SERVER_ERROR, "message": VEILED, "data": WHY }).to_string())
                    }
                    Forwarded::Result(result) => match member.answer_without_typed(&method, result) {
                        Some(told) => judged(&method, &told).map(|told| told.into_owned().into()),
                        None => judged(&method, result),
                    },
                    Forwarded::Error(_) | Forwarded::Refused(_) => Ok("".into()),
                };
                let answer = match (&judged, answer) {
                    (Ok(shown), Forwarded::Result(_)) => Forwarded::Result(shown),
                    (Err(error), Forwarded::Result(_)) => Forwarded::Error(error),
                    (_, other @ (Forwarded::Error(_) | Forwarded::Refused(_))) => other,
                };
                member.answered(number, id, named.as_deref(), class, follows, answer);
                drop(turn);
            }
        };
        if let Err(error) = member.pipe.forward(number, pass, foreign, answer).await {
            member.refuse(id, named.as_deref(), SERVER_ERROR, &error.to_string(), None);
        }
    }

    /// Answers with a picture of a page that a person typed in, those fields covered.
    async fn covered_picture(&self, (id, named): (i64, Option<&str>), tab: &str, pass: Pass, params: &str) {
        let member = &self.member;
        let params = serde_json::from_str(params).unwrap_or_default();
        let taken = picture::covered(&member.pipe, &member.world, pass, tab, &params).await;
        // A person may have come meanwhile.
        match member.gate.dispatch_look(|| taken) {
            Ok(Ok(picture)) => {
                let data = json!({ "data": BASE64_STANDARD.encode(picture) });
                member.send_answer(id, "result", &data.to_string(), named);
            }
            Ok(Err(error)) => member.refuse(id, named, SERVER_ERROR, VEILED, Some(&error.to_string())),
            Err(refused) => {
                let (word, why) = refusal(Class::Look, refused);
                member.refuse(id, named, SERVER_ERROR, word, Some(&why));
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.watching.abort();
        let member = &self.member;
        let (sessions, unanswered) = {
            let mut state = member.lock();
            (std::mem::take(&mut state.sessions), std::mem::take(&mut state.unanswered))
        };
        {
            let mut known = member.clients.lock();
            for (session, attached) in &sessions {
                known.remove(session);
                member.world.starting.left(&member.pipe, &attached.target, session);
                member.world.feign_front(&attached.target, session, false);
            }
        }
        member.world.starting.client_left();
        member.pipe.forget(unanswered);
    }
}

impl Ears {
    /// Waits for the next message to the client; `None` when it is to be let go.
    pub async fn next(&mut self) -> Option<String> {
        let text = tokio::select! {
            biased;
            () = self.member.cut.cancelled() => None,
            text = self.queue.recv() => text,
        }?;
        self.member.queued_bytes.fetch_sub(text.len(), Ordering::Relaxed);
        Some(text)
    }
}
