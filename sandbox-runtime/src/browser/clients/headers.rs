//! Request headers as clients see them: those of a browser without a proxy.

use std::borrow::Cow;

use serde_json::Value;

const EVENT: &str = "Network.requestWillBeSentExtraInfo";
const OF_PROXY: &str = "Proxy-Connection";
const OF_SERVER: &str = "Connection";

/// Returns an event's parameters as they are told. What Chromium says to the room's way out is no word to the server, which
/// is told `Connection` in its place.
pub fn told<'a>(method: &str, params: &'a str) -> Cow<'a, str> {
    if method != EVENT || !params.contains(OF_PROXY) {
        return Cow::Borrowed(params);
    }
    let Ok(mut read) = serde_json::from_str::<Value>(params) else { return Cow::Borrowed(params) };
    let Some(headers) = read["headers"].as_object_mut() else { return Cow::Borrowed(params) };
    if let Some(value) = headers.remove(OF_PROXY) {
        headers.entry(OF_SERVER).or_insert(value);
    }
    Cow::Owned(read.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_word_to_the_proxy_is_told_as_the_word_to_the_server() {
        let sent = json!({ "requestId": "1", "headers": { "Host": "a.example", "Proxy-Connection": "keep-alive" } });
        let heard: Value = serde_json::from_str(&told(EVENT, &sent.to_string())).unwrap();
        assert_eq!(heard["headers"], json!({ "Host": "a.example", "Connection": "keep-alive" }));
        assert_eq!(told("Runtime.consoleAPICalled", "{\"a\":\"Proxy-Connection\"}"), "{\"a\":\"Proxy-Connection\"}");
    }
}
