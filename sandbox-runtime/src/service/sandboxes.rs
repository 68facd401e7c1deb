//! Sandboxes: made, looked at, worked in, ended.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sandbox_core::event::{NewEvent, SandboxCreated, SandboxEnded, SandboxResumed};
use sandbox_core::layout::{PROFILE_DIR, WORKSPACE_DIR};
use sandbox_core::model::{
    Actor, AgentInfo, AgentStatus, Checkpoint, CodeRequest, ControlMode, ExecRequest, ExecResult, NetworkDestination,
    Preview, PreviewStatus, Sandbox, SandboxConfig, SandboxLimits, SandboxStatus,
};
use sandbox_core::policy;
use sandbox_core::{SandboxId, plain_name};

use super::credentials::vault::SandboxVault;
use super::engines::unavailable;
use super::{Answer, ErrorCode, Service, ServiceError, not_yet, recovery, room_site, status_word};
use crate::agent::models::ModelVariables;
use crate::browser::prepare_profile;
use crate::driver::{Driver, Kit, Presence};
use crate::egress;
use crate::now_ms;
use crate::sandbox::calls::{self, Frozen, Output, TerminalKeys, TerminalScreen};
use crate::store::Change;
use crate::workspace::Workspace;

/// How many sandboxes start at once; the others wait as `queued`.
pub(super) const STARTS_AT_ONCE: usize = 4;
/// How many sandboxes may start or wait for it.
const STARTS_MAX: usize = 32;
const LONGEST_NAME: usize = 200;
/// A browser takes about as long to start.
const SHORTEST_BROWSER_IDLE_MS: u64 = 1_000;

