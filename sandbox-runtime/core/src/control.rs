//! Who may act on the browser.
//!
//! ```text
//!            task started                    take control
//!   Idle ────────────────▶ Agent ─────────────────────────────▶ Person
//!    ▲                       │  │ ask                            │  │ lapse
//!    │ task ended            │  └────────▶ Waiting ◀─────────────┼──┘
//!    └───────────────────────┘               │ take control       │ hand back
//!                                            └──────▶ Person      └──────▶ Agent, or Idle without a task
//!   Any change while an action is in flight passes through Settling: nobody may start anything,
//!   until the action settles or its deadline fences it.
//! ```
//!
//! Owns the rule, and nothing else: the clock comes in as `now`, effects go out as values for the driver to carry out in order.

use crate::model::EpochMs;
use crate::{HandoffId, Lease, ViewerId};

/// How long an action in flight may take to settle before its lease is fenced.
pub const SETTLE_MS: i64 = 2_000;
/// How long a person's lease outlives the last heartbeat of the viewer.
pub const VIEWER_GONE_MS: i64 = 30_000;
/// How long a person's lease outlives the last input.
pub const IDLE_MS: i64 = 600_000;

/// A person at the wheel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Controller {
    /// Drives through a connected live view, whose heartbeat keeps the lease.
    Viewer(ViewerId),
    /// Accepted through the API: has no heartbeat, lasts until completed, cancelled or expired.
    Api(String),
}

/// What follows when the action in flight has settled or was fenced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Idle,
    Agent,
    Person { controller: Controller, handoff: HandoffId },
    Waiting { handoff: HandoffId },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody drives; `in_flight` is the lease of a program's command that runs.
    Idle { in_flight: Option<Lease> },
    /// The agent's side drives: the task's agent, and programs between its actions.
    Agent { lease: Lease, in_flight: bool },
    /// An action is still in flight under `old`: nobody may start anything.
    Settling { old: Lease, next: Next, deadline_at: EpochMs },
    /// A person drives. `seen_at` is the last heartbeat, `input_at` the last input.
    Person { controller: Controller, lease: Lease, handoff: HandoffId, seen_at: EpochMs, input_at: EpochMs },
    /// A person was asked and has not come yet.
    Waiting { handoff: HandoffId },
}

/// Everything that can be asked of control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    TaskStarted,
    TaskEnded,
    /// The agent's side wants to start an action on the browser.
    Begin,
    /// The action under this lease is over.
    Settled {
        lease: Lease,
    },
    /// A person wants the wheel. `handoff` names the record to make if nobody had asked for one.
    Take {
        controller: Controller,
        handoff: HandoffId,
    },
    Input {
        viewer: ViewerId,
        lease: Lease,
    },
    Heartbeat {
        viewer: ViewerId,
    },
    HandBack {
        by: Releaser,
    },
    ViewerLeft {
        viewer: ViewerId,
    },
    /// Someone asks for a person. `handoff` names the record to make.
    Ask {
        by: Asker,
        handoff: HandoffId,
    },
    /// The handoff that is waited for was cancelled, expired or completed without anyone taking control.
    AskEnded {
        handoff: HandoffId,
    },
    /// Time passed.
    Tick,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The running task, under its lease.
    Agent(Lease),
    /// A program through the API.
    Program,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Releaser {
    Viewer(ViewerId),
    /// A program, for whoever holds control.
    Program,
}

/// What the driver has to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is dispatched under this lease any more.
    Fence(Lease),
    /// The action in flight is asked to stop.
    CancelAction(Lease),
    /// Keys and buttons that the person held under this lease are lifted, before anyone else may act.
    ReleaseKeys(Lease),
    /// What changed while the person drove is written down.
    WriteReceipt(HandoffId),
    AcceptHandoff(HandoffId, Controller),
    /// An accepted handoff goes back to pending: the person is gone.
    ReopenHandoff(HandoffId),
    /// The agent's side may act. Its first action is a fresh look.
    GrantAgent(Lease),
    GrantPerson(Controller, Lease),
}

