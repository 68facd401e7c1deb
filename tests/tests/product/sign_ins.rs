//! Sign-ins that nobody types and no program sees: filled in from the vault by a playbook, a model and an MCP client, and
//! nowhere but at their own site.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::post;
use baton_tests::{
    Answer, Baton, Debugger, HttpMcp, ModelServer, Scene, Site, assert_kept_nowhere, assert_read_by_nobody, eventually,
    reading_commands,
};
use serde_json::{Value, json};

const USERNAME: &str = "ada.vault@portal.example";
/// To be found nowhere.
const PASSWORD: &str = "canary-vault-9313-horse";
const SEED: &str = "KRUGS4ZANFZSAYJAMNQW4YLSPE";

/// No keyring answers in tests: the vault is sealed under a passphrase.
const PASSPHRASE: (&str, &str) = ("BATON_PASSPHRASE", "a passphrase of the test");

fn login(site: &str) -> Value {
    json!({ "kind": "login", "site": site, "username": USERNAME, "password": PASSWORD, "totp": SEED, "rule": "fill" })
}

/// Reads whatever page there is, in every way that the protocol has, until it is told to stop. Returns all that it was told.
async fn hammer(mut client: Debugger, stop: Arc<Mutex<bool>>) -> String {
    let session = client.attach().await;
    for domain in ["Page", "Runtime", "Network", "DOM", "Log", "Debugger"] {
        client.ask(Some(&session), &format!("{domain}.enable"), json!({})).await;
    }
    // What a script waits for is told only if nothing is closed by then.
    let waits = "new Promise((done) => addEventListener('input', (event) => done(event.target.value), { once: true }))";
    let mut told = Vec::new();
    for round in 0.. {
        if *stop.lock().expect("no panic before") {
            break;
        }
        if round % 8 == 0 {
            client.send(Some(&session), "Runtime.evaluate", json!({ "expression": waits, "awaitPromise": true })).await;
        }
        for (method, params) in reading_commands() {
            told.push(client.ask(Some(&session), method, params).await);
        }
        told.append(&mut client.events);
    }
    serde_json::to_string(&told).expect("JSON")
}

