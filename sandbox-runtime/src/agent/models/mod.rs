//! The models that agents ask: one trait, and what is said through it.
//!
//! Owns how a conversation is put to a provider and how its answer is read. Leaves to the agent's loop what is asked and what
//! is done with the answer; keys come in as values and are never written anywhere by this room.

mod anthropic;
mod client;
mod conversation;
mod endpoint;
mod environment;
mod error;
mod openai;
mod read;
mod refusal;
mod remote;
mod reply;
mod retry;
mod sse;

use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use conversation::{Content, Image, Message, Part, Raw, Request, Role, ToolResult, ToolUse, WireFormat};
pub use endpoint::{Endpoint, EndpointError};
pub use environment::{ModelVariables, NamedModel};
pub use error::{ModelError, ModelErrorKind};
pub use remote::RemoteModel;
pub use reply::{Delta, Reply, StopReason, TokenUsage};
pub use retry::RetryPolicy;

/// One model of one provider.
///
/// What it does about refusals that pass (429, 5xx, a cut stream) is its own affair: an error from here is final for this
/// request, and [`ModelError::kind`] says what kind of end it is.
pub trait Model: Send + Sync {
    /// Puts the conversation to the model and waits for the whole answer; dropping the future calls the request off.
    ///
    /// `on_delta` is told of the answer as it comes.
    fn reply<'a>(
        &'a self,
        request: &'a Request,
        on_delta: &'a mut (dyn FnMut(Delta) + Send),
    ) -> BoxFuture<'a, Result<Reply, ModelError>>;

    /// What the provider calls it, such as `claude-sonnet-4-5`.
    fn name(&self) -> &str;

    /// Tokens that a conversation and its answer may have together; a careful guess where nobody said.
    fn context_window(&self) -> u64;
}

/// The models of one task.
#[derive(Clone)]
pub struct Models {
    pub main: Arc<dyn Model>,
    /// A cheaper one for summaries and the like; without it, `main` does that too.
    pub small: Option<Arc<dyn Model>>,
}

impl Models {
    /// Returns the model for work that needs no great mind.
    pub fn small(&self) -> &Arc<dyn Model> {
        self.small.as_ref().unwrap_or(&self.main)
    }
}
