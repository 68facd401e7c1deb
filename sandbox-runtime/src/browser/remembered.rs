//! What a browser is given back when it is started again after it was lost: its cookies, and the addresses of its tabs.
//!
//! Chromium writes cookies to its profile only now and then, and keeps those of a session nowhere that outlives it. Of its
//! pages it keeps what was typed into them too: none of that is used, and the tabs load again.
//! It stays in memory, or lies in the profile itself or in a checkpoint, as the profile's own sign-ins do: nothing of it is
//! told to anyone.

use std::io;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Browser;
use super::pipe::{CallError, Pass};
use super::takeover::all_cookies;

/// How long the browser may take to name or to take its cookies.
const COOKIES_DEADLINE: Duration = Duration::from_secs(10);
/// Longer than anyone waits: how long a browser may be silent is for the caller to say.
const PULSE_DEADLINE: Duration = Duration::from_secs(3600);
/// Tabs that come back.
const MOST_TABS: usize = 50;

/// Beside Chromium's own files in a profile: what its next browser is given back.
const FILE: &str = "Returning.json";

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Remembered {
    cookies: Vec<Value>,
    tabs: Vec<OpenTab>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenTab {
    url: String,
    in_front: bool,
}

impl Remembered {
    /// The name, in a profile, of the file in which [`Self::of_profile`] finds it.
    pub const FILE: &str = FILE;

    /// Returns how many tabs come back.
    pub fn tabs(&self) -> usize {
        self.tabs.len()
    }

    /// Returns what lies in a profile for its next browser; nothing where nothing can be read.
    pub fn of_profile(profile: &Path) -> Self {
        let read = std::fs::read(profile.join(FILE));
        read.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Lays it into a profile for its next browser.
    pub fn lay_into(&self, profile: &Path) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(profile)?;
        serde_json::to_writer(&mut file, self)?;
        file.persist(profile.join(FILE)).map(drop).map_err(|failed| failed.error)
    }

    /// It was given back: the next browser is not given it again.
    pub fn forget_in(profile: &Path) {
        // What is not there is forgotten.
        let _ = std::fs::remove_file(profile.join(FILE));
    }
}

impl Browser {
    /// Remembers the cookies as they are now, and returns what comes back of this browser.
    pub async fn remember(&self) -> Remembered {
        if let Ok(cookies) = all_cookies(&self.shared.pipe, COOKIES_DEADLINE).await {
            *self.shared.cookies.lock().unwrap_or_else(PoisonError::into_inner) = cookies;
        }
        self.remembered(true)
    }

    /// Asks the browser whether it lives, and remembers its cookies; `false` when it is gone.
    pub async fn take_pulse(&self) -> bool {
        let pipe = &self.shared.pipe;
        let pulse = pipe.call_within(PULSE_DEADLINE, &Pass::Bookkeeping, None, "Browser.getVersion", json!({})).await;
        if pulse.is_err() {
            return !pipe.is_closed();
        }
        if let Ok(cookies) = all_cookies(pipe, PULSE_DEADLINE).await {
            *self.shared.cookies.lock().unwrap_or_else(PoisonError::into_inner) = cookies;
        }
        !pipe.is_closed()
    }

    /// Returns what comes back of this browser, also after it is gone.
    pub fn remembered(&self, with_tabs: bool) -> Remembered {
        let cookies = self.shared.cookies.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let state = self.shared.world.state();
        let front = state.active().map(|tab| tab.id.clone());
        let tabs = state
            .shown_tabs()
            .filter(|_| with_tabs)
            .take(MOST_TABS)
            .map(|tab| OpenTab { url: tab.url_to_reopen(), in_front: Some(&tab.id) == front.as_ref() });
        Remembered { cookies, tabs: tabs.filter(|tab| can_be_reopened(&tab.url)).collect() }
    }

    /// Sets the cookies. To be called before any page is opened.
    pub async fn give_cookies(&self, remembered: &Remembered) {
        let cookies: Vec<Value> = remembered.cookies.iter().cloned().map(to_set).collect();
        if cookies.is_empty() {
            return;
        }
        match self.set_cookies(json!(cookies)).await {
            Ok(()) => {}
            // One that it does not take keeps the others out.
            Err(CallError::Failed { .. }) => {
                for cookie in cookies {
                    if let Err(error) = self.set_cookies(json!([cookie])).await {
                        tracing::debug!(%error, "a cookie did not come back");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "cookies did not come back"),
        }
    }

    async fn set_cookies(&self, cookies: Value) -> Result<(), CallError> {
        let (pass, params) = (Pass::Bookkeeping, json!({ "cookies": cookies }));
        self.shared.pipe.call_within(COOKIES_DEADLINE, &pass, None, "Storage.setCookies", params).await.map(drop)
    }

    /// Opens the tabs again, in their order, and waits until they have loaded. Has no deadline: the caller has.
    pub async fn reopen(&self, remembered: &Remembered) {
        let super::Shared { pipe, world, .. } = &*self.shared;
        let first = world.state().active().map(|tab| tab.session.clone());
        let mut in_front = None;
        for (at, tab) in remembered.tabs.iter().enumerate() {
            let (session, method) = match (at, &first) {
                (0, Some(session)) => (Some(session.as_str()), "Page.navigate"),
                (_, Some(_) | None) => (None, "Target.createTarget"),
            };
            let opened =
                pipe.call_within(PULSE_DEADLINE, &Pass::Bookkeeping, session, method, json!({ "url": tab.url })).await;
            let id = match opened {
                Ok(opened) => opened["targetId"].as_str().or(opened["frameId"].as_str()).map(str::to_owned),
                Err(error) => {
                    tracing::debug!(%error, "a tab did not come back");
                    None
                }
            };
            if tab.in_front {
                in_front = id;
            }
        }
        if let Some(id) = in_front.filter(|_| remembered.tabs.len() > 1)
            && let Err(error) = self.shared.activate_tab(Pass::Bookkeeping, &id).await
        {
            tracing::debug!(%error, "a tab did not come to the front");
        }
        world.wait_until(|state| state.shown_tabs().all(|tab| tab.prepared && tab.is_settled()).then_some(())).await;
    }
}

/// Addresses that open by themselves: not those of the browser's own pages, or of what a page held in memory.
fn can_be_reopened(url: &str) -> bool {
    ["http:", "https:", "about:", "data:"].iter().any(|scheme| url.starts_with(scheme))
}

/// Returns the parameters that set a cookie as it was told.
fn to_set(mut cookie: Value) -> Value {
    let text = |cookie: &Value, name: &str| cookie[name].as_str().unwrap_or_default().to_owned();
    let (domain, path) = (text(&cookie, "domain"), text(&cookie, "path"));
    let is_secure = cookie["secure"] == true || cookie["sourceScheme"] == "Secure";
    let is_of_session = cookie["session"] == true;
    if let Some(fields) = cookie.as_object_mut() {
        fields.remove("size");
        fields.remove("session");
        if is_of_session {
            fields.remove("expires");
        }
        // One of a single host is set by its address: a named domain would make it one of all beneath.
        if !domain.starts_with('.') {
            fields.remove("domain");
            let scheme = if is_secure { "https" } else { "http" };
            fields.insert("url".to_owned(), json!(format!("{scheme}://{domain}{path}")));
        }
    }
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_of_one_host_stays_one_of_that_host() {
        let told = json!({ "name": "a", "value": "1", "domain": "127.0.0.1", "path": "/x", "expires": -1, "size": 2,
                           "session": true, "secure": false, "httpOnly": true });
        let set = json!({ "name": "a", "value": "1", "url": "http://127.0.0.1/x", "path": "/x", "secure": false,
                          "httpOnly": true });
        assert_eq!(to_set(told), set);
    }

    #[test]
    fn a_cookie_of_a_domain_keeps_domain_and_time() {
        let told = json!({ "name": "a", "value": "1", "domain": ".example.org", "path": "/", "expires": 2e9, "size": 2,
                           "session": false, "secure": true });
        let set = json!({ "name": "a", "value": "1", "domain": ".example.org", "path": "/", "expires": 2e9,
                          "secure": true });
        assert_eq!(to_set(told), set);
    }

    #[test]
    fn pages_of_the_browser_itself_do_not_come_back() {
        assert!(can_be_reopened("https://example.org/") && can_be_reopened("about:blank"));
        assert!(!can_be_reopened("chrome://settings") && !can_be_reopened("blob:https://example.org/1"));
    }
}
