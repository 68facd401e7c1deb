//! Terminals that are kept with their sandbox.

use baton_tests::{Baton, Terminal};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_terminal_goes_on_without_a_page_and_shows_the_next_one_what_it_showed() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let path = format!("/sandboxes/{sandbox}/terminal?name=build&cols=90&rows=20");

    let mut first = Terminal::open(&baton, &path).await;
    first.type_in("NOTE=kept; echo shown-$((40 + 2))\r").await;
    first.until("shown-42").await;
    assert_eq!(first.replay, Some(0));
    let listed = baton.get(&format!("/sandboxes/{sandbox}/terminals")).await;
    assert_eq!((&listed["data"][0]["name"], &listed["data"][0]["viewers"]), (&json!("build"), &json!(1)));
    drop(first);

    let mut second = Terminal::open(&baton, &path).await;
    second.until("shown-42").await;
    assert!(second.replay.is_some_and(|bytes| bytes > 0));
    // The same shell, and two pages see the same.
    let mut third = Terminal::open(&baton, &path).await;
    third.until("shown-42").await;
    second.type_in("echo still-$NOTE\r").await;
    second.until("still-kept").await;
    third.until("still-kept").await;

    // Another name is another shell.
    let mut other = Terminal::open(&baton, &path.replace("build", "2")).await;
    other.type_in("echo empty[$NOTE]\r").await;
    other.until("empty[]").await;

    baton.ok("DELETE", &format!("/sandboxes/{sandbox}/terminals/build"), None).await;
    second.until_ended().await;
    third.until_ended().await;
    let listed = baton.get(&format!("/sandboxes/{sandbox}/terminals")).await;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "{listed}");

    baton.ok("DELETE", &format!("/sandboxes/{sandbox}"), None).await;
    other.until_ended().await;
    let listed = baton.get(&format!("/sandboxes/{sandbox}/terminals")).await;
    assert_eq!(listed["data"], json!([]), "its terminals end with the sandbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_keeps_so_many_terminals_and_no_more() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let mut open = Vec::new();
    for name in 1..=8 {
        open.push(Terminal::open(&baton, &format!("/sandboxes/{sandbox}/terminal?name={name}")).await);
    }
    let (status, refusal) = Terminal::refused(&baton, &format!("/sandboxes/{sandbox}/terminal?name=9")).await;
    assert_eq!((status, refusal["error"]["code"].as_str()), (429, Some("overloaded")), "{refusal}");
    let (status, _) = Terminal::refused(&baton, &format!("/sandboxes/{sandbox}/terminal?name=a%2Fb")).await;
    assert_eq!(status, 400);
}
