//! What a client must not reach: Chromium's own pages, and the isolated world of the page script.

use sandbox_runtime::browser::Look;
use sandbox_runtime::browser::clients::Place;
use serde_json::{Value, json};

use crate::both;
use crate::clients::Outside;

fn is_refused(answer: &Value, word: &str) {
    let message = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("it must be refused: {answer}"));
    assert!(message.contains(word), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_chromiums_own_are_not_there_for_clients() {
    let (rig, site) = both().await;
    let (mut outside, session) = Outside::at_page(&rig, &site.url("/form")).await;
    let tab = rig.browser.state().tabs[0].id.clone();
    let page = Some(session.as_str());
    outside.ask(&rig, page, "Runtime.enable", json!({})).await;
    outside.ask(&rig, None, "Target.setDiscoverTargets", json!({"discover": true})).await;
    let seen = outside.ask(&rig, None, "Target.getTargets", json!({})).await;
    assert!(seen.to_string().contains(&tab), "{seen}");

    // The person opens a page of the browser's own.
    rig.person.call("Page.navigate", json!({"url": "chrome://version"})).await;
    rig.until("it is open", |browser| browser.state().url.starts_with("chrome://version")).await;
    let seen = outside.ask(&rig, None, "Target.getTargets", json!({})).await;
    assert!(!seen.to_string().contains("chrome:"), "{seen}");
    for (method, params) in [
        ("Target.attachToTarget", json!({"targetId": tab, "flatten": true})),
        ("Target.getTargetInfo", json!({"targetId": tab})),
        ("Target.activateTarget", json!({"targetId": tab})),
        ("Target.closeTarget", json!({"targetId": tab})),
        ("Browser.getWindowForTarget", json!({"targetId": tab})),
    ] {
        is_refused(&outside.ask(&rig, None, method, params).await, "No target");
    }
    for (method, params) in [
        ("Runtime.evaluate", json!({"expression": "chrome.send"})),
        ("DOM.getDocument", json!({})),
        ("Page.captureScreenshot", json!({})),
        ("Page.getFrameTree", json!({})),
        ("Page.addScriptToEvaluateOnNewDocument", json!({"source": "1", "runImmediately": true})),
        ("Input.insertText", json!({"text": "x"})),
    ] {
        is_refused(&outside.ask(&rig, page, method, params).await, "the browser's own");
    }
    assert!(rig.browser.debuggable_tabs().unwrap().is_empty());
    assert!(rig.browser.admit(Place::Page(tab.clone())).await.is_err());
    let told = serde_json::to_string(&outside.events).unwrap();
    assert!(!told.contains("chrome:"), "{told}");

    // Nor does it go there itself; and it may leave for the web, where it goes on.
    for url in ["chrome://version", "about:version", "devtools://devtools", "file:///etc/passwd", "blob:chrome://x/1"] {
        is_refused(&outside.ask(&rig, page, "Page.navigate", json!({"url": url})).await, "addresses");
        is_refused(&outside.ask(&rig, None, "Target.createTarget", json!({"url": url})).await, "addresses");
    }
    outside.ask(&rig, page, "Page.navigate", json!({"url": site.url("/form")})).await;
    rig.until("it is at the form", |browser| browser.state().url.ends_with("/form")).await;
    rig.expect("An invoice").await;
    let title = json!({"expression": "document.title"});
    let answer = outside.ask(&rig, page, "Runtime.evaluate", title).await;
    assert_eq!(answer["result"]["result"]["value"], "The form", "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_world_of_the_page_script_is_neither_told_of_nor_reached() {
    let (mut rig, site) = both().await;
    let mut outside = Outside::admit(&rig).await;
    let tab = rig.browser.state().tabs[0].id.clone();
    let session = outside.attach(&rig, &tab).await;
    let page = Some(session.as_str());
    for domain in ["Runtime", "Debugger", "DOM", "Page"] {
        outside.ask(&rig, page, &format!("{domain}.enable"), json!({})).await;
    }
    rig.open(&site.url("/login")).await;
    // Our world is there, and has been asked.
    rig.browser.observe(&Look::default()).await.unwrap();
    let main = outside.ask(&rig, page, "Runtime.evaluate", json!({"expression": "document"})).await;
    let object = main["result"]["result"]["objectId"].as_str().expect("an object").to_owned();
    let told = serde_json::to_string(&outside.events).unwrap();
    assert!(told.contains("executionContextCreated") && !told.contains("baton"), "{told}");

    // Every world that can be guessed, by number, by object, by the name of old.
    let parts: Vec<&str> = object.split('.').collect();
    let own: i64 = parts[1].parse().unwrap();
    let mut reached = 0;
    for world in 1..=own + 20 {
        let evaluate = json!({"contextId": world, "expression": "typeof baton"});
        let answer = outside.ask(&rig, page, "Runtime.evaluate", evaluate).await;
        reached += i64::from(answer["result"]["result"]["value"] == "undefined");
        assert_ne!(answer["result"]["result"]["value"], "object", "world {world}");
        let call = json!({"executionContextId": world, "functionDeclaration": "() => typeof baton"});
        let answer = outside.ask(&rig, page, "Runtime.callFunctionOn", call).await;
        assert_ne!(answer["result"]["result"]["value"], "object", "world {world}");
    }
    assert!(reached > 0, "the page's own world answers");
    let frame = json!({"frameId": tab, "worldName": "baton"});
    let made = outside.ask(&rig, page, "Page.createIsolatedWorld", frame).await;
    let world = made["result"]["executionContextId"].clone();
    let evaluate = json!({"contextId": world, "expression": "typeof baton"});
    let answer = outside.ask(&rig, page, "Runtime.evaluate", evaluate).await;
    assert_eq!(answer["result"]["result"]["value"], "undefined", "a world of its own: {answer}");

    // The debugging protocol lists our listeners; with a handle of one nothing is done.
    let listeners = json!({"objectId": object, "depth": -1, "pierce": true});
    let found = outside.ask(&rig, page, "DOMDebugger.getEventListeners", listeners).await;
    assert!(found["result"]["listeners"].to_string().contains("visibilitychange"), "ours are listed: {found}");
    for listener in found["result"]["listeners"].as_array().into_iter().flatten() {
        for key in ["handler", "originalHandler"] {
            let Some(handle) = listener[key]["objectId"].as_str() else { continue };
            let call =
                json!({"objectId": handle, "functionDeclaration": "function () { return typeof globalThis.baton }"});
            let answer = outside.ask(&rig, page, "Runtime.callFunctionOn", call).await;
            assert_ne!(answer["result"]["result"]["value"], "object", "{listener}");
        }
    }

    // Nothing is laid over what our world uses, nor run in it on the way of a breakpoint.
    for name in ["Map", "JSON", "addEventListener", "baton", "batonReport"] {
        is_refused(&outside.ask(&rig, page, "Runtime.addBinding", json!({"name": name})).await, "a binding needs");
    }
    let mine = outside.ask(&rig, page, "Runtime.addBinding", json!({"name": "mine"})).await;
    assert_eq!(mine["result"], json!({}), "{mine}");
    for place in [json!({"urlRegex": ".*"}), json!({"url": ""}), json!({"scriptHash": "x"})] {
        let mut breakpoint = place;
        breakpoint["lineNumber"] = json!(0);
        breakpoint["condition"] = json!("globalThis.taken = true");
        let answer = outside.ask(&rig, page, "Debugger.setBreakpointByUrl", breakpoint).await;
        is_refused(&answer, "condition");
    }
    for script in 1..60 {
        let change = json!({"scriptId": script.to_string(), "scriptSource": "globalThis.baton = null", "dryRun": true});
        let answer = outside.ask(&rig, page, "Debugger.setScriptSource", change).await;
        if answer.get("result").is_some() {
            let source = json!({"scriptId": script.to_string()});
            let source = outside.ask(&rig, page, "Debugger.getScriptSource", source).await;
            assert!(!source.to_string().contains("maskedBoxes"), "script {script}");
        }
    }

    // And what a person types is masked as ever.
    let takeover = rig.browser.before_takeover().await;
    rig.give_to_person();
    rig.person.click("#code").await;
    rig.person.type_text("Canary3391").await;
    rig.browser.after_takeover(takeover).await;
    rig.give_to_agent();
    let seen = rig.browser.observe(&Look::default()).await.unwrap();
    assert!(seen.tree.contains("••••") && !seen.tree.contains("Canary3391"), "{}", seen.tree);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_debugger_stands_in_the_page_and_never_in_our_script() {
    let (rig, site) = both().await;
    let (mut outside, session) = Outside::at_page(&rig, &site.url("/form")).await;
    let page = Some(session.as_str());
    outside.ask(&rig, page, "Debugger.enable", json!({})).await;
    // Stands before each listener of this kind, ours first.
    outside.ask(&rig, page, "DOMDebugger.setEventListenerBreakpoint", json!({"eventName": "focusin"})).await;
    rig.step(json!({"type": {"label": "Note", "text": "typed"}})).await;
    assert_eq!(rig.read("#note").await, "typed", "nothing stands still");
    outside.ask(&rig, None, "Browser.getVersion", json!({})).await;
    let paused: Vec<_> = outside.events.iter().filter(|event| event["method"] == "Debugger.paused").collect();
    assert!(paused.is_empty(), "{paused:?}");
}
