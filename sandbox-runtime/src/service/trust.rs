//! Questions, permissions and rules, for people and programs.

use std::sync::Arc;

use sandbox_core::approval::{ledger, rules};
use sandbox_core::model::{Actor, Approval, ApprovalDecision, ApprovalStatus, Grant, Rule, Verdict};
use sandbox_core::{ApprovalId, GrantId};

use super::{Answer, Service, ServiceError};
use crate::driver::Decided;
use crate::now_ms;
use crate::store::Change;

const LONGEST_NOTE: usize = 2_000;

impl Service {
    /// Answers a question.
    ///
    /// # Errors
    ///
    /// `conflict` when it is answered, void, or about something else than was shown; `details.status` says which.
    pub async fn decide(&self, id: &ApprovalId, decision: ApprovalDecision, by: Actor) -> Answer<Approval> {
        if decision.note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
            return Err(ServiceError::invalid(format!("`note` has more than {LONGEST_NOTE} characters")));
        }
        if decision.decision == Verdict::Deny && decision.scope.is_some() {
            return Err(ServiceError::invalid("`scope`: a denial has none; leave it out"));
        }
        let Some(stored) = self.store().approval(id).await? else {
            return Err(ServiceError::not_found("approval", id));
        };
        if !stored.status.is_pending() {
            return Err(already(&stored));
        }
        let driver = self.driver(&stored.sandbox_id).await?;
        match driver.decide(id, decision, by).await? {
            Decided::Done(approval) => Ok(approval),
            Decided::Void(approval) => {
                let why = approval.reason.clone().unwrap_or_default();
                Err(ServiceError::conflict(format!("nothing was done: {why}"), approval.status)
                    .with_hint("what is asked now, if anything, is in GET /v1/approvals"))
            }
            Decided::OtherHash(approval) => {
                let message = "`hash` is not of what is asked; look at the approval again before answering";
                Err(ServiceError::conflict(message, approval.status))
            }
            Decided::NotOpen => {
                let now = self.store().approval(id).await?.unwrap_or(stored);
                Err(already(&now))
            }
        }
    }

    /// Ends a permission; one that was ended already answers as it is.
    pub async fn revoke(&self, id: &GrantId) -> Answer<Grant> {
        let Some(mut grant) = self.store().grant(id).await? else {
            return Err(ServiceError::not_found("grant", id));
        };
        if let Some(driver) = self.running(&grant.sandbox_id)
            && let Some(revoked) = driver.revoke(id).await?
        {
            return Ok(revoked);
        }
        if grant.revoked_at.is_none() {
            // Of a task that is over: nothing uses it any more.
            ledger::revoke(&mut grant, now_ms());
            self.store().commit(Change { grants: vec![grant.clone()], ..Change::default() }).await?;
        }
        Ok(grant)
    }

    /// Puts these rules in place of all others; they are in force in every sandbox when this returns.
    ///
    /// # Errors
    ///
    /// `invalid` for a site that cannot be read; the rules before stay.
    pub async fn replace_rules(&self, new: Vec<Rule>) -> Answer<Vec<Rule>> {
        rules::check(&new).map_err(|error| ServiceError::invalid(format!("`rules`: {error}")))?;
        self.store().commit(Change { rules: Some(new.clone()), ..Change::default() }).await?;
        let shared = Arc::new(new.clone());
        let drivers: Vec<_> = self.drivers().values().filter(|driver| !driver.is_over()).cloned().collect();
        for driver in drivers {
            // A sandbox that ended meanwhile follows no rules.
            let _ = driver.take_rules(shared.clone()).await;
        }
        Ok(new)
    }
}

fn already(approval: &Approval) -> ServiceError {
    let word = match approval.status {
        ApprovalStatus::Pending => "not open any more",
        ApprovalStatus::Approved => "approved already",
        ApprovalStatus::Denied => "denied already",
        ApprovalStatus::Void => "void: what was shown is not there any more",
        ApprovalStatus::Superseded => "superseded: something else is asked instead",
    };
    ServiceError::conflict(format!("this approval is {word}"), approval.status)
}
