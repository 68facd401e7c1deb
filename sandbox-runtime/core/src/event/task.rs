//! The task and the agent: its life, each step, each action, and what is said.

use serde_json::{Map, Value};

use super::payload;
use crate::action::{DialogRecord, Outcome};
use crate::model::{Failure, Tab, TaskLimits};
use crate::playbook::Step;
use crate::{ArtifactKey, GrantId};

payload! {
    /// A task waits for its sandbox.
    pub struct TaskQueued {}

    /// A task began, or goes on after a restart.
    pub struct TaskStarted {
        pub title: String,
        pub limits: TaskLimits,
    }

    /// A task is done.
    pub struct TaskCompleted {
        pub title: String,
        pub result: Option<String>,
        /// Always null; the other ends of a task fill it.
        pub error: Option<Failure>,
    }

    /// A task could not be done.
    pub struct TaskFailed {
        pub title: String,
        /// Always null; `sandbox.agent.task.completed` fills it.
        pub result: Option<String>,
        pub error: Option<Failure>,
    }

    /// A task was stopped.
    pub struct TaskCancelled {
        pub title: String,
        /// Always null; `sandbox.agent.task.completed` fills it.
        pub result: Option<String>,
        pub error: Option<Failure>,
    }

    /// The agent begins a step. One of a playbook has `of`, `name` and `summary`; one of a model `wants`, `model` and `usage`.
    #[derive(Default)]
    pub struct AgentStep {
        /// From 1.
        pub step: u64,
        /// How many steps the playbook has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub of: Option<u64>,
        /// The step's name in the playbook, such as `click`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        /// The step in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub summary: Option<String>,
        /// The tools that the model wants to use.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub wants: Option<Vec<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub model: Option<String>,
        /// What the model's answer cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub usage: Option<StepUsage>,
        /// What the model says or thinks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub text: Option<String>,
    }

    /// What one answer of a model cost.
    pub struct StepUsage {
        pub input_tokens: u64,
        pub output_tokens: u64,
        /// Input tokens that the provider had cached.
        pub cached_tokens: u64,
        pub cost_usd: Option<f64>,
    }

    /// Something was done, or failed, for the task or for a program.
    #[derive(Default)]
    pub struct AgentAction {
        /// The name in the vocabulary of playbooks and tools, such as `click`.
        pub name: String,
        /// What was done, in a sentence.
        pub summary: String,
        /// The step that it belongs to. Absent for programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub step: Option<u64>,
        /// The action with its arguments.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub action: Option<ToldStep>,
        /// Why it was not done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<ActionError>,
        /// Address of the active page afterwards.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub url: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub title: Option<String>,
        /// Previous address, if the page changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub left: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub dialogs: Vec<DialogRecord>,
        /// Tabs and popups that opened.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub tabs_opened: Vec<Tab>,
        /// Names of the tabs that closed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub tabs_closed: Vec<String>,
        /// Names of files whose download started.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub downloads_begun: Vec<String>,
        /// What a playbook's `look` or `find` saw.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub page: Option<String>,
        /// What a playbook's `tabs` saw.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub tabs: Option<Vec<Tab>>,
        /// Workspace path of the file that it wrote.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub path: Option<String>,
        /// The artifact that it saved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub artifact: Option<ArtifactKey>,
        /// The page afterwards: `GET /v1/pictures/{picture}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub picture: Option<String>,
        /// Exit status of a command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub exit_code: Option<i32>,
        /// How long a command ran.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub duration_ms: Option<u64>,
    }

    /// Why an action was not done.
    pub struct ActionError {
        pub message: String,
    }

    /// Somebody says something: the agent, a person who writes to it, a program, or the runtime.
    #[derive(Default)]
    pub struct AgentMessage {
        pub text: String,
        /// The step of the playbook that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub step: Option<u64>,
        /// The permission that was used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub grant_id: Option<GrantId>,
    }
}

/// A step as it is written in a playbook, `{ "click": { "role": "link" } }`, without what is typed, written or run.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = std::collections::BTreeMap<String, Value>)]
pub struct ToldStep(pub Map<String, Value>);

impl ToldStep {
    /// Writes a step with all its arguments.
    pub(crate) fn of(step: &impl serde::Serialize) -> Self {
        match serde_json::to_value(step) {
            Ok(Value::Object(step)) => Self(step),
            Ok(_) | Err(_) => unreachable!("a step is an object of its name and its arguments"),
        }
    }
}

impl ActionError {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl AgentMessage {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

impl From<&Outcome> for AgentAction {
    /// What an action did, by what lasts of its targets; what the caller adds (its name, its step, a picture) is left empty.
    fn from(done: &Outcome) -> Self {
        Self {
            summary: done.summary.clone(),
            action: done.repeat.as_ref().map(|repeat| Step::Browser(repeat.action.clone()).told()),
            url: Some(done.url.clone()),
            title: Some(done.title.clone()),
            left: done.left.clone(),
            dialogs: done.dialogs.clone(),
            tabs_opened: done.tabs_opened.clone(),
            tabs_closed: done.tabs_closed.clone(),
            downloads_begun: done.downloads_begun.clone(),
            ..Self::default()
        }
    }
}
