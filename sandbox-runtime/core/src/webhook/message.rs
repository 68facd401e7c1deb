//! What is sent: the body, and the text that is signed. Source: Standard Webhooks, "Webhook payload" and "Signature scheme".

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::TEST_TYPE;
use crate::WebhookId;
use crate::event::Event;
use crate::model::EpochMs;

/// Returns the body of an event's message: `data` is the event, with the metadata of its task.
pub fn body(event: &Event, metadata: Option<&BTreeMap<String, Value>>) -> Value {
    let mut data = match serde_json::to_value(event) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => Map::new(),
    };
    data.remove("type");
    if let Some(metadata) = metadata {
        data.insert("metadata".to_owned(), json!(metadata));
    }
    json!({ "type": event.data.kind(), "timestamp": iso_8601(event.at), "data": data })
}

/// Returns the body of a message that tries a webhook out.
pub fn test_body(webhook: &WebhookId, at: EpochMs) -> Value {
    let data = json!({ "webhookId": webhook, "message": "This is a test." });
    json!({ "type": TEST_TYPE, "timestamp": iso_8601(at), "data": data })
}

/// Returns the text that is signed. `timestamp_s` is the attempt's, in seconds since the epoch.
pub fn signed_text(id: &str, timestamp_s: i64, body: &str) -> String {
    format!("{id}.{timestamp_s}.{body}")
}

/// Returns the time as ISO 8601 in UTC with milliseconds.
pub fn iso_8601(at: EpochMs) -> String {
    let (days, ms_of_day) = (at.div_euclid(86_400_000), at.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (hour, minute) = (ms_of_day / 3_600_000, ms_of_day / 60_000 % 60);
    let (second, ms) = (ms_of_day / 1000 % 60, ms_of_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Returns year, month and day of a day since 1970-01-01. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months counted from March, so that a leap day is the last of its year.
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::TaskCompleted;
    use crate::model::Actor;

    #[test]
    fn times_are_written_as_the_format_wants_them() {
        for (at, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_709_164_799_999, "2024-02-28T23:59:59.999Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso_8601(at), expected);
        }
    }

    #[test]
    fn the_body_is_the_event_with_the_metadata_of_its_task() {
        let event = Event {
            id: "evt_1".into(),
            sandbox_id: "sbx_1".into(),
            task_id: Some("task_1".into()),
            seq: 3,
            by: Actor::Agent,
            at: 1_000,
            data: TaskCompleted { title: "Sums".to_owned(), result: Some("done".to_owned()), error: None }.into(),
        };
        let metadata = BTreeMap::from([("order".to_owned(), json!(7))]);
        let expected = json!({
            "type": "sandbox.agent.task.completed",
            "timestamp": "1970-01-01T00:00:01.000Z",
            "data": {
                "id": "evt_1", "sandboxId": "sbx_1", "taskId": "task_1", "seq": 3, "by": "agent", "at": 1000,
                "data": { "title": "Sums", "result": "done", "error": null }, "metadata": { "order": 7 },
            },
        });
        assert_eq!(body(&event, Some(&metadata)), expected);
    }

    #[test]
    fn what_is_signed_is_id_time_and_body() {
        assert_eq!(signed_text("msg_1", 1_674_087_231, "{\"a\":1}"), "msg_1.1674087231.{\"a\":1}");
    }
}
