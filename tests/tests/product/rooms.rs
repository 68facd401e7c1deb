//! The two rooms of a sandbox share the workspace: no link that one of them puts there leads the other anywhere.

use std::path::PathBuf;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use baton_tests::{Baton, Debugger, Site, eventually};
use serde_json::{Value, json};

/// What stands in the profile and must reach no page.
const CANARY: &str = "canary-of-the-profile-7731";
const PROFILE: &str = "/run/kept/profile";

const PAGES: [(&str, &str); 1] = [(
    "/files",
    r#"<title>Files</title><body style="margin:0;height:500px"><input type="file" id="field" aria-label="Attachment">
    <a id="take" download="PLANTED" href="/take">Take</a>
    <script>
      window.dropped = '';
      document.ondragover = (event) => event.preventDefault();
      document.ondrop = (event) => {
        event.preventDefault();
        const [file] = event.dataTransfer.files;
        window.reading = file?.text().catch((error) => 'error ' + error).then((text) => { window.dropped = text; });
      };
    </script>"#,
)];

struct Scene {
    baton: Baton,
    _site: Site,
    sandbox: String,
    client: Debugger,
    page: String,
}

impl Scene {
    async fn open() -> Self {
        let attachment = [(header::CONTENT_DISPOSITION, "attachment; filename=\"PLANTED\"")];
        let more = Router::new().route("/take", get(move || async move { (attachment, "planted") }));
        let (site, baton) = tokio::join!(Site::serve(&PAGES, more), Baton::start());
        let network = json!({ "allowPrivate": [site.address.to_string()] });
        let sandbox = baton.ready_sandbox(json!({ "network": network })).await;
        let mut client = Debugger::with_token(&baton, &format!("/sandboxes/{sandbox}/cdp")).await;
        let page = client.attach().await;
        client.call(Some(&page), "Page.enable", json!({})).await;
        client.call(Some(&page), "Page.navigate", json!({ "url": site.url("/files") })).await;
        client.event("Page.loadEventFired").await;
        Self { baton, _site: site, sandbox, client, page }
    }

    fn path(&self, rest: &str) -> String {
        format!("/sandboxes/{}{rest}", self.sandbox)
    }

    /// The profile on the host.
    fn profile(&self) -> PathBuf {
        self.baton.home().join("profiles").join(&self.sandbox)
    }

    /// Runs a line in the shell room.
    async fn shell(&self, line: &str) {
        let ran = self.baton.post(&self.path("/exec"), json!({ "command": "bash", "args": ["-c", line] })).await;
        assert_eq!(ran["exitCode"], 0, "{line}: {ran}");
    }

    async fn evaluate(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        self.client.call(Some(&self.page), "Runtime.evaluate", params).await["result"]["value"].clone()
    }

    /// What the page reads of the file in its field.
    async fn read(&mut self) -> String {
        let read = "field.files.length ? field.files[0].text().catch((error) => 'error ' + error) : 'no file'";
        self.evaluate(read).await.as_str().expect("a text").to_owned()
    }

    /// Gives a file to the field by the debugging protocol.
    async fn give(&mut self, path: &str) -> Value {
        let document = self.client.call(Some(&self.page), "DOM.getDocument", json!({})).await;
        let find = json!({ "nodeId": document["root"]["nodeId"], "selector": "#field" });
        let node = self.client.call(Some(&self.page), "DOM.querySelector", find).await["nodeId"].clone();
        let give = json!({ "nodeId": node, "files": [path] });
        self.client.ask(Some(&self.page), "DOM.setFileInputFiles", give).await
    }

    /// Drops a file on the page by the debugging protocol, and waits until the page has read what it got of it.
    async fn drop(&mut self, path: &str) {
        self.evaluate("window.dropped = ''; window.reading = null").await;
        for kind in ["dragEnter", "dragOver", "drop"] {
            let data = json!({ "items": [], "files": [path], "dragOperationsMask": 1 });
            let drag = json!({ "type": kind, "x": 50, "y": 300, "data": data });
            self.client.ask(Some(&self.page), "Input.dispatchDragEvent", drag).await;
        }
        self.evaluate("window.reading").await;
    }

    /// Lets the page download its file; returns how that ended.
    async fn take(&mut self) -> String {
        let listen = json!({ "behavior": "default", "eventsEnabled": true });
        self.client.call(None, "Browser.setDownloadBehavior", listen).await;
        self.evaluate("document.getElementById('take').click()").await;
        loop {
            let told = self.client.event("Browser.downloadProgress").await;
            let state = told["params"]["state"].as_str().expect("a state");
            if state != "inProgress" {
                return state.to_owned();
            }
        }
    }

