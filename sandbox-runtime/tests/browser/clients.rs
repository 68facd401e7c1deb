//! Outside clients at the browser itself, without a wire between.

use sandbox_runtime::browser::BrowserEvent;
use sandbox_runtime::browser::clients::{Class, Client, Ears, Place};
use serde_json::{Value, json};

use crate::both;
use crate::chromium::Rig;

pub struct Outside {
    client: Client,
    ears: Ears,
    last_id: i64,
    /// What it was told and did not ask for, in order.
    pub events: Vec<Value>,
}

impl Outside {
    pub async fn admit(rig: &Rig) -> Self {
        let (client, ears) = rig.browser.admit(Place::Browser).await.unwrap();
        Self { client, ears, last_id: 0, events: Vec::new() }
    }

    /// Opens a page and admits a client that attaches to it; returns its session too.
    pub async fn at_page(rig: &Rig, url: &str) -> (Self, String) {
        rig.open(url).await;
        let tab = rig.browser.state().tabs[0].id.clone();
        let mut outside = Self::admit(rig).await;
        let session = outside.attach(rig, &tab).await;
        (outside, session)
    }

    pub async fn ask(&mut self, rig: &Rig, session: Option<&str>, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        if let Some(command) = self.client.plan(&message.to_string()) {
            match command.class() {
                Class::Act => self.client.act(command, rig.permit(), Box::new(())).await,
                Class::Neutral | Class::Look | Class::Prepare | Class::LetGo | Class::Refused(_) => {
                    self.client.send(command).await;
                }
            }
        }
        loop {
            let told: Value = serde_json::from_str(&self.ears.next().await.unwrap()).unwrap();
            if told["id"] == self.last_id {
                return told;
            }
            self.events.push(told);
        }
    }

