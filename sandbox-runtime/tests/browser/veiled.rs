//! A document that a person typed in is closed to clients of the debugging protocol, however they read.

use base64::prelude::{BASE64_STANDARD, Engine};
use sandbox_core::model::TypedText;
use serde_json::{Value, json};

use crate::both;
use crate::chromium::Rig;
use crate::clients::Outside;

const CANARY: &str = "Canary77315";

/// A person takes the wheel, types into a field, and hands back; the client was told so.
async fn type_as_person(rig: &mut Rig, outside: &mut Outside, selector: &str, text: &str) {
    let takeover = rig.browser.before_takeover().await;
    rig.give_to_person();
    rig.person.click(selector).await;
    rig.person.type_text(text).await;
    rig.browser.after_takeover(takeover).await;
    rig.give_to_agent();
    goes_on(rig, outside).await;
}

/// Waits until the client has heard of the hand-back.
async fn goes_on(rig: &Rig, outside: &mut Outside) {
    while outside.ask(rig, None, "Target.getTargets", json!({})).await["error"]["message"] == "blind" {
        tokio::task::yield_now().await;
    }
}

/// A client that is attached to the only tab and hears all it can.
async fn attached(rig: &Rig) -> (Outside, String) {
    let tab = rig.browser.state().tabs[0].id.clone();
    let mut outside = Outside::admit(rig).await;
    let session = outside.attach(rig, &tab).await;
    for domain in ["Page", "Runtime", "DOM", "Network", "Debugger", "Log"] {
        outside.ask(rig, Some(&session), &format!("{domain}.enable"), json!({})).await;
    }
    (outside, session)
}

async fn value(outside: &mut Outside, rig: &Rig, session: &str, expression: &str) -> Value {
    let params = json!({"expression": expression, "returnByValue": true});
    outside.ask(rig, Some(session), "Runtime.evaluate", params).await
}

