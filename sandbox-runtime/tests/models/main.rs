//! The adapters of models against a server that speaks the providers' formats, over real HTTP.

mod answers;
mod failures;

use std::time::Duration;

use baton_tests::ModelServer;
use sandbox_runtime::agent::models::{
    Delta, Endpoint, Message, Model, ModelError, Part, RemoteModel, Reply, Request, RetryPolicy, WireFormat,
};
use secrecy::SecretString;

const FORMATS: [WireFormat; 2] = [WireFormat::Anthropic, WireFormat::OpenAi];

/// Patient in number and not in time.
const QUICK: RetryPolicy = RetryPolicy {
    attempts: 3,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(2),
    patience: Duration::from_secs(5),
};

fn model(server: &ModelServer, format: WireFormat) -> RemoteModel {
    let key = Some(SecretString::from("sk-canary"));
    RemoteModel::new(Endpoint::new(format, Some(&server.url()), "some/model", key).unwrap(), QUICK)
}

fn request(messages: Vec<Message>) -> Request {
    Request { messages, max_output_tokens: 1000, ..Request::default() }
}

fn greeting() -> Request {
    request(vec![Message::user(vec![Part::text("Hello")])])
}

async fn ask(model: &RemoteModel, request: &Request) -> (Result<Reply, ModelError>, Vec<Delta>) {
    let mut deltas = vec![];
    let reply = model.reply(request, &mut |delta| deltas.push(delta)).await;
    (reply, deltas)
}

fn fixture(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/models").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
