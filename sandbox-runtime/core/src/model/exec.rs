use std::collections::BTreeMap;

use super::wire;

wire! {
    /// One command. `command` runs directly, without a shell.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct ExecRequest {
        pub command: String,
        #[serde(default)]
        pub args: Vec<String>,
        /// Working folder in the workspace. Default: the workspace root.
        #[serde(default)]
        pub cwd: Option<String>,
        #[serde(default)]
        pub env: BTreeMap<String, String>,
        #[serde(default)]
        pub stdin: Option<String>,
        /// Time limit in milliseconds, 1 to 3,600,000. Default 120,000.
        #[serde(default)]
        pub timeout_ms: Option<u64>,
    }

    /// How a command ended. Of each output stream, the last 1 MiB is kept.
    #[derive(Eq)]
    pub struct ExecResult {
        /// The exit status, or 128 + the signal's number.
        pub exit_code: i32,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub signal: Option<String>,
        pub stdout: String,
        pub stderr: String,
        pub stdout_truncated: bool,
        pub stderr_truncated: bool,
        pub duration_ms: u64,
        pub timed_out: bool,
        /// The limit of the sandbox that was exceeded while the command ran, if it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub limit_exceeded: Option<ExceededLimit>,
    }

    /// A limit of the sandbox, by its name in `limits`.
    #[derive(Copy, Eq)]
    pub enum ExceededLimit {
        MemoryMb,
        Pids,
        DiskMb,
    }

    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct CodeRequest {
        pub language: CodeLanguage,
        pub code: String,
        #[serde(default)]
        pub timeout_ms: Option<u64>,
    }

    #[derive(Copy, Eq)]
    pub enum CodeLanguage {
        Python,
        Javascript,
        Typescript,
        Bash,
    }

    /// One entry of the workspace.
    #[derive(Eq)]
    pub struct FileEntry {
        /// Relative to the workspace, `/` between parts.
        pub path: String,
        pub kind: FileKind,
        /// Bytes.
        pub size: u64,
        pub modified_at: super::EpochMs,
    }

    #[derive(Copy, Eq)]
    pub enum FileKind {
        File,
        Directory,
        Symlink,
        Other,
    }
}
