//! The ledger of standing permissions: what each covers, and what was used of it.

use crate::model::{Approval, EpochMs, Grant, GrantScope, Proposal};
use crate::{GrantId, TaskId};

use super::rules::site;

/// Why a permission does not cover something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCovered {
    OtherTask,
    OtherSite,
    OtherKind,
    Revoked,
    Expired,
    UsedUp,
    /// The limit is an amount, and none of that currency was seen.
    NoAmount,
    OverAmount,
}

/// A scope that gives nothing, or that cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    #[error("`scope` is for the rest of a task, and no task asked this")]
    NoTask,
    #[error("`scope.{0}` is 0; leave `scope` out to approve once")]
    Nothing(&'static str),
}

/// Makes the permission that an approval gives. This once is approved by itself and counts only towards the amount.
///
/// # Errors
///
/// A scope that gives nothing, or a question that no task asked.
pub fn grant(approval: &Approval, id: GrantId, scope: &GrantScope, now: EpochMs) -> Result<Grant, ScopeError> {
    let task_id = approval.task_id.clone().ok_or(ScopeError::NoTask)?;
    if scope.uses == Some(0) {
        return Err(ScopeError::Nothing("uses"));
    }
    if scope.expires_in_ms == Some(0) {
        return Err(ScopeError::Nothing("expiresInMs"));
    }
    if scope.amount.as_ref().is_some_and(|amount| amount.hundredths <= 0) {
        return Err(ScopeError::Nothing("amount"));
    }
    let spent = match (&scope.amount, &approval.proposal.amount) {
        (Some(limit), Some(seen)) if limit.currency == seen.currency => seen.hundredths.max(0),
        (_, _) => 0,
    };
    let expires_at = scope.expires_in_ms.map(|ms| now.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)));
    Ok(Grant {
        grant_id: id,
        approval_id: approval.approval_id.clone(),
        sandbox_id: approval.sandbox_id.clone(),
        task_id,
        site: place(&approval.proposal),
        kind: approval.proposal.kind,
        max_uses: scope.uses,
        uses: 0,
        max_amount: scope.amount.clone(),
        spent,
        created_at: now,
        expires_at,
        used_at: None,
        revoked_at: None,
    })
}

/// Whether the permission covers what a task would do now.
///
/// # Errors
///
/// The first reason why not.
pub fn covers(grant: &Grant, task: &TaskId, proposal: &Proposal, now: EpochMs) -> Result<(), NotCovered> {
    if grant.task_id != *task {
        return Err(NotCovered::OtherTask);
    }
    if grant.revoked_at.is_some() {
        return Err(NotCovered::Revoked);
    }
    if grant.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(NotCovered::Expired);
    }
    if grant.kind != proposal.kind {
        return Err(NotCovered::OtherKind);
    }
    if grant.site != place(proposal) {
        return Err(NotCovered::OtherSite);
    }
    if grant.max_uses.is_some_and(|most| grant.uses >= most) {
        return Err(NotCovered::UsedUp);
    }
    let Some(limit) = &grant.max_amount else { return Ok(()) };
    match &proposal.amount {
        Some(seen) if seen.currency == limit.currency && seen.hundredths >= 0 => {
            let after = grant.spent.saturating_add(seen.hundredths);
            if after <= limit.hundredths { Ok(()) } else { Err(NotCovered::OverAmount) }
        }
        Some(_) | None => Err(NotCovered::NoAmount),
    }
}

/// Notes one use of a permission that covers it.
pub fn spend(grant: &mut Grant, proposal: &Proposal, now: EpochMs) {
    grant.uses = grant.uses.saturating_add(1);
    grant.used_at = Some(now);
    if grant.max_amount.is_some() {
        let seen = proposal.amount.as_ref().map_or(0, |amount| amount.hundredths);
        grant.spent = grant.spent.saturating_add(seen.max(0));
    }
}

/// Ends a permission; one that was revoked already stays as it is.
pub fn revoke(grant: &mut Grant, now: EpochMs) {
    grant.revoked_at.get_or_insert(now);
}

/// The site that a permission is for: where it goes, or the page's own where that is not known.
fn place(proposal: &Proposal) -> String {
    site(&proposal.destination).unwrap_or_else(|| proposal.site.clone())
}
