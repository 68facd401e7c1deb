//! Where a model is asked, under which name, and with which key.

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::client::is_loopback;
use super::conversation::WireFormat;

/// The version of Messages that we read and write.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// One model at one address.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub format: WireFormat,
    base: Url,
    pub model: String,
    /// Local servers want none.
    key: Option<SecretString>,
    context_window: Option<u64>,
}

/// The settings name no model that could be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("`{0}` is not an http or https address")]
    Address(String),
    #[error("`{0}` holds a name or password: put the key into the key's field")]
    Credentials(String),
    #[error("the model has no name")]
    NoModel,
    #[error("the key holds characters that no key has, such as spaces or line ends")]
    Key,
}

impl Endpoint {
    /// `base_url` is what the provider's documents call the base address, with or without `/v1`; `None` is the provider's own.
    ///
    /// # Errors
    ///
    /// If the address or the key cannot be used.
    pub fn new(
        format: WireFormat,
        base_url: Option<&str>,
        model: &str,
        key: Option<SecretString>,
    ) -> Result<Self, EndpointError> {
        let model = model.trim();
        if model.is_empty() {
            return Err(EndpointError::NoModel);
        }
        let base = base(format, base_url)?;
        let endpoint = Self { format, base, model: model.to_owned(), key, context_window: None };
        endpoint.key_header()?;
        Ok(endpoint)
    }

    /// The same address and key with another model.
    #[must_use]
    pub fn with_model(&self, model: &str) -> Self {
        Self { model: model.trim().to_owned(), ..self.clone() }
    }

    /// The same, with the tokens that a conversation may have, if anyone said.
    #[must_use]
    pub fn with_context_window(self, tokens: Option<u64>) -> Self {
        Self { context_window: tokens, ..self }
    }

    /// Returns where requests go.
    pub(super) fn url(&self) -> Url {
        let last = match self.format {
            WireFormat::Anthropic => "messages",
            WireFormat::OpenAi => "chat/completions",
        };
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{last}", self.base.path().trim_end_matches('/')));
        url
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("text/event-stream, application/json"));
        if self.format == WireFormat::Anthropic {
            headers.insert("anthropic-version", HeaderValue::from_static(ANTHROPIC_VERSION));
        }
        if self.is_at("openrouter.ai") {
            // How OpenRouter names the programs that use it.
            headers.insert("x-title", HeaderValue::from_static("Baton"));
        }
        headers.extend(self.key_header().expect("was checked when the endpoint was made"));
        headers
    }

    /// Whether the host is this one or beneath it.
    pub(super) fn is_at(&self, domain: &str) -> bool {
        let host = self.base.host_str().unwrap_or_default();
        host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    }

    /// Returns the tokens of the context: what the settings say, or a careful guess.
    pub(super) fn context_window(&self) -> u64 {
        self.context_window.unwrap_or(match self.format {
            WireFormat::Anthropic => 200_000,
            // Servers on a desk cut longer conversations without a word.
            WireFormat::OpenAi if is_loopback(&self.base) => 32_000,
            WireFormat::OpenAi => 128_000,
        })
    }

    fn key_header(&self) -> Result<Option<(HeaderName, HeaderValue)>, EndpointError> {
        let Some(key) = &self.key else { return Ok(None) };
        let key = key.expose_secret();
        let (name, text) = match self.format {
            WireFormat::Anthropic => (HeaderName::from_static("x-api-key"), key.to_owned()),
            WireFormat::OpenAi => (http::header::AUTHORIZATION, format!("Bearer {key}")),
        };
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(EndpointError::Key);
        }
        let mut value = HeaderValue::from_str(&text).map_err(|_| EndpointError::Key)?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }
}

