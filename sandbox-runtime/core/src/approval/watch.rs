//! Which requests stand still at the network until a person answers.
//!
//! The same rules as for acts, whoever caused the request: an agent's tool, a script, a page by itself. Only what a person
//! does at the wheel is never looked at; the browser sees to that.

use std::sync::Arc;

use super::judge;
use super::request::{self, Outgoing};
use super::rules::{self, Follows};
use crate::SandboxId;
use crate::model::{ActKind, Rule, RuleEffect};

/// What decides about a request, as it is at one time.
#[derive(Clone, Debug)]
pub struct Watch {
    pub rules: Arc<Vec<Rule>>,
    pub sandbox: SandboxId,
    pub follows: Follows,
    /// Sites that the task was told about, or that a person went to or approved.
    pub known: Vec<String>,
    /// Whether a task runs. Without one, sites are asked about only where a rule names them.
    pub has_task: bool,
}

impl Watch {
    /// Returns the kind for which a request is held, or `None` for one that may go. `is_page`: it brings a tab another page.
    pub fn held_as(&self, outgoing: &Outgoing, is_page: bool) -> Option<ActKind> {
        let addresses = [outgoing.page.as_str(), outgoing.url.as_str()];
        if judge::is_unsafe(&outgoing.method) {
            let kind = request::kind(outgoing);
            let named = |kind| rules::named(&self.rules, &self.sandbox, &addresses, kind);
            // What is asked about any form is asked about the graver kinds too, unless a rule says otherwise of them.
            let otherwise =
                || rules::default_effect(kind, self.follows).max(named(ActKind::Submit).unwrap_or(RuleEffect::Allow));
            if named(kind).unwrap_or_else(otherwise) != RuleEffect::Allow {
                return Some(kind);
            }
        }
        // A page's own background requests are its own; where a driver is led is not.
        let leads = is_page && !rules::is_known(&outgoing.url, &self.known);
        (leads && self.elsewhere(&addresses) != RuleEffect::Allow).then_some(ActKind::NewDestination)
    }

    /// Returns what is to happen with going to a site that is not known.
    pub fn elsewhere(&self, addresses: &[&str]) -> RuleEffect {
        let named = rules::named(&self.rules, &self.sandbox, addresses, ActKind::NewDestination);
        match named {
            Some(effect) => effect,
            None if self.has_task => rules::default_effect(ActKind::NewDestination, self.follows),
            None => RuleEffect::Allow,
        }
    }

    /// Whether any request may be held.
    pub fn may_hold(&self) -> bool {
        rules::may_ask(&self.rules, &self.sandbox, self.follows)
    }
}
