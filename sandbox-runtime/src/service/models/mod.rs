//! The models that tasks may use: set by a person or a program, or named by the environment.
//!
//! Owns which there are, which is the default, and where each key belongs. Leaves asking them to `agent::models`, and the
//! keeping of keys to `keys`.

mod choice;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox_core::SandboxId;
use sandbox_core::model::{KeyStorage, ModelInfo, ModelKind, ModelSettings, ModelSource, ModelTest, Secret};
use secrecy::SecretString;

use self::choice::default_name;
use super::{Answer, ErrorCode, Service, ServiceError};
use crate::agent::models::{
    Endpoint, Message, Model, Models, NamedModel, Part, RemoteModel, Request, RetryPolicy, WireFormat,
};
use crate::store::Change;

const LONGEST_NAME: usize = 100;

/// How long a test of a model may take: local servers load it first.
const TEST_DEADLINE: Duration = Duration::from_secs(120);

const NO_MODEL_HINT: &str = "add one in the settings or with PUT /v1/models/{name}, or start the runtime with \
    OPENROUTER_API_KEY and OPENROUTER_MODEL (or ANTHROPIC_…, OPENAI_…); a `playbook` needs none";

impl Service {
    /// Returns every model that tasks may use, by name.
    pub async fn models(&self) -> Answer<Vec<ModelInfo>> {
        let mut models: BTreeMap<String, ModelInfo> =
            self.named_models().iter().map(|model| (model.name.to_owned(), info(model))).collect();
        for model in self.store().models().await? {
            models.insert(model.name.clone(), model);
        }
        let mut models: Vec<ModelInfo> = models.into_values().collect();
        let default = default_name(&models).map(str::to_owned);
        for model in &mut models {
            model.default = Some(&model.name) == default.as_ref();
        }
        Ok(models)
    }

    pub async fn model(&self, name: &str) -> Answer<ModelInfo> {
        let models = self.models().await?;
        models.into_iter().find(|model| model.name == name).ok_or_else(|| ServiceError::not_found("model", name))
    }

    /// Sets a model, or changes it. Its key goes to the keyring; it stays if none is given and the address is the same.
    ///
    /// # Errors
    ///
    /// `invalid` for what cannot be asked, `conflict` where a key cannot be kept before the key file is unlocked.
    pub async fn put_model(&self, name: &str, settings: ModelSettings) -> Answer<ModelInfo> {
        check_name(name)?;
        let given = settings.api_key.as_ref().map(|Secret(key)| key.trim().to_owned());
        let key = given.clone().filter(|key| !key.is_empty()).map(SecretString::from);
        if settings.small_model.as_ref().is_some_and(|small| small.trim().is_empty()) {
            return Err(ServiceError::invalid("`smallModel` is empty; leave it out instead"));
        }
        if settings.context_window.is_some_and(|tokens| tokens < 1000) {
            return Err(ServiceError::invalid("`contextWindow` is fewer than 1000 tokens"));
        }
        let base_url = settings.base_url.as_deref();
        Endpoint::new(format_of(settings.kind), base_url, &settings.model, key.clone())
            .map_err(|error| ServiceError::invalid(error.to_string()))?;

        // One change at a time: two must not both become the default, nor part a model from its key.
        let _changing = self.inner.changing_models.lock().await;
        let stored = self.store().models().await?;
        let before = stored.iter().find(|model| model.name == name);
        let same_place =
            before.is_some_and(|before| before.kind == settings.kind && before.base_url == settings.base_url);
        let had_key = before.is_some_and(|before| before.has_key);
        let has_key = match (&given, &key) {
            (Some(_), Some(key)) => {
                self.inner.keys.set(name, key.clone()).await?;
                true
            }
            (None, _) if same_place => had_key,
            // A key is never sent to another address than it was given for.
            (Some(_), None) | (None, _) => {
                if had_key {
                    self.inner.keys.delete(name).await?;
                }
                false
            }
        };
        let model = ModelInfo {
            name: name.to_owned(),
            kind: settings.kind,
            base_url: settings.base_url,
            model: settings.model.trim().to_owned(),
            small_model: settings.small_model,
            context_window: settings.context_window,
            has_key,
            default: settings.default,
            source: ModelSource::Settings,
        };
        let mut models = vec![model];
        if settings.default {
            let others = stored.into_iter().filter(|other| other.default && other.name != name);
            models.extend(others.map(|other| ModelInfo { default: false, ..other }));
        }
        self.store().commit(Change { models, ..Change::default() }).await?;
        self.model(name).await
    }

    /// Forgets a model and its key.
    ///
    /// # Errors
    ///
    /// `conflict` for one of the runtime's environment.
    pub async fn delete_model(&self, name: &str) -> Answer<()> {
        let _changing = self.inner.changing_models.lock().await;
        let Some(stored) = self.store().model(name).await? else {
            let model = self.model(name).await?;
            let message = format!("`{name}` comes from the runtime's environment");
            return Err(
                ServiceError::conflict(message, model.source).with_hint("change it where the runtime is started")
            );
        };
        if stored.has_key {
            self.inner.keys.delete(name).await?;
        }
        self.store().commit(Change { deleted_models: vec![name.to_owned()], ..Change::default() }).await?;
        Ok(())
    }

