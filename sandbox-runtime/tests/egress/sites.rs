//! Built-in sites: served in process, under their own name.

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, Uri};
use axum::routing::{get, post};
use futures_util::{SinkExt, StreamExt};
use sandbox_core::model::NetworkMode;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use super::support::*;

fn portal() -> Router {
    Router::new()
        .route(
            "/at/{*rest}",
            get(|uri: Uri, headers: HeaderMap| async move { format!("{uri} of {:?}", headers["host"]) }),
        )
        .route("/form", post(|body: String| async move { body }))
        .route(
            "/ws",
            get(|upgrade: WebSocketUpgrade| async move {
                upgrade.on_upgrade(|mut socket| async move {
                    while let Some(Ok(message)) = socket.next().await {
                        if socket.send(message).await.is_err() {
                            return;
                        }
                    }
                })
            }),
        )
}

async fn start(mode: NetworkMode) -> Proxy {
    Setup::default().mode(mode).site("portal.example", portal()).start().await
}

#[tokio::test]
async fn site_is_served_in_every_mode_and_nothing_else_with_it() {
    for mode in [NetworkMode::Open, NetworkMode::Allowlist, NetworkMode::None] {
        let proxy = start(mode).await;
        let answer = proxy.get("http://portal.example/at/a?b=c").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "/at/a?b=c of \"portal.example\""), "{mode:?}");
        let refused = proxy.get("http://www.portal.example/").await;
        assert_ne!(refused.status, 200, "{mode:?}");
    }
}

#[tokio::test]
async fn site_is_served_on_a_kept_connection_within_a_tunnel_and_over_socks() {
    let proxy = start(NetworkMode::None).await;
    let form = "POST /form HTTP/1.1\r\nHost: portal.example\r\nContent-Length: 4\r\n\r\na=b!";
    let mut tunnel = proxy.tunnel("portal.example:80").await;
    for _ in 0..2 {
        assert_eq!(exchange(&mut tunnel, form).await.body, "a=b!");
    }
    assert_eq!(exchange(&mut tunnel, &form.replace("Host: p", "Host: other.p")).await.status, 403);

    let mut kept = proxy.dial().await;
    for _ in 0..2 {
        let absolute = form.replace("/form", "http://Portal.Example:80/form");
        assert_eq!(exchange(&mut kept, &absolute).await.body, "a=b!");
    }

    let mut socks = proxy.dial().await;
    socks.write_all(b"\x05\x01\x00").await.unwrap();
    read_exactly(&mut socks, 2).await;
    socks.write_all(b"\x05\x01\x00\x03\x0eportal.example\x00\x50").await.unwrap();
    assert_eq!(read_exactly(&mut socks, 10).await[1], 0);
    assert_eq!(exchange(&mut socks, form).await.body, "a=b!");
}

#[tokio::test]
async fn site_opens_websockets() {
    let proxy = start(NetworkMode::None).await;
    let tunnel = proxy.tunnel("portal.example:80").await;
    let (mut socket, _) = tokio_tungstenite::client_async("ws://portal.example/ws", tunnel).await.unwrap();
    socket.send(Message::text("to the portal")).await.unwrap();
    let heard = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(heard, Message::text("to the portal"));
}

#[tokio::test]
async fn other_ports_of_a_site_say_where_it_is() {
    let mut proxy = start(NetworkMode::Open).await;
    let answer = proxy.request("CONNECT portal.example:443 HTTP/1.1\r\nHost: portal.example:443\r\n\r\n").await;
    assert_eq!(answer.status, 502);
    assert!(answer.body.contains("port 80"), "{}", answer.body);
    // Browsers try https first of their own accord: not worth a line in the history.
    assert!(proxy.denied.try_recv().is_err());
}
