//! Models that an environment names: the runtime's own, or that of a sandbox.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::conversation::WireFormat;

/// The providers, in the order in which they are preferred where several are named.
const PROVIDERS: [Provider; 3] = [
    Provider {
        name: "openrouter",
        prefix: "OPENROUTER",
        format: WireFormat::OpenAi,
        base_url: Some("https://openrouter.ai/api/v1"),
    },
    Provider { name: "anthropic", prefix: "ANTHROPIC", format: WireFormat::Anthropic, base_url: None },
    Provider { name: "openai", prefix: "OPENAI", format: WireFormat::OpenAi, base_url: None },
];

const PARTS: [&str; 4] = ["API_KEY", "MODEL", "SMALL_MODEL", "BASE_URL"];

struct Provider {
    name: &'static str,
    /// Of its variables.
    prefix: &'static str,
    format: WireFormat,
    /// Where it is unless its variable says otherwise; `None` for the format's own.
    base_url: Option<&'static str>,
}

/// The variables of an environment that choose models, such as `OPENROUTER_API_KEY` and `OPENROUTER_MODEL`.
#[derive(Clone, Debug, Default)]
pub struct ModelVariables(BTreeMap<String, SecretString>);

/// A model that an environment names.
#[derive(Clone, Debug)]
pub struct NamedModel {
    /// `openrouter`, `anthropic` or `openai`.
    pub name: &'static str,
    pub format: WireFormat,
    pub base_url: Option<String>,
    pub model: String,
    pub small_model: Option<String>,
    pub key: Option<SecretString>,
}

impl ModelVariables {
    /// Reads this process's environment.
    pub fn of_process() -> Self {
        // What is no text names no model.
        let read = |name: String| Some((name.clone(), std::env::var(name).ok().filter(|value| !value.is_empty())?));
        Self(names().filter_map(read).map(|(name, value)| (name, value.into())).collect())
    }

    /// Takes the variables out of an environment: what chooses a model does not go where the rest goes.
    pub fn take(env: &mut BTreeMap<String, String>) -> Self {
        let taken = names().filter_map(|name| env.remove(&name).map(|value| (name, value)));
        Self(taken.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value.into())).collect())
    }

    /// Returns the models that are named, the preferred first.
    pub fn models(&self) -> Vec<NamedModel> {
        self.models_over(&Self::default())
    }

    /// As [`Self::models`], with what this environment leaves out taken from `base`.
    ///
    /// A key of `base` is only for the address that `base` has: who names another address brings a key.
    pub fn models_over(&self, base: &Self) -> Vec<NamedModel> {
        let named = |provider: &&Provider| PARTS.iter().any(|part| self.value(provider, part).is_some());
        PROVIDERS.iter().filter(named).filter_map(|provider| self.model(provider, base)).collect()
    }

    fn model(&self, provider: &Provider, base: &Self) -> Option<NamedModel> {
        let text =
            |variables: &Self, part| variables.value(provider, part).map(|value| value.expose_secret().to_owned());
        let own_address = text(self, "BASE_URL");
        let inherits_key = own_address.is_none();
        let address = own_address.or_else(|| text(base, "BASE_URL"));
        let key = self.value(provider, "API_KEY");
        let key = if inherits_key { key.or_else(|| base.value(provider, "API_KEY")) } else { key };
        // Without a key only a server of one's own can be meant.
        if key.is_none() && address.is_none() {
            return None;
        }
        Some(NamedModel {
            name: provider.name,
            format: provider.format,
            base_url: address.or_else(|| provider.base_url.map(str::to_owned)),
            model: text(self, "MODEL").or_else(|| text(base, "MODEL"))?,
            small_model: text(self, "SMALL_MODEL").or_else(|| text(base, "SMALL_MODEL")),
            key: key.cloned(),
        })
    }

    fn value(&self, provider: &Provider, part: &str) -> Option<&SecretString> {
        self.0.get(&format!("{}_{part}", provider.prefix))
    }
}

fn names() -> impl Iterator<Item = String> {
    PROVIDERS.iter().flat_map(|provider| PARTS.iter().map(move |part| format!("{}_{part}", provider.prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> ModelVariables {
        let mut env = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ModelVariables::take(&mut env)
    }

    /// Name, address, model and key of each.
    fn said(models: &[NamedModel]) -> Vec<String> {
        let line = |model: &NamedModel| {
            let key = model.key.as_ref().map_or("no key", |key| key.expose_secret());
            format!("{} {} {} {key}", model.name, model.base_url.as_deref().unwrap_or("own"), model.model)
        };
        models.iter().map(line).collect()
    }

    #[test]
    fn variables_are_taken_out_and_what_else_there_is_stays() {
        let mut env: BTreeMap<String, String> = [("OPENAI_API_KEY", "k"), ("OPENAI_MODEL", "m"), ("HOME", "/root")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let models = ModelVariables::take(&mut env).models();
        assert_eq!(said(&models), ["openai own m k"]);
        assert_eq!(env.into_keys().collect::<Vec<_>>(), ["HOME"]);
    }

    #[test]
    fn providers_are_preferred_in_their_order_and_need_a_model() {
        let all = variables(&[
            ("OPENAI_API_KEY", "k1"),
            ("OPENAI_MODEL", "gpt"),
            ("OPENROUTER_API_KEY", "k2"),
            ("OPENROUTER_MODEL", "q/w"),
            ("ANTHROPIC_API_KEY", "k3"),
        ]);
        assert_eq!(said(&all.models()), ["openrouter https://openrouter.ai/api/v1 q/w k2", "openai own gpt k1"]);
    }

    #[test]
    fn a_server_of_one_s_own_wants_no_key() {
        let local = variables(&[("OPENAI_BASE_URL", "http://localhost:11434/v1"), ("OPENAI_MODEL", "qwen3")]);
        assert_eq!(said(&local.models()), ["openai http://localhost:11434/v1 qwen3 no key"]);
        assert_eq!(said(&variables(&[("OPENAI_MODEL", "gpt")]).models()), [""; 0]);
    }

    #[test]
    fn a_sandbox_chooses_over_the_runtime_but_takes_no_key_elsewhere() {
        let runtime = variables(&[("OPENROUTER_API_KEY", "k"), ("OPENROUTER_MODEL", "big"), ("OPENAI_API_KEY", "k2")]);
        let check = |pairs: &[(&str, &str)], expected: &[&str]| {
            assert_eq!(said(&variables(pairs).models_over(&runtime)), expected);
        };
        check(&[("OPENROUTER_MODEL", "cheap")], &["openrouter https://openrouter.ai/api/v1 cheap k"]);
        check(&[("OPENROUTER_BASE_URL", "http://evil.example")], &["openrouter http://evil.example big no key"]);
        check(&[], &[]);
    }

    #[test]
    fn keys_are_never_in_words() {
        let named = variables(&[("OPENAI_API_KEY", "sk-canary"), ("OPENAI_MODEL", "m")]);
        assert!(!format!("{named:?} {:?}", named.models()).contains("canary"));
    }
}
