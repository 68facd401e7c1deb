//! Sign-ins that stay in the person's password manager: listed without values, and fetched in the moment in which they are filled
//! in. Bitwarden's program is its own, with a server of the tests. 1Password's cannot be had without an account: a script stands in
//! for it that answers as its documentation says.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use baton_tests::{Baton, Foreign, assert_kept_nowhere, repository};
use serde_json::{Value, json};

const USERNAME: &str = "ada.manager@portal.example";
/// To be found nowhere.
const PASSWORD: &str = "canary-manager-4711-horse";
const SEED: &str = "KRUGS4ZANFZSAYJAMNQW4YLSPE";
/// To be found nowhere.
const MASTER: &str = "canary-master-1208-staple";

const PLAYBOOK: &str = "name: Sign in\nsteps:\n  - navigate: http://portal.example/sign-in\n  - signIn: {}\n  \
                        - expect: { url: '**/invoices' }\n  - expect: { text: ada.manager@portal.example }\n";

/// Stands in for `op`. The folder beside it has what it answers, and keeps what it was asked.
const OP: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/asked"
if [ "$1" = --version ]; then echo 2.34.1; exit; fi
if [ -e "$here/locked" ]; then echo '[ERROR] 2026/11/30 12:00:00 account is not signed in' >&2; exit 1; fi
case "$1 $2" in
  "item list") cat "$here/list.json" ;;
  "item get") [ -e "$here/slow" ] && sleep 17
    cat "$here/$3.json" 2>/dev/null || { echo "[ERROR] 2026/11/30 12:00:00 \"$3\" isn't an item" >&2; exit 1; } ;;
  *) echo '[ERROR] unknown command' >&2; exit 1 ;;
esac
"#;

