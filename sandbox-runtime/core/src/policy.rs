//! Where a sandbox may go: a function of configuration, name and address. Egress resolves and dials; this decides.
//!
//! ```text
//!   text ──Host::parse──▶ Host ──by_name──▶ (resolve) ──by_address──▶ (dial that address)
//! ```
//!
//! Deny beats allow. In mode `ask`, one answer opens a [`Place`]. A private destination is closed unless `allowPrivate` names it, whatever else allows it.

mod address;
mod beside;
mod host;
mod pattern;
mod place;

use std::net::IpAddr;

pub use address::{canonical, embedded, is_global};
pub use beside::{Beside, beside};
pub use host::{Host, HostError};
pub use pattern::{Pattern, PatternError};
pub use place::{Place, host_patterns, is_public_suffix, named_patterns};

use crate::model::{NetworkConfig, NetworkMode};

/// The network rules of one sandbox, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    mode: NetworkMode,
    allow: Vec<Pattern>,
    deny: Vec<Pattern>,
    allow_private: Vec<Pattern>,
}

/// A pattern of the configuration that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read network.{setting}: {cause}")]
pub struct PolicyError {
    /// `allow`, `deny` or `allowPrivate`.
    pub setting: &'static str,
    #[source]
    pub cause: PatternError,
}

/// Why a destination is closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this sandbox has no network")]
    NoNetwork,
    #[error("it is denied by \"{pattern}\"")]
    Denied { pattern: String },
    #[error("it is not on the list of allowed destinations")]
    NotAllowed,
    /// The sandbox asks for new places, and has no answer about this one.
    #[error("nobody has said yet whether this sandbox may reach it")]
    Unasked,
    #[error("a person said no to it")]
    SaidNo,
    #[error("{address} is not a public address")]
    Private { address: IpAddr },
    /// Seen by egress, which knows the addresses of its machine.
    #[error("{address} is this machine itself")]
    OwnMachine { address: IpAddr },
}

impl Refusal {
    /// Returns the setting that decides about this, as the contract names it.
    pub fn setting(&self) -> &'static str {
        match self {
            Self::NoNetwork => "network.mode",
            Self::Denied { .. } => "network.deny",
            Self::NotAllowed | Self::Unasked | Self::SaidNo => "network.allow",
            Self::Private { .. } | Self::OwnMachine { .. } => "network.allowPrivate",
        }
    }
}

impl Policy {
    /// Parses the rules.
    ///
    /// # Errors
    ///
    /// The first pattern that cannot be understood, with its text.
    pub fn new(config: &NetworkConfig) -> Result<Self, PolicyError> {
        let allow_private = parse_all("allowPrivate", &config.allow_private)?;
        if let Some(index) = allow_private.iter().position(Pattern::is_any) {
            let cause = PatternError::NotNamed { text: config.allow_private[index].clone() };
            return Err(PolicyError { setting: "allowPrivate", cause });
        }
        Ok(Self {
            mode: config.mode,
            allow: parse_all("allow", &config.allow)?,
            deny: parse_all("deny", &config.deny)?,
            allow_private,
        })
    }

    /// First stage, before anything is resolved: decides on what the program asked for.
    ///
    /// For a literal address this is the whole decision.
    ///
    /// # Errors
    ///
    /// Why the destination is closed.
    pub fn by_name(&self, host: &Host, port: u16) -> Result<(), Refusal> {
        if self.mode == NetworkMode::None {
            return Err(Refusal::NoNetwork);
        }
        if let Some(pattern) = first_match(&self.deny, host, port) {
            return Err(Refusal::Denied { pattern: pattern.to_string() });
        }
        let is_named =
            first_match(&self.allow, host, port).is_some() || first_match(&self.allow_private, host, port).is_some();
        match self.mode {
            NetworkMode::Allowlist if !is_named => return Err(Refusal::NotAllowed),
            NetworkMode::Ask if !is_named => return Err(Refusal::Unasked),
            NetworkMode::Open | NetworkMode::Allowlist | NetworkMode::Ask | NetworkMode::None => {}
        }
        match host {
            Host::Name(_) => Ok(()),
            Host::Address(address) => self.check_private(host, *address, port),
        }
    }

    /// Second stage, after resolving: decides on one address that `host` stands for. Only this address may then be dialled.
    ///
    /// # Errors
    ///
    /// Why the address is closed.
    pub fn by_address(&self, host: &Host, address: IpAddr, port: u16) -> Result<(), Refusal> {
        if self.mode == NetworkMode::None {
            return Err(Refusal::NoNetwork);
        }
        let resolved = Host::Address(canonical(address));
        if let Some(pattern) = first_match(&self.deny, &resolved, port) {
            return Err(Refusal::Denied { pattern: pattern.to_string() });
        }
        self.check_private(host, address, port)
    }

    /// Whether `allowPrivate` opens this destination, by its name or its address.
    pub fn opens_private(&self, host: &Host, address: IpAddr, port: u16) -> bool {
        let resolved = Host::Address(canonical(address));
        first_match(&self.allow_private, host, port).is_some()
            || first_match(&self.allow_private, &resolved, port).is_some()
    }

    fn check_private(&self, host: &Host, address: IpAddr, port: u16) -> Result<(), Refusal> {
        if is_global(address) || self.opens_private(host, address, port) {
            return Ok(());
        }
        Err(Refusal::Private { address: canonical(address) })
    }
}

fn parse_all(setting: &'static str, texts: &[String]) -> Result<Vec<Pattern>, PolicyError> {
    texts.iter().map(|text| text.parse().map_err(|cause| PolicyError { setting, cause })).collect()
}

fn first_match<'a>(patterns: &'a [Pattern], host: &Host, port: u16) -> Option<&'a Pattern> {
    patterns.iter().find(|pattern| pattern.matches(host, port))
}
