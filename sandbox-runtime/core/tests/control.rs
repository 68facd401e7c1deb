//! Who may act: the table of requests and states, cell by cell, and the named cases that once went wrong.

use sandbox_core::control::{
    Answer, Asker, Control, Controller, Denial, Effect, IDLE_MS, Next, Releaser, Request, SETTLE_MS, State,
    VIEWER_GONE_MS,
};
use sandbox_core::{HandoffId, Lease, ViewerId};

const NOW: i64 = 1_000_000;

fn viewer(name: &str) -> ViewerId {
    ViewerId::from(name)
}

fn handoff(name: &str) -> HandoffId {
    HandoffId::from(name)
}

fn take(name: &str) -> Request {
    Request::Take { controller: Controller::Viewer(viewer(name)), handoff: handoff("h") }
}

fn take_by_program() -> Request {
    Request::Take { controller: Controller::Api("ann".to_owned()), handoff: handoff("h") }
}

fn input(name: &str, lease: u64) -> Request {
    Request::Input { viewer: viewer(name), lease: Lease(lease) }
}

fn hand_back(name: &str) -> Request {
    Request::HandBack { by: Releaser::Viewer(viewer(name)) }
}

fn ask(by: Asker) -> Request {
    Request::Ask { by, handoff: handoff("asked") }
}

fn settled(lease: u64) -> Request {
    Request::Settled { lease: Lease(lease) }
}

fn left(name: &str) -> Request {
    Request::ViewerLeft { viewer: viewer(name) }
}

/// A machine after these requests, each of which must be accepted.
fn after(requests: &[Request]) -> Control {
    let mut control = Control::default();
    for request in requests {
        let answer = control.handle(request.clone(), NOW);
        assert!(matches!(answer, Answer::Accepted(_)), "{request:?}: {answer:?}");
    }
    control
}

fn idle() -> Control {
    Control::default()
}

/// A program's command runs, under lease 1.
fn idle_busy() -> Control {
    after(&[Request::Begin])
}

/// The agent drives under lease 1.
fn agent() -> Control {
    after(&[Request::TaskStarted])
}

fn agent_busy() -> Control {
    after(&[Request::TaskStarted, Request::Begin])
}

fn settling_to_idle() -> Control {
    after(&[Request::TaskStarted, Request::Begin, Request::TaskEnded])
}

/// A person called their take-over off.
fn settling_to_agent() -> Control {
    after(&[Request::TaskStarted, Request::Begin, take("v"), hand_back("v")])
}

fn settling_to_person() -> Control {
    after(&[Request::TaskStarted, Request::Begin, take("v")])
}

fn settling_to_waiting() -> Control {
    after(&[Request::TaskStarted, Request::Begin, ask(Asker::Program)])
}

/// `v` drives under lease 2, a task waits for them.
fn person() -> Control {
    after(&[Request::TaskStarted, take("v")])
}

/// `v` drives under lease 1, no task.
fn person_alone() -> Control {
    after(&[take("v")])
}

fn waiting() -> Control {
    after(&[Request::TaskStarted, ask(Asker::Agent(Lease(1)))])
}

fn waiting_without_task() -> Control {
    after(&[ask(Asker::Program)])
}

/// Handles the request and compares the answer, then the state that follows.
#[track_caller]
fn check(mut control: Control, request: Request, expected: &str) {
    let answer = control.handle(request.clone(), NOW + 1);
    assert_eq!(format!("{} -> {}", shown(&answer), state(&control)), expected, "{request:?}");
}

fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Already => "already".to_owned(),
        Answer::Denied(denial) => format!("{denial:?}"),
        Answer::Accepted(effects) if effects.is_empty() => "accepted".to_owned(),
        Answer::Accepted(effects) => effects.iter().map(effect).collect::<Vec<_>>().join(", "),
    }
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Fence(lease) => format!("fence {}", lease.0),
        Effect::CancelAction(lease) => format!("cancel {}", lease.0),
        Effect::ReleaseKeys(lease) => format!("keys up {}", lease.0),
        Effect::WriteReceipt(handoff) => format!("receipt {handoff}"),
        Effect::AcceptHandoff(handoff, controller) => format!("accept {handoff} {}", who(controller)),
        Effect::ReopenHandoff(handoff) => format!("reopen {handoff}"),
        Effect::GrantAgent(lease) => format!("grant agent {}", lease.0),
        Effect::GrantPerson(controller, lease) => format!("grant {} {}", who(controller), lease.0),
    }
}

