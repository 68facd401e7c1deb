//! The runtime in this process: its data directory, its service, its server; ended in the opposite order.

use std::io::Write;

use anyhow::Context;
use sandbox_runtime::api::{Api, ServeError, Server};
use sandbox_runtime::service::home::{Home, HomeError};
use sandbox_runtime::service::{Service, ServiceError};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::client::Client;
use crate::exit;

/// A runtime that this process owns.
pub struct Runtime {
    api: Api,
    server: Server,
    /// Let go of last: until then nobody else may start on this data directory.
    _home: Home,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error("{}{}", .0.message, .0.hint.as_ref().map(|hint| format!("\n  {hint}")).unwrap_or_default())]
    Service(ServiceError),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

impl Runtime {
    /// Starts on the data directory of this process; port 0 picks one.
    pub async fn start(port: u16) -> Result<Self, StartError> {
        let home = Home::open(&Home::default_path()?)?;
        let service = Service::start(home.path()).await.map_err(StartError::Service)?;
        let api = Api::new(service);
        let server = api.serve(port).await?;
        Ok(Self { api, server, _home: home })
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    pub fn token(&self) -> &str {
        self.api.token()
    }

    /// Returns an address that opens the interface once.
    pub fn interface(&self) -> String {
        self.api.interface_url().unwrap_or_else(|| self.url())
    }

    /// Takes no more requests, ends every sandbox, closes history.
    pub async fn stop(self) {
        self.server.stop().await;
        self.api.service().stop().await;
    }
}

/// `baton serve`
pub async fn serve(port: u16) -> anyhow::Result<u8> {
    // Asked for first: a signal during the start is not lost.
    let mut stop = StopSignals::new().context("hear signals")?;
    let started = Runtime::start(port).await;
    if let Err(StartError::Home(HomeError::Held { holder: Some(running), .. })) = &started
        // Whoever comes again may have closed the tab: a fresh address leads back to what runs.
        && let Ok(interface) = Client::join(running.clone())?.interface().await
    {
        println!("interface: {interface}");
    }
    let runtime = started?;
    let interface = runtime.interface();
    // Whoever started us may wait for these two lines, or may have closed the pipe by now.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "listening on {}\ninterface: {interface}", runtime.url()).and_then(|()| out.flush());
    drop(out);
    stop.next().await;
    runtime.stop().await;
    Ok(exit::DONE)
}

/// What asks a program to stop: Ctrl+C, or the system.
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
