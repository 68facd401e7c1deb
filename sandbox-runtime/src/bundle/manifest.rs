//! The manifest, and the names of the parts.

use sandbox_core::model::{EpochMs, TaskStatus};
use sandbox_core::{ArtifactKey, SandboxId, TaskId};
use serde::{Deserialize, Serialize};

pub const MANIFEST: &str = "manifest.json";
pub const TASK: &str = "task.json";
pub const EVENTS: &str = "events.jsonl";
pub const HASHES: &str = "events.sha256";
pub const HANDOFFS: &str = "handoffs.json";
pub const APPROVALS: &str = "approvals.json";
pub const NETWORK: &str = "network.json";
pub const ARTIFACTS: &str = "artifacts.json";
pub const REPORT: &str = "report.html";
/// Stands for a hash that an event does not have.
pub const NO_HASH: &str = "-";

/// What a bundle says that it is.
pub const FORMAT: &str = "baton-bundle";
/// The version of the format that this program writes and reads.
pub const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub format: String,
    pub version: u32,
    pub task_id: TaskId,
    pub sandbox_id: SandboxId,
    pub title: String,
    pub status: TaskStatus,
    pub made_at: EpochMs,
    /// The program that made it.
    pub made_by: String,
    pub chain: Span,
    pub files: Vec<Part>,
    /// What the events name and the history has no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// Which events of the sandbox the bundle holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// `seq` of the first event; 0 if there is none.
    pub first: u64,
    pub last: u64,
    /// The hash of the last event: it stands for all before it. Empty if it has none.
    pub hash: String,
}

/// One file of the zip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    pub path: String,
    /// Bytes.
    pub size: u64,
    pub sha256: String,
    /// The artifact whose content it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<ArtifactKey>,
}

/// Returns where the picture of this hash lies.
pub fn picture_path(sha256: &str) -> String {
    format!("pictures/{sha256}.png")
}
