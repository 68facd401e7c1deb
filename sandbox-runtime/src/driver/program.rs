//! A program outside that acts in the browser by tools: an MCP client, the preview routes of HTTP.
//!
//! It asks as a task does, by the same rules. Its call does not wait for ever: an answer that comes later is kept, and the
//! same act finds it when the program comes again.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::Driver;
use super::cause::Cause;
use super::refusal::Refusal;
use super::turns::TurnOf;
use crate::agent::{ApprovalRequest, Asks, Decision, Doing, HeldAnswer, WorkError};

/// How one call of a program asks.
pub struct Program {
    driver: Driver,
    /// When it stops waiting for a person's answer.
    deadline: Instant,
}

impl Driver {
    /// Returns the way to ask for one call, which waits for a person's answer no longer than `patience` in all.
    pub fn program(&self, patience: Duration) -> Program {
        Program { driver: self.clone(), deadline: Instant::now() + patience }
    }

    /// Notes that a model decides what programs do in this sandbox: an MCP client uses it. From then on, what cannot be undone
    /// is asked about here, whoever does it.
    pub async fn serve_a_model(&self) -> Result<(), Refusal> {
        self.ask_actor(|answer| Cause::ServesModel { answer }).await
    }

    /// Resolves when a request that this side caused is held at the network.
    pub(super) async fn is_holding(&self, by: TurnOf) {
        let mut shared = self.shared.clone();
        let holds = |now: &std::sync::Arc<super::Shared>| match by {
            TurnOf::Task => now.task_holds,
            TurnOf::Program => now.programs_hold,
        };
        if shared.wait_for(holds).await.is_err() {
            // The sandbox is over: nothing is held any more, and whoever acts is stopped.
            std::future::pending().await
        }
    }
}

impl Asks for Program {
    fn approve(&self, asked: ApprovalRequest) -> BoxFuture<'_, Result<Decision, WorkError>> {
        let asked = Box::new(asked);
        async {
            let answered = self.driver.ask_actor(|answer| Cause::Approve { asked, by: TurnOf::Program, answer });
            match tokio::time::timeout_at(self.deadline, answered).await {
                Ok(decision) => Ok(decision?),
                Err(_) => Ok(Decision::Unanswered),
            }
        }
        .boxed()
    }

    fn doing(&self, doing: Doing) -> BoxFuture<'_, Result<(), WorkError>> {
        let doing = Box::new(doing);
        async { Ok(self.driver.ask_actor(|answer| Cause::Doing { doing, answer }).await?) }.boxed()
    }

    fn may_ask(&self) -> bool {
        self.driver.shared.borrow().may_ask
    }

    fn is_held(&self) -> BoxFuture<'_, ()> {
        self.driver.is_holding(TurnOf::Program).boxed()
    }

    fn held_requests(&self) -> BoxFuture<'_, Result<HeldAnswer, WorkError>> {
        async {
            let answered = self.driver.ask_actor(|answer| Cause::AwaitHeld { by: TurnOf::Program, answer });
            match tokio::time::timeout_at(self.deadline, answered).await {
                Ok(answer) => Ok(answer?),
                Err(_) => Ok(HeldAnswer::Unanswered),
            }
        }
        .boxed()
    }

    fn stopped(&self) -> BoxFuture<'_, ()> {
        // A call that is given up is dropped.
        std::future::pending().boxed()
    }
}
