//! The contract's edges, route by route: who is let in, what is refused and how. The routes are taken from the document,
//! so that a new one is covered by being there.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Access, Api, openapi_json};
use crate::service::Service;

/// Answers without a socket, as if it listened on [`PORT`].
pub(super) struct Bench {
    api: Api,
    router: Router,
    _home: tempfile::TempDir,
}

const PORT: u16 = 4242;
const HOST: &str = "127.0.0.1:4242";

impl Bench {
    pub(super) async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let api = Api::new(Service::start(home.path()).await.unwrap());
        api.inner.port.set(PORT).unwrap();
        Self { router: api.router(), api, _home: home }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(super) fn request(&self, method: &Method, path: &str) -> axum::http::request::Builder {
        let bearer = format!("Bearer {}", self.api.token());
        Request::builder().method(method).uri(path).header("host", HOST).header("authorization", bearer)
    }

    pub(super) async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.send(self.request(&Method::GET, path).body(Body::empty()).unwrap()).await).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.request(&Method::POST, path).header("content-type", "application/json");
        read(self.send(request.body(Body::from(body.to_string())).unwrap()).await).await
    }
}

pub(super) async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// One operation of the document.
struct Operation {
    method: Method,
    /// With names of things that do not exist.
    path: String,
    open: bool,
    json_body: bool,
    follows: bool,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let paths: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_value(document["paths"].clone()).unwrap();
    let mut all = Vec::new();
    for (path, methods) in paths {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "none_0" } else { part });
        let filled = parts.collect::<Vec<_>>().join("/");
        for (method, operation) in methods {
            all.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: filled.clone(),
                open: operation["security"] != json!([{ "bearer": [] }]),
                json_body: operation["requestBody"]["content"].get("application/json").is_some(),
                follows: path == "/v1/events",
            });
        }
    }
    assert!(all.len() > 40, "the document has {} operations", all.len());
    all
}

#[track_caller]
fn assert_refusal(status: StatusCode, body: &Value, expected: StatusCode, code: &str, what: &str) {
    assert_eq!(status, expected, "{what}: {body}");
    assert_eq!(body["error"]["code"], code, "{what}: {body}");
    assert!(body["error"]["message"].as_str().is_some_and(|message| message.len() > 8), "{what}: {body}");
}

#[tokio::test]
async fn no_route_but_the_open_ones_answers_without_a_token() {
    let bench = Bench::new().await;
    let mut open = Vec::new();
    for operation in operations() {
        let Operation { method, path, .. } = &operation;
        let what = format!("{method} {path}");
        if operation.open {
            open.push(what);
            continue;
        }
        let bare = || Request::builder().method(method).uri(path).header("host", HOST);
        for request in [
            bare(),
            bare().header("authorization", "Bearer "),
            bare().header("authorization", format!("Basic {}", bench.api.token())),
            bare().header("cookie", format!("token={}", bench.api.token())),
        ] {
            let (status, body) = read(bench.send(request.body(Body::empty()).unwrap()).await).await;
            assert_refusal(status, &body, StatusCode::UNAUTHORIZED, "unauthorized", &what);
        }
        let in_address = format!("{path}?token={0}&access_token={0}", bench.api.token());
        let request = Request::builder().method(method).uri(&in_address).header("host", HOST);
        let (status, _) = read(bench.send(request.body(Body::empty()).unwrap()).await).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}");
    }
    let by_ticket = [
        "GET /v1/artifacts/none_0/content",
        "GET /v1/cdp/none_0",
        "GET /v1/cdp/none_0/devtools/page/none_0",
        "GET /v1/cdp/none_0/json",
        "GET /v1/cdp/none_0/json/list",
        "GET /v1/cdp/none_0/json/version",
        "GET /v1/cdp/none_0/json/version/",
        "GET /v1/tasks/none_0/bundle",
    ];
    let without_either = ["GET /v1/health", "POST /v1/tickets/redeem"];
    let mut expected = [by_ticket.as_slice(), &without_either].concat();
    expected.sort_unstable();
    open.sort_unstable();
    assert_eq!(open, expected);
    for operation in by_ticket {
        let path = operation.trim_start_matches("GET ");
        let request = Request::builder().uri(path).header("host", HOST).body(Body::empty()).unwrap();
        let (status, body) = read(bench.send(request).await).await;
        assert_refusal(status, &body, StatusCode::UNAUTHORIZED, "unauthorized", operation);
    }
}

