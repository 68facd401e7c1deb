//! Why a request was not granted.

use sandbox_core::control::Denial;
use tokio::sync::oneshot;

use crate::browser::Refused;

/// Where the answer to a request is sent.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// A request was refused; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub code: RefusalCode,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusalCode {
    HeldByPerson,
    HeldByOther,
    HeldByAgent,
    WaitingForPerson,
    StaleLease,
    /// The thing is in a state in which this cannot be done.
    WrongState,
    /// What was asked for cannot be, in any state.
    Invalid,
    /// History could not be written.
    NotRecorded,
}

impl Refusal {
    pub fn wrong_state(message: impl Into<String>) -> Self {
        Self { code: RefusalCode::WrongState, message: message.into() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self { code: RefusalCode::Invalid, message: message.into() }
    }

    pub(super) fn over() -> Self {
        Self::wrong_state("the sandbox has ended")
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        let (code, message) = match denial {
            Denial::HeldByPerson => (
                RefusalCode::HeldByPerson,
                "a person holds control of the browser; wait for the hand-back, then look again",
            ),
            Denial::WaitingForPerson => (
                RefusalCode::WaitingForPerson,
                "a person was asked and has not come yet; wait until they are done, then look again",
            ),
            Denial::HeldByOther => (RefusalCode::HeldByOther, "someone else holds control"),
            Denial::HandoffInProgress => (RefusalCode::HeldByOther, "someone else is just taking control"),
            Denial::HeldByAgent => (RefusalCode::HeldByAgent, "the agent is driving; take control first"),
            Denial::NobodyHolds => (RefusalCode::HeldByAgent, "nobody holds control; take control first"),
            Denial::StaleLease => (RefusalCode::StaleLease, "this lease is over; take control again"),
            Denial::ActionInFlight => {
                (RefusalCode::WrongState, "an action is still in flight; try again when it is over")
            }
        };
        Self { code, message: message.to_owned() }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::HeldByPerson => RefusalCode::HeldByPerson,
            Refused::WaitingForPerson => RefusalCode::WaitingForPerson,
            Refused::HeldByAgent => RefusalCode::HeldByAgent,
            Refused::StaleLease => RefusalCode::StaleLease,
        };
        Self { code, message: refused.to_string() }
    }
}
