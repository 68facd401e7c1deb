//! The shell room: commands and terminals, each under a supervisor of its own.

mod environment;
mod exec;
mod family;
mod supervised;
mod supervisor;
mod terminal;

use std::path::PathBuf;
use std::sync::Arc;

use sandbox_link::protocol::{GuestOpen, Open, ShellSettings};
use sandbox_link::{Incoming, Link, Stream, read_message};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

pub use supervisor::{SupervisedCommand, supervise, supervised_command};

/// Where commands start and must stay beneath.
const WORKSPACE: &str = "/workspace";

struct ShellRoom {
    settings: ShellSettings,
    /// This program, which is also the supervisor.
    program: PathBuf,
}

/// Serves commands and terminals until the link ends, and then kills what still runs.
pub async fn run(settings: ShellSettings, link: Link, mut incoming: Incoming) -> anyhow::Result<()> {
    let room = Arc::new(ShellRoom { settings, program: std::env::current_exe()? });
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
        Ok(Some(other @ (Open::Desktop(_) | Open::Reports | Open::Cdp | Open::Video(_) | Open::Input))) => {
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