impl Service {
    /// Makes a sandbox and starts it; answers at once.
    ///
    /// # Errors
    ///
    /// `invalid` for a configuration that cannot be, `overloaded` when many start already, `unavailable` where this machine cannot start sandboxes.
    pub async fn create_sandbox(&self, config: SandboxConfig) -> Answer<Sandbox> {
        check_config(&config)?;
        let backend = self.inner.engines.get(config.backend.unwrap_or_default())?;
        backend.is_there().await.map_err(unavailable)?;
        let in_force = backend.limits(&config.limits).map_err(|error| ServiceError::invalid(error.to_string()))?;
        self.store().room_for_work()?;
        let from = match &config.from_checkpoint {
            Some(id) => Some(self.checkpoint_to_begin_with(id, &in_force).await?),
            None => None,
        };
        self.check_starts()?;
        let now = now_ms();
        let id = SandboxId::from_unique(crate::unique());
        let browser = config.capabilities.browser.browser();
        let profile = self.profile_dir(&id, browser.as_ref().and_then(|browser| browser.profile.as_deref()))?;
        let workspace = self.make_folders(&id, &profile).await?;
        let name = config.name.as_deref().map(plain_name).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| "Sandbox".to_owned());
        let sandbox = Sandbox {
            id: id.clone(),
            name,
            status: SandboxStatus::Queued,
            backend: config.backend.unwrap_or_default(),
            preview: Preview {
                status: if browser.is_some() { PreviewStatus::Starting } else { PreviewStatus::Off },
                control_mode: ControlMode::Idle,
                controller: None,
                url: String::new(),
                title: String::new(),
                tabs: vec![],
                viewport: browser.map(|browser| browser.viewport).unwrap_or_default(),
                viewers: 0,
                blind: false,
                debugging_port: None,
                updated_at: now,
            },
            capabilities: config.capabilities,
            network: config.network,
            limits: SandboxLimits::new(config.limits, in_force),
            agent: AgentInfo { status: AgentStatus::Off, task_id: None },
            handoff: None,
            approvals: vec![],
            failure: None,
            paused: None,
            created_at: now,
            ready_at: None,
            ended_at: None,
            updated_at: now,
        };
        let created = NewEvent::new(&id, Actor::Api, now, SandboxCreated { name: sandbox.name.clone() });
        let change = Change { sandboxes: vec![sandbox.clone()], events: vec![created], ..Change::default() };
        self.store().commit(change).await?;
        self.start_driver(sandbox.clone(), config.env, profile, workspace, from).await?;
        Ok(sandbox)
    }

    /// Starts a sandbox anew that an earlier runtime left in the middle of its work: the same workspace, the same profile.
    pub(super) async fn revive_sandbox(&self, mut sandbox: Sandbox) -> Answer<Driver> {
        let browser = sandbox.capabilities.browser.browser();
        let profile = self.profile_dir(&sandbox.id, browser.as_ref().and_then(|browser| browser.profile.as_deref()))?;
        let workspace = self.make_folders(&sandbox.id, &profile).await?;
        // The machine may have other means than before.
        let asked = sandbox.limits.asked();
        let backend = self.inner.engines.get(sandbox.backend)?;
        let in_force = backend.limits(&asked).map_err(|error| ServiceError::invalid(error.to_string()))?;
        sandbox.limits = SandboxLimits::new(asked, in_force);
        sandbox.status = SandboxStatus::Queued;
        sandbox.paused = None;
        sandbox.handoff = None;
        sandbox.approvals = vec![];
        sandbox.agent = AgentInfo { status: AgentStatus::Off, task_id: None };
        sandbox.preview.status = if browser.is_some() { PreviewStatus::Starting } else { PreviewStatus::Off };
        sandbox.preview.viewers = 0;
        self.start_driver(sandbox, BTreeMap::new(), profile, workspace, None).await
    }

    async fn make_folders(&self, id: &SandboxId, profile: &Profile) -> Answer<Workspace> {
        let (profile_dir, workspace_dir) = (profile.dir.clone(), self.workspace_dir(id));
        let made = tokio::task::spawn_blocking(move || {
            make_private_dir(&profile_dir)?;
            prepare_profile(&profile_dir, WORKSPACE_DIR, PROFILE_DIR)?;
            Workspace::create(&workspace_dir).map_err(std::io::Error::other)
        });
        made.await.map_err(ServiceError::internal)?.map_err(ServiceError::internal)
    }

    async fn start_driver(
        &self,
        sandbox: Sandbox,
        mut env: BTreeMap<String, String>,
        profile: Profile,
        workspace: Workspace,
        from_checkpoint: Option<Checkpoint>,
    ) -> Answer<Driver> {
        let id = sandbox.id.clone();
        let model_variables = ModelVariables::take(&mut env);
        let mut own_env = BTreeSet::new();
        let mut shell_sites = self.inner.sites.clone();
        if let Some(browser) = sandbox.capabilities.browser.browser() {
            let is_open = browser.shell_access;
            if is_open && !env.contains_key(room_site::VARIABLE) {
                env.insert(room_site::VARIABLE.to_owned(), format!("http://{}", room_site::HOST));
                own_env.insert(room_site::VARIABLE.to_owned());
            }
            // Whoever knows its name is told why it is closed.
            let site = if is_open { room_site::router(self, &id) } else { room_site::closed() };
            shell_sites.0.insert(room_site::HOST.to_owned(), site);
        }
        let kit = Kit {
            store: self.store().clone(),
            home: self.home().to_owned(),
            frozen: Frozen::default(),
            from_checkpoint: from_checkpoint.map(Arc::new),
            backend: self.inner.engines.get(sandbox.backend)?,
            vault: Arc::new(SandboxVault::new(self, id.clone())),
            sites: self.inner.sites.clone(),
            shell_sites,
            workspace,
            profile: profile.dir,
            recordings: self.recordings_dir(&id),
            profile_is_temporary: profile.is_temporary,
            starts: self.inner.starts.clone(),
            env,
            own_env,
            model_variables,
            rules: Arc::new(self.store().rules().await?),
            speech: self.inner.speech.clone(),
        };
        let driver = Driver::start(sandbox, kit);
        self.drivers().insert(id, driver.clone());
        Ok(driver)
    }

    fn check_starts(&self) -> Answer<()> {
        let is_starting = |driver: &&Driver| !driver.sandbox().status.takes_work() && !driver.is_over();
        if self.drivers().values().filter(is_starting).count() < STARTS_MAX {
            return Ok(());
        }
        let refusal = ServiceError::new(ErrorCode::Overloaded, format!("{STARTS_MAX} sandboxes are starting already"));
        Err(refusal.with_hint("wait until some of them are ready, then try again"))
    }

    pub async fn sandbox(&self, id: &SandboxId) -> Answer<Sandbox> {
        if let Some(driver) = self.running(id) {
            return Ok(self.with_port(driver.sandbox()));
        }
        self.store().sandbox(id).await?.ok_or_else(|| ServiceError::not_found("sandbox", id))
    }

    /// Returns where a sandbox went and what went there, the most bytes first; also of one that has ended.
    pub async fn destinations(&self, id: &SandboxId) -> Answer<Vec<NetworkDestination>> {
        self.sandbox(id).await?;
        if let Some(driver) = self.running(id) {
            // One that ends meanwhile writes it down itself.
            let _ = driver.note_traffic().await;
        }
        Ok(self.store().destinations(id.clone()).await?)
    }

    /// Fills in the live parts of sandboxes that run, as history does not have them.
    pub fn with_live_parts(&self, sandboxes: Vec<Sandbox>) -> Vec<Sandbox> {
        let live =
            |sandbox: Sandbox| self.running(&sandbox.id).map_or(sandbox, |driver| self.with_port(driver.sandbox()));
        sandboxes.into_iter().map(live).collect()
    }

    fn with_port(&self, mut sandbox: Sandbox) -> Sandbox {
        sandbox.preview.debugging_port = self.cdp_port(&sandbox.id);
        sandbox
    }

    /// Waits until the sandbox is ready, or over.
    ///
    /// # Errors
    ///
    /// `timeout` when it takes longer than `limit`.
    pub async fn wait_until_ready(&self, id: &SandboxId, limit: Duration) -> Answer<Sandbox> {
        let Some(driver) = self.running(id) else { return self.sandbox(id).await };
        let reached = driver.wait_until(|sandbox| sandbox.status.takes_work() || sandbox.status.is_over());
        match tokio::time::timeout(limit, reached).await {
            Ok(Some(sandbox)) => Ok(sandbox),
            Ok(None) => self.sandbox(id).await,
            Err(_) => {
                let status = driver.sandbox().status;
                let late = ServiceError::conflict(format!("the sandbox is not ready after {limit:?}"), status);
                Err(ServiceError { code: ErrorCode::Timeout, ..late })
            }
        }
    }

    /// Ends a sandbox; artifacts and history stay. Ending one that is over answers as it is.
    pub async fn end_sandbox(&self, id: &SandboxId) -> Answer<Sandbox> {
        if let Some(driver) = self.running(id) {
            driver.end().await;
            return Ok(driver.sandbox());
        }
        let mut sandbox = self.sandbox(id).await?;
        if sandbox.status == SandboxStatus::Paused {
            // An earlier runtime left it so: nothing of it runs.
            recovery::end(self, &mut sandbox, SandboxEnded::default()).await?;
        }
        Ok(sandbox)
    }

    /// Freezes a sandbox until it is resumed.
    pub async fn pause_sandbox(&self, id: &SandboxId) -> Answer<Sandbox> {
        self.driver(id).await?.pause(Actor::Api).await?;
        self.sandbox(id).await
    }

    /// Lets a paused sandbox go on. One that an earlier runtime left paused starts again, with its files, sign-ins and tabs.
    pub async fn resume_sandbox(&self, id: &SandboxId) -> Answer<Sandbox> {
        if let Some(driver) = self.running(id) {
            driver.resume(Actor::Api).await?;
            return self.sandbox(id).await;
        }
        let sandbox = self.sandbox(id).await?;
        if sandbox.status != SandboxStatus::Paused {
            let message = format!("the sandbox is {}", status_word(sandbox.status));
            return Err(ServiceError::conflict(message, sandbox.status));
        }
        let resumed = NewEvent::new(id, Actor::Api, now_ms(), SandboxResumed {});
        self.store().commit(Change { events: vec![resumed], ..Change::default() }).await?;
        self.revive_sandbox(sandbox).await?;
        self.sandbox(id).await
    }

    /// Runs a command; `on_output` sees the output as it comes. Dropping the future kills the command.
    pub async fn exec(
        &self,
        id: &SandboxId,
        request: ExecRequest,
        on_output: impl FnMut(Output) + Send,
    ) -> Answer<ExecResult> {
        Ok(self.working_driver(id).await?.exec(request, Actor::Api, on_output).await?)
    }

    pub async fn code(&self, id: &SandboxId, request: CodeRequest) -> Answer<ExecResult> {
        Ok(self.working_driver(id).await?.code(request, Actor::Api).await?)
    }

    /// Opens a terminal in the shell room.
    pub async fn terminal(
        &self,
        id: &SandboxId,
        cols: u16,
        rows: u16,
    ) -> Answer<(TerminalScreen, TerminalKeys, Presence)> {
        let driver = self.working_driver(id).await?;
        let not_ready = || ServiceError::conflict("the sandbox is not ready", "assigning");
        let link = driver.shell_when_up().await.ok_or_else(not_ready)?;
        let opened = calls::terminal(&link, (cols, rows), Vec::new(), BTreeMap::new()).await;
        let (screen, keys) = opened.map_err(ServiceError::internal)?;
        Ok((screen, keys, driver.presence()))
    }

    /// Returns the workspace for reading; also of a sandbox that is over.
    pub async fn workspace(&self, id: &SandboxId) -> Answer<Workspace> {
        if let Some(driver) = self.running(id) {
            return Ok(driver.workspace().clone());
        }
        self.sandbox(id).await?;
        let dir = self.workspace_dir(id);
        let opened =
            tokio::task::spawn_blocking(move || Workspace::create(&dir)).await.map_err(ServiceError::internal)?;
        opened.map_err(ServiceError::from)
    }

    /// Returns the workspace for writing: only of a sandbox that takes work.
    pub async fn writable_workspace(&self, id: &SandboxId) -> Answer<Workspace> {
        Ok(self.working_driver(id).await?.workspace().clone())
    }

    pub(super) fn workspace_dir(&self, id: &SandboxId) -> PathBuf {
        self.home().join("workspaces").join(id.as_str())
    }

    fn profile_dir(&self, id: &SandboxId, name: Option<&str>) -> Answer<Profile> {
        let profiles = self.home().join("profiles");
        let Some(name) = name else {
            return Ok(Profile { dir: profiles.join(id.as_str()), is_temporary: true });
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) || name.starts_with(SandboxId::PREFIX) {
            return Err(ServiceError::invalid(format!(
                "`capabilities.browser.profile` is `{name}`; a profile's name has 1 to 64 letters, digits, - or _"
            )));
        }
        let used_by = self.drivers().values().find(|driver| driver.uses_profile(name) && !driver.is_over()).cloned();
        if let Some(driver) = used_by {
            let other = driver.sandbox();
            return Err(ServiceError::conflict(
                format!("the profile `{name}` is in use by sandbox {} ({})", other.id, other.name),
                other.status,
            ));
        }
        Ok(Profile { dir: profiles.join(name), is_temporary: false })
    }
}

