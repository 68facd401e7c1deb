//! What was agreed to before it is done, so that the request which it causes is not asked about again.
//!
//! An agreement is to one request. Where a form says where it goes, only a request with that method, address and values is
//! it. Where the page's own code decides, it is one request of that page to a site that was shown, soon after the act.

use super::judge;
use super::request::{self, Outgoing, place};
use super::rules::site;
use crate::model::{ActKind, EpochMs, Proposal};

/// For how long a form that was agreed to may take to go out.
pub const FORM_MS: EpochMs = 60_000;
/// For how long the page's own code may take to send what was agreed to.
pub const SCRIPT_MS: EpochMs = 10_000;

/// An agreement to something that is being done.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreed {
    proposal: Proposal,
    /// What a form sends in place of the words that its lists show, by name.
    sent: Vec<(String, String)>,
    done_at: EpochMs,
}

impl Agreed {
    pub fn new(proposal: Proposal, sent: Vec<(String, String)>, now: EpochMs) -> Self {
        Self { proposal, sent, done_at: now }
    }

    /// Whether what was shown says exactly what is sent. Anything else ends as soon as somebody else acts.
    pub fn is_exact(&self) -> bool {
        self.proposal.method.as_deref().is_some_and(judge::is_unsafe)
    }

    pub fn is_over(&self, now: EpochMs) -> bool {
        let limit = if self.is_exact() { FORM_MS } else { SCRIPT_MS };
        now - self.done_at > limit
    }

    /// Whether this is the request that was agreed to.
    pub fn covers(&self, request: &Outgoing, now: EpochMs) -> bool {
        !self.is_over(now) && self.leads_there(request) && self.says_the_same(request)
    }

    fn leads_there(&self, request: &Outgoing) -> bool {
        let Proposal { kind, site: page, method, destination, amount, .. } = &self.proposal;
        if self.is_exact() {
            let same_method = method.as_deref().is_some_and(|method| method.eq_ignore_ascii_case(&request.method));
            return same_method && place(destination) == place(&request.url);
        }
        let found = request::kind(request);
        let to = site(&request.url);
        let is_shown = to.is_some() && (to.as_deref() == Some(page) || to == site(destination));
        let is_its_page = site(&request.page).as_deref() == Some(page);
        let same_amount = match (amount, judge::amount_of(&request::fields(request))) {
            (Some(shown), Some(found)) => shown.hundredths == found.hundredths,
            (Some(_) | None, _) => true,
        };
        is_shown && is_its_page && same_amount && (found == *kind || found == ActKind::Submit)
    }

    /// Whether no field that was shown goes out with another value. Secrets are shown to nobody and not compared.
    fn says_the_same(&self, request: &Outgoing) -> bool {
        let outgoing = request::fields(request);
        self.proposal.fields.iter().filter(|field| !field.masked).all(|shown| {
            let mut same_name = outgoing.iter().filter(|field| field.name == shown.name).peekable();
            let is_same = |value: &str| {
                value == shown.value || self.sent.iter().any(|(name, sent)| *name == shown.name && *sent == value)
            };
            // Lists of several values and files are said in words of their own.
            same_name.peek().is_none()
                || same_name.any(|field| field.masked || is_same(&field.value) || field.value.starts_with("the file "))
        })
    }
}

/// Whether a request does what a question was about, whatever its values: by its method and address, or where the page's own
/// code decides, by its kind and site.
pub fn is_what_was_asked(proposal: &Proposal, request: &Outgoing) -> bool {
    let same_method = proposal.method.as_deref().is_some_and(|method| method.eq_ignore_ascii_case(&request.method));
    if same_method && place(&proposal.destination) == place(&request.url) {
        return true;
    }
    if proposal.method.as_deref().is_some_and(judge::is_unsafe) || !judge::is_unsafe(&request.method) {
        return false;
    }
    let to = site(&request.url);
    let is_shown = to.is_some() && (to.as_deref() == Some(&proposal.site) || to == site(&proposal.destination));
    is_shown && request::kind(request) == proposal.kind
}
