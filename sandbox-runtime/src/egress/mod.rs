//! The only way out of a room: proxy and network policy.
//!
//! ```text
//! room's program ─▶ Egress::serve ─▶ http (CONNECT, absolute-form) ─┐           ┌─▶ Sites, in process
//!                                └─▶ socks (SOCKS5) ────────────────┴─▶ policy ─┴─▶ dial: resolve ─▶ check ─▶ that address
//!                                                                         └─▶ places: a person is asked
//!                                                          tunnel: what is said inside agrees with what was asked for
//! ```
//!
//! Owns every connection of the sandbox to the outside, and ends them with it.
//! Leaves to others: which destinations are open (`sandbox_core::policy`), and how a connection comes here (`sandbox`).

mod dial;
mod failure;
mod first_bytes;
mod http;
mod outbound;
mod places;
mod rejection;
mod rewind;
mod socks;
mod tasks;
mod traffic;
mod tunnel;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sandbox_core::model::NetworkConfig;
use sandbox_core::policy::{Host, Policy, PolicyError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use dial::{OpenError, Resolve, SystemResolver};
pub use failure::{FAILURE_HEADER, Failure, FailureKind, Failures};
pub use outbound::OutboundError;
use outbound::OutboundProxy;
pub use places::{NewPlace, PlaceAnswer, Places};
use rejection::Rejection;
use rewind::Rewind;
use tasks::Tasks;
pub use traffic::{CountedStream, Traffic};

/// How many connections one sandbox may have open; Chromium alone opens up to 256 a proxy.
const CONNECTIONS_MAX: usize = 1024;

/// The way out of one sandbox.
pub struct Egress {
    policy: Policy,
    /// What people said of places that the policy does not name.
    places: Places,
    outbound: Option<OutboundProxy>,
    sites: Sites,
    resolver: Box<dyn Resolve>,
    denied: mpsc::Sender<Denied>,
    failures: Failures,
    traffic: Traffic,
    unreported: AtomicU64,
    seats: Semaphore,
    closed: CancellationToken,
}

/// Built-in sites, served in process under their own name, over plain HTTP at port 80; reachable in every network mode.
#[derive(Clone, Default)]
pub struct Sites(pub BTreeMap<String, axum::Router>);

/// A destination that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// As the program spelled it, if it could not be read as a host.
    pub host: String,
    /// 0 where the request did not get as far as a port.
    pub port: u16,
    pub reason: String,
    /// The setting that decides about it, such as `network.deny`, if one does.
    pub setting: Option<&'static str>,
}

#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("read byoProxyUrl: {0}")]
    OutboundProxy(#[from] OutboundError),
}

/// Where a program wants to go.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    host: Host,
    port: u16,
}

impl Egress {
    /// Prepares the way out; `outbound_proxy` is `byoProxyUrl`. What is refused is sent to `denied`, as far as it has room. What
    /// the policy leaves to people is asked for in `places`.
    ///
    /// # Errors
    ///
    /// A pattern of `network`, or an address of a proxy, that cannot be understood.
    pub fn new(
        network: NetworkConfig,
        outbound_proxy: Option<String>,
        sites: Sites,
        denied: mpsc::Sender<Denied>,
        places: Places,
    ) -> Result<Arc<Self>, EgressError> {
        Self::with_resolver(network, outbound_proxy, sites, denied, places, SystemResolver)
    }

    /// As [`Egress::new`], with names resolved by `resolver`.
    ///
    /// # Errors
    ///
    /// As [`Egress::new`].
    pub fn with_resolver(
        network: NetworkConfig,
        outbound_proxy: Option<String>,
        sites: Sites,
        denied: mpsc::Sender<Denied>,
        places: Places,
        resolver: impl Resolve + 'static,
    ) -> Result<Arc<Self>, EgressError> {
        Ok(Arc::new(Self {
            policy: Policy::new(&network)?,
            places,
            outbound: outbound_proxy.as_deref().map(OutboundProxy::parse).transpose()?,
            sites,
            resolver: Box::new(resolver),
            denied,
            failures: Failures::default(),
            traffic: Traffic::default(),
            unreported: AtomicU64::new(0),
            seats: Semaphore::new(CONNECTIONS_MAX),
            closed: CancellationToken::new(),
        }))
    }

    /// Serves one connection that a program of the room made to its proxy port, until it ends or [`Egress::close`].
    ///
    /// Dropping the future ends everything that belongs to the connection.
    pub async fn serve<S>(self: Arc<Self>, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Ok(_seat) = self.seats.try_acquire() else {
            tracing::warn!(max = CONNECTIONS_MAX, "a sandbox has too many connections open; one more was dropped");
            return;
        };
        let tasks = Tasks::default();
        let _owner = tasks.owner();
        let work = async {
            Self::begin(Arc::clone(&self), tasks.clone(), stream).await;
            tasks.finished().await;
        };
        tokio::select! {
            () = self.closed.cancelled() => {}
            () = work => {}
        }
    }

    /// Ends every connection, and every one that may still come: the sandbox is gone.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Returns how many refusals found no room in the channel.
    pub fn unreported(&self) -> u64 {
        self.unreported.load(Ordering::Relaxed)
    }

    /// Returns what goes where, as it is counted.
    pub fn traffic(&self) -> Traffic {
        self.traffic.clone()
    }

    /// Returns what could not be reached of late, and why.
    pub fn failures(&self) -> Failures {
        self.failures.clone()
    }

    /// Tells SOCKS from HTTP by the first byte.
    async fn begin<S>(egress: Arc<Self>, tasks: Tasks, mut stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Ok(Ok(first)) = timeout(http::HEAD_DEADLINE, stream.read_u8()).await else {
            return; // The program went away, or stayed, without a word.
        };
        match first {
            socks::VERSION => socks::serve(egress, tasks, stream).await,
            _ => http::serve(http::Session::open(egress, tasks), Rewind::new([first], stream)).await,
        }
    }

    fn site(&self, host: &Host) -> Option<&axum::Router> {
        match host {
            Host::Name(name) => self.sites.0.get(name),
            Host::Address(_) => None,
        }
    }

    /// Writes down what was refused by a rule; what merely failed is no refusal, and is only remembered for a while.
    fn report(&self, rejection: &Rejection) {
        if let Some(target) = rejection.target() {
            self.failures.note(target, rejection.failure());
        }
        let Some(denied) = rejection.denied() else {
            return;
        };
        if let Some(target) = rejection.target() {
            self.traffic.refused(target);
        }
        tracing::info!(host = %denied.host, port = denied.port, reason = %denied.reason, "egress refused");
        if self.denied.try_send(denied).is_err() {
            self.unreported.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Checks an address of a proxy before a sandbox is made with it.
///
/// # Errors
///
/// What is wrong with it, without its text, which may carry a password.
pub fn check_outbound_proxy(address: &str) -> Result<(), OutboundError> {
    OutboundProxy::parse(address).map(drop)
}

impl Target {
    fn new(host: Host, port: u16) -> Self {
        Self { host, port }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}
