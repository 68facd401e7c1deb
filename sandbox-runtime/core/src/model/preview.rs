use super::{EpochMs, Viewport, wire};

wire! {
    /// The live browser, as programs see it. While a person holds control `blind` is true and `url`, `title`, `tabs` are empty.
    pub struct Preview {
        pub status: PreviewStatus,
        pub control_mode: ControlMode,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub controller: Option<String>,
        pub url: String,
        pub title: String,
        pub tabs: Vec<Tab>,
        pub viewport: Viewport,
        /// How many live views are connected.
        pub viewers: u32,
        pub blind: bool,
        /// The port that is open for programs that take nothing but `host:port`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub debugging_port: Option<DebuggingPort>,
        pub updated_at: EpochMs,
    }

    /// A loopback port that speaks the debugging protocol, to programs of the runtime's own user.
    #[derive(Eq)]
    pub struct DebuggingPort {
        pub host: String,
        pub port: u16,
        pub expires_at: EpochMs,
    }

    #[derive(Copy, Eq)]
    pub enum PreviewStatus {
        Off,
        Starting,
        Ready,
        Failed,
    }

    /// Who drives.
    #[derive(Copy, Eq)]
    pub enum ControlMode {
        Ai,
        Human,
        Shared,
        Idle,
        Waiting,
    }

    #[derive(Eq)]
    pub struct Tab {
        pub id: String,
        pub url: String,
        pub title: String,
        pub active: bool,
    }
}
