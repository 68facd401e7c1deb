//! The lives of handoffs and tasks.

use proptest::prelude::*;
use sandbox_core::control::{Controller, Next, State};
use sandbox_core::handoff::{Step, apply};
use sandbox_core::model::{Handoff, HandoffReason, HandoffStatus, Receipt, RequestedBy, TaskStatus};
use sandbox_core::task::{Ending, Progress, clock_runs, status};
use sandbox_core::{HandoffId, Lease, SandboxId, ViewerId};

fn handoff(status: HandoffStatus) -> Handoff {
    let is_accepted = status == HandoffStatus::Accepted;
    Handoff {
        request_id: HandoffId::from("ho_1"),
        sandbox_id: SandboxId::from("sbx_1"),
        task_id: None,
        status,
        reason: HandoffReason::Mfa,
        message: "enter the code".to_owned(),
        requested_by: RequestedBy::Agent,
        controller: is_accepted.then(|| "ann".to_owned()),
        resume_prompt: None,
        note: None,
        until: None,
        missing_sign_in: None,
        receipt: None,
        requested_at: 1,
        accepted_at: is_accepted.then_some(2),
        completed_at: None,
        expires_at: None,
        updated_at: 2,
    }
}

fn accept() -> Step {
    Step::Accept { controller: "ann".to_owned() }
}

fn complete() -> Step {
    Step::Complete { note: Some("done".to_owned()), receipt: Some(Box::default()) }
}

fn cancel() -> Step {
    Step::Cancel { note: Some("no longer needed".to_owned()) }
}

#[test]
fn handoff_goes_only_where_its_life_leads() {
    use HandoffStatus::{Accepted, Cancelled, Completed, Expired, Pending};
    let check = |from: HandoffStatus, step: Step, expected: Result<HandoffStatus, HandoffStatus>| {
        let mut record = handoff(from);
        let before = record.clone();
        let result = apply(&mut record, step.clone(), 9).map(|()| record.status);
        assert_eq!(result, expected, "{from:?} and {step:?}");
        if result.is_err() {
            assert_eq!(record, before, "a refused step changes nothing");
        }
    };
    check(Pending, accept(), Ok(Accepted));
    check(Pending, Step::Reopen, Err(Pending));
    check(Pending, complete(), Ok(Completed));
    check(Pending, cancel(), Ok(Cancelled));
    check(Pending, Step::Expire, Ok(Expired));
    check(Accepted, accept(), Err(Accepted));
    check(Accepted, Step::Reopen, Ok(Pending));
    check(Accepted, complete(), Ok(Completed));
    check(Accepted, cancel(), Ok(Cancelled));
    check(Accepted, Step::Expire, Ok(Expired));
    for over in [Completed, Cancelled, Expired] {
        for step in [accept(), Step::Reopen, complete(), cancel(), Step::Expire] {
            check(over, step, Err(over));
        }
    }
}

#[test]
fn handoff_writes_down_who_came_when_and_with_what() {
    let mut record = handoff(HandoffStatus::Pending);
    apply(&mut record, accept(), 5).unwrap();
    let accepted = Handoff {
        status: HandoffStatus::Accepted,
        controller: Some("ann".to_owned()),
        accepted_at: Some(5),
        updated_at: 5,
        ..handoff(HandoffStatus::Pending)
    };
    assert_eq!(record, accepted);

    apply(&mut record, Step::Reopen, 6).unwrap();
    assert_eq!(record, Handoff { updated_at: 6, ..handoff(HandoffStatus::Pending) });

    apply(&mut record, complete(), 7).unwrap();
    let completed = Handoff {
        status: HandoffStatus::Completed,
        note: Some("done".to_owned()),
        receipt: Some(Receipt::default()),
        completed_at: Some(7),
        updated_at: 7,
        ..handoff(HandoffStatus::Pending)
    };
    assert_eq!(record, completed);
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(accept()),
        3 => Just(Step::Reopen),
        1 => Just(complete()),
        1 => Just(cancel()),
        1 => Just(Step::Expire)
    ];
    proptest::collection::vec(step, 0..20)
}

proptest! {
    #[test]
    fn handoff_ends_once_and_always_says_when(steps in steps()) {
        let mut record = handoff(HandoffStatus::Pending);
        for (at, step) in (10..).zip(steps) {
            let before = record.clone();
            let is_over = before.completed_at.is_some();
            let result = apply(&mut record, step, at);
            prop_assert!(!is_over || result.is_err(), "nothing follows an end");
            prop_assert_eq!(record.accepted_at.is_some(), record.controller.is_some());
            match record.status {
                HandoffStatus::Pending => prop_assert!(record.controller.is_none() && record.completed_at.is_none()),
                HandoffStatus::Accepted => prop_assert!(record.controller.is_some() && record.completed_at.is_none()),
                HandoffStatus::Completed | HandoffStatus::Cancelled | HandoffStatus::Expired => {
                    prop_assert!(record.completed_at.is_some());
                }
            }
        }
    }
}

#[test]
fn task_waits_because_control_or_an_open_question_says_so() {
    use Ending::{Cancelled, Completed, Failed};
    let person = State::Person {
        controller: Controller::Viewer(ViewerId::from("v")),
        lease: Lease(2),
        handoff: HandoffId::from("h"),
        seen_at: 0,
        input_at: 0,
    };
    let waiting = State::Waiting { handoff: HandoffId::from("h") };
    let agent = State::Agent { lease: Lease(1), in_flight: true };
    let settling = State::Settling { old: Lease(1), next: Next::Agent, deadline_at: 0 };
    let idle = State::Idle { in_flight: None };
    let check = |progress: Progress, control: &State, expected: TaskStatus| {
        assert_eq!(status(progress, control, false), expected, "{progress:?} and {control:?}");
        assert_eq!(
            clock_runs(progress, control, false),
            expected == TaskStatus::Running,
            "{progress:?} and {control:?}"
        );
    };
    check(Progress::Started, &agent, TaskStatus::Running);
    check(Progress::Started, &settling, TaskStatus::Running);
    check(Progress::Started, &idle, TaskStatus::Running);
    check(Progress::Started, &person, TaskStatus::Waiting);
    check(Progress::Started, &waiting, TaskStatus::Waiting);
    for control in [&agent, &settling, &idle, &person, &waiting] {
        assert_eq!(status(Progress::Started, control, true), TaskStatus::Waiting, "a question stands open");
        assert!(!clock_runs(Progress::Started, control, true));
        check(Progress::Queued, control, TaskStatus::Queued);
        check(Progress::Ended(Completed), control, TaskStatus::Completed);
        check(Progress::Ended(Failed), control, TaskStatus::Failed);
        check(Progress::Ended(Cancelled), control, TaskStatus::Cancelled);
    }
}
