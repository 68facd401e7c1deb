//! What holds of control over any sequence of requests: the promises, checked against a gate that only sees the effects.

use proptest::prelude::*;
use sandbox_core::control::{Answer, Asker, Control, Controller, Effect, Releaser, Request, State};
use sandbox_core::{HandoffId, Lease, ViewerId};

/// A request before it is known which leases and handoffs there are.
#[derive(Clone, Debug)]
enum Step {
    TaskStarted,
    TaskEnded,
    Begin,
    /// The end of the action under the lease this many before the newest.
    Settled {
        age: u64,
    },
    Take(Controller),
    Input {
        viewer: u8,
        age: u64,
    },
    Heartbeat(u8),
    HandBack(Option<u8>),
    ViewerLeft(u8),
    AskByAgent {
        age: u64,
    },
    AskByProgram,
    AskEnded {
        is_current: bool,
    },
    /// The clock goes on, and the driver says so.
    Tick,
    /// The driver's timer, at the moment it is due.
    DueTick,
}

fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    let age = || prop_oneof![4 => Just(0u64), 1 => 1..3u64];
    let controller = prop_oneof![4 => (0..3u8).prop_map(|n| Controller::Viewer(viewer(n))), 1 => Just(Controller::Api("ann".to_owned()))];
    let step = prop_oneof![
        2 => Just(Step::TaskStarted),
        1 => Just(Step::TaskEnded),
        4 => Just(Step::Begin),
        3 => age().prop_map(|age| Step::Settled { age }),
        4 => controller.prop_map(Step::Take),
        4 => (0..3u8, age()).prop_map(|(viewer, age)| Step::Input { viewer, age }),
        1 => (0..3u8).prop_map(Step::Heartbeat),
        2 => proptest::option::of(0..3u8).prop_map(Step::HandBack),
        1 => (0..3u8).prop_map(Step::ViewerLeft),
        2 => age().prop_map(|age| Step::AskByAgent { age }),
        1 => Just(Step::AskByProgram),
        1 => any::<bool>().prop_map(|is_current| Step::AskEnded { is_current }),
        1 => Just(Step::Tick),
        2 => Just(Step::DueTick),
    ];
    let pause_ms = prop_oneof![4 => 0..500i64, 2 => 1_000..3_000i64, 1 => 20_000..700_000i64];
    proptest::collection::vec((step, pause_ms), 1..80)
}

fn viewer(n: u8) -> ViewerId {
    ViewerId::from(format!("view_{n}"))
}

/// Sees only what the driver is told to do, and what is then attempted.
#[derive(Default)]
struct Gate {
    live: Option<Lease>,
    is_agents: bool,
    newest: u64,
    in_flight: Option<Lease>,
    keys_down: bool,
    fenced: Vec<Lease>,
}

impl Gate {
    fn carry_out(&mut self, effect: &Effect) {
        match effect {
            Effect::Fence(lease) => {
                assert_eq!(self.live, Some(*lease), "only the live lease is fenced");
                self.live = None;
                self.fenced.push(*lease);
                self.in_flight.take_if(|running| running == lease);
            }
            Effect::ReleaseKeys(lease) => {
                assert!(self.fenced.contains(lease), "keys go up after nothing more is dispatched");
                self.keys_down = false;
            }
            Effect::GrantAgent(lease) => {
                // A task that begins beside a program's command shares the agent side's lease with it.
                if self.live == Some(*lease) && self.is_agents {
                    return;
                }
                self.grant(*lease, true);
            }
            Effect::GrantPerson(_, lease) => self.grant(*lease, false),
            Effect::CancelAction(lease) => assert_eq!(self.in_flight, Some(*lease), "only what runs is cancelled"),
            Effect::WriteReceipt(_) | Effect::AcceptHandoff(..) | Effect::ReopenHandoff(_) => {}
        }
    }

    fn grant(&mut self, lease: Lease, is_agents: bool) {
        assert_eq!(self.live, None, "one live lease: the old one is fenced first");
        assert_eq!(self.in_flight, None, "no grant while an unfenced action is in flight");
        assert!(!self.keys_down, "keys are released between holders");
        assert!(lease.0 > self.newest, "leases only grow, and every resumption begins with a new one");
        assert!(!self.fenced.contains(&lease));
        self.newest = lease.0;
        self.live = Some(lease);
        self.is_agents = is_agents;
    }
}

/// A machine with its gate and clock.
struct Run {
    control: Control,
    gate: Gate,
    now: i64,
    n_handoffs: u32,
}

impl Run {
    fn new() -> Self {
        Self { control: Control::default(), gate: Gate::default(), now: 1_000_000, n_handoffs: 0 }
    }

