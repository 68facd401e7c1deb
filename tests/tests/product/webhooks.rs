//! Webhooks as a receiver sees them: what comes, how often, and that it is genuine.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use baton_tests::{Baton, Guide, Message, Receiver, Reply, eventually, genuine};
use serde_json::{Value, json};

/// The schedule of these tests: the same number of waits as the contract's.
const RETRIES: (&str, &str) = ("BATON_WEBHOOK_RETRIES_MS", "50,50,50,50,50,50,50");

struct Hook {
    id: String,
    secret: String,
}

async fn start() -> Baton {
    Baton::start_with(&[RETRIES]).await
}

async fn hook(baton: &Baton, body: Value) -> Hook {
    let made = baton.post("/webhooks", body).await;
    let text = |name: &str| made[name].as_str().expect("a webhook has an id and a secret").to_owned();
    Hook { id: text("id"), secret: text("signingSecret") }
}

async fn hook_at(baton: &Baton, receiver: &Receiver) -> Hook {
    hook(baton, json!({ "url": receiver.url, "allowPrivate": true })).await
}

impl Hook {
    fn path(&self, rest: &str) -> String {
        format!("/webhooks/{}{rest}", self.id)
    }

    async fn deliveries(&self, baton: &Baton) -> Vec<Value> {
        baton.get(&self.path("/deliveries?limit=200")).await["data"].as_array().expect("a list").clone()
    }

    /// Waits until the newest delivery has this status.
    async fn newest(&self, baton: &Baton, status: &str) -> Value {
        baton.until(&self.path("/deliveries"), "/data/0/status", status).await["data"][0].clone()
    }
}

async fn n_messages(receiver: &Receiver, n: usize) -> Vec<Message> {
    eventually("the messages have come", || {
        let messages = receiver.messages();
        std::future::ready((messages.len() >= n).then_some(messages))
    })
    .await
}

#[tokio::test]
async fn an_event_comes_signed_and_verifies_with_a_library_of_others() {
    let (baton, receiver) = (start().await, Receiver::start(|_| Reply::Status(200)).await);
    let asked = json!({
        "url": receiver.url, "allowPrivate": true, "description": "bell",
        "eventTypes": ["sandbox.created", "sandbox.agent.task.*"],
    });
    let hook = hook(&baton, asked).await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let playbook = "name: Say so\nsteps:\n  - exec: { command: 'true' }\n";
    let task = json!({ "playbook": playbook, "metadata": { "order": 7 } });
    let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), task).await;
    let task = task["taskId"].as_str().expect("an id");
    baton.until(&format!("/tasks/{task}"), "/status", "completed").await;

    let messages = n_messages(&receiver, 4).await;
    assert_eq!(genuine(&hook.secret, &messages), [true; 4]);
    let types: BTreeSet<String> =
        messages.iter().map(|message| message.json()["type"].as_str().expect("a type").to_owned()).collect();
    let mut expected =
        BTreeSet::from(["queued", "started", "completed"].map(|step| format!("sandbox.agent.task.{step}")));
    expected.insert("sandbox.created".to_owned());
    assert_eq!(types, expected);
    let done = messages.iter().find(|message| message.json()["type"] == "sandbox.agent.task.completed");
    let done = done.expect("the task's end").json();
    assert_eq!((&done["data"]["taskId"], &done["data"]["sandboxId"]), (&json!(task), &json!(sandbox)));
    assert_eq!(done["data"]["metadata"], json!({ "order": 7 }));
    let events = baton.events(task).await;
    let event = events.iter().find(|event| event["type"] == "sandbox.agent.task.completed").expect("the event");
    assert_eq!(done["data"]["id"], event["id"]);
    assert!(done["timestamp"].as_str().expect("a time").ends_with('Z'), "{done}");

    let forged = Message { body: messages[0].body.replace("sandbox", "sandbag"), ..messages[0].clone() };
    assert_eq!(genuine(&hook.secret, &[forged]), [false]);
    assert_eq!(genuine("whsec_bm90IHRoZSBzZWNyZXQgYXQgYWxsISEhIQ==", &messages[..1]), [false]);
}

#[tokio::test]
async fn a_message_is_tried_until_it_is_accepted_with_the_same_id_and_body() {
    let n = AtomicU32::new(0);
    let receiver = Receiver::start(move |_| match n.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Status(500),
        1 => Reply::LoseAnswer,
        2 => Reply::With(429, "retry-after: 1".to_owned()),
        _ => Reply::Status(204),
    })
    .await;
    let baton = start().await;
    let hook = hook_at(&baton, &receiver).await;
    baton.post(&hook.path("/test"), json!({})).await;
    let delivery = hook.newest(&baton, "delivered").await;
    assert_eq!((&delivery["attempts"], &delivery["lastStatus"]), (&json!(4), &json!(204)));
    let messages = receiver.messages();
    assert_eq!(genuine(&hook.secret, &messages), [true; 4]);
    for message in &messages {
        assert_eq!((message.id(), &message.body), (messages[0].id(), &messages[0].body));
        assert_eq!(delivery["id"], message.id());
    }
}

