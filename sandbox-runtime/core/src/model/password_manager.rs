use super::{CredentialSource, EpochMs, Secret, wire};

wire! {
    /// Whether the sign-ins of a password manager can be filled in.
    #[derive(Copy, Eq)]
    pub enum PasswordManagerState {
        /// Its command line program is not on this machine.
        Absent,
        /// It is there, and nobody connected it.
        Off,
        /// It is connected, and gives no values before it is unlocked.
        Locked,
        /// It is connected, and gave what it was asked for last.
        Ready,
    }

    /// A password manager that Baton can fill sign-ins from, by its command line program.
    #[derive(Eq)]
    pub struct PasswordManager {
        pub source: CredentialSource,
        /// What people call it: `1Password`.
        pub name: String,
        pub state: PasswordManagerState,
        /// Why it is not ready, and what helps.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub detail: Option<String>,
        /// How many of its sign-ins are among the credentials: one for each site of each item.
        pub entries: u64,
        /// When they were listed last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub listed_at: Option<EpochMs>,
    }

    /// Connects a password manager, or lists its sign-ins again.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct PasswordManagerConnect {
        /// The master password, for a program that unlocks with one (Bitwarden). It is given to the program and forgotten; what
        /// the program answers opens it until the runtime ends.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub passphrase: Option<Secret>,
    }
}
