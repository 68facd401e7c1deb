//! CONNECT, and what may be said within a tunnel.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use super::support::*;

/// A TLS greeting for this name, laid out as RFC 8446 says.
fn greeting(name: &str) -> Vec<u8> {
    let be = |len: usize| u16::try_from(len).unwrap().to_be_bytes();
    let entry = [&[0][..], &be(name.len()), name.as_bytes()].concat();
    let list = [&be(entry.len())[..], &entry].concat();
    let extension = [&[0, 0][..], &be(list.len()), &list].concat();
    let body = [&[3, 3][..], &[9; 32], &[0, 0, 2, 0x13, 1, 1, 0], &be(extension.len()), &extension].concat();
    let message = [&[1, 0][..], &be(body.len()), &body].concat();
    [&[0x16, 3, 1][..], &be(message.len()), &message].concat()
}

#[tokio::test]
async fn tunnel_carries_bytes_both_ways_to_an_address_that_is_named() {
    let echo = Destination::echo().await;
    let proxy = Setup::default().allow_private(echo.address).start().await;
    let mut stream = proxy.tunnel(echo.address).await;
    for said in [&b"\x00\x01binary"[..], b"more", &[7; 100_000]] {
        stream.write_all(said).await.unwrap();
        assert_eq!(read_exactly(&mut stream, said.len()).await, said);
    }
}

#[tokio::test]
async fn half_closed_tunnel_still_answers() {
    let late = Destination::start(|mut stream| async move {
        let heard = read_rest(&mut stream).await;
        stream.write_all(&[b"heard all of ", &heard[..]].concat()).await.unwrap();
    })
    .await;
    let proxy = Setup::default().allow_private(late.address).start().await;
    for said in ["\u{1}opaque", "words without a line end", ""] {
        let mut stream = proxy.tunnel(late.address).await;
        stream.write_all(said.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(String::from_utf8(read_rest(&mut stream).await).unwrap(), format!("heard all of {said}"));
    }
}

#[tokio::test]
async fn destination_that_speaks_first_is_heard() {
    let greeter = Destination::start(|mut stream| async move {
        stream.write_all(b"220 ready\r\n").await.unwrap();
        let mut line = [0; 6];
        stream.read_exact(&mut line).await.unwrap();
        stream.write_all(&line).await.unwrap();
    })
    .await;
    let proxy = Setup::default().allow_private(greeter.address).start().await;
    let mut stream = proxy.tunnel(greeter.address).await;
    assert_eq!(read_exactly(&mut stream, 11).await, b"220 ready\r\n");
    stream.write_all(b"EHLO\r\n").await.unwrap();
    assert_eq!(read_rest(&mut stream).await, b"EHLO\r\n");
}

#[tokio::test]
async fn server_name_must_be_the_host_of_the_tunnel() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let server = Destination::start(move |mut stream| {
        let sink = Arc::clone(&sink);
        async move {
            let mut bytes = [0; 1024];
            while let Ok(n_bytes @ 1..) = stream.read(&mut bytes).await {
                sink.lock().unwrap().extend_from_slice(&bytes[..n_bytes]);
                stream.write_all(b"!").await.unwrap();
            }
        }
    })
    .await;
    let port = server.port();
    let mut proxy = Setup::default().name("a.example", "127.0.0.1").allow_private(server.address).start().await;

    for other in ["b.example", "a.example.evil", "127.0.0.1", "localhost", ""] {
        let mut stream = proxy.tunnel(format!("a.example:{port}")).await;
        stream.write_all(&greeting(other)).await.unwrap();
        assert_eq!(read_rest(&mut stream).await, [0x15, 3, 3, 0, 2, 2, 112], "{other}: an alert, then the end");
        let denied = proxy.next_denied().await;
        assert_eq!((denied.host.as_str(), denied.port), ("a.example", port));
        assert_eq!(denied.reason, format!("the TLS server name says {other:?} instead"));
    }
    assert!(heard.lock().unwrap().is_empty(), "a refused greeting reached the destination");

    let mut stream = proxy.tunnel(format!("a.example:{port}")).await;
    let whole = greeting("A.example");
    let (first, second) = whole.split_at(20);
    stream.write_all(first).await.unwrap();
    stream.flush().await.unwrap();
    stream.write_all(second).await.unwrap();
    read_exactly(&mut stream, 1).await;
    assert_eq!(*heard.lock().unwrap(), whole, "what agrees is carried byte by byte");
}