/// Answers a request: accepted, already so, or denied with a named reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Accepted(Vec<Effect>),
    Already,
    Denied(Denial),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    HeldByPerson,
    HeldByOther,
    HeldByAgent,
    NobodyHolds,
    WaitingForPerson,
    StaleLease,
    /// An action is still in flight; ask again when it has settled.
    ActionInFlight,
    /// Another person is just taking over.
    HandoffInProgress,
}

/// The one machine of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    state: State,
    last_lease: u64,
    has_task: bool,
}

impl Default for Control {
    fn default() -> Self {
        Self { state: State::Idle { in_flight: None }, last_lease: 0, has_task: false }
    }
}

impl Control {
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether a task is under way, whoever drives.
    pub fn has_task(&self) -> bool {
        self.has_task
    }

    /// Returns the only lease under which anything may be dispatched now.
    pub fn live_lease(&self) -> Option<Lease> {
        match &self.state {
            State::Idle { in_flight } => *in_flight,
            State::Agent { lease, .. } | State::Person { lease, .. } => Some(*lease),
            // The old action may finish what it began until the deadline fences it.
            State::Settling { old, .. } => Some(*old),
            State::Waiting { .. } => None,
        }
    }

    /// Returns the handoff that control stands in: asked for, taking over, or held.
    pub fn handoff(&self) -> Option<&HandoffId> {
        match &self.state {
            State::Person { handoff, .. } | State::Waiting { handoff } => Some(handoff),
            State::Settling { next: Next::Person { handoff, .. } | Next::Waiting { handoff }, .. } => Some(handoff),
            State::Settling { next: Next::Idle | Next::Agent, .. } | State::Idle { .. } | State::Agent { .. } => None,
        }
    }

    /// Returns when [`Request::Tick`] is due at the latest, if time matters in this state.
    pub fn next_tick_at(&self) -> Option<EpochMs> {
        match &self.state {
            State::Settling { deadline_at, .. } => Some(*deadline_at),
            State::Person { controller: Controller::Viewer(_), seen_at, input_at, .. } => {
                Some((seen_at + VIEWER_GONE_MS).min(input_at + IDLE_MS))
            }
            State::Person { controller: Controller::Api(_), .. }
            | State::Idle { .. }
            | State::Agent { .. }
            | State::Waiting { .. } => None,
        }
    }

    /// Answers one request and moves to the state that follows from it.
    pub fn handle(&mut self, request: Request, now: EpochMs) -> Answer {
        match request {
            Request::TaskStarted => self.task_started(),
            Request::TaskEnded => self.task_ended(now),
            Request::Begin => self.begin(),
            Request::Settled { lease } => self.settled(lease, now),
            Request::Take { controller, handoff } => self.take(controller, handoff, now),
            Request::Input { viewer, lease } => self.input(&viewer, lease, now),
            Request::Heartbeat { viewer } => self.heartbeat(&viewer, now),
            Request::HandBack { by } => self.hand_back(&by, now),
            Request::ViewerLeft { viewer } => self.viewer_left(&viewer),
            Request::Ask { by, handoff } => self.ask(&by, handoff, now),
            Request::AskEnded { handoff } => self.ask_ended(&handoff, now),
            Request::Tick => self.tick(now),
        }
    }

    fn task_started(&mut self) -> Answer {
        if self.has_task {
            return Answer::Already;
        }
        self.has_task = true;
        match &mut self.state {
            State::Idle { in_flight: None } => self.enter(Next::Agent, 0),
            // The program's command keeps its lease; the task acts when it has settled.
            State::Idle { in_flight: Some(lease) } => {
                let lease = *lease;
                self.state = State::Agent { lease, in_flight: true };
                Answer::Accepted(vec![Effect::GrantAgent(lease)])
            }
            State::Settling { next: next @ Next::Idle, .. } => {
                *next = Next::Agent;
                Answer::Accepted(vec![])
            }
            State::Agent { .. } | State::Settling { .. } | State::Person { .. } | State::Waiting { .. } => {
                Answer::Accepted(vec![])
            }
        }
    }

