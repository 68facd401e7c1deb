//! The one lane on which a viewer's input reaches the room: never behind pictures, never behind a reply.
//!
//! Newest wins where only the newest matters (moves, wheel, compositions), so the queue stays short however slow the room
//! is; keys, buttons and text are kept in order. [`Lane::release_all`] throws away what was not sent yet: after it,
//! nothing of the old holder follows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sandbox_core::Lease;
use sandbox_core::viewer::InputEvent;
use sandbox_link::protocol::{InputFrame, Open};
use sandbox_link::{Link, LinkError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::room_input::RoomInput;
use super::seat::Typist;

/// Frames that may wait. A person makes some hundred events a second, so this is seconds of a room that does not read.
const CAPACITY: usize = 512;

/// The sending end. Cheap to clone; pushing never waits.
#[derive(Clone)]
pub(super) struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    pushed: Notify,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<InputFrame>,
    /// The lease that the room was told last, or will be.
    lease: Option<Lease>,
    closed: bool,
}

/// The task that writes the lane to the room. Dropping it gives up; [`Writer::drain`] sends what waits, first.
pub(super) struct Writer {
    lane: Lane,
    task: JoinHandle<()>,
}

/// The room has not read input for a long time; nothing was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox does not take input right now")]
pub(super) struct LaneFull;

impl Lane {
    /// Opens the room's input stream and starts the task that writes to it; `in_page` is told whether the page shows what is
    /// being composed.
    pub(super) async fn open(
        desktop: &Link,
        typist: impl Typist,
        in_page: watch::Sender<bool>,
    ) -> Result<(Self, Writer), LinkError> {
        let mut room = RoomInput::new(desktop.open_for(&Open::Input).await?, typist, in_page);
        let lane = Self { shared: Arc::new(Shared { queue: Mutex::default(), pushed: Notify::new() }) };
        let reader = lane.clone();
        let task = tokio::spawn(async move {
            while let Some(frame) = reader.next().await {
                if let Err(error) = room.carry(frame).await {
                    tracing::debug!(%error, "the room no longer takes input");
                    reader.close();
                    return;
                }
            }
        });
        Ok((lane.clone(), Writer { lane, task }))
    }

    /// Queues one frame under a lease, merged with the last where only the newest matters.
    pub(super) fn push(&self, lease: Lease, frame: InputFrame) -> Result<(), LaneFull> {
        let mut queue = self.lock();
        if queue.closed {
            return Err(LaneFull);
        }
        if queue.lease == Some(lease)
            && let Some(last) = queue.frames.back_mut()
            && merge(last, &frame)
        {
            return Ok(());
        }
        if queue.frames.len() >= CAPACITY {
            return Err(LaneFull);
        }
        if queue.lease.replace(lease) != Some(lease) {
            queue.frames.push_back(InputFrame::Under(lease));
        }
        queue.frames.push_back(frame);
        drop(queue);
        self.shared.pushed.notify_one();
        Ok(())
    }

    /// Drops what was not sent and lifts every key and button.
    pub(super) fn release_all(&self) {
        let mut queue = self.lock();
        queue.frames.clear();
        // Its announcement may have been among them.
        queue.lease = None;
        queue.frames.push_back(InputFrame::ReleaseAll);
        drop(queue);
        self.shared.pushed.notify_one();
    }

