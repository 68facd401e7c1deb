//! Server-sent events, read from bytes that may be cut anywhere.
//!
//! As in the HTML standard, section "Server-sent events": lines end with CR, LF or both; comments begin with a colon.

/// The most bytes that one line or one event may have.
const EVENT_LIMIT: usize = 16 << 20;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SseEvent {
    /// Empty for the default, `message`.
    pub kind: String,
    pub data: String,
}

/// A line or an event was longer than any provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than 16 MiB")]
pub(super) struct TooLarge;

#[derive(Debug, Default)]
pub(super) struct SseDecoder {
    line: Vec<u8>,
    /// The last byte was CR: an LF right after it belongs to the same line end.
    after_cr: bool,
    event: SseEvent,
    has_data: bool,
}

impl SseDecoder {
    /// Takes the next bytes and returns the events that they complete. What no empty line has ended is no event.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<SseEvent>, TooLarge> {
        let mut events = Vec::new();
        for &byte in bytes {
            let ends_cr_lf = self.after_cr && byte == b'\n';
            self.after_cr = byte == b'\r';
            if ends_cr_lf {
                continue;
            }
            if byte != b'\n' && byte != b'\r' {
                self.line.push(byte);
                if self.line.len() > EVENT_LIMIT {
                    return Err(TooLarge);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            events.extend(self.end_line(&String::from_utf8_lossy(&line)));
            if self.event.data.len() > EVENT_LIMIT {
                return Err(TooLarge);
            }
        }
        Ok(events)
    }

    fn end_line(&mut self, line: &str) -> Option<SseEvent> {
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.kind),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            // A comment (an empty name), an id, a retry time: nothing to a model's answer.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, data: &str) -> SseEvent {
        SseEvent { kind: kind.to_owned(), data: data.to_owned() }
    }

    #[track_caller]
    fn check(text: &str, expected: &[SseEvent]) {
        for size in 1..=text.len() {
            let mut decoder = SseDecoder::default();
            let events: Vec<SseEvent> =
                text.as_bytes().chunks(size).flat_map(|chunk| decoder.push(chunk).unwrap()).collect();
            assert_eq!(events, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        check(
            "event: a\ndata: {\"x\":\"é – 漢\"}\n\ndata: [DONE]\n\n",
            &[event("a", "{\"x\":\"é – 漢\"}"), event("", "[DONE]")],
        );
    }

    #[test]
    fn lines_end_in_any_of_the_three_ways() {
        check("event:a\r\ndata:1\r\n\r\ndata:2\r\rdata:3\n\n", &[event("a", "1"), event("", "2"), event("", "3")]);
    }

    #[test]
    fn comments_and_unknown_fields_are_passed_over_and_data_lines_are_joined() {
        check(": OPENROUTER PROCESSING\n\nid: 7\nretry: 3\ndata: a\ndata:\ndata:  b\n\n", &[event("", "a\n\n b")]);
    }

    #[test]
    fn an_event_without_its_empty_line_is_none() {
        check("data: a\n\ndata: b\n", &[event("", "a")]);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut decoder = SseDecoder::default();
        assert_eq!(decoder.push(&vec![b'x'; EVENT_LIMIT + 1]), Err(TooLarge));
    }
}
