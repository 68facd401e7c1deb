//! What a person changed, by names and never by values; and whether a handoff's condition holds.
//!
//! Before: what is open, who is signed in where, and the page script begins to note names of fields.
//! After: the difference. Cookie values are compared as keyed hashes, and neither leaves this file;
//! typed values do not even leave the page. All of it is the runtime's own bookkeeping: it acts for nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use futures_util::future::join_all;
use sandbox_core::model::{PageName, Receipt, Until};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::address::without_values;
use super::page::{Page, argument};
use super::pipe::{CallError, Pass, Pipe};
use super::tab::Tab;
use super::world::{RECORD_SCRIPT, RECORD_SCRIPT_ID, State};
use super::{Shared, pattern};

/// How long looking around may hold up a person who wants the wheel. A page that hangs is not waited for.
const BEFORE_DEADLINE: Duration = Duration::from_millis(700);
/// How long the pages may take to tell what they noted. One that hangs keeps nothing else out of the receipt.
const TELLING: Duration = Duration::from_secs(2);
/// How long the receipt may take.
const AFTER_DEADLINE: Duration = Duration::from_secs(3);

/// What there was when a person took over.
pub struct Takeover {
    at: PageName,
    /// By id, with the tab's name.
    tabs: BTreeMap<String, String>,
    /// `None` when the browser did not answer in time: then nothing is said of sign-ins.
    cookies: Option<Cookies>,
    hasher: RandomState,
}

/// By site, then by name and path: a keyed hash of the value.
type Cookies = BTreeMap<String, BTreeMap<(String, String), u64>>;

/// Looks around, and begins to note which fields are touched.
pub async fn begin(shared: &Shared) -> Takeover {
    let hasher = RandomState::new();
    let (at, tabs, sessions, in_front) = {
        let mut state = shared.world.state();
        state.begin_recording();
        (page_name(&state), tab_names(&state), state.all_sessions(), state.active().cloned())
    };
    let world = &shared.world.script_world;
    let script = json!({ "source": RECORD_SCRIPT, "worldName": world, "runImmediately": true });
    let recording = sessions.iter().map(|session| {
        let method = "Page.addScriptToEvaluateOnNewDocument";
        shared.pipe.call_within(BEFORE_DEADLINE, &Pass::Bookkeeping, Some(session), method, script.clone())
    });
    let (begun, cookies, ()) = tokio::join!(
        join_all(recording),
        cookies(&shared.pipe, &hasher, BEFORE_DEADLINE),
        focus_page(shared, in_front)
    );
    for error in begun.into_iter().filter_map(Result::err) {
        // The session went away, or its page hangs: a page that hangs takes no input either.
        tracing::debug!(%error, "a page does not note which fields are touched");
    }
    Takeover { at, tabs, cookies, hasher }
}

/// Gives the page the keys: a page that a program opened leaves them with the address bar, and a password typed there
/// would go to a search engine. On a blank page they stay: there, an address is what a person types first.
async fn focus_page(shared: &Shared, in_front: Option<Tab>) {
    let Some(tab) = in_front.filter(|tab| tab.dialog.is_none() && is_page(&tab.url)) else { return };
    let (pass, method) = (Pass::Bookkeeping, "Page.bringToFront");
    let focused = shared.pipe.call_within(BEFORE_DEADLINE, &pass, Some(&tab.session), method, json!({}));
    if let Err(error) = focused.await {
        tracing::debug!(%error, "the page does not take the keys");
    }
}

fn is_page(url: &str) -> bool {
    !url.is_empty() && !url.starts_with("about:blank") && !url.starts_with("chrome:")
}

/// Ends noting, and says what changed; what is not known in time is left out.
pub async fn end(shared: &Shared, takeover: Takeover) -> Receipt {
    let now = cookies(&shared.pipe, &takeover.hasher, AFTER_DEADLINE);
    let (fields_touched, now) = tokio::join!(end_noting(shared), now);
    let (after, tabs) = {
        let state = shared.world.state();
        (page_name(&state), tab_names(&state))
    };
    let missing = |from: &BTreeMap<String, String>, than: &BTreeMap<String, String>| {
        from.iter().filter(|(id, _)| !than.contains_key(*id)).map(|(_, name)| name.clone()).collect()
    };
    let signed_in_changed = match (&takeover.cookies, &now) {
        (Some(before), Some(now)) => changed_sites(before, now),
        _ => Vec::new(),
    };
    Receipt {
        tabs_opened: missing(&tabs, &takeover.tabs),
        tabs_closed: missing(&takeover.tabs, &tabs),
        before: takeover.at,
        after,
        signed_in_changed,
        fields_touched,
        ..Receipt::default()
    }
}

/// Ends noting; returns the names of the fields that were touched.
async fn end_noting(shared: &Shared) -> Vec<String> {
    let begun = Instant::now();
    tokio::join!(flush(shared, begun + TELLING), shared.clients.flush(&shared.pipe, TELLING));
    let (touched, sessions) = {
        let mut state = shared.world.state();
        (state.end_recording(), state.all_sessions())
    };
    for session in &sessions {
        let id = json!({ "identifier": RECORD_SCRIPT_ID });
        shared.pipe.note(Some(session), "Page.removeScriptToEvaluateOnNewDocument", id);
    }
    stop_recording(shared, begun + AFTER_DEADLINE).await;
    touched
}

