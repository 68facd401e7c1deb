//! What a provider's refusal means, in its own words.

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;

use super::error::ModelErrorKind;

/// The longest text that is passed on of an answer that nobody understands.
const EXCERPT_CHARS: usize = 300;

/// What a provider says instead of an answer, in a body or in the middle of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub kind: ModelErrorKind,
    pub message: String,
    /// The field that the provider did not take, where it names one.
    pub param: Option<String>,
}

/// Reads the body of an answer with this status.
pub(super) fn of_body(status: u16, body: &[u8]) -> Refusal {
    if let Ok(value) = serde_json::from_slice::<Value>(body)
        && let Some(refusal) = of_value(Some(status), &value)
    {
        return refusal;
    }
    let text = String::from_utf8_lossy(body);
    let excerpt: String = text.trim().chars().take(EXCERPT_CHARS).collect();
    let message = if excerpt.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {excerpt}") };
    Refusal { kind: kind(Some(status), "", &message), message, param: None }
}

/// Reads an error as any of the providers writes it; `None` if it is none.
pub(super) fn of_value(status: Option<u16>, value: &Value) -> Option<Refusal> {
    // `{"error": {…}}` of nearly all, `{"error": "…"}` of Ollama, `{"object": "error", …}` of vLLM, `{"detail": …}` of FastAPI.
    let error = match &value["error"] {
        Value::Null if value["object"] == "error" || value["type"] == "error" => value,
        Value::Null => &value["detail"],
        error => error,
    };
    let message = match error {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Object(_) if error["message"].is_string() => {
            error["message"].as_str().map(str::to_owned).unwrap_or_default()
        }
        other => other.to_string(),
    };
    // OpenRouter passes on what the provider behind it said, as text or as JSON in text.
    let metadata = &error["metadata"];
    let inner = match &metadata["raw"] {
        Value::String(raw) => serde_json::from_str::<Value>(raw)
            .ok()
            .and_then(|raw| of_value(None, &raw))
            .map_or_else(|| raw.chars().take(EXCERPT_CHARS).collect(), |refusal| refusal.message),
        Value::Null => String::new(),
        raw => of_value(None, raw).map_or_else(|| raw.to_string(), |refusal| refusal.message),
    };
    let message = match metadata["provider_name"].as_str() {
        _ if inner.is_empty() => message,
        Some(provider) => format!("{message}: {provider}: {inner}"),
        None => format!("{message}: {inner}"),
    };
    let code = error["code"].as_str().or(error["type"].as_str()).unwrap_or_default();
    let number = error["code"].as_u64().and_then(|code| u16::try_from(code).ok());
    let kind = kind(status.filter(|status| *status >= 400).or(number), code, &message);
    Some(Refusal { kind, message, param: error["param"].as_str().map(str::to_owned) })
}

/// Returns what kind of end it is, by the provider's code first and the status second.
fn kind(status: Option<u16>, code: &str, message: &str) -> ModelErrorKind {
    match code {
        "context_length_exceeded" | "request_too_large" | "exceed_context_size_error" => {
            return ModelErrorKind::TooLong;
        }
        "insufficient_quota" | "billing_error" | "authentication_error" | "permission_error" | "invalid_api_key" => {
            return ModelErrorKind::Auth;
        }
        "overloaded_error" | "api_error" | "server_error" | "timeout_error" => return ModelErrorKind::Overloaded,
        "rate_limit_error" | "rate_limit_exceeded" => return ModelErrorKind::RateLimited,
        _ => {}
    }
    match status {
        Some(401..=403) => ModelErrorKind::Auth,
        Some(413) => ModelErrorKind::TooLong,
        Some(429) => ModelErrorKind::RateLimited,
        Some(408 | 409 | 500..) => ModelErrorKind::Overloaded,
        Some(_) if says_too_long(message) => ModelErrorKind::TooLong,
        Some(_) => ModelErrorKind::Refused,
        // In the middle of a stream that began well, without a code that we know: the provider's trouble, not the request's.
        None => ModelErrorKind::Overloaded,
    }
}

/// Whether the words are those of a conversation that does not fit.
///
/// Anthropic, vLLM and most of those behind OpenRouter have no code for it: there is nothing but the text to go by.
fn says_too_long(message: &str) -> bool {
    let message = message.to_lowercase();
    ["prompt is too long", "context length", "context window", "context size", "too many tokens", "input is too long"]
        .iter()
        .any(|words| message.contains(words))
}

/// Returns how long the provider asks to wait; `now_ms` is for those that name a date.
pub(super) fn retry_after(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let asked = text("retry-after")?;
    if let Ok(seconds) = asked.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at = httpdate::parse_http_date(asked).ok()?;
    let at_ms = at.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis();
    let now_ms = u128::try_from(now_ms).unwrap_or_default();
    Some(Duration::from_millis(u64::try_from(at_ms.saturating_sub(now_ms)).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::ModelErrorKind::{Auth, Overloaded, RateLimited, Refused, TooLong};
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, kind: ModelErrorKind, message: &str) {
        let refusal = of_body(status, body.as_bytes());
        assert_eq!((refusal.kind, refusal.message.as_str()), (kind, message));
    }

    #[test]
    fn each_provider_s_own_words_are_found() {
        check(
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
            Overloaded,
            "Overloaded",
        );
        check(
            401,
            r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
            Auth,
            "invalid x-api-key",
        );
        check(
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            Auth,
            "You exceeded your current quota",
        );
        check(404, r#"{"error":"model 'llama9' not found"}"#, Refused, "model 'llama9' not found");
        check(
            400,
            r#"{"object":"error","message":"bad thing","type":"BadRequestError","param":null,"code":400}"#,
            Refused,
            "bad thing",
        );
        check(422, r#"{"detail":[{"loc":["body"],"msg":"no"}]}"#, Refused, r#"[{"loc":["body"],"msg":"no"}]"#);
        check(502, "<html>Bad Gateway</html>", Overloaded, "HTTP 502: <html>Bad Gateway</html>");
        check(503, "", Overloaded, "HTTP 503");
    }

    #[test]
    fn openrouter_names_the_provider_behind_it() {
        let body = r#"{"error":{"code":429,"message":"Provider returned error","metadata":{"provider_name":"Chutes","raw":"{\"error\":{\"message\":\"slow down\"}}"}}}"#;
        check(429, body, RateLimited, "Provider returned error: Chutes: slow down");
        let body = r#"{"error":{"code":402,"message":"Insufficient credits"},"user_id":"u"}"#;
        check(402, body, Auth, "Insufficient credits");
    }

    #[test]
    fn a_conversation_that_does_not_fit_is_told_apart() {
        let check = |body: &str| assert_eq!(of_body(400, body.as_bytes()).kind, TooLong, "{body}");
        check(r#"{"error":{"message":"x","type":"invalid_request_error","code":"context_length_exceeded"}}"#);
        check(
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
        );
        check(r#"{"error":{"message":"This model's maximum context length is 8192 tokens","code":400}}"#);
    }

    #[test]
    fn the_wait_is_read_in_seconds_milliseconds_or_as_a_date() {
        let check = |name: &'static str, value: &str, expected_ms: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(retry_after(&headers, 1_445_412_470_000), expected_ms.map(Duration::from_millis), "{value}");
        };
        check("retry-after", "7", Some(7000));
        check("retry-after", "0.5", Some(500));
        check("retry-after-ms", "250", Some(250));
        check("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", Some(10_000));
        check("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT", Some(0));
        check("retry-after", "soon", None);
        check("retry-after", "-1", None);
    }
}
