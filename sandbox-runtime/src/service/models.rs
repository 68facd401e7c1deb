//! The models that tasks may use: those that the runtime's environment names.

use std::sync::Arc;

use sandbox_core::SandboxId;
use secrecy::SecretString;

use super::{Answer, ErrorCode, Service, ServiceError};
use crate::agent::models::{Endpoint, Model, Models, RemoteModel, RetryPolicy, WireFormat};

/// In the order of preference: name, prefix of its variables, how it is spoken to, and its address unless one is named.
const NAMED: [(&str, &str, WireFormat, Option<&str>); 3] = [
    ("openrouter", "OPENROUTER", WireFormat::OpenAi, Some("https://openrouter.ai/api/v1")),
    ("anthropic", "ANTHROPIC", WireFormat::Anthropic, None),
    ("openai", "OPENAI", WireFormat::OpenAi, None),
];
const NO_MODEL: &str = "this runtime has no model to follow a prompt with";
const NO_MODEL_HINT: &str = "start it with OPENROUTER_API_KEY and OPENROUTER_MODEL (or ANTHROPIC_…, OPENAI_…), or send a \
    `playbook` instead: its steps run without a model";

impl Service {
    /// Returns the models of a task: the one that it names, else the first that there is.
    ///
    /// # Errors
    ///
    /// `noModel` where there is none, `invalid` for a name that there is not.
    pub async fn models_for(&self, _sandbox: &SandboxId, named: Option<&str>) -> Answer<Models> {
        let there_are: Vec<&str> =
            NAMED.iter().filter(|(_, prefix, ..)| is_set(prefix)).map(|(name, ..)| *name).collect();
        let Some(wanted) = named.or(there_are.first().copied()) else {
            return Err(ServiceError::new(ErrorCode::NoModel, NO_MODEL).with_hint(NO_MODEL_HINT));
        };
        let Some((_, prefix, format, own)) =
            NAMED.iter().find(|(name, ..)| *name == wanted && there_are.contains(name))
        else {
            let names = if there_are.is_empty() { "there is none".to_owned() } else { there_are.join(", ") };
            return Err(ServiceError::invalid(format!("there is no model `{wanted}`; there are: {names}")));
        };
        let base_url = variable(prefix, "BASE_URL");
        let key = variable(prefix, "API_KEY").map(SecretString::from);
        let model = variable(prefix, "MODEL").unwrap_or_default();
        let endpoint = Endpoint::new(*format, base_url.as_deref().or(*own), &model, key)
            .map_err(|error| ServiceError::invalid(format!("the environment's model `{wanted}`: {error}")))?;
        let remote = |endpoint| Arc::new(RemoteModel::new(endpoint, RetryPolicy::default())) as Arc<dyn Model>;
        let small = variable(prefix, "SMALL_MODEL").map(|name| remote(endpoint.with_model(&name)));
        Ok(Models { main: remote(endpoint), small })
    }
}

fn is_set(prefix: &str) -> bool {
    variable(prefix, "API_KEY").is_some() && variable(prefix, "MODEL").is_some()
}

fn variable(prefix: &str, name: &str) -> Option<String> {
    std::env::var(format!("{prefix}_{name}")).ok().filter(|value| !value.trim().is_empty())
}