    fn task_ended(&mut self, now: EpochMs) -> Answer {
        if !self.has_task {
            return Answer::Already;
        }
        self.has_task = false;
        match &mut self.state {
            State::Agent { in_flight: true, .. } => self.settle_towards(Next::Idle, now),
            State::Agent { lease, in_flight: false } => {
                let lease = *lease;
                self.state = State::Idle { in_flight: None };
                Answer::Accepted(vec![Effect::Fence(lease)])
            }
            State::Settling { next, .. } => {
                match next {
                    Next::Person { .. } => {}
                    Next::Idle | Next::Agent | Next::Waiting { .. } => *next = Next::Idle,
                }
                Answer::Accepted(vec![])
            }
            State::Waiting { .. } => {
                self.state = State::Idle { in_flight: None };
                Answer::Accepted(vec![])
            }
            State::Person { .. } | State::Idle { .. } => Answer::Accepted(vec![]),
        }
    }

    fn begin(&mut self) -> Answer {
        match &mut self.state {
            State::Idle { in_flight: None } => {
                let lease = self.new_lease();
                self.state = State::Idle { in_flight: Some(lease) };
                Answer::Accepted(vec![Effect::GrantAgent(lease)])
            }
            State::Agent { in_flight: in_flight @ false, .. } => {
                *in_flight = true;
                Answer::Accepted(vec![])
            }
            State::Idle { in_flight: Some(_) } | State::Agent { in_flight: true, .. } | State::Settling { .. } => {
                Answer::Denied(Denial::ActionInFlight)
            }
            State::Person { .. } => Answer::Denied(Denial::HeldByPerson),
            State::Waiting { .. } => Answer::Denied(Denial::WaitingForPerson),
        }
    }

    fn settled(&mut self, settled: Lease, now: EpochMs) -> Answer {
        match &mut self.state {
            State::Idle { in_flight } if *in_flight == Some(settled) => {
                *in_flight = None;
                Answer::Accepted(vec![Effect::Fence(settled)])
            }
            State::Agent { lease, in_flight } if *lease == settled && *in_flight => {
                *in_flight = false;
                Answer::Accepted(vec![])
            }
            State::Settling { old, next, .. } if *old == settled => {
                let next = next.clone();
                self.leave_settling(settled, next, now)
            }
            State::Idle { .. }
            | State::Agent { .. }
            | State::Settling { .. }
            | State::Person { .. }
            | State::Waiting { .. } => Answer::Already,
        }
    }

    fn take(&mut self, controller: Controller, handoff: HandoffId, now: EpochMs) -> Answer {
        match &mut self.state {
            State::Idle { in_flight: None } => self.enter(Next::Person { controller, handoff }, now),
            State::Agent { lease, in_flight: false } => {
                let fence = Effect::Fence(*lease);
                prepend(fence, self.enter(Next::Person { controller, handoff }, now))
            }
            State::Idle { in_flight: Some(_) } | State::Agent { in_flight: true, .. } => {
                self.settle_towards(Next::Person { controller, handoff }, now)
            }
            State::Settling { next, .. } => match next {
                Next::Person { controller: taking, .. } if *taking == controller => Answer::Already,
                Next::Person { .. } => Answer::Denied(Denial::HandoffInProgress),
                Next::Waiting { handoff: asked } => {
                    *next = Next::Person { controller, handoff: asked.clone() };
                    Answer::Accepted(vec![])
                }
                Next::Idle | Next::Agent => {
                    *next = Next::Person { controller, handoff };
                    Answer::Accepted(vec![])
                }
            },
            State::Person { controller: holder, seen_at, input_at, .. } => {
                if *holder != controller {
                    return Answer::Denied(Denial::HeldByOther);
                }
                *seen_at = now;
                *input_at = now;
                Answer::Already
            }
            State::Waiting { handoff: asked } => {
                let handoff = asked.clone();
                self.enter(Next::Person { controller, handoff }, now)
            }
        }
    }

