//! Passkeys of the vault: made after a person's yes, used by their entry's rule, and their keys are told to nobody.

use axum::Router;
use base64::prelude::{BASE64_STANDARD, Engine};
use baton_tests::{Baton, Debugger, Site, eventually};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::{Value, json};

const PAGE: &str = r#"<!doctype html><title>Keys</title><button id=make>Make a passkey</button><button id=enter>Sign in</button><script>
    const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
    const tell = (words) => fetch('/told?' + new URLSearchParams(words));
    const user = { id: new Uint8Array([1, 2]), name: 'ada', displayName: 'Ada' };
    make.onclick = async () => {
        const rp = { name: 'Portal', id: 'localhost' };
        const wanted = { challenge: new Uint8Array(16), rp, user, pubKeyCredParams: [{ type: 'public-key', alg: -7 }], authenticatorSelection: { residentKey: 'required', userVerification: 'required' } };
        try { tell({ made: text((await navigator.credentials.create({ publicKey: wanted })).response.getPublicKey()) }); }
        catch (error) { tell({ made: error.name }); }
    };
    enter.onclick = async () => {
        const wanted = { challenge: new TextEncoder().encode('a challenge'), rpId: 'localhost', userVerification: 'required' };
        try {
            const { authenticatorData, clientDataJSON, signature } = (await navigator.credentials.get({ publicKey: wanted })).response;
            tell({ got: [authenticatorData, clientDataJSON, signature].map(text).join(' ') });
        } catch (error) { tell({ got: error.name }); }
    };
    PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().then((can) => tell({ can }));
</script>"#;

/// How long a public key on P-256 is at the end of its SPKI.
const POINT: usize = 65;

struct Scene {
    baton: Baton,
    site: Site,
    sandbox: String,
}

impl Scene {
    async fn open() -> Self {
        let passphrase = [("BATON_PASSPHRASE", "a passphrase of the test")];
        let (site, baton) =
            tokio::join!(Site::serve(&[("/keys", PAGE)], Router::new()), Baton::start_with(&passphrase));
        let private = [format!("localhost:{}", site.address.port())];
        let sandbox = baton.ready_sandbox(json!({ "network": { "allowPrivate": private } })).await;
        Self { baton, site, sandbox }
    }

    fn path(&self, rest: &str) -> String {
        format!("/sandboxes/{}{rest}", self.sandbox)
    }

    /// Opens the page and presses one of its buttons, in a task. Returns the task's id.
    async fn press(&self, button: &str) -> String {
        for word in ["made", "got"] {
            self.site.forget(word);
        }
        let url = format!("http://localhost:{}/keys", self.site.address.port());
        let steps = json!([{ "navigate": url }, { "click": { "selector": button } }]);
        let playbook = json!({ "name": "Keys", "steps": steps }).to_string();
        let begun = self.baton.post(&self.path("/tasks"), json!({ "playbook": playbook })).await;
        begun["taskId"].as_str().expect("an id").to_owned()
    }

    async fn asked(&self, words: &str) -> Value {
        let question = eventually("a person is asked", || async {
            self.baton.get("/approvals?status=pending").await["data"].get(0).cloned()
        })
        .await;
        let proposal = &question["proposal"];
        assert_eq!((&proposal["kind"], &proposal["summary"]), (&json!("signIn"), &json!(words)), "{question}");
        assert_eq!(proposal["fields"][0]["value"], "ada", "{question}");
        question
    }

    async fn answer(&self, words: &str, decision: &str) {
        let question = self.asked(words).await;
        let id = question["approvalId"].as_str().expect("an id");
        self.baton.post(&format!("/approvals/{id}"), json!({ "decision": decision, "hash": question["hash"] })).await;
    }

    async fn ends(&self, task: &str) {
        let ended = self.baton.until_over(task).await;
        assert_eq!(ended["status"], "completed", "the page heard of it, and the task goes on: {ended}");
    }

    async fn entry(&self) -> Value {
        let all = self.baton.get("/credentials").await;
        assert_eq!(all["data"].as_array().map(Vec::len), Some(1), "{all}");
        all["data"][0].clone()
    }

