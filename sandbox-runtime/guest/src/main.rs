//! The program inside a room: takes its link, learns which room it is to be, and runs until the runtime is gone.

use std::io;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use anyhow::Context;
use sandbox_guest::shell::{self, Commands};
use sandbox_guest::{init, isolation, no_links, run};
use sandbox_link::protocol::LINK_FD;
use sandbox_link::walls::WallOrders;
use sandbox_link::{Link, Side, greet_runtime};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    if let Some(supervised) = shell::supervised_command() {
        return shell::supervise(supervised);
    }
    let commands = match walled_in() {
        Ok(Begun::Guest(commands)) => commands,
        Ok(Begun::Ended(code)) => return code,
        Err(error) => {
            // The backend knows these words.
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_env_filter(EnvFilter::try_from_env("BATON_GUEST_LOG").unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    match live(commands) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What this process is, once the walls stand.
enum Begun {
    Guest(Option<Commands>),
    /// It was the first process of its namespace, and has ended.
    Ended(ExitCode),
}

fn walled_in() -> anyhow::Result<Begun> {
    init::close_all_but(LINK_FD)?;
    if !init::is_first_process() {
        init::hide_from_room();
        return Ok(Begun::Guest(None));
    }
    let orders = WallOrders::from_arguments(std::env::args().skip(1)).map_err(anyhow::Error::msg)?;
    // Hidden, it could not name its own users; and a change of them would undo what binds its life.
    if no_links::are_wanted() {
        isolation::wall_in_desktop(&orders)?;
        init::hide_from_room();
        init::die_with_parent()?;
        return Ok(init::reap_until_guest_ends().map_or(Begun::Guest(None), Begun::Ended));
    }
    init::ignore_signals();
    let Some(commands) = Commands::split_off(&orders)? else { return Ok(Begun::Ended(ExitCode::SUCCESS)) };
    init::hide_from_room();
    init::die_with_parent()?;
    Ok(Begun::Guest(Some(commands)))
}

fn live(commands: Option<Commands>) -> anyhow::Result<()> {
    let link = init::take_link().context("take the link")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(serve(link, commands));
    // Whatever still runs belongs to a room without a runtime: it ends with this process.
    runtime.shutdown_background();
    result
}

async fn serve(link: UnixStream, commands: Option<Commands>) -> anyhow::Result<()> {
    let mut link = tokio::net::UnixStream::from_std(link)?;
    let settings = greet_runtime(&mut link).await.context("learn the settings of the room")?;
    let (link, incoming) = Link::start(link, Side::Guest);
    let ended = link.clone();
    tokio::select! {
        result = run(settings, commands, link, incoming) => result,
        () = ended.closed() => Ok(()),
    }
}