    fn input(&mut self, from: &ViewerId, with: Lease, now: EpochMs) -> Answer {
        match &mut self.state {
            State::Person { controller: Controller::Viewer(viewer), lease, input_at, seen_at, .. }
                if viewer == from =>
            {
                if *lease != with {
                    return Answer::Denied(Denial::StaleLease);
                }
                *input_at = now;
                *seen_at = now;
                Answer::Accepted(vec![])
            }
            State::Person { .. } => Answer::Denied(Denial::HeldByOther),
            State::Agent { .. } | State::Settling { .. } => Answer::Denied(Denial::HeldByAgent),
            State::Waiting { .. } => Answer::Denied(Denial::WaitingForPerson),
            State::Idle { .. } => Answer::Denied(Denial::NobodyHolds),
        }
    }

    fn heartbeat(&mut self, from: &ViewerId, now: EpochMs) -> Answer {
        match &mut self.state {
            State::Person { controller: Controller::Viewer(viewer), seen_at, .. } if viewer == from => {
                *seen_at = now;
                Answer::Accepted(vec![])
            }
            State::Person { .. }
            | State::Idle { .. }
            | State::Agent { .. }
            | State::Settling { .. }
            | State::Waiting { .. } => Answer::Already,
        }
    }

    fn hand_back(&mut self, by: &Releaser, now: EpochMs) -> Answer {
        let is_holder = |controller: &Controller| match by {
            Releaser::Viewer(viewer) => *controller == Controller::Viewer(viewer.clone()),
            Releaser::Program => true,
        };
        let resumed = if self.has_task { Next::Agent } else { Next::Idle };
        match &mut self.state {
            State::Person { controller, lease, handoff, .. } if is_holder(controller) => {
                let effects =
                    vec![Effect::Fence(*lease), Effect::ReleaseKeys(*lease), Effect::WriteReceipt(handoff.clone())];
                prepend_all(effects, self.enter(resumed, now))
            }
            State::Person { .. } => Answer::Denied(Denial::HeldByOther),
            // A take-over is called off while the agent's action still runs: the agent goes on only after that action.
            State::Settling { next, .. } => match next {
                Next::Person { controller, .. } if is_holder(controller) => {
                    *next = resumed;
                    Answer::Accepted(vec![])
                }
                Next::Person { .. } => Answer::Denied(Denial::HeldByOther),
                Next::Idle | Next::Agent | Next::Waiting { .. } => Answer::Already,
            },
            State::Idle { .. } | State::Agent { .. } | State::Waiting { .. } => Answer::Already,
        }
    }

    fn viewer_left(&mut self, left: &ViewerId) -> Answer {
        let is_them = |controller: &Controller| *controller == Controller::Viewer(left.clone());
        match &mut self.state {
            State::Person { controller, .. } if is_them(controller) => self.lapse(),
            State::Settling { next, .. } => match next {
                Next::Person { controller, handoff } if is_them(controller) => {
                    *next = Next::Waiting { handoff: handoff.clone() };
                    Answer::Accepted(vec![])
                }
                Next::Person { .. } | Next::Idle | Next::Agent | Next::Waiting { .. } => Answer::Already,
            },
            State::Person { .. } | State::Idle { .. } | State::Agent { .. } | State::Waiting { .. } => Answer::Already,
        }
    }

    fn ask(&mut self, by: &Asker, handoff: HandoffId, now: EpochMs) -> Answer {
        match (&self.state, by) {
            (State::Agent { lease, .. }, Asker::Agent(asked_under)) if lease != asked_under => {
                Answer::Denied(Denial::StaleLease)
            }
            (State::Agent { in_flight: true, .. } | State::Idle { in_flight: Some(_) }, Asker::Program) => {
                self.settle_towards(Next::Waiting { handoff }, now)
            }
            (State::Agent { in_flight: true, .. }, Asker::Agent(_)) => Answer::Denied(Denial::ActionInFlight),
            (State::Agent { lease, in_flight: false }, _) => {
                let fence = Effect::Fence(*lease);
                prepend(fence, self.enter(Next::Waiting { handoff }, now))
            }
            (State::Idle { in_flight: None }, Asker::Program) => self.enter(Next::Waiting { handoff }, now),
            (State::Idle { .. }, Asker::Agent(_)) => Answer::Denied(Denial::StaleLease),
            (State::Settling { .. }, _) => Answer::Denied(Denial::ActionInFlight),
            (State::Person { .. }, _) => Answer::Denied(Denial::HeldByPerson),
            (State::Waiting { .. }, _) => Answer::Already,
        }
    }

