use super::{EpochMs, Secret, wire};
use crate::{CredentialId, SandboxId, SignInOfferId, TaskId};

wire! {
    /// What an entry of the vault is for.
    #[derive(Copy, Eq)]
    pub enum CredentialKind {
        /// A sign-in at a site: user name, password, one-time codes.
        Login,
        /// A value for commands.
        Secret,
    }

    /// Whether an entry may be used without asking a person.
    #[derive(Copy, Eq, Default)]
    pub enum CredentialRule {
        /// It is filled in whenever a task or a program asks for it.
        Fill,
        /// A person is asked each time.
        #[default]
        Ask,
        /// It is kept, and never filled in.
        Never,
    }

    /// Where the values of an entry are.
    #[derive(Copy, Eq, Hash, PartialOrd, Ord, Default)]
    pub enum CredentialSource {
        /// In Baton's own vault.
        #[default]
        Local,
        #[serde(rename = "1password")]
        OnePassword,
        Bitwarden,
    }


    /// An entry of the vault, without its values: they are never returned.
    #[derive(Eq)]
    pub struct Credential {
        pub id: CredentialId,
        pub kind: CredentialKind,
        /// Where a login is filled in: `portal.example`, `*.portal.example`, or an origin such as `http://127.0.0.1:8080`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub site: Option<String>,
        /// What people call it; of a secret, the name that commands use.
        pub name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub username: Option<String>,
        /// Whether it has a password.
        #[serde(default)]
        #[schema(required)]
        pub has_password: bool,
        /// Whether it makes one-time codes.
        #[serde(default)]
        #[schema(required)]
        pub has_totp: bool,
        /// How many passkeys it has.
        #[serde(default)]
        #[schema(required)]
        pub passkeys: u32,
        /// The sites that its passkeys are for (relying party identifiers).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub passkey_sites: Vec<String>,
        /// Of a secret: the hosts that it is for, as in `network.allow`. A command gets it in a sandbox that reaches no other.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub hosts: Vec<String>,
        pub rule: CredentialRule,
        pub source: CredentialSource,
        /// The item of the password manager that has its values, as its program names it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub source_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last_used_at: Option<EpochMs>,
        /// The task that used it last, if it was a task.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last_used_by: Option<TaskId>,
        pub created_at: EpochMs,
        pub updated_at: EpochMs,
    }

    /// A new entry.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct NewCredential {
        pub kind: CredentialKind,
        /// Of a login: a host, `*.` and a host for its subdomains also, or an origin. A host alone means HTTPS; an IP address,
        /// `localhost` and reserved names such as `portal.example` also mean HTTP.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub site: Option<String>,
        /// Default for a login: its site. Of a secret: letters, digits and underscores, the first a letter.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub username: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub password: Option<Secret>,
        /// Base32, or an `otpauth://` address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub totp: Option<Secret>,
        /// A picture of the QR code for one-time codes, in place of `totp`: PNG or JPEG, in base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub totp_picture: Option<Secret>,
        /// Of a login: recovery codes and the like, for the person alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub note: Option<Secret>,
        /// Of a secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub value: Option<Secret>,
        /// Of a secret: the hosts that it is for, as in `network.allow`. A command gets it in a sandbox that reaches no other.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub hosts: Vec<String>,
        /// Default `ask`.
        #[serde(default)]
        pub rule: CredentialRule,
    }

    /// Changes to an entry. Fields that are left out stay the same. An empty text removes a value.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct CredentialPatch {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub site: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub username: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub password: Option<Secret>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub totp: Option<Secret>,
        /// A picture of the QR code for one-time codes, in place of `totp`: PNG or JPEG, in base64.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub totp_picture: Option<Secret>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub note: Option<Secret>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub value: Option<Secret>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub hosts: Option<Vec<String>>,
        /// 0 forgets its passkeys. No other number can be sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub passkeys: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub rule: Option<CredentialRule>,
    }

    /// Sign-ins as a browser or a password manager exports them.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct CredentialImport {
        /// The CSV file, with its first line.
        #[schema(value_type = String, write_only)]
        pub csv: Secret,
        /// Rule of every entry. Default `ask`.
        #[serde(default)]
        pub rule: CredentialRule,
    }

    /// The result of an import.
    #[derive(Eq)]
    pub struct ImportedCredentials {
        pub imported: u64,
        /// How many lines were not saved.
        pub n_skipped: u64,
        /// The first of them.
        pub skipped: Vec<SkippedLine>,
    }

    /// A line of a file that was not saved.
    #[derive(Eq)]
    pub struct SkippedLine {
        /// As an editor counts it, from 1.
        pub line: u64,
        pub why: String,
    }

    /// An offer to keep a sign-in that a person typed. Until they answer, its password is only in the runtime's memory.
    #[derive(Eq)]
    pub struct SignInOffer {
        pub offer_id: SignInOfferId,
        /// As a new entry would name it: exactly where it was typed.
        pub site: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub username: Option<String>,
        /// The entry that has another password, and would have this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub updates: Option<CredentialId>,
        /// When the question and the password are forgotten.
        pub expires_at: EpochMs,
    }

    /// The open offers of one sandbox.
    #[derive(Eq)]
    pub struct SignInOffers {
        pub data: Vec<SignInOffer>,
    }

    /// What becomes of a sign-in that a person typed.
    #[derive(Copy, Eq)]
    pub enum KeepDecision {
        /// It is saved, or its entry is changed.
        Keep,
        /// It is forgotten. The next sign-in there is asked about again.
        NotNow,
        /// It is forgotten, and nobody is asked about this site again. The vault lists the site with the rule `never`.
        Never,
    }

    /// The answer to an offer to keep a sign-in.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct SignInAnswer {
        pub decision: KeepDecision,
        /// Rule of the entry that is kept. Default: `ask` for a new one; one that is changed keeps its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub rule: Option<CredentialRule>,
    }

    /// What came of an answer.
    #[derive(Eq)]
    pub struct SignInAnswered {
        /// The entry that was saved or changed; with `never`, the one that says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub credential: Option<Credential>,
        /// What is still open.
        pub offers: Vec<SignInOffer>,
    }

    /// One line of the ledger: an entry was opened to be filled in.
    #[derive(Eq)]
    pub struct CredentialUse {
        pub credential_id: CredentialId,
        /// Origin of the document that it was filled into.
        pub site: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub username: Option<String>,
        pub sandbox_id: SandboxId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub task_id: Option<TaskId>,
        pub at: EpochMs,
    }
}

impl CredentialSource {
    /// Returns what people call it: `vault`, `1Password`.
    pub fn called(self) -> &'static str {
        match self {
            Self::Local => "vault",
            Self::OnePassword => "1Password",
            Self::Bitwarden => "Bitwarden",
        }
    }

    /// Whether Baton itself keeps the values.
    pub fn is_local(&self) -> bool {
        *self == Self::Local
    }
}
