//! Chat completions, streamed, as OpenAI began them and OpenRouter, Ollama, vLLM, LM Studio and others speak them.

mod calls;
mod read;
mod write;

pub(super) use read::CompletionReader;
pub(super) use write::{LimitWord, body};