#[tokio::test]
async fn plain_http_in_a_tunnel_is_checked_request_by_request() {
    let site = Destination::site(Router::new().route("/", get(|| async { "hello" }))).await;
    let port = site.port();
    let mut proxy = Setup::default().name("a.example", "127.0.0.1").allow_private(site.address).start().await;
    let mut stream = proxy.tunnel(format!("a.example:{port}")).await;
    let get = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    assert_eq!(exchange(&mut stream, &get(&format!("a.example:{port}"))).await.body, "hello");
    assert_eq!(exchange(&mut stream, &get("b.example")).await.status, 403);
    assert_eq!(proxy.next_denied().await.reason, "Host says \"b.example\" instead");
    assert_eq!(exchange(&mut stream, &get("a.example")).await.body, "hello");
    let absolute = "GET http://b.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n";
    assert_eq!(exchange(&mut stream, absolute).await.status, 403);
    let connect = "CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n";
    assert_eq!(exchange(&mut stream, connect).await.status, 400);
}

#[tokio::test]
async fn words_that_cannot_be_checked_end_the_tunnel() {
    let echo = Destination::echo().await;
    let proxy = Setup::default().allow_private(echo.address).start().await;
    for said in ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /\r\n", "\u{16}\u{3}\u{1}\u{0}\u{0}"] {
        let mut stream = proxy.tunnel(echo.address).await;
        stream.write_all(said.as_bytes()).await.unwrap();
        assert_eq!(read_rest(&mut stream).await.first(), Some(&0x15), "{said:?}");
    }
}

#[tokio::test]
async fn websocket_opens_within_a_tunnel_as_browsers_do_it() {
    let server = Destination::start(|stream| async move {
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    })
    .await;
    let proxy = Setup::default().allow_private(server.address).start().await;
    let stream = proxy.tunnel(server.address).await;
    let url = format!("ws://{}/", server.address);
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    socket.send(Message::text("within")).await.unwrap();
    let heard = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(heard, Message::text("within"));
}

#[tokio::test]
async fn destination_that_does_not_answer_is_no_refusal() {
    let gone = Destination::echo().await;
    let address = gone.address;
    drop(gone);
    let mut proxy = Setup::default().allow_private(address).start().await;
    let answer = proxy.request(&format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n")).await;
    assert_eq!(answer.status, 502, "{}", answer.body);
    assert!(proxy.denied.try_recv().is_err());
}

#[tokio::test]
async fn closing_ends_every_connection_and_those_that_still_come() {
    let echo = Destination::echo().await;
    let proxy = Setup::default().allow_private(echo.address).start().await;
    let mut tunnel = proxy.tunnel(echo.address).await;
    tunnel.write_all(b"\x01here").await.unwrap();
    assert_eq!(read_exactly(&mut tunnel, 5).await, b"\x01here");
    let mut idle = proxy.dial().await;
    proxy.egress.close();
    // A reset is an end as well.
    assert_eq!(tokio::time::timeout(PATIENCE, tunnel.read(&mut [0])).await.unwrap().unwrap_or(0), 0);
    assert_eq!(tokio::time::timeout(PATIENCE, idle.read(&mut [0])).await.unwrap().unwrap_or(0), 0);
    let mut late = proxy.dial().await;
    assert_eq!(tokio::time::timeout(PATIENCE, late.read(&mut [0])).await.unwrap().unwrap_or(0), 0);
    assert_eq!(echo.n_connections(), 1);
}

#[tokio::test]
async fn dropping_the_connection_ends_its_tunnel() {
    let (ended_tx, mut ended) = tokio::sync::mpsc::channel(1);
    let server = Destination::start(move |mut stream| {
        let ended_tx = ended_tx.clone();
        async move {
            while let Ok(1..) = stream.read(&mut [0; 64]).await {}
            let _ = ended_tx.send(()).await;
        }
    })
    .await;
    let proxy = Setup::default().allow_private(server.address).start().await;
    let (mut program, room) = tokio::io::duplex(4096);
    let serving = tokio::spawn(Arc::clone(&proxy.egress).serve(room));
    let at = server.address;
    program.write_all(format!("CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut program).await.0, 200);
    program.write_all(b"\x01").await.unwrap();
    serving.abort();
    tokio::time::timeout(PATIENCE, ended.recv()).await.unwrap().unwrap();
}