/// What every process of this machine was started with, as far as it can be read.
fn process_list() -> String {
    let mut all = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("a process list").flatten() {
        for file in ["cmdline", "environ"] {
            all.extend(std::fs::read(entry.path().join(file)).unwrap_or_default());
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_playbook_a_model_and_an_mcp_client_sign_in_and_the_password_is_nowhere() {
    let model = ModelServer::start(vec![
        Answer::call("navigate", json!({ "url": "http://portal.example/sign-in" })).into(),
        Answer::call("signIn", json!({})).into(),
        Answer::call("done", json!({ "result": "signed in" })).into(),
    ])
    .await;
    let env = model.env();
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, *value)).chain([PASSPHRASE]).collect();
    let baton = Baton::start_with(&env).await;
    let saved = baton.post("/credentials", login("portal.example")).await;
    assert_eq!((&saved["hasTotp"], &saved["rule"], &saved["source"]), (&json!(true), &json!("fill"), &json!("local")));
    let listed = baton.get("/credentials").await;
    assert_eq!(listed["data"][0]["id"], saved["id"]);
    let mut told = vec![saved.to_string(), listed.to_string()];
    let sandbox = baton.ready_sandbox(json!({})).await;
    let path = |rest: &str| format!("/sandboxes/{sandbox}{rest}");

    let stop = Arc::new(Mutex::new(false));
    let client = Debugger::with_token(&baton, &path("/cdp")).await;
    let hammering = tokio::spawn(hammer(client, stop.clone()));

    // A playbook.
    let playbook = "name: Sign in\nsteps:\n  - navigate: http://portal.example/sign-in\n  - signIn: {}\n  \
                    - expect: { url: '**/invoices' }\n  - expect: { text: ada.vault@portal.example }\n";
    let done = baton.post(&path("/prompt"), json!({ "playbook": playbook })).await;
    assert_eq!(done["status"], "completed", "{done}");
    let task = done["id"].as_str().expect("an id").to_owned();
    let events = baton.events(&task).await;
    let used = events.iter().find(|event| event["type"] == "sandbox.credential.used").expect("the use is told");
    let expected = json!({ "credentialId": saved["id"], "site": "http://portal.example", "username": USERNAME });
    assert_eq!((&used["data"], &used["by"]), (&expected, &json!("agent")));

    // An MCP client.
    let mcp = HttpMcp::connect(&baton).await;
    mcp.tool("browser_navigate", json!({ "sandboxId": sandbox, "url": "http://portal.example/sign-in" })).await;
    let signed_in = mcp.tool("browser_sign_in", json!({ "sandboxId": sandbox, "site": "portal.example" })).await;
    assert_ne!(signed_in["isError"], true, "{signed_in}");
    assert!(signed_in.to_string().contains("signed in at http://portal.example with"), "{signed_in}");
    told.push(signed_in.to_string());
    told.push(mcp.tool("browser_snapshot", json!({ "sandboxId": sandbox })).await.to_string());

    // A model.
    let asked = baton.post(&path("/prompt"), json!({ "prompt": "sign in at http://portal.example" })).await;
    assert_eq!(asked["status"], "completed", "{asked}");
    told.extend(model.asked().iter().map(baton_tests::Asked::text));
    assert!(told.iter().any(|told| told.contains(USERNAME)), "the model is told who is signed in");

    *stop.lock().expect("no panic before") = true;
    told.push(hammering.await.expect("it hammered to the end"));
    told.push(process_list());
    let uses = baton.get(&format!("/credentials/{}/uses", saved["id"].as_str().expect("an id"))).await;
    assert_eq!(uses["data"].as_array().expect("a list").len(), 3, "{uses}");
    let after = baton.get(&format!("/credentials/{}", saved["id"].as_str().expect("an id"))).await;
    assert_eq!(after["lastUsedBy"], asked["id"], "{after}");
    for secret in [PASSWORD, SEED] {
        assert_read_by_nobody(&told, secret);
    }
    assert_kept_nowhere(&baton, &task, &[PASSWORD, SEED], USERNAME).await;
}

/// What reached the site, each request's body.
type Reached = Arc<Mutex<Vec<String>>>;

async fn take(State(reached): State<Reached>, body: String) -> Html<&'static str> {
    reached.lock().expect("no panic before").push(body);
    Html("<title>In</title><h1>Welcome back</h1>")
}

async fn wrong(State(reached): State<Reached>, body: String) -> Html<&'static str> {
    reached.lock().expect("no panic before").push(body);
    Html(
        r#"<title>Again</title><p role="alert">Wrong password</p><form method="post" action="/wrong">
        <input name="user" autocomplete="username"><input name="pass" type="password"><button>Sign in</button></form>"#,
    )
}

fn taking(reached: &Reached) -> Router {
    Router::new().route("/take", post(take)).route("/wrong", post(wrong)).with_state(reached.clone())
}

const FIELDS: &str = r#"<input name="user" autocomplete="username" placeholder="User name"><input name="pass" type="password" autocomplete="current-password"><button>Sign in</button>"#;

/// Returns a page as long as the test lives.
fn page(body: &str) -> &'static str {
    Box::leak(format!("<!doctype html><title>Page</title>{body}").into_boxed_str())
}

