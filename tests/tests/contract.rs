//! The document and the runtime say the same, whatever is asked: requests are made up by a library of others.

use baton_tests::{Baton, Fuzz, fuzz};
use serde_json::json;

/// Left out: a stream that never ends, an offer that is no JSON, and what starts browsers by the dozen. Tests of their own
/// ask for these.
const WITHOUT: [&str; 4] = ["followEvents", "openWhep", "createSandbox", "demo"];

#[tokio::test(flavor = "multi_thread")]
async fn made_up_requests_find_no_answer_that_breaks_the_document() {
    let baton = Baton::start().await;
    let asked = Fuzz { n_examples: 4, seconds: 60, seed: 1, sandbox: None, without: &WITHOUT };
    let n_requests = fuzz(&baton, asked).await;
    assert!(n_requests >= 500, "{n_requests} requests");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: script/soak"]
async fn thousands_of_made_up_requests_find_no_answer_that_breaks_the_document() {
    let baton = Baton::start().await;
    let asked = Fuzz { n_examples: 60, seconds: 600, seed: 2, sandbox: None, without: &WITHOUT };
    let strangers = fuzz(&baton, asked).await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let without: Vec<&str> = WITHOUT.into_iter().chain(["endSandbox"]).collect();
    let asked = Fuzz { n_examples: 60, seconds: 600, seed: 3, sandbox: Some(&sandbox), without: &without };
    let n_requests = strangers + fuzz(&baton, asked).await;
    assert!(n_requests >= 2_000, "{n_requests} requests");
}
