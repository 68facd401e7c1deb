//! Models from outside: set, tested, chosen by an environment; and their keys, which are nowhere to be read.

use std::io::Write;
use std::process::{Command, Stdio};

use baton_tests::{Answer, Baton, Bus, ModelServer, assert_kept_nowhere};
use serde_json::{Value, json};

const KEY: &str = "sk-canary-4f1c7a90e2";
const SANDBOX_KEY: &str = "sk-or-canary-77b2d05c";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder for the data")
}

fn settings(server: &ModelServer) -> Value {
    json!({"kind": "openai", "baseUrl": server.url(), "model": "some/model", "apiKey": KEY})
}

/// Runs a playbook of one step in a new sandbox; returns sandbox and task.
async fn run(baton: &Baton, config: Value, playbook: &str) -> (String, Value) {
    let sandbox = baton.ready_sandbox(config).await;
    let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
    let path = format!("/tasks/{}", task["taskId"].as_str().expect("a task has an id"));
    (sandbox, baton.until(&path, "/status", "completed").await)
}

#[tokio::test]
async fn a_model_is_set_tested_and_forgotten_and_its_key_is_nowhere() {
    let server = ModelServer::start(vec![Answer::text("ready").into()]).await;
    let baton = Baton::start_talkative(folder(), &[("BATON_PASSPHRASE", "correct horse battery")]).await;
    let model = baton.ok("PUT", "/models/mine", Some(settings(&server))).await;
    let expected = json!({"name": "mine", "kind": "openai", "baseUrl": server.url(), "model": "some/model",
        "hasKey": true, "default": true, "source": "settings"});
    assert_eq!(model, expected);
    assert_eq!(baton.get("/models").await, json!({"data": [expected], "nextCursor": null}));
    assert_eq!(baton.get("/keys").await, json!({"store": "file", "state": "open"}));

    let tested = baton.post("/models/mine/test", json!({})).await;
    assert_eq!((&tested["ok"], tested.get("error")), (&json!(true), None), "{tested}");
    assert!(tested["latencyMs"].is_u64());
    assert_eq!(server.asked()[0].headers["authorization"], format!("Bearer {KEY}"));

    server.push(Answer::fails(401, "invalid_api_key", "Incorrect API key provided"));
    let tested = baton.post("/models/mine/test", json!({})).await;
    assert_eq!((&tested["ok"], &tested["error"]), (&json!(false), &json!("Incorrect API key provided")));

    // What is refused is not repeated with the key in it.
    let bad = json!({"kind": "openai", "baseUrl": "ftp://a.example", "model": "m", "apiKey": KEY});
    let (status, answer) = baton.send("PUT", "/models/other", Some(bad)).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("invalid")));
    assert!(!answer.to_string().contains("canary"), "{answer}");

    let config = json!({"name": "with a model", "capabilities": {"browser": false}, "env": {
        "OPENROUTER_API_KEY": SANDBOX_KEY, "OPENROUTER_MODEL": "some/model", "OPENROUTER_BASE_URL": server.url(), "GREETING": "kept words",
    }});
    let playbook = "name: env\nsteps:\n  - exec: { command: sh, args: [-c, \"env > env.txt; cat /proc/*/environ >> env.txt; true\"] }\n";
    let (sandbox, task) = run(&baton, config, playbook).await;
    let inside = baton.bytes(&format!("/sandboxes/{sandbox}/fs/read?path=env.txt")).await;
    let inside = String::from_utf8_lossy(&inside);
    assert!(inside.contains("GREETING=kept words") && !inside.contains("OPENROUTER"), "{inside}");
    let id = task["id"].as_str().expect("a task has an id");
    assert_kept_nowhere(&baton, id, &[KEY, SANDBOX_KEY], "kept words").await;

    assert_eq!(baton.send("DELETE", "/models/mine", None).await.0, 204);
    assert_eq!(baton.send("GET", "/models/mine", None).await.0, 404);
    assert_eq!(baton.send("POST", "/models/mine/test", Some(json!({}))).await.0, 404);
}

