//! Requests with an absolute address.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, SinkExt, StreamExt};
use sandbox_core::model::{NetworkConfig, NetworkMode};
use sandbox_runtime::egress::{Denied, Egress, EgressError, Places, Resolve, Sites};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::support::*;

/// Says what it got: the headers at `/headers`, the body at `/echo`.
fn talkative() -> Router {
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route(
            "/headers",
            get(|headers: HeaderMap| async move {
                let mut lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
                lines.sort();
                ([("connection", "x-hop"), ("x-hop", "1"), ("x-end", "1")], lines.join("\n"))
            }),
        )
        .route("/echo", post(|body: String| async move { body }))
        .route("/stream", post(|body: Body| async move { body }))
}

#[tokio::test]
async fn get_and_post_are_carried_to_a_private_address_that_is_named() {
    let site = Destination::site(talkative()).await;
    let at = site.address;
    let proxy = Setup::default().allow_private(at).start().await;
    assert_eq!(proxy.get(&format!("http://{at}/")).await.body, "hello");
    let posted = format!("POST http://{at}/echo HTTP/1.1\r\nHost: {at}\r\nContent-Length: 4\r\n\r\nbody");
    assert_eq!(proxy.request(&posted).await.body, "body");
    let chunked = format!(
        "POST http://{at}/echo HTTP/1.1\r\nHost: {at}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"
    );
    assert_eq!(proxy.request(&chunked).await.body, "body");
}

#[tokio::test]
async fn private_address_is_refused_with_a_sentence_that_names_the_setting() {
    let site = Destination::site(talkative()).await;
    let at = site.address;
    let mut proxy = Setup::default().start().await;
    let answer = proxy.get(&format!("http://{at}/")).await;
    let expected = format!(
        "Baton refused this request: {at}: 127.0.0.1 is not a public address; network.allowPrivate of this sandbox decides that.\n"
    );
    assert_eq!((answer.status, answer.body), (403, expected));
    let denied = Denied {
        host: "127.0.0.1".to_owned(),
        port: site.port(),
        reason: "127.0.0.1 is not a public address".to_owned(),
        setting: Some("network.allowPrivate"),
    };
    assert_eq!(proxy.next_denied().await, denied);
    site.assert_untouched();
}

#[tokio::test]
async fn no_spelling_of_a_private_address_gets_through() {
    let site = Destination::site(talkative()).await;
    let proxy = Setup::default().start().await;
    for spelling in spellings_of_loopback(site.port()) {
        assert_eq!(proxy.get(&format!("http://{spelling}/")).await.status, 403, "{spelling}");
        let connect = proxy.request(&format!("CONNECT {spelling} HTTP/1.1\r\nHost: {spelling}\r\n\r\n")).await;
        assert_eq!(connect.status, 403, "{spelling}");
    }
    site.assert_untouched();
}

#[tokio::test]
async fn addresses_of_the_machine_itself_are_refused_though_they_may_be_public() {
    let own = nix::ifaddrs::getifaddrs().unwrap().filter_map(|interface| interface.address).find_map(|address| {
        let v4 = IpAddr::from(address.as_sockaddr_in()?.ip());
        (!v4.is_loopback()).then_some(v4)
    });
    // A machine without any interface but loopback has no such address.
    let Some(own) = own else { return };
    let proxy = Setup::default().name("own.example", &own.to_string()).start().await;
    assert_eq!(proxy.get("http://own.example/").await.status, 403);
}

#[tokio::test]
async fn headers_of_one_hop_go_no_further() {
    let site = Destination::site(talkative()).await;
    let at = site.address;
    let proxy = Setup::default().allow_private(at).start().await;
    let request = format!(
        "GET http://{at}/headers HTTP/1.1\r\nHost: {at}\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nX-Yours: 2\r\n\
         Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nKeep-Alive: 5\r\nTE: trailers\r\n\
         Upgrade: h2c\r\n\r\n"
    );
    let answer = proxy.request(&request).await;
    // `Connection` is the proxy's own word for its hop, as a browser without a proxy would say it.
    assert_eq!(answer.body, format!("connection: \"keep-alive\"\nhost: \"{at}\"\nx-yours: \"2\""));
    assert!(answer.head.contains("x-end: 1") && !answer.head.contains("x-hop"), "{}", answer.head);
}

