//! The agent from outside: a prompt followed with a model that speaks from a script, in a real browser, with a person beside.

use baton_tests::{Answer, Baton, ModelServer, Turn, Viewer, assert_kept_nowhere, eventually};
use serde_json::{Value, json};

/// Typed by the person.
const E_MAIL: &str = "ada.canary-2291@portal.example";
/// To be found nowhere afterwards.
const PASSWORD: &str = "correct-horse-canary-8830";
const CODE: &str = "917364";

/// A runtime whose model speaks from this script.
async fn with_model(script: Vec<Turn>) -> (Baton, ModelServer) {
    let model = ModelServer::start(script).await;
    (Baton::start_with(&model.env()).await, model)
}

fn click(role: &'static str, name: &'static str) -> Turn {
    Turn::of(move |asked| Answer::call("click", json!({ "ref": asked.reference(role, name) })))
}

fn call(name: &'static str, input: Value) -> Turn {
    Answer::call(name, input).into()
}

async fn prompt(baton: &Baton, sandbox: &str, prompt: &str) -> String {
    let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "prompt": prompt })).await;
    task["taskId"].as_str().expect("a task has an id").to_owned()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("an event has a type")).collect()
}

#[tokio::test]
async fn a_prompt_is_followed_through_a_persons_sign_in_to_its_result() {
    let ask = json!({
        "reason": "mfa",
        "message": "Sign in to portal.example",
        "resumePrompt": "October's invoices are wanted.",
        "until": { "url": "**/invoices" },
    });
    let stale = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let (keep, reuse) = (stale.clone(), stale.clone());
    let script = vec![
        call("navigate", json!({ "url": "http://portal.example/" })),
        Turn::of(move |asked| {
            let found = asked.reference("link", "Invoices");
            keep.lock().expect("no panic before").clone_from(&found);
            Answer::text("I open the invoices.").and_call("click", json!({ "ref": found }))
        }),
        call("handoff", ask),
        // The model believes in what it saw before the person came.
        Turn::of(move |_| Answer::call("click", json!({ "ref": *reuse.lock().expect("no panic before") }))),
        Turn::of(|asked| {
            let month = asked.reference("combobox", "Month");
            Answer::call("select", json!({ "ref": month, "value": "2026-10" }))
        }),
        click("button", "Show"),
        Turn::of(|asked| {
            let link = asked.reference("link", "Download CSV");
            Answer::call("download", json!({ "click": { "ref": link }, "to": "invoices.csv" }))
        }),
        call("code", json!({ "language": "bash", "code": "tail -n +2 invoices.csv | wc -l" })),
        Answer::text("31 invoices; I write it down.")
            .and_call("write", json!({ "path": "report.md", "content": "# October\n31 invoices\n" }))
            .and_call("artifact", json!({ "path": "report.md" }))
            .into(),
        call("screenshot", json!({})),
        call("done", json!({ "result": "There are 31 invoices in October." })),
    ];
    let (baton, model) = with_model(script).await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let task = prompt(&baton, &sandbox, "Count October's invoices at portal.example").await;
    baton.until(&format!("/tasks/{task}"), "/status", "waiting").await;
    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.take().await;
    viewer.sign_in(E_MAIL, PASSWORD, CODE).await;
    viewer.hand_back(Some("only October, please")).await;
    let done = baton.until(&format!("/tasks/{task}"), "/status", "completed").await;
    assert_eq!(done["result"], "There are 31 invoices in October.");
    assert_eq!((&done["usage"]["steps"], &done["usage"]["inputTokens"]), (&json!(11), &json!(110)), "{done}");

    // Each thing done in the browser has its picture in the story, and a picture is the page's.
    let events = baton.events(&task).await;
    let action = |name: &str| {
        let of_name = |event: &&Value| event["type"] == "sandbox.agent.action" && event["data"]["name"] == name;
        events.iter().find(of_name).unwrap_or_else(|| panic!("{name} is told: {events:?}"))["data"]["picture"].clone()
    };
    for name in ["navigate", "select", "download", "screenshot"] {
        let picture = action(name);
        let picture = picture.as_str().unwrap_or_else(|| panic!("{name} has a picture"));
        let shown = baton.bytes(&format!("/pictures/{picture}")).await;
        let shown = image::load_from_memory(&shown).expect("a picture");
        assert!(shown.width() > 1000 && shown.height() > 500, "{name}: {}x{}", shown.width(), shown.height());
    }
    assert_eq!(action("code"), Value::Null, "commands have none");
    let (status, _) = baton.send("GET", &format!("/pictures/{}", "0".repeat(64)), None).await;
    assert_eq!(status, 404);

    let asked = model.asked();
    assert_eq!((asked.len(), model.n_left()), (11, 0));
    let after = asked[3].text();
    for told in [
        "handed the browser back",
        "October's invoices are wanted.",
        "only October, please",
        "signed in or out at: \\\\\\\"portal.example\\\\\\\"",
        "The condition that you named holds.",
        "combobox \\\\\\\"Month\\\\\\\"",
    ] {
        let plain = told.replace("\\\\\\\"", "\\\"");
        assert!(after.contains(told) || after.contains(&plain), "the model is told {told}: {after}");
    }
    assert!(asked[4].text().contains("from an earlier look, before control changed hands"), "{}", asked[4].text());
    assert!(asked[8].text().contains("stdout:\\n31"), "what the code printed");
    assert!(asked[10].text().contains("data:image/png;base64,"), "the picture is put to the model");
    // The portal itself shows who is signed in; what else was typed is shown by nobody.
    for secret in [PASSWORD, CODE] {
        assert!(asked.iter().all(|asked| !asked.text().contains(secret)), "a model was told what a person typed");
    }

    let events = baton.events(&task).await;
    assert_eq!(kinds(&events).iter().filter(|kind| **kind == "sandbox.agent.step").count(), 11);
    let step =
        events.iter().find(|event| event["data"]["text"] == "I open the invoices.").expect("what it said is told");
    assert_eq!((&step["data"]["usage"]["inputTokens"], &step["data"]["model"]), (&json!(10), &json!("scripted")));
    let picture = events.iter().find(|event| event["data"]["name"] == "screenshot").expect("the picture is told");
    assert!(picture["data"]["picture"].as_str().is_some_and(|sha256| sha256.len() == 64), "{picture}");
    let artifacts = baton.get(&format!("/sandboxes/{sandbox}/artifacts")).await;
    assert_eq!(artifacts["data"][0]["name"], "report.md");

    // The browser's own session files go with the sandbox.
    baton.ok("DELETE", &format!("/sandboxes/{sandbox}"), None).await;
    assert_kept_nowhere(&baton, &task, &[PASSWORD, CODE], "October").await;
}

