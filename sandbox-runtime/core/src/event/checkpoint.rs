//! Checkpoints: taken, and gone back to.

use super::payload;
use crate::{CheckpointId, SandboxId};

payload! {
    /// A checkpoint was taken.
    pub struct CheckpointCreated {
        pub id: CheckpointId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub label: Option<String>,
        /// Whether Baton took it by itself.
        pub automatic: bool,
        /// Bytes of all files in it.
        pub size: u64,
        /// Bytes that it added on the disk.
        pub new_bytes: u64,
    }

    /// A sandbox is as it was at a checkpoint.
    pub struct CheckpointRestored {
        pub id: CheckpointId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub label: Option<String>,
        /// The sandbox that the checkpoint was taken of, if it is another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub from: Option<SandboxId>,
    }
}
