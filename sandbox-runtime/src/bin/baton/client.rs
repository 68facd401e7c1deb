//! The way to a runtime: the one that runs on this data directory, or one of our own.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use sandbox_runtime::service::home::{Home, HomeError, Running};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::runtime::{Runtime, StartError};

/// How long a runtime that is just starting may take to say where it answers.
const ADDRESS_DEADLINE: Duration = Duration::from_secs(10);
const ADDRESS_PAUSE: Duration = Duration::from_millis(50);

/// Speaks HTTP to a runtime, with every right.
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
    /// The runtime itself, where it is ours.
    own: Option<Runtime>,
}

/// The runtime refused: its code, and its sentence.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", hint.as_ref().map(|hint| format!("\n  {hint}")).unwrap_or_default())]
pub struct Refused {
    pub status: StatusCode,
    pub message: String,
    pub hint: Option<String>,
}

impl Client {
    /// Joins the runtime of this data directory, or starts one in this process.
    pub async fn connect() -> anyhow::Result<Self> {
        match Runtime::start(0).await {
            Ok(runtime) => {
                Ok(Self { http: http()?, url: runtime.url(), token: runtime.token().to_owned(), own: Some(runtime) })
            }
            Err(StartError::Home(HomeError::Held { holder: Some(running), .. })) => Self::join(running),
            Err(StartError::Home(HomeError::Held { holder: None, .. })) => Self::join(address_of_starting().await?),
            Err(error) => Err(error.into()),
        }
    }

    /// Joins a runtime that runs.
    pub fn join(running: Running) -> anyhow::Result<Self> {
        Ok(Self { http: http()?, url: running.url, token: running.token, own: None })
    }

    /// Returns an address that opens the interface once.
    pub async fn interface(&self) -> anyhow::Result<String> {
        let link: Value = self.post("/v1/tickets", &Value::Null).await?;
        link["url"].as_str().map(str::to_owned).context("the runtime gave no address")
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.ask(Method::GET, path, None).await
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.ask(Method::DELETE, path, None).await
    }

    /// Returns a request to a route, with the token, to be filled and sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    /// Returns an address that opens the interface once, if the runtime is ours.
    pub fn own_interface(&self) -> Option<String> {
        self.own.as_ref().map(Runtime::interface)
    }

    /// Ends the runtime, if it is ours.
    pub async fn close(self) {
        if let Some(runtime) = self.own {
            runtime.stop().await;
        }
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<T> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.context("the runtime does not answer")?;
        if !answer.status().is_success() {
            return Err(refused(answer).await.into());
        }
        answer.json().await.context("read the runtime's answer")
    }
}

fn http() -> anyhow::Result<reqwest::Client> {
    sandbox_runtime::choose_cryptography();
    // The runtime is on this machine: no proxy of the environment leads there.
    reqwest::Client::builder().no_proxy().build().context("prepare HTTP")
}

async fn refused(answer: Response) -> Refused {
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    let text = |name: &str| body["error"][name].as_str().map(str::to_owned);
    let message = text("message").unwrap_or_else(|| format!("the runtime answered {status}"));
    Refused { status, message, hint: text("hint") }
}

async fn address_of_starting() -> anyhow::Result<Running> {
    let home = Home::default_path()?;
    let found = tokio::time::timeout(ADDRESS_DEADLINE, async {
        loop {
            if let Some(running) = Running::read(&home) {
                return running;
            }
            tokio::time::sleep(ADDRESS_PAUSE).await;
        }
    });
    match found.await {
        Ok(running) => Ok(running),
        Err(_) => bail!("another runtime holds {} and does not say where it answers", home.display()),
    }
}
