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
        /// Of a recording: which time it shows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub recorded: Option<RecordedSpan>,
    }

    /// The time that a recording shows.
    #[derive(Eq)]
    pub struct RecordedSpan {
        /// The time of its first picture.
        pub started_at: EpochMs,
        pub ended_at: EpochMs,
        pub gaps: Vec<RecordingGap>,
    }

    /// A time that a recording does not show: one plain picture stands for it.
    #[derive(Eq)]
    pub struct RecordingGap {
        pub from: EpochMs,
        pub to: EpochMs,
        pub why: GapReason,
    }

    #[derive(Copy, Eq)]
    pub enum GapReason {
        /// A person drove. It lasts until no page that is open holds what they typed.
        Person,
        /// A page came back that holds what a person typed.
        Typed,
        /// The browser was away.
        Browser,
        /// The recording had reached its largest size or length.
        Limit,
        /// The disk was full.
        DiskFull,
    }

    /// A recording of a sandbox's browser: video of the page, with the true times.
    #[derive(Eq)]
    pub struct Recording {
        /// Key of the finished artifact; the content can also be read while recording.
        pub key: ArtifactKey,
        pub started_at: EpochMs,
        /// While recording: the time of the newest picture.
        pub ended_at: EpochMs,
        /// Bytes.
        pub size: u64,
        pub gaps: Vec<RecordingGap>,
        /// Whether it goes on.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub growing: bool,
    }

    /// Every recording of a sandbox, oldest first.
    #[derive(Eq)]
    pub struct Recordings {
        pub data: Vec<Recording>,
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
