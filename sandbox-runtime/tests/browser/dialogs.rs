//! Whose answer a dialog gets: that of the click that brought it up, also late and in a row; nobody else's.

use serde_json::{Value, json};

use super::both;
use super::chromium::Rig;

const OPENED: &str = "\"method\":\"Page.javascriptDialogOpening\"";

fn button(name: &str, options: Value) -> Value {
    let mut click = json!({"role": "button", "name": name});
    click.as_object_mut().unwrap().extend(options.as_object().cloned().unwrap_or_default());
    json!({ "click": click })
}

fn opened(rig: &Rig) -> usize {
    rig.person.told.lock().unwrap().matches(OPENED).count()
}

async fn dialog_comes(rig: &Rig, before: usize) {
    rig.until("a dialog comes", |_| opened(rig) > before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_of_a_click_is_for_its_dialogs_late_and_in_a_row() {
    let (rig, site) = both().await;
    rig.open(&site.url("/late-dialogs")).await;
    for (answer, shows) in [("accept", "confirm true"), ("dismiss", "confirm false")] {
        let outcome = rig.step(button("Save later", json!({"dialog": answer}))).await;
        assert_eq!((outcome.dialogs.len(), outcome.dialogs[0].message.as_str()), (1, "Save?"));
        assert_eq!(outcome.dialogs[0].accepted, answer == "accept");
        rig.expect(shows).await;
    }
    let outcome = rig.step(button("Chain", json!({"dialog": "accept", "promptText": "Ada"}))).await;
    rig.expect("prompt Ada").await;
    let asked: Vec<&str> = outcome.dialogs.iter().map(|dialog| dialog.message.as_str()).collect();
    assert_eq!(asked, ["one", "two", "Name?"]);

    // Long after the click was done, without any other step.
    let before = opened(&rig);
    assert!(rig.step(button("Much later", json!({"dialog": "accept"}))).await.dialogs.is_empty());
    dialog_comes(&rig, before).await;
    rig.until("it is answered", |_| {
        rig.person.told.lock().unwrap().matches("Page.javascriptDialogClosed").count() > before
    })
    .await;
    assert_eq!(rig.person.run("out.textContent").await, "confirm true");
    let outcome = rig.step(button("Plain", json!({}))).await;
    assert_eq!((outcome.dialogs.len(), outcome.dialogs[0].accepted), (1, true), "the next step tells of it");
    rig.expect("plain").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialog_without_an_answer_stops_the_next_step_until_it_is_answered_alone() {
    let (rig, site) = both().await;
    for (answer, shows) in [("accept", "confirm true"), ("dismiss", "confirm false")] {
        rig.open(&site.url("/late-dialogs")).await;
        let before = opened(&rig);
        rig.step(button("Much later", json!({}))).await;
        dialog_comes(&rig, before).await;
        let second = site.url("/second");
        for step in [button("Plain", json!({})), json!({"navigate": second}), json!({"waitFor": {"text": "nothing"}})] {
            let stopped = rig.try_step(step.clone()).await.unwrap_err().to_string();
            assert!(stopped.contains("confirm: \"Really?\"") && stopped.contains("`dialog`"), "{step}: {stopped}");
        }
        let seen = rig.step(json!({"look": {}})).await.observation.unwrap();
        assert_eq!(seen.dialog.unwrap().message, "Really?");
        let outcome = rig.step(json!({"dialog": {"answer": answer}})).await;
        assert_eq!(outcome.dialogs[0].accepted, answer == "accept");
        rig.expect(shows).await;
    }
    let none = rig.try_step(json!({"dialog": {"answer": "accept", "timeoutMs": 100}})).await.unwrap_err().to_string();
    assert_eq!(none, "looked for a dialog; the page shows none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_takes_over_finds_the_dialog_that_still_came() {
    let (mut rig, site) = both().await;
    rig.open(&site.url("/late-dialogs")).await;
    let before = opened(&rig);
    rig.step(button("Much later", json!({"dialog": "accept"}))).await;
    rig.give_to_person();
    dialog_comes(&rig, before).await;
    rig.give_to_agent();
    let stopped = rig.try_step(button("Plain", json!({}))).await.unwrap_err().to_string();
    assert!(stopped.contains("confirm: \"Really?\""), "{stopped}");
}
