//! "Keep this sign-in?": what a person typed to sign in is in the vault after their yes, and nowhere before it.

use axum::Router;
use axum::response::Html;
use axum::routing::post;
use baton_tests::{Baton, Debugger, Scene, Site, Viewer, assert_kept_nowhere, assert_read_by_nobody};
use serde_json::{Value, json};

const USERNAME: &str = "ada.kept@portal.example";
/// To be found nowhere.
const PASSWORD: &str = "canary-kept-7741-horse";

/// No keyring answers in tests: the vault is sealed under a passphrase.
const PASSPHRASE: (&str, &str) = ("BATON_PASSPHRASE", "a passphrase of the test");

async fn offers(baton: &Baton, sandbox: &str) -> Vec<Value> {
    let found = baton.get(&format!("/sandboxes/{sandbox}/sign-in-offers")).await;
    assert!(!found.to_string().contains(PASSWORD), "{found}");
    found["data"].as_array().expect("a list").clone()
}

/// Answers a question, and returns what came of it.
async fn answer(baton: &Baton, sandbox: &str, offer: &Value, with: Value) -> Value {
    let id = offer["offerId"].as_str().expect("an id");
    let came = baton.post(&format!("/sandboxes/{sandbox}/sign-in-offers/{id}"), with).await;
    assert!(!came.to_string().contains(PASSWORD), "{came}");
    came
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_a_person_typed_is_kept_after_their_yes_and_then_filled_in() {
    let baton = Baton::start_with(&[PASSPHRASE]).await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let path = |rest: &str| format!("/sandboxes/{sandbox}{rest}");
    // A client that listens to all that it may.
    let mut client = Debugger::with_token(&baton, &path("/cdp")).await;
    let session = client.attach().await;
    for domain in ["Page", "Runtime", "Network", "DOM", "Log"] {
        client.ask(Some(&session), &format!("{domain}.enable"), json!({})).await;
    }
    let playbook = "name: Sign in\nsteps:\n  - navigate: http://portal.example/sign-in\n  \
                    - handoff: { reason: login_failed, message: 'Sign in', until: { url: '**/invoices' } }\n";
    let begun = baton.post(&path("/tasks"), json!({ "playbook": playbook })).await;
    let task = begun["taskId"].as_str().expect("an id").to_owned();
    baton.until(&path("/handoff"), "/handoff/status", "pending").await;
    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.take().await;
    viewer.sign_in(USERNAME, PASSWORD, "860533").await;
    assert_eq!(offers(&baton, &sandbox).await, Vec::<Value>::new(), "nobody is asked while they drive");
    viewer.hand_back(None).await;
    let ended = baton.until_over(&task).await;
    assert_eq!(ended["status"], "completed", "{ended}");

    // Asked, and kept nowhere.
    let asked = offers(&baton, &sandbox).await;
    let [offer] = asked.as_slice() else { panic!("one question: {asked:?}") };
    assert_eq!((&offer["site"], &offer["username"]), (&json!("portal.example"), &json!(USERNAME)));
    assert_eq!(offer["updates"], Value::Null);
    assert_kept_nowhere(&baton, &task, &[PASSWORD], "portal.example").await;
    assert_eq!(baton.get("/credentials").await["data"], json!([]));
    client.ask(Some(&session), "Runtime.evaluate", json!({ "expression": "document.body.innerText" })).await;
    assert_read_by_nobody(&[serde_json::to_string(&client.events).expect("JSON"), ended.to_string()], PASSWORD);
    let refused = json!({ "decision": "notNow", "rule": "fill" });
    let id = offer["offerId"].as_str().expect("an id");
    let (status, _) = baton.send("POST", &path(&format!("/sign-in-offers/{id}")), Some(refused)).await;
    assert_eq!(status, 400, "a rule belongs to what is kept");

    let kept = answer(&baton, &sandbox, offer, json!({ "decision": "keep", "rule": "fill" })).await;
    let entry = &kept["credential"];
    assert_eq!((&entry["site"], &entry["username"]), (&json!("portal.example"), &json!(USERNAME)), "{kept}");
    assert_eq!((&entry["rule"], &entry["hasPassword"]), (&json!("fill"), &json!(true)), "{kept}");
    assert_eq!(kept["offers"], json!([]));
    let (status, _) =
        baton.send("POST", &path(&format!("/sign-in-offers/{id}")), Some(json!({ "decision": "keep" }))).await;
    assert_eq!(status, 404, "it is asked once");

    // Another sandbox, which nobody signed in to: with a key for its codes, the entry signs in by itself.
    let entry = format!("/credentials/{}", entry["id"].as_str().expect("an id"));
    baton.ok("PATCH", &entry, Some(json!({ "totp": "KRUGS4ZANFZSAYJAMNQW4YLSPE" }))).await;
    let other = baton.ready_sandbox(json!({})).await;
    let playbook = "name: By itself\nsteps:\n  - navigate: http://portal.example/sign-in\n  - signIn: {}\n  \
                    - expect: { url: '**/invoices' }\n";
    let by_itself = baton.post(&format!("/sandboxes/{other}/prompt"), json!({ "playbook": playbook })).await;
    assert_eq!(by_itself["status"], "completed", "{by_itself}");
    let uses = baton.get(&format!("{entry}/uses")).await;
    assert_eq!(uses["data"].as_array().map(Vec::len), Some(1), "{uses}");
    assert_kept_nowhere(&baton, &task, &[PASSWORD], "portal.example").await;
}

const SECOND: &str = r#"<title>Password</title><form method="post" action="/in"><p>ada</p>
    <input name="pass" type="password" autocomplete="current-password" autofocus><button>Sign in</button></form>
    <script>fetch('/told?came=yes')</script>"#;
const IN: &str = "<title>In</title><h1>Welcome back</h1><script>fetch('/told?came=yes')</script>";
const WRONG: &str = r#"<title>Again</title><p role="alert">Wrong password</p><form method="post" action="/wrong">
    <input name="user" autocomplete="username" autofocus><input name="pass" type="password"><button>Sign in</button></form>
    <script>fetch('/told?came=yes')</script>"#;

const PAGES: [(&str, &str); 5] = [
    (
        "/plain",
        r#"<title>Plain</title><form method="post" action="/in"><input name="user" autocomplete="username" autofocus><input name="pass" type="password"><button>Sign in</button></form>"#,
    ),
    (
        "/two",
        r#"<title>Name</title><form method="post" action="/second"><input name="user" autocomplete="username" autofocus><button>Next</button></form>"#,
    ),
    (
        "/refused",
        r#"<title>Refused</title><form method="post" action="/wrong"><input name="user" autocomplete="username" autofocus><input name="pass" type="password"><button>Sign in</button></form>"#,
    ),
    (
        "/new",
        r#"<title>New</title><form method="post" action="/in"><input name="user" autocomplete="username" autofocus><input name="pass" type="password" autocomplete="new-password"><button>Sign in</button></form>"#,
    ),
    (
        "/script",
        r#"<title>Script</title><div><input id="u" placeholder="Username" autofocus><input id="p" type="password" placeholder="Password"><button type="button" onclick="fetch('/in', { method: 'POST' }).then(() => { document.body.innerHTML = 'In'; fetch('/told?came=yes') })">Log in</button></div>"#,
    ),
];

/// A person signs in at a page of the site by hand: each step is the texts of one page, then Enter. Returns what they are asked.
async fn signs_in(scene: &Scene, page: &str, steps: &[&[&str]]) -> Vec<Value> {
    scene.navigate(page).await;
    let person = scene.person().await;
    for fields in steps {
        scene.site.forget("came");
        person.still_picture().await;
        for (index, text) in fields.iter().enumerate() {
            if index > 0 {
                person.key("Tab", "Tab").await;
            }
            person.text(text).await;
        }
        if page == "/script" {
            person.key("Tab", "Tab").await;
        }
        person.key("Enter", "Enter").await;
        scene.site.told("came").await;
    }
    person.hand_back(None).await;
    drop(person);
    scene.until_seen().await;
    offers(&scene.baton, &scene.sandbox).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_asked_about_what_is_new_or_changed_and_not_again_after_never() {
    let more = Router::new()
        .route("/in", post(async || Html(IN)))
        .route("/second", post(async || Html(SECOND)))
        .route("/wrong", post(async || Html(WRONG)));
    let (site, baton) = tokio::join!(Site::serve(&PAGES, more), Baton::start_with(&[PASSPHRASE]));
    let scene = Scene::at(baton, site, json!({})).await;
    let (baton, sandbox) = (&scene.baton, &scene.sandbox);
    let address = scene.site.address.to_string();
    let login = json!({ "kind": "login", "site": address, "username": "ada", "password": "before", "rule": "fill" });
    let saved = baton.post("/credentials", login).await;

    // Another password of the same person: its entry would change, and keeps its rule.
    let asked = signs_in(&scene, "/plain", &[&["ada", PASSWORD]]).await;
    assert_eq!((asked.len(), &asked[0]["updates"]), (1, &saved["id"]), "{asked:?}");
    assert_eq!((&asked[0]["site"], &asked[0]["username"]), (&json!(address), &json!("ada")), "{asked:?}");
    let kept = answer(baton, sandbox, &asked[0], json!({ "decision": "keep" })).await;
    assert_eq!((&kept["credential"]["id"], &kept["credential"]["rule"]), (&saved["id"], &json!("fill")), "{kept}");

    // What the vault holds is not asked about, over two pages neither; nor what a site refused, nor a new password.
    let held: [(&str, &[&[&str]]); 3] =
        [("/two", &[&["ada"], &[PASSWORD]]), ("/refused", &[&["eve", PASSWORD]]), ("/new", &[&["eve", PASSWORD]])];
    for (page, steps) in held {
        assert_eq!(signs_in(&scene, page, steps).await, Vec::<Value>::new(), "{page}");
    }

    // Another person, also without a form: not now, then never.
    let asked = signs_in(&scene, "/script", &[&["bob", PASSWORD]]).await;
    assert_eq!((&asked[0]["username"], &asked[0]["updates"]), (&json!("bob"), &Value::Null), "{asked:?}");
    let came = answer(baton, sandbox, &asked[0], json!({ "decision": "notNow" })).await;
    assert_eq!(came, json!({ "offers": [] }));
    let asked = signs_in(&scene, "/two", &[&["bob"], &[PASSWORD]]).await;
    assert_eq!((asked.len(), &asked[0]["username"]), (1, &json!("bob")), "{asked:?}");
    let came = answer(baton, sandbox, &asked[0], json!({ "decision": "never" })).await;
    let entry = &came["credential"];
    assert_eq!((&entry["rule"], &entry["hasPassword"]), (&json!("never"), &json!(false)), "{came}");
    assert_eq!(signs_in(&scene, "/plain", &[&["bob", PASSWORD]]).await, Vec::<Value>::new(), "never is never");
    assert_read_by_nobody(&[Value::from(scene.events().await).to_string()], PASSWORD);
}
