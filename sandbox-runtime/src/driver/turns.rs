//! Whose turn it is to act on the browser: who waits, whose action is in flight, whether the page may have changed since.
//!
//! `Control` says whether a turn may begin. This keeps the line, and gives the turns out one after the other.

use std::collections::VecDeque;

use sandbox_core::Lease;
use sandbox_core::control::{Answer, Control, Denial, Effect, Request};
use sandbox_core::model::EpochMs;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::refusal::{Refusal, Reply};
use crate::agent::Turn;
use crate::browser::Gate;

/// Whose turn is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnOf {
    Task,
    Program,
}

pub(super) struct Turns {
    waiting: VecDeque<(TurnOf, Reply<Turn>)>,
    in_flight: Option<(Lease, CancellationToken)>,
    /// Somebody else may have changed the page since the agent looked.
    fresh: bool,
    /// At most one turn is in flight, so this holds at most one and never grows.
    settled: mpsc::UnboundedSender<Settled>,
}

/// A turn is over.
#[derive(Debug)]
pub(super) struct Settled {
    pub lease: Lease,
    /// Nobody took note that somebody else had acted before it.
    fresh: bool,
}

/// A turn that control has granted and that is not given out yet.
#[must_use]
pub(super) struct Granted {
    pub by: TurnOf,
    lease: Lease,
    answer: Reply<Turn>,
}

impl Turns {
    /// Returns nobody's turn, and where it is told that a turn is over.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Settled>) {
        let (settled, is_settled) = mpsc::unbounded_channel();
        (Self { waiting: VecDeque::new(), in_flight: None, fresh: true, settled }, is_settled)
    }

    /// Puts somebody at the end of the line.
    pub fn want(&mut self, by: TurnOf, answer: Reply<Turn>) {
        self.waiting.push_back((by, answer));
    }

    /// Notes that somebody else may have changed the page.
    pub fn others_acted(&mut self) {
        self.fresh = true;
    }

    /// Takes the first one out of the line if control grants a turn now. A program that control refuses is told; the task
    /// waits.
    pub fn next(&mut self, control: &mut Control, now: EpochMs) -> Option<Granted> {
        loop {
            // Some may have gone meanwhile.
            self.waiting.retain(|(_, answer)| !answer.is_closed());
            let (by, _) = self.waiting.front()?;
            let denial = match (control.handle(Request::Begin, now), by) {
                (Answer::Accepted(effects), _) => {
                    // A program's lease is made for its one command: whatever came before, others may have acted.
                    self.fresh |= effects.iter().any(|effect| matches!(effect, Effect::GrantAgent(_)));
                    let ((by, answer), lease) = self.waiting.pop_front().zip(control.live_lease())?;
                    return Some(Granted { by, lease, answer });
                }
                (Answer::Denied(Denial::ActionInFlight) | Answer::Already, _) => return None,
                (Answer::Denied(denial), TurnOf::Task) => {
                    // The task waits for the hand-back; the programs behind it are told.
                    self.refuse_programs(denial);
                    return None;
                }
                (Answer::Denied(denial), TurnOf::Program) => denial,
            };
            let (_, answer) = self.waiting.pop_front()?;
            refuse(answer, denial);
        }
    }

    /// Gives out a turn, once the gate knows its lease.
    pub fn give(&mut self, granted: Granted, gate: &Gate) {
        let Granted { by, lease, answer } = granted;
        let cancelled = CancellationToken::new();
        self.in_flight = Some((lease, cancelled.clone()));
        // What a program does is news for the task; it takes note of nothing, so that stays news when its turn is over.
        let fresh = std::mem::take(&mut self.fresh) || by == TurnOf::Program;
        let settled = self.settled.clone();
        let turn = Turn::new(gate.permit(lease), fresh, cancelled, move |fresh| {
            // The actor may have ended with the sandbox.
            let _ = settled.send(Settled { lease, fresh });
        });
        // The receiver may be gone: the turn is then dropped, which settles it.
        let _ = answer.send(Ok(turn));
    }

    /// Tells the action in flight to stop, if it is that lease's.
    pub fn cancel(&self, lease: Lease) {
        if let Some((in_flight, cancelled)) = &self.in_flight
            && *in_flight == lease
        {
            cancelled.cancel();
        }
    }

    /// Notes that a turn is over. An action that was fenced at its deadline may settle after the next one began.
    pub fn settle(&mut self, settled: &Settled) {
        self.fresh |= settled.fresh;
        self.in_flight.take_if(|(in_flight, _)| *in_flight == settled.lease);
    }

    /// Drops the turns that an ended task still waits for.
    pub fn forget_task(&mut self) {
        self.waiting.retain(|(by, _)| *by != TurnOf::Task);
    }

    pub fn nobody_waits(&self) -> bool {
        self.waiting.is_empty()
    }

    fn refuse_programs(&mut self, denial: Denial) {
        for (by, answer) in std::mem::take(&mut self.waiting) {
            match by {
                TurnOf::Task => self.waiting.push_back((by, answer)),
                TurnOf::Program => refuse(answer, denial),
            }
        }
    }
}

fn refuse(answer: Reply<Turn>, denial: Denial) {
    // The receiver may be gone.
    let _ = answer.send(Err(Refusal::from(denial)));
}

#[cfg(test)]
mod tests {
    use sandbox_core::control::{Controller, Releaser};
    use sandbox_core::{HandoffId, ViewerId};
    use tokio::sync::oneshot;

    use super::*;
    use crate::driver::RefusalCode;

    type Waiting = oneshot::Receiver<Result<Turn, Refusal>>;

    /// The line, its control, and the turns that are over.
    struct Line {
        turns: Turns,
        settled: mpsc::UnboundedReceiver<Settled>,
        control: Control,
        gate: Gate,
    }

