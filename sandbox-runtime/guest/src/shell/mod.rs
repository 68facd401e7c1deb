//! The shell room: commands and terminals, each under a supervisor of its own.

mod environment;
mod exec;
mod family;
mod job;
mod starter;
mod supervised;
mod supervisor;
mod supervisors;
mod terminal;

use std::sync::Arc;

use sandbox_link::protocol::{GuestOpen, Loss, Open, Part, Pulse, ShellSettings};
use sandbox_link::{Incoming, Link, Stream, read_message};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use supervisors::Supervisors;

pub use supervisor::{SupervisedCommand, supervise, supervised_command};
pub use supervisors::Commands;

/// Where commands start and must stay beneath.
const WORKSPACE: &str = "/workspace";

struct ShellRoom {
    settings: ShellSettings,
    supervisors: Arc<Supervisors>,
}

/// Serves commands and terminals until the link ends, and then kills what still runs.
///
/// # Errors
/// When no thread can be made, or the link breaks.
pub async fn run(
    settings: ShellSettings,
    commands: Commands,
    link: Link,
    mut incoming: Incoming,
) -> anyhow::Result<()> {
    let room = Arc::new(ShellRoom { settings, supervisors: Supervisors::begin(commands)? });
    link.open_for(&GuestOpen::Ready(Ok(()))).await?.shutdown().await?;
    let mut served = JoinSet::new();
    loop {
        tokio::select! {
            stream = incoming.accept() => {
                let Some(stream) = stream else { return Ok(()) };
                served.spawn(serve(room.clone(), stream));
            }
            Some(ended) = served.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a stream of the shell room broke");
                }
            }
        }
    }
}

async fn serve(room: Arc<ShellRoom>, mut stream: Stream) {
    let served = match read_message(&mut stream).await {
        Ok(Some(Open::Exec(spec))) => Box::pin(exec::serve(&room, spec, stream)).await,
        Ok(Some(Open::Terminal { cols, rows, command, env })) => {
            terminal::serve(&room, terminal::Terminal { cols, rows, command, env }, stream).await
        }
        Ok(Some(Open::Heartbeat)) => crate::heartbeat::serve(stream, || pulse(&room.supervisors)).await,
        Ok(Some(
            other @ (Open::Desktop(_)
            | Open::Reports
            | Open::Cdp
            | Open::Video(_)
            | Open::Recording { .. }
            | Open::Input),
        )) => {
            tracing::warn!(?other, "the shell room does not serve this");
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a stream of the shell room ended early");
    }
}

/// A guest that can open nothing can start nothing, nor can one whose starter does not answer.
fn pulse(supervisors: &Supervisors) -> Pulse {
    if !supervisors.answer() {
        tracing::error!("the starter of commands does not answer");
        return Pulse::Lost(Part::Shell, Loss::Hung);
    }
    match std::fs::File::open("/dev/null") {
        Ok(_) => Pulse::Well,
        Err(error) => {
            tracing::error!(%error, "the guest can open no file");
            Pulse::Lost(Part::Shell, Loss::Hung)
        }
    }
}
