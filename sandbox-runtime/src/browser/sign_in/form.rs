//! The sign-in form of a page, as the page script finds it.

use std::time::{Duration, Instant};

use sandbox_core::credential::Place;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::browser::Shared;
use crate::browser::error::ActionError;
use crate::browser::page::{Frame, Page};
use crate::browser::pipe::{CallError, Pass};

/// Between looks for a form that has not come yet.
const PAUSE: Duration = Duration::from_millis(150);
/// How long a page may take to show its form.
const COMES: Duration = Duration::from_secs(10);

/// What a form asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The user name alone; the password comes on the next page.
    Username,
    /// The password, perhaps with the user name.
    Password,
    /// A one-time code.
    Code,
}

/// A form that can be filled in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Form {
    pub stage: Stage,
    /// Name of its document, of that document alone.
    pub document: String,
    pub origin: String,
    /// The nearest first.
    pub ancestors: Vec<String>,
    /// Origin that it sends to, where its own code does not decide that.
    pub destination: Option<String>,
    /// What the page complains of; empty where it does not.
    pub complaint: String,
}

/// A form, and the frame that it is in.
pub struct Found {
    pub frame: Frame,
    pub form: Form,
}

/// What the page script did.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    /// Why it did nothing.
    pub why: Option<String>,
    /// It is not the place that was looked at any more.
    pub moved: bool,
    /// It may be done in a moment.
    pub retry: bool,
    /// Only a key can send it.
    pub enter: bool,
}

/// Waits for a form in the tab in front.
pub async fn wait(shared: &Shared, pass: &Pass, deadline: Instant) -> Result<Found, ActionError> {
    let deadline = deadline.min(Instant::now() + COMES);
    loop {
        if let Some(found) = find(shared, pass).await? {
            return Ok(found);
        }
        if Instant::now() + PAUSE >= deadline {
            let (url, title) = shared.place();
            let instead = format!("the page {title:?} ({url}) has none");
            return Err(ActionError::NotFound { target: "a sign-in form".to_owned(), instead });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Looks for a form in every frame; `None` also while the page changes.
pub async fn find(shared: &Shared, pass: &Pass) -> Result<Option<Found>, ActionError> {
    match look(shared, pass).await {
        Ok(found) => Ok(found),
        Err(error) if error.is_passing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn look(shared: &Shared, pass: &Pass) -> Result<Option<Found>, CallError> {
    let Ok(page) = Page::active(&shared.pipe, &shared.world, pass.clone()) else { return Ok(None) };
    if page.tab.dialog.is_some() {
        return Ok(None);
    }
    let frames = page.frames().await?;
    let answers = page.ask_all(&frames, "baton.signIn.look()").await?;
    let found = answers.into_iter().zip(frames).filter_map(|(answer, frame)| {
        let form: Form = serde_json::from_value(answer?).ok()?;
        Some(Found { frame, form })
    });
    // The outermost of those that ask for most.
    Ok(found.reduce(|best, next| if next.form.rank() > best.form.rank() { next } else { best }))
}

impl Form {
    /// Returns where it is, for the choice of an entry.
    pub fn place(&self) -> Place<'_> {
        Place { origin: &self.origin, ancestors: &self.ancestors, destination: self.destination.as_deref() }
    }

    fn rank(&self) -> u8 {
        match self.stage {
            Stage::Username => 0,
            Stage::Code => 1,
            Stage::Password => 2,
        }
    }

    /// Returns what the page script needs to fill in this form only, including the secret.
    pub fn plan(&self, username: &str, secret: &str) -> Value {
        json!({
            "stage": self.stage,
            "document": self.document,
            "origin": self.origin,
            "ancestors": self.ancestors,
            "destination": self.destination,
            "username": username,
            "secret": secret,
        })
    }
}

/// Calls a part of the page script with a plan. The plan is an argument: it is in no script's source.
pub async fn call(page: &Page<'_>, frame: &Frame, function: &str, plan: Value) -> Result<Step, CallError> {
    let source = format!("function (plan) {{ return baton.signIn.{function}(plan) }}");
    let answer = page.call_in(frame, &source, plan).await?;
    serde_json::from_value(answer)
        .map_err(|error| CallError::Reply { method: "Runtime.callFunctionOn".to_owned(), cause: error.to_string() })
}
