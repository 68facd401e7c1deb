//! The outbound proxy that the caller brings: HTTP (by CONNECT, Basic credentials) or SOCKS5 (RFC 1928, RFC 1929).

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use sandbox_core::policy::Host;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Target;
use super::failure::FailureKind;
use super::rejection::Rejection;

/// From the first packet to the proxy until it says that the way is open.
const OUTBOUND_DEADLINE: Duration = Duration::from_secs(30);
/// The most that a proxy's answer to CONNECT may be.
const ANSWER_MAX: usize = 16 * 1024;
const SOCKS_DEFAULT_PORT: u16 = 1080;

pub(super) struct OutboundProxy {
    kind: Kind,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy)]
enum Kind {
    Http,
    Socks5,
}

struct Credentials {
    user: String,
    password: String,
}

/// What is wrong with `byoProxyUrl`. Never holds its text, which may carry a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    #[error("it is not an address of the form http://user:password@host:port: {0}")]
    Malformed(#[from] url::ParseError),
    #[error("the scheme \"{0}\" is not supported; use http or socks5")]
    Scheme(String),
    #[error("it has no host")]
    NoHost,
    #[error("it has a path, a query or a fragment; a proxy is only host and port")]
    MoreThanHost,
    #[error("its credentials are not valid: {0}")]
    Credentials(&'static str),
}

impl OutboundProxy {
    pub(super) fn parse(text: &str) -> Result<Self, OutboundError> {
        let url = url::Url::parse(text)?;
        let (kind, default_port) = match url.scheme() {
            "http" => (Kind::Http, 80),
            "socks5" | "socks5h" => (Kind::Socks5, SOCKS_DEFAULT_PORT),
            other => return Err(OutboundError::Scheme(other.to_owned())),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(OutboundError::MoreThanHost);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(OutboundError::NoHost)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let credentials = credentials_of(&url, kind)?;
        Ok(Self { kind, host, port: url.port().unwrap_or(default_port), credentials })
    }

    /// Opens a connection to `target` through the proxy.
    pub(super) async fn connect(&self, target: &Target) -> Result<TcpStream, Rejection> {
        let unreachable = |cause| Rejection::Unreachable {
            target: target.clone(),
            kind: FailureKind::Other,
            cause: format!("the outbound proxy {}:{}: {cause}", self.host, self.port),
        };
        match timeout(OUTBOUND_DEADLINE, self.handshake(target)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(unreachable(error.to_string())),
            Err(_) => Err(unreachable(format!("no answer within {OUTBOUND_DEADLINE:?}"))),
        }
    }

    async fn handshake(&self, target: &Target) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        // Only a matter of delay: a connection without it is still good.
        let _ = stream.set_nodelay(true);
        match self.kind {
            Kind::Http => self.http_connect(&mut stream, target).await?,
            Kind::Socks5 => self.socks_connect(&mut stream, target).await?,
        }
        Ok(stream)
    }

    async fn http_connect(&self, stream: &mut TcpStream, target: &Target) -> io::Result<()> {
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(Credentials { user, password }) = &self.credentials {
            let basic = STANDARD.encode(format!("{user}:{password}"));
            request.push_str(&format!("Proxy-Authorization: Basic {basic}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;

        // Byte by byte: what follows the answer belongs to the destination.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= ANSWER_MAX {
                return Err(io::Error::other("its answer is too long"));
            }
            answer.push(stream.read_u8().await?);
        }
        let answer = String::from_utf8_lossy(&answer);
        let status_line = answer.lines().next().unwrap_or_default();
        match status_line.split_whitespace().nth(1) {
            Some(code) if status_line.starts_with("HTTP/1.") && code.len() == 3 && code.starts_with('2') => Ok(()),
            Some("407") => Err(io::Error::other("it wants other credentials (407)")),
            Some(_) | None => Err(io::Error::other(format!("it answered {status_line:?}"))),
        }
    }

    async fn socks_connect(&self, stream: &mut TcpStream, target: &Target) -> io::Result<()> {
        let method = if self.credentials.is_some() { 2 } else { 0 };
        stream.write_all(&[5, 1, method]).await?;
        let mut chosen = [0; 2];
        stream.read_exact(&mut chosen).await?;
        if chosen != [5, method] {
            return Err(io::Error::other("it does not accept this way to sign in"));
        }
        if let Some(Credentials { user, password }) = &self.credentials {
            let mut sign_in = vec![1];
            push_short(&mut sign_in, user.as_bytes())?;
            push_short(&mut sign_in, password.as_bytes())?;
            stream.write_all(&sign_in).await?;
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).await?;
            if answer[1] != 0 {
                return Err(io::Error::other("it wants other credentials"));
            }
        }
        let mut request = vec![5, 1, 0];
        match &target.host {
            Host::Address(IpAddr::V4(address)) => {
                request.push(1);
                request.extend(address.octets());
            }
            Host::Address(IpAddr::V6(address)) => {
                request.push(4);
                request.extend(address.octets());
            }
            Host::Name(name) => {
                request.push(3);
                push_short(&mut request, name.as_bytes())?;
            }
        }
        request.extend(target.port.to_be_bytes());
        stream.write_all(&request).await?;

        let mut head = [0; 4];
        stream.read_exact(&mut head).await?;
        if head[1] != 0 {
            return Err(io::Error::other(format!("it refused, with SOCKS code {}", head[1])));
        }
        let bound_len = match head[3] {
            1 => 4,
            4 => 16,
            3 => usize::from(stream.read_u8().await?),
            _ => return Err(io::Error::other("its answer is not SOCKS5")),
        };
        let mut bound = vec![0; bound_len + 2];
        stream.read_exact(&mut bound).await?;
        Ok(())
    }
}

fn credentials_of(url: &url::Url, kind: Kind) -> Result<Option<Credentials>, OutboundError> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let decode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
        decoded.map_err(|_| OutboundError::Credentials("they are not UTF-8"))
    };
    let user = decode(url.username())?;
    let password = decode(url.password().unwrap_or_default())?;
    let is_short = |text: &str| (1..=255).contains(&text.len());
    match kind {
        Kind::Http if user.contains(':') => Err(OutboundError::Credentials("a user name for http has no colon")),
        Kind::Socks5 if !is_short(&user) || !is_short(&password) => {
            Err(OutboundError::Credentials("socks5 wants a user name and a password of 1 to 255 bytes"))
        }
        Kind::Http | Kind::Socks5 => Ok(Some(Credentials { user, password })),
    }
}

