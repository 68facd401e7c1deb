//! One command, as the guest orders it from the starter.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Names one supervisor, for guest and starter alike.
pub type SupervisorId = u64;

/// What to run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    pub program: String,
    pub args: Vec<String>,
    pub cwd: PathBuf,
    /// All of it; nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// Whether its standard streams are a terminal that becomes its session's own.
    pub on_terminal: bool,
}