#[tokio::test]
async fn each_request_of_a_kept_connection_is_decided_anew() {
    let (open, other, closed) = tokio::join!(
        Destination::site(talkative()),
        Destination::site(Router::new().route("/", get(|| async { "other" }))),
        Destination::site(talkative()),
    );
    let mut proxy = Setup::default().allow_private(open.address).allow_private(other.address).start().await;
    let mut stream = proxy.dial().await;
    let get = |at: std::net::SocketAddr| format!("GET http://{at}/ HTTP/1.1\r\nHost: {at}\r\n\r\n");
    assert_eq!(exchange(&mut stream, &get(open.address)).await.body, "hello");
    assert_eq!(exchange(&mut stream, &get(open.address)).await.body, "hello");
    assert_eq!(open.n_connections(), 1, "the connection is kept");
    assert_eq!(exchange(&mut stream, &get(other.address)).await.body, "other");
    assert_eq!(exchange(&mut stream, &get(closed.address)).await.status, 403);
    assert_eq!(exchange(&mut stream, &get(open.address)).await.body, "hello");
    assert_eq!(proxy.next_denied().await.port, closed.port());
    closed.assert_untouched();
}

#[tokio::test]
async fn kept_connection_that_the_destination_closed_is_opened_anew() {
    let site = Destination::start(|mut stream| async move {
        read_lines(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    })
    .await;
    let at = site.address;
    let proxy = Setup::default().allow_private(at).start().await;
    let mut stream = proxy.dial().await;
    for _ in 0..3 {
        let answer = exchange(&mut stream, &format!("GET http://{at}/ HTTP/1.1\r\nHost: {at}\r\n\r\n")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }
    assert_eq!(site.n_connections(), 3);
}

#[tokio::test]
async fn host_must_agree_with_the_address() {
    let site = Destination::site(talkative()).await;
    let (at, port) = (site.address, site.port());
    let proxy = Setup::default().allow_private(at).start().await;
    let check = async |host_lines: &str, expected: u16| {
        let answer = proxy.request(&format!("GET http://{at}/ HTTP/1.1\r\n{host_lines}\r\n")).await;
        assert_eq!(answer.status, expected, "{host_lines:?}: {}", answer.body);
    };
    check(&format!("Host: 127.1:{port}\r\n"), 200).await;
    check("Host: example.org\r\n", 403).await;
    check(&format!("Host: example.org:{port}\r\n"), 403).await;
    check("Host: 127.0.0.1\r\n", 403).await;
    check(&format!("Host: user@127.0.0.1:{port}\r\n"), 403).await;
    check(&format!("Host: {at}\r\nHost: example.org\r\n"), 400).await;
    check("", 400).await;
    assert_eq!(site.n_connections(), 1);
}

#[tokio::test]
async fn what_a_proxy_cannot_carry_is_refused_readably() {
    let proxy = Setup::default().start().await;
    let check = async |request: &str, status: u16, expected: &str| {
        let answer = proxy.request(request).await;
        assert_eq!(answer.status, status, "{request:?}: {}", answer.body);
        assert!(answer.body.contains(expected), "{request:?}: {}", answer.body);
    };
    check("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", 400, "without a host").await;
    check("GET https://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", 400, "CONNECT").await;
    check("GET ftp://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", 400, "scheme").await;
    check("GET http://user:pw@example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", 403, "'@'").await;
    check("CONNECT example.org HTTP/1.1\r\nHost: example.org\r\n\r\n", 400, "port").await;
    check("CONNECT user@example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n", 403, "'@'").await;
    check("CONNECT example.org:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n", 403, "other.example").await;
    check("GET http://no.example/ HTTP/1.1\r\nHost: no.example\r\n\r\n", 502, "no such name").await;
    for bad in ["GET http://exa\0mple.org/ HTTP/1.1\r\n\r\n", "\r\n\x01\x02\r\n\r\n"] {
        let mut stream = proxy.dial().await;
        stream.write_all(bad.as_bytes()).await.unwrap();
        let answer = String::from_utf8(read_rest(&mut stream).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{bad:?}: {answer}");
    }
}

#[tokio::test]
async fn password_in_an_address_is_not_written_down() {
    let mut proxy = Setup::default().start().await;
    let answer = proxy.request("GET http://u:hunter2@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n").await;
    let denied = proxy.next_denied().await;
    assert_eq!(denied.host, "a.example");
    assert!(!format!("{answer:?} {denied:?}").contains("hunter2"));
}

#[tokio::test]
async fn redirect_to_a_private_address_is_refused_when_it_is_followed() {
    let inner = Destination::site(talkative()).await;
    let target = format!("http://{}/", inner.address);
    let outer =
        Destination::site(Router::new().route("/", get(move || async move { Redirect::temporary(&target) }))).await;
    let proxy = Setup::default().allow_private(outer.address).start().await;
    let answer = proxy.get(&format!("http://{}/", outer.address)).await;
    assert_eq!(answer.status, 307);
    let location = answer.head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
    assert_eq!(proxy.get(&location).await.status, 403);
    inner.assert_untouched();
}

#[tokio::test]
async fn name_that_resolves_to_a_private_address_is_refused() {
    let site = Destination::site(talkative()).await;
    let port = site.port();
    let mut proxy = Setup::default().name("rebind.example", "127.0.0.1").start().await;
    assert_eq!(proxy.get(&format!("http://rebind.example:{port}/")).await.status, 403);
    assert_eq!(proxy.next_denied().await.host, "rebind.example");
    site.assert_untouched();
}

#[tokio::test]
async fn name_is_open_by_its_address_or_by_itself() {
    let site = Destination::site(talkative()).await;
    let port = site.port();
    let url = format!("http://inside.example:{port}/");
    for pattern in [format!("127.0.0.1:{port}"), "inside.example".to_owned(), format!("*.example:{port}")] {
        let proxy = Setup::default().name("inside.example", "127.0.0.1").allow_private(&pattern).start().await;
        assert_eq!(proxy.get(&url).await.body, "hello", "{pattern}");
    }
    // The private address among the answers is left out; what remains is tried.
    let mixed = Setup::default().name("mixed.example", "10.0.0.1").name("mixed.example", "127.0.0.1");
    let proxy = mixed.allow_private(site.address).start().await;
    assert_eq!(proxy.get(&format!("http://mixed.example:{port}/")).await.body, "hello");
}

/// Says a public address first and the loopback one from then on.
struct Rebinding(AtomicUsize);

impl Resolve for Rebinding {
    fn resolve(&self, _: &str) -> BoxFuture<'_, std::io::Result<Vec<IpAddr>>> {
        let n_before = self.0.fetch_add(1, Ordering::SeqCst);
        // 192.0.2.1 is of documentation, and named below: nobody answers there, which is all that is wanted.
        let address: IpAddr = if n_before == 0 { [192, 0, 2, 1].into() } else { [127, 0, 0, 1].into() };
        async move { Ok(vec![address]) }.boxed()
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    let site = Destination::site(talkative()).await;
    let (denied, _denied) = mpsc::channel(8);
    let network = NetworkConfig { allow_private: vec!["192.0.2.1".to_owned()], ..NetworkConfig::default() };
    let egress = Egress::with_resolver(
        network,
        None,
        Sites::default(),
        denied,
        Places::nobody(),
        Rebinding(AtomicUsize::new(0)),
    )
    .unwrap();
    for expected in ["HTTP/1.1 502", "HTTP/1.1 403"] {
        let (mut program, room) = tokio::io::duplex(4096);
        let serving = tokio::spawn(std::sync::Arc::clone(&egress).serve(room));
        let at = format!("rebind.example:{}", site.port());
        program.write_all(format!("GET http://{at}/ HTTP/1.1\r\nHost: {at}\r\n\r\n").as_bytes()).await.unwrap();
        let (_, head) = read_head(&mut program).await;
        assert!(head.starts_with(&expected.to_ascii_lowercase()), "{head}");
        drop(program);
        serving.await.unwrap();
    }
    site.assert_untouched();
}

#[tokio::test]
async fn modes_and_lists_decide_by_name() {
    let site = Destination::site(talkative()).await;
    let port = site.port();
    let setup = |mode| {
        let named = Setup::default().mode(mode).name("a.example", "127.0.0.1").name("b.example", "127.0.0.1");
        named.allow_private(site.address)
    };
    let check = async |proxy: &Proxy, host: &str, expected: u16| {
        assert_eq!(proxy.get(&format!("http://{host}:{port}/")).await.status, expected, "{host}");
    };
    let listed = setup(NetworkMode::Allowlist).allow("a.example").start().await;
    check(&listed, "a.example", 200).await;
    check(&listed, "b.example", 403).await;
    let none = setup(NetworkMode::None).allow("*").start().await;
    check(&none, "a.example", 403).await;
    check(&none, "127.0.0.1", 403).await;
    let denied = setup(NetworkMode::Open).allow("*").deny("*.example").start().await;
    check(&denied, "a.example", 403).await;
    check(&denied, "127.0.0.1", 200).await;
}

#[tokio::test]
async fn websocket_opens_by_an_absolute_address() {
    let server = Destination::start(|stream| async move {
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    })
    .await;
    let at = server.address;
    let proxy = Setup::default().allow_private(at).start().await;
    let mut stream = proxy.dial().await;
    let request = format!(
        "GET http://{at}/chat HTTP/1.1\r\nHost: {at}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let answer = exchange(&mut stream, &request).await;
    assert_eq!(answer.status, 101, "{answer:?}");
    assert!(answer.head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{}", answer.head);
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    socket.send(Message::text("over the proxy")).await.unwrap();
    let heard = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(heard, Message::text("over the proxy"));
}

#[tokio::test]
async fn bodies_stream_both_ways_at_once() {
    let site = Destination::site(talkative()).await;
    let at = site.address;
    let proxy = Setup::default().allow_private(at).start().await;
    let mut stream = proxy.dial().await;
    let head = format!("POST http://{at}/stream HTTP/1.1\r\nHost: {at}\r\nTransfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // Each part comes back before the next is sent: nobody on the way waits for the whole.
    for round in 0..4 {
        let part = format!("part{round}");
        stream.write_all(format!("5\r\n{part}\r\n").as_bytes()).await.unwrap();
        if round == 0 {
            assert_eq!(read_head(&mut stream).await.0, 200);
        }
        assert_eq!(read_exactly(&mut stream, 10).await, format!("5\r\n{part}\r\n").as_bytes());
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(read_exactly(&mut stream, 5).await, b"0\r\n\r\n");
}

#[tokio::test]
async fn big_body_arrives_whole() {
    const LEN: usize = 16 * 1024 * 1024;
    let site = Destination::site(talkative()).await;
    let at = site.address;
    let proxy = Setup::default().allow_private(at).start().await;
    let (mut from, mut to) = proxy.dial().await.into_split();
    let sent: Vec<u8> = (0..LEN).map(|index| (index / 251) as u8).collect();
    let expected = sent.clone();
    let sending = tokio::spawn(async move {
        let head = format!("POST http://{at}/stream HTTP/1.0\r\nHost: {at}\r\nContent-Length: {LEN}\r\n\r\n");
        to.write_all(head.as_bytes()).await.unwrap();
        to.write_all(&sent).await.unwrap();
        to
    });
    assert_eq!(read_head(&mut from).await.0, 200);
    let mut heard = Vec::new();
    tokio::time::timeout(PATIENCE, from.read_to_end(&mut heard)).await.unwrap().unwrap();
    assert!(heard == expected, "{} of {LEN} bytes came, or others", heard.len());
    sending.await.unwrap();
}

#[tokio::test]
async fn answers_of_the_destination_keep_their_status() {
    let site = Destination::site(Router::new().route("/", get(|| async { (StatusCode::IM_A_TEAPOT, "tea") }))).await;
    let proxy = Setup::default().allow_private(site.address).start().await;
    let answer = proxy.get(&format!("http://{}/", site.address)).await;
    assert_eq!((answer.status, answer.body.as_str()), (418, "tea"));
}

#[tokio::test]
async fn settings_that_cannot_be_understood_are_typed_errors() {
    let new = |network: NetworkConfig, outbound: Option<&str>| {
        let (denied, _) = mpsc::channel(1);
        Egress::new(network, outbound.map(str::to_owned), Sites::default(), denied, Places::nobody())
            .map(drop)
            .unwrap_err()
    };
    let error = new(NetworkConfig { allow: vec!["https://x.example".to_owned()], ..Default::default() }, None);
    assert!(matches!(&error, EgressError::Policy(policy) if policy.setting == "allow"), "{error}");
    let error = new(NetworkConfig::default(), Some("ftp://u:hunter2@proxy.example"));
    assert!(matches!(error, EgressError::OutboundProxy(_)), "{error}");
    assert_eq!(error.to_string(), "read byoProxyUrl: the scheme \"ftp\" is not supported; use http or socks5");
}

/// A connection of a program, without a socket: no clock but the paused one runs.
fn connect_to_proxy() -> tokio::io::DuplexStream {
    let (denied, _) = mpsc::channel(1);
    let (network, names) = (NetworkConfig::default(), Names::default());
    let egress = Egress::with_resolver(network, None, Sites::default(), denied, Places::nobody(), names).unwrap();
    let (program, proxy) = tokio::io::duplex(1024);
    tokio::spawn(egress.serve(proxy));
    program
}

#[tokio::test(start_paused = true)]
async fn a_head_is_not_waited_for_without_end() {
    for said in ["", "GET http://a.example/ HTTP/1.1\r\nHost: a.exam"] {
        let mut program = connect_to_proxy();
        program.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(std::time::Duration::from_secs(3600), program.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "{said:?}: the connection is held for an hour");
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused_before_much_of_it_is_taken() {
    let mut program = connect_to_proxy();
    program.write_all(b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nX-Long: ").await.unwrap();
    let mut taken = 0;
    while program.write_all(&[b'x'; 1024]).await.is_ok() {
        taken += 1024;
        assert!(taken < 160 << 10, "{taken} bytes of a head were taken");
    }
    let mut answer = Vec::new();
    program.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 431 "), "{:?}", String::from_utf8_lossy(&answer));
}