#[tokio::test]
async fn what_is_given_up_can_be_resent() {
    let down = std::sync::Arc::new(AtomicU32::new(1));
    let state = down.clone();
    let receiver =
        Receiver::start(move |_| Reply::Status(if state.load(Ordering::SeqCst) == 1 { 500 } else { 200 })).await;
    let baton = start().await;
    let hook = hook_at(&baton, &receiver).await;
    baton.post(&hook.path("/test"), json!({})).await;
    let failed = hook.newest(&baton, "failed").await;
    assert_eq!(failed["attempts"], 8, "the first attempt, and one for each wait of the schedule");
    assert!(failed["lastError"].as_str().expect("a sentence").contains("500"), "{failed}");
    down.store(0, Ordering::SeqCst);
    let id = failed["id"].as_str().expect("an id");
    baton.post(&hook.path(&format!("/deliveries/{id}/resend")), json!({})).await;
    let sent = hook.newest(&baton, "delivered").await;
    assert_eq!((&sent["id"], &sent["attempts"]), (&json!(id), &json!(1)));
}

#[tokio::test]
async fn gone_disables_and_no_change_of_something_else_enables_again() {
    let receiver = Receiver::start(|_| Reply::Status(410)).await;
    let baton = start().await;
    let hook = hook_at(&baton, &receiver).await;
    let delivery = baton.post(&hook.path("/test"), json!({})).await;
    assert_eq!((&delivery["status"], &delivery["lastStatus"]), (&json!("failed"), &json!(410)));
    let now = baton.ok("PATCH", &hook.path(""), Some(json!({ "description": "bell" }))).await;
    assert_eq!((&now["enabled"], &now["description"]), (&json!(false), &json!("bell")));
    assert!(now["disabledReason"].as_str().expect("a reason").contains("410"), "{now}");
    let (status, refused) = baton.send("POST", &hook.path("/test"), Some(json!({}))).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("conflict")));
    let now = baton.ok("PATCH", &hook.path(""), Some(json!({ "enabled": true }))).await;
    assert_eq!(now["enabled"], true);
}

#[tokio::test]
async fn private_addresses_hear_nothing_unless_allowed_and_redirects_lead_nowhere() {
    let inner = Receiver::start(|_| Reply::Status(200)).await;
    let location = format!("location: {}", inner.url);
    let redirecting = Receiver::start(move |_| Reply::With(307, location.clone())).await;
    let baton = start().await;
    for url in [&inner.url, "http://localhost:9/", "http://[::1]:9/", "http://[::ffff:127.0.0.1]:9/"] {
        let (status, refused) = baton.send("POST", "/webhooks", Some(json!({ "url": url }))).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!("invalid")), "{refused}");
        assert!(refused["error"]["message"].as_str().expect("a sentence").contains("allowPrivate"), "{refused}");
    }
    let hook = hook_at(&baton, &redirecting).await;
    let delivery = baton.post(&hook.path("/test"), json!({})).await;
    assert_eq!(delivery["lastStatus"], 307);
    assert!(delivery["lastError"].as_str().expect("a sentence").contains("redirect"), "{delivery}");
    // What was allowed once is refused as soon as it is not.
    let (status, _) = baton.send("PATCH", &hook.path(""), Some(json!({ "allowPrivate": false }))).await;
    assert_eq!(status, 400);
    assert_eq!(inner.messages().len(), 0);
}

#[tokio::test]
async fn a_receiver_at_an_ipv6_address_is_reached() {
    let receiver = Receiver::start_at("::1".parse().expect("an address"), |_| Reply::Status(200)).await;
    let baton = start().await;
    let hook = hook_at(&baton, &receiver).await;
    let delivery = baton.post(&hook.path("/test"), json!({})).await;
    assert_eq!(delivery["status"], "delivered", "{delivery}");
    assert_eq!(genuine(&hook.secret, &receiver.messages()), [true]);
}

#[tokio::test]
async fn a_receiver_that_never_answers_keeps_no_other_waiting() {
    let (slow, quick) = (Receiver::start(|_| Reply::Never).await, Receiver::start(|_| Reply::Status(200)).await);
    let baton = start().await;
    let (stuck, good) = (hook_at(&baton, &slow).await, hook_at(&baton, &quick).await);
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    for _ in 0..20 {
        baton.post(&format!("/sandboxes/{sandbox}/exec"), json!({ "command": "true" })).await;
    }
    n_messages(&quick, 20).await;
    let pending = stuck.deliveries(&baton).await.iter().filter(|sent| sent["status"] == "pending").count();
    assert!(pending >= 20, "nothing of the slow one was given up: {pending}");
    let first = slow.messages();
    assert!(!first.is_empty() && first.len() <= 4, "at most four at once: {}", first.len());
    good.newest(&baton, "delivered").await;
}

