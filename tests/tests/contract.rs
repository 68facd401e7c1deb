//! The document and the runtime say the same, whatever is asked: requests are made up by a library of others.

use baton_tests::{Baton, Fuzz, fuzz};
use serde_json::json;

/// Never answers whole: an event stream.
const ENDLESS: &str = "followEvents";
/// What starts browsers by the dozen; tests of their own ask for these.
const STARTS: [&str; 2] = ["createSandbox", "demo"];

/// Sends requests about things that are not there, then about a sandbox that is; returns how many.
async fn no_answer_breaks_the_document(n_examples: u32, seconds: u32, seed: u32) -> u64 {
    let baton = Baton::start().await;
    let without = [ENDLESS, STARTS[0], STARTS[1]];
    let strangers = fuzz(&baton, Fuzz { n_examples, seconds, seed, sandbox: None, without: &without }).await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let without = [ENDLESS, STARTS[0], STARTS[1], "endSandbox"];
    let sandbox = Some(sandbox.as_str());
    strangers + fuzz(&baton, Fuzz { n_examples, seconds, seed, sandbox, without: &without }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_requests_find_no_answer_that_breaks_the_document() {
    let n_requests = no_answer_breaks_the_document(4, 45, 1).await;
    assert!(n_requests >= 500, "{n_requests} requests");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: script/soak"]
async fn thousands_of_made_up_requests_find_no_answer_that_breaks_the_document() {
    let n_requests = no_answer_breaks_the_document(60, 900, 2).await;
    assert!(n_requests >= 2_000, "{n_requests} requests");
}
