//! A page whose script does not end is named as what it is, and can be left; so is a download that cannot be written.

use std::time::Duration;

use serde_json::{Value, json};

use super::both;
use super::chromium::{PATIENCE, Rig};

async fn fails(rig: &Rig, step: Value) -> String {
    let error = rig.try_step(step.clone()).await.err();
    error.unwrap_or_else(|| panic!("{step} should fail")).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_that_never_ends_is_the_cause_and_its_page_can_be_left() {
    let (rig, site) = both().await;
    let (hung, second) = (site.url("/hangs-when-pressed"), site.url("/second"));
    let press = json!({ "click": { "role": "button", "name": "Hang" } });
    // Each way to leave it, to a page of the same site, whose process is the same.
    for leave in [json!({ "navigate": second }), json!({ "back": {} }), json!({ "reload": {} })] {
        rig.open(&second).await;
        rig.open(&hung).await;
        rig.step(press.clone()).await;
        let cause = fails(&rig, json!({ "click": { "role": "button", "name": "Other", "timeoutMs": 500 } })).await;
        assert!(cause.contains("script in it does not end") && cause.contains(&hung), "{cause}");
        rig.step(leave.clone()).await;
        let shown = if leave.get("reload").is_some() { "Other" } else { "The second page" };
        rig.expect(shown).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_hangs_while_it_loads_is_no_server_that_does_not_answer() {
    let (rig, site) = both().await;
    rig.open(&site.url("/second")).await;
    let url = site.url("/hangs-at-once");
    let cause = fails(&rig, json!({ "navigate": { "url": url, "timeoutMs": 3_000 } })).await;
    assert!(cause.contains(&url) && cause.contains("a script of the page does not end"), "{cause}");
    rig.open(&site.url("/second")).await;
    rig.expect("The second page").await;

    // A server that does not answer is no script: the page before it stays as it is.
    let url = site.url("/never");
    let cause = fails(&rig, json!({ "navigate": { "url": url, "timeoutMs": 3_000 } })).await;
    assert!(cause.contains(&url) && cause.contains("the server does not answer"), "{cause}");
    rig.expect("The second page").await;

    // Nor is a link that leads to it.
    rig.open(&site.url("/leads-nowhere")).await;
    rig.step(json!({ "click": { "role": "link", "name": "Never" } })).await;
    let cause = fails(&rig, json!({ "expect": { "text": "Nothing", "timeoutMs": 500 } })).await;
    assert!(cause.contains("waits for another page"), "{cause}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_hangs_keeps_nothing_else_out_of_a_receipt() {
    let (mut rig, site) = both().await;
    let url = site.url("/hangs-when-pressed");
    rig.open(&url).await;
    let takeover = rig.browser.before_takeover().await;
    rig.give_to_person();
    rig.person.run("document.cookie = 'sid=1'; setTimeout(() => { for (;;); }, 50)").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let receipt = rig.browser.after_takeover(takeover).await;
    rig.give_to_agent();
    assert_eq!((receipt.before.url, receipt.after.url), (url.clone(), url));
    assert_eq!(receipt.signed_in_changed, ["127.0.0.1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_cannot_be_written_says_so() {
    let (rig, site) = both().await;
    rig.open(&site.url("/files")).await;
    let folder = rig.profile().join("Exchange/out");
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let download = json!({ "download": { "click": { "role": "link", "name": "Download the report" } } });
    let cause = tokio::time::timeout(PATIENCE, fails(&rig, download)).await.expect("it fails before its deadline");
    assert!(cause.contains("cannot be written: Not a directory"), "{cause}");
}