/// Appends bytes after their length in one byte.
fn push_short(to: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    to.push(u8::try_from(bytes.len()).map_err(|_| io::Error::other("a name is longer than SOCKS5 can say"))?);
    to.extend(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(text: &str, expected: &str) {
        let error = OutboundProxy::parse(text).map(drop).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains("hunter2"), "a password is in: {error}");
    }

    #[test]
    fn bad_proxy_addresses_are_refused_without_showing_the_password() {
        check_refused("proxy.example:8080", "scheme");
        check_refused("https://u:hunter2@proxy.example", "scheme \"https\"");
        check_refused("http://u:hunter2@proxy.example/path", "path");
        check_refused("http://u:hunter2@:80", "not an address");
        check_refused("socks5://user@proxy.example", "credentials");
        check_refused("socks5://", "no host");
        check_refused("http://%ff:hunter2@proxy.example", "UTF-8");
    }

    #[test]
    fn credentials_are_unescaped_and_ports_have_their_defaults() {
        let proxy = OutboundProxy::parse("socks5://u%40corp:p%3Aw@proxy.example").unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.example", 1080));
        let Credentials { user, password } = proxy.credentials.unwrap();
        assert_eq!((user.as_str(), password.as_str()), ("u@corp", "p:w"));
        assert_eq!(OutboundProxy::parse("http://[::1]").unwrap().host, "::1");
    }
}