struct Profile {
    dir: PathBuf,
    is_temporary: bool,
}

fn check_config(config: &SandboxConfig) -> Answer<()> {
    if config.name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
        return Err(ServiceError::invalid(format!("`name` has more than {LONGEST_NAME} characters")));
    }
    not_yet::check(config)?;
    if config.limits.idle_ms == Some(0) {
        return Err(ServiceError::invalid("`limits.idleMs` is 0; it is at least 1"));
    }
    if let Some(browser) = config.capabilities.browser.browser() {
        browser.viewport.check().map_err(|error| ServiceError::invalid(error.to_string()))?;
        if browser.idle_ms.is_some_and(|idle_ms| (1..SHORTEST_BROWSER_IDLE_MS).contains(&idle_ms)) {
            let message = format!("`capabilities.browser.idleMs` is 0 or at least {SHORTEST_BROWSER_IDLE_MS}");
            return Err(ServiceError::invalid(message));
        }
        if let Some(address) = &browser.byo_proxy_url {
            let why = |error| ServiceError::invalid(format!("`capabilities.browser.byoProxyUrl`: {error}"));
            egress::check_outbound_proxy(address).map_err(why)?;
        }
    }
    policy::Policy::new(&config.network).map_err(|error| ServiceError::invalid(format!("`network`: {error}")))?;
    for (name, value) in &config.env {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(ServiceError::invalid(format!("`env`: `{name}` is no name for an environment variable")));
        }
        if value.contains('\0') {
            return Err(ServiceError::invalid(format!("`env`: the value of `{name}` contains NUL")));
        }
    }
    Ok(())
}

fn make_private_dir(dir: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}