fn posts(to: &str, fields: &str) -> &'static str {
    page(&format!(r#"<form method="post" action="{to}">{fields}</form>"#))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_of_many_shapes_reach_their_own_site() {
    let reached = Reached::default();
    let pages = [
        ("/plain", posts("/take", FIELDS)),
        (
            "/labels",
            posts(
                "/take",
                "<label>E-mail <input type=email name=user></label><label>Password <input type=password name=pass></label><input type=submit value='Log in'>",
            ),
        ),
        (
            "/late",
            page(&format!(
                "<div id=here></div><script>setTimeout(() => here.innerHTML = `<form method=post action=/take>{FIELDS}</form>`, 400)</script>"
            )),
        ),
        (
            "/steps",
            page(
                r#"<form method=post action=/take onsubmit="if (!this.pass) { event.preventDefault(); this.insertAdjacentHTML('beforeend', '<input type=password name=pass autocomplete=current-password>') }"><input name=user autocomplete=username><button>Next</button></form>"#,
            ),
        ),
        (
            "/script",
            page(
                r#"<div><input id=u placeholder="Username"><input id=p type=password placeholder="Password"><button type=button onclick="fetch('/take', { method: 'POST', body: 'user=' + u.value + '&pass=' + p.value }).then(() => document.body.innerHTML = 'In')">Log in</button></div>"#,
            ),
        ),
        (
            "/enabled",
            page(&format!(
                r#"<form method=post action=/take oninput="this.querySelector('button').disabled = !this.pass.value">{}</form>"#,
                FIELDS.replace("<button>", "<button disabled>")
            )),
        ),
        ("/frame", page("<iframe src=/plain width=600 height=300></iframe>")),
        (
            "/shadow",
            page(&format!(
                "<div id=host></div><script>host.attachShadow({{ mode: 'open' }}).innerHTML = `<form method=post action=/take>{FIELDS}</form>`</script>"
            )),
        ),
        (
            "/beside",
            page(&format!(
                "<form action=/search><input name=q type=search placeholder=Search><button>Search</button></form><form method=post action=/newsletter><input type=email name=mail placeholder='Your e-mail'><button>Subscribe</button></form><form method=post action=/take>{FIELDS}</form>"
            )),
        ),
    ];
    let (site, baton) = tokio::join!(Site::serve(&pages, taking(&reached)), Baton::start_with(&[PASSPHRASE]));
    let scene = Scene::at(baton, site, json!({})).await;
    scene.baton.post("/credentials", login(&scene.site.address.to_string())).await;
    let mcp = HttpMcp::connect(&scene.baton).await;
    for (path, _) in pages {
        reached.lock().expect("no panic before").clear();
        scene.navigate(path).await;
        let told = mcp.tool("browser_sign_in", json!({ "sandboxId": scene.sandbox })).await;
        assert_ne!(told["isError"], true, "{path}: {told}");
        let bodies = reached.lock().expect("no panic before").clone();
        assert_eq!(bodies.len(), 1, "{path}: {bodies:?}");
        let sent = bodies[0].replace("%40", "@");
        assert!(sent.contains(USERNAME) && sent.contains(PASSWORD), "{path}: {sent}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_filled_in_at_a_look_alike_or_where_it_would_go_elsewhere() {
    let (here, elsewhere) = (Reached::default(), Reached::default());
    // Of another port, which is another origin.
    let evil = Site::serve(&[("/plain", posts("/take", FIELDS))], taking(&elsewhere)).await;
    let away = evil.url("/take");
    let pages = [
        ("/plain", posts("/take", FIELDS)),
        ("/away", posts(&away, FIELDS)),
        ("/away-button", posts("/take", &FIELDS.replace("<button>", &format!("<button formaction='{away}'>")))),
        (
            "/turns-away",
            page(&format!(r#"<form method=post action=/take oninput="this.action = '{away}'">{FIELDS}</form>"#)),
        ),
        (
            "/turns-away-late",
            page(&format!(r#"<form method=post action=/take onsubmit="this.action = '{away}'">{FIELDS}</form>"#)),
        ),
        ("/base", page(&format!("<base href='{}'><form method=post action=take>{FIELDS}</form>", evil.url("/")))),
        ("/get", page(&format!("<form action=/plain>{FIELDS}</form>"))),
        (
            "/new",
            posts(
                "/take",
                "<input name=user><input type=password name=a autocomplete=new-password><button>Save</button>",
            ),
        ),
        (
            "/twice",
            posts(
                "/take",
                "<input name=user><input type=password name=a><input type=password name=b><button>Go</button>",
            ),
        ),
        (
            "/register",
            posts(
                "/take",
                "<input name=mail type=email><input type=password name=pass><button>Create account</button>",
            ),
        ),
        (
            "/change",
            posts(
                "/take",
                "<input type=password autocomplete=current-password name=a><input type=password autocomplete=new-password name=b><button>Change</button>",
            ),
        ),
        (
            "/hidden",
            posts(
                "/take",
                "<div style='display:none'><input name=user><input type=password name=pass></div><button>Sign in</button>",
            ),
        ),
        (
            "/unseen",
            posts(
                "/take",
                "<input name=user style='opacity:0'><input type=password name=pass style='opacity:0'><button>Sign in</button>",
            ),
        ),
        (
            "/off",
            posts(
                "/take",
                "<div style='position:absolute;left:-5000px'><input name=user><input type=password name=pass></div><button>Sign in</button>",
            ),
        ),
        (
            "/tiny",
            posts(
                "/take",
                "<input type=password name=pass style='width:1px;height:1px;padding:0;border:0'><button>Sign in</button>",
            ),
        ),
        (
            "/covered",
            page(&format!(
                "<form method=post action=/take>{FIELDS}</form><div style='position:fixed;inset:0;background:white'>A picture</div>"
            )),
        ),
        (
            "/disabled",
            posts(
                "/take",
                "<input name=user disabled><input type=password name=pass disabled><button>Sign in</button>",
            ),
        ),
        ("/sandboxed", page("<iframe sandbox='allow-forms allow-scripts' src=/plain width=600 height=300></iframe>")),
        (
            "/srcdoc",
            page(&format!(
                r#"<iframe sandbox="allow-forms" width=600 height=300 srcdoc='<form method=post action={away}>{FIELDS}</form>'></iframe>"#
            )),
        ),
        ("/holds-evil", page(&format!("<iframe src='{}' width=600 height=300></iframe>", evil.url("/plain")))),
        ("/nothing", page("<p>Nothing to sign in to")),
        ("/wrong-first", posts("/wrong", FIELDS)),
    ];
    let (site, baton) = tokio::join!(Site::serve(&pages, taking(&here)), Baton::start_with(&[PASSPHRASE]));
    let config = json!({ "network": { "allowPrivate": [evil.address.to_string(), site.address.to_string()] } });
    let sandbox = baton.ready_sandbox(config).await;
    let saved = baton.post("/credentials", login(&site.address.to_string())).await;
    let mcp = HttpMcp::connect(&baton).await;
    let sign_in = async |url: String, arguments: Value| {
        let opened = mcp.tool("browser_navigate", json!({ "sandboxId": sandbox, "url": url })).await;
        assert_ne!(opened["isError"], true, "{url}: {opened}");
        let mut wanted = json!({ "sandboxId": sandbox, "timeoutMs": 900 });
        wanted.as_object_mut().expect("an object").extend(arguments.as_object().expect("an object").clone());
        let told = mcp.tool("browser_sign_in", wanted).await;
        assert_eq!(told["isError"], true, "{url}: {told}");
        told["content"][0]["text"].as_str().expect("a text").to_owned()
    };
    let address = site.address.to_string();
    for (path, expected) in [
        ("/away", "wrongOrigin: the sign-in form of http://ADDRESS sends what is filled in to"),
        ("/away-button", "wrongOrigin: the sign-in form of http://ADDRESS sends what is filled in to"),
        ("/turns-away", "wrongOrigin: its form sends what is filled in to"),
        ("/turns-away-late", "its form sends what is filled in to"),
        ("/base", "wrongOrigin: the sign-in form of http://ADDRESS sends what is filled in to"),
        ("/get", "its form would put what is filled in into an address"),
        ("/new", "notFound: looked for a sign-in form"),
        ("/twice", "notFound: looked for a sign-in form"),
        ("/register", "notFound: looked for a sign-in form"),
        ("/change", "notFound: looked for a sign-in form"),
        ("/hidden", "notFound: looked for a sign-in form"),
        ("/unseen", "notFound: looked for a sign-in form"),
        ("/off", "notFound: looked for a sign-in form"),
        ("/tiny", "notFound: looked for a sign-in form"),
        ("/covered", "is covered or out of sight"),
        ("/disabled", "notFound: looked for a sign-in form"),
        ("/sandboxed", "noCredential: the vault has no sign-in for no origin of its own"),
        ("/srcdoc", "noCredential: the vault has no sign-in for no origin of its own"),
        ("/holds-evil", "wrongOrigin: this page is of http://EVIL"),
        ("/nothing", "notFound: looked for a sign-in form; the page \"Page\""),
    ] {
        let told = sign_in(site.url(path), json!({})).await;
        let expected = expected.replace("ADDRESS", &address).replace("EVIL", &evil.address.to_string());
        assert!(told.contains(&expected), "{path}: {told}");
        assert_eq!(*here.lock().expect("no panic before"), Vec::<String>::new(), "{path}");
    }

    // Another origin, whatever it is called; the entry by its name, too; and a page that holds the true one in a frame.
    let port = site.address.port();
    let told = sign_in(evil.url("/plain"), json!({})).await;
    assert!(told.starts_with("wrongOrigin: this page is of http://127.0.0.1:"), "{told}");
    let told = sign_in(evil.url("/plain"), json!({ "site": address })).await;
    assert!(told.contains(&format!("is filled in at {address} alone")), "{told}");
    let told = sign_in(site.url("/plain"), json!({ "username": "bob" })).await;
    assert!(told.starts_with("noCredential: the vault has no sign-in of bob for"), "{told}");
    let told = sign_in("http://portal.example/sign-in".to_owned(), json!({})).await;
    assert!(told.starts_with("noCredential: the vault has no sign-in for http://portal.example"), "{told}");
    let frame = format!("<iframe src='http://127.0.0.1:{port}/plain' width=600 height=300></iframe>");
    let framed = sign_in(format!("data:text/html,{frame}"), json!({})).await;
    assert!(framed.contains("is in a frame of a page of an unknown origin"), "{framed}");

    // A rule that forbids it; and a site that says no.
    let id = saved["id"].as_str().expect("an id");
    baton.ok("PATCH", &format!("/credentials/{id}"), Some(json!({ "rule": "never" }))).await;
    let told = sign_in(site.url("/plain"), json!({})).await;
    assert!(told.contains("is set to `never`"), "{told}");
    baton.ok("PATCH", &format!("/credentials/{id}"), Some(json!({ "rule": "fill" }))).await;
    let told = sign_in(site.url("/wrong-first"), json!({ "timeoutMs": 20_000 })).await;
    assert!(told.contains("the site asks for the password again: \"Wrong password\""), "{told}");
    assert_eq!(here.lock().expect("no panic before").len(), 1, "it is not tried twice");
    assert_eq!(*elsewhere.lock().expect("no panic before"), Vec::<String>::new(), "nothing left the origin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_asks_is_filled_in_after_a_persons_yes_and_not_after_a_no() {
    let baton = Baton::start_with(&[PASSPHRASE]).await;
    let mut asks = login("portal.example");
    asks["rule"] = json!("ask");
    baton.post("/credentials", asks).await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    for (answer, status) in [("deny", "failed"), ("approve", "completed")] {
        let playbook = "name: Sign in\nsteps:\n  - navigate: http://portal.example/sign-in\n  - signIn: {}\n  \
                        - expect: { url: '**/invoices' }\n";
        let begun = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
        let task = begun["taskId"].as_str().expect("an id").to_owned();
        let question = eventually("a person is asked", || async {
            let open = baton.get("/approvals?status=pending").await;
            open["data"].as_array().expect("a list").first().cloned()
        })
        .await;
        let proposal = &question["proposal"];
        assert_eq!((&proposal["kind"], &proposal["site"]), (&json!("signIn"), &json!("portal.example")), "{question}");
        assert!(proposal["summary"].as_str().is_some_and(|words| words.contains(USERNAME)), "{question}");
        assert!(!question.to_string().contains(PASSWORD), "{question}");
        let id = question["approvalId"].as_str().expect("an id");
        baton.post(&format!("/approvals/{id}"), json!({ "decision": answer, "hash": question["hash"] })).await;
        let ended = baton.until_over(&task).await;
        assert_eq!(ended["status"], status, "{ended}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_is_missing_is_saved_and_filled_in_at_the_handoff() {
    let baton = Baton::start_with(&[PASSPHRASE]).await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let path = |rest: &str| format!("/sandboxes/{sandbox}{rest}");
    let playbook = "name: Sign in\nsteps:\n  - navigate: http://portal.example/sign-in\n  \
                    - handoff: { reason: login_failed, message: 'Sign in', until: { url: '**/invoices' } }\n  \
                    - expect: { text: ada.vault@portal.example }\n";
    let begun = baton.post(&path("/tasks"), json!({ "playbook": playbook })).await;
    let task = begun["taskId"].as_str().expect("an id").to_owned();
    let asked =
        || async { Some(baton.get(&path("/handoff")).await["handoff"].clone()).filter(|asked| !asked.is_null()) };
    let request = eventually("a person is asked", asked).await;
    assert_eq!(request["missingSignIn"], "portal.example", "{request}");

    // The entry of another site: nothing is filled in, and the request stands.
    let other = baton.post("/credentials", login("other.example")).await;
    let wrong = json!({ "credentialId": other["id"] });
    let (status, refused) = baton.send("POST", &path("/handoff/sign-in"), Some(wrong)).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("wrongOrigin")), "{refused}");
    let stands = baton.get(&path("/handoff")).await["handoff"].clone();
    assert_eq!((&stands["status"], &stands["requestId"]), (&json!("pending"), &request["requestId"]), "{stands}");

    // Whatever the rule says: who asks for it now is the person.
    let mut entry = login("portal.example");
    entry["rule"] = json!("ask");
    let saved = baton.post("/credentials", entry).await;
    let done = baton.post(&path("/handoff/sign-in"), json!({ "credentialId": saved["id"] })).await;
    let completed = &done["handoff"];
    assert_eq!((&completed["status"], &completed["requestId"]), (&json!("completed"), &request["requestId"]), "{done}");
    assert_eq!(completed["receipt"]["untilMet"], true, "{done}");
    let ended = baton.until_over(&task).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let events = baton.events(&task).await;
    let used = events.iter().find(|event| event["type"] == "sandbox.credential.used").expect("the use is told");
    assert_eq!((&used["data"]["credentialId"], &used["by"]), (&saved["id"], &json!("person")), "{used}");
    assert_kept_nowhere(&baton, &task, &[PASSWORD, SEED], USERNAME).await;

    // Nothing is missing any more, and nobody waits.
    let (status, refused) =
        baton.send("POST", &path("/handoff/sign-in"), Some(json!({ "credentialId": saved["id"] }))).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("conflict")), "{refused}");
    baton.post(&path("/preview/navigate"), json!({ "url": "http://portal.example/sign-in" })).await;
    let again = baton.post(&path("/handoff"), json!({ "reason": "custom", "message": "Look" })).await;
    assert_eq!(again["handoff"]["missingSignIn"], Value::Null, "{again}");
}

#[tokio::test]
async fn entries_are_checked_changed_and_forgotten_and_values_never_come_back() {
    let baton = Baton::start_with(&[PASSPHRASE]).await;
    for (body, word) in [
        (json!({ "kind": "login", "username": "a", "password": "b" }), "site"),
        (json!({ "kind": "login", "site": "*.com", "password": "b" }), "site"),
        (json!({ "kind": "login", "site": "a.example" }), "username"),
        (json!({ "kind": "login", "site": "a.example", "password": "b", "totp": "not base32!" }), "totp"),
        (json!({ "kind": "login", "site": "a.example", "password": "b", "value": "c" }), "value"),
        (json!({ "kind": "secret", "name": "no name", "value": "c" }), "name"),
        (json!({ "kind": "secret", "name": "TOKEN" }), "value"),
        (json!({ "kind": "secret", "name": "TOKEN", "value": "c", "hosts": ["https://a.example"] }), "hosts"),
        (json!({ "kind": "secret", "name": "TOKEN", "value": "c", "hosts": ["*"] }), "hosts"),
        (json!({ "kind": "secret", "name": "TOKEN", "value": "c", "site": "a.example" }), "site"),
    ] {
        let (status, refused) = baton.send("POST", "/credentials", Some(body.clone())).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!("invalid")), "{body}");
        assert!(refused["error"]["message"].as_str().is_some_and(|said| said.contains(word)), "{body}: {refused}");
    }
    let body = login("https://Portal.Example/sign-in");
    let saved = baton.keyed_post("/credentials", "once", &body).await;
    let again = baton.keyed_post("/credentials", "once", &body).await;
    assert_eq!(saved["id"], again["id"], "a key saves it once");
    assert_eq!(saved["site"], "https://portal.example");
    let (status, twin) = baton.send("POST", "/credentials", Some(body)).await;
    assert_eq!((status, &twin["error"]["code"]), (409, &json!("conflict")), "{twin}");
    let path = format!("/credentials/{}", saved["id"].as_str().expect("an id"));
    let patch = json!({ "username": "bob", "totp": "", "site": "portal.example", "rule": "ask", "name": "Portal" });
    let changed = baton.ok("PATCH", &path, Some(patch)).await;
    assert_eq!(
        (&changed["username"], &changed["hasTotp"], &changed["hasPassword"]),
        (&json!("bob"), &json!(false), &json!(true))
    );
    assert_eq!(
        (&changed["site"], &changed["name"], &changed["rule"]),
        (&json!("portal.example"), &json!("Portal"), &json!("ask"))
    );
    let secret = baton
        .post("/credentials", json!({ "kind": "secret", "name": "TOKEN", "value": PASSWORD, "hosts": ["api.example"] }))
        .await;
    assert_eq!((&secret["name"], &secret["hosts"]), (&json!("TOKEN"), &json!(["api.example"])));
    let all = baton.get("/credentials").await;
    assert_eq!(all["data"].as_array().expect("a list").len(), 2);
    for told in [&saved, &changed, &secret, &all] {
        assert!(!told.to_string().contains(PASSWORD) && !told.to_string().contains(SEED), "{told}");
    }
    let file =
        format!("url,username,password\nhttps://a.example/in,ada,{PASSWORD}\n,ada,x\nportal.example,bob,{PASSWORD}\n");
    let brought = baton.post("/credentials/import", json!({ "csv": file, "rule": "never" })).await;
    let why = "there is a sign-in for portal.example with bob already";
    let skipped = json!([{ "line": 3, "why": "it has no address" }, { "line": 4, "why": why }]);
    assert_eq!(brought, json!({ "imported": 1, "nSkipped": 2, "skipped": skipped }));
    let newest = baton.get("/credentials?limit=1").await;
    assert_eq!(
        (&newest["data"][0]["site"], &newest["data"][0]["rule"]),
        (&json!("https://a.example"), &json!("never"))
    );
    assert_eq!(baton.send("DELETE", &path, None).await.0, 204);
    assert_eq!(baton.send("GET", &path, None).await.0, 404);
    assert_eq!(baton_tests::kept_in(&baton, PASSWORD), Vec::<String>::new());
}

#[tokio::test]
async fn a_command_gets_a_secret_and_what_it_prints_of_it_is_masked() {
    let baton = Baton::start_with(&[PASSPHRASE]).await;
    let secret = json!({ "kind": "secret", "name": "API_TOKEN", "value": PASSWORD, "rule": "fill" });
    baton.post("/credentials", secret).await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let run = async |step: &str| {
        let playbook = format!("name: Secret\nsteps:\n  - {step}\n");
        baton.post(&format!("/sandboxes/{sandbox}/prompt"), json!({ "playbook": playbook })).await
    };
    let printing = "exec: { command: bash, args: [-c, 'echo ${#A} $A; base64 <<< $A; cat'], env: { A: '{{secret:API_TOKEN}}' }, stdin: '{{secret:API_TOKEN}}' }";
    let done = run(printing).await;
    assert_eq!(done["status"], "completed", "{done}");
    let result = done["result"].as_str().expect("a text");
    assert!(result.starts_with(&format!("{} ••••", PASSWORD.len())), "the command had it: {result}");
    let coded =
        run("code: { language: python, code: \"print(len('{{secret:API_TOKEN}}'), '{{secret:API_TOKEN}}'[::-1])\" }")
            .await;
    assert!(coded["result"].as_str().is_some_and(|told| told.starts_with(&PASSWORD.len().to_string())), "{coded}");
    let failed =
        run("exec: { command: bash, args: [-c, 'echo $A >&2; exit 3'], env: { A: '{{secret:API_TOKEN}}' } }").await;
    assert_eq!(failed["status"], "failed", "{failed}");
    for (step, why) in [
        ("exec: { command: echo, args: ['{{secret:API_TOKEN}}'] }", "stands where it would be seen"),
        ("exec: { command: echo, env: { A: '{{secret:OTHER}}' } }", "the vault has no secret `OTHER`"),
    ] {
        let refused = run(step).await;
        assert!(refused["error"]["message"].as_str().is_some_and(|said| said.contains(why)), "{refused}");
    }
    // One that is for certain hosts: only where a command reaches no other.
    let secret =
        json!({ "kind": "secret", "name": "BOUND", "value": PASSWORD, "hosts": ["api.example"], "rule": "fill" });
    let bound = baton.post("/credentials", secret).await;
    let step = "exec: { command: bash, args: [-c, 'echo ${#A}'], env: { A: '{{secret:BOUND}}' } }";
    let refused = run(step).await;
    let why = "is for api.example alone, and commands of this sandbox reach every host";
    assert!(refused["error"]["message"].as_str().is_some_and(|said| said.contains(why)), "{refused}");
    let uses = baton.get(&format!("/credentials/{}/uses", bound["id"].as_str().expect("an id"))).await;
    assert_eq!(uses["data"], json!([]));
    let network = json!({ "mode": "allowlist", "allow": ["api.example:443"] });
    let bounded = baton.ready_sandbox(json!({ "capabilities": { "browser": false }, "network": network })).await;
    let playbook = format!("name: Secret\nsteps:\n  - {step}\n");
    let given = baton.post(&format!("/sandboxes/{bounded}/prompt"), json!({ "playbook": playbook })).await;
    assert_eq!(given["status"], "completed", "{given}");
    let task = done["id"].as_str().expect("an id");
    assert_kept_nowhere(&baton, task, &[PASSWORD], "API_TOKEN").await;
    assert_read_by_nobody(&[done.to_string(), coded.to_string(), failed.to_string()], PASSWORD);
}

#[tokio::test]
async fn a_locked_vault_says_how_it_is_opened() {
    let baton = Baton::start().await;
    let (status, refused) = baton.send("POST", "/credentials", Some(login("portal.example"))).await;
    assert_eq!((status, &refused["error"]["details"]["status"]), (409, &json!("new")), "{refused}");
    baton.post("/keys/unlock", json!({ "passphrase": "a passphrase" })).await;
    baton.post("/credentials", login("portal.example")).await;
}
