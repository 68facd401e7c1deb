//! Requests held on their way out, by Chromium's Fetch domain.
//!
//! Enabled once for the whole browser, so that frames of other processes and popups are covered, and in each worker; and
//! only while a rule asks for it: then documents, fetches and beacons pause for a moment, images and scripts never.
//! A request of a page that is controlled by a service worker passes it by meanwhile.
//! Not covered: WebSockets and WebRTC.
//!
//! While a person is at the wheel nothing is held: what they do is theirs. A request that was held before they came
//! stays held, and they may answer for it like anyone.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sandbox_core::ApprovalId;
use sandbox_core::approval::request::Outgoing;
use serde_json::{Value, json};

use super::gate::Live;
use super::pipe::{CallError, Pass, Pipe};
use super::world::{World, auto_attach};
use super::{BrowserEvent, Shared};

/// JSON-RPC's code for an id that Chromium does not know.
const INVALID_PARAMS: i64 = -32_602;

/// Decides whether a request is held. Runs in the reading task, so that it must not block.
pub type HoldJudge = Arc<dyn Fn(&PausedRequest) -> bool + Send + Sync>;

/// Says which question a request of a person answers by being sent, if it does. Must not block either.
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

/// Begins or ends holding. When this returns it is in force, for documents that are open already too.
pub async fn hold(shared: &Shared, judge: Option<HoldJudge>) -> Result<(), CallError> {
    let wanted = judge.is_some();
    let before = std::mem::replace(&mut shared.world.state().holding, judge).is_some();
    if wanted == before {
        return Ok(());
    }
    let pipe = &shared.pipe;
    if !wanted {
        // What is paused now would be let go by it: whoever ends holding has answered for each before.
        pipe.call(&Pass::Bookkeeping, None, "Fetch.disable", json!({})).await?;
    } else {
        pipe.call(&Pass::Bookkeeping, None, "Fetch.enable", patterns()).await?;
    }
    pipe.call(&Pass::Bookkeeping, None, "Target.setAutoAttach", auto_attach(wanted)).await?;
    let sessions = shared.world.state().all_sessions();
    for session in sessions {
        refresh(pipe, &session, wanted);
    }
    Ok(())
}

/// Makes the documents of a session ask for their requests anew. Without it those that are open go on as they were.
fn refresh(pipe: &Pipe, session: &str, wanted: bool) {
    pipe.note(Some(session), "Fetch.enable", json!({ "patterns": [{ "urlPattern": "baton-never:*" }] }));
    pipe.note(Some(session), "Fetch.disable", json!({}));
    pipe.note(Some(session), "Target.setAutoAttach", auto_attach(wanted));
    bypass_workers(pipe, session, wanted);
}

/// Holds what a new worker sends from its first line on.
pub fn hold_worker(pipe: &Pipe, session: &str) {
    pipe.note(Some(session), "Fetch.enable", patterns());
    pipe.note(Some(session), "Target.setAutoAttach", auto_attach(true));
}

/// Sends a session's requests past service workers, whose own requests no one could tell apart.
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
    if !judge(&request) {
        return let_go(pipe, session, id);
    }
    if !world.send(BrowserEvent::Held(Box::new(request))) {
        // Nobody would ever answer for it.
        refuse_now(pipe, session, id, params["resourceType"] == "Document");
    }
}

/// A person's request is theirs: nothing of it is told but which question it answers.
fn notice_person(world: &World, session: Option<&str>, id: &str, params: &Value) {
    let Some(judge) = world.state().person.clone() else { return };
    if let Some(question) = judge(&read(world, session, id, params)) {
        // A backlog that is full loses it: then the question is looked at again after the hand-back.
        world.send(BrowserEvent::PersonDid(question));
    }
}

/// Whether Chromium still knows a held request: its page may have left it.
pub async fn is_held(shared: &Shared, request: &PausedRequest) -> Result<bool, CallError> {
    // Asks for what a request does not have yet: refused for what is held, too, but as a state and not as an unknown id.
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

/// Returns the body, if all of it can be shown: files are told by their place on the disk only.
fn body(request: &Value) -> Option<Vec<u8>> {
    if let Some(entries) = request["postDataEntries"].as_array() {
        let parts = entries.iter().map(|entry| BASE64_STANDARD.decode(entry["bytes"].as_str()?).ok());
        return parts.collect::<Option<Vec<_>>>().map(|parts| parts.concat());
    }
    request["postData"].as_str().map(|text| text.as_bytes().to_vec())
}
