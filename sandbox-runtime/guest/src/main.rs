//! The program inside a room: takes its link, learns which room it is to be, and runs until the runtime is gone.

use std::io;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use anyhow::Context;
use sandbox_guest::{init, no_links, run, shell};
use sandbox_link::{Link, Side, greet_runtime};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    if let Some(supervised) = shell::supervised_command() {
        return shell::supervise(supervised);
    }
    if init::is_first_process()
        && let Err(error) = no_links::follow_none()
    {
        // The backend knows these words.
        eprintln!("follow no links beneath the workspace: {error}");
        return ExitCode::FAILURE;
    }
    init::hide_from_room();
    if init::is_first_process() {
        if no_links::are_wanted() {
            if let Some(code) = init::reap_until_guest_ends() {
                return code;
            }
        } else {
            // The shell room's guest stays the first process: the kernel keeps signals of its commands from it.
            init::ignore_signals();
            if init::die_with_parent().is_err() {
                return ExitCode::FAILURE;
            }
        }
    }
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_env_filter(EnvFilter::try_from_env("BATON_GUEST_LOG").unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    match live() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn live() -> anyhow::Result<()> {
    let link = init::take_link().context("take the link")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(serve(link));
    // Whatever still runs belongs to a room without a runtime: it ends with this process.
    runtime.shutdown_background();
    result
}

async fn serve(link: UnixStream) -> anyhow::Result<()> {
    let mut link = tokio::net::UnixStream::from_std(link)?;
    let settings = greet_runtime(&mut link).await.context("learn the settings of the room")?;
    let (link, incoming) = Link::start(link, Side::Guest);
    let ended = link.clone();
    tokio::select! {
        result = run(settings, link, incoming) => result,
        () = ended.closed() => Ok(()),
    }
}
