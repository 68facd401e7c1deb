//! Requests held on their way out, by Chromium's Fetch domain.
//!
//! Enabled once for the whole browser, so that frames of other processes and popups are covered, and in each worker; and
//! only while a rule asks for it: then documents, fetches and beacons pause for a moment, images and scripts never.
//! A request of a page that is controlled by a service worker passes it by meanwhile.
//! Not covered: WebSockets and WebRTC.
//!
//! A request that was approved and that its server sends on within the same site (307, 308) is not held again: another site is.
//!
//! While a person drives, nothing is held: what they do is theirs. A request that was held before stays held, and they can
//! answer its question like any other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::join_all;
use sandbox_core::ApprovalId;
use sandbox_core::approval::request::{Outgoing, is_sent_on};
use serde_json::{Value, json};

use super::gate::Live;
use super::pipe::{CallError, Pass, Pipe};
use super::world::{World, auto_attach};
use super::{BrowserEvent, Shared};

/// JSON-RPC's code for an id that Chromium does not know.
const INVALID_PARAMS: i64 = -32_602;

/// Decides whether a request is held. Runs in the reading task, so that it must not block.
pub type HoldJudge = Arc<dyn Fn(&PausedRequest) -> bool + Send + Sync>;

/// Returns the question that a person's request answers by being sent, if any. Must not block either.
pub type PersonJudge = Arc<dyn Fn(&PausedRequest) -> Option<ApprovalId> + Send + Sync>;

/// A request that stands still until it is let go or refused.
#[derive(Clone, Debug, PartialEq)]
pub struct PausedRequest {
    pub id: String,
    /// The worker's session that told of it; `None` for pages, which the whole browser tells of.
    session: Option<String>,
    pub outgoing: Outgoing,
    /// Whether it brings a tab another document.
    pub is_page: bool,
    /// Whether it brings a tab or a frame another document. Until it has come, the old one cannot be asked anything.
    pub is_document: bool,
    /// Names of fields that a person typed in, among those that a form last sent out.
    pub typed_fields: Vec<String>,
}

/// How long an open document may take to apply a change.
const REFRESH: Duration = Duration::from_millis(500);
/// Requests that were let go and are remembered: a server may send one on to another address.
const LET_GO_KEPT: usize = 64;

/// Requests that somebody let go, oldest first.
#[derive(Debug, Default)]
pub struct LetGo(VecDeque<PausedRequest>);

impl LetGo {
    fn add(&mut self, request: PausedRequest) {
        if self.0.len() == LET_GO_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(request);
    }

    /// Whether a request is one that was let go, sent on by its server.
    fn has(&self, earlier: &str, next: &PausedRequest) -> bool {
        let is_earlier = |known: &&PausedRequest| known.id == earlier && known.session == next.session;
        self.0.iter().find(is_earlier).is_some_and(|known| is_sent_on(&known.outgoing, &next.outgoing))
    }
}

/// Begins or ends holding. When this returns it is in force, for documents that are open already too.
pub async fn hold(shared: &Shared, judge: Option<HoldJudge>) -> Result<(), CallError> {
    let wanted = judge.is_some();
    let before = std::mem::replace(&mut shared.world.state().holding, judge).is_some();
    if wanted == before {
        return Ok(());
    }
    let pipe = &shared.pipe;
    if !wanted {
        // This lets go of all that is paused: the caller has answered for each request before.
        pipe.call(&Pass::Bookkeeping, None, "Fetch.disable", json!({})).await?;
    } else {
        pipe.call(&Pass::Bookkeeping, None, "Fetch.enable", patterns()).await?;
    }
    pipe.call(&Pass::Bookkeeping, None, "Target.setAutoAttach", auto_attach(wanted)).await?;
    let sessions = shared.world.state().all_sessions();
    for error in join_all(sessions.iter().map(|session| refresh(pipe, session, wanted))).await.into_iter().flatten() {
        // The session went away meanwhile, or is not ready: a document that comes in it applies the change by itself.
        tracing::debug!(%error, "an open document does not apply that requests are held");
    }
    Ok(())
}

/// Makes the open documents of a session apply the change, which otherwise applies to new ones only. Returns why they do not.
async fn refresh(pipe: &Pipe, session: &str, wanted: bool) -> Option<CallError> {
    pipe.note(Some(session), "Fetch.enable", json!({ "patterns": [{ "urlPattern": "baton-never:*" }] }));
    pipe.note(Some(session), "Target.setAutoAttach", auto_attach(wanted));
    bypass_workers(pipe, session, wanted);
    pipe.call_within(REFRESH, &Pass::Bookkeeping, Some(session), "Fetch.disable", json!({})).await.err()
}

/// Holds what a new worker sends from its first line on.
pub fn hold_worker(pipe: &Pipe, session: &str) {
    pipe.note(Some(session), "Fetch.enable", patterns());
    pipe.note(Some(session), "Target.setAutoAttach", auto_attach(true));
}

/// Sends a session's requests past service workers, because nobody could tell whose requests those make.
pub fn bypass_workers(pipe: &Pipe, session: &str, bypass: bool) {
    if bypass {
        pipe.note(Some(session), "Network.enable", json!({ "maxTotalBufferSize": 0, "maxResourceBufferSize": 0 }));
    }
    pipe.note(Some(session), "Network.setBypassServiceWorker", json!({ "bypass": bypass }));
    if !bypass {
        pipe.note(Some(session), "Network.disable", json!({}));
    }
}

