//! Who may call: tokens, and the tickets that become one.
//!
//! ```text
//!   ticket (in an address, works once) ── redeem ──▶ token (in a header, until it expires or its sandbox ends)
//!   link   (in an address, one artifact or one sandbox's debugging endpoint, until it expires)
//! ```
//!
//! All of it lives in memory and ends with the runtime. Secrets are 256 random bits and are kept and looked up by their
//! SHA-256 only: what a lookup's timing can tell is about the hash, from which no secret follows.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sandbox_core::model::EpochMs;
use sandbox_core::viewer::ViewerMode;
use sandbox_core::{ArtifactKey, SandboxId, TaskId};
use sha2::{Digest, Sha256};

/// How long an opened viewer link keeps working, if its sandbox lives that long.
pub const VIEWER_SESSION_MS: i64 = 12 * 3_600_000;
/// How long the interface's first address waits to be opened.
pub const INTERFACE_TICKET_MS: i64 = 24 * 3_600_000;

/// What a token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Full,
    /// The live view of one sandbox.
    Viewer { sandbox_id: SandboxId, mode: ViewerMode },
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTo {
    Artifact(ArtifactKey),
    /// The bundle of one task.
    Bundle(TaskId),
    /// The debugging endpoint of one sandbox.
    Debugging(SandboxId),
}

/// A token that a ticket became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub token: String,
    pub access: Access,
    /// `None` while the runtime lives.
    pub expires_at: Option<EpochMs>,
}

type Key = [u8; 32];

/// Every secret that is good now.
pub struct Tokens {
    main: String,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    tokens: HashMap<Key, Lasting<Access>>,
    tickets: HashMap<Key, Lasting<Access>>,
    links: HashMap<Key, Lasting<LinkTo>>,
}

struct Lasting<T> {
    what: T,
    until: Option<EpochMs>,
}