async fn press(outside: &mut Outside, rig: &Rig, session: &str, command: &str) {
    for kind in ["rawKeyDown", "keyUp"] {
        let commands = if kind == "rawKeyDown" { json!([command]) } else { json!([]) };
        let key = json!({"type": kind, "key": "F", "code": "KeyF", "modifiers": 2, "commands": commands});
        let done = outside.ask(rig, Some(session), "Input.dispatchKeyEvent", key).await;
        assert!(done.get("result").is_some(), "input goes on: {done}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_reading_is_answered_veiled_and_the_rest_goes_on() {
    let (mut rig, site) = both().await;
    rig.open(&site.url("/login")).await;
    let (mut outside, session) = attached(&rig).await;
    let page = Some(session.as_str());
    let tab = rig.browser.state().tabs[0].id.clone();
    let document = outside.ask(&rig, page, "Runtime.evaluate", json!({"expression": "document"})).await;
    let document = document["result"]["result"]["objectId"].clone();
    let world = outside.ask(&rig, page, "Page.createIsolatedWorld", json!({"frameId": tab})).await;
    let world = world["result"]["executionContextId"].clone();
    assert!(document.is_string() && world.is_i64(), "{document} {world}");

    type_as_person(&mut rig, &mut outside, "#code", CANARY).await;
    let read = "document.querySelector('#code').value";
    let function = "function () { return this.querySelector('#code').value }";
    for (method, params) in [
        ("Runtime.evaluate", json!({"expression": read})),
        ("Runtime.evaluate", json!({"expression": read, "contextId": world})),
        ("Runtime.callFunctionOn", json!({"objectId": document, "functionDeclaration": function})),
        ("Runtime.callFunctionOn", json!({"executionContextId": world, "functionDeclaration": function})),
        ("Runtime.getProperties", json!({"objectId": document})),
        ("Runtime.queryObjects", json!({"prototypeObjectId": document})),
        ("Runtime.compileScript", json!({"expression": read, "sourceURL": "", "persistScript": true})),
        ("DOM.getDocument", json!({"depth": -1})),
        ("DOM.getOuterHTML", json!({"objectId": document})),
        ("DOM.describeNode", json!({"objectId": document, "depth": -1})),
        ("DOM.performSearch", json!({"query": "input"})),
        ("DOM.setAttributeValue", json!({"nodeId": 1, "name": "a", "value": "b"})),
        ("DOMSnapshot.captureSnapshot", json!({"computedStyles": []})),
        ("Accessibility.getFullAXTree", json!({})),
        ("Accessibility.queryAXTree", json!({"objectId": document, "role": "textbox"})),
        ("Page.captureSnapshot", json!({})),
        ("Page.printToPDF", json!({})),
        ("Page.getResourceTree", json!({})),
        ("Page.startScreencast", json!({})),
        ("Page.setDocumentContent", json!({"frameId": tab, "html": ""})),
        ("Page.addScriptToEvaluateOnNewDocument", json!({"source": read, "runImmediately": true})),
        ("HeapProfiler.takeHeapSnapshot", json!({})),
        ("Tracing.start", json!({})),
        ("Debugger.setBreakpointByUrl", json!({"lineNumber": 0, "url": site.url("/login"), "condition": read})),
        ("Novelty.readsAll", json!({})),
    ] {
        let answer = outside.ask(&rig, page, method, params).await;
        let error = (&answer["error"]["code"], &answer["error"]["message"]);
        assert_eq!(error, (&json!(-32_000), &json!("veiled")), "{method}: {answer}");
    }
    // Nor to one that comes only now.
    let (mut late, other) = attached(&rig).await;
    assert_eq!(value(&mut late, &rig, &other, read).await["error"]["message"], "veiled");

    for (method, params) in [
        ("Page.getLayoutMetrics", json!({})),
        ("Page.getFrameTree", json!({})),
        ("Network.getCookies", json!({})),
        ("Emulation.setTouchEmulationEnabled", json!({"enabled": false})),
        ("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": 1, "y": 1})),
    ] {
        let answer = outside.ask(&rig, page, method, params).await;
        assert!(answer.get("result").is_some(), "{method}: {answer}");
    }
    let opened = outside.ask(&rig, None, "Target.createTarget", json!({"url": "about:blank"})).await;
    let blank = outside.attach(&rig, opened["result"]["targetId"].as_str().unwrap()).await;
    assert_eq!(value(&mut outside, &rig, &blank, "1 + 1").await["result"]["result"]["value"], 2, "another document");

    // Gone with its document.
    outside.ask(&rig, page, "Page.navigate", json!({"url": site.url("/form")})).await;
    rig.until("it is at the form", |browser| browser.state().tabs[0].url.ends_with("/form")).await;
    let title = value(&mut outside, &rig, &session, "document.title").await;
    assert!(title.get("error").is_none(), "{title}");
    let told = serde_json::to_string(&(&outside.events, &late.events)).unwrap();
    assert!(!told.contains(CANARY), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_has_the_fields_covered_whole_and_in_part() {
    let (mut rig, site) = both().await;
    rig.open(&site.url("/login")).await;
    let (mut outside, session) = attached(&rig).await;
    type_as_person(&mut rig, &mut outside, "#user", CANARY).await;
    let place = "(() => { const b = user.getBoundingClientRect(); return [b.left, b.top, b.width, b.height] })()";
    let at = rig.person.run(place).await;
    let at: Vec<f64> = at.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect();
    let (x, y) = (at[0] + 4.0, at[1] + at[3] / 2.0);
    let clip = json!({"x": at[0], "y": at[1], "width": at[2], "height": at[3], "scale": 2});
    for (params, [x, y]) in [(json!({}), [x, y]), (json!({"clip": clip}), [8.0, at[3]])] {
        let taken = outside.ask(&rig, Some(&session), "Page.captureScreenshot", params.clone()).await;
        let data = taken["result"]["data"].as_str().unwrap_or_else(|| panic!("{params}: {taken}"));
        let picture = image::load_from_memory(&BASE64_STANDARD.decode(data).unwrap()).unwrap().into_rgb8();
        assert_eq!(picture.get_pixel(x as u32, y as u32).0, [120; 3], "{params}");
    }
    let whole = json!({"captureBeyondViewport": true});
    let refused = outside.ask(&rig, Some(&session), "Page.captureScreenshot", whole).await;
    assert_eq!(refused["error"]["message"], "veiled", "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_neither_carries_it_away_nor_brings_it_back() {
    let (mut rig, site) = both().await;
    rig.open(&site.url("/login")).await;
    let (mut outside, session) = attached(&rig).await;
    type_as_person(&mut rig, &mut outside, "#code", CANARY).await;
    let held = async |rig: &Rig| rig.person.run("code.value").await;
    for command in ["selectAll", "copy", "cut"] {
        press(&mut outside, &rig, &session, command).await;
    }
    assert_eq!(held(&rig).await, CANARY, "nothing was cut");
    rig.person.click("#user").await;
    press(&mut outside, &rig, &session, "paste").await;
    assert_ne!(rig.person.run("user.value").await, CANARY);
    rig.person.click("#code").await;
    for command in ["selectAll", "deleteBackward"] {
        press(&mut outside, &rig, &session, command).await;
    }
    assert_eq!(held(&rig).await, "");
    let open = value(&mut outside, &rig, &session, "code.value").await;
    assert_eq!(open["result"]["result"]["value"], "", "the field is empty, so the document is open: {open}");
    press(&mut outside, &rig, &session, "undo").await;
    assert_eq!(held(&rig).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_back_does_not_bring_it_back() {
    let (mut rig, site) = both().await;
    rig.open(&site.url("/login")).await;
    let (mut outside, session) = attached(&rig).await;
    type_as_person(&mut rig, &mut outside, "#code", CANARY).await;
    rig.open(&site.url("/form")).await;
    let there = value(&mut outside, &rig, &session, "document.title").await;
    assert_eq!(there["result"]["result"]["value"], "The form", "{there}");
    rig.browser.back(&rig.permit()).await.unwrap();
    rig.until("it is at the first page", |browser| browser.state().url.ends_with("/login")).await;
    let back = value(&mut outside, &rig, &session, "code.value").await;
    let is_open = back["result"]["result"]["value"] == "";
    assert!(is_open || back["error"]["message"] == "veiled", "{back}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_person_clears_it_or_lets_programs_read_it() {
    let (mut rig, site) = both().await;
    rig.open(&site.url("/login")).await;
    let (mut outside, session) = attached(&rig).await;
    type_as_person(&mut rig, &mut outside, "#code", CANARY).await;
    assert_eq!(rig.browser.leave_typed(TypedText::Veiled).await, ["Code"]);
    assert_eq!(value(&mut outside, &rig, &session, "code.value").await["error"]["message"], "veiled");
    assert_eq!(rig.browser.leave_typed(TypedText::Cleared).await, Vec::<String>::new());
    assert_eq!(value(&mut outside, &rig, &session, "code.value").await["result"]["result"]["value"], "");
    type_as_person(&mut rig, &mut outside, "#code", CANARY).await;
    assert_eq!(value(&mut outside, &rig, &session, "code.value").await["error"]["message"], "veiled", "again");
    assert_eq!(rig.browser.leave_typed(TypedText::Revealed).await, Vec::<String>::new());
    assert_eq!(value(&mut outside, &rig, &session, "code.value").await["result"]["result"]["value"], CANARY);
    assert_eq!(rig.read("#code").await, CANARY, "our own agent reads it too");
}