/// Handles a request that paused: lets it go at once, or holds it and tells the runtime.
pub fn paused(world: &World, pipe: &Pipe, session: Option<&str>, params: &Value) {
    let Some(id) = params["requestId"].as_str() else { return };
    let judge = world.state().holding.clone();
    let person_drives = matches!(world.gate.live(), Live::Person(_));
    if person_drives {
        notice_person(world, session, id, params);
    }
    let Some(judge) = judge.filter(|_| !person_drives) else { return let_go(pipe, session, id) };
    let request = read(world, session, id, params);
    let earlier = params["redirectedRequestId"].as_str();
    let is_approved = earlier.is_some_and(|earlier| world.state().let_go.has(earlier, &request));
    if is_approved {
        world.state().let_go.add(request);
        return let_go(pipe, session, id);
    }
    if !judge(&request) {
        return let_go(pipe, session, id);
    }
    if !world.send(BrowserEvent::Held(Box::new(request))) {
        // Nobody would ever answer.
        refuse_now(pipe, session, id, params["resourceType"] == "Document");
    }
}

/// A person's request is theirs: the runtime learns only which question it answers.
fn notice_person(world: &World, session: Option<&str>, id: &str, params: &Value) {
    let Some(judge) = world.state().person.clone() else { return };
    if let Some(question) = judge(&read(world, session, id, params)) {
        // A full backlog drops it: then the question is checked again after the hand-back.
        world.send(BrowserEvent::PersonDid(question));
    }
}

/// Whether Chromium still knows a held request: its page may have left it.
pub async fn is_held(shared: &Shared, request: &PausedRequest) -> Result<bool, CallError> {
    // A held request has no body yet, so this always fails; only the code says whether the id is known.
    let params = json!({ "requestId": request.id });
    let session = request.session.as_deref();
    match shared.pipe.call(&Pass::Bookkeeping, session, "Fetch.getResponseBody", params).await {
        Ok(_) => Ok(true),
        Err(CallError::Failed { code, .. }) => Ok(code != INVALID_PARAMS),
        Err(error) => Err(error),
    }
}

/// Lets a held request go.
///
/// # Errors
///
/// Chromium does not know it any more: its page is gone, and it never left.
pub async fn let_go_held(shared: &Shared, request: &PausedRequest) -> Result<(), CallError> {
    let params = json!({ "requestId": request.id });
    let session = request.session.as_deref();
    // Before it leaves: its server may send it on at once.
    shared.world.state().let_go.add(request.clone());
    shared.pipe.call(&Pass::Bookkeeping, session, "Fetch.continueRequest", params).await.map(drop)
}

/// Refuses a held request: it never leaves. One whose page is gone is refused already.
pub fn refuse_held(shared: &Shared, request: &PausedRequest) {
    refuse_now(&shared.pipe, request.session.as_deref(), &request.id, request.is_document);
}

fn refuse_now(pipe: &Pipe, session: Option<&str>, id: &str, is_document: bool) {
    // An aborted document leaves the page as it is; a blocked one would replace it by an error page.
    let reason = if is_document { "Aborted" } else { "BlockedByClient" };
    pipe.note(session, "Fetch.failRequest", json!({ "requestId": id, "errorReason": reason }));
}

fn let_go(pipe: &Pipe, session: Option<&str>, id: &str) {
    pipe.note(session, "Fetch.continueRequest", json!({ "requestId": id }));
}

fn patterns() -> Value {
    let kinds = ["Document", "XHR", "Fetch", "Ping"];
    let patterns: Vec<_> = kinds.map(|kind| json!({ "urlPattern": "*", "resourceType": kind })).to_vec();
    json!({ "patterns": patterns })
}

fn read(world: &World, session: Option<&str>, id: &str, params: &Value) -> PausedRequest {
    let request = &params["request"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let header = |name: &str| {
        let headers = request["headers"].as_object()?;
        let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        value.as_str().map(str::to_owned)
    };
    let frame = text(&params["frameId"]);
    let state = world.state();
    let tab = state.tab(&frame);
    let page = tab.map(|tab| tab.url.clone()).or_else(|| header("referer")).or_else(|| header("origin"));
    PausedRequest {
        id: id.to_owned(),
        session: session.map(str::to_owned),
        is_page: tab.is_some() && params["resourceType"] == "Document",
        is_document: params["resourceType"] == "Document",
        typed_fields: state.typed_fields.clone(),
        outgoing: Outgoing {
            method: text(&request["method"]),
            url: text(&request["url"]),
            page: page.unwrap_or_default(),
            content_type: header("content-type").unwrap_or_default(),
            body: body(request),
            has_body: request["hasPostData"] == true,
        },
    }
}

/// Returns the body, if all of it is known: for files Chromium gives only their path.
fn body(request: &Value) -> Option<Vec<u8>> {
    if let Some(entries) = request["postDataEntries"].as_array() {
        let parts = entries.iter().map(|entry| BASE64_STANDARD.decode(entry["bytes"].as_str()?).ok());
        return parts.collect::<Option<Vec<_>>>().map(|parts| parts.concat());
    }
    request["postData"].as_str().map(|text| text.as_bytes().to_vec())
}
