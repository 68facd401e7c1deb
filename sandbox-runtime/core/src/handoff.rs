//! The life of a handoff: pending → accepted → completed; or cancelled, expired; back to pending when its person is gone.

use crate::model::{EpochMs, Handoff, HandoffStatus, Receipt};

/// Everything that can happen to a handoff.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Accept { controller: String },
    Reopen,
    Complete { note: Option<String>, receipt: Option<Box<Receipt>> },
    Cancel { note: Option<String> },
    Expire,
}

/// Applies a step, or answers with the status in which it is refused.
///
/// # Errors
///
/// The present status, when the step does not apply to it; the record is then unchanged.
pub fn apply(handoff: &mut Handoff, step: Step, now: EpochMs) -> Result<(), HandoffStatus> {
    use HandoffStatus::{Accepted, Cancelled, Completed, Expired, Pending};
    let next = match (&step, handoff.status) {
        (Step::Accept { .. }, Pending) => Accepted,
        (Step::Reopen, Accepted) => Pending,
        (Step::Complete { .. }, Pending | Accepted) => Completed,
        (Step::Cancel { .. }, Pending | Accepted) => Cancelled,
        (Step::Expire, Pending | Accepted) => Expired,
        (_, status) => return Err(status),
    };
    handoff.status = next;
    handoff.updated_at = now;
    match step {
        Step::Accept { controller } => {
            handoff.controller = Some(controller);
            handoff.accepted_at = Some(now);
        }
        Step::Reopen => {
            handoff.controller = None;
            handoff.accepted_at = None;
        }
        Step::Complete { note, receipt } => {
            handoff.note = note;
            handoff.receipt = receipt.map(|receipt| *receipt);
            handoff.completed_at = Some(now);
        }
        Step::Cancel { note } => {
            handoff.note = note;
            handoff.completed_at = Some(now);
        }
        Step::Expire => handoff.completed_at = Some(now),
    }
    Ok(())
}
