use super::{EpochMs, wire};
use crate::{ArtifactKey, SandboxId, TaskId};

wire! {
    /// A durable output that outlives the sandbox.
    #[derive(Eq)]
    pub struct Artifact {
        pub key: ArtifactKey,
        pub sandbox_id: SandboxId,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub task_id: Option<TaskId>,
        pub name: String,
        pub kind: ArtifactKind,
        pub content_type: String,
        pub size: u64,
        /// Lower-case hexadecimal.
        pub sha256: String,
        pub created_at: EpochMs,
    }

    #[derive(Copy, Eq)]
    pub enum ArtifactKind {
        File,
        Document,
        Package,
        Recording,
        Checkpoint,
    }
}
