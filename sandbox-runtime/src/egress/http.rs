//! The HTTP side of the proxy: CONNECT, and requests with an absolute address; also plain HTTP within a tunnel.
//!
//! Every request of a kept connection is decided anew. Bodies stream both ways; nothing is kept whole but the heads, which are
//! bounded in size and time.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::uri::{PathAndQuery, Uri};
use ::http::{Method, Request, Response, StatusCode, Version};
use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sandbox_core::policy::{Host, HostError};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::ServiceExt;

use super::failure::{FAILURE_HEADER, FailureKind};
use super::rejection::Rejection;
use super::tasks::Tasks;
use super::tunnel::{self, PlainHttp};
use super::{CountedStream, Egress, Target};

/// One connection that speaks HTTP to us.
pub(super) struct Session {
    egress: Arc<Egress>,
    tasks: Tasks,
    /// Set within a tunnel: the only destination there is.
    tunnel_to: Option<Target>,
    /// The connection of the last request, for the next one to the same destination.
    kept: Mutex<Option<Upstream>>,
}

struct Upstream {
    target: Target,
    sender: SendRequest<Body>,
    /// Whether a request went over it before: it may have been closed meanwhile.
    is_used: bool,
}

/// Headers that concern one connection only (RFC 9110, 7.6.1), and what never leaves a proxy.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The most that the head of a request may be; sites themselves take less.
const REQUEST_HEAD_MAX: usize = 64 << 10;
/// The most that the head of an answer may be, as in Chromium.
const RESPONSE_HEAD_MAX: usize = 256 << 10;
/// For a program to send a whole head, from when the connection is free for it.
pub(super) const HEAD_DEADLINE: Duration = Duration::from_secs(60);

impl Session {
    /// A program's connection to the proxy.
    pub(super) fn open(egress: Arc<Egress>, tasks: Tasks) -> Self {
        Self { egress, tasks, tunnel_to: None, kept: Mutex::new(None) }
    }

    /// Plain HTTP found within a tunnel to `target`, or spoken to a built-in site.
    pub(super) fn within_tunnel(egress: Arc<Egress>, tasks: Tasks, target: Target) -> Self {
        Self { egress, tasks, tunnel_to: Some(target), kept: Mutex::new(None) }
    }

    /// Uses a connection that is open already for the first request.
    pub(super) async fn keep(&self, target: Target, stream: CountedStream) -> Result<(), Rejection> {
        let upstream = self.begin(target, stream).await?;
        self.put_back(upstream);
        Ok(())
    }

    /// Returns a connection to `target`: the kept one if it is still good, else a new one.
    async fn upstream(&self, target: &Target) -> Result<Upstream, Rejection> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut upstream) = kept.filter(|upstream| upstream.target == *target)
            && upstream.sender.ready().await.is_ok()
        {
            return Ok(upstream);
        }
        let stream = self.egress.connect(target).await?;
        self.begin(target.clone(), stream).await
    }

    async fn begin(&self, target: Target, stream: CountedStream) -> Result<Upstream, Rejection> {
        let (sender, connection) = hyper::client::conn::http1::Builder::new()
            .preserve_header_case(true)
            .max_buf_size(RESPONSE_HEAD_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unanswered(&target, &error))?;
        // Carries the bytes of this connection until its sender is dropped; failures are seen by the sender.
        self.tasks.spawn(connection.with_upgrades().map(drop));
        Ok(Upstream { target, sender, is_used: false })
    }

    fn put_back(&self, upstream: Upstream) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(upstream);
    }
}

/// Serves the connection until its end. Boxed, because HTTP may lead into a tunnel and a tunnel to HTTP.
pub(super) fn serve<S>(session: Session, stream: S) -> BoxFuture<'static, ()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let session = Arc::new(session);
    let service = service_fn(move |request| handle(Arc::clone(&session), request));
    let connection = http1::Builder::new()
        .preserve_header_case(true)
        .max_buf_size(REQUEST_HEAD_MAX)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // A connection that breaks off is the program's own affair.
    connection.map(drop).boxed()
}

/// Serves a tunnel to `target` until both ends are done.
pub(super) async fn serve_tunnel<C>(
    egress: Arc<Egress>,
    tasks: Tasks,
    target: Target,
    client: C,
    upstream: CountedStream,
) where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(PlainHttp { client, upstream }) = tunnel::run(&egress, &target, client, upstream).await else { return };
    let session = Session::within_tunnel(egress, tasks, target.clone());
    if session.keep(target, upstream).await.is_ok() {
        serve(session, client).await;
    }
}

