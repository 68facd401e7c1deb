//! One attempt: dial what the policy lets through, speak TLS where the address says so, post, read the status.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::BuilderVerifierExt as _;
use sandbox_core::policy::Refusal;
use sandbox_core::webhook::Answer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, Error as TlsError};

use super::secrets::Secrets;
use super::{Destination, destination};
use crate::egress::{CountedStream, Egress, OpenError, Places, Sites};
use crate::now_ms;
use crate::store::Due;

/// From the lookup of the name until the receiver's status.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(15);

/// Sends one message once. Redirects are answers like any other: what is signed for one address goes to no other.
pub(super) async fn post(secrets: &Secrets, due: &Due) -> Answer {
    match timeout(ATTEMPT_DEADLINE, attempt(secrets, due)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(cause)) => Answer::None { cause },
        Err(_) => Answer::None { cause: format!("no answer within {} s", ATTEMPT_DEADLINE.as_secs()) },
    }
}

async fn attempt(secrets: &Secrets, due: &Due) -> Result<Answer, String> {
    let at = now_ms();
    let signature = secrets
        .sign(&due.webhook.id, &due.secrets, (due.id.as_str(), at, &due.body))
        .ok_or("the secret cannot be opened, as the key of the webhooks was replaced; rotate the secret")?;
    let destination = destination(&due.webhook.url, due.webhook.allow_private)?;
    let request = Request::post(path_of(&destination))
        .header(header::HOST, authority_of(&destination))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("Baton/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", due.id.as_str())
        .header("webhook-timestamp", at.div_euclid(1000))
        .header("webhook-signature", signature)
        .body(Body::from(due.body.clone()))
        .map_err(|error| format!("the request cannot be made: {error}"))?;
    let stream = dial(&destination).await?;
    if destination.url.scheme() == "http" {
        return exchange(stream, request).await;
    }
    let name = destination.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
    let tls = TlsConnector::from(tls().map_err(|error| format!("TLS cannot be used: {error}"))?);
    let stream = tls.connect(name, stream).await.map_err(|error| format!("TLS: {error}"))?;
    exchange(stream, request).await
}

async fn dial(destination: &Destination) -> Result<CountedStream, String> {
    // What is refused is said in the delivery itself.
    let (denied, _) = mpsc::channel(1);
    let egress = Egress::new(destination.network.clone(), None, Sites::default(), denied, Places::nobody());
    let egress = egress.map_err(|error| error.to_string())?;
    egress.open(&destination.host, destination.port).await.map_err(|error| match &error {
        OpenError::Refused { refusal: Refusal::Private { .. } | Refusal::OwnMachine { .. }, .. } => {
            format!("{error}; set allowPrivate if it may be told about your events")
        }
        OpenError::Refused { .. } | OpenError::Failed(_) => error.to_string(),
    })
}

/// Sends the request and reads the head of the answer; the connection ends with it.
async fn exchange<S>(stream: S, request: Request<Body>) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| format!("HTTP: {error}"))?;
    let sending = sender.send_request(request);
    tokio::pin!(sending, connection);
    let response = tokio::select! {
        biased;
        response = &mut sending => response,
        // What the connection read before it ended is there already.
        _ = &mut connection => sending.await,
    };
    let response = response.map_err(|error| format!("the receiver did not answer: {error}"))?;
    let retry_after_ms = retry_after_ms(response.headers(), SystemTime::now());
    Ok(Answer::Status { status: response.status().as_u16(), retry_after_ms })
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
fn retry_after_ms(headers: &HeaderMap, now: SystemTime) -> Option<u64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let wait = httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default();
    u64::try_from(wait.as_millis()).ok()
}

fn path_of(destination: &Destination) -> String {
    let url = &destination.url;
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

fn authority_of(destination: &Destination) -> String {
    let host = destination.url.host_str().unwrap_or_default();
    destination.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Trusts what this machine trusts.
fn tls() -> Result<Arc<ClientConfig>, TlsError> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(CONFIG.get_or_init(|| Arc::new(config)).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Thu, 26 Nov 2026 12:00:00 GMT").unwrap();
        let check = |text: &str, expected: Option<u64>| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after_ms(&headers, now), expected, "{text}");
        };
        check("120", Some(120_000));
        check("0", Some(0));
        check("99999999999999999999", None);
        check("Thu, 26 Nov 2026 12:01:00 GMT", Some(60_000));
        check("Thu, 26 Nov 2026 11:00:00 GMT", Some(0));
        check("soon", None);
        assert_eq!(retry_after_ms(&HeaderMap::new(), now), None);
    }

    #[test]
    fn path_and_host_are_those_of_the_address() {
        let check = |url: &str, authority: &str, path: &str| {
            let destination = destination(url, true).unwrap();
            assert_eq!((authority_of(&destination), path_of(&destination)), (authority.to_owned(), path.to_owned()));
        };
        check("https://a.example", "a.example", "/");
        check("https://a.example:443/b?c=d", "a.example", "/b?c=d");
        check("http://[::1]:8080/x", "[::1]:8080", "/x");
    }
}
