use std::collections::BTreeMap;

use super::{EpochMs, Failure, wire};
use crate::{SandboxId, TaskId};

wire! {
    /// What a caller asks of the agent: a `prompt`, or a `playbook` (YAML text).
    #[serde(deny_unknown_fields)]
    pub struct TaskRequest {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub prompt: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub playbook: Option<String>,
        /// Values for the playbook's `params`.
        #[serde(default)]
        pub params: BTreeMap<String, String>,
        #[serde(default)]
        pub metadata: BTreeMap<String, serde_json::Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub model: Option<String>,
        #[serde(default)]
        pub limits: TaskLimits,
    }

    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct TaskLimits {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub steps: Option<u64>,
        /// The clock stands still while a person is asked or drives.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub time_ms: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tokens: Option<u64>,
    }

    pub struct Task {
        pub id: TaskId,
        pub sandbox_id: SandboxId,
        /// The playbook's name or the beginning of the prompt, for lists.
        pub title: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub prompt: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub playbook: Option<String>,
        pub status: TaskStatus,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub result: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub error: Option<Failure>,
        pub metadata: BTreeMap<String, serde_json::Value>,
        pub usage: Usage,
        pub created_at: EpochMs,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub started_at: Option<EpochMs>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ended_at: Option<EpochMs>,
    }

    #[derive(Copy, Eq)]
    pub enum TaskStatus {
        Queued,
        Running,
        Waiting,
        Completed,
        Failed,
        Cancelled,
    }

    #[derive(Default)]
    pub struct Usage {
        pub steps: u64,
        pub input_tokens: u64,
        pub output_tokens: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cost_usd: Option<f64>,
    }
}

impl Usage {
    /// Adds what something cost; an unknown price leaves the sum of the known ones.
    pub fn add(&mut self, more: &Self) {
        self.steps += more.steps;
        self.input_tokens += more.input_tokens;
        self.output_tokens += more.output_tokens;
        if let Some(cost) = more.cost_usd {
            self.cost_usd = Some(self.cost_usd.unwrap_or(0.0) + cost);
        }
    }
}

impl TaskStatus {
    pub fn is_over(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled => true,
            Self::Queued | Self::Running | Self::Waiting => false,
        }
    }
}