/// Whether every named part of the condition holds.
pub async fn until_met(shared: &Shared, until: &Until) -> bool {
    if let Some(wanted) = &until.url {
        let url = shared.world.state().active().map(|tab| tab.url.clone()).unwrap_or_default();
        if !pattern::matches(wanted, &url) {
            return false;
        }
    }
    if let Some(selector) = &until.selector {
        let shown = async {
            let page = Page::active(&shared.pipe, &shared.world, Pass::Bookkeeping).ok()?;
            let frames = page.frames().await.ok()?;
            let answers = page.ask_all(&frames, &format!("baton.has({})", argument(selector))).await.ok()?;
            Some(answers.into_iter().flatten().any(|has| has == true))
        };
        if tokio::time::timeout(AFTER_DEADLINE, shown).await.ok().flatten() != Some(true) {
            return false;
        }
    }
    let Some(name) = &until.cookie else { return true };
    let known = all_cookies(&shared.pipe, AFTER_DEADLINE).await;
    known.is_ok_and(|cookies| cookies.iter().any(|cookie| cookie["name"] == *name.as_str()))
}

/// Waits until the pages have told what they noted: a script's reports come before its later answers. What they told outside
/// clients comes on sessions of its own, and these are waited for as well: it is the person's, and not to be told later.
async fn flush(shared: &Shared, until: Instant) {
    // A sign-in that was typed and not sent is told now.
    each_frame(shared, "(baton.signIn.typed(), true)", until).await;
}

async fn stop_recording(shared: &Shared, until: Instant) {
    each_frame(shared, "(globalThis.batonRecords = false, baton.record(false), true)", until).await;
}

async fn each_frame(shared: &Shared, expression: &str, until: Instant) {
    let tabs: Vec<Tab> = shared.world.state().tabs.clone();
    let pages = tabs.into_iter().filter(|tab| !tab.crashed && tab.dialog.is_none()).map(|tab| async move {
        let page = Page::of(&shared.pipe, &shared.world, tab, Pass::Bookkeeping);
        if let Ok(frames) = page.frames().await {
            // Frames that went away or hang have nothing more to tell.
            let _ = page.ask_all(&frames, expression).await;
        }
    });
    let _ = tokio::time::timeout_at(until, join_all(pages)).await;
}

fn page_name(state: &State) -> PageName {
    let named = |tab: &Tab| PageName { url: without_values(&tab.url), title: tab.title.clone() };
    state.active().map(named).unwrap_or_default()
}

fn tab_names(state: &State) -> BTreeMap<String, String> {
    let name = |tab: &Tab| if tab.title.is_empty() { without_values(&tab.url) } else { tab.title.clone() };
    state.shown_tabs().map(|tab| (tab.id.clone(), name(tab))).collect()
}

pub(super) async fn all_cookies(pipe: &Pipe, deadline: Duration) -> Result<Vec<Value>, CallError> {
    let mut reply = pipe.call_within(deadline, &Pass::Bookkeeping, None, "Storage.getCookies", json!({})).await?;
    Ok(match reply["cookies"].take() {
        Value::Array(cookies) => cookies,
        _ => Vec::new(),
    })
}

async fn cookies(pipe: &Pipe, hasher: &RandomState, deadline: Duration) -> Option<Cookies> {
    let all = match all_cookies(pipe, deadline).await {
        Ok(all) => all,
        Err(error) => {
            tracing::debug!(%error, "the cookies cannot be compared");
            return None;
        }
    };
    let mut sites = Cookies::new();
    for cookie in all {
        let word = |key: &str| cookie[key].as_str().unwrap_or_default().to_owned();
        if !signs_in(&word("name"), cookie["httpOnly"] == true) {
            continue;
        }
        let site = word("domain").trim_start_matches('.').to_owned();
        let value = hasher.hash_one(word("value"));
        sites.entry(site).or_default().insert((word("name"), word("path")), value);
    }
    Some(sites)
}

/// Whether a cookie is of the kind that carries a sign-in: kept from scripts, or named like a session.
fn signs_in(name: &str, http_only: bool) -> bool {
    const NAMES: [&str; 9] = ["sess", "sid", "auth", "token", "login", "jwt", "user", "account", "remember"];
    const OTHERS: [&str; 9] = ["csrf", "xsrf", "__cf_bm", "_cfuvid", "datadome", "ak_bmsc", "bm_sz", "_abck", "awsalb"];
    let name = name.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
    !is(&OTHERS) && (http_only || is(&NAMES))
}

fn changed_sites(before: &Cookies, now: &Cookies) -> Vec<String> {
    let sites: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    sites.into_iter().filter(|site| before.get(*site) != now.get(*site)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_changed_when_a_sign_in_cookie_came_went_or_changed() {
        let site = |pairs: &[(&str, u64)]| {
            pairs.iter().map(|(name, value)| (((*name).to_owned(), "/".to_owned()), *value)).collect()
        };
        let before = Cookies::from([
            ("same.example".into(), site(&[("sid", 1)])),
            ("gone.example".into(), site(&[("sid", 1)])),
            ("other.example".into(), site(&[("sid", 1)])),
        ]);
        let now = Cookies::from([
            ("same.example".into(), site(&[("sid", 1)])),
            ("other.example".into(), site(&[("sid", 2)])),
            ("new.example".into(), site(&[("sid", 1)])),
        ]);
        assert_eq!(changed_sites(&before, &now), ["gone.example", "new.example", "other.example"]);
    }

    #[test]
    fn protection_cookies_are_no_sign_in() {
        assert!(signs_in("anything", true));
        assert!(signs_in("SESSION_ID", false));
        assert!(!signs_in("theme", false));
        assert!(!signs_in("__cf_bm", true));
        assert!(!signs_in("csrf_token", false));
    }
}
