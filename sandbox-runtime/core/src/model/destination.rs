use super::{EpochMs, wire};

wire! {
    /// Which side of a sandbox uses the network.
    #[derive(Copy, Eq, Hash, PartialOrd, Ord)]
    pub enum NetworkUser {
        /// The browser: its pages, and what it asks for itself.
        Browser,
        /// Commands, code and terminals.
        Commands,
    }

    /// A destination that a sandbox reached or wanted to reach, with what went there. Built-in sites are none.
    #[derive(Eq)]
    pub struct NetworkDestination {
        /// A name or an address; `*` sums up what came after the first 1000 of a user.
        pub host: String,
        /// 0 with the host `*`.
        pub port: u16,
        pub by: NetworkUser,
        pub connections: u64,
        /// How often it was refused.
        pub refused: u64,
        /// Bytes that went there, of all protocols above TCP.
        pub sent_bytes: u64,
        /// Bytes that came from there.
        pub received_bytes: u64,
        pub first_at: EpochMs,
        pub last_at: EpochMs,
    }
}