    async fn next(&self) -> Option<InputFrame> {
        loop {
            {
                let mut queue = self.lock();
                if let Some(frame) = queue.frames.pop_front() {
                    return Some(frame);
                }
                if queue.closed {
                    return None;
                }
            }
            self.shared.pushed.notified().await;
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.shared.pushed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Every change of the queue is one call: no panic can leave it half changed.
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// Waits until what is queued has been written.
    pub(super) async fn drain(mut self) {
        self.lane.close();
        if let Err(error) = (&mut self.task).await {
            tracing::warn!(%error, "the input lane failed");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Merges `next` into `last` if the two together are one; says whether it did.
fn merge(last: &mut InputFrame, next: &InputFrame) -> bool {
    match (last, next) {
        (InputFrame::Event(last @ InputEvent::Move { .. }), InputFrame::Event(InputEvent::Move { x, y })) => {
            *last = InputEvent::Move { x: *x, y: *y };
            true
        }
        (
            InputFrame::Event(InputEvent::Wheel { dx, dy, x, y }),
            InputFrame::Event(InputEvent::Wheel { dx: more_x, dy: more_y, x: at_x, y: at_y }),
        ) if x == at_x && y == at_y => {
            *dx = dx.saturating_add(*more_x);
            *dy = dy.saturating_add(*more_y);
            true
        }
        // What is composed next, or committed, takes its place.
        (
            InputFrame::Event(last @ InputEvent::Compose { .. }),
            InputFrame::Event(next @ (InputEvent::Compose { .. } | InputEvent::Text { .. })),
        ) => {
            *last = next.clone();
            true
        }
        (InputFrame::ReleaseAll, InputFrame::ReleaseAll) => true,
        (
            InputFrame::Under(_)
            | InputFrame::Event(_)
            | InputFrame::Paste(_)
            | InputFrame::ReleaseAll
            | InputFrame::Settle,
            _,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane() -> Lane {
        Lane { shared: Arc::new(Shared { queue: Mutex::default(), pushed: Notify::new() }) }
    }

    fn event(event: InputEvent) -> InputFrame {
        InputFrame::Event(event)
    }

    fn check(pushed: Vec<InputFrame>, expected: Vec<InputFrame>) {
        let lane = lane();
        for frame in pushed {
            lane.push(Lease(1), frame).unwrap();
        }
        let frames = Vec::from(std::mem::take(&mut lane.lock().frames));
        assert_eq!(frames, [vec![InputFrame::Under(Lease(1))], expected].concat());
    }

    #[test]
    fn moves_that_wait_become_the_newest_one() {
        check(
            vec![event(InputEvent::Move { x: 1, y: 1 }), event(InputEvent::Move { x: 2, y: 3 })],
            vec![event(InputEvent::Move { x: 2, y: 3 })],
        );
    }

    #[test]
    fn a_move_is_never_merged_across_a_button() {
        let frames = vec![
            event(InputEvent::Move { x: 1, y: 1 }),
            event(InputEvent::Button { button: 0, down: true, x: 1, y: 1 }),
            event(InputEvent::Move { x: 5, y: 5 }),
        ];
        check(frames.clone(), frames);
    }

    #[test]
    fn wheel_notches_that_wait_add_up() {
        check(
            vec![
                event(InputEvent::Wheel { dx: 0, dy: 1, x: 4, y: 4 }),
                event(InputEvent::Wheel { dx: -1, dy: 2, x: 4, y: 4 }),
                event(InputEvent::Wheel { dx: 0, dy: 1, x: 5, y: 4 }),
            ],
            vec![
                event(InputEvent::Wheel { dx: -1, dy: 3, x: 4, y: 4 }),
                event(InputEvent::Wheel { dx: 0, dy: 1, x: 5, y: 4 }),
            ],
        );
    }

    #[test]
    fn what_is_being_composed_is_the_newest_and_gives_way_to_what_is_committed() {
        let compose = |text: &str| event(InputEvent::Compose { text: text.into() });
        let text = |text: &str| event(InputEvent::Text { text: text.into() });
        check(vec![compose("に"), compose("にほ")], vec![compose("にほ")]);
        check(vec![compose("にほ"), text("日本"), text("語")], vec![text("日本"), text("語")]);
    }

    #[test]
    fn release_drops_what_the_old_holder_still_had_queued() {
        let lane = lane();
        lane.push(Lease(1), event(InputEvent::Key { code: "KeyA".into(), key: "a".into(), down: true })).unwrap();
        lane.release_all();
        assert_eq!(lane.lock().frames, [InputFrame::ReleaseAll]);
    }

    #[test]
    fn the_room_is_told_the_lease_that_input_comes_under() {
        let lane = lane();
        let moved = |x| event(InputEvent::Move { x, y: 0 });
        for (lease, x) in [(1, 1), (1, 2), (3, 3)] {
            lane.push(Lease(lease), moved(x)).unwrap();
        }
        let told = |lease| InputFrame::Under(Lease(lease));
        assert_eq!(lane.lock().frames, [told(1), moved(2), told(3), moved(3)]);
        lane.release_all();
        lane.push(Lease(3), moved(4)).unwrap();
        assert_eq!(lane.lock().frames, [InputFrame::ReleaseAll, told(3), moved(4)]);
    }

    #[test]
    fn a_full_lane_refuses_the_newest_and_keeps_the_order() {
        let lane = lane();
        for n in 1..CAPACITY {
            lane.push(Lease(1), InputFrame::Paste(n.to_string())).unwrap();
        }
        assert_eq!(lane.push(Lease(1), InputFrame::Paste("late".into())), Err(LaneFull));
        assert_eq!(lane.lock().frames.get(1), Some(&InputFrame::Paste("1".into())));
    }
}
