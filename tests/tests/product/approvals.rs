//! Trust from outside: what a person denied never left, what they approved left once, and nothing else was done by it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::Html;
use axum::routing::{any, get};
use baton_tests::{Baton, Debugger, Site};
use serde_json::{Value, json};

/// What reached the site: method, path and body of everything that changes something, and the pages that were opened.
#[derive(Clone, Default)]
struct Seen {
    lines: Arc<Mutex<Vec<String>>>,
    /// What the shop's page puts into its amount, once it hears of it.
    amount: Arc<Mutex<Option<&'static str>>>,
    /// Where the page's link to another site leads.
    link: Arc<Mutex<String>>,
}

impl Seen {
    fn all(&self) -> Vec<String> {
        self.lines.lock().expect("no panic while it was told").clone()
    }

    fn of(&self, path: &str) -> Vec<String> {
        self.all().into_iter().filter(|line| line.contains(path)).collect()
    }
}

const SHOP: &str = r#"<!doctype html><title>Shop</title><h1>Shop</h1>
    <form method="post" action="/pay">
      <label>To <input name="to" value="Ada"></label>
      <label>Amount <input name="amount" value="40.00"></label>
      <input type="hidden" name="currency" value="EUR">
      <label>Password <input type="password" name="password" value="hunter2-canary"></label>
      <button>Pay now</button>
    </form>
    <button id="f" onclick="fetch('/api/order', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ item: 'lamp', count: 2 }) }).then(() => document.title = 'ordered', () => document.title = 'not ordered'); if (event.detail === 2) fetch('/told?clicks=2')">Order by script</button>
    <button onclick="const w = new Worker(window.URL.createObjectURL(new Blob([`fetch('${location.origin}/api/worker', { method: 'POST', body: 'w' }).finally(() => postMessage(1))`]))); w.onmessage = () => document.title = 'worker done'">Order by worker</button>
    <button onclick="navigator.sendBeacon('/api/beacon', 'b'); setTimeout(() => document.title = 'beacon sent', 50)">Order by beacon</button>
    <a href="/delete?id=7">Delete invoice</a>
    <script>(async () => {
      const amount = await (await fetch('/amount')).text();
      document.querySelector('[name=amount]').value = amount;
      fetch('/told?amount=' + amount);
    })()</script>"#;