    /// Asks a model for a word, once. What goes wrong is the answer, in the provider's own words.
    pub async fn test_model(&self, name: &str) -> Answer<ModelTest> {
        let info = self.model(name).await?;
        let once = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
        let model = RemoteModel::new(self.endpoint(&info).await?, once);
        let request = Request {
            messages: vec![Message::user(vec![Part::text("Reply with the one word: ready")])],
            max_output_tokens: 200,
            ..Request::default()
        };
        let begun = Instant::now();
        let mut unheard = |_| {};
        let asked = tokio::time::timeout(TEST_DEADLINE, model.reply(&request, &mut unheard)).await;
        let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let error = match asked {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.message),
            Err(_) => Some(format!("no whole answer within {} s", TEST_DEADLINE.as_secs())),
        };
        Ok(ModelTest { ok: error.is_none(), latency_ms, error })
    }

    /// Returns the models of a task: the one that it names, else the one that its sandbox chose, else the default.
    ///
    /// # Errors
    ///
    /// `noModel` where there is none, `invalid` for a name that there is not, `conflict` while its key is locked away.
    pub async fn models_for(&self, sandbox: &SandboxId, named: Option<&str>) -> Answer<Models> {
        if let Some(name) = named {
            let models = self.models().await?;
            let Some(info) = models.iter().find(|model| model.name == name) else {
                let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
                let there_are = if names.is_empty() { "there is none".to_owned() } else { names.join(", ") };
                return Err(ServiceError::invalid(format!("there is no model `{name}`; there are: {there_are}")));
            };
            return Ok(pair(self.endpoint(info).await?, info.small_model.as_deref()));
        }
        let chosen = self.running(sandbox).map(|driver| driver.model_variables().models_over(&self.inner.variables));
        if let Some(model) = chosen.and_then(|models| models.into_iter().next()) {
            return Ok(pair(endpoint_of(&model)?, model.small_model.as_deref()));
        }
        let models = self.models().await?;
        let Some(info) = models.iter().find(|model| model.default) else {
            let message = "this runtime has no model to follow a prompt with";
            return Err(ServiceError::new(ErrorCode::NoModel, message).with_hint(NO_MODEL_HINT));
        };
        Ok(pair(self.endpoint(info).await?, info.small_model.as_deref()))
    }

    /// Returns where the keys of models are kept.
    pub async fn key_storage(&self) -> KeyStorage {
        self.inner.keys.storage().await
    }

    /// Opens the key file, or begins one.
    ///
    /// # Errors
    ///
    /// `invalid` for a wrong passphrase, `conflict` where the system's keyring is used.
    pub async fn unlock_keys(&self, Secret(passphrase): Secret) -> Answer<KeyStorage> {
        self.inner.keys.unlock(passphrase.into()).await
    }

    fn named_models(&self) -> Vec<NamedModel> {
        self.inner.variables.models()
    }

    async fn endpoint(&self, info: &ModelInfo) -> Answer<Endpoint> {
        if info.source == ModelSource::Environment
            && let Some(named) = self.named_models().iter().find(|named| named.name == info.name)
        {
            return endpoint_of(named);
        }
        let key = if info.has_key { self.inner.keys.get(&info.name).await? } else { None };
        if info.has_key && key.is_none() {
            let message = format!("the key of `{}` is not in the keyring any more", info.name);
            return Err(ServiceError::new(ErrorCode::Unavailable, message).with_hint("set it again in the settings"));
        }
        let endpoint = Endpoint::new(format_of(info.kind), info.base_url.as_deref(), &info.model, key);
        let endpoint = endpoint.map_err(|error| ServiceError::invalid(error.to_string()))?;
        Ok(endpoint.with_context_window(info.context_window))
    }
}

fn pair(endpoint: Endpoint, small: Option<&str>) -> Models {
    let model = |endpoint| Arc::new(RemoteModel::new(endpoint, RetryPolicy::default())) as Arc<dyn Model>;
    let small = small.map(|name| model(endpoint.with_model(name)));
    Models { main: model(endpoint), small }
}

fn endpoint_of(named: &NamedModel) -> Answer<Endpoint> {
    Endpoint::new(named.format, named.base_url.as_deref(), &named.model, named.key.clone())
        .map_err(|error| ServiceError::invalid(format!("the environment's model `{}`: {error}", named.name)))
}

fn info(named: &NamedModel) -> ModelInfo {
    ModelInfo {
        name: named.name.to_owned(),
        kind: match named.format {
            WireFormat::Anthropic => ModelKind::Anthropic,
            WireFormat::OpenAi => ModelKind::OpenAi,
        },
        base_url: named.base_url.clone(),
        model: named.model.clone(),
        small_model: named.small_model.clone(),
        context_window: None,
        has_key: named.key.is_some(),
        default: false,
        source: ModelSource::Environment,
    }
}

fn format_of(kind: ModelKind) -> WireFormat {
    match kind {
        ModelKind::Anthropic => WireFormat::Anthropic,
        ModelKind::OpenAi => WireFormat::OpenAi,
    }
}

fn check_name(name: &str) -> Answer<()> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
        let message = format!("a model's name has 1 to {LONGEST_NAME} letters, digits, dots, dashes or underscores");
        return Err(ServiceError::invalid(message));
    }
    Ok(())
}