#[tokio::test]
async fn a_new_secret_signs_beside_the_old_one_until_that_ends() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await;
    let baton = start().await;
    let hook = hook_at(&baton, &receiver).await;
    let rotated = baton.post(&hook.path("/rotate"), json!({})).await;
    let new = rotated["signingSecret"].as_str().expect("the new secret");
    baton.post(&hook.path("/test"), json!({})).await;
    let both = receiver.messages();
    assert_eq!((genuine(&hook.secret, &both), genuine(new, &both)), (vec![true], vec![true]));
    let last = baton.post(&hook.path("/rotate"), json!({ "overlapMs": 0 })).await;
    baton.post(&hook.path("/test"), json!({})).await;
    let one = &receiver.messages()[1..];
    assert_eq!((genuine(new, one), genuine(&hook.secret, one)), (vec![false], vec![false]));
    assert_eq!(genuine(last["signingSecret"].as_str().expect("the last secret"), one), [true]);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_lies_nowhere_in_plain() {
    let mut baton = start().await;
    let body = json!({ "url": "https://hooks.example.org/a" });
    let made = baton.keyed_post("/webhooks", "once", &body).await;
    let secret = made["signingSecret"].as_str().expect("the secret").to_owned();
    let again = baton.keyed_post("/webhooks", "once", &body).await;
    assert_eq!((&again["id"], again.get("signingSecret")), (&made["id"], None), "repeated, without the secret");
    let id = made["id"].as_str().expect("an id");
    for path in ["/webhooks".to_owned(), format!("/webhooks/{id}")] {
        assert!(!baton.get(&path).await.to_string().contains("whsec_"), "{path}");
    }
    baton.stop().await;
    let bare = secret.trim_start_matches("whsec_");
    let home = baton.into_home();
    for file in ["history.db", "history.db-wal", "webhooks.key"] {
        // The log is gone after an orderly end.
        let bytes = std::fs::read(home.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(bare.len()).any(|window| window == bare.as_bytes()), "{file}");
    }
}

#[tokio::test]
async fn the_receiver_of_the_guide_runs_as_printed() {
    let baton = start().await;
    let said = Guide::follow_until("webhooks.md", &baton, "webhook.test").await;
    assert!(said.contains("webhook.test"), "{said}");
}

/// Every event of `n_rounds` lives of the runtime, each ended by a kill, is delivered to a receiver that fails three in ten
/// and hangs up after some of the others; each has one effect by its id.
async fn survives_kills(n_rounds: usize, n_execs: usize) {
    let n = AtomicU32::new(0);
    let receiver = Receiver::start(move |_| match n.fetch_add(1, Ordering::SeqCst) % 10 {
        1 | 4 => Reply::Status(500),
        7 => Reply::LoseAnswer,
        _ => Reply::Status(200),
    })
    .await;
    let many = ["BATON_WEBHOOK_RETRIES_MS", &["50"; 60].join(",")].map(str::to_owned);
    let environment = [(many[0].as_str(), many[1].as_str())];
    let mut baton = Baton::start_with(&environment).await;
    let hook = hook_at(&baton, &receiver).await;
    for _ in 0..n_rounds {
        let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
        let path = format!("/sandboxes/{sandbox}/exec");
        for _ in 0..n_execs {
            baton.post(&path, json!({ "command": "true" })).await;
        }
        baton.kill_9().await;
        baton = Baton::start_at_with(baton.into_home(), &environment).await;
    }
    eventually("nothing is left to send", || async {
        let pending = baton.get(&hook.path("/deliveries?status=pending&limit=1")).await;
        pending["data"].as_array().expect("a list").is_empty().then_some(())
    })
    .await;

    let failed = baton.get(&hook.path("/deliveries?status=failed&limit=1")).await;
    assert_eq!(failed["data"], json!([]));
    let mut committed = BTreeSet::new();
    for sandbox in baton.get("/sandboxes?limit=200").await["data"].as_array().expect("a list") {
        let mut after = String::new();
        loop {
            let path = format!("/sandboxes/{}/events?limit=200&after={after}", sandbox["id"].as_str().expect("an id"));
            let page = baton.get(&path).await;
            let page = page["data"].as_array().expect("a list");
            let Some(last) = page.last() else { break };
            after = last["id"].as_str().expect("an id").to_owned();
            committed.extend(page.iter().map(|event| event["id"].as_str().expect("an id").to_owned()));
        }
    }
    let messages = receiver.messages();
    let id_of = |message: &Message| message.json()["data"]["id"].as_str().expect("an event").to_owned();
    let effects: BTreeSet<(String, String)> =
        messages.iter().map(|message| (message.id().to_owned(), id_of(message))).collect();
    let told: BTreeSet<String> = effects.iter().map(|(_, event)| event.clone()).collect();
    assert_eq!(told, committed, "every event that was committed came, and nothing else");
    assert_eq!(effects.len(), committed.len(), "each has one id, so one effect");
    assert!(messages.len() > effects.len(), "some came more than once: that is what ids are for");
    assert!(committed.len() >= n_rounds * n_execs, "{} events", committed.len());
    eprintln!("{} events, {} messages, {n_rounds} kills", committed.len(), messages.len());
}

#[tokio::test]
async fn no_event_is_lost_when_the_runtime_is_killed() {
    survives_kills(2, 10).await;
}

#[tokio::test]
#[ignore = "takes minutes: script/soak"]
async fn no_event_of_a_thousand_is_lost_in_twenty_kills() {
    survives_kills(20, 50).await;
}