    async fn upload(&self, path: &str) -> Value {
        let step = json!({ "upload": { "selector": "#field", "path": path } });
        let playbook = json!({ "name": "upload", "steps": [step] }).to_string();
        let task = self.baton.post(&self.path("/tasks"), json!({ "playbook": playbook })).await;
        let task = format!("/tasks/{}", task["taskId"].as_str().expect("a task"));
        eventually("the task ends", || async {
            let task = self.baton.get(&task).await;
            ["completed", "failed"].iter().any(|end| task["status"] == *end).then_some(task)
        })
        .await
    }

    /// The browser's main process, as the host sees it.
    fn browser(&self) -> u32 {
        let profile = format!("--user-data-dir={PROFILE}");
        let is_ours = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains(&profile) && !line.contains("--type=") && is_below(*pid, self.baton.pid())
        };
        let pids = std::fs::read_dir("/proc")
            .expect("processes are listed")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.into_iter().find(is_ours).expect("the browser runs")
    }
}

fn is_below(mut pid: u32, above: u32) -> bool {
    while pid > 1 {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        let Some(parent) = parent else { return false };
        if parent == above {
            return true;
        }
        pid = parent;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_of_the_shell_room_leads_no_page_into_the_profile() {
    let mut scene = Scene::open().await;
    std::fs::write(scene.profile().join("Secrets"), CANARY).expect("the profile can be written");
    scene.shell("echo hello > note.txt; ln -s /workspace/note.txt inside").await;
    scene.shell(&format!("ln -s {PROFILE}/Secrets outside; ln -s {PROFILE} folder")).await;

    // The same way with a file that may be given: it works.
    for path in ["/workspace/note.txt", "/workspace/inside"] {
        let given = scene.give(path).await;
        assert!(given.get("error").is_none(), "{path}: {given}");
        assert_eq!(scene.read().await, "hello\n");
    }
    scene.drop("/workspace/note.txt").await;
    assert_eq!(scene.evaluate("window.dropped").await, "hello\n");
    assert_eq!(scene.upload("inside").await["status"], "completed");

    for path in ["outside", "folder/Secrets"] {
        scene.evaluate("field.value = ''").await;
        let given = scene.give(&format!("/workspace/{path}")).await;
        assert!(given["error"]["message"].as_str().is_some_and(|why| why.contains("outside")), "{path}: {given}");
        assert_eq!(scene.read().await, "no file");
        scene.drop(&format!("/workspace/{path}")).await;
        assert_eq!(scene.evaluate("window.dropped").await, "", "{path}");
        let task = scene.upload(path).await;
        assert_eq!(task["status"], "failed", "{path}: {task}");
        assert!(task["error"]["message"].as_str().is_some_and(|why| why.contains("outside")), "{task}");
        assert!(!scene.read().await.contains(CANARY));
    }
    scene.drop(&format!("{PROFILE}/Secrets")).await;
    assert_eq!(scene.evaluate("window.dropped").await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_in_place_of_the_downloads_leads_no_download_into_the_profile() {
    let mut scene = Scene::open().await;
    scene.shell(&format!("rmdir downloads && ln -s {PROFILE} downloads")).await;
    assert_eq!(scene.take().await, "canceled");
    assert!(!scene.profile().join("PLANTED").exists());

    // A link within the workspace is followed; what is there is not replaced.
    scene.shell("rm downloads; mkdir elsewhere; echo first > elsewhere/PLANTED; ln -s elsewhere downloads").await;
    assert_eq!(scene.take().await, "completed");
    let listed = scene.baton.get(&scene.path("/fs/list?path=elsewhere")).await;
    assert!(listed["data"].to_string().contains("PLANTED (1)"), "{listed}");
    assert_eq!(scene.baton.bytes(&scene.path("/fs/read?path=elsewhere/PLANTED")).await, b"first\n");
}

/// Whatever else in that room opens a file of the workspace (its file chooser, its dialogs) meets the same mount.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_desktop_room_follows_no_link_of_the_workspace() {
    let scene = Scene::open().await;
    scene.shell("echo hello > note.txt; ln -s note.txt link").await;
    let seen = PathBuf::from(format!("/proc/{}/root/workspace", scene.browser()));
    assert_eq!(std::fs::read_to_string(seen.join("note.txt")).expect("a file can be read"), "hello\n");
    let refused = std::fs::read_to_string(seen.join("link")).expect_err("a link is not followed");
    assert_eq!(refused.raw_os_error(), Some(nix::errno::Errno::ELOOP as i32), "{refused}");
    std::fs::write(seen.join("saved.html"), "saved").expect("the room writes the workspace");
    assert_eq!(scene.baton.bytes(&scene.path("/fs/read?path=saved.html")).await, b"saved");
}
