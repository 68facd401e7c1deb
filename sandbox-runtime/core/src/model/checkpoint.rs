use super::{EpochMs, wire};
use crate::{CheckpointId, SandboxId};

wire! {
    /// A sandbox as it was at one moment: its files, its browser's sign-ins and its open tabs.
    #[derive(Eq)]
    pub struct Checkpoint {
        pub id: CheckpointId,
        pub sandbox_id: SandboxId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub label: Option<String>,
        /// Whether Baton took it by itself. Only the newest of those are kept.
        pub automatic: bool,
        /// Bytes of all files in it, those of the browser too.
        pub size: u64,
        /// Bytes that it added on the disk: what no other checkpoint had.
        pub new_bytes: u64,
        /// How many files of the workspace it holds.
        pub files: u64,
        /// How many tabs it holds.
        pub tabs: u64,
        /// What of the workspace is not in it, by path: sockets, pipes, devices and what could not be read. The first 20.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub skipped: Vec<String>,
        /// SHA-256 of its list of files. Lower-case hexadecimal.
        pub sha256: String,
        pub created_at: EpochMs,
    }

    /// A file that differs between a checkpoint and the workspace as it is now.
    #[derive(Eq)]
    pub struct ChangedFile {
        /// Path in the workspace.
        pub path: String,
        pub change: FileDifference,
        /// Bytes now; 0 where it is not there.
        pub size: u64,
        /// Bytes in the checkpoint; 0 where it was not there.
        pub size_then: u64,
    }

    /// How the workspace differs from a checkpoint.
    #[derive(Copy, Eq)]
    pub enum FileDifference {
        /// It is there now, and was not.
        Added,
        /// It was there, and is not now.
        Removed,
        /// It was another one.
        Changed,
    }

    /// The files that differ between a checkpoint and the workspace as it is now.
    #[derive(Eq)]
    pub struct CheckpointDiff {
        /// In the order of their paths, 2,000 at most.
        pub data: Vec<ChangedFile>,
        /// There are more than are listed.
        pub truncated: bool,
    }
}
