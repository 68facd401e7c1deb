//! The runtime inside the application: the same service and the same API as `baton serve`.

use std::sync::Arc;

use sandbox_runtime::api::{Api, ServeError, Server};
use sandbox_runtime::service::home::{Home, HomeError};
use sandbox_runtime::service::{Service, ServiceError};
use tokio::sync::Mutex;

/// The running runtime; cheap to clone.
#[derive(Clone)]
pub struct Baton {
    pub api: Api,
    /// Base address of the loopback server, which serves the WebSockets of the window.
    pub url: String,
    owned: Arc<Mutex<Option<Owned>>>,
}

/// What ends with the application, in this order.
struct Owned {
    server: Server,
    /// Let go of last: until then nobody else may start on this data directory.
    _home: Home,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error("start the runtime: {0}")]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Starts the runtime on the data directory, with its loopback server.
pub async fn start() -> Result<Baton, StartError> {
    let home = Home::open(&Home::default_path()?)?;
    let service = Service::start(home.path()).await?;
    let api = Api::new(service);
    let server = api.serve(0).await?;
    let url = server.url();
    Ok(Baton { api, url, owned: Arc::new(Mutex::new(Some(Owned { server, _home: home }))) })
}

impl Baton {
    /// Takes no more requests, ends every sandbox, lets go of the data directory.
    pub async fn stop(&self) {
        let Some(owned) = self.owned.lock().await.take() else { return };
        owned.server.stop().await;
        self.api.service().stop().await;
    }
}

pub fn log_to_stderr() {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| sandbox_runtime::LOG_FILTER.into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
