//! The program inside a room: takes its link, learns which room it is to be, and runs until the runtime is gone.

use std::io;
use std::process::ExitCode;

use anyhow::Context;
use nix::libc;
use sandbox_guest::init::RawLink;
use sandbox_guest::shell::{self, Commands};
use sandbox_guest::{init, isolation, no_links, run};
use sandbox_link::protocol::LINK_FD;
use sandbox_link::walls::WallOrders;
use sandbox_link::{Link, Side, greet_runtime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    if let Some(supervised) = shell::supervised_command() {
        return shell::supervise(supervised);
    }
    let (commands, in_container) = match walled_in() {
        Ok(Begun::Guest { commands, in_container }) => (commands, in_container),
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
    match live(commands, in_container) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What this process is, once the walls stand.
enum Begun {
    Guest {
        commands: Option<Commands>,
        in_container: bool,
    },
    /// It was the first process of its namespace, and has ended.
    Ended(ExitCode),
}

fn walled_in() -> anyhow::Result<Begun> {
    if !init::is_first_process() {
        init::close_all_but(LINK_FD)?;
        init::hide_from_room();
        return Ok(Begun::Guest { commands: None, in_container: false });
    }
    let orders = WallOrders::from_arguments(std::env::args().skip(1)).map_err(anyhow::Error::msg)?;
    let in_container = orders.in_container;
    if in_container {
        init::close_all_after(libc::STDERR_FILENO)?;
        init::link_by_standard_streams()?;
    } else {
        init::close_all_but(LINK_FD)?;
    }
    let begun = |commands| Begun::Guest { commands, in_container };
    // Hidden, it could not name its own users; and a change of them would undo what binds its life.
    if no_links::are_wanted() {
        isolation::wall_in_desktop(&orders)?;
        init::hide_from_room();
        init::die_with_parent()?;
        return Ok(init::reap_until_guest_ends().map_or_else(|| begun(None), Begun::Ended));
    }
    init::ignore_signals();
    isolation::enter_shell_room(&orders)?;
    let Some(commands) = Commands::split_off(&orders)? else { return Ok(Begun::Ended(ExitCode::SUCCESS)) };
    init::hide_from_room();
    init::die_with_parent()?;
    Ok(begun(Some(commands)))
}

fn live(commands: Option<Commands>, in_container: bool) -> anyhow::Result<()> {
    let link = init::take_link(in_container).context("take the link")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(async {
        match link {
            RawLink::Socket(link) => serve(UnixStream::from_std(link)?, commands).await,
            RawLink::Pipes(read, write) => {
                let link = tokio::io::join(pipe::Receiver::from_owned_fd(read)?, pipe::Sender::from_owned_fd(write)?);
                serve(link, commands).await
            }
        }
    });
    // Whatever still runs belongs to a room without a runtime: it ends with this process.
    runtime.shutdown_background();
    result
}

async fn serve<S>(mut link: S, commands: Option<Commands>) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let settings = greet_runtime(&mut link).await.context("learn the settings of the room")?;
    let (link, incoming) = Link::start(link, Side::Guest);
    let ended = link.clone();
    tokio::select! {
        result = run(settings, commands, link, incoming) => result,
        () = ended.closed() => Ok(()),
    }
}