fn state(control: &Control) -> String {
    match control.state() {
        State::Idle { in_flight: None } => "idle".to_owned(),
        State::Idle { in_flight: Some(lease) } => format!("idle busy {}", lease.0),
        State::Agent { lease, in_flight: false } => format!("agent {}", lease.0),
        State::Agent { lease, in_flight: true } => format!("agent busy {}", lease.0),
        State::Settling { old, next, deadline_at: _ } => format!("settling {} to {}", old.0, next_shown(next)),
        State::Person { controller, lease, .. } => format!("{} {}", who(controller), lease.0),
        State::Waiting { handoff } => format!("waiting {handoff}"),
    }
}

fn next_shown(next: &Next) -> String {
    match next {
        Next::Idle => "idle".to_owned(),
        Next::Agent => "agent".to_owned(),
        Next::Person { controller, .. } => who(controller),
        Next::Waiting { handoff } => format!("waiting {handoff}"),
    }
}

fn who(controller: &Controller) -> String {
    match controller {
        Controller::Viewer(viewer) => viewer.to_string(),
        Controller::Api(name) => format!("api {name}"),
    }
}

#[test]
fn task_started() {
    check(idle(), Request::TaskStarted, "grant agent 1 -> agent 1");
    check(idle_busy(), Request::TaskStarted, "grant agent 1 -> agent busy 1");
    check(agent(), Request::TaskStarted, "already -> agent 1");
    check(settling_to_idle(), Request::TaskStarted, "accepted -> settling 1 to agent");
    check(after(&[Request::Begin, take("v")]), Request::TaskStarted, "accepted -> settling 1 to v");
    check(person_alone(), Request::TaskStarted, "accepted -> v 1");
    check(waiting_without_task(), Request::TaskStarted, "accepted -> waiting asked");
}

#[test]
fn take_control() {
    check(idle(), take("v"), "accept h v, grant v 1 -> v 1");
    check(idle_busy(), take("v"), "cancel 1 -> settling 1 to v");
    check(agent(), take("v"), "fence 1, accept h v, grant v 2 -> v 2");
    check(agent_busy(), take("v"), "cancel 1 -> settling 1 to v");
    check(settling_to_idle(), take("v"), "accepted -> settling 1 to v");
    check(settling_to_agent(), take("w"), "accepted -> settling 1 to w");
    check(settling_to_person(), take("v"), "already -> settling 1 to v");
    check(settling_to_person(), take("w"), "HandoffInProgress -> settling 1 to v");
    check(settling_to_waiting(), take("v"), "accepted -> settling 1 to v");
    check(person(), take("v"), "already -> v 2");
    check(person(), take("w"), "HeldByOther -> v 2");
    check(person(), take_by_program(), "HeldByOther -> v 2");
    check(waiting(), take("v"), "accept asked v, grant v 2 -> v 2");
    check(waiting(), take_by_program(), "accept asked api ann, grant api ann 2 -> api ann 2");
}

#[test]
fn action_settled() {
    check(idle_busy(), settled(1), "fence 1 -> idle");
    check(agent_busy(), settled(1), "accepted -> agent 1");
    check(agent(), settled(1), "already -> agent 1");
    check(settling_to_idle(), settled(1), "fence 1 -> idle");
    check(settling_to_agent(), settled(1), "fence 1, grant agent 2 -> agent 2");
    check(settling_to_person(), settled(1), "fence 1, accept h v, grant v 2 -> v 2");
    check(settling_to_waiting(), settled(1), "fence 1 -> waiting asked");
    check(settling_to_person(), settled(7), "already -> settling 1 to v");
    check(person(), settled(1), "already -> v 2");
    check(waiting(), settled(1), "already -> waiting asked");
    check(idle(), settled(1), "already -> idle");
}

#[test]
fn deadline_fences_what_did_not_settle() {
    let check_at = |mut control: Control, ms: i64, expected: &str| {
        let answer = control.handle(Request::Tick, NOW + ms);
        assert_eq!(format!("{} -> {}", shown(&answer), state(&control)), expected);
    };
    check_at(settling_to_person(), SETTLE_MS - 1, "already -> settling 1 to v");
    check_at(settling_to_person(), SETTLE_MS, "fence 1, accept h v, grant v 2 -> v 2");
    check_at(settling_to_agent(), SETTLE_MS, "fence 1, grant agent 2 -> agent 2");
    check_at(settling_to_idle(), SETTLE_MS, "fence 1 -> idle");
    check_at(settling_to_waiting(), SETTLE_MS, "fence 1 -> waiting asked");
    check_at(agent_busy(), SETTLE_MS * 1000, "already -> agent busy 1");
}