    pub async fn attach(&mut self, rig: &Rig, tab: &str) -> String {
        let params = json!({"targetId": tab, "flatten": true});
        let attached = self.ask(rig, None, "Target.attachToTarget", params).await;
        attached["result"]["sessionId"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tab_that_is_made_to_believe_it_is_in_front_is_not() {
    let (rig, site) = both().await;
    rig.open(&site.url("/tabs")).await;
    let first = rig.browser.state().tabs[0].id.clone();
    rig.step(json!({"click": {"role": "link", "name": "Open in a tab"}})).await;
    rig.expect("The second page").await;
    let mut outside = Outside::admit(&rig).await;
    let session = outside.attach(&rig, &first).await;
    let believe = json!({"enabled": true});
    outside.ask(&rig, Some(&session), "Emulation.setFocusEmulationEnabled", believe).await;
    let visible = "new Promise((told) => document.visibilityState === 'visible' ? told('visible') : \
                   document.addEventListener('visibilitychange', () => told(document.visibilityState)))";
    let params = json!({"expression": visible, "awaitPromise": true});
    let answer = outside.ask(&rig, Some(&session), "Runtime.evaluate", params).await;
    assert_eq!(answer["result"]["result"]["value"], "visible", "{answer}");
    let front = rig.browser.state().tabs.into_iter().find(|tab| tab.active).unwrap();
    assert_ne!(front.id, first);
    // Brought to the front, it is there.
    outside.ask(&rig, Some(&session), "Page.bringToFront", json!({})).await;
    rig.until("the first tab is in front", |browser| {
        browser.state().tabs.iter().any(|tab| tab.active && tab.id == first)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_hear_of_their_own_sessions_only_and_leave_nothing_behind() {
    let (rig, site) = both().await;
    rig.open(&site.url("/form")).await;
    let tab = rig.browser.state().tabs[0].id.clone();
    let (mut one, mut other) = (Outside::admit(&rig).await, Outside::admit(&rig).await);
    let (first, second) = (one.attach(&rig, &tab).await, other.attach(&rig, &tab).await);
    let stranger = one.ask(&rig, Some(&second), "Page.enable", json!({})).await;
    assert_eq!(stranger["error"]["code"], -32_001, "{stranger}");
    let override_title = json!({"source": "document.title = 'taken'"});
    one.ask(&rig, Some(&first), "Page.addScriptToEvaluateOnNewDocument", override_title).await;
    drop(one);
    // The other's session lives, and what the first had put into new documents went with it.
    rig.open(&site.url("/tabs")).await;
    let title = json!({"expression": "document.title"});
    let answer = other.ask(&rig, Some(&second), "Runtime.evaluate", title).await;
    assert!(answer["result"]["result"]["value"].as_str().is_some_and(|title| title != "taken"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_for_new_documents_do_not_run_while_a_person_drives_and_keep_their_numbers() {
    let (mut rig, site) = both().await;
    let (mut outside, session) = Outside::at_page(&rig, &site.url("/form")).await;
    let page = Some(session.as_str());
    outside.ask(&rig, page, "Page.enable", json!({})).await;
    let add = "Page.addScriptToEvaluateOnNewDocument";
    let remove = "Page.removeScriptToEvaluateOnNewDocument";
    let mut numbers = Vec::new();
    for name in ["gone", "world", "kept", "last"] {
        let source =
            if name == "world" { String::new() } else { format!("window.ran = [...window.ran ?? [], '{name}']") };
        let params = json!({"source": source, "worldName": if name == "world" { "theirs" } else { "" }});
        let added = outside.ask(&rig, page, add, params).await;
        numbers.push(added["result"]["identifier"].clone());
    }
    outside.ask(&rig, page, remove, json!({"identifier": numbers[0]})).await;
    let ran = json!({"expression": "String(window.ran ?? 'nothing')"});
    let after = async |rig: &Rig, outside: &mut Outside, path: &str| {
        rig.person.call("Page.navigate", json!({"url": site.url(path)})).await;
        rig.until("the page is open", |browser| browser.state().url.ends_with(path)).await;
        if matches!(rig.browser.visible_tabs(), Ok(tabs) if !tabs.is_empty()) {
            let answer = outside.ask(rig, page, "Runtime.evaluate", ran.clone()).await;
            return answer["result"]["result"]["value"].clone();
        }
        rig.person.run("String(window.ran ?? 'nothing')").await
    };
    assert_eq!(after(&rig, &mut outside, "/tabs").await, "kept,last");

    rig.give_to_person();
    let takeover = rig.browser.before_takeover().await;
    let mut quiet = json!(null);
    for _ in 0..40 {
        // The client's settings are lifted next to the person's first look.
        quiet = after(&rig, &mut outside, "/form").await;
        if quiet == "nothing" {
            break;
        }
        after(&rig, &mut outside, "/tabs").await;
    }
    assert_eq!(quiet, "nothing", "nothing of the client's runs");
    rig.browser.after_takeover(takeover).await;
    rig.give_to_agent();

    let mut again = json!(null);
    for _ in 0..40 {
        again = after(&rig, &mut outside, "/tabs").await;
        if again == "kept,last" {
            break;
        }
        after(&rig, &mut outside, "/form").await;
    }
    assert_eq!(again, "kept,last", "they run again, in order");
    // By the number that the client was told.
    outside.ask(&rig, page, remove, json!({"identifier": numbers[2]})).await;
    assert_eq!(after(&rig, &mut outside, "/form").await, "last");
    outside.ask(&rig, page, "Page.disable", json!({})).await;
    assert_eq!(after(&rig, &mut outside, "/tabs").await, "nothing", "Chromium forgets them with the domain");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_does_by_input_is_told_by_names_and_what_others_do_is_not() {
    let (mut rig, site) = both().await;
    let (mut outside, session) = Outside::at_page(&rig, &site.url("/form")).await;
    let page = Some(session.as_str());
    // The agent's own action tells itself.
    rig.step(json!({"type": {"label": "Note", "text": "by the agent"}})).await;
    // In the field that has the focus still.
    for text in ["Canary", "8812"] {
        outside.ask(&rig, page, "Input.insertText", json!({"text": text})).await;
    }
    let place = rig.person.run("(({ left, top }) => [left + 5, top + 5])(due.getBoundingClientRect())").await;
    for kind in ["mousePressed", "mouseReleased"] {
        let params = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
        outside.ask(&rig, page, "Input.dispatchMouseEvent", params).await;
    }
    outside.ask(&rig, page, "Page.navigate", json!({"url": site.url("/tabs")})).await;
    rig.until("the page is open", |browser| browser.state().url.ends_with("/tabs")).await;
    // A person's own.
    let takeover = rig.browser.before_takeover().await;
    rig.give_to_person();
    rig.person.click("a").await;
    rig.browser.after_takeover(takeover).await;
    rig.give_to_agent();
    rig.step(json!({"navigate": site.url("/form")})).await;

    let mut told = Vec::new();
    while let Ok(event) = rig.events.try_recv() {
        if let BrowserEvent::ClientDid(did) = event {
            told.push((did.name, did.summary));
        }
    }
    let summaries: Vec<&str> = told.iter().map(|(_, summary)| summary.as_str()).collect();
    let opened = format!("opened {}", site.url("/tabs"));
    assert_eq!(summaries, ["typed into field \"Note\"", "clicked textbox \"Due\"", opened.as_str()], "{told:?}");
}
