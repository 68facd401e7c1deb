//! The one gate. Nothing reaches the browser without the live lease; it is checked here, at dispatch, and nowhere else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sandbox_core::Lease;
use tokio::sync::watch;

/// Who may act now. Only the driver changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// Nothing is dispatched for anyone.
    Nobody,
    /// The agent's side: our agent, programs, outside clients.
    Agent(Lease),
    /// A person; nothing of the page is observed meanwhile.
    Person(Lease),
    /// A person was asked: looking is allowed, acting is not.
    Waiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a person holds control of the browser; wait for the hand-back, then look again")]
    HeldByPerson,
    #[error("a person was asked and has not come yet; wait until they are done, then look again")]
    WaitingForPerson,
    #[error("the agent holds control of the browser")]
    HeldByAgent,
    #[error("this lease is over; look again before acting")]
    StaleLease,
}

/// Shared by everyone who dispatches; cheap to clone.
#[derive(Clone)]
pub struct Gate {
    live: Arc<Mutex<Live>>,
    /// Whether a person holds control; changed with `live`.
    held: watch::Sender<bool>,
}

/// The right to act, as long as its lease lives.
#[derive(Clone)]
pub struct Permit {
    gate: Gate,
    lease: Lease,
    side: Side,
}

/// Whose lease a permit is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Agent,
    /// What Baton does on a person's word, in their name.
    Person,
}

impl Default for Gate {
    fn default() -> Self {
        Self { live: Arc::new(Mutex::new(Live::Nobody)), held: watch::Sender::new(false) }
    }
}

impl Gate {
    /// Says who may act from now on. When this returns, nothing more begins under an older lease.
    pub fn set(&self, live: Live) {
        let mut now = self.lock();
        *now = live;
        let held = matches!(live, Live::Person(_));
        self.held.send_if_modified(|before| std::mem::replace(before, held) != held);
    }

    /// Tells whoever watches when a person takes control, and when they hand it back.
    pub fn held(&self) -> watch::Receiver<bool> {
        self.held.subscribe()
    }

    pub fn live(&self) -> Live {
        *self.lock()
    }

    /// Returns the right to act for the agent's side.
    pub fn permit(&self, lease: Lease) -> Permit {
        Permit { gate: self.clone(), lease, side: Side::Agent }
    }

    /// Returns the right to do what a person asked for, under their own lease.
    pub fn permit_of_person(&self, lease: Lease) -> Permit {
        Permit { gate: self.clone(), lease, side: Side::Person }
    }

    /// Runs `send`, which only hands a command to the wire, if `lease` is the person's live lease.
    pub fn dispatch_person<R>(&self, lease: Lease, send: impl FnOnce() -> R) -> Result<R, Refused> {
        let live = self.lock();
        match *live {
            Live::Person(held) if held == lease => Ok(send()),
            Live::Person(_) => Err(Refused::StaleLease),
            Live::Agent(_) | Live::Nobody => Err(Refused::HeldByAgent),
            Live::Waiting => Err(Refused::WaitingForPerson),
        }
    }

    /// Runs `send` if looking is allowed: always, unless a person holds control.
    pub fn dispatch_look<R>(&self, send: impl FnOnce() -> R) -> Result<R, Refused> {
        let live = self.lock();
        match *live {
            Live::Person(_) => Err(Refused::HeldByPerson),
            Live::Nobody | Live::Agent(_) | Live::Waiting => Ok(send()),
        }
    }

    /// Runs `send`, which finishes what an action began, if neither a person nor a question to one stands between.
    pub fn dispatch_promised<R>(&self, send: impl FnOnce() -> R) -> Result<R, Refused> {
        let live = self.lock();
        match *live {
            Live::Nobody | Live::Agent(_) => Ok(send()),
            Live::Person(_) => Err(Refused::HeldByPerson),
            Live::Waiting => Err(Refused::WaitingForPerson),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        // The value is a plain copy: no panic can leave it half changed.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Runs `send`, which only hands a command to the wire, if this permit's lease still lives.
    pub fn dispatch<R>(&self, send: impl FnOnce() -> R) -> Result<R, Refused> {
        let live = self.gate.lock();
        match (*live, self.side) {
            (Live::Agent(held), Side::Agent) | (Live::Person(held), Side::Person) if held == self.lease => Ok(send()),
            (Live::Agent(_) | Live::Nobody, _) | (Live::Person(_), Side::Person) => Err(Refused::StaleLease),
            (Live::Person(_), Side::Agent) => Err(Refused::HeldByPerson),
            (Live::Waiting, _) => Err(Refused::WaitingForPerson),
        }
    }

    pub fn lease(&self) -> Lease {
        self.lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_acts_under_its_own_live_lease_alone() {
        let gate = Gate::default();
        let (agent, person) = (gate.permit(Lease(1)), gate.permit_of_person(Lease(1)));
        let check = |live: Live, for_agent: Result<(), Refused>, for_person: Result<(), Refused>| {
            gate.set(live);
            assert_eq!((agent.dispatch(|| ()), person.dispatch(|| ())), (for_agent, for_person), "{live:?}");
        };
        check(Live::Agent(Lease(1)), Ok(()), Err(Refused::StaleLease));
        check(Live::Person(Lease(1)), Err(Refused::HeldByPerson), Ok(()));
        check(Live::Agent(Lease(2)), Err(Refused::StaleLease), Err(Refused::StaleLease));
        check(Live::Person(Lease(2)), Err(Refused::HeldByPerson), Err(Refused::StaleLease));
        check(Live::Waiting, Err(Refused::WaitingForPerson), Err(Refused::WaitingForPerson));
        check(Live::Nobody, Err(Refused::StaleLease), Err(Refused::StaleLease));
    }
}
