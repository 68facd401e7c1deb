use std::collections::BTreeMap;

use super::{Approval, EpochMs, Handoff, Preview, wire};
use crate::{SandboxId, TaskId};

wire! {
    /// What a caller asks for; everything optional.
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct SandboxConfig {
        pub name: Option<String>,
        /// Environment of commands, by name. Never reaches the desktop room.
        pub env: BTreeMap<String, String>,
        pub backend: Option<BackendKind>,
        pub capabilities: Capabilities,
        pub network: NetworkConfig,
        pub limits: Limits,
        /// Id of a checkpoint, of any sandbox: the new one begins with its files, sign-ins and tabs.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub from_checkpoint: Option<String>,
    }

    #[derive(Copy, Default, Eq)]
    pub enum BackendKind {
        #[default]
        Local,
        Docker,
    }

    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct Capabilities {
        pub agent: AgentCapability,
        /// `false` for a sandbox without a browser.
        pub browser: BrowserSwitch,
        pub documents: DocumentsCapability,
        pub storage: StorageCapability,
    }

    #[derive(Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct AgentCapability {
        /// `false` is refused in this version: every sandbox takes tasks.
        pub enabled: bool,
        /// Refused in this version: there is one agent, and a task names its model.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub default_agent: Option<String>,
    }

    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct BrowserCapability {
        pub viewport: Viewport,
        /// Whether the page is recorded: at most 500 MB or four hours, without what a person does.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        pub recording: bool,
        /// Name of a profile that outlives the sandbox; without it the profile ends with the sandbox.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub profile: Option<String>,
        /// `http://`, `https://` or `socks5://` proxy, credentials in the user info.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub byo_proxy_url: Option<String>,
        /// Whether commands in the sandbox's shell may drive the browser by its debugging endpoint, at `BATON_CDP_URL`.
        pub shell_access: bool,
        /// After how many milliseconds without use or watchers the browser is stopped. Its tabs and sign-ins come back when it is
        /// used again. Default 600000; at least 1000, or 0 to never stop it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub idle_ms: Option<u64>,
    }

    /// The page's size in CSS pixels: 320..=3840 by 240..=2160.
    #[derive(Copy, Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Viewport {
        #[schema(minimum = 320, maximum = 3840)]
        pub width: u32,
        #[schema(minimum = 240, maximum = 2160)]
        pub height: u32,
    }

    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct DocumentsCapability {
        /// `true` is refused in this version: documents are not converted.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        pub libreoffice_headless: bool,
    }

    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct StorageCapability {
        /// Refused in this version: an artifact's key is made by the runtime.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub artifact_prefix: Option<String>,
    }

    /// Where browser and commands may go.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct NetworkConfig {
        pub mode: NetworkMode,
        /// Host patterns: `example.org`, `*.example.org`, an address, or a CIDR; optionally `:port`.
        pub allow: Vec<String>,
        pub deny: Vec<String>,
        /// Private destinations that are open all the same, as in `allow`: `127.0.0.1:8888`.
        pub allow_private: Vec<String>,
    }

    #[derive(Copy, Default, Eq)]
    pub enum NetworkMode {
        /// Every public destination.
        #[default]
        Open,
        /// What `allow` and `allowPrivate` name.
        Allowlist,
        /// What `allow` and `allowPrivate` name, and what a person opens: they are asked once about each new site, and
        /// connections to it wait for the answer. A yes adds the site to `allow`.
        Ask,
        /// Nothing.
        None,
    }

    /// Limits that the sandbox is held to. One that this machine cannot enforce is refused.
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct Limits {
        /// Memory of all processes together, in MiB; at least 256. Default: half of the machine's.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 256)]
        pub memory_mb: Option<u64>,
        /// Processes and threads; at least 64. Default: 4096.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 64)]
        pub pids: Option<u64>,
        /// Processors, 0.5 for half of one; at least 0.1. Default: all of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 0.1)]
        pub cpus: Option<f64>,
        /// Size of the workspace in MiB; at least 1. Default: 10240, or half of what is free if that is less.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 1)]
        pub disk_mb: Option<u64>,
        /// The sandbox ends when nobody worked in it or watched it for so long; at least 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub idle_ms: Option<u64>,
    }

    /// The limits of a sandbox: as they were asked for, and what is in force.
    #[derive(Default)]
    #[serde(default)]
    pub struct SandboxLimits {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub memory_mb: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pids: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cpus: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub disk_mb: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub idle_ms: Option<u64>,
        #[schema(required)]
        pub in_force: LimitsInForce,
    }

    /// What each limit is, and what holds the sandbox to it. A limit that nothing holds is left out.
    #[derive(Default)]
    #[serde(default)]
    pub struct LimitsInForce {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub memory_mb: Option<LimitInForce>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pids: Option<LimitInForce>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cpus: Option<CpusInForce>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub disk_mb: Option<LimitInForce>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub idle_ms: Option<LimitInForce>,
    }

    #[derive(Copy, Eq)]
    pub struct LimitInForce {
        pub value: u64,
        pub by: EnforcedBy,
    }

    #[derive(Copy)]
    pub struct CpusInForce {
        pub value: f64,
        pub by: EnforcedBy,
    }

    /// What holds a sandbox to a limit.
    #[derive(Copy, Eq)]
    pub enum EnforcedBy {
        /// The kernel, by a control group of version 2.
        Cgroup2,
        /// The kernel, by a control group of version 1.
        Cgroup1,
        /// The kernel, by a limit of each process or user.
        Rlimit,
        /// The runtime, which looks again and again.
        Watchdog,
        /// The file system.
        Quota,
        /// The container engine.
        Engine,
    }

    /// One job's container, as the contract shows it.
    pub struct Sandbox {
        pub id: SandboxId,
        pub name: String,
        pub status: SandboxStatus,
        pub backend: BackendKind,
        pub capabilities: Capabilities,
        pub network: NetworkConfig,
        pub limits: SandboxLimits,
        pub preview: Preview,
        pub agent: AgentInfo,
        #[schema(required)]
        pub handoff: Option<Handoff>,
        /// Questions that a person has not answered yet, oldest first.
        #[serde(default)]
        #[schema(required)]
        pub approvals: Vec<Approval>,
        /// How it is paused, while it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub paused: Option<Paused>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub failure: Option<Failure>,
        pub created_at: EpochMs,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ready_at: Option<EpochMs>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ended_at: Option<EpochMs>,
        pub updated_at: EpochMs,
    }

    #[derive(Copy, Eq)]
    pub enum SandboxStatus {
        Queued,
        Assigning,
        Ready,
        Active,
        /// About to be paused: the action in flight is waited for.
        Pausing,
        /// Its processes are frozen, or stopped with their state kept.
        Paused,
        Ending,
        Ended,
        Failed,
    }

    /// How a sandbox is paused, and since when.
    #[derive(Copy, Eq)]
    pub struct Paused {
        pub by: PausedBy,
        pub at: EpochMs,
    }

    /// What keeps a paused sandbox from running.
    #[derive(Copy, Eq)]
    pub enum PausedBy {
        /// The kernel, by a control group of version 2.
        Cgroup2,
        /// Each process was stopped by a signal.
        Signals,
        /// The container engine.
        Engine,
        /// Nothing of it runs: the runtime stopped meanwhile. Files, sign-ins and tabs come back when it is resumed.
        Stopped,
    }

    pub struct AgentInfo {
        pub status: AgentStatus,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub task_id: Option<TaskId>,
    }

    #[derive(Copy, Eq)]
    pub enum AgentStatus {
        Off,
        Idle,
        Running,
        Waiting,
    }

    /// What went wrong: a code for programs, a sentence for people.
    #[derive(Eq)]
    pub struct Failure {
        pub code: String,
        pub message: String,
    }
}

