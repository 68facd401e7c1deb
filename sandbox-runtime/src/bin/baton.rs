//! The program `baton`: the runtime without a window, and what one does with it from a shell.

#[path = "baton/client.rs"]
mod client;
#[path = "baton/doctor.rs"]
mod doctor;
#[path = "baton/mcp.rs"]
mod mcp;
#[path = "baton/runtime.rs"]
mod runtime;
#[path = "baton/task.rs"]
mod task;
#[path = "baton/verify.rs"]
mod verify;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// How a program ends, for shells and scripts.
mod exit {
    pub const DONE: u8 = 0;
    pub const FAILED: u8 = 1;
    /// The call itself was wrong, or another runtime holds the data directory.
    pub const REFUSED: u8 = 2;
    pub const CANCELLED: u8 = 3;
}

/// Sandboxes with a live browser that a person can take over and hand back.
#[derive(Parser)]
#[command(name = "baton", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the runtime and its interface on this machine, until Ctrl+C.
    Serve {
        /// The port to listen on; 0 picks one.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Serve an MCP client over standard input and output; joins the runtime that runs, or starts one.
    Mcp,
    /// Run a playbook and show what happens. Exits 0 completed, 1 failed, 3 cancelled.
    Run {
        /// The playbook, a YAML file.
        file: PathBuf,
        /// A sandbox that exists; without it one is made, and ended afterwards.
        #[arg(long, value_name = "ID")]
        sandbox: Option<String>,
        /// A value for one of the playbook's parameters; may be given again.
        #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
        params: Vec<(String, String)>,
    },
    /// Run the guided first task; needs no model, no key, no network.
    Demo,
    /// Check a task's bundle: whether anything in it was changed since it was made. Exits 0 whole, 1 altered.
    Verify {
        /// The bundle, a zip file.
        bundle: PathBuf,
    },
    /// Check this machine: what works, what is missing, the command that mends it.
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the completions of a shell.
    Completions { shell: clap_complete::Shell },
    /// Write the manual pages into a folder.
    #[command(hide = true)]
    Manual { folder: PathBuf },
    /// Print the description of the HTTP interface (OpenAPI).
    #[command(hide = true)]
    Openapi,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr();
    let threads = tokio::runtime::Runtime::new();
    let done = match threads {
        Ok(threads) => {
            let done = threads.block_on(run(arguments.command));
            // A thread that waits for a file or a pipe must not keep the program.
            threads.shutdown_background();
            done
        }
        Err(error) => Err(anyhow::Error::new(error).context("start threads")),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("baton: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

async fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Serve { port } => runtime::serve(port).await,
        Command::Mcp => mcp::serve().await,
        Command::Run { file, sandbox, params } => task::run(&file, sandbox, params).await,
        Command::Demo => task::demo().await,
        Command::Verify { bundle } => verify::verify(bundle).await,
        Command::Doctor { json } => doctor::doctor(json).await,
        Command::Completions { shell } => {
            // It takes a closed pipe for a fault of the program: what it writes goes through a buffer.
            let mut written = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "baton", &mut written);
            std::io::stdout().write_all(&written).context("print the completions")?;
            Ok(exit::DONE)
        }
        Command::Manual { folder } => {
            clap_mangen::generate_to(Arguments::command(), folder).context("write the manual pages")?;
            Ok(exit::DONE)
        }
        Command::Openapi => {
            print!("{}", sandbox_runtime::api::openapi_json());
            Ok(exit::DONE)
        }
    }
}

/// Nothing but warnings, unless `RUST_LOG` asks for more. Standard output is for what the program says.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(sandbox_runtime::LOG_FILTER));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
}

fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<runtime::StartError>() {
        Some(runtime::StartError::Home(_)) => exit::REFUSED,
        Some(runtime::StartError::Service(_) | runtime::StartError::Serve(_)) => exit::FAILED,
        None if error.is::<task::BadCall>() => exit::REFUSED,
        None => exit::FAILED,
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}