#[test]
fn person_input() {
    check(idle(), input("v", 1), "NobodyHolds -> idle");
    check(agent(), input("v", 1), "HeldByAgent -> agent 1");
    check(settling_to_person(), input("v", 1), "HeldByAgent -> settling 1 to v");
    check(person(), input("v", 2), "accepted -> v 2");
    check(person(), input("v", 1), "StaleLease -> v 2");
    check(person(), input("v", 3), "StaleLease -> v 2");
    check(person(), input("w", 2), "HeldByOther -> v 2");
    check(waiting(), input("v", 1), "WaitingForPerson -> waiting asked");
}

#[test]
fn hand_back_of_control() {
    check(idle(), hand_back("v"), "already -> idle");
    check(agent(), hand_back("v"), "already -> agent 1");
    check(settling_to_person(), hand_back("v"), "accepted -> settling 1 to agent");
    check(settling_to_person(), hand_back("w"), "HeldByOther -> settling 1 to v");
    check(settling_to_idle(), hand_back("v"), "already -> settling 1 to idle");
    check(person(), hand_back("v"), "fence 2, keys up 2, receipt h, grant agent 3 -> agent 3");
    check(person(), hand_back("w"), "HeldByOther -> v 2");
    check(
        person(),
        Request::HandBack { by: Releaser::Program },
        "fence 2, keys up 2, receipt h, grant agent 3 -> agent 3",
    );
    check(person_alone(), hand_back("v"), "fence 1, keys up 1, receipt h -> idle");
    check(waiting(), hand_back("v"), "already -> waiting asked");
}

#[test]
fn viewer_leaves() {
    check(idle(), left("v"), "already -> idle");
    check(agent(), left("v"), "already -> agent 1");
    check(settling_to_person(), left("v"), "accepted -> settling 1 to waiting h");
    check(settling_to_person(), left("w"), "already -> settling 1 to v");
    check(person(), left("v"), "fence 2, keys up 2, reopen h -> waiting h");
    check(person(), left("w"), "already -> v 2");
    check(person_alone(), left("v"), "fence 1, keys up 1, reopen h -> waiting h");
    check(waiting(), left("v"), "already -> waiting asked");
}

#[test]
fn ask_for_a_person() {
    let by_agent = |lease| ask(Asker::Agent(Lease(lease)));
    check(idle(), by_agent(1), "StaleLease -> idle");
    check(idle(), ask(Asker::Program), "accepted -> waiting asked");
    check(idle_busy(), ask(Asker::Program), "cancel 1 -> settling 1 to waiting asked");
    check(agent(), by_agent(1), "fence 1 -> waiting asked");
    check(agent(), by_agent(7), "StaleLease -> agent 1");
    check(agent(), ask(Asker::Program), "fence 1 -> waiting asked");
    check(agent_busy(), by_agent(1), "ActionInFlight -> agent busy 1");
    check(agent_busy(), ask(Asker::Program), "cancel 1 -> settling 1 to waiting asked");
    check(settling_to_agent(), by_agent(1), "ActionInFlight -> settling 1 to agent");
    check(person(), by_agent(1), "HeldByPerson -> v 2");
    check(person(), ask(Asker::Program), "HeldByPerson -> v 2");
    check(waiting(), by_agent(1), "already -> waiting asked");
}

#[test]
fn ask_ended_without_anyone_coming() {
    let ended = |name: &str| Request::AskEnded { handoff: handoff(name) };
    check(waiting(), ended("asked"), "grant agent 2 -> agent 2");
    check(waiting(), ended("other"), "already -> waiting asked");
    check(waiting_without_task(), ended("asked"), "accepted -> idle");
    check(settling_to_waiting(), ended("asked"), "accepted -> settling 1 to agent");
    check(person(), ended("h"), "already -> v 2");
    check(agent(), ended("asked"), "already -> agent 1");
}