/// `false`: no browser. `true`: a browser with the defaults. Else the browser that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum BrowserSwitch {
    /// `false`: no browser. `true`: a browser with the defaults.
    Plain(bool),
    With(BrowserCapability),
}

/// By hand, because the derived one for untagged enums does not say which field does not fit.
impl<'de> serde::Deserialize<'de> for BrowserSwitch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Switch;
        impl<'de> serde::de::Visitor<'de> for Switch {
            type Value = BrowserSwitch;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("true, false, or an object")
            }
            fn visit_bool<E>(self, is_wanted: bool) -> Result<BrowserSwitch, E> {
                Ok(BrowserSwitch::Plain(is_wanted))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, fields: A) -> Result<BrowserSwitch, A::Error> {
                let fields = serde::de::value::MapAccessDeserializer::new(fields);
                serde::Deserialize::deserialize(fields).map(BrowserSwitch::With)
            }
        }
        deserializer.deserialize_any(Switch)
    }
}

impl SandboxLimits {
    /// Returns what was asked for, with what is in force.
    pub fn new(asked: Limits, in_force: LimitsInForce) -> Self {
        let Limits { memory_mb, pids, cpus, disk_mb, idle_ms } = asked;
        Self { memory_mb, pids, cpus, disk_mb, idle_ms, in_force }
    }

    /// Returns what was asked for.
    pub fn asked(&self) -> Limits {
        let Self { memory_mb, pids, cpus, disk_mb, idle_ms, in_force: _ } = *self;
        Limits { memory_mb, pids, cpus, disk_mb, idle_ms }
    }
}

impl Default for AgentCapability {
    fn default() -> Self {
        Self { enabled: true, default_agent: None }
    }
}

impl Default for BrowserSwitch {
    fn default() -> Self {
        Self::Plain(true)
    }
}

impl BrowserSwitch {
    /// Returns the browser asked for, or `None` where there is to be none.
    pub fn browser(&self) -> Option<BrowserCapability> {
        match self {
            Self::Plain(false) => None,
            Self::Plain(true) => Some(BrowserCapability::default()),
            Self::With(browser) => Some(browser.clone()),
        }
    }
}

impl Default for Viewport {
    fn default() -> Self {
        Self { width: 1280, height: 720 }
    }
}

/// A viewport that no browser here is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the viewport is {width} × {height}; it goes from 320 × 240 to 3840 × 2160")]
pub struct ViewportOutOfRange {
    pub width: u32,
    pub height: u32,
}

impl Viewport {
    /// # Errors
    ///
    /// The viewport is smaller or larger than the contract has it.
    pub fn check(self) -> Result<(), ViewportOutOfRange> {
        let Self { width, height } = self;
        if (320..=3840).contains(&width) && (240..=2160).contains(&height) {
            return Ok(());
        }
        Err(ViewportOutOfRange { width, height })
    }
}

impl SandboxStatus {
    /// Whether the sandbox is paused, or about to be.
    pub fn is_pause(self) -> bool {
        matches!(self, Self::Pausing | Self::Paused)
    }

    /// Whether the sandbox takes work.
    pub fn takes_work(self) -> bool {
        match self {
            Self::Ready | Self::Active => true,
            Self::Queued
            | Self::Assigning
            | Self::Pausing
            | Self::Paused
            | Self::Ending
            | Self::Ended
            | Self::Failed => false,
        }
    }

    /// Whether the sandbox is gone for good.
    pub fn is_over(self) -> bool {
        match self {
            Self::Ended | Self::Failed => true,
            Self::Queued
            | Self::Assigning
            | Self::Ready
            | Self::Active
            | Self::Pausing
            | Self::Paused
            | Self::Ending => false,
        }
    }
}
