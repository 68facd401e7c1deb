//! What goes where is counted, whichever way a program speaks to the proxy.

use axum::Router;
use axum::routing::get;
use sandbox_core::model::{NetworkDestination, NetworkUser};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::*;

const ANSWER: &str = "an answer of some length";

fn one<'a>(taken: &'a [NetworkDestination], host: &str) -> &'a NetworkDestination {
    taken.iter().find(|each| each.host == host).unwrap_or_else(|| panic!("{host} in {taken:?}"))
}

#[tokio::test]
async fn connections_bytes_and_refusals_are_counted_for_each_destination() {
    let site = Destination::site(Router::new().route("/", get(|| async { ANSWER }))).await;
    let port = site.port();
    let setup = Setup::default().allow_private("127.0.0.0/8").deny("closed.com");
    let proxy = setup.name("shop.com", "127.0.0.1").name("other.com", "127.0.0.1").start().await;
    let traffic = proxy.egress.traffic();

    assert_eq!(proxy.get(&format!("http://shop.com:{port}/")).await.body, ANSWER);
    // Plain HTTP within a tunnel, and bytes that are no HTTP.
    let mut tunnel = proxy.tunnel(format!("shop.com:{port}")).await;
    let request = format!("GET / HTTP/1.1\r\nHost: shop.com:{port}\r\n\r\n");
    assert_eq!(exchange(&mut tunnel, &request).await.body, ANSWER);
    drop(tunnel);
    let mut opaque = proxy.tunnel(format!("other.com:{port}")).await;
    opaque.write_all(b"\x01 no protocol\r\n\r\n").await.unwrap();
    let mut heard = Vec::new();
    opaque.read_to_end(&mut heard).await.unwrap();
    assert_eq!(proxy.get("http://closed.com/").await.status, 403);
    assert_eq!(proxy.get("http://closed.com/").await.status, 403);

    let taken = traffic.take(NetworkUser::Commands);
    let shop = one(&taken, "shop.com");
    assert_eq!((shop.port, shop.connections, shop.refused, shop.by), (port, 2, 0, NetworkUser::Commands));
    assert!(shop.received_bytes > 2 * ANSWER.len() as u64 && shop.sent_bytes > 40, "{shop:?}");
    let other = one(&taken, "other.com");
    assert_eq!((other.connections, other.sent_bytes), (1, 17), "{other:?}");
    assert_eq!(other.received_bytes, heard.len() as u64, "every byte that reaches the program is counted");
    let closed = one(&taken, "closed.com");
    assert_eq!((closed.port, closed.connections, closed.refused, closed.sent_bytes), (80, 0, 2, 0));
    assert_eq!(traffic.take(NetworkUser::Commands), [], "it is told once");
}
