//! A proxy port as a room has it, destinations that count who comes, and just enough HTTP to see single bytes.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sandbox_core::model::{NetworkConfig, NetworkMode};
use sandbox_runtime::egress::{Denied, Egress, NewPlace, Places, Resolve, Sites};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Far beyond what anything here takes, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Names as the test wants them resolved; any other name has no address.
#[derive(Clone, Default)]
pub struct Names(pub BTreeMap<String, Vec<IpAddr>>);

impl Resolve for Names {
    fn resolve(&self, name: &str) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        let found = self.0.get(name).cloned();
        async move { found.ok_or_else(|| io::Error::other("no such name")) }.boxed()
    }
}

/// What a test sets up; see [`Setup::start`].
#[derive(Default)]
pub struct Setup {
    pub network: NetworkConfig,
    pub outbound: Option<String>,
    pub sites: Sites,
    pub names: Names,
}

impl Setup {
    pub fn mode(mut self, mode: NetworkMode) -> Self {
        self.network.mode = mode;
        self
    }

    pub fn allow(mut self, pattern: impl ToString) -> Self {
        self.network.allow.push(pattern.to_string());
        self
    }

    pub fn deny(mut self, pattern: impl ToString) -> Self {
        self.network.deny.push(pattern.to_string());
        self
    }

    pub fn allow_private(mut self, pattern: impl ToString) -> Self {
        self.network.allow_private.push(pattern.to_string());
        self
    }

    pub fn name(mut self, name: &str, address: &str) -> Self {
        self.names.0.entry(name.to_owned()).or_default().push(address.parse().unwrap());
        self
    }

    pub fn site(mut self, name: &str, site: Router) -> Self {
        self.sites.0.insert(name.to_owned(), site);
        self
    }

    pub fn outbound(mut self, url: String) -> Self {
        self.outbound = Some(url);
        self
    }

    /// Starts a proxy port on loopback, served by an egress of these settings.
    pub async fn start(self) -> Proxy {
        let (denied_tx, denied) = mpsc::channel(64);
        let (asks, asked) = mpsc::channel(64);
        let places = Places::new(asks);
        let egress = Egress::with_resolver(self.network, self.outbound, self.sites, denied_tx, places, self.names);
        let egress = egress.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut owner = JoinSet::new();
        let served = Arc::clone(&egress);
        owner.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(Arc::clone(&served).serve(stream));
            }
        });
        Proxy { address, egress, denied, asked, _owner: owner }
    }
}

pub struct Proxy {
    pub address: SocketAddr,
    pub egress: Arc<Egress>,
    pub denied: mpsc::Receiver<Denied>,
    /// Places that a person is asked about.
    pub asked: mpsc::Receiver<NewPlace>,
    _owner: JoinSet<()>,
}

impl Proxy {
    pub async fn dial(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Opens a tunnel, which must be granted.
    pub async fn tunnel(&self, to: impl std::fmt::Display) -> TcpStream {
        let mut stream = self.dial().await;
        let answer = exchange(&mut stream, &format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        stream
    }

    /// Sends one request on a connection of its own.
    pub async fn request(&self, text: &str) -> Answer {
        exchange(&mut self.dial().await, text).await
    }

    pub async fn get(&self, url: &str) -> Answer {
        let authority = url.trim_start_matches("http://").split('/').next().unwrap();
        self.request(&format!("GET {url} HTTP/1.1\r\nHost: {authority}\r\n\r\n")).await
    }

    /// As [`Self::get`], for a task that waits on its own.
    pub fn get_later(&self, url: String) -> impl Future<Output = Answer> + Send + use<> {
        let address = self.address;
        async move {
            let authority = url.trim_start_matches("http://").split('/').next().unwrap();
            let request = format!("GET {url} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
            exchange(&mut TcpStream::connect(address).await.unwrap(), &request).await
        }
    }

    /// Waits for the next question about a place.
    pub async fn next_asked(&mut self) -> NewPlace {
        tokio::time::timeout(PATIENCE, self.asked.recv()).await.unwrap().unwrap()
    }

    /// Waits for the next refusal that was reported.
    pub async fn next_denied(&mut self) -> Denied {
        tokio::time::timeout(PATIENCE, self.denied.recv()).await.unwrap().unwrap()
    }
}

/// A destination that counts its connections: the canary of every refusal.
pub struct Destination {
    pub address: SocketAddr,
    n_connections: Arc<AtomicUsize>,
    _owner: JoinSet<()>,
}

impl Destination {
    /// Serves each connection by `serve`.
    pub async fn start<F, Fut>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let n_connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&n_connections);
        let mut owner = JoinSet::new();
        owner.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(stream));
            }
        });
        Self { address, n_connections, _owner: owner }
    }

    /// Says back what it hears, while it hears it.
    pub async fn echo() -> Self {
        Self::start(|mut stream| async move {
            let (mut from, mut to) = stream.split();
            let _ = tokio::io::copy(&mut from, &mut to).await;
        })
        .await
    }

    /// Serves a site over HTTP.
    pub async fn site(router: Router) -> Self {
        Self::start(move |stream| {
            let router = router.clone();
            async move {
                let service = hyper_util::service::TowerToHyperService::new(router);
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).with_upgrades().await;
            }
        })
        .await
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Checks that nobody came. Connections to loopback are accepted before they are answered, so nothing is on its way.
    #[track_caller]
    pub fn assert_untouched(&self) {
        assert_eq!(self.n_connections.load(Ordering::SeqCst), 0, "a refused destination was reached");
    }

    pub fn n_connections(&self) -> usize {
        self.n_connections.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The head, in lower case.
    pub head: String,
    pub body: String,
}

/// Writes a request and reads the whole answer, which must say its length.
pub async fn exchange(stream: &mut TcpStream, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    read_answer(stream).await
}

pub async fn read_answer(stream: &mut TcpStream) -> Answer {
    let (status, head) = read_head(stream).await;
    let len = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |len| len.trim().parse().unwrap());
    let body = read_exactly(stream, len).await;
    Answer { status, head, body: String::from_utf8(body).unwrap() }
}

/// Reads the head of an answer: its status, and all of it in lower case.
pub async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> (u16, String) {
    let head = read_lines(stream).await.to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
    (status, head)
}

/// Reads until an empty line, and not a byte further.
pub async fn read_lines<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut lines = Vec::new();
    while !lines.ends_with(b"\r\n\r\n") {
        let byte = tokio::time::timeout(PATIENCE, stream.read_u8()).await.expect("a head in time");
        lines.push(byte.unwrap_or_else(|error| panic!("{error} after {:?}", String::from_utf8_lossy(&lines))));
    }
    String::from_utf8(lines).unwrap()
}

pub async fn read_exactly<S: AsyncRead + Unpin>(stream: &mut S, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut bytes)).await.expect("bytes in time").unwrap();
    bytes
}

pub async fn read_rest<S: AsyncRead + Unpin>(stream: &mut S) -> Vec<u8> {
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end in time").unwrap();
    bytes
}

/// Every way to write 127.0.0.1 that some program reads, with the port.
pub fn spellings_of_loopback(port: u16) -> Vec<String> {
    [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "localhost",
        "LocalHost.",
        "x.localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0",
        "0.0.0.0",
        "[::]",
        "127.255.255.254",
    ]
    .iter()
    .map(|host| format!("{host}:{port}"))
    .collect()
}