#[tokio::test]
async fn the_key_file_is_locked_until_its_passphrase_comes() {
    let server = ModelServer::start(vec![Answer::text("ready").into()]).await;
    let mut baton = Baton::start_talkative(folder(), &[]).await;
    assert_eq!(baton.get("/keys").await, json!({"store": "file", "state": "new"}));
    let (status, answer) = baton.send("PUT", "/models/mine", Some(settings(&server))).await;
    assert_eq!((status, &answer["error"]["details"]["status"]), (409, &json!("new")), "{answer}");
    assert!(answer["error"]["hint"].as_str().is_some_and(|hint| hint.contains("passphrase")), "{answer}");
    let unlocked = baton.post("/keys/unlock", json!({"passphrase": "correct horse battery"})).await;
    assert_eq!(unlocked, json!({"store": "file", "state": "open"}));
    baton.ok("PUT", "/models/mine", Some(settings(&server))).await;
    baton.stop().await;

    let baton = Baton::start_talkative(baton.into_home(), &[]).await;
    assert_eq!(baton.get("/keys").await, json!({"store": "file", "state": "locked"}));
    let (status, answer) = baton.send("POST", "/models/mine/test", Some(json!({}))).await;
    assert_eq!((status, &answer["error"]["details"]["status"]), (409, &json!("locked")), "{answer}");
    let (status, _) = baton.send("POST", "/keys/unlock", Some(json!({"passphrase": "wrong"}))).await;
    assert_eq!(status, 400);
    baton.post("/keys/unlock", json!({"passphrase": "correct horse battery"})).await;
    let tested = baton.post("/models/mine/test", json!({})).await;
    assert_eq!(tested["ok"], true, "{tested}");

    // A key stays with its address and goes nowhere else.
    let elsewhere = ModelServer::start(vec![Answer::text("ready").into(), Answer::text("ready").into()]).await;
    let same = json!({"kind": "openai", "baseUrl": server.url(), "model": "other/model"});
    assert_eq!(baton.ok("PUT", "/models/mine", Some(same)).await["hasKey"], true);
    let moved = json!({"kind": "openai", "baseUrl": elsewhere.url(), "model": "some/model"});
    assert_eq!(baton.ok("PUT", "/models/mine", Some(moved)).await["hasKey"], false);
    baton.post("/models/mine/test", json!({})).await;
    assert!(!elsewhere.asked()[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn the_environment_names_models_and_settings_go_before_it() {
    let server = ModelServer::start(vec![Answer::text("ready").into()]).await;
    let url = server.url();
    let env = [("ANTHROPIC_API_KEY", KEY), ("ANTHROPIC_MODEL", "claude"), ("ANTHROPIC_BASE_URL", url.as_str())];
    let baton = Baton::start_talkative(folder(), &env).await;
    let expected = json!({"name": "anthropic", "kind": "anthropic", "baseUrl": url, "model": "claude",
        "hasKey": true, "default": true, "source": "environment"});
    assert_eq!(baton.get("/models").await["data"], json!([expected]));
    assert_eq!(baton.post("/models/anthropic/test", json!({})).await["ok"], true);
    let asked = server.asked();
    assert_eq!((asked[0].path.as_str(), &asked[0].headers["x-api-key"]), ("/v1/messages", &KEY.parse().unwrap()));
    assert_eq!(baton.send("DELETE", "/models/anthropic", None).await.0, 409);

    let local = json!({"kind": "openai", "baseUrl": "http://127.0.0.1:9/v1", "model": "m", "default": true});
    baton.ok("PUT", "/models/local", Some(local)).await;
    let defaults: Vec<Value> = baton.get("/models").await["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|model| json!([model["name"], model["default"]]))
        .collect();
    assert_eq!(defaults, [json!(["anthropic", false]), json!(["local", true])]);
    let tested = baton.post("/models/local/test", json!({})).await;
    assert!(tested["error"].as_str().is_some_and(|error| error.starts_with("127.0.0.1:9")), "{tested}");
}

/// A session bus with a keyring that is open: what a person's desktop has after they logged in.
struct OpenKeyring {
    bus: Bus,
    daemon: std::process::Child,
    /// Its files.
    _home: tempfile::TempDir,
}

impl OpenKeyring {
    async fn start() -> Self {
        let bus = Bus::start();
        let home = folder();
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets", "--unlock"])
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .env("XDG_DATA_HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring is installed: run `script/setup test`");
        // The password of the keyring, which it opens with, ends with the input.
        daemon.stdin.take().expect("the input is a pipe").write_all(b"the user's own").expect("the keyring listens");
        let keyring = Self { bus, daemon, _home: home };
        let connection = zbus::connection::Builder::address(keyring.bus.address.as_str()).build();
        let connection = connection.await.expect("the bus answers");
        let names = zbus::fdo::DBusProxy::new(&connection).await.expect("the bus answers");
        baton_tests::eventually("the keyring is on the bus", async || {
            let name = "org.freedesktop.secrets".try_into().expect("a name");
            names.name_has_owner(name).await.expect("the bus answers").then_some(())
        })
        .await;
        keyring
    }
}

impl Drop for OpenKeyring {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

#[tokio::test]
async fn a_keyring_keeps_the_key_where_there_is_one() {
    let keyring = OpenKeyring::start().await;
    let env = [("DBUS_SESSION_BUS_ADDRESS", keyring.bus.address.as_str())];
    let server = ModelServer::start(vec![Answer::text("ready").into()]).await;
    let mut baton = Baton::start_talkative(folder(), &env).await;
    assert_eq!(baton.get("/keys").await, json!({"store": "keyring", "state": "open"}));
    baton.ok("PUT", "/models/mine", Some(settings(&server))).await;
    baton.stop().await;
    let home = baton.into_home();
    assert!(!home.path().join("keys.json").exists());

    let baton = Baton::start_talkative(home, &env).await;
    let tested = baton.post("/models/mine/test", json!({})).await;
    assert_eq!(tested["ok"], true, "{tested}");
    assert_eq!(server.asked()[0].headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(baton.send("DELETE", "/models/mine", None).await.0, 204);
    assert_eq!(
        baton.ok("PUT", "/models/mine", Some(json!({"kind": "openai", "baseUrl": server.url(), "model": "m"}))).await["hasKey"],
        false
    );
}
