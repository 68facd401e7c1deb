//! Questions that a person made needless: they did the thing themselves, or the page is not what was shown any more when they
//! hand back.

use std::sync::Arc;

use sandbox_core::ApprovalId;
use sandbox_core::approval::agreed::is_what_was_asked;
use sandbox_core::model::{Actor as By, Proposal};

use super::actor::Actor;
use super::cause::Cause;
use crate::browser::{PausedRequest, PersonJudge};

/// What is said of a question whose thing a person did.
const DONE: &str = "a person did it while they drove";

impl Actor {
    /// Tells the browser which requests of a person answer a question by being sent.
    pub(super) fn watch_person(&self) {
        let Some(desktop) = self.rooms.as_ref().and_then(|rooms| rooms.desktop.as_ref()) else { return };
        let asked: Vec<(ApprovalId, Proposal)> = self
            .trust
            .asked
            .iter()
            .map(|asked| (asked.approval.approval_id.clone(), asked.approval.proposal.clone()))
            .collect();
        let judge = move |sent: &PausedRequest| {
            let same = asked.iter().find(|(_, proposal)| is_what_was_asked(proposal, &sent.outgoing));
            same.map(|(id, _)| id.clone())
        };
        desktop.browser.watch_person(Arc::new(judge) as PersonJudge);
    }

    /// A person sent what a question is about.
    pub(super) async fn person_did(&mut self, id: &ApprovalId) {
        self.withdraw(id, DONE.to_owned(), By::Person).await;
    }

    /// Ends a question that nobody needs to answer any more; one that was answered meanwhile stays so.
    pub(super) async fn withdraw(&mut self, id: &ApprovalId, why: String, by: By) {
        if !self.trust.asked.iter().any(|asked| asked.approval.approval_id == *id) {
            return;
        }
        if let Err(refusal) = self.void_one(id, why, by).await {
            tracing::error!(sandbox = %self.sandbox.id, %refusal, "a question could not be withdrawn");
        }
    }

    /// Looks again at what each open question is about, beside whatever else goes on: after a person drove.
    pub(super) fn look_at_questions_again(&self) {
        let held: Vec<(ApprovalId, Vec<PausedRequest>)> =
            self.trust.asked.iter().map(|asked| (asked.approval.approval_id.clone(), asked.held.clone())).collect();
        if held.is_empty() {
            return;
        }
        let (driver, inbox) = (self.driver.clone(), self.driver.inbox.clone());
        tokio::spawn(async move {
            for (id, requests) in held {
                let why =
                    if requests.is_empty() { driver.why_gone(&id).await } else { driver.why_left(&requests).await };
                let Some(why) = why else { continue };
                if inbox.send(Cause::Withdraw { id, why }).await.is_err() {
                    return;
                }
            }
        });
    }
}
