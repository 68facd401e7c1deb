//! Requests that the proxy did not carry, made into the browser's own network errors.
//!
//! Chromium takes the proxy's answer to a plain request for the server's, and says of a tunnel only that it failed.
//! So documents and fetches pause for a moment when their answer has come, in a session of the runtime's own: what the
//! proxy did not carry then fails as it would without a proxy, for every client, page and person alike.
//! Images, scripts and styles never pause: an element treats the proxy's answer as a failure already.

use sandbox_core::policy::Host;
use serde_json::{Value, json};
use url::Url;

use super::error::BrowserError;
use super::pipe::{CallError, Pass, Pipe};
use super::world::World;
use crate::egress::{FAILURE_HEADER, Failure, FailureKind, Failures};

/// What a session of the browser reports paused answers to.
pub struct Watching {
    session: String,
    failures: Failures,
}

impl Watching {
    pub fn is_session(&self, session: Option<&str>) -> bool {
        session == Some(self.session.as_str())
    }
}

/// Begins to watch, for every page that is open or opens later.
pub async fn watch(pipe: &Pipe, world: &World, failures: Failures) -> Result<(), BrowserError> {
    let attached = pipe.call(&Pass::Bookkeeping, None, "Target.attachToBrowserTarget", json!({})).await?;
    let Some(session) = attached["sessionId"].as_str() else {
        let method = "Target.attachToBrowserTarget".to_owned();
        return Err(CallError::Reply { method, cause: "no session was given".to_owned() }.into());
    };
    world.state().watching = Some(Watching { session: session.to_owned(), failures });
    pipe.call(&Pass::Bookkeeping, Some(session), "Fetch.enable", patterns()).await?;
    Ok(())
}

/// Loads the tabs again whose page did not come, where `is_open` says that its place is open now.
pub fn load_refused(pipe: &Pipe, world: &World, is_open: impl Fn(&Host, u16) -> bool) {
    let leads_there = |url: &str| {
        let url = Url::parse(url).ok()?;
        Some(is_open(&Host::parse(url.host_str()?).ok()?, url.port_or_known_default()?))
    };
    let again = world.state().load_again(|tab| leads_there(&tab.url) == Some(true));
    for (session, url) in again {
        // No reload: a form that was sent is not sent again.
        pipe.note(Some(&session), "Page.navigate", json!({ "url": url }));
    }
}

fn patterns() -> Value {
    let pattern =
        |urls: &str, kind: &str| json!({ "urlPattern": urls, "resourceType": kind, "requestStage": "Response" });
    json!({ "patterns": [pattern("*", "Document"), pattern("http://*", "XHR"), pattern("http://*", "Fetch")] })
}

/// Lets an answer go on, or fails its request if the proxy did not carry it.
pub fn paused(world: &World, pipe: &Pipe, session: Option<&str>, params: &Value) {
    let Some(id) = params["requestId"].as_str() else { return };
    let is_status = |status: i64| params["responseStatusCode"].as_i64() == Some(status);
    if params["resourceType"] == "Document" && is_status(401) && asks_for_password(params) {
        world.sign_in_wanted(
            params["frameId"].as_str().unwrap_or_default(),
            params["request"]["url"].as_str().unwrap_or_default(),
        );
    }
    let failure = world.state().watching.as_ref().and_then(|watching| failure_of(&watching.failures, params));
    let Some(failure) = failure else {
        return pipe.note(session, "Fetch.continueRequest", json!({ "requestId": id }));
    };
    let (reason, name) = error_of(failure.kind);
    if params["resourceType"] == "Document" {
        let frame = params["frameId"].as_str().unwrap_or_default();
        world.document_refused(frame, format!("{} ({name})", failure.sentence));
    }
    pipe.note(session, "Fetch.failRequest", json!({ "requestId": id, "errorReason": reason }));
}

/// Whether the answer is one for which Chromium itself asks for a user name and a password.
fn asks_for_password(params: &Value) -> bool {
    let headers = params["responseHeaders"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_ascii_lowercase();
    let asks = |header: &Value| {
        let scheme = text(&header["value"]);
        text(&header["name"]) == "www-authenticate" && ["basic", "digest", "ntlm"].iter().any(|s| scheme.starts_with(s))
    };
    headers.into_iter().any(asks)
}

fn failure_of(failures: &Failures, params: &Value) -> Option<Failure> {
    let address = params["request"]["url"].as_str()?;
    match params["responseErrorReason"].as_str() {
        // Within a tunnel the header would be the server's: it counts on plain requests only, where the proxy removes it.
        None if address.starts_with("http://") => {
            let headers = params["responseHeaders"].as_array()?;
            let mark = headers.iter().find(|header| {
                header["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(FAILURE_HEADER.as_str()))
            })?;
            Some(Failure::read(mark["value"].as_str()?))
        }
        // Somebody decided that it fails: that is no matter of the way out.
        None | Some("Aborted" | "BlockedByClient" | "BlockedByResponse") => None,
        Some(_) => failures.of(address),
    }
}

/// Returns the protocol's name of an error, and Chromium's.
fn error_of(kind: FailureKind) -> (&'static str, &'static str) {
    match kind {
        FailureKind::Refused => ("BlockedByClient", "net::ERR_BLOCKED_BY_CLIENT"),
        FailureKind::NotResolved => ("NameNotResolved", "net::ERR_NAME_NOT_RESOLVED"),
        FailureKind::ConnectionRefused => ("ConnectionRefused", "net::ERR_CONNECTION_REFUSED"),
        FailureKind::TimedOut => ("TimedOut", "net::ERR_TIMED_OUT"),
        FailureKind::Unreachable => ("AddressUnreachable", "net::ERR_ADDRESS_UNREACHABLE"),
        FailureKind::Reset => ("ConnectionReset", "net::ERR_CONNECTION_RESET"),
        FailureKind::Closed => ("ConnectionClosed", "net::ERR_CONNECTION_CLOSED"),
        FailureKind::Other => ("Failed", "net::ERR_FAILED"),
    }
}
