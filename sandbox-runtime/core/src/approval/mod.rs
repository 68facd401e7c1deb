//! What a person is asked before it is done.
//!
//! ```text
//!   pending ──▶ approved ──▶ void   (what was approved was not there any more when it was to be done)
//!      ├──────▶ denied
//!      ├──────▶ void                (what was shown is gone: the page changed, the task ended)
//!      └──────▶ superseded          (the task asks something else)
//! ```
//!
//! Owns the life of a question, the hash it is bound to, the person's [`rules`], the ledger of standing permissions
//! ([`ledger`]), the judgement of what cannot be undone ([`judge`], [`request`]), which requests are held ([`watch`]), and which
//! request an agreement is to ([`agreed`]).
//! Nothing here expires: a question waits until somebody answers it or what it is about is gone.

pub mod agreed;
pub mod judge;
pub mod ledger;
pub mod request;
pub mod rules;
pub mod watch;

use sha2::{Digest, Sha256};

use crate::TaskId;
use crate::model::{Actor, Approval, ApprovalStatus, EpochMs, Proposal};
use crate::{ApprovalId, GrantId};

/// Everything that can happen to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Approve { by: Actor, note: Option<String>, grant: Option<GrantId> },
    Deny { by: Actor, note: Option<String> },
    Void { why: String },
    Supersede { by: ApprovalId },
}

/// Applies a step, or answers with the status in which it is refused.
///
/// # Errors
///
/// The present status, when the step does not apply to it; the record is then unchanged.
pub fn apply(approval: &mut Approval, step: Step, now: EpochMs) -> Result<(), ApprovalStatus> {
    use ApprovalStatus::{Approved, Denied, Pending, Superseded, Void};
    approval.status = match (&step, approval.status) {
        (Step::Approve { .. }, Pending) => Approved,
        (Step::Deny { .. }, Pending) => Denied,
        (Step::Void { .. }, Pending | Approved) => Void,
        (Step::Supersede { .. }, Pending) => Superseded,
        (_, status) => return Err(status),
    };
    approval.updated_at = now;
    approval.decided_at = Some(now);
    match step {
        Step::Approve { by, note, grant } => {
            (approval.decided_by, approval.note, approval.grant_id) = (Some(by), note, grant);
        }
        Step::Deny { by, note } => (approval.decided_by, approval.note) = (Some(by), note),
        Step::Void { why } => approval.reason = Some(why),
        Step::Supersede { by } => approval.reason = Some(format!("{by} is asked instead")),
    }
    Ok(())
}

/// Returns the SHA-256 of everything that a person is shown, in hexadecimal.
///
/// Each part goes in with its length before it, so that no two different proposals have the same bytes.
pub fn hash(proposal: &Proposal) -> String {
    let Proposal { kind, summary, site, method, destination, fields, amount } = proposal;
    let mut hasher = Sha256::new();
    let mut part = |text: &str| {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    part("proposal/1");
    part(judge::word(*kind));
    part(summary);
    part(site);
    part(method.as_deref().unwrap_or("?"));
    part(destination);
    for field in fields {
        part(if field.masked { "secret" } else { "field" });
        part(&field.name);
        part(&field.value);
    }
    if let Some(amount) = amount {
        part("amount");
        part(&amount.hundredths.to_string());
        part(&amount.currency);
    }
    crate::hexadecimal(&hasher.finalize())
}

/// Whether the record still is what its hash was taken of.
pub fn is_whole(approval: &Approval) -> bool {
    hash(&approval.proposal) == approval.hash
}

/// Returns the pending question of the same task that is word for word the same, if one is.
pub fn twin<'a>(
    mut pending: impl Iterator<Item = &'a Approval>,
    task: Option<&TaskId>,
    hash: &str,
    held: bool,
) -> Option<&'a Approval> {
    pending.find(|one| one.status.is_pending() && one.task_id.as_ref() == task && one.hash == hash && one.held == held)
}
