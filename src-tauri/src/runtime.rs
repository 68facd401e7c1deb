//! The runtime inside the application: the same service and the same API as `baton serve`.

use std::sync::Arc;

use sandbox_runtime::api::{Api, Server};
use sandbox_runtime::service::home::{Held, Home, HomeError};
use sandbox_runtime::service::{Service, ServiceError};
use tokio::sync::Mutex;

/// The running runtime; cheap to clone.
#[derive(Clone)]
pub struct Baton {
    pub service: Service,
    pub api: Api,
    /// Base address of the loopback server, which serves the WebSockets of the window.
    pub url: String,
    pub token: String,
    server: Arc<Mutex<Option<Server>>>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Held(Held),
    #[error("open the data directory: {0}")]
    Home(HomeError),
    #[error("start the runtime: {0}")]
    Service(#[from] ServiceError),
    #[error("serve on loopback: {0}")]
    Serve(#[from] std::io::Error),
}

/// Starts the runtime on the data directory, with its loopback server.
pub async fn start() -> Result<Baton, StartError> {
    let home = Home::open_default().map_err(|error| match error {
        HomeError::Held(held) => StartError::Held(held),
        other => StartError::Home(other),
    })?;
    let service = Service::start(home.path()).await?;
    let api = Api::new(service.clone());
    let server = api.serve(home, 0).await?;
    Ok(Baton {
        service,
        url: server.url().to_owned(),
        token: server.token().to_owned(),
        server: Arc::new(Mutex::new(Some(server))),
        api,
    })
}

impl Baton {
    /// Ends every sandbox and stops serving.
    pub async fn stop(&self) {
        self.service.stop().await;
        if let Some(server) = self.server.lock().await.take() {
            server.stop().await;
        }
    }
}

pub fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