#[test]
fn task_ended() {
    check(idle(), Request::TaskEnded, "already -> idle");
    check(agent(), Request::TaskEnded, "fence 1 -> idle");
    check(agent_busy(), Request::TaskEnded, "cancel 1 -> settling 1 to idle");
    check(settling_to_agent(), Request::TaskEnded, "accepted -> settling 1 to idle");
    check(settling_to_waiting(), Request::TaskEnded, "accepted -> settling 1 to idle");
    check(settling_to_person(), Request::TaskEnded, "accepted -> settling 1 to v");
    check(person(), Request::TaskEnded, "accepted -> v 2");
    check(waiting(), Request::TaskEnded, "accepted -> idle");
}

#[test]
fn programs_act_only_on_the_agents_side() {
    check(idle(), Request::Begin, "grant agent 1 -> idle busy 1");
    check(idle_busy(), Request::Begin, "ActionInFlight -> idle busy 1");
    check(agent(), Request::Begin, "accepted -> agent busy 1");
    check(agent_busy(), Request::Begin, "ActionInFlight -> agent busy 1");
    check(settling_to_agent(), Request::Begin, "ActionInFlight -> settling 1 to agent");
    check(person(), Request::Begin, "HeldByPerson -> v 2");
    check(waiting(), Request::Begin, "WaitingForPerson -> waiting asked");
}

#[test]
fn agent_gets_no_second_lease_while_its_first_action_runs_after_a_cancelled_take_over() {
    let mut control = settling_to_agent();
    // Whatever anyone asks now, the first action still runs: nothing may be granted, nothing begun.
    for request in [Request::TaskStarted, Request::Begin, Request::HandBack { by: Releaser::Program }, Request::Tick] {
        let answer = control.handle(request, NOW + 1);
        let granted = matches!(&answer, Answer::Accepted(effects) if !effects.is_empty());
        assert!(!granted, "{answer:?}");
        assert_eq!(state(&control), "settling 1 to agent");
    }
    assert_eq!(shown(&control.handle(settled(1), NOW + 2)), "fence 1, grant agent 2");
    // The old action's end, said once more, changes nothing under the new lease.
    assert_eq!(control.handle(Request::Begin, NOW + 3), Answer::Accepted(vec![]));
    assert_eq!(control.handle(settled(1), NOW + 4), Answer::Already);
    assert_eq!(state(&control), "agent busy 2");
}

#[test]
fn second_take_over_within_one_settling_does_not_move_the_deadline() {
    let mut control = settling_to_agent();
    let deadline_at = control.next_tick_at();
    control.handle(take("w"), NOW + SETTLE_MS - 1);
    assert_eq!(control.next_tick_at(), deadline_at);
    control.handle(Request::Tick, NOW + SETTLE_MS);
    assert_eq!(state(&control), "w 2");
}

#[test]
fn lease_lapses_half_a_minute_after_the_last_heartbeat() {
    let mut control = person();
    control.handle(Request::Heartbeat { viewer: viewer("v") }, NOW + 10_000);
    control.handle(Request::Heartbeat { viewer: viewer("w") }, NOW + 20_000);
    assert_eq!(control.handle(Request::Tick, NOW + 10_000 + VIEWER_GONE_MS - 1), Answer::Already);
    let answer = control.handle(Request::Tick, NOW + 10_000 + VIEWER_GONE_MS);
    assert_eq!(shown(&answer), "fence 2, keys up 2, reopen h");
    assert_eq!(state(&control), "waiting h");
}

#[test]
fn lease_lapses_after_ten_idle_minutes_though_the_heart_beats() {
    let mut control = person();
    control.handle(input("v", 2), NOW + 5);
    for at in (0..IDLE_MS).step_by(10_000) {
        control.handle(Request::Heartbeat { viewer: viewer("v") }, NOW + at);
    }
    assert_eq!(control.handle(Request::Tick, NOW + 5 + IDLE_MS - 1), Answer::Already);
    control.handle(Request::Tick, NOW + 5 + IDLE_MS);
    assert_eq!(state(&control), "waiting h");
}

#[test]
fn control_accepted_by_a_program_has_no_heartbeat() {
    let mut control = after(&[Request::TaskStarted, take_by_program()]);
    assert_eq!(control.next_tick_at(), None);
    assert_eq!(control.handle(Request::Tick, NOW + 100 * IDLE_MS), Answer::Already);
    assert_eq!(control.handle(input("ann", 2), NOW), Answer::Denied(Denial::HeldByOther));
    control.handle(Request::HandBack { by: Releaser::Program }, NOW);
    assert_eq!(state(&control), "agent 3");
}
