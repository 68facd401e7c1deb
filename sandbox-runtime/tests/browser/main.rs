//! The browser against a real Chromium, headless, in its own sandbox.

mod chromium;
mod clients;
mod dialogs;
mod holding;
mod hung;
mod look;
mod masked;
mod measure;
mod reach;
mod site;
mod unreachable;
mod veiled;

use std::time::{Duration, Instant};

use chromium::Rig;
use sandbox_core::action::{Action, Target};
use sandbox_core::model::Until;
use sandbox_runtime::browser::{ActionError, BrowserError, BrowserEvent, Live, Refused};
use serde_json::json;
use site::Site;

async fn both() -> (Rig, Site) {
    tokio::join!(Rig::start(), Site::start())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_filled_in_by_what_a_reader_sees() {
    let (rig, site) = both().await;
    rig.open(&site.url("/form")).await;
    assert_eq!(rig.browser.state().title, "The form");
    rig.step(json!({"type": {"label": "Note", "text": "checked"}})).await;
    let outcome = rig.step(json!({"click": {"role": "button", "name": "Save"}})).await;
    assert_eq!(outcome.fitted, None, "the whole name is preferred to a part of one");
    rig.expect("sent by exact: checked").await;
    rig.step(json!({"type": {"placeholder": "Search invoices", "text": "x"}})).await;
    rig.step(json!({"press": "Enter"})).await;
    rig.expect("sent by save: checked").await;
    rig.step(json!({"select": {"label": "Format", "value": "CSV"}})).await;
    rig.expect("format c").await;
    rig.step(json!({"click": {"role": "checkbox", "name": "i agree"}})).await;
    rig.expect("agree true").await;
    rig.step(json!({"type": {"label": "Due", "text": "2026-11-30"}})).await;
    rig.expect("due 2026-11-30").await;
    rig.step(json!({"click": {"text": "Far below"}})).await;
    assert_eq!(rig.read("#out").await, "far");
    rig.step(json!({"type": {"label": "Letter", "text": "Dear reader"}})).await;
    assert_eq!(rig.read("#letter").await, "Dear reader");
    rig.step(json!({"expect": {"testId": "total"}})).await;
    rig.step(json!({"expect": {"url": "**/form"}})).await;
    let table = json!([{"Month": "2026-09", "Sum": "10"}, {"Month": "2026-10", "Sum": "20"}]);
    assert_eq!(rig.read("table").await, table);
    rig.step(json!({"scroll": {"to": "top"}})).await;
    rig.step(json!({"type": {"label": "Note", "text": ""}})).await;
    assert_eq!(rig.read("#note").await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_says_what_was_looked_for_and_what_the_page_had() {
    let (rig, site) = both().await;
    rig.open(&site.url("/form")).await;
    let fail = async |step: serde_json::Value| rig.try_step(step).await.unwrap_err().to_string();
    let missing = fail(json!({"click": {"role": "button", "name": "Svae the draft", "timeoutMs": 300}})).await;
    assert!(missing.starts_with("looked for button \"Svae the draft\"; the page \"The form\""), "{missing}");
    assert!(missing.contains("has button \"Save the draft\""), "the nearest comes first: {missing}");
    let label = fail(json!({"type": {"label": "Nots", "text": "x", "timeoutMs": 300}})).await;
    assert!(label.contains("field labelled \"Note\""), "{label}");
    let text = fail(json!({"expect": {"text": "Thank you", "timeoutMs": 300}})).await;
    assert!(text.contains("it reads \"An invoice"), "{text}");
    let disabled = fail(json!({"click": {"role": "button", "name": "Delete", "timeoutMs": 300}})).await;
    assert_eq!(disabled, "button \"Delete\" is there, but it is disabled");
    let covered = fail(json!({"click": {"role": "button", "name": "Beneath", "timeoutMs": 300}})).await;
    assert_eq!(covered, "button \"Beneath\" is there, but it is covered by <div#veil>");
    let option = fail(json!({"select": {"label": "Format", "value": "DOC", "timeoutMs": 300}})).await;
    assert!(option.ends_with("has no option \"DOC\"; it has \"PDF\", \"CSV\""), "{option}");
    let selector = fail(json!({"click": {"selector": "a[", "timeoutMs": 300}})).await;
    assert_eq!(selector, "\"a[\" is not a CSS selector");
    let address = fail(json!({"expect": {"url": "**/thanks", "timeoutMs": 100}})).await;
    assert!(address.starts_with("looked for the address \"**/thanks\"; the page was at http"), "{address}");
    let old = fail(json!({"click": {"ref": "e0-3"}})).await;
    assert_eq!(old, "the reference \"e0-3\" was never given out; look again and use a new one");
    let nowhere = fail(json!({"navigate": "http://127.0.0.1:1/"})).await;
    assert!(nowhere.contains("refused") || nowhere.contains("UNSAFE_PORT"), "{nowhere}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_is_waited_for_until_it_is_there_and_still() {
    let (rig, site) = both().await;
    rig.open(&site.url("/late")).await;
    rig.step(json!({"click": {"role": "button", "name": "Ready now"}})).await;
    rig.expect("clicked late").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_this_and_of_other_sites_and_shadow_trees_are_reached() {
    let (rig, site) = both().await;
    rig.open(&site.url("/frames")).await;
    for which in ["near", "cross"] {
        rig.step(json!({"click": {"role": "button", "name": format!("Press {which}")}})).await;
        rig.expect(&format!("pressed {which}")).await;
        rig.step(json!({"type": {"label": format!("Field {which}"), "text": "into the frame"}})).await;
        rig.expect("typed into the frame").await;
        rig.step(json!({"press": {"key": "Backspace"}})).await;
        rig.expect("typed into the fram").await;
    }
    rig.open(&site.url("/shadow")).await;
    rig.step(json!({"type": {"label": "Inside", "text": "tree"}})).await;
    rig.expect("shadow tree").await;
    rig.step(json!({"click": {"role": "button", "name": "Deep"}})).await;
    rig.expect("deep pressed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_another_site_that_has_just_come_or_moved_gets_its_clicks() {
    let (rig, site) = both().await;
    rig.open(&site.url("/moving-frames")).await;
    for n in 1..=8 {
        rig.step(json!({"click": {"role": "button", "name": "Next"}})).await;
        rig.step(json!({"click": {"role": "button", "name": format!("Press n{n}")}})).await;
        rig.expect(&format!("pressed n{n}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn input_that_the_browser_acknowledges_and_drops_is_sent_again() {
    let (rig, site) = both().await;
    let drop = |kinds: &[&'static str]| *rig.person.dropped.lock().unwrap() = kinds.to_vec();
    rig.open(&site.url("/frames")).await;
    for which in ["near", "cross"] {
        drop(&["mouseMoved", "mouseMoved", "mousePressed"]);
        rig.step(json!({"click": {"role": "button", "name": format!("Press {which}")}})).await;
        rig.expect(&format!("pressed {which}")).await;
        assert!(rig.person.dropped.lock().unwrap().is_empty(), "all of them were sent");
    }
    rig.open(&site.url("/form")).await;
    drop(&["mousePressed"]);
    rig.step(json!({"click": {"role": "checkbox", "name": "I agree"}})).await;
    rig.expect("agree true").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tabs_and_popups_open_come_to_the_front_and_close() {
    let (rig, site) = both().await;
    rig.open(&site.url("/tabs")).await;
    let first = rig.browser.state().tabs[0].id.clone();
    rig.step(json!({"click": {"role": "link", "name": "Open in a tab"}})).await;
    rig.expect("The second page").await;
    assert_eq!(rig.browser.state().tabs.len(), 2);
    let second = rig.browser.state().tabs[1].id.clone();
    rig.browser.activate_tab(&rig.permit(), &first).await.unwrap();
    rig.step(json!({"click": {"role": "button", "name": "Open a window"}})).await;
    rig.expect("The second page").await;
    let state = rig.browser.state();
    assert_eq!((state.tabs.len(), state.title.as_str()), (3, "Second"));
    assert_eq!(state.tabs.iter().filter(|tab| tab.active).count(), 1);
    rig.browser.close_tab(&rig.permit(), &state.tabs[2].id).await.unwrap();
    rig.browser.close_tab(&rig.permit(), &second).await.unwrap();
    rig.until("the first tab is in front", |browser| browser.state().title == "First").await;
    rig.step(json!({"click": {"role": "link", "name": "Go there"}})).await;
    assert_eq!(rig.browser.state().url, site.url("/second"));
    rig.browser.back(&rig.permit()).await.unwrap();
    rig.until("the first page is back", |browser| browser.state().title == "First").await;
    rig.browser.forward(&rig.permit()).await.unwrap();
    rig.expect("The second page").await;
    rig.browser.reload(&rig.permit()).await.unwrap();
    rig.expect("The second page").await;
    assert!(matches!(rig.browser.forward(&rig.permit()).await, Err(ActionError::Invalid(_))));
    rig.browser.close_tab(&rig.permit(), &first).await.unwrap();
    rig.until("an empty tab took the place of the last", |browser| {
        let tabs = browser.state().tabs;
        tabs.len() == 1 && tabs[0].id != first
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialogs_of_an_action_are_answered_and_recorded() {
    let (rig, site) = both().await;
    rig.open(&site.url("/dialogs")).await;
    let check = async |step: serde_json::Value, shows: &str, accepted: bool| {
        let outcome = rig.step(step).await;
        assert_eq!(outcome.dialogs.len(), 1, "{shows}");
        assert_eq!(outcome.dialogs[0].accepted, accepted, "{shows}");
        rig.expect(shows).await;
        outcome.dialogs[0].message.clone()
    };
    let button = |name: &str| json!({"click": {"role": "button", "name": name}});
    assert_eq!(check(button("Alert"), "alerted", true).await, "Saved");
    assert_eq!(check(button("Confirm"), "confirm false", false).await, "Really delete?");
    let accept = json!({"click": {"role": "button", "name": "Confirm", "dialog": "accept"}});
    check(accept, "confirm true", true).await;
    let name = json!({"click": {"role": "button", "name": "Prompt", "dialog": "accept", "promptText": "Ada"}});
    check(name, "prompt Ada", true).await;
    rig.step(button("Guard")).await;
    let left = rig.step(json!({"navigate": site.url("/second")})).await;
    assert_eq!(
        left.dialogs.first().map(|dialog| (dialog.kind.as_str(), dialog.accepted)),
        Some(("beforeunload", true))
    );
    assert_eq!(left.title, "Second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialog_is_left_for_the_person_who_drives() {
    let (mut rig, site) = both().await;
    rig.open(&site.url("/dialogs")).await;
    rig.give_to_person();
    let person = rig.person.clone();
    let asked = tokio::spawn(async move { person.run("confirm('Mine?')").await });
    let shown = "\"method\":\"Page.javascriptDialogOpening\"";
    rig.until("the dialog is open", |_| rig.person.told.lock().unwrap().contains(shown)).await;
    let before = rig.person.sent.lock().unwrap().len();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.person.sent.lock().unwrap().len(), before, "nothing is sent about it");
    assert!(!asked.is_finished());
    rig.give_to_agent();
    let looked = rig.browser.screenshot().await;
    assert!(matches!(&looked, Err(BrowserError::DialogOpen { message, .. }) if message == "Mine?"), "{looked:?}");
    // Nobody told the agent what the person's dialog is to be answered.
    let stopped = rig.try_step(json!({"expect": {"text": "none"}})).await.unwrap_err().to_string();
    assert!(stopped.contains("confirm: \"Mine?\""), "{stopped}");
    assert!(!asked.is_finished());
    let outcome = rig.step(json!({"dialog": "dismiss"})).await;
    assert_eq!(outcome.dialogs[0].message, "Mine?");
    assert_eq!(asked.await.unwrap(), false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_come_under_their_own_names_and_go_by_field_or_chooser() {
    let (mut rig, site) = both().await;
    rig.open(&site.url("/files")).await;
    let download = json!({"download": {"click": {"role": "link", "name": "Download the report"}}});
    let first = rig.step(download.clone()).await.download.unwrap();
    let second = rig.step(download).await.download.unwrap();
    assert_eq!((first.as_str(), second.as_str()), ("downloads/report.csv", "downloads/report (1).csv"));
    assert_eq!(std::fs::read_to_string(rig.workspace.join(&second)).unwrap(), "a,b\n1,2\n");
    rig.give_to_person();
    rig.person.click("a").await;
    let deadline = Instant::now() + chromium::PATIENCE;
    let mut arrived = Vec::new();
    while arrived.len() < 3 {
        let event = tokio::time::timeout_at(deadline.into(), rig.events.recv()).await.expect("three files arrive");
        if let Some(BrowserEvent::DownloadFinished { path }) = event {
            arrived.push(path);
        }
    }
    assert_eq!(arrived[2], "downloads/report (2).csv", "the person's own download is told as well");
    rig.give_to_agent();
    std::fs::write(rig.workspace.join("note.txt"), "hello").unwrap();
    rig.step(json!({"upload": {"label": "Attachment", "path": "/workspace/note.txt"}})).await;
    rig.step(json!({"click": {"role": "button", "name": "Send"}})).await;
    rig.expect("received note.txt: hello").await;
    rig.open(&site.url("/files")).await;
    rig.step(json!({"upload": {"role": "button", "name": "Choose a file", "path": "note.txt"}})).await;
    rig.step(json!({"click": {"role": "button", "name": "Send"}})).await;
    rig.expect("received note.txt: hello").await;
    rig.open(&site.url("/files")).await;
    let outside = rig.try_step(json!({"upload": {"label": "Attachment", "path": "../secret"}})).await;
    assert!(matches!(outside, Err(ActionError::Invalid(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_in_flight_ends_with_its_lease_and_nothing_follows() {
    let (mut rig, site) = both().await;
    rig.open(&site.url("/form")).await;
    let (browser, permit) = (rig.browser.clone(), rig.permit());
    let never: Action = serde_json::from_value(json!({"click": {"role": "button", "name": "Never there"}})).unwrap();
    let action = tokio::spawn(async move { browser.act(&permit, &never, Duration::from_secs(60)).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!action.is_finished());
    let fenced = Instant::now();
    rig.give_to_person();
    let ended = action.await.unwrap();
    assert!(matches!(ended, Err(ActionError::Refused(Refused::HeldByPerson))), "{ended:?}");
    assert!(fenced.elapsed() < Duration::from_secs(2));
    let before = rig.person.sent.lock().unwrap().len();
    assert!(matches!(rig.browser.screenshot().await, Err(BrowserError::Refused(Refused::HeldByPerson))));
    let navigated = rig.browser.navigate(&rig.permit(), "about:blank").await;
    assert!(matches!(navigated, Err(ActionError::Refused(_))), "{navigated:?}");
    assert_eq!(rig.person.sent.lock().unwrap().len(), before, "nothing was sent while the person held control");
    let old = rig.permit();
    rig.give_to_agent();
    rig.give_to_agent();
    assert!(matches!(rig.browser.reload(&old).await, Err(ActionError::Refused(Refused::StaleLease))));
    rig.gate.set(Live::Waiting);
    assert!(rig.browser.screenshot().await.is_ok(), "looking is allowed while a person is asked");
    let asked = rig.browser.reload(&rig.permit()).await;
    assert!(matches!(asked, Err(ActionError::Refused(Refused::WaitingForPerson))), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_takeover_is_told_by_names_and_what_was_typed_stays_hidden() {
    const USER: &str = "user-canary-4821";
    const CODE: &str = "code-canary-1190";
    let (mut rig, site) = both().await;
    rig.open(&site.url("/login")).await;
    while rig.events.try_recv().is_ok() {}
    let plain = rig.browser.screenshot().await.unwrap();
    let takeover = rig.browser.before_takeover().await;
    rig.give_to_person();
    rig.person.click("#user").await;
    rig.person.type_text(USER).await;
    rig.person.click("#code").await;
    rig.person.type_text(CODE).await;
    assert_eq!(rig.person.run("code.value").await, CODE, "the person's keys arrived");
    let receipt = rig.browser.after_takeover(takeover).await;
    rig.give_to_agent();
    assert_eq!(receipt.fields_touched, ["User", "Code"]);
    assert_eq!(receipt.after.title, "Sign in");
    assert!(receipt.signed_in_changed.is_empty());

    let picture = image::load_from_memory(&rig.browser.screenshot().await.unwrap()).unwrap().into_rgba8();
    let plain = image::load_from_memory(&plain).unwrap().into_rgba8();
    assert_eq!(picture.dimensions(), plain.dimensions());
    for (field, masked) in [("#user", true), ("#code", true), ("#password", false)] {
        let at = rig.person.run(&format!("(() => {{ const b = document.querySelector('{field}').getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom].map(Math.round) }})()")).await;
        let corner = |index: usize| u32::try_from(at[index].as_u64().unwrap()).unwrap();
        let covered = (corner(0)..corner(2))
            .all(|x| (corner(1)..corner(3)).all(|y| picture.get_pixel(x, y).0 == [120, 120, 120, 255]));
        assert_eq!(covered, masked, "{field}");
    }
    assert_eq!(rig.read("#user").await, "••••");

    let takeover = rig.browser.before_takeover().await;
    rig.give_to_person();
    rig.person.click("#password").await;
    rig.person.type_text("password-canary-5512").await;
    rig.person
        .call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyDown", "key": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}),
        )
        .await;
    rig.until("the person signed in", |browser| browser.state().title == "Account").await;
    rig.person.run("void open('/second')").await;
    rig.until("a tab opened", |browser| browser.state().tabs.iter().any(|tab| tab.title == "Second")).await;
    assert!(rig.events.try_recv().is_err(), "nothing of the page is told while the person drives");
    let until = |url: Option<&str>, selector: Option<&str>, cookie: Option<&str>| Until {
        url: url.map(Into::into),
        selector: selector.map(Into::into),
        cookie: cookie.map(Into::into),
    };
    assert!(rig.browser.until_met(&until(Some("**/second"), Some("h1"), Some("sid"))).await);
    assert!(!rig.browser.until_met(&until(Some("**/login"), None, None)).await);
    assert!(!rig.browser.until_met(&until(None, Some("#nothing"), None)).await);
    assert!(!rig.browser.until_met(&until(None, None, Some("other"))).await);
    let receipt = rig.browser.after_takeover(takeover).await;
    rig.give_to_agent();
    assert_eq!(receipt.fields_touched, ["Password"]);
    assert_eq!(receipt.signed_in_changed, ["127.0.0.1"]);
    assert_eq!(receipt.tabs_opened, ["Second"]);
    assert!(receipt.tabs_closed.is_empty());
    assert_eq!((receipt.before.title.as_str(), receipt.after.title.as_str()), ("Sign in", "Second"));
    let written = serde_json::to_string(&receipt).unwrap();
    assert!(!written.contains("canary"), "{written}");

    // After the hand-back nothing is noted any more, in old documents and new ones.
    rig.open(&site.url("/login")).await;
    rig.step(json!({"type": {"label": "Code", "text": "the agent's"}})).await;
    assert_eq!(rig.read("#code").await, "the agent's");
    // A sign-in is told to the runtime, by a name that no page and no client knows. Nothing else leaves its page.
    let told = rig.person.told.lock().unwrap().clone();
    for message in told.split('\0') {
        assert!(!message.contains(CODE), "{message}");
        assert!(!message.contains(USER) || message.contains("Runtime.bindingCalled"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_the_browser_is_told_and_every_action_says_so() {
    let (mut rig, site) = both().await;
    rig.open(&site.url("/form")).await;
    drop(rig.person.send("Browser.close", json!({})).await);
    let deadline = Instant::now() + chromium::PATIENCE;
    while tokio::time::timeout_at(deadline.into(), rig.events.recv()).await.expect("the end is told")
        != Some(BrowserEvent::Closed)
    {}
    assert!(rig.browser.is_closed());
    let click = Action::Click(serde_json::from_value(json!({"text": "Save"})).unwrap());
    assert_eq!(click.target(), Some(Target { text: Some("Save".into()), ..Target::default() }));
    let error = rig.browser.act(&rig.permit(), &click, Duration::from_secs(5)).await.unwrap_err();
    assert!(error.to_string().contains("closed") || error.to_string().contains("no page"), "{error}");
}
