//! The listening socket: loopback only, for as long as the [`Server`] is kept.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Api;
use crate::service::home::Running;

/// How long requests under way may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(3);

/// A runtime that listens. Stop it with [`Server::stop`].
pub struct Server {
    api: Api,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("listen on 127.0.0.1:{port}: {cause}; port 0 picks a free one")]
    Listen { port: u16, cause: std::io::Error },
    #[error("write the runtime's address to the data directory: {0}")]
    Announce(std::io::Error),
    #[error("this runtime is served already")]
    Twice,
}

impl Server {
    pub(super) async fn start(api: Api, port: u16) -> Result<Self, ServeError> {
        let listen = |cause| ServeError::Listen { port, cause };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        api.inner.port.set(address.port()).map_err(|_| ServeError::Twice)?;
        let running = Running {
            url: format!("http://{address}"),
            token: api.token().to_owned(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: crate::now_ms(),
        };
        match running.announce(api.service().home()) {
            // What is there can be read and exported: whoever has the address finds it.
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                tracing::warn!("the disk is full: programs do not find this runtime by themselves");
            }
            announced => announced.map_err(ServeError::Announce)?,
        }

        let listener = listener.tap_io(|stream| {
            // Small words must not wait for each other; where it cannot be set they do, and nothing else breaks.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps its delay");
            }
        });
        let closing = api.closing().clone().cancelled_owned();
        let serve = axum::serve(listener, api.router()).with_graceful_shutdown(closing).into_future();
        let serving = tokio::spawn(async move {
            if let Err(error) = serve.await {
                tracing::error!(%error, "the server ended");
            }
        });
        Ok(Self { api, address, serving })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base of every address: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no more requests, ends streams, lets what is under way finish for a moment, and takes back the address.
    pub async fn stop(mut self) {
        Running::withdraw(self.api.service().home());
        self.api.closing().cancel();
        self.api.detached().close();
        let drained = tokio::time::timeout(DRAIN, async {
            // Ends by itself, or by a panic that was logged.
            let _ = (&mut self.serving).await;
            self.api.detached().wait().await;
        });
        if drained.await.is_err() {
            tracing::warn!("requests that did not end were cut off");
        }
        self.serving.abort();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.api.closing().cancel();
        self.serving.abort();
    }
}