/// Answers as soon as the test wants another amount: the page changes by itself, while a question stands.
async fn amount(State(seen): State<Seen>) -> String {
    loop {
        if let Some(amount) = *seen.amount.lock().expect("no panic while it was told") {
            return amount.to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn links(State(seen): State<Seen>) -> Html<String> {
    let link = seen.link.lock().expect("no panic while it was told").clone();
    Html(format!(
        "<title>Links</title><p>Now go to <a href='{link}'>the other site</a></p><button onclick=\"location='{link}'\">Led by script</button>"
    ))
}

async fn record(State(seen): State<Seen>, method: Method, uri: Uri, body: String) -> Html<&'static str> {
    seen.lines.lock().expect("no panic while it was told").push(format!("{method} {} {body}", uri.path()));
    Html("<title>Thanks</title><p>Thank you</p>")
}

async fn shop() -> (Site, Seen) {
    let seen = Seen::default();
    let router = Router::new()
        .route("/pay", any(record))
        .route("/delete", any(record))
        .route("/api/order", any(record))
        .route("/api/worker", any(record))
        .route("/api/beacon", any(record))
        .route("/elsewhere", any(record))
        .route("/amount", get(amount))
        .route("/links", get(links))
        .with_state(seen.clone());
    (Site::serve(&[("/", SHOP)], router).await, seen)
}

struct Bench {
    baton: Baton,
    site: Site,
    seen: Seen,
    sandbox: String,
}

impl Bench {
    async fn with_rules(rules: Value) -> Self {
        let (baton, (site, seen)) = tokio::join!(Baton::start(), shop());
        baton.ok("PUT", "/rules", Some(json!({ "rules": rules }))).await;
        let private = json!({ "network": { "allowPrivate": ["127.0.0.1"] } });
        let sandbox = baton.ready_sandbox(private).await;
        Self { baton, site, seen, sandbox }
    }

    async fn start(&self, steps: &str) -> String {
        let playbook = format!("steps:\n  - navigate: {}\n{steps}", self.site.url("/"));
        let task =
            self.baton.post(&format!("/sandboxes/{}/tasks", self.sandbox), json!({ "playbook": playbook })).await;
        task["taskId"].as_str().expect("a task has an id").to_owned()
    }

    /// Waits until a question stands, and returns it.
    async fn asked(&self, task: &str) -> Value {
        self.baton.until(&format!("/tasks/{task}"), "/status", "waiting").await;
        self.pending().await.remove(0)
    }

    async fn pending(&self) -> Vec<Value> {
        let page = self.baton.get("/approvals?status=pending").await;
        page["data"].as_array().expect("a list").clone()
    }

    async fn answer(&self, approval: &Value, body: Value) -> (u16, Value) {
        let id = approval["approvalId"].as_str().expect("an approval has an id");
        self.baton.send("POST", &format!("/approvals/{id}"), Some(body)).await
    }

    async fn approve(&self, approval: &Value) {
        let (status, answer) = self.answer(approval, json!({ "decision": "approve", "hash": approval["hash"] })).await;
        assert_eq!((status, &answer["status"]), (200, &json!("approved")), "{answer}");
        assert_eq!(answer["decidedBy"], "api", "a token's holder is no person");
    }

    async fn ends(&self, task: &str, status: &str) -> Value {
        let path = format!("/tasks/{task}");
        self.baton.until(&path, "/status", status).await
    }
}

fn hold() -> Value {
    json!([{ "site": "127.0.0.1", "effect": "hold" }])
}

fn ask() -> Value {
    json!([{ "site": "*", "effect": "ask" }])
}

const PAY: &str = "  - click: { role: button, name: Pay now }\n  - expect: { text: Thank you }\n";
const PAY_TWICE: &str = "  - click: { role: button, name: Pay now }\n  - expect: { text: Thank you }\n  - back:\n  - click: { role: button, name: Pay now }\n  - expect: { text: Thank you }\n";

#[tokio::test]
async fn a_held_form_is_shown_in_plain_words_and_leaves_once_when_it_is_approved() {
    let bench = Bench::with_rules(hold()).await;
    let task = bench.start(PAY).await;
    let approval = bench.asked(&task).await;
    let proposal = &approval["proposal"];
    assert_eq!(approval["held"], true);
    assert_eq!(proposal["kind"], "pay", "by its address");
    assert_eq!(proposal["method"], "POST");
    assert_eq!(proposal["destination"], bench.site.url("/pay"));
    assert_eq!(proposal["amount"], json!({ "hundredths": 4000, "currency": "EUR" }));
    let fields = json!([
        { "name": "to", "value": "Ada", "masked": false },
        { "name": "amount", "value": "40.00", "masked": false },
        { "name": "currency", "value": "EUR", "masked": false },
        { "name": "password", "value": "••••••", "masked": true },
    ]);
    assert_eq!(proposal["fields"], fields);
    let sandbox = bench.baton.get(&format!("/sandboxes/{}", bench.sandbox)).await;
    assert_eq!(sandbox["approvals"], json!([approval]), "the sandbox says what it waits for");
    assert_eq!(bench.seen.all(), Vec::<String>::new(), "nothing left before it was approved");
    bench.approve(&approval).await;
    bench.ends(&task, "completed").await;
    assert_eq!(bench.seen.all(), ["POST /pay to=Ada&amount=40.00&currency=EUR&password=hunter2-canary"]);
    let events = bench.baton.events(&task).await;
    let told: Vec<_> =
        events.iter().filter(|event| event["type"].as_str().is_some_and(|kind| kind.contains("approval"))).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((&told[0]["type"], &told[0]["by"]), (&json!("sandbox.approval.requested"), &json!("agent")));
    assert_eq!((&told[1]["type"], &told[1]["by"]), (&json!("sandbox.approval.decided"), &json!("api")));
    assert!(!json!(events).to_string().contains("hunter2-canary"), "a secret is in no event");
    let (status, again) = bench.answer(&approval, json!({ "decision": "deny" })).await;
    assert_eq!((status, &again["error"]["details"]["status"]), (409, &json!("approved")), "{again}");
}

#[tokio::test]
async fn a_denied_request_never_left_and_the_agent_is_told_why() {
    let bench = Bench::with_rules(hold()).await;
    let task = bench.start(PAY).await;
    let approval = bench.asked(&task).await;
    let (status, _) = bench.answer(&approval, json!({ "decision": "deny", "note": "too much" })).await;
    assert_eq!(status, 200);
    let failed = bench.ends(&task, "failed").await;
    assert_eq!(failed["error"]["code"], "denied");
    assert!(failed["error"]["message"].as_str().is_some_and(|message| message.contains("too much")), "{failed}");
    assert_eq!(bench.seen.all(), Vec::<String>::new(), "the server saw nothing");
    let preview = bench.baton.get(&format!("/sandboxes/{}/preview", bench.sandbox)).await;
    assert_eq!(preview["url"], bench.site.url("/"), "the page is as it was");
}

#[tokio::test]
async fn requests_of_scripts_workers_and_beacons_are_held_as_forms_are() {
    let bench = Bench::with_rules(hold()).await;
    // A worker begins only if somebody lets it: that its request comes at all shows that it ran.
    for (button, path) in [("script", "/api/order"), ("worker", "/api/worker"), ("beacon", "/api/beacon")] {
        let step = format!(
            "  - click: {{ role: button, name: Order by {button} }}\n  - expect: {{ url: '**/never', timeoutMs: 30000 }}\n"
        );
        let task = bench.start(&step).await;
        let approval = bench.asked(&task).await;
        assert_eq!(approval["proposal"]["destination"], bench.site.url(path), "{approval}");
        if button == "script" {
            let fields = json!([
                { "name": "item", "value": "lamp", "masked": false },
                { "name": "count", "value": "2", "masked": false },
            ]);
            assert_eq!((&approval["proposal"]["method"], &approval["proposal"]["fields"]), (&json!("PUT"), &fields));
        }
        let (status, _) = bench.answer(&approval, json!({ "decision": "deny" })).await;
        assert_eq!(status, 200);
        bench.ends(&task, "failed").await;
    }
    assert_eq!(bench.seen.all(), Vec::<String>::new(), "the server saw nothing");
}

#[tokio::test]
async fn an_action_is_asked_about_before_it_is_done_and_done_once() {
    let bench = Bench::with_rules(ask()).await;
    let task = bench.start(PAY).await;
    let approval = bench.asked(&task).await;
    assert_eq!(approval["held"], false);
    assert_eq!(approval["proposal"]["kind"], "pay", "by the word on the button");
    assert_eq!(approval["proposal"]["summary"], "click button \"Pay now\"");
    assert_eq!(approval["proposal"]["destination"], bench.site.url("/pay"));
    assert_eq!(approval["proposal"]["fields"][3], json!({ "name": "password", "value": "••••••", "masked": true }));
    bench.approve(&approval).await;
    bench.ends(&task, "completed").await;
    assert_eq!(bench.seen.of("/pay").len(), 1);
}

#[tokio::test]
async fn a_link_that_deletes_is_asked_about_and_a_denial_ends_the_step() {
    let bench = Bench::with_rules(ask()).await;
    let task = bench.start("  - click: { role: link, name: Delete invoice }\n").await;
    let approval = bench.asked(&task).await;
    assert_eq!((&approval["proposal"]["kind"], &approval["proposal"]["method"]), (&json!("delete"), &json!("GET")));
    let (status, _) = bench.answer(&approval, json!({ "decision": "deny", "note": "keep it" })).await;
    assert_eq!(status, 200);
    let failed = bench.ends(&task, "failed").await;
    assert_eq!(failed["error"]["code"], "denied");
    assert_eq!(bench.seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn what_changed_after_it_was_shown_is_void_and_asked_anew() {
    let bench = Bench::with_rules(ask()).await;
    let task = bench.start(PAY).await;
    let approval = bench.asked(&task).await;
    let (status, other) = bench.answer(&approval, json!({ "decision": "approve", "hash": "00" })).await;
    assert_eq!((status, &other["error"]["details"]["status"]), (409, &json!("pending")), "{other}");
    *bench.seen.amount.lock().expect("no panic while it was told") = Some("4000.00");
    bench.site.told_that("amount", "4000.00").await;
    let (status, void) = bench.answer(&approval, json!({ "decision": "approve" })).await;
    assert_eq!((status, &void["error"]["details"]["status"]), (409, &json!("void")), "{void}");
    assert_eq!(bench.seen.all(), Vec::<String>::new());
    let anew = bench.asked(&task).await;
    assert_ne!(anew["approvalId"], approval["approvalId"]);
    assert_eq!(anew["proposal"]["amount"]["hundredths"], 400_000);
    bench.approve(&anew).await;
    bench.ends(&task, "completed").await;
    assert_eq!(bench.seen.of("amount=4000.00").len(), 1);
}

#[tokio::test]
async fn a_permission_covers_the_next_one_until_it_is_revoked_or_used_up() {
    let bench = Bench::with_rules(hold()).await;
    // Covered: the second payment asks nobody.
    let task = bench.start(PAY_TWICE).await;
    let approval = bench.asked(&task).await;
    let (status, approved) = bench.answer(&approval, json!({ "decision": "approve", "scope": { "uses": 1 } })).await;
    assert_eq!(status, 200, "{approved}");
    bench.ends(&task, "completed").await;
    assert_eq!(bench.seen.of("/pay").len(), 2);
    let grants = bench.baton.get(&format!("/grants?taskId={task}")).await;
    assert_eq!((&grants["data"][0]["uses"], &grants["data"][0]["kind"]), (&json!(1), &json!("pay")), "{grants}");
    assert_eq!(grants["data"][0]["grantId"], approved["grantId"]);

    // Another task is asked anew; an amount that is too small covers nothing more, and neither does one that is over.
    for scope in [json!({ "amount": { "hundredths": 7_900, "currency": "EUR" } }), json!({ "expiresInMs": 1 })] {
        let task = bench.start(PAY_TWICE).await;
        let approval = bench.asked(&task).await;
        let (status, _) = bench.answer(&approval, json!({ "decision": "approve", "scope": scope })).await;
        assert_eq!(status, 200);
        bench.baton.until(&format!("/sandboxes/{}", bench.sandbox), "/approvals", json!([])).await;
        let second = bench.asked(&task).await;
        assert_ne!(second["approvalId"], approval["approvalId"]);
        bench.approve(&second).await;
        bench.ends(&task, "completed").await;
    }

    // Revoked in the middle: asked anew.
    let pause = "  - click: { role: button, name: Pay now }\n  - expect: { text: Thank you }\n  - handoff: { reason: custom, message: Wait }\n  - back:\n  - click: { role: button, name: Pay now }\n";
    let task = bench.start(pause).await;
    let approval = bench.asked(&task).await;
    let (_, approved) = bench.answer(&approval, json!({ "decision": "approve", "scope": {} })).await;
    let handoff = format!("/sandboxes/{}/handoff", bench.sandbox);
    bench.baton.until(&handoff, "/handoff/status", "pending").await;
    let grant = approved["grantId"].as_str().expect("a scope gives a permission");
    let revoked = bench.baton.ok("DELETE", &format!("/grants/{grant}"), None).await;
    assert!(revoked["revokedAt"].is_i64());
    bench.baton.post(&format!("{handoff}/complete"), json!({})).await;
    bench.baton.until(&format!("/sandboxes/{}", bench.sandbox), "/approvals/0/status", "pending").await;
    let again = bench.pending().await.remove(0);
    bench.answer(&again, json!({ "decision": "deny" })).await;
    bench.ends(&task, "failed").await;
    assert_eq!(bench.seen.of("/pay").len(), 7);
}

#[tokio::test]
async fn identical_requests_are_one_question_and_one_of_them_leaves() {
    let bench = Bench::with_rules(hold()).await;
    let twice = "  - doubleClick: { role: button, name: Order by script }\n  - expect: { text: Shop }\n";
    let task = bench.start(twice).await;
    let approval = bench.asked(&task).await;
    // Only what is held already can be the same question, and the second click comes a moment after the first: its request
    // is on its way, and once the page has answered a later look, it has answered what was asked about that request.
    bench.site.told("clicks").await;
    let mut look = Debugger::with_token(&bench.baton, &format!("/sandboxes/{}/cdp", bench.sandbox)).await;
    let session = look.attach().await;
    look.call(Some(&session), "DOM.getDocument", json!({})).await;
    assert_eq!(bench.pending().await.len(), 1, "asked once");
    bench.approve(&approval).await;
    bench.ends(&task, "completed").await;
    assert_eq!(bench.seen.of("/api/order").len(), 1, "approved once, left once");
}

#[tokio::test]
async fn a_site_that_a_task_was_not_told_about_is_asked_about_with_its_true_address() {
    let elsewhere = json!([{ "site": "*", "kind": "newDestination", "effect": "ask" }]);
    let bench = Bench::with_rules(elsewhere).await;
    let (other, other_seen) = shop().await;
    let url = other.url("/elsewhere");
    *bench.seen.link.lock().expect("no panic while it was told") = url.clone();
    let links = format!("  - navigate: {}\n", bench.site.url("/links"));
    // The address stands in no word of the task: once as a link, once as the page's own script.
    for (click, held) in
        [("{ role: link, name: the other site }", false), ("{ role: button, name: Led by script }", true)]
    {
        let task = bench.start(&format!("{links}  - click: {click}\n")).await;
        let approval = bench.asked(&task).await;
        assert_eq!((&approval["proposal"]["kind"], &approval["held"]), (&json!("newDestination"), &json!(held)));
        assert_eq!(approval["proposal"]["destination"], url, "{approval}");
        let (status, _) = bench.answer(&approval, json!({ "decision": "deny" })).await;
        assert_eq!(status, 200);
        assert_eq!(bench.ends(&task, "failed").await["error"]["code"], "denied");
        assert_eq!(other_seen.all(), Vec::<String>::new(), "nothing reached the other site");
    }
    // Approved, the site is known from then on; told about, it never was a question.
    let twice = format!(
        "{links}  - click: {{ role: link, name: the other site }}\n{links}  - click: {{ role: button, name: Led by script }}\n  - expect: {{ text: Thank you }}\n"
    );
    let task = bench.start(&twice).await;
    let approval = bench.asked(&task).await;
    bench.approve(&approval).await;
    bench.ends(&task, "completed").await;
    let told = format!("  - navigate: {url}\n  - expect: {{ text: Thank you }}\n");
    let task = bench.start(&told).await;
    bench.ends(&task, "completed").await;
    assert_eq!(other_seen.of("/elsewhere").len(), 3);
}

#[tokio::test]
async fn a_kill_while_a_question_stands_leaves_it_void_and_nothing_done() {
    let mut bench = Bench::with_rules(hold()).await;
    let task = bench.start(PAY).await;
    let approval = bench.asked(&task).await;
    bench.baton.kill_9().await;
    let baton = Baton::start_at(bench.baton.into_home()).await;
    let id = approval["approvalId"].as_str().expect("an id");
    let page = baton.get("/approvals").await;
    assert_eq!((&page["data"][0]["approvalId"], &page["data"][0]["status"]), (&json!(id), &json!("void")), "{page}");
    let (status, over) = baton.send("POST", &format!("/approvals/{id}"), Some(json!({ "decision": "approve" }))).await;
    assert_eq!((status, &over["error"]["details"]["status"]), (409, &json!("void")), "{over}");
    assert_eq!(baton.get(&format!("/tasks/{task}")).await["error"]["code"], "interrupted");
    assert_eq!(baton.get("/rules").await["rules"], hold(), "rules stay");
    assert_eq!(bench.seen.all(), Vec::<String>::new());
}