impl<T> Lasting<T> {
    fn is_over(&self, now: EpochMs) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Tokens {
    pub fn new() -> Self {
        let main = secret();
        let mut kept = Kept::default();
        kept.tokens.insert(key(&main), Lasting { what: Access::Full, until: None });
        Self { main, kept: Mutex::new(kept) }
    }

    /// Returns the token that may do everything.
    pub fn main(&self) -> &str {
        &self.main
    }

    /// Returns what `token` allows now; `None` for a token that is unknown or over.
    pub fn access(&self, token: &str, now: EpochMs) -> Option<Access> {
        let kept = self.lock();
        let found = kept.tokens.get(&key(token))?;
        (!found.is_over(now)).then(|| found.what.clone())
    }

    /// Whether the token came of a ticket, as the interface's does, and is not the main one, which programs read.
    pub fn is_session(&self, token: &str) -> bool {
        let main = key(&self.main);
        let asked = key(token);
        asked != main && self.lock().tokens.contains_key(&asked)
    }

    /// Makes a ticket that can be redeemed once until `expires_at`.
    pub fn ticket(&self, access: Access, expires_at: EpochMs, now: EpochMs) -> String {
        let ticket = secret();
        self.lock_fresh(now).tickets.insert(key(&ticket), Lasting { what: access, until: Some(expires_at) });
        ticket
    }

    /// Turns a ticket into a token; `None` for one that is unknown, used or over.
    pub fn redeem(&self, ticket: &str, now: EpochMs) -> Option<Session> {
        let mut kept = self.lock();
        let ticket = kept.tickets.remove(&key(ticket))?;
        if ticket.is_over(now) {
            return None;
        }
        let until = match ticket.what {
            Access::Full => None,
            Access::Viewer { .. } => Some(now + VIEWER_SESSION_MS),
        };
        let token = secret();
        kept.tokens.insert(key(&token), Lasting { what: ticket.what.clone(), until });
        Some(Session { token, access: ticket.what, expires_at: until })
    }

    /// Makes the secret of a link; it works until `expires_at`, as often as it is asked.
    pub fn link(&self, to: LinkTo, expires_at: EpochMs, now: EpochMs) -> String {
        let link = secret();
        self.lock_fresh(now).links.insert(key(&link), Lasting { what: to, until: Some(expires_at) });
        link
    }

    /// Whether `link` leads there now.
    pub fn opens(&self, link: &str, there: &LinkTo, now: EpochMs) -> bool {
        self.follow(link, now).is_some_and(|to| to == *there)
    }

    /// Returns the sandbox whose debugging endpoint `link` leads to now.
    pub fn debugging(&self, link: &str, now: EpochMs) -> Option<SandboxId> {
        match self.follow(link, now)? {
            LinkTo::Debugging(sandbox_id) => Some(sandbox_id),
            LinkTo::Artifact(_) | LinkTo::Bundle(_) => None,
        }
    }

    /// Revokes the links to the debugging endpoint of this sandbox.
    pub fn revoke_debugging(&self, sandbox_id: &SandboxId) {
        self.lock().links.retain(|_, link| !matches!(&link.what, LinkTo::Debugging(theirs) if theirs == sandbox_id));
    }

    /// Revokes everything that was for the live view of this sandbox.
    pub fn revoke_viewers(&self, sandbox_id: &SandboxId) {
        let is_theirs =
            |access: &Access| matches!(access, Access::Viewer { sandbox_id: theirs, .. } if theirs == sandbox_id);
        let mut kept = self.lock();
        kept.tokens.retain(|_, token| !is_theirs(&token.what));
        kept.tickets.retain(|_, ticket| !is_theirs(&ticket.what));
    }

    fn follow(&self, link: &str, now: EpochMs) -> Option<LinkTo> {
        let kept = self.lock();
        let link = kept.links.get(&key(link))?;
        (!link.is_over(now)).then(|| link.what.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Single inserts and removals: no panic can leave the maps half changed.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks, and forgets what is over, so that what is never used does not pile up.
    fn lock_fresh(&self, now: EpochMs) -> MutexGuard<'_, Kept> {
        let mut kept = self.lock();
        kept.tokens.retain(|_, token| !token.is_over(now));
        kept.tickets.retain(|_, ticket| !ticket.is_over(now));
        kept.links.retain(|_, link| !link.is_over(now));
        kept
    }
}

fn key(secret: &str) -> Key {
    Sha256::digest(secret.as_bytes()).into()
}

/// Returns 256 random bits in hexadecimal: letters that an address, a header and a subprotocol all carry as they are.
fn secret() -> String {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the system's random source works, or nothing here is safe");
    sandbox_core::hexadecimal(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(id: &str) -> Access {
        Access::Viewer { sandbox_id: id.into(), mode: ViewerMode::Watch }
    }

    #[test]
    fn a_session_is_told_from_the_token_that_programs_read() {
        let tokens = Tokens::new();
        let ticket = tokens.ticket(Access::Full, 100, 0);
        let session = tokens.redeem(&ticket, 1).unwrap();
        assert!(tokens.is_session(&session.token));
        assert!(!tokens.is_session(tokens.main()) && !tokens.is_session("none"));
    }

    #[test]
    fn the_main_token_may_do_everything_and_no_other_text_anything() {
        let tokens = Tokens::new();
        assert_eq!(tokens.access(tokens.main(), 0), Some(Access::Full));
        for wrong in ["", "x", &tokens.main()[1..], &tokens.main().to_uppercase(), Tokens::new().main()] {
            assert_eq!(tokens.access(wrong, 0), None, "{wrong}");
        }
        assert_eq!(tokens.main().len(), 64);
    }

    #[test]
    fn a_ticket_works_once() {
        let tokens = Tokens::new();
        let ticket = tokens.ticket(Access::Full, 100, 0);
        assert_eq!(tokens.access(&ticket, 0), None, "a ticket is no token");
        let session = tokens.redeem(&ticket, 99).unwrap();
        assert_eq!(tokens.access(&session.token, 1 << 50), Some(Access::Full));
        assert_eq!(tokens.redeem(&ticket, 99), None);
    }

    #[test]
    fn a_ticket_expires() {
        let tokens = Tokens::new();
        let ticket = tokens.ticket(Access::Full, 100, 0);
        assert_eq!(tokens.redeem(&ticket, 100), None);
    }

    #[test]
    fn a_viewers_token_expires_and_ends_with_its_sandbox() {
        let tokens = Tokens::new();
        let one = tokens.redeem(&tokens.ticket(viewer("one"), 100, 0), 0).unwrap();
        let two = tokens.redeem(&tokens.ticket(viewer("two"), 100, 0), 0).unwrap();
        let unused = tokens.ticket(viewer("one"), 100, 0);
        assert_eq!(one.expires_at, Some(VIEWER_SESSION_MS));
        assert_eq!(tokens.access(&one.token, VIEWER_SESSION_MS - 1), Some(viewer("one")));
        assert_eq!(tokens.access(&one.token, VIEWER_SESSION_MS), None);
        tokens.revoke_viewers(&"one".into());
        assert_eq!(tokens.access(&one.token, 0), None);
        assert_eq!(tokens.redeem(&unused, 0), None);
        assert_eq!(tokens.access(&two.token, 0), Some(viewer("two")));
    }

    #[test]
    fn a_link_opens_its_own_artifact_until_it_expires() {
        let tokens = Tokens::new();
        let link = tokens.link(LinkTo::Artifact("art_1".into()), 100, 0);
        assert!(tokens.opens(&link, &LinkTo::Artifact("art_1".into()), 99));
        assert!(tokens.opens(&link, &LinkTo::Artifact("art_1".into()), 99), "as often as it is asked");
        assert!(!tokens.opens(&link, &LinkTo::Artifact("art_2".into()), 99));
        assert!(!tokens.opens(&link, &LinkTo::Artifact("art_1".into()), 100));
        assert_eq!(tokens.access(&link, 0), None);
        assert_eq!(tokens.redeem(&link, 0), None);
    }

    #[test]
    fn a_link_to_the_debugging_endpoint_ends_with_its_sandbox() {
        let tokens = Tokens::new();
        let link = tokens.link(LinkTo::Debugging("one".into()), 100, 0);
        let other = tokens.link(LinkTo::Debugging("two".into()), 100, 0);
        assert_eq!(tokens.debugging(&link, 99), Some("one".into()));
        assert_eq!(tokens.debugging(&link, 100), None);
        assert!(!tokens.opens(&link, &LinkTo::Artifact("one".into()), 0), "it is of another kind");
        assert_eq!(tokens.access(&link, 0), None);
        tokens.revoke_debugging(&"one".into());
        assert_eq!(tokens.debugging(&link, 0), None);
        assert_eq!(tokens.debugging(&other, 0), Some("two".into()));
    }

    #[test]
    fn what_is_over_does_not_pile_up() {
        let tokens = Tokens::new();
        for now in 0..1000 {
            tokens.ticket(Access::Full, now + 1, now);
            tokens.link(LinkTo::Artifact("art_1".into()), now + 1, now);
        }
        let kept = tokens.lock();
        assert!(kept.tickets.len() <= 2 && kept.links.len() <= 2);
    }
}