#[tokio::test]
async fn wrong_tokens_are_refused_and_do_not_lock_the_right_one_out() {
    let bench = Bench::new().await;
    for at in 0..25 {
        let request = Request::builder().uri("/v1/sandboxes").header("host", HOST);
        let request = request.header("authorization", format!("Bearer {at:064x}")).body(Body::empty()).unwrap();
        let (status, body) = read(bench.send(request).await).await;
        assert_refusal(status, &body, StatusCode::UNAUTHORIZED, "unauthorized", "wrong token");
    }
    assert_eq!(bench.get("/v1/sandboxes").await.0, StatusCode::OK);
}

#[tokio::test]
async fn every_route_refuses_foreign_hosts_and_origins_even_with_a_token() {
    let bench = Bench::new().await;
    for operation in operations() {
        let Operation { method, path, .. } = &operation;
        let bearer = format!("Bearer {}", bench.api.token());
        for (host, origin) in [
            ("evil.example", None),
            ("evil.example:4242", None),
            ("127.0.0.1:4243", None),
            (HOST, Some("http://evil.example")),
            (HOST, Some("null")),
            (HOST, Some("http://127.0.0.1:4243")),
            (HOST, Some("tauri://localhost")),
        ] {
            let mut request = Request::builder().method(method).uri(path).header("authorization", &bearer);
            request = request.header("host", host);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let (status, body) = read(bench.send(request.body(Body::empty()).unwrap()).await).await;
            let what = format!("{method} {path} at {host} from {origin:?}");
            assert_refusal(status, &body, StatusCode::FORBIDDEN, "forbidden", &what);
        }
    }
    let home = Request::builder().uri("/").header("host", "evil.example").body(Body::empty()).unwrap();
    assert_eq!(bench.send(home).await.status(), StatusCode::FORBIDDEN, "the interface's files as well");
}