#[tokio::test]
async fn the_agent_hears_the_person_who_drives_and_works_beside_them() {
    let script = vec![
        call("navigate", json!({ "url": "http://portal.example/help" })),
        // Waits for the person, who holds control by then.
        call("click", json!({ "role": "link", "name": "Portal" })),
        Turn::of(|asked| {
            assert!(asked.text().contains("write it into plan.txt first"), "{}", asked.text());
            Answer::call("write", json!({ "path": "plan.txt", "content": "the plan\n" }))
        }),
        call("click", json!({ "role": "link", "name": "Portal" })),
        // Somebody else drove: it is shown the page, and decides again.
        click("link", "Portal"),
        call("done", json!({ "result": "planned" })),
    ];
    let (baton, model) = with_model(vec![]).await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let mut script = script.into_iter();
    model.push(script.next().expect("a first turn"));
    let go_on = std::sync::Arc::new(tokio::sync::Notify::new());
    model.push(Answer::call("click", json!({ "role": "link", "name": "Portal" })).paused(go_on.clone()));
    script.next();
    script.for_each(|turn| model.push(turn));
    let task = prompt(&baton, &sandbox, "Read the help of portal.example").await;
    eventually("the model thinks about its second step", || {
        std::future::ready((model.asked().len() == 2).then_some(()))
    })
    .await;
    let take = json!({ "controller": "Ada" });
    baton.post(&format!("/sandboxes/{sandbox}/control/take"), take).await;
    go_on.notify_one();
    let path = format!("/tasks/{task}/messages");
    let heard = baton.post(&path, json!({ "text": "write it into plan.txt first" })).await;
    assert_eq!(heard["status"], "waiting");
    let written = format!("/sandboxes/{sandbox}/fs/stat?path=plan.txt");
    eventually("the agent writes its plan", || async {
        (baton.send("GET", &written, None).await.0 == 200).then_some(())
    })
    .await;
    let preview = baton.get(&format!("/sandboxes/{sandbox}/preview")).await;
    assert_eq!(preview["controlMode"], "human", "the person drives all the while");
    baton.post(&format!("/sandboxes/{sandbox}/control/release"), json!({ "note": "go on" })).await;
    baton.until(&format!("/tasks/{task}"), "/status", "completed").await;
    let asked = model.asked();
    assert!(
        asked[4].text().contains("somebody else has used the browser since you last looked"),
        "{}",
        asked[4].text()
    );
    assert!(asked[4].text().contains("go on"), "the note reaches the model");
    let (status, refused) = baton.send("POST", &path, Some(json!({ "text": "too late" }))).await;
    assert_eq!((status, &refused["error"]["details"]["status"]), (409, &json!("completed")), "{refused}");
}

#[tokio::test]
async fn what_a_model_says_is_heard_while_it_says_it() {
    let go_on = std::sync::Arc::new(tokio::sync::Notify::new());
    let answer = Answer::text("I think about it for a long while, in many words.")
        .and_call("done", json!({ "result": "thought" }));
    let (baton, model) = with_model(vec![answer.paused(go_on.clone()).into()]).await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let task = prompt(&baton, &sandbox, "Think").await;
    eventually("the model is asked", || std::future::ready((model.asked().len() == 1).then_some(()))).await;
    let path = format!("/tasks/{task}/speech");
    let (heard, ()) = tokio::join!(baton.bytes(&path), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        go_on.notify_one();
    });
    let heard = String::from_utf8(heard).expect("text");
    let said: String = heard
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str::<Value>(data).expect("JSON")["text"].as_str().expect("a text").to_owned())
        .collect();
    assert!(said.ends_with("in many words."), "{heard}");
    baton.until(&format!("/tasks/{task}"), "/result", "thought").await;
}

#[tokio::test]
async fn a_prompt_without_a_model_fails_at_once_and_says_what_to_do() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let failed = baton.post(&format!("/sandboxes/{sandbox}/prompt"), json!({ "prompt": "Think" })).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("noModel")), "{failed}");
}
