//! One message to one webhook, and what an attempt makes of it.

use super::Schedule;
use crate::model::{Delivery, DeliveryStatus, EpochMs};

/// The status by which a receiver says that it wants nothing any more.
pub const GONE: u16 = 410;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Status {
        status: u16,
        /// What `Retry-After` asks for.
        retry_after_ms: Option<u64>,
    },
    /// The receiver was not reached, did not answer in time, or may not be reached.
    None { cause: String },
}

/// What an attempt means for the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    Retry,
    GaveUp,
    /// The webhook is to be disabled.
    Gone,
}

/// Writes an attempt into the delivery.
pub fn record(delivery: &mut Delivery, answer: &Answer, schedule: &Schedule, now: EpochMs) -> Outcome {
    delivery.attempts = delivery.attempts.saturating_add(1);
    delivery.last_attempt_at = Some(now);
    delivery.next_attempt_at = None;
    let (status, error, retry_after_ms) = match answer {
        Answer::Status { status, retry_after_ms } => (Some(*status), complaint(*status), *retry_after_ms),
        Answer::None { cause } => (None, Some(cause.clone()), None),
    };
    delivery.last_status = status;
    delivery.last_error = error;
    if delivery.last_error.is_none() {
        delivery.status = DeliveryStatus::Delivered;
        delivery.delivered_at = Some(now);
        return Outcome::Delivered;
    }
    if status == Some(GONE) {
        delivery.status = DeliveryStatus::Failed;
        return Outcome::Gone;
    }
    // Others do not say by when they are well again; what they send with a redirect is about something else.
    let retry_after_ms = retry_after_ms.filter(|_| matches!(status, Some(429 | 503)));
    match schedule.next(delivery.attempts, retry_after_ms, now) {
        Some(at) => {
            delivery.status = DeliveryStatus::Pending;
            delivery.next_attempt_at = Some(at);
            Outcome::Retry
        }
        None => {
            delivery.status = DeliveryStatus::Failed;
            Outcome::GaveUp
        }
    }
}

/// Makes the message pending once more, with the whole schedule before it.
pub fn resend(delivery: &mut Delivery, now: EpochMs) {
    delivery.status = DeliveryStatus::Pending;
    delivery.attempts = 0;
    delivery.next_attempt_at = Some(now);
    delivery.delivered_at = None;
}

/// Returns what is wrong with an answer; `None` for one that accepts.
fn complaint(status: u16) -> Option<String> {
    match status {
        200..=299 => None,
        300..=399 => {
            Some(format!("the receiver answered {status}; redirects are not followed, so give the new address"))
        }
        GONE => Some("the receiver answered 410 Gone".to_owned()),
        _ => Some(format!("the receiver answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> Delivery {
        Delivery {
            id: "msg_1".into(),
            webhook_id: "wh_1".into(),
            event_id: None,
            kind: "webhook.test".to_owned(),
            status: DeliveryStatus::Pending,
            attempts: 0,
            last_status: None,
            last_error: None,
            last_attempt_at: None,
            next_attempt_at: Some(0),
            delivered_at: None,
            created_at: 0,
        }
    }

    #[track_caller]
    fn check(answer: Answer, expected: Outcome, next_attempt_at: Option<EpochMs>) -> Delivery {
        let mut delivery = pending();
        assert_eq!(record(&mut delivery, &answer, &Schedule::default(), 1_000), expected);
        assert_eq!((delivery.attempts, delivery.last_attempt_at), (1, Some(1_000)));
        assert_eq!(delivery.next_attempt_at, next_attempt_at);
        delivery
    }

    fn status(status: u16) -> Answer {
        Answer::Status { status, retry_after_ms: None }
    }

    #[test]
    fn any_2xx_accepts() {
        for code in [200, 201, 202, 204, 299] {
            let delivery = check(status(code), Outcome::Delivered, None);
            assert_eq!((delivery.status, delivery.delivered_at), (DeliveryStatus::Delivered, Some(1_000)));
        }
    }

    #[test]
    fn everything_else_is_tried_again_and_says_why() {
        for code in [100, 301, 302, 307, 400, 401, 404, 500, 502] {
            assert!(check(status(code), Outcome::Retry, Some(6_000)).last_error.is_some());
        }
        let delivery = check(Answer::None { cause: "no answer".to_owned() }, Outcome::Retry, Some(6_000));
        assert_eq!(delivery.last_error.as_deref(), Some("no answer"));
    }

    #[test]
    fn retry_after_counts_where_the_receiver_is_busy() {
        let asks = |status| Answer::Status { status, retry_after_ms: Some(60_000) };
        check(asks(429), Outcome::Retry, Some(61_000));
        check(asks(503), Outcome::Retry, Some(61_000));
        check(asks(301), Outcome::Retry, Some(6_000));
    }

    #[test]
    fn gone_ends_it() {
        assert_eq!(check(status(410), Outcome::Gone, None).status, DeliveryStatus::Failed);
    }

    #[test]
    fn the_schedule_ends_and_a_resend_begins_it_anew() {
        let mut delivery = pending();
        let schedule = Schedule::parse("1,1").unwrap();
        let outcomes: Vec<_> = (0..3).map(|_| record(&mut delivery, &status(500), &schedule, 9)).collect();
        assert_eq!(outcomes, [Outcome::Retry, Outcome::Retry, Outcome::GaveUp]);
        assert_eq!((delivery.status, delivery.attempts), (DeliveryStatus::Failed, 3));
        resend(&mut delivery, 20);
        assert_eq!((delivery.status, delivery.attempts), (DeliveryStatus::Pending, 0));
        assert_eq!(delivery.next_attempt_at, Some(20));
    }
}
