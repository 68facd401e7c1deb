//! Resolve, check, dial the checked address: a name is looked up once, and what was checked is what is dialled.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sandbox_core::policy::{Host, Refusal, canonical};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::failure::FailureKind;
use super::rejection::Rejection;
use super::{CountedStream, Egress, Target};

const RESOLVE_DEADLINE: Duration = Duration::from_secs(10);
/// For each address of a name, tried in turn.
const DIAL_DEADLINE: Duration = Duration::from_secs(8);
/// More addresses than this are not tried.
const ADDRESSES_MAX: usize = 4;

/// Finds the addresses of a name.
pub trait Resolve: Send + Sync {
    fn resolve(&self, name: &str) -> BoxFuture<'_, io::Result<Vec<IpAddr>>>;
}

/// The resolver of the machine.
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.map(|found| found.ip()).collect()) }.boxed()
    }
}

/// Why a connection of the runtime's own was not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("{destination}: {refusal}")]
    Refused { destination: String, refusal: Refusal },
    #[error("{0}")]
    Failed(String),
}

impl Egress {
    /// Opens a connection for the runtime itself: by the same two stages as those of a program, and told to no one else.
    ///
    /// # Errors
    ///
    /// The policy closes the destination, or it cannot be reached.
    pub async fn open(&self, host: &Host, port: u16) -> Result<CountedStream, OpenError> {
        let opened = self.connect(&Target::new(host.clone(), port)).await;
        opened.map_err(|rejection| match rejection {
            Rejection::Policy { target, refusal } => OpenError::Refused { destination: target.to_string(), refusal },
            failed => OpenError::Failed(failed.to_string()),
        })
    }

    /// Opens a connection to `target`, if both stages of the policy let it.
    pub(super) async fn connect(&self, target: &Target) -> Result<CountedStream, Rejection> {
        let stream = self.reach(target).await?;
        self.failures.forget(target);
        Ok(self.traffic.opened(target, stream))
    }

    async fn reach(&self, target: &Target) -> Result<TcpStream, Rejection> {
        self.settle_name(target).await?;
        if let Some(proxy) = &self.outbound {
            // The proxy resolves names; those that mean this machine wherever they are said are checked all the same.
            if target.host.is_localhost() {
                self.check_addresses(target, localhost())?;
            }
            return proxy.connect(target).await;
        }
        let addresses = self.check_addresses(target, self.addresses(target).await?)?;
        dial(target, &addresses).await
    }

    /// The first stage alone; repeated for each request of a kept connection. Waits for a person where they have to be asked.
    pub(super) async fn settle_name(&self, target: &Target) -> Result<(), Rejection> {
        let refuse = |refusal| Rejection::Policy { target: target.clone(), refusal };
        match self.check_name(target) {
            Err(Refusal::Unasked) => {
                self.places.settle(&target.host, target.port).await;
                self.check_name(target).map_err(refuse)
            }
            checked => checked.map_err(refuse),
        }
    }

    fn check_name(&self, target: &Target) -> Result<(), Refusal> {
        let by_name = match self.policy.by_name(&target.host, target.port) {
            Err(Refusal::Unasked) => self.places.standing(&target.host, target.port),
            named => named,
        };
        if !matches!(by_name, Ok(()) | Err(Refusal::Unasked)) {
            return by_name;
        }
        // Nobody is asked about an address that stays closed whatever they say.
        match &target.host {
            Host::Address(address) => self.check_address(target, *address).and(by_name),
            Host::Name(_) if by_name == Err(Refusal::Unasked) && target.host.is_localhost() => {
                let closed = localhost().into_iter().map(|address| self.check_address(target, address));
                closed.reduce(Result::or).unwrap_or(Ok(())).and(by_name)
            }
            Host::Name(_) => by_name,
        }
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Rejection> {
        let host = &target.host;
        let name = match host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(_) if host.is_localhost() => return Ok(localhost()),
            Host::Name(name) => name,
        };
        let unresolved = |cause: String| Rejection::Unresolved { target: target.clone(), cause };
        match timeout(RESOLVE_DEADLINE, self.resolver.resolve(name)).await {
            Ok(Ok(addresses)) if addresses.is_empty() => Err(unresolved("it has none".to_owned())),
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(unresolved(error.to_string())),
            Err(_) => Err(unresolved(format!("no answer within {RESOLVE_DEADLINE:?}"))),
        }
    }

    /// Returns the addresses that may be dialled; the refusal of the first if none may.
    fn check_addresses(&self, target: &Target, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Rejection> {
        let mut first_refusal = None;
        let mut open = Vec::new();
        for address in addresses {
            match self.check_address(target, address) {
                Ok(()) => open.push(canonical(address)),
                Err(refusal) => drop(first_refusal.get_or_insert(refusal)),
            }
        }
        match first_refusal {
            Some(refusal) if open.is_empty() => Err(Rejection::Policy { target: target.clone(), refusal }),
            Some(_) | None => Ok(open),
        }
    }

    fn check_address(&self, target: &Target, address: IpAddr) -> Result<(), Refusal> {
        self.policy.by_address(&target.host, address, target.port)?;
        // A public address of this machine leads to its own listeners, past whatever guards them from outside.
        if is_own(address) && !self.policy.opens_private(&target.host, address, target.port) {
            return Err(Refusal::OwnMachine { address });
        }
        Ok(())
    }
}

async fn dial(target: &Target, addresses: &[IpAddr]) -> Result<TcpStream, Rejection> {
    let (mut kind, mut cause) = (FailureKind::Unreachable, String::new());
    for &address in addresses.iter().take(ADDRESSES_MAX) {
        match timeout(DIAL_DEADLINE, TcpStream::connect(SocketAddr::new(address, target.port))).await {
            Ok(Ok(stream)) => {
                // Only a matter of delay: a connection without it is still good.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => (kind, cause) = (FailureKind::of_io(&error), error.to_string()),
            Err(_) => (kind, cause) = (FailureKind::TimedOut, format!("no answer within {DIAL_DEADLINE:?}")),
        }
    }
    Err(Rejection::Unreachable { target: target.clone(), kind, cause })
}

fn localhost() -> Vec<IpAddr> {
    vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
}

/// Whether the address is one of this machine's interfaces now.
fn is_own(address: IpAddr) -> bool {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else {
        return true; // Unknown is closed.
    };
    interfaces.filter_map(|interface| interface.address).any(|own| {
        let v4 = own.as_sockaddr_in().map(|v4| IpAddr::from(v4.ip()));
        let v6 = own.as_sockaddr_in6().map(|v6| IpAddr::from(v6.ip()));
        v4.or(v6) == Some(canonical(address))
    })
}