    fn ask_ended(&mut self, ended: &HandoffId, now: EpochMs) -> Answer {
        let resumed = if self.has_task { Next::Agent } else { Next::Idle };
        match &mut self.state {
            State::Waiting { handoff } if handoff == ended => self.enter(resumed, now),
            State::Settling { next, .. } => match next {
                Next::Waiting { handoff } if handoff == ended => {
                    *next = resumed;
                    Answer::Accepted(vec![])
                }
                Next::Waiting { .. } | Next::Person { .. } | Next::Idle | Next::Agent => Answer::Already,
            },
            State::Waiting { .. } | State::Idle { .. } | State::Agent { .. } | State::Person { .. } => Answer::Already,
        }
    }

    fn tick(&mut self, now: EpochMs) -> Answer {
        if self.next_tick_at().is_none_or(|due_at| now < due_at) {
            return Answer::Already;
        }
        match &self.state {
            State::Settling { old, next, .. } => {
                let (old, next) = (*old, next.clone());
                self.leave_settling(old, next, now)
            }
            State::Person { .. } => self.lapse(),
            State::Idle { .. } | State::Agent { .. } | State::Waiting { .. } => Answer::Already,
        }
    }

    /// A person is gone in the middle of something: their half a login must not meet a typing agent.
    fn lapse(&mut self) -> Answer {
        let State::Person { lease, handoff, .. } = &self.state else {
            return Answer::Already;
        };
        let (lease, handoff) = (*lease, handoff.clone());
        self.state = State::Waiting { handoff: handoff.clone() };
        Answer::Accepted(vec![Effect::Fence(lease), Effect::ReleaseKeys(lease), Effect::ReopenHandoff(handoff)])
    }

    fn settle_towards(&mut self, next: Next, now: EpochMs) -> Answer {
        let Some(old) = self.live_lease() else {
            return self.enter(next, now);
        };
        self.state = State::Settling { old, next, deadline_at: now + SETTLE_MS };
        Answer::Accepted(vec![Effect::CancelAction(old)])
    }

    fn leave_settling(&mut self, old: Lease, next: Next, now: EpochMs) -> Answer {
        prepend(Effect::Fence(old), self.enter(next, now))
    }

    /// Enters what follows; nothing is in flight any more.
    fn enter(&mut self, next: Next, now: EpochMs) -> Answer {
        let effects = match next {
            Next::Idle => {
                self.state = State::Idle { in_flight: None };
                vec![]
            }
            Next::Agent => {
                let lease = self.new_lease();
                self.state = State::Agent { lease, in_flight: false };
                vec![Effect::GrantAgent(lease)]
            }
            Next::Person { controller, handoff } => {
                let lease = self.new_lease();
                self.state = State::Person {
                    controller: controller.clone(),
                    lease,
                    handoff: handoff.clone(),
                    seen_at: now,
                    input_at: now,
                };
                vec![Effect::AcceptHandoff(handoff, controller.clone()), Effect::GrantPerson(controller, lease)]
            }
            Next::Waiting { handoff } => {
                self.state = State::Waiting { handoff };
                vec![]
            }
        };
        Answer::Accepted(effects)
    }

    fn new_lease(&mut self) -> Lease {
        self.last_lease += 1;
        Lease(self.last_lease)
    }
}

fn prepend(effect: Effect, answer: Answer) -> Answer {
    prepend_all(vec![effect], answer)
}

fn prepend_all(mut effects: Vec<Effect>, answer: Answer) -> Answer {
    match answer {
        Answer::Accepted(rest) => {
            effects.extend(rest);
            Answer::Accepted(effects)
        }
        Answer::Already | Answer::Denied(_) => answer,
    }
}
