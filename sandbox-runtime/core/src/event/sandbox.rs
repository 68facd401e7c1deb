//! The sandbox itself: its life, its parts, who drives, and what it was not let out to.

use super::payload;
use crate::model::{ControlMode, PausedBy, wire};

payload! {
    /// A sandbox was asked for.
    pub struct SandboxCreated {
        pub name: String,
    }

    /// The rooms of a sandbox are being started.
    pub struct SandboxAssigned {}

    /// A sandbox takes work.
    pub struct SandboxReady {}

    /// A sandbox is paused.
    pub struct SandboxPaused {
        pub by: PausedBy,
    }

    /// A paused sandbox goes on.
    pub struct SandboxResumed {}

    /// A sandbox ended. Without a code, somebody ended it.
    #[derive(Default)]
    pub struct SandboxEnded {
        /// `idle`: nobody used it for `limits.idleMs`. `interrupted`: the runtime stopped while it was under way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub code: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub message: Option<String>,
    }

    /// A sandbox cannot go on.
    pub struct SandboxFailed {
        pub code: String,
        pub message: String,
    }

    /// A part that was lost was started again.
    pub struct Recovered {
        pub part: SandboxPart,
        pub cause: Loss,
    }

    /// The agent of a sandbox takes tasks.
    pub struct AgentReady {}

    /// Somebody else drives now, or nobody.
    pub struct ControlChanged {
        pub mode: ControlMode,
        /// The person who drives, by name.
        pub controller: Option<String>,
    }

    /// A destination was refused by the network policy, or could not be reached.
    pub struct NetworkDenied {
        /// As the program spelled it, if it could not be read as a host.
        pub host: String,
        /// 0 if the request did not get as far as a port.
        pub port: u16,
        pub reason: String,
    }
}

wire! {
    /// A part of a sandbox that can end or hang by itself.
    #[derive(Copy, Eq)]
    pub enum SandboxPart {
        /// The room of commands.
        Shell,
        /// The room of the browser.
        Desktop,
        /// The X server.
        Display,
        Browser,
    }

    /// How a part was lost.
    #[derive(Copy, Eq)]
    pub enum Loss {
        /// It ended by itself.
        Ended,
        /// It was stopped, or did not answer.
        Hung,
    }
}

impl std::fmt::Display for SandboxPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shell => "shell room",
            Self::Desktop => "desktop room",
            Self::Display => "display",
            Self::Browser => "browser",
        })
    }
}
