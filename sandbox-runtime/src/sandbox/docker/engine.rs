//! The container engine of this machine: where it listens, and whether it answers.

use std::path::Path;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker as Engine};
use tokio::time::timeout;

use super::super::BackendError;

/// Where the engine listens, as for Docker's own client.
const ADDRESS_VARIABLE: &str = "DOCKER_HOST";
const SOCKET: &str = "/var/run/docker.sock";
/// How long the engine may take to answer a question about itself.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// How long a request may take, in seconds: an engine on a busy machine starts a container slowly.
const REQUEST_DEADLINE_S: u64 = 120;

/// Connects to the engine and agrees with it on a version of its interface.
///
/// # Errors
/// [`BackendError::Refused`] with what is missing and what mends it.
pub async fn connect() -> Result<Engine, BackendError> {
    let address = std::env::var(ADDRESS_VARIABLE).ok().filter(|address| !address.is_empty());
    let address = address.unwrap_or_else(|| format!("unix://{SOCKET}"));
    let Some(socket) = address.strip_prefix("unix://") else {
        return Err(BackendError::Refused {
            layer: super::LAYER,
            cause: format!("{ADDRESS_VARIABLE}={address} is not an engine of this machine"),
            fix: format!(
                "the workspace is mounted from this machine's disk: set {ADDRESS_VARIABLE} to a `unix://` socket"
            ),
        });
    };
    let refused = |cause: &Error| refusal(socket, &cause.to_string());
    let engine =
        Engine::connect_with_unix(socket, REQUEST_DEADLINE_S, API_DEFAULT_VERSION).map_err(|error| refused(&error))?;
    let negotiated = timeout(ANSWER_DEADLINE, engine.negotiate_version()).await;
    match negotiated {
        Ok(engine) => engine.map_err(|error| refused(&error)),
        Err(_) => Err(refusal(socket, &format!("no answer within {} s", ANSWER_DEADLINE.as_secs()))),
    }
}

/// Returns the name and version of an engine.
pub async fn version(engine: &Engine) -> Option<String> {
    let said = timeout(ANSWER_DEADLINE, engine.version()).await.ok()?.ok()?;
    Some(format!("Docker {}", said.version?))
}

fn refusal(socket: &str, cause: &str) -> BackendError {
    let may_open = nix::unistd::access(socket, nix::unistd::AccessFlags::R_OK | nix::unistd::AccessFlags::W_OK).is_ok();
    let (cause, fix) = if !Path::new(socket).exists() {
        (format!("no engine listens at {socket}"), "run `apt-get install docker.io`, or start its service")
    } else if !may_open {
        let fix = "run `usermod -aG docker $USER` as root and log in again; members of that group are as good as root";
        (format!("this user may not open {socket}"), fix)
    } else {
        (format!("{socket}: {cause}"), "look at the engine's log: `journalctl -u docker`")
    };
    BackendError::Refused { layer: super::LAYER, cause, fix: fix.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_engine_says_what_to_install() {
        let BackendError::Refused { cause, fix, .. } = refusal("/nowhere/docker.sock", "no such file") else {
            panic!("not a refusal")
        };
        assert_eq!(cause, "no engine listens at /nowhere/docker.sock");
        assert!(fix.contains("docker.io"), "{fix}");
    }
}