    fn take_step(&mut self, step: &Step) {
        let aged = |age: u64| Lease(self.gate.newest.saturating_sub(age));
        let request = match step {
            Step::TaskStarted => Request::TaskStarted,
            Step::TaskEnded => Request::TaskEnded,
            Step::Begin => Request::Begin,
            Step::Settled { age } => Request::Settled { lease: aged(*age) },
            Step::Take(controller) => Request::Take { controller: controller.clone(), handoff: self.new_handoff() },
            Step::Input { viewer: n, age } => Request::Input { viewer: viewer(*n), lease: aged(*age) },
            Step::Heartbeat(n) => Request::Heartbeat { viewer: viewer(*n) },
            Step::HandBack(Some(n)) => Request::HandBack { by: Releaser::Viewer(viewer(*n)) },
            Step::HandBack(None) => Request::HandBack { by: Releaser::Program },
            Step::ViewerLeft(n) => Request::ViewerLeft { viewer: viewer(*n) },
            Step::AskByAgent { age } => Request::Ask { by: Asker::Agent(aged(*age)), handoff: self.new_handoff() },
            Step::AskByProgram => Request::Ask { by: Asker::Program, handoff: self.new_handoff() },
            Step::AskEnded { is_current } => {
                let current = self.control.handoff().filter(|_| *is_current).cloned();
                Request::AskEnded { handoff: current.unwrap_or_else(|| HandoffId::from("ho_other")) }
            }
            Step::Tick => Request::Tick,
            Step::DueTick => {
                self.now = self.now.max(self.control.next_tick_at().unwrap_or(self.now));
                Request::Tick
            }
        };
        self.handle(request);
    }

    fn handle(&mut self, request: Request) {
        let before = self.control.state().clone();
        let answer = self.control.handle(request.clone(), self.now);

        if let Request::Settled { lease } = &request {
            self.gate.in_flight.take_if(|running| running == lease);
        }
        if let Answer::Accepted(effects) = &answer {
            effects.iter().for_each(|effect| self.gate.carry_out(effect));
            self.check_dispatch(&request);
        } else {
            let unchanged = match (&before, self.control.state()) {
                // Taking control once more renews it.
                (State::Person { lease: old, .. }, State::Person { lease: new, .. }) => old == new,
                (before, after) => before == after,
            };
            assert!(unchanged, "{request:?} was answered {answer:?}, and changed {before:?}");
        }
        self.check_lapse(&before, &request);
        self.check_state();
    }

    /// What is accepted reaches the browser only under the lease that the gate holds live.
    fn check_dispatch(&mut self, request: &Request) {
        match request {
            Request::Input { lease, .. } => {
                assert_eq!((self.gate.live, self.gate.is_agents), (Some(*lease), false));
                self.gate.keys_down = true;
            }
            Request::Begin => {
                assert!(self.gate.is_agents && self.gate.live.is_some());
                assert_eq!(self.gate.in_flight, None, "one action at a time");
                self.gate.in_flight = self.gate.live;
            }
            _ => {}
        }
    }

    /// A person who is gone leads to waiting, never to the agent.
    fn check_lapse(&self, before: &State, request: &Request) {
        let State::Person { .. } = before else {
            return;
        };
        if let Request::Tick | Request::ViewerLeft { .. } = request {
            assert!(matches!(self.control.state(), State::Person { .. } | State::Waiting { .. }), "{request:?}");
        }
    }

    fn check_state(&self) {
        assert_eq!(self.control.live_lease(), self.gate.live, "machine and gate agree: {:?}", self.control.state());
        let has_task = self.control.has_task();
        match self.control.state() {
            State::Idle { in_flight } => {
                assert!(!has_task, "a task is never forgotten");
                assert_eq!(*in_flight, self.gate.in_flight);
            }
            State::Agent { lease, in_flight } => {
                assert!(has_task && self.gate.is_agents);
                assert_eq!(in_flight.then_some(*lease), self.gate.in_flight);
            }
            State::Settling { old, .. } => {
                assert_eq!(self.gate.in_flight, Some(*old), "settling only while something runs");
                assert!(self.control.next_tick_at().is_some(), "settling has a deadline");
            }
            State::Person { .. } => assert!(self.gate.in_flight.is_none() && !self.gate.is_agents),
            State::Waiting { .. } => assert!(self.gate.in_flight.is_none() && !self.gate.keys_down),
        }
    }

    fn new_handoff(&mut self) -> HandoffId {
        self.n_handoffs += 1;
        HandoffId::from_unique(self.n_handoffs)
    }
}

fn run(steps: &[(Step, i64)]) -> Run {
    let mut run = Run::new();
    for (step, pause_ms) in steps {
        run.now += pause_ms;
        run.take_step(step);
    }
    run
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold_over_any_sequence_of_requests(steps in steps()) {
        run(&steps);
    }

    #[test]
    fn a_person_gets_control_after_one_request_and_at_most_one_deadline(steps in steps()) {
        let mut run = run(&steps);
        let controller = Controller::Viewer(ViewerId::from("view_newcomer"));
        let handoff = run.new_handoff();
        let answer = run.control.handle(Request::Take { controller: controller.clone(), handoff: handoff.clone() }, run.now);
        // Only another person stands before a person.
        if let Answer::Denied(_) = answer {
            prop_assert!(run.control.handoff().is_some_and(|held| *held != handoff));
            return Ok(());
        }
        if let Some(due_at) = run.control.next_tick_at().filter(|_| !matches!(run.control.state(), State::Person { .. })) {
            run.control.handle(Request::Tick, due_at);
        }
        prop_assert!(
            matches!(run.control.state(), State::Person { controller: holder, .. } if *holder == controller),
            "{:?}", run.control.state()
        );
    }

    #[test]
    fn agent_goes_on_after_any_sequence_once_people_are_done(steps in steps()) {
        let mut run = run(&steps);
        run.handle(Request::TaskStarted);
        run.handle(Request::HandBack { by: Releaser::Program });
        if let Some(handoff) = run.control.handoff().cloned() {
            run.handle(Request::AskEnded { handoff });
        }
        run.take_step(&Step::DueTick);
        prop_assert!(matches!(run.control.state(), State::Agent { .. }), "{:?}", run.control.state());
    }
}