#[tokio::test]
async fn every_json_route_wants_the_media_type() {
    let bench = Bench::new().await;
    let with_body: Vec<_> = operations().into_iter().filter(|operation| operation.json_body).collect();
    assert!(with_body.len() >= 15, "{} routes take JSON", with_body.len());
    for Operation { method, path, .. } in with_body {
        for media_type in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"]
        {
            let request = bench.request(&method, &path).header("content-type", media_type);
            let (status, body) = read(bench.send(request.body(Body::from("{}")).unwrap()).await).await;
            let what = format!("{method} {path} as {media_type}");
            assert_refusal(status, &body, StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupportedMediaType", &what);
        }
        let request = bench.request(&method, &path).body(Body::from("{}")).unwrap();
        let (status, body) = read(bench.send(request).await).await;
        assert_refusal(status, &body, StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupportedMediaType", &path);
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_in_words_and_never_break_a_route() {
    let bench = Bench::new().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: Vec<Vec<u8>> = [
        "",
        "{",
        "null",
        "[]",
        "1",
        "\"\"",
        "{}}",
        "{\"a\":1}",
        "{\"command\":1}",
        "{\"url\":null}",
        "\u{feff}{}",
        "nul",
        "{\"command\":\"\",\"timeoutMs\":-1}",
        "{\"width\":1e999,\"height\":0}",
        "{\"path\":\"\\u0000\"}",
        "{\"controller\":\"\"}",
        "{\"reason\":\"mfa\"}",
        "{\"prompt\":\"x\",\"playbook\":\"y\"}",
        "{\"mode\":\"control\",\"ttlMs\":-9223372036854775808}",
        "{\"command\":\"a\",\"command\":\"b\"}",
        &deep,
    ]
    .iter()
    .map(|body| body.as_bytes().to_vec())
    .chain([b"\xff\xfe".to_vec(), b"{\"command\":\"\xff\"}".to_vec(), b"{\"a\":\"\0\"}".to_vec()])
    .collect();
    for Operation { method, path, .. } in operations().into_iter().filter(|operation| operation.json_body) {
        if path == "/v1/demo" || path == "/v1/sandboxes" {
            continue; // What would be good there makes a sandbox; their own tests follow.
        }
        for body in &bodies {
            let request = bench.request(&method, &path).header("content-type", "application/json");
            let (status, answer) = read(bench.send(request.body(Body::from(body.clone())).unwrap()).await).await;
            let what = format!("{method} {path} with {:?}", String::from_utf8_lossy(&body[..body.len().min(60)]));
            assert!(status.is_client_error(), "{what}: {status} {answer}");
            assert!(answer["error"]["code"].is_string() && answer["error"]["message"].is_string(), "{what}: {answer}");
        }
    }
    for body in
        ["{", "null", "{\"name\":1}", "{\"limits\":{\"memoryMb\":-1}}", "{\"unknown\":1}", "{\"backend\":\"vm\"}"]
    {
        let request = bench.request(&Method::POST, "/v1/sandboxes").header("content-type", "application/json");
        let (status, answer) = read(bench.send(request.body(Body::from(body)).unwrap()).await).await;
        assert_refusal(status, &answer, StatusCode::BAD_REQUEST, "invalid", body);
        assert!(answer["error"]["details"]["line"].is_u64(), "{body}: {answer}");
    }
}

#[tokio::test]
async fn bad_paths_and_queries_never_break_a_route() {
    let bench = Bench::new().await;
    let names = ["%00", "%ff", "%2e%2e", "..%2f..", "a%20b", "%F0%9F%92%A5", &"x".repeat(4000), "'%3B--"];
    let queries = [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "limit=99999999999999999999",
        "cursor=x",
        "cursor=%00",
        "status=x",
        "unknown=1",
        "limit=1&limit=2",
        "q=%22%00",
        "q=*",
        "path=",
        "path=..%2f..%2fetc%2fpasswd",
        "path=%ff",
        "recursive=x",
        "types=x",
        "after=x",
        "waitFor=never",
        "timeoutMs=99999999999",
        "%",
        "=&=",
        "stream=2",
        "ttlMs=x",
        "mode=x",
        "cols=0",
    ];
    for Operation { method, path, follows, .. } in operations() {
        if path == "/v1/demo" || (path == "/v1/sandboxes" && method == Method::POST) {
            continue;
        }
        let addresses = names
            .iter()
            .map(|name| path.replace("none_0", name))
            .chain(queries.iter().map(|query| format!("{path}?{query}")));
        for address in addresses {
            let request = bench.request(&method, &address).header("content-type", "application/json");
            let response = bench.send(request.body(Body::from("{}")).unwrap()).await;
            assert!(!response.status().is_server_error(), "{method} {address}: {}", response.status());
            if follows {
                continue; // Its body does not end.
            }
            let (status, body) = read(response).await;
            if !status.is_success() {
                assert!(body["error"]["code"].is_string(), "{method} {address}: {status} {body}");
            }
        }
    }
}

#[tokio::test]
async fn lists_refuse_what_they_do_not_know() {
    let bench = Bench::new().await;
    for path in ["/v1/sandboxes", "/v1/tasks", "/v1/handoffs", "/v1/artifacts", "/v1/search?q=a"] {
        let (status, body) = bench.get(path).await;
        assert_eq!((status, &body), (StatusCode::OK, &json!({ "data": [], "nextCursor": null })), "{path}");
        let mark = if path.contains('?') { '&' } else { '?' };
        for query in ["limit=0", "limit=201", "limit=x", "cursor=bogus", "colour=red"] {
            let address = format!("{path}{mark}{query}");
            let (status, body) = bench.get(&address).await;
            assert_refusal(status, &body, StatusCode::BAD_REQUEST, "invalid", &address);
        }
        for query in ["limit=1", "limit=200", "cursor="] {
            assert_eq!(bench.get(&format!("{path}{mark}{query}")).await.0, StatusCode::OK, "{path} {query}");
        }
    }
    for path in ["/v1/sandboxes?status=sleeping", "/v1/tasks?status=x", "/v1/handoffs?status=x", "/v1/events?types=x"] {
        let (status, body) = bench.get(path).await;
        assert_refusal(status, &body, StatusCode::BAD_REQUEST, "invalid", path);
    }
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_answer_with_the_error_object() {
    let bench = Bench::new().await;
    for path in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/sandboxes/",
        "/v1/sandboxes/a/b/c",
        "/nothing",
        "/assets/none.js",
        "//v1/health",
    ] {
        let (status, body) = bench.get(path).await;
        assert_refusal(status, &body, StatusCode::NOT_FOUND, "notFound", path);
    }
    for (method, path) in [
        (Method::PATCH, "/v1/sandboxes"),
        (Method::PUT, "/v1/health"),
        (Method::OPTIONS, "/v1/sandboxes"),
        (Method::GET, "/v1/sandboxes/none_0/exec"),
        (Method::POST, "/v1/tasks"),
    ] {
        let response = bench.send(bench.request(&method, path).body(Body::empty()).unwrap()).await;
        assert!(response.headers().contains_key(header::ALLOW), "{method} {path}");
        let (status, body) = read(response).await;
        assert_refusal(status, &body, StatusCode::METHOD_NOT_ALLOWED, "methodNotAllowed", path);
    }
    for path in ["/v1/sandboxes/none_0", "/v1/tasks/none_0", "/v1/tasks/none_0/events", "/v1/artifacts/none_0/url"] {
        let (status, body) = bench.get(path).await;
        assert_refusal(status, &body, StatusCode::NOT_FOUND, "notFound", path);
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let bench = Bench::new().await;
    let body = json!({ "ticket": "x".repeat(super::extract::MAX_JSON) });
    let (status, body) = bench.post("/v1/tickets/redeem", &body).await;
    assert_refusal(status, &body, StatusCode::PAYLOAD_TOO_LARGE, "tooLarge", "redeem");
}

#[tokio::test]
async fn answers_are_not_kept_framed_or_guessed_at() {
    let bench = Bench::new().await;
    for path in ["/v1/health", "/v1/nothing", "/"] {
        let response = bench.send(bench.request(&Method::GET, path).body(Body::empty()).unwrap()).await;
        let said = |name| response.headers().get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        assert_eq!(said(header::X_CONTENT_TYPE_OPTIONS), Some("nosniff"), "{path}");
        assert_eq!(said(header::REFERRER_POLICY), Some("no-referrer"), "{path}");
        let policy = said(header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-eval"), "{path}: {policy}");
        assert!(!policy.contains("script-src") || !policy.contains("unsafe-inline"), "{path}: {policy}");
        assert_eq!(said(header::ACCESS_CONTROL_ALLOW_ORIGIN), None, "{path}");
        assert_eq!(said(header::SET_COOKIE), None, "{path}");
        if path.starts_with("/v1") {
            assert_eq!(said(header::CACHE_CONTROL), Some("no-store"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_ticket_becomes_a_token_once() {
    let bench = Bench::new().await;
    let now = crate::now_ms();
    let ticket = bench.api.tokens().ticket(Access::Full, now + 60_000, now);
    let redeem = |ticket: String| {
        let request = Request::builder().method("POST").uri("/v1/tickets/redeem").header("host", HOST);
        let request = request.header("content-type", "application/json");
        bench.send(request.body(Body::from(json!({ "ticket": ticket }).to_string())).unwrap())
    };
    let (status, body) = read(redeem(ticket.clone()).await).await;
    assert_eq!((status, &body["purpose"]), (StatusCode::OK, &json!("interface")));
    let token = body["token"].as_str().unwrap().to_owned();
    let request = Request::builder().uri("/v1/sandboxes").header("host", HOST);
    let request = request.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
    assert_eq!(bench.send(request).await.status(), StatusCode::OK);
    let (status, body) = read(redeem(ticket).await).await;
    assert_refusal(status, &body, StatusCode::UNAUTHORIZED, "unauthorized", "second use");
    let (status, _) = read(redeem(bench.api.token().to_owned()).await).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "a token is no ticket");
}

#[tokio::test]
async fn calls_inside_the_process_need_no_token_and_have_the_same_answers() {
    let bench = Bench::new().await;
    let health = bench.api.call(Method::GET, "/v1/health", None).await;
    assert_eq!((health.status, health.content_type.as_deref()), (200, Some("application/json")));
    assert_eq!(bench.api.call(Method::GET, "/v1/sandboxes", None).await.status, 200);
    assert_eq!(bench.api.call(Method::GET, "/v1/sandboxes/none_0", None).await.status, 404);
    assert_eq!(bench.api.call(Method::POST, "/v1/sandboxes/none_0/exec", Some(json!({}))).await.status, 400);
    assert_eq!(bench.api.call(Method::GET, "not a path", None).await.status, 400);
}

#[tokio::test]
async fn a_key_that_was_used_for_another_body_is_refused() {
    let bench = Bench::new().await;
    let store = bench.api.service().store();
    // What a first request would have left.
    let first = json!({ "name": "one" }).to_string();
    let request = |key: &str, body: &str| {
        let request = bench.request(&Method::POST, "/v1/sandboxes").header("content-type", "application/json");
        bench.send(request.header("idempotency-key", key).body(Body::from(body.to_owned())).unwrap())
    };
    let kept = crate::store::Recalled {
        body_hash: super::once::hash("", first.as_bytes()),
        status: 201,
        body: "{\"id\":\"sbx_first\"}".to_owned(),
    };
    store.remember("key", "POST /v1/sandboxes", kept).await.unwrap();
    let response = request("key", &first).await;
    assert_eq!(response.headers()["idempotency-replayed"], "true");
    assert_eq!(read(response).await, (StatusCode::CREATED, json!({ "id": "sbx_first" })));
    let (status, body) = read(request("key", "{}").await).await;
    assert_refusal(status, &body, StatusCode::UNPROCESSABLE_ENTITY, "idempotencyMismatch", "other body");
    for key in ["", " ", &"k".repeat(256), "é"] {
        let (status, body) = read(request(key, &first).await).await;
        assert_refusal(status, &body, StatusCode::BAD_REQUEST, "invalid", key);
    }
}

#[tokio::test]
async fn requests_with_one_key_at_one_time_are_done_once() {
    let bench = Bench::new().await;
    let done = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = done.clone();
    let slow = async move || {
        let at = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        // Long enough that every other request has come meanwhile.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        (StatusCode::CREATED, axum::Json(json!({ "at": at })))
    };
    let once = axum::middleware::from_fn_with_state(bench.api.clone(), super::once::once);
    let router = Router::new().route("/v1/demo", axum::routing::post(slow)).layer(once);
    let send = |key: &str| {
        let request = Request::builder().method("POST").uri("/v1/demo").header("idempotency-key", key);
        router.clone().oneshot(request.body(Body::from("{}")).unwrap())
    };
    let answers = futures_util::future::join_all((0..8).map(|_| send("one"))).await;
    for answer in answers {
        assert_eq!(read(answer.unwrap()).await, (StatusCode::CREATED, json!({ "at": 0 })));
    }
    assert_eq!(done.load(std::sync::atomic::Ordering::SeqCst), 1);
    // Whoever hangs up has started it all the same, and finds the answer when he comes back.
    drop(tokio::time::timeout(std::time::Duration::from_millis(50), send("two")).await);
    assert_eq!(read(send("two").await.unwrap()).await, (StatusCode::CREATED, json!({ "at": 1 })));
    assert_eq!(done.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[test]
fn the_committed_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let current = openapi_json();
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == current, "docs/openapi.json is old: script/generate writes it");
}

#[tokio::test]
async fn a_runtime_serves_the_document_with_its_own_address() {
    let bench = Bench::new().await;
    let (status, served) = bench.get("/v1/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(served["servers"][0]["url"], "http://127.0.0.1:4242");
    let committed: Value = serde_json::from_str(&openapi_json()).unwrap();
    assert_eq!(served["paths"], committed["paths"]);
}

#[test]
fn bytes_are_described_as_bytes_and_streams_as_streams() {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let binary = json!({ "type": "string", "format": "binary" });
    let paths = &document["paths"];
    let check = |path: &str, method: &str, place: &str, expected: &[&str]| {
        let content = paths[path][method].pointer(&format!("/{place}/content"));
        let content = content.and_then(Value::as_object).unwrap_or_else(|| panic!("{method} {path} {place}"));
        let kinds: Vec<&str> = content.keys().map(String::as_str).collect();
        assert_eq!(kinds, expected, "{method} {path}");
        for (kind, content) in content {
            let is_text = kind.starts_with("text/") || ["application/json", "application/sdp"].contains(&kind.as_str());
            assert!(is_text || content["schema"] == binary, "{method} {path}: {kind} is {content}");
        }
    };
    check("/v1/sandboxes/{id}/preview/screenshot", "get", "responses/200", &["image/png"]);
    check("/v1/sandboxes/{id}/fs/read", "get", "responses/200", &["application/octet-stream", "*/*"]);
    check("/v1/sandboxes/{id}/fs/write", "put", "requestBody", &["application/octet-stream"]);
    check("/v1/sandboxes/{id}/exec", "post", "responses/200", &["application/json", "text/event-stream"]);
    check("/v1/sandboxes/{id}/whep", "post", "responses/201", &["application/sdp"]);
    check("/v1/events", "get", "responses/200", &["text/event-stream"]);
    for path in ["/v1/sandboxes/{id}/stream", "/v1/sandboxes/{id}/terminal", "/v1/sandboxes/{id}/cdp"] {
        let upgrade = &paths[path]["get"]["responses"]["101"];
        assert!(upgrade["description"].as_str().unwrap().starts_with("WebSocket"), "{path}");
    }
}

#[test]
fn the_document_is_openapi_3_1_and_names_every_type_it_refers_to() {
    let text = openapi_json();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is referred to and not described");
    }
    assert!(document["servers"][0]["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "a server");
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    let mut ids: Vec<&str> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            ids.push(operation["operationId"].as_str().unwrap_or_else(|| panic!("{path} has no operationId")));
            for needed in operation["security"].as_array().unwrap_or_else(|| panic!("{path} says what it needs")) {
                assert!(needed.as_object().unwrap().keys().all(|name| schemes.contains_key(name)), "{path}: {needed}");
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                let words = response["description"].as_str().unwrap_or_default();
                assert!(words.len() > 4, "{path} says nothing about {status}");
            }
        }
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an operationId is used twice");
}