/// Returns the address that the routes lie beneath.
fn base(format: WireFormat, given: Option<&str>) -> Result<Url, EndpointError> {
    let own = match format {
        WireFormat::Anthropic => "https://api.anthropic.com/v1",
        WireFormat::OpenAi => "https://api.openai.com/v1",
    };
    let text = given.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(own);
    let address = || EndpointError::Address(text.to_owned());
    let mut url = Url::parse(text).map_err(|_| address())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(address());
    }
    if !url.username().is_empty() || url.password().is_some() {
        url.set_password(None).map_err(|()| address())?;
        url.set_username("").map_err(|()| address())?;
        return Err(EndpointError::Credentials(url.to_string()));
    }
    url.set_query(None);
    url.set_fragment(None);
    // People paste the address of the route, or of the server alone.
    let path = url.path().trim_end_matches('/').trim_end_matches("/chat/completions").trim_end_matches("/messages");
    let path = match format {
        WireFormat::Anthropic if !path.ends_with("/v1") => format!("{path}/v1"),
        WireFormat::OpenAi if path.is_empty() => "/v1".to_owned(),
        WireFormat::Anthropic | WireFormat::OpenAi => path.to_owned(),
    };
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_url(format: WireFormat, base: Option<&str>, expected: &str) {
        let endpoint = Endpoint::new(format, base, "m", None).unwrap();
        assert_eq!(endpoint.url().as_str(), expected);
    }

    #[test]
    fn addresses_are_taken_as_the_providers_documents_write_them() {
        use WireFormat::{Anthropic, OpenAi};
        check_url(Anthropic, None, "https://api.anthropic.com/v1/messages");
        check_url(Anthropic, Some("https://api.anthropic.com"), "https://api.anthropic.com/v1/messages");
        check_url(Anthropic, Some("https://proxy.example/claude/v1/"), "https://proxy.example/claude/v1/messages");
        check_url(OpenAi, None, "https://api.openai.com/v1/chat/completions");
        check_url(OpenAi, Some("https://openrouter.ai/api/v1"), "https://openrouter.ai/api/v1/chat/completions");
        check_url(OpenAi, Some("http://localhost:11434"), "http://localhost:11434/v1/chat/completions");
        check_url(
            OpenAi,
            Some(" http://127.0.0.1:1234/v1/chat/completions "),
            "http://127.0.0.1:1234/v1/chat/completions",
        );
    }

    #[test]
    fn what_cannot_be_asked_is_said_when_it_is_set() {
        let check = |base: &str, model: &str, key: Option<&str>, expected: EndpointError| {
            let key = key.map(SecretString::from);
            assert_eq!(Endpoint::new(WireFormat::OpenAi, Some(base), model, key).unwrap_err(), expected);
        };
        check("openrouter.ai/api", "m", None, EndpointError::Address("openrouter.ai/api".to_owned()));
        check("ftp://a.example", "m", None, EndpointError::Address("ftp://a.example".to_owned()));
        check("https://u:p@a.example/v1", "m", None, EndpointError::Credentials("https://a.example/v1".to_owned()));
        check("https://a.example", " ", None, EndpointError::NoModel);
        check("https://a.example", "m", Some("sk-1\n"), EndpointError::Key);
        check("https://a.example", "m", Some(""), EndpointError::Key);
    }

    #[test]
    fn the_key_is_in_the_header_and_never_in_words() {
        let key = || Some(SecretString::from("sk-canary"));
        let check = |format, name: &str, value: &str| {
            let endpoint = Endpoint::new(format, None, "m", key()).unwrap();
            let headers = endpoint.headers();
            assert_eq!(headers[name], value);
            assert!(!format!("{endpoint:?} {headers:?}").contains("canary"));
        };
        check(WireFormat::Anthropic, "x-api-key", "sk-canary");
        check(WireFormat::OpenAi, "authorization", "Bearer sk-canary");
    }

    #[test]
    fn a_name_that_only_ends_alike_is_another_host() {
        let at = |base| Endpoint::new(WireFormat::OpenAi, Some(base), "m", None).unwrap().is_at("openrouter.ai");
        assert!(at("https://openrouter.ai/api/v1") && at("https://eu.openrouter.ai/api/v1"));
        assert!(!at("https://notopenrouter.ai/api/v1"));
    }
}
