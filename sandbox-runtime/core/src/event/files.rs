//! Commands, files and outputs.

use super::payload;
use crate::ArtifactKey;
use crate::document::DocumentFormat;
use crate::model::{Artifact, ExceededLimit, wire};

payload! {
    /// A command has ended.
    pub struct ExecCompleted {
        /// The command line, shortened.
        pub command: String,
        /// The exit status, or 128 + the signal's number.
        pub exit_code: i32,
        pub duration_ms: u64,
        pub timed_out: bool,
        /// The limit of the sandbox that was exceeded while the command ran, if it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub limit_exceeded: Option<ExceededLimit>,
    }

    /// A path of the workspace changed through Baton. What commands change is not told.
    pub struct FileChanged {
        pub path: String,
        pub change: FileChange,
    }

    /// A document was converted.
    pub struct DocumentConverted {
        /// The document in the workspace.
        pub path: String,
        pub to: DocumentFormat,
        /// The result in the workspace; of several pages, the first.
        pub output: String,
        /// How many files were made.
        pub pages: usize,
        /// The result, kept after the sandbox ends.
        pub artifact: ArtifactKey,
        pub duration_ms: u64,
    }

    /// An artifact was saved or deleted.
    pub struct ArtifactsUpdated {
        pub key: ArtifactKey,
        pub name: String,
        /// Bytes. Absent if it was deleted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub size: Option<u64>,
        /// Of its content, in lower-case hexadecimal. Absent if it was deleted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sha256: Option<String>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub deleted: bool,
    }
}

wire! {
    /// What happened to a path.
    #[derive(Copy, Eq)]
    pub enum FileChange {
        Written,
        Removed,
        /// The browser downloaded it.
        Downloaded,
    }
}

impl ArtifactsUpdated {
    pub fn kept(artifact: &Artifact) -> Self {
        Self {
            key: artifact.key.clone(),
            name: artifact.name.clone(),
            size: Some(artifact.size),
            sha256: Some(artifact.sha256.clone()),
            deleted: false,
        }
    }

    pub fn gone(artifact: &Artifact) -> Self {
        Self { size: None, sha256: None, deleted: true, ..Self::kept(artifact) }
    }
}