/// Puts a program into a folder that `PATH` begins with.
fn install(folder: &Path, name: &str, text: &str) {
    let program = folder.join(name);
    std::fs::write(&program, text).expect("a program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
}

fn path_with(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"))
}

/// Puts one login into the stand-in, at this address.
fn keep(folder: &Path, address: &str) {
    let urls = json!([{ "label": "website", "primary": true, "href": address }]);
    let listed = json!([{ "id": "portal1", "title": "Portal", "vault": { "id": "private1", "name": "Private" }, "category": "LOGIN",
        "additional_information": USERNAME, "urls": urls }]);
    let item = json!({ "id": "portal1", "title": "Portal", "vault": { "id": "private1" }, "category": "LOGIN", "urls": urls, "fields": [
        { "id": "username", "type": "STRING", "purpose": "USERNAME", "label": "username", "value": USERNAME },
        { "id": "password", "type": "CONCEALED", "purpose": "PASSWORD", "label": "password", "value": PASSWORD },
        { "id": "TOTP_1", "type": "OTP", "label": "one-time password", "value": SEED, "totp": "123456" }] });
    std::fs::write(folder.join("list.json"), listed.to_string()).expect("a list");
    std::fs::write(folder.join("portal1.json"), item.to_string()).expect("an item");
}

fn one<'a>(list: &'a Value, source: &str) -> &'a Value {
    let found = list["data"].as_array().and_then(|all| all.iter().find(|each| each["source"] == source));
    found.unwrap_or_else(|| panic!("{source} in {list}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_of_1password_is_filled_in_and_its_values_stay_there() {
    let folder = tempfile::tempdir().expect("a folder");
    install(folder.path(), "op", OP);
    keep(folder.path(), "http://portal.example/sign-in");
    let path = path_with(folder.path());
    let home = tempfile::tempdir().expect("a folder for the data");
    let baton = Baton::start_talkative(home, &[("PATH", &path)]).await;
    assert_eq!(one(&baton.get("/password-managers").await, "1password")["state"], "off");
    assert_eq!(baton.get("/credentials").await["data"], json!([]), "nothing is listed before it is connected");

    std::fs::write(folder.path().join("locked"), "").expect("it is locked");
    let (status, refused) = baton.send("POST", "/password-managers/1password", Some(json!({}))).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("conflict")), "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|words| words.contains("not signed in")), "{refused}");
    std::fs::remove_file(folder.path().join("locked")).expect("it is open");
    let connected = baton.post("/password-managers/1password", json!({})).await;
    assert_eq!((&connected["state"], &connected["entries"]), (&json!("ready"), &json!(1)), "{connected}");
    let listed = baton.get("/credentials").await;
    let entry = one(&listed, "1password");
    assert_eq!((&entry["site"], &entry["username"]), (&json!("http://portal.example"), &json!(USERNAME)));
    assert_eq!((&entry["rule"], &entry["name"]), (&json!("ask"), &json!("Portal")));
    let id = entry["id"].as_str().expect("an id").to_owned();

    // Only its rule is ours.
    let (status, told) = baton.send("PATCH", &format!("/credentials/{id}"), Some(json!({ "password": "other" }))).await;
    assert_eq!((status, &told["error"]["message"]), (409, &json!("this sign-in is kept in 1Password")), "{told}");
    let (status, _) = baton.send("DELETE", &format!("/credentials/{id}"), None).await;
    assert_eq!(status, 409);
    baton.ok("PATCH", &format!("/credentials/{id}"), Some(json!({ "rule": "fill" }))).await;

    let sandbox = baton.ready_sandbox(json!({})).await;
    let prompt = format!("/sandboxes/{sandbox}/prompt");
    let done = baton.post(&prompt, json!({ "playbook": PLAYBOOK })).await;
    assert_eq!(done["status"], "completed", "{done}");
    let task = done["id"].as_str().expect("an id").to_owned();
    let events = baton.events(&task).await;
    let used = events.iter().find(|event| event["type"] == "sandbox.credential.used").expect("the use is told");
    assert_eq!((&used["data"]["credentialId"], &used["data"]["source"]), (&json!(id), &json!("1password")));
    assert_kept_nowhere(&baton, &task, &[PASSWORD, SEED], USERNAME).await;
    let asked = std::fs::read_to_string(folder.path().join("asked")).expect("it was asked");
    assert!(asked.contains("item get portal1 --vault private1 --format json"), "{asked}");

    // What the item is not for any more gets nothing, until its list is refreshed; the rule stays.
    keep(folder.path(), "https://elsewhere.example");
    let failed = baton.post(&prompt, json!({ "playbook": PLAYBOOK })).await;
    let words = failed["error"]["message"].as_str().unwrap_or_default();
    assert!(words.contains("the item in 1Password is not for http://portal.example any more"), "{failed}");
    let item = std::fs::read_to_string(folder.path().join("portal1.json")).expect("an item");
    keep(folder.path(), "http://portal.example");
    let of_another = item.replace(USERNAME, "bob").replace("https://elsewhere", "http://portal");
    std::fs::write(folder.path().join("portal1.json"), of_another).expect("an item of another user");
    let failed = baton.post(&prompt, json!({ "playbook": PLAYBOOK })).await;
    let words = failed["error"]["message"].as_str().unwrap_or_default();
    assert!(words.contains(&format!("is not for {USERNAME} any more")), "{failed}");
    keep(folder.path(), "http://portal.example");
    baton.post("/password-managers/1password", json!({})).await;
    assert_eq!(one(&baton.get("/credentials").await, "1password")["rule"], "fill");

    // Its app may ask the person first: that time is theirs, not the step's. One item that fails locks nothing.
    std::fs::write(folder.path().join("slow"), "").expect("it is slow");
    let patient = PLAYBOOK.replace("signIn: {}", "signIn: { timeoutMs: 10000 }");
    let done = baton.post(&prompt, json!({ "playbook": patient })).await;
    assert_eq!(done["status"], "completed", "{done}");
    std::fs::remove_file(folder.path().join("slow")).expect("it is quick");
    std::fs::remove_file(folder.path().join("portal1.json")).expect("the item is gone");
    let failed = baton.post(&prompt, json!({ "playbook": PLAYBOOK })).await;
    assert!(failed["error"]["message"].to_string().contains("isn't an item"), "{failed}");
    assert_eq!(one(&baton.get("/password-managers").await, "1password")["state"], "ready");
    keep(folder.path(), "http://portal.example");

    // Locked again, it says so where it is asked and where it is listed.
    std::fs::write(folder.path().join("locked"), "").expect("it is locked");
    let failed = baton.post(&prompt, json!({ "playbook": PLAYBOOK })).await;
    let words = failed["error"]["message"].as_str().unwrap_or_default();
    assert!(words.contains("1Password gives nothing now") && words.contains("unlock the 1Password app"), "{failed}");
    let told = baton.get("/password-managers").await;
    assert_eq!(one(&told, "1password")["state"], "locked", "{told}");

    baton.ok("DELETE", "/password-managers/1password", None).await;
    assert_eq!(baton.get("/credentials").await["data"], json!([]));
    let uses = baton.get(&format!("/credentials/{id}/uses")).await;
    assert_eq!(uses["data"].as_array().map(Vec::len), Some(2), "the ledger stays: {uses}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_that_is_not_there_says_what_to_install() {
    let empty = tempfile::tempdir().expect("a folder");
    let baton = Baton::start_with(&[("PATH", empty.path().to_str().expect("a path"))]).await;
    let told = baton.get("/password-managers").await;
    for (source, program) in [("1password", "`op`"), ("bitwarden", "`bw`")] {
        let manager = one(&told, source);
        assert_eq!(manager["state"], "absent", "{told}");
        assert!(manager["detail"].as_str().is_some_and(|words| words.contains(program)), "{told}");
        let (status, refused) = baton.send("POST", &format!("/password-managers/{source}"), Some(json!({}))).await;
        assert_eq!((status, &refused["error"]["code"]), (409, &json!("conflict")), "{refused}");
    }
    for unknown in ["local", "keepass"] {
        let (status, refused) = baton.send("POST", &format!("/password-managers/{unknown}"), Some(json!({}))).await;
        assert_eq!((status, &refused["error"]["code"]), (404, &json!("notFound")), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_of_bitwarden_is_filled_in_after_its_master_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("a path of letters").to_owned();
    let item = |uris: Value| {
        let item = json!({ "id": "22222222-2222-4222-8222-222222222222", "name": "Portal", "username": USERNAME,
            "password": PASSWORD, "totp": SEED, "uris": uris });
        std::fs::write(folder.path().join("items.json"), json!([item]).to_string()).expect("the items");
    };
    item(json!([{ "uri": "http://portal.example/sign-in" }, { "uri": "https://shop.example", "match": 5 }]));
    let mut account = Foreign::node("bitwarden.mjs", &[&at(""), "ada@portal.example", MASTER]);
    account.step("login").await;

    let programs = repository().join("tests/foreign/node_modules/.bin");
    let env = [
        ("PATH", path_with(&programs)),
        ("BITWARDENCLI_APPDATA_DIR", at("data")),
        ("NODE_EXTRA_CA_CERTS", at("cert.pem")),
    ];
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let baton = Baton::start_talkative(tempfile::tempdir().expect("a folder for the data"), &env).await;
    let connect = |body: Value| {
        let baton = &baton;
        async move { baton.send("POST", "/password-managers/bitwarden", Some(body)).await }
    };
    let (status, locked) = connect(json!({})).await;
    assert_eq!(status, 409, "{locked}");
    assert!(locked["error"]["message"].as_str().is_some_and(|words| words.contains("it is locked")), "{locked}");
    let (status, wrong) = connect(json!({ "passphrase": "no" })).await;
    assert_eq!(status, 409, "{wrong}");
    assert!(wrong["error"]["message"].as_str().is_some_and(|words| words.contains("does not open")), "{wrong}");
    let (status, connected) = connect(json!({ "passphrase": MASTER })).await;
    assert_eq!((status, &connected["state"], &connected["entries"]), (200, &json!("ready"), &json!(1)), "{connected}");
    let listed = baton.get("/credentials").await;
    let entry = one(&listed, "bitwarden");
    assert_eq!((&entry["site"], &entry["hasTotp"]), (&json!("http://portal.example"), &json!(true)), "{entry}");
    let id = entry["id"].as_str().expect("an id").to_owned();
    baton.ok("PATCH", &format!("/credentials/{id}"), Some(json!({ "rule": "fill" }))).await;

    let sandbox = baton.ready_sandbox(json!({})).await;
    let done = baton.post(&format!("/sandboxes/{sandbox}/prompt"), json!({ "playbook": PLAYBOOK })).await;
    assert_eq!(done["status"], "completed", "{done}");
    let task = done["id"].as_str().expect("an id").to_owned();
    assert_kept_nowhere(&baton, &task, &[PASSWORD, SEED, MASTER], USERNAME).await;

    // What came to the account meanwhile is listed by a refresh, which needs no master password until the runtime ends.
    item(json!([{ "uri": "https://shop.com", "match": 0 }, { "uri": "http://portal.example" }]));
    let (status, again) = connect(json!({})).await;
    assert_eq!((status, &again["entries"]), (200, &json!(2)), "{again}");
    let listed = baton.get("/credentials").await;
    let sites: Vec<&str> =
        listed["data"].as_array().expect("a list").iter().filter_map(|entry| entry["site"].as_str()).collect();
    assert!(sites.contains(&"*.shop.com") && sites.contains(&"http://portal.example"), "{listed}");
}
