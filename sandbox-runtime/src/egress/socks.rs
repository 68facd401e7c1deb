//! The SOCKS5 side of the proxy (RFC 1928): CONNECT to a name or an address, without credentials.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use sandbox_core::policy::{Host, canonical};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::http::{self, Session};
use super::rejection::Rejection;
use super::tasks::Tasks;
use super::{Egress, Target};

pub(super) const VERSION: u8 = 5;

/// For a program to say where it wants to go.
const GREETING_DEADLINE: Duration = Duration::from_secs(30);

const NO_CREDENTIALS: u8 = 0;
const NO_METHOD: u8 = 0xff;
const COMMAND_CONNECT: u8 = 1;

/// The answers that we give, by their codes.
#[derive(Clone, Copy)]
enum Reply {
    Done = 0,
    Refused = 2,
    Unreachable = 4,
    CommandUnknown = 7,
    AddressUnknown = 8,
}

enum Greeting {
    Target(Target),
    /// Not to be served, after this answer; the rejection is reported if there is one.
    Declined(Reply, Option<Rejection>),
}

/// Serves a connection whose first byte was [`VERSION`].
pub(super) async fn serve<S>(egress: Arc<Egress>, tasks: Tasks, mut stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let greeting = timeout(GREETING_DEADLINE, greet(&mut stream)).await;
    let target = match greeting {
        Ok(Ok(Greeting::Target(target))) => target,
        Ok(Ok(Greeting::Declined(reply, rejection))) => return decline(&egress, stream, reply, rejection).await,
        // The program went away, or said nothing that could be answered.
        Ok(Err(_)) | Err(_) => return,
    };
    if egress.site(&target.host).is_some() {
        if target.port != 80 {
            return decline(&egress, stream, Reply::Unreachable, Some(Rejection::SitePort(target))).await;
        }
        if answer(&mut stream, Reply::Done).await.is_ok() {
            http::serve(Session::within_tunnel(egress, tasks, target), stream).await;
        }
        return;
    }
    match egress.connect(&target).await {
        Ok(upstream) => {
            if answer(&mut stream, Reply::Done).await.is_ok() {
                http::serve_tunnel(egress, tasks, target, stream, upstream).await;
            }
        }
        Err(rejection) => {
            let reply = if rejection.denied().is_some() { Reply::Refused } else { Reply::Unreachable };
            decline(&egress, stream, reply, Some(rejection)).await;
        }
    }
}

async fn greet<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<Greeting> {
    let n_methods = stream.read_u8().await?;
    let mut methods = vec![0; usize::from(n_methods)];
    stream.read_exact(&mut methods).await?;
    if !methods.contains(&NO_CREDENTIALS) {
        stream.write_all(&[VERSION, NO_METHOD]).await?;
        return Err(io::Error::other("no method in common"));
    }
    stream.write_all(&[VERSION, NO_CREDENTIALS]).await?;
    stream.flush().await?;

    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [version, command, _reserved, kind] = head;
    if version != VERSION {
        return Err(io::Error::other("not SOCKS5"));
    }
    let host = match kind {
        1 => {
            let mut octets = [0; 4];
            stream.read_exact(&mut octets).await?;
            Ok(Host::Address(Ipv4Addr::from(octets).into()))
        }
        4 => {
            let mut octets = [0; 16];
            stream.read_exact(&mut octets).await?;
            Ok(Host::Address(canonical(IpAddr::from(Ipv6Addr::from(octets)))))
        }
        3 => {
            let len = stream.read_u8().await?;
            let mut name = vec![0; usize::from(len)];
            stream.read_exact(&mut name).await?;
            let name = String::from_utf8_lossy(&name).into_owned();
            Host::parse(&name).map_err(|cause| Rejection::BadHost { text: name, cause })
        }
        _ => return Ok(Greeting::Declined(Reply::AddressUnknown, None)),
    };
    let port = stream.read_u16().await?;
    if command != COMMAND_CONNECT {
        return Ok(Greeting::Declined(Reply::CommandUnknown, None));
    }
    Ok(match host {
        Ok(host) => Greeting::Target(Target::new(host, port)),
        Err(rejection) => Greeting::Declined(Reply::Refused, Some(rejection)),
    })
}

async fn decline<S: AsyncWrite + Unpin>(egress: &Egress, mut stream: S, reply: Reply, rejection: Option<Rejection>) {
    if let Some(rejection) = rejection {
        egress.report(&rejection);
    }
    // The program may be gone already.
    let _ = answer(&mut stream, reply).await;
    let _ = stream.shutdown().await;
}

async fn answer<S: AsyncWrite + Unpin>(stream: &mut S, reply: Reply) -> io::Result<()> {
    // The address that we dial from is nobody's business: all zeros, as RFC 1928 lets.
    stream.write_all(&[VERSION, reply as u8, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    stream.flush().await
}
