//! SOCKS5, for programs that do not speak HTTP to a proxy.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::*;

/// Asks for a way; returns the reply code.
async fn ask(stream: &mut TcpStream, command: u8, kind: u8, address: &[u8], port: u16) -> u8 {
    stream.write_all(&[5, 2, 0, 2]).await.unwrap();
    assert_eq!(read_exactly(stream, 2).await, [5, 0]);
    stream.write_all(&[&[5, command, 0, kind][..], address, &port.to_be_bytes()].concat()).await.unwrap();
    let reply = read_exactly(stream, 10).await;
    assert_eq!((reply[0], reply[3]), (5, 1));
    reply[1]
}

async fn ask_name(stream: &mut TcpStream, name: &str, port: u16) -> u8 {
    let named = [&[u8::try_from(name.len()).unwrap()][..], name.as_bytes()].concat();
    ask(stream, 1, 3, &named, port).await
}

async fn ask_address(stream: &mut TcpStream, to: SocketAddr) -> u8 {
    match to.ip() {
        IpAddr::V4(v4) => ask(stream, 1, 1, &v4.octets(), to.port()).await,
        IpAddr::V6(v6) => ask(stream, 1, 4, &v6.octets(), to.port()).await,
    }
}

async fn assert_echoes(stream: &mut TcpStream) {
    stream.write_all(b"\x01over socks").await.unwrap();
    assert_eq!(read_exactly(stream, 11).await, b"\x01over socks");
}

#[tokio::test]
async fn names_and_addresses_are_carried() {
    let echo = Destination::echo().await;
    let proxy = Setup::default().name("a.example", "127.0.0.1").allow_private(echo.address).start().await;
    let mut by_address = proxy.dial().await;
    assert_eq!(ask_address(&mut by_address, echo.address).await, 0);
    assert_echoes(&mut by_address).await;
    let mut by_name = proxy.dial().await;
    assert_eq!(ask_name(&mut by_name, "a.example", echo.port()).await, 0);
    assert_echoes(&mut by_name).await;
    let mut by_mapped = proxy.dial().await;
    let mapped = SocketAddr::new("::ffff:127.0.0.1".parse().unwrap(), echo.port());
    assert_eq!(ask_address(&mut by_mapped, mapped).await, 0);
    assert_echoes(&mut by_mapped).await;
}

#[tokio::test]
async fn refusals_are_told_apart_from_failures() {
    let echo = Destination::echo().await;
    let mut proxy = Setup::default().start().await;
    assert_eq!(ask_address(&mut proxy.dial().await, echo.address).await, 2);
    assert_eq!(proxy.next_denied().await.setting, Some("network.allowPrivate"));
    assert_eq!(ask_name(&mut proxy.dial().await, "no.example", 80).await, 4);
    assert_eq!(ask_name(&mut proxy.dial().await, "user@no.example", 80).await, 2);
    assert_eq!(ask_name(&mut proxy.dial().await, "exa\0mple.org", 80).await, 2);
    assert_eq!(ask(&mut proxy.dial().await, 2, 1, &[127, 0, 0, 1], 80).await, 7, "only CONNECT");
    assert_eq!(ask(&mut proxy.dial().await, 1, 9, &[], 80).await, 8);
    for spelling in spellings_of_loopback(echo.port()) {
        let (name, _) = spelling.rsplit_once(':').unwrap();
        assert_eq!(ask_name(&mut proxy.dial().await, name, echo.port()).await, 2, "{name}");
    }
    echo.assert_untouched();
}

#[tokio::test]
async fn clients_that_insist_on_credentials_are_turned_away() {
    let proxy = Setup::default().start().await;
    let mut stream = proxy.dial().await;
    stream.write_all(&[5, 1, 2]).await.unwrap();
    assert_eq!(read_exactly(&mut stream, 2).await, [5, 0xff]);
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}