    /// Checks the signature of what the page got, and returns how often the passkey was used by then.
    async fn signed(&self, public_key: &[u8]) -> u32 {
        let got = self.site.told("got").await;
        let parts: Vec<Vec<u8>> = got.split(' ').map(|part| BASE64_STANDARD.decode(part).expect("base64")).collect();
        let [data, client, signature] = parts.as_slice() else { panic!("the page tells {got}") };
        let signed = [data, ring::digest::digest(&ring::digest::SHA256, client).as_ref()].concat();
        let point = &public_key[public_key.len() - POINT..];
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        key.verify(&signed, signature).expect("the site accepts the signature");
        assert_eq!(data[32] & 5, 5, "the person was there and was verified");
        u32::from_be_bytes(data[33..37].try_into().expect("four bytes"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_is_made_after_a_yes_and_used_by_its_rule() {
    let scene = Scene::open().await;
    let making = "save a passkey for localhost";

    // Nothing saved, and a no: the page hears it, and may offer something else.
    scene.ends(&scene.press("#enter").await).await;
    scene.site.told_that("got", "NotAllowedError").await;
    scene.site.told_that("can", "true").await;
    let task = scene.press("#make").await;
    scene.answer(making, "deny").await;
    scene.ends(&task).await;
    scene.site.told_that("made", "NotAllowedError").await;

    // A page that is left while a person is asked takes its question along.
    let task = scene.press("#make").await;
    let question = scene.asked(making).await;
    scene.baton.post(&scene.path("/preview/navigate"), json!({ "url": "about:blank" })).await;
    scene.ends(&task).await;
    let id = question["approvalId"].as_str().expect("an id");
    eventually("the question is withdrawn", || async {
        let all = scene.baton.get("/approvals").await;
        let asked = all["data"].as_array().expect("a list").iter().find(|asked| asked["approvalId"] == id).cloned();
        asked.filter(|asked| asked["status"] == "void")
    })
    .await;

    let task = scene.press("#make").await;
    scene.answer(making, "approve").await;
    let public_key = BASE64_STANDARD.decode(scene.site.told("made").await).expect("a key");
    scene.ends(&task).await;
    let entry = scene.entry().await;
    let site = format!("localhost:{}", scene.site.address.port());
    assert_eq!((&entry["site"], &entry["username"]), (&json!(site), &json!("ada")), "{entry}");
    assert_eq!((&entry["passkeys"], &entry["rule"]), (&json!(1), &json!("ask")), "{entry}");

    // By the rule: asked each time, then not asked.
    let task = scene.press("#enter").await;
    scene.answer("sign in with the passkey of ada", "approve").await;
    let first = scene.signed(&public_key).await;
    scene.ends(&task).await;
    let path = format!("/credentials/{}", entry["id"].as_str().expect("an id"));
    scene.baton.ok("PATCH", &path, Some(json!({ "rule": "fill" }))).await;
    let task = scene.press("#enter").await;
    assert!(scene.signed(&public_key).await > first, "each use is counted");
    scene.ends(&task).await;
    let uses = scene.baton.get(&format!("{path}/uses")).await;
    assert_eq!(uses["data"].as_array().map(Vec::len), Some(2), "{uses}");
    let events = scene.baton.events(&task).await;
    let used = events.iter().find(|event| event["type"] == "sandbox.credential.used").expect("the use is told");
    assert_eq!((&used["data"]["passkey"], &used["data"]["username"]), (&json!(true), &json!("ada")), "{used}");

    // Forgotten: as if there never had been one.
    let forgotten = scene.baton.ok("PATCH", &path, Some(json!({ "passkeys": 0 }))).await;
    assert_eq!((&forgotten["passkeys"], &forgotten["passkeySites"]), (&json!(0), &Value::Null), "{forgotten}");
    scene.ends(&scene.press("#enter").await).await;
    scene.site.told_that("got", "NotAllowedError").await;
}

#[tokio::test]
async fn a_client_reads_the_keys_of_no_authenticator_but_its_own() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    let endpoint = format!("/sandboxes/{sandbox}/cdp");
    let mut owner = Debugger::with_token(&baton, &endpoint).await;
    let own = owner.attach().await;
    owner.call(Some(&own), "WebAuthn.enable", json!({})).await;
    let options = json!({ "protocol": "ctap2", "transport": "internal", "hasResidentKey": true });
    let made = owner.call(Some(&own), "WebAuthn.addVirtualAuthenticator", json!({ "options": options })).await;
    let named = json!({ "authenticatorId": made["authenticatorId"] });
    let read = owner.call(Some(&own), "WebAuthn.getCredentials", named.clone()).await;
    assert_eq!(read["credentials"], json!([]), "its own");

    // In the same tab, where Chromium itself would answer.
    let mut other = Debugger::with_token(&baton, &endpoint).await;
    let session = other.attach().await;
    for method in ["WebAuthn.getCredentials", "WebAuthn.removeVirtualAuthenticator", "WebAuthn.clearCredentials"] {
        let (code, said) = other.refused(Some(&session), method, named.clone()).await;
        assert!(code == -32000 && said.starts_with("refused"), "{method}: {said}");
    }
}
