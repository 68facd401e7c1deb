//! Which requests a client learns of after a person drove: those that began after the hand-back.
//!
//! Earlier requests belong to the person: the events at their end would reveal address, headers and answer. So an event about a
//! request is passed on only if the one about its beginning was.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::missed::MissedEvent;
use crate::browser::pipe::Told;

/// Requests that are remembered, ended ones too: their headers may be told late.
const KNOWN_MAX: usize = 20_000;
/// Headers that wait for their request: Chromium tells them in any order.
const EARLY_MAX: usize = 256;

/// The requests that began since the hand-back.
#[derive(Debug, Default)]
pub struct Begun {
    known: HashSet<String>,
    /// The known ones, oldest first.
    order: VecDeque<String>,
    early: VecDeque<(String, MissedEvent)>,
}

/// What an event says of its request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About<'a> {
    #[serde(borrow)]
    request_id: Option<Cow<'a, str>>,
    redirect_response: Option<IgnoredAny>,
}

impl Begun {
    /// Returns the earlier events to pass on after this one, or `None` if this one is kept back.
    pub fn tells(&mut self, session: &str, told: Told<'_>) -> Option<Vec<MissedEvent>> {
        if !told.method.starts_with("Network.") {
            return Some(Vec::new());
        }
        let about: About<'_> = serde_json::from_str(told.params).ok()?;
        let Some(request) = about.request_id else { return Some(Vec::new()) };
        if self.known.contains(request.as_ref()) {
            return Some(Vec::new());
        }
        match told.method {
            // The next hop of an unknown request would show where it came from.
            "Network.requestWillBeSent" if about.redirect_response.is_some() => None,
            "Network.requestWillBeSent" | "Network.webSocketCreated" => Some(self.begin(request.into_owned())),
            "Network.requestWillBeSentExtraInfo"
            | "Network.responseReceivedExtraInfo"
            | "Network.responseReceivedEarlyHints" => {
                if self.early.len() == EARLY_MAX {
                    self.early.pop_front();
                }
                let (session, method, params) = (session.to_owned(), told.method.to_owned(), told.event().params);
                self.early.push_back((request.into_owned(), MissedEvent { session, method, params }));
                None
            }
            _ => None,
        }
    }

    /// Remembers a request; returns the events about it that came early.
    fn begin(&mut self, request: String) -> Vec<MissedEvent> {
        let (its, others): (VecDeque<_>, VecDeque<_>) = self.early.drain(..).partition(|(early, _)| *early == request);
        self.early = others;
        if self.order.len() == KNOWN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(request.clone());
        self.known.insert(request);
        its.into_iter().map(|(_, event)| event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the methods that are told of a request, for the events that come.
    fn told(begun: &mut Begun, request: &str, events: &[&str]) -> Vec<String> {
        let mut heard = Vec::new();
        for event in events {
            let (method, more) = match event.strip_suffix(" redirected") {
                Some(method) => (method, r#","redirectResponse":{"url":"https://a.example/?code=1"}"#),
                None => (*event, ""),
            };
            let (method, params) = (format!("Network.{method}"), format!(r#"{{"requestId":"{request}"{more}}}"#));
            let event = Told { session: None, method: &method, params: &params };
            if let Some(early) = begun.tells("s", event) {
                heard.push(method);
                heard.extend(early.into_iter().map(|event| event.method));
            }
        }
        heard.iter().map(|method| method.trim_start_matches("Network.").to_owned()).collect()
    }

    #[test]
    fn a_request_from_before_is_not_told_of() {
        let mut begun = Begun::default();
        let rest =
            ["responseReceived", "dataReceived", "responseReceivedExtraInfo", "loadingFinished", "loadingFailed"];
        assert_eq!(told(&mut begun, "1.1", &rest), Vec::<String>::new());
        assert_eq!(told(&mut begun, "1.2", &["requestWillBeSent redirected", "loadingFinished"]), Vec::<String>::new());
    }

    #[test]
    fn one_that_began_since_is_told_of_whole_whatever_the_order() {
        let mut begun = Begun::default();
        let events = ["requestWillBeSentExtraInfo", "requestWillBeSent", "requestWillBeSent redirected"];
        let heard = ["requestWillBeSent", "requestWillBeSentExtraInfo", "requestWillBeSent"];
        assert_eq!(told(&mut begun, "1.3", &events), heard);
        let rest = ["responseReceived", "loadingFinished", "responseReceivedExtraInfo"];
        assert_eq!(told(&mut begun, "1.3", &rest), rest);
        assert_eq!(told(&mut begun, "1.4", &["webSocketCreated", "webSocketClosed"]).len(), 2);
    }

    #[test]
    fn what_is_about_no_request_passes_and_memory_has_an_end() {
        let mut begun = Begun::default();
        let load = Told { session: None, method: "Page.loadEventFired", params: "{}" };
        assert_eq!(begun.tells("s", load), Some(Vec::new()));
        for n in 0..KNOWN_MAX + EARLY_MAX {
            told(&mut begun, &format!("2.{n}"), &["requestWillBeSent"]);
            told(&mut begun, &format!("3.{n}"), &["responseReceivedExtraInfo"]);
        }
        assert_eq!((begun.known.len(), begun.order.len(), begun.early.len()), (KNOWN_MAX, KNOWN_MAX, EARLY_MAX));
    }
}