    impl Line {
        fn new() -> Self {
            let (turns, settled) = Turns::new();
            Self { turns, settled, control: Control::default(), gate: Gate::default() }
        }

        fn of_a_task() -> Self {
            let mut line = Self::new();
            line.control.handle(Request::TaskStarted, 0);
            line
        }

        fn want(&mut self, by: TurnOf) -> Waiting {
            let (answer, waiting) = oneshot::channel();
            self.turns.want(by, answer);
            waiting
        }

        /// Gives out the next turn; returns whose it is.
        fn give(&mut self) -> Option<TurnOf> {
            let granted = self.turns.next(&mut self.control, 0)?;
            let by = granted.by;
            self.turns.give(granted, &self.gate);
            Some(by)
        }

        /// Gives the task a turn; returns it and its lease.
        fn begun(&mut self) -> (Turn, Lease) {
            let mut waiting = self.want(TurnOf::Task);
            self.give();
            (turn(&mut waiting), self.control.live_lease().expect("a lease"))
        }

        /// Does what the actor does when it hears that a turn is over.
        fn settle(&mut self) {
            let settled = self.settled.try_recv().expect("a turn is over");
            self.turns.settle(&settled);
            self.control.handle(Request::Settled { lease: settled.lease }, 0);
        }

        fn person_takes(&mut self) {
            let controller = Controller::Viewer(ViewerId::from("v1"));
            self.control.handle(Request::Take { controller, handoff: HandoffId::from("h1") }, 0);
        }
    }

    fn turn(waiting: &mut Waiting) -> Turn {
        waiting.try_recv().expect("an answer").unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    fn refused(waiting: &mut Waiting) -> RefusalCode {
        waiting.try_recv().expect("an answer").err().expect("a refusal").code
    }

    #[test]
    fn one_acts_at_a_time_in_the_order_in_which_they_asked() {
        let mut line = Line::of_a_task();
        let (mut task, mut program) = (line.want(TurnOf::Task), line.want(TurnOf::Program));
        assert_eq!(line.give(), Some(TurnOf::Task));
        assert_eq!(line.give(), None, "an action is in flight");
        drop(turn(&mut task));
        line.settle();
        assert_eq!(line.give(), Some(TurnOf::Program));
        drop(turn(&mut program));
        line.settle();
        assert!(line.turns.nobody_waits());
    }

    #[test]
    fn a_task_waits_for_the_person_and_programs_are_told() {
        let mut line = Line::of_a_task();
        line.person_takes();
        let (mut first, mut task, mut last) =
            (line.want(TurnOf::Program), line.want(TurnOf::Task), line.want(TurnOf::Program));
        assert_eq!(line.give(), None);
        assert_eq!(refused(&mut first), RefusalCode::HeldByPerson);
        assert_eq!(refused(&mut last), RefusalCode::HeldByPerson);
        assert!(task.try_recv().is_err(), "the task is told nothing");
        line.control.handle(Request::HandBack { by: Releaser::Program }, 0);
        assert_eq!(line.give(), Some(TurnOf::Task));
    }

    #[test]
    fn whoever_went_away_is_given_nothing() {
        let mut line = Line::of_a_task();
        drop(line.want(TurnOf::Task));
        let mut program = line.want(TurnOf::Program);
        assert_eq!(line.give(), Some(TurnOf::Program));
        drop(turn(&mut program));
    }

    #[test]
    fn a_turn_that_nobody_takes_is_over_at_once() {
        let mut line = Line::of_a_task();
        let waiting = line.want(TurnOf::Task);
        let granted = line.turns.next(&mut line.control, 0).expect("a turn");
        drop(waiting);
        line.turns.give(granted, &line.gate);
        line.settle();
        let _next = line.want(TurnOf::Task);
        assert_eq!(line.give(), Some(TurnOf::Task));
    }

    #[test]
    fn what_others_did_stays_news_until_the_task_takes_note() {
        let mut line = Line::of_a_task();
        let is_news = |line: &mut Line, by, takes_note: bool| {
            let mut waiting = line.want(by);
            line.give();
            let mut turn = turn(&mut waiting);
            let news = takes_note && turn.take_fresh();
            drop(turn);
            line.settle();
            news
        };
        assert!(is_news(&mut line, TurnOf::Task, true), "the first look");
        assert!(!is_news(&mut line, TurnOf::Task, true));
        is_news(&mut line, TurnOf::Program, false);
        is_news(&mut line, TurnOf::Task, false);
        assert!(is_news(&mut line, TurnOf::Task, true), "a program acted, and nobody took note");
        line.turns.others_acted();
        assert!(is_news(&mut line, TurnOf::Task, true));
    }

    #[test]
    fn only_the_action_in_flight_is_told_to_stop() {
        let mut line = Line::of_a_task();
        let (turn, lease) = line.begun();
        line.turns.cancel(Lease(lease.0 + 1));
        assert!(!turn.cancelled.is_cancelled());
        line.turns.cancel(lease);
        assert!(turn.cancelled.is_cancelled());
    }

    #[test]
    fn an_ended_task_waits_no_more() {
        let mut line = Line::of_a_task();
        let (mut task, mut program) = (line.want(TurnOf::Task), line.want(TurnOf::Program));
        line.turns.forget_task();
        assert!(matches!(task.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        assert_eq!(line.give(), Some(TurnOf::Program));
        drop(turn(&mut program));
    }

    #[test]
    fn a_turn_that_ends_late_does_not_end_the_next_one() {
        let mut line = Line::of_a_task();
        let (turn, lease) = line.begun();
        line.turns.settle(&Settled { lease: Lease(lease.0 - 1), fresh: false });
        line.turns.cancel(lease);
        assert!(turn.cancelled.is_cancelled(), "it is still the one in flight");
    }
}
