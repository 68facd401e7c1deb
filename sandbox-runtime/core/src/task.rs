//! The life of a task. One fact is stored, how far it got; that it waits is derived from control and from open questions.

use crate::control::State;
use crate::event::{NewEvent, TaskFailed};
use crate::model::{Actor, EpochMs, Failure, Task, TaskStatus};

/// How far a task got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Queued,
    Started,
    Ended(Ending),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Completed,
    Failed,
    Cancelled,
}

/// Returns the status that the contract shows: `waiting` because control says so, or because a question of the task
/// stands open (`is_asking`).
pub fn status(progress: Progress, control: &State, is_asking: bool) -> TaskStatus {
    match progress {
        Progress::Queued => TaskStatus::Queued,
        Progress::Ended(Ending::Completed) => TaskStatus::Completed,
        Progress::Ended(Ending::Failed) => TaskStatus::Failed,
        Progress::Ended(Ending::Cancelled) => TaskStatus::Cancelled,
        Progress::Started if is_asking => TaskStatus::Waiting,
        Progress::Started => match control {
            State::Person { .. } | State::Waiting { .. } => TaskStatus::Waiting,
            State::Idle { .. } | State::Agent { .. } | State::Settling { .. } => TaskStatus::Running,
        },
    }
}

/// Whether the task's clock runs: it stands still while a person is asked or drives.
pub fn clock_runs(progress: Progress, control: &State, is_asking: bool) -> bool {
    status(progress, control, is_asking) == TaskStatus::Running
}

/// Ends as failed a task that no driver runs; returns the event that tells it.
pub fn fail(task: &mut Task, failure: Failure, at: EpochMs) -> NewEvent {
    task.status = TaskStatus::Failed;
    task.ended_at = Some(at);
    task.error = Some(failure.clone());
    let failed = TaskFailed { title: task.title.clone(), result: None, error: Some(failure) };
    NewEvent::new(&task.sandbox_id, Actor::System, at, failed).of_task(Some(&task.id))
}