async fn handle(session: Arc<Session>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let answer = match (request.method() == Method::CONNECT, session.tunnel_to.is_some()) {
        (true, false) => connect(&session, request).await,
        (true, true) => Err(Rejection::BadRequest("CONNECT within a tunnel")),
        (false, _) => forward(&session, request).await,
    };
    Ok(answer.unwrap_or_else(|rejection| {
        session.egress.report(&rejection);
        rejection.page()
    }))
}

async fn connect(session: &Session, mut request: Request<Incoming>) -> Result<Response<Body>, Rejection> {
    let Some(authority) = request.uri().authority() else {
        return Err(Rejection::BadRequest("CONNECT without host and port"));
    };
    let (host, port) = parse_authority(authority.as_str())?;
    let Some(port) = port else {
        return Err(Rejection::BadRequest("CONNECT without a port"));
    };
    let target = Target::new(host, port);
    check_host_header(&request, &target, None)?;

    let (egress, tasks) = (Arc::clone(&session.egress), session.tasks.clone());
    if is_site(&egress, &target)? {
        let upgrade = hyper::upgrade::on(&mut request);
        session.tasks.spawn(async move {
            if let Ok(client) = upgrade.await {
                serve(Session::within_tunnel(egress, tasks, target), TokioIo::new(client)).await;
            }
        });
        return Ok(Response::new(Body::empty()));
    }
    let upstream = egress.connect(&target).await?;
    let upgrade = hyper::upgrade::on(&mut request);
    session.tasks.spawn(async move {
        if let Ok(client) = upgrade.await {
            serve_tunnel(egress, tasks, target, TokioIo::new(client), upstream).await;
        }
    });
    Ok(Response::new(Body::empty()))
}

async fn forward(session: &Session, mut request: Request<Incoming>) -> Result<Response<Body>, Rejection> {
    let target = target_of(session, &request)?;
    if is_site(&session.egress, &target)? {
        return Ok(serve_site(&session.egress, &target, request).await);
    }
    session.egress.settle_name(&target).await?;

    let wants_websocket = is_websocket(request.headers());
    let client_upgrade = wants_websocket.then(|| hyper::upgrade::on(&mut request));
    let request = outgoing(request, &target, wants_websocket).map(Body::new);
    let (upstream, mut response) = send(session, &target, request).await?;
    // Only the proxy may say that the proxy failed.
    response.headers_mut().remove(FAILURE_HEADER);

    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let (Some(client_upgrade), true) = (client_upgrade, is_websocket(response.headers())) else {
            let cause = "it switched to a protocol that nobody asked for".to_owned();
            return Err(Rejection::Unreachable { target, kind: FailureKind::Other, cause });
        };
        let upstream_upgrade = hyper::upgrade::on(&mut response);
        session.tasks.spawn(async move {
            if let (Ok(client), Ok(upstream)) = tokio::join!(client_upgrade, upstream_upgrade) {
                tunnel::relay(TokioIo::new(client), TokioIo::new(upstream)).await;
            }
        });
        strip_hop_by_hop(response.headers_mut());
        mark_websocket(response.headers_mut());
        return Ok(response.map(Body::new));
    }
    session.put_back(upstream);
    strip_hop_by_hop(response.headers_mut());
    Ok(response.map(Body::new))
}

/// Sends the request; once more on a new connection if a kept one turns out to be closed, and nothing was lost by it.
///
/// Waits for the answer as long as the program does: its going away ends this.
async fn send(
    session: &Session,
    target: &Target,
    request: Request<Body>,
) -> Result<(Upstream, Response<Incoming>), Rejection> {
    let failed = |error: &hyper::Error| unanswered(target, error);
    let mut upstream = session.upstream(target).await?;
    let spare = upstream.is_used.then(|| repeatable(&request)).flatten();
    upstream.is_used = true;
    match upstream.sender.try_send_request(request).await {
        Ok(response) => Ok((upstream, response)),
        Err(mut error) => {
            // A connection that is closed while a request is on its way says nothing about the request (RFC 9112, 9.3.1).
            let Some(again) = error.take_message().or(spare) else {
                return Err(failed(error.error()));
            };
            let mut upstream = session.upstream(target).await?;
            upstream.is_used = true;
            let response = upstream.sender.send_request(again).await.map_err(|error| failed(&error))?;
            Ok((upstream, response))
        }
    }
}

fn unanswered(target: &Target, error: &hyper::Error) -> Rejection {
    Rejection::Unreachable { target: target.clone(), kind: FailureKind::of_http(error), cause: error.to_string() }
}

