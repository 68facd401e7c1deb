use serde::{Deserialize, Serialize, Serializer};

use super::wire;

/// A text that comes in and is never written: not to the wire, not to the log.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Secret(pub String);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

wire! {
    /// A model as a caller sets it. What is left out is as if it had never been set, but for the key.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct ModelSettings {
        pub kind: ModelKind,
        /// The provider's base address; without it, that of Anthropic or OpenAI.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub base_url: Option<String>,
        /// As the provider names it.
        pub model: String,
        /// A cheaper one at the same address, for summaries and the like.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub small_model: Option<String>,
        /// Tokens that a conversation may have; a careful guess without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub context_window: Option<u64>,
        /// Goes to the keyring and is never returned. Without it the key stays as long as the address does; empty removes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, write_only)]
        pub api_key: Option<Secret>,
        /// Whether tasks that name no model use this one; then no other is the default.
        #[serde(default)]
        pub default: bool,
    }

    /// How a model is spoken to.
    #[derive(Copy, Eq)]
    pub enum ModelKind {
        /// Anthropic's Messages.
        Anthropic,
        /// Chat completions with tools and streaming, as OpenRouter, OpenAI, Ollama, vLLM and LM Studio speak them.
        #[serde(rename = "openai")]
        OpenAi,
    }

    /// A model that tasks may use.
    #[derive(Eq)]
    pub struct ModelInfo {
        pub name: String,
        pub kind: ModelKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub base_url: Option<String>,
        pub model: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub small_model: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub context_window: Option<u64>,
        /// Whether it has a key; local servers want none.
        pub has_key: bool,
        /// Whether tasks that name no model use this one.
        pub default: bool,
        pub source: ModelSource,
    }

    #[derive(Copy, Eq)]
    pub enum ModelSource {
        Settings,
        /// The runtime's environment; changed only there.
        Environment,
    }

    /// What came of a short question to a model.
    #[derive(Eq)]
    pub struct ModelTest {
        pub ok: bool,
        pub latency_ms: u64,
        /// The provider's own words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<String>,
    }

    /// Where the keys of models are kept.
    #[derive(Eq)]
    pub struct KeyStorage {
        pub store: KeyStore,
        pub state: KeyState,
    }

    #[derive(Copy, Eq)]
    pub enum KeyStore {
        /// The system's own keyring.
        Keyring,
        /// No keyring answers: a file in the data directory, encrypted under a passphrase.
        File,
    }

    #[derive(Copy, Eq)]
    pub enum KeyState {
        /// Keys can be read and set.
        Open,
        /// The file wants its passphrase first.
        Locked,
        /// There is no file yet: the next passphrase is to be its own.
        New,
    }

    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Passphrase {
        #[schema(value_type = String, write_only)]
        pub passphrase: Secret,
    }
}
