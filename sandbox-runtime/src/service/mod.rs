//! The operations of the product. HTTP, the programs and the desktop are thin over this and add no rules.
//!
//! Owns which sandboxes there are, what is checked before one is made, and what a restart makes of unfinished work.
//! Leaves the state of each sandbox to its driver.

mod act;
mod browse;
mod bundles;
mod cdp_port;
mod checkpoints;
mod credentials;
mod debugging;
mod documents;
mod engines;
mod error;
mod forget;
pub mod home;
mod keys;
mod live;
mod models;
mod not_yet;
mod outputs;
mod people;
mod recordings;
mod recovery;
mod resume;
mod room_site;
mod sandboxes;
mod saved;
mod tasks;
mod terminals;
mod trust;
mod under_way;
mod webhooks;
mod workspaces;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub use browse::BrowseCommand;
pub use bundles::Bundled;
pub use debugging::Debugging;
use engines::Engines;
pub use error::{ErrorCode, ServiceError};
use keys::Keys;
pub use keys::PASSPHRASE_VARIABLE;
use sandbox_core::SandboxId;
use sandbox_core::model::{Check, SandboxStatus};
pub use terminals::{AttachedTerminal, KeptTerminal};
use tokio::sync::Semaphore;
pub use under_way::UnderWay;
pub use workspaces::{Holdings, Removed};

pub use crate::agent::Converted;
use crate::agent::models::ModelVariables;
use crate::driver::{Driver, Speech};
use crate::egress::Sites;
pub use crate::sandbox::calls::Output;
use crate::sandbox::checks;
use crate::store::Store;

pub type Answer<T> = Result<T, ServiceError>;

/// The runtime: one for each data directory. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

/// The runtime as something sees it that does not keep it.
pub(crate) struct WeakService {
    inner: Weak<Inner>,
}

impl WeakService {
    pub(crate) fn upgrade(&self) -> Option<Service> {
        Some(Service { inner: self.inner.upgrade()? })
    }
}

struct Inner {
    home: PathBuf,
    store: Store,
    engines: Engines,
    sites: Sites,
    sender: webhooks::Sender,
    /// What models say while they say it.
    speech: Speech,
    drivers: Mutex<BTreeMap<SandboxId, Driver>>,
    cdp_ports: Mutex<BTreeMap<SandboxId, cdp_port::OpenPort>>,
    terminals: terminals::Terminals,
    watches: workspaces::Watches,
    starts: Arc<Semaphore>,
    keys: Keys,
    /// Held while a model is set or forgotten.
    changing_models: tokio::sync::Mutex<()>,
    /// Held while an entry of the vault is set or forgotten.
    changing_credentials: tokio::sync::Mutex<()>,
    password_managers: credentials::PasswordManagers,
    /// The models that the runtime's environment names.
    variables: ModelVariables,
}

impl Service {
    /// Opens history and settles what an earlier runtime left unfinished. The caller holds the lock of `home`.
    ///
    /// # Errors
    ///
    /// History cannot be opened. A machine that cannot start sandboxes is no error: their making answers with the cause.
    pub async fn start(home: &Path) -> Answer<Self> {
        let at = home.to_owned();
        let opened = tokio::task::spawn_blocking(move || Store::open(&at)).await.map_err(ServiceError::internal)?;
        let store = opened.map_err(ServiceError::from)?;
        let passphrase = std::env::var(PASSPHRASE_VARIABLE).ok().filter(|text| !text.is_empty()).map(Into::into);
        let inner = Inner {
            home: home.to_owned(),
            sender: webhooks::Sender::start(home, store.clone()).await?,
            store,
            engines: Engines::find(home),
            sites: crate::demo::sites(),
            speech: Speech::default(),
            drivers: Mutex::default(),
            cdp_ports: Mutex::default(),
            terminals: terminals::Terminals::default(),
            watches: workspaces::Watches::default(),
            starts: Arc::new(Semaphore::new(sandboxes::STARTS_AT_ONCE)),
            keys: Keys::beneath(home, passphrase),
            changing_models: tokio::sync::Mutex::default(),
            changing_credentials: tokio::sync::Mutex::default(),
            password_managers: credentials::PasswordManagers::default(),
            variables: ModelVariables::of_process(),
        };
        let service = Self { inner: Arc::new(inner) };
        checkpoints::finish_restores(&service).await?;
        recovery::settle(&service).await?;
        tokio::spawn(recordings::tidy(service.downgrade()));
        Ok(service)
    }

    /// Stops every sandbox, then the sending of webhooks. A task that waits for a person goes on with the next runtime.
    pub async fn stop(&self) {
        self.inner.cdp_ports.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let drivers: Vec<Driver> = std::mem::take(&mut *self.drivers()).into_values().collect();
        futures_util::future::join_all(drivers.iter().map(Driver::leave)).await;
        self.inner.sender.stop().await;
    }

    pub(crate) fn downgrade(&self) -> WeakService {
        WeakService { inner: Arc::downgrade(&self.inner) }
    }

    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub fn home(&self) -> &Path {
        &self.inner.home
    }

    /// Returns the driver of a sandbox that runs.
    ///
    /// # Errors
    ///
    /// `notFound` for an unknown sandbox, `conflict` for one that is over.
    pub async fn driver(&self, id: &SandboxId) -> Answer<Driver> {
        if let Some(driver) = self.running(id) {
            return Ok(driver);
        }
        let sandbox = self.sandbox(id).await?;
        if sandbox.status == SandboxStatus::Paused {
            let refusal = ServiceError::conflict("the sandbox is paused", sandbox.status);
            return Err(refusal.with_hint("resume it first"));
        }
        if !sandbox.status.is_over() {
            let message = "nothing of the sandbox runs: its end could not be written down yet, as the disk is full";
            return Err(ServiceError::conflict(message, sandbox.status).with_hint("free some space"));
        }
        Err(ServiceError::conflict(format!("the sandbox is {}", status_word(sandbox.status)), sandbox.status))
    }

    /// Returns the driver of a sandbox that takes work.
    ///
    /// # Errors
    ///
    /// As [`Self::driver`], and `conflict` while the sandbox starts or ends.
    pub(crate) async fn working_driver(&self, id: &SandboxId) -> Answer<Driver> {
        let driver = self.driver(id).await?;
        let status = driver.sandbox().status;
        if status.takes_work() {
            driver.touch();
            return Ok(driver);
        }
        let wait = if status == SandboxStatus::Paused { "resume it first" } else { "wait until it is ready" };
        Err(ServiceError::conflict(format!("the sandbox is {}; {wait}", status_word(status)), status))
    }

    /// Returns the checks of this machine.
    pub async fn checks(&self) -> Vec<Check> {
        let mut found = checks::all().await;
        found.extend(self.store().troubles().into_iter().map(|trouble| Check {
            name: "history".to_owned(),
            ok: false,
            required: false,
            found: trouble.to_string(),
            fix: Some(trouble.remedy()),
        }));
        found
    }

    fn running(&self, id: &SandboxId) -> Option<Driver> {
        let mut drivers = self.drivers();
        let driver = drivers.get(id)?.clone();
        if driver.is_over() {
            drivers.remove(id);
            return None;
        }
        Some(driver)
    }

    fn drivers(&self) -> MutexGuard<'_, BTreeMap<SandboxId, Driver>> {
        // Entries are put and taken whole: no panic leaves the map half changed.
        self.inner.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the status as the contract spells it.
fn status_word(status: sandbox_core::model::SandboxStatus) -> String {
    match serde_json::to_value(status) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => format!("{status:?}"),
    }
}