/// Returns a copy of a request that may be sent twice: one that changes nothing and has no body.
fn repeatable(request: &Request<Body>) -> Option<Request<Body>> {
    if !request.method().is_safe() || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(Body::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

async fn serve_site(egress: &Egress, target: &Target, mut request: Request<Incoming>) -> Response<Body> {
    let Some(site) = egress.site(&target.host) else {
        return Response::new(Body::empty());
    };
    *request.uri_mut() = origin_form(request.uri());
    match site.clone().oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn is_site(egress: &Egress, target: &Target) -> Result<bool, Rejection> {
    match (egress.site(&target.host), target.port) {
        (Some(_), 80) => Ok(true),
        (Some(_), _) => Err(Rejection::SitePort(target.clone())),
        (None, _) => Ok(false),
    }
}

/// Finds out where a request wants to go, from its address and its `Host`, which must agree.
fn target_of(session: &Session, request: &Request<Incoming>) -> Result<Target, Rejection> {
    let uri = request.uri();
    let named = match (uri.scheme_str(), uri.authority()) {
        (None, None) => None,
        (Some(scheme), Some(authority)) if scheme.eq_ignore_ascii_case("http") => {
            let (host, port) = parse_authority(authority.as_str())?;
            Some(Target::new(host, port.unwrap_or(80)))
        }
        (Some(_), _) => return Err(Rejection::BadRequest("a scheme other than http; https goes by CONNECT")),
        (None, Some(_)) => return Err(Rejection::BadRequest("an address without a scheme")),
    };
    let target = match (&session.tunnel_to, named) {
        (None, Some(named)) => named,
        (None, None) => return Err(Rejection::BadRequest("an address without a host; this is a proxy, not a site")),
        (Some(target), None) => target.clone(),
        (Some(target), Some(named)) if named == *target => named,
        (Some(target), Some(named)) => {
            return Err(Rejection::Disagrees { target: target.clone(), place: "the address", said: named.to_string() });
        }
    };
    // Within a tunnel `Host` is written for whoever reads it there, often without the port.
    let default_port = if session.tunnel_to.is_some() { target.port } else { 80 };
    check_host_header(request, &target, Some(default_port))?;
    Ok(target)
}

/// Refuses a `Host` that names another destination; `default_port` is meant where it names none, any port without it.
fn check_host_header(request: &Request<Incoming>, target: &Target, default_port: Option<u16>) -> Result<(), Rejection> {
    let mut values = request.headers().get_all(header::HOST).iter();
    let Some(value) = values.next() else {
        // Only HTTP/1.1 demands it; CONNECT says it all in its address.
        if request.version() == Version::HTTP_11 && request.method() != Method::CONNECT {
            return Err(Rejection::BadRequest("a request without Host"));
        }
        return Ok(());
    };
    if values.next().is_some() {
        return Err(Rejection::BadRequest("a request with more than one Host"));
    }
    let Ok(text) = value.to_str() else {
        return Err(Rejection::BadRequest("a Host that is not text"));
    };
    let (host, port) = parse_authority(text)?;
    if host == target.host && port.or(default_port).unwrap_or(target.port) == target.port {
        return Ok(());
    }
    Err(Rejection::Disagrees { target: target.clone(), place: "Host", said: text.to_owned() })
}

fn parse_authority(text: &str) -> Result<(Host, Option<u16>), Rejection> {
    Host::parse_authority(text).map_err(|cause: HostError| Rejection::BadHost { text: text.to_owned(), cause })
}

/// Rewrites a request as it goes to the destination itself.
fn outgoing(mut request: Request<Incoming>, target: &Target, wants_websocket: bool) -> Request<Incoming> {
    *request.version_mut() = Version::HTTP_11;
    *request.uri_mut() = origin_form(request.uri());
    let headers = request.headers_mut();
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    strip_hop_by_hop(headers);
    // Answered here already, when the body is first read.
    headers.remove(header::EXPECT);
    if wants_websocket {
        mark_websocket(headers);
    } else {
        // As a browser says it to a server that it reaches without a proxy.
        headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    }
    let host = match target.port {
        80 => target.host.to_string(),
        _ => target.to_string(),
    };
    let host = HeaderValue::from_str(&host).expect("a canonical host is ASCII without control characters");
    headers.insert(header::HOST, host);
    request
}

fn origin_form(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    Uri::from(path)
}

/// Removes what concerns only the connection it came on, named by the standard or by `Connection`.
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // What frames or addresses the message is not the sender's to take away.
        .filter(|name| *name != header::HOST && *name != header::CONTENT_LENGTH)
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

fn is_websocket(headers: &HeaderMap) -> bool {
    let says = |name: HeaderName, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|said| said.trim().eq_ignore_ascii_case(word))
    };
    says(header::CONNECTION, "upgrade") && says(header::UPGRADE, "websocket")
}

fn mark_websocket(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
}
