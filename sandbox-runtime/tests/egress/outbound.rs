//! The outbound proxy that the caller brings: small ones of both kinds, which want credentials.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use sandbox_core::model::NetworkMode;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use super::support::*;

/// What the outbound proxy was asked for.
type Asked = Arc<Mutex<Vec<String>>>;

/// An HTTP proxy for `ann` with `p:w d`, which resolves every name to `inner`.
async fn http_proxy(asked: Asked, inner: std::net::SocketAddr) -> Destination {
    Destination::start(move |mut stream| {
        let asked = Arc::clone(&asked);
        async move {
            let head = read_lines(&mut stream).await;
            // base64 of "ann:p:w d"
            if !head.contains("Proxy-Authorization: Basic YW5uOnA6dyBk\r\n") {
                let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
                return;
            }
            asked.lock().unwrap().push(head.lines().next().unwrap().to_owned());
            let mut upstream = TcpStream::connect(inner).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 Fine\r\nVia: x\r\n\r\n").await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut upstream).await;
        }
    })
    .await
}

/// A SOCKS5 proxy for `ann` with `pw`, which resolves every name to `inner`.
async fn socks_proxy(asked: Asked, inner: std::net::SocketAddr) -> Destination {
    Destination::start(move |mut stream| {
        let asked = Arc::clone(&asked);
        async move {
            assert_eq!(read_exactly(&mut stream, 3).await, [5, 1, 2]);
            stream.write_all(&[5, 2]).await.unwrap();
            let mut sign_in = [0; 8];
            stream.read_exact(&mut sign_in).await.unwrap();
            let is_right = sign_in == *b"\x01\x03ann\x02pw";
            stream.write_all(&[1, u8::from(!is_right)]).await.unwrap();
            if !is_right {
                return;
            }
            assert_eq!(read_exactly(&mut stream, 4).await, [5, 1, 0, 3]);
            let len = stream.read_u8().await.unwrap();
            let name = String::from_utf8(read_exactly(&mut stream, usize::from(len)).await).unwrap();
            let port = stream.read_u16().await.unwrap();
            asked.lock().unwrap().push(format!("{name}:{port}"));
            let mut upstream = TcpStream::connect(inner).await.unwrap();
            stream.write_all(b"\x05\x00\x00\x03\x05bound\x00\x01").await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut upstream).await;
        }
    })
    .await
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

#[tokio::test]
async fn everything_goes_through_an_http_proxy_which_resolves_the_names() {
    let inner = Destination::site(hello()).await;
    let asked = Asked::default();
    let outer = http_proxy(Arc::clone(&asked), inner.address).await;
    let proxy = Setup::default().outbound(format!("http://ann:p%3Aw%20d@{}", outer.address)).start().await;
    assert_eq!(proxy.get("http://a.example/").await.body, "hello");
    let mut tunnel = proxy.tunnel("b.example:8443").await;
    let answer = exchange(&mut tunnel, "GET / HTTP/1.1\r\nHost: b.example:8443\r\n\r\n").await;
    assert_eq!(answer.body, "hello");
    assert_eq!(*asked.lock().unwrap(), ["CONNECT a.example:80 HTTP/1.1", "CONNECT b.example:8443 HTTP/1.1"]);
}

#[tokio::test]
async fn everything_goes_through_a_socks_proxy() {
    let inner = Destination::site(hello()).await;
    let asked = Asked::default();
    let outer = socks_proxy(Arc::clone(&asked), inner.address).await;
    let proxy = Setup::default().outbound(format!("socks5://ann:pw@{}", outer.address)).start().await;
    assert_eq!(proxy.get("http://a.example:8080/").await.body, "hello");
    assert_eq!(*asked.lock().unwrap(), ["a.example:8080"]);
    let wrong = Setup::default().outbound(format!("socks5://ann:xx@{}", outer.address)).start().await;
    let answer = wrong.get("http://a.example/").await;
    assert!(answer.status == 502 && answer.body.contains("credentials"), "{}", answer.body);
}

#[tokio::test]
async fn wrong_credentials_are_said_without_showing_them() {
    let inner = Destination::site(hello()).await;
    let outer = http_proxy(Asked::default(), inner.address).await;
    let proxy = Setup::default().outbound(format!("http://ann:hunter2@{}", outer.address)).start().await;
    let answer = proxy.get("http://a.example/").await;
    assert_eq!(answer.status, 502);
    assert!(answer.body.contains("407") && !answer.body.contains("hunter2"), "{}", answer.body);
    inner.assert_untouched();
}

#[tokio::test]
async fn rules_hold_before_the_outbound_proxy_is_asked() {
    let inner = Destination::site(hello()).await;
    let asked = Asked::default();
    let outer = http_proxy(Arc::clone(&asked), inner.address).await;
    let url = format!("http://ann:p%3Aw%20d@{}", outer.address);
    let open = Setup::default().deny("*.evil.example").outbound(url.clone()).start().await;
    for closed in ["a.evil.example", "127.0.0.1", "10.0.0.1", "localhost", "[::1]", "0x7f.1", "169.254.169.254"] {
        assert_eq!(open.get(&format!("http://{closed}/")).await.status, 403, "{closed}");
    }
    let listed = Setup::default().mode(NetworkMode::Allowlist).allow("a.example").outbound(url).start().await;
    assert_eq!(listed.get("http://b.example/").await.status, 403);
    outer.assert_untouched();
    assert_eq!(listed.get("http://a.example/").await.body, "hello");
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn outbound_proxy_that_is_gone_means_no_network() {
    let inner = Destination::site(hello()).await;
    let outer = http_proxy(Asked::default(), inner.address).await;
    let address = outer.address;
    drop(outer);
    let proxy = Setup::default().allow_private(inner.address).outbound(format!("http://{address}")).start().await;
    assert_eq!(proxy.get(&format!("http://{}/", inner.address)).await.status, 502);
    inner.assert_untouched();
}
