//! The real desktop window, driven by WebDriver: what a person sees and presses.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::baton::binary;
use crate::bus::Bus;
use crate::display::Display;
use crate::wait::eventually;

/// Key values of the WebDriver protocol.
pub mod keys {
    pub const ENTER: &str = "\u{e007}";
    pub const TAB: &str = "\u{e004}";
    pub const ESCAPE: &str = "\u{e00c}";
    pub const F9: &str = "\u{e039}";
}

pub struct Window {
    driver: Child,
    base: String,
    http: reqwest::Client,
    pub display: Display,
    pub bus: Bus,
    home: tempfile::TempDir,
}

impl Window {
    /// Opens the application on a display, a session bus and a data directory of its own.
    pub async fn open() -> Self {
        Self::open_sized(1440, 900).await
    }

    pub async fn open_sized(width: u32, height: u32) -> Self {
        let display = Display::start(width, height);
        let home = tempfile::tempdir().expect("a folder for the data");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let bus = Bus::start();
        let mut command = Command::new("WebKitWebDriver");
        command
            .args([&format!("--port={port}"), "--host=127.0.0.1"])
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .env("DISPLAY", &display.name)
            .env("BATON_HOME", home.path())
            // What tauri-driver sets: lets the driver into this one process.
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("GDK_BACKEND", "x11")
            .env_remove("WAYLAND_DISPLAY")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        if nix::unistd::Uid::effective().is_root() {
            // WebKit's own sandbox does not start as root; a person does not run the application as root.
            command.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
        }
        let driver = command.spawn().expect("webkit2gtk-driver and dbus are installed");
        let mut window = Self {
            driver,
            base: format!("http://127.0.0.1:{port}"),
            http: crate::baton::http_client(),
            display,
            bus,
            home,
        };
        let status = format!("{}/status", window.base);
        eventually("WebDriver answers", || async { window.http.get(&status).send().await.ok() }).await;
        let options = json!({ "binary": binary("baton-desktop"), "args": [] });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": options } } });
        let session = window.call("POST", "/session", Some(wanted)).await;
        let id = session["sessionId"].as_str().expect("a session has an id").to_owned();
        window.base = format!("{}/session/{id}", window.base);
        window
    }

    /// The driver, whose descendants the application and its page are.
    pub fn pid(&self) -> u32 {
        self.driver.id()
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Waits for an element that XPath finds and that is shown; returns its reference.
    pub async fn find(&self, xpath: &str) -> String {
        eventually(xpath, || self.look_for(xpath)).await
    }

    pub async fn is_shown(&self, xpath: &str) -> bool {
        self.look_for(xpath).await.is_some()
    }

    async fn look_for(&self, xpath: &str) -> Option<String> {
        let query = json!({ "using": "xpath", "value": xpath });
        let found = self.try_call("POST", "/elements", Some(query)).await.ok()?;
        for element in found.as_array()? {
            let id = element.as_object()?.values().next()?.as_str()?.to_owned();
            let shown = self.try_call("GET", &format!("/element/{id}/displayed"), None).await;
            if shown.is_ok_and(|shown| shown == json!(true)) {
                return Some(id);
            }
        }
        None
    }

    /// Clicks a button by the text on it.
    pub async fn press(&self, button: &str) {
        self.click(&format!("//button[contains(normalize-space(.), \"{button}\")]")).await;
    }

    pub async fn click(&self, xpath: &str) {
        let element = self.find(xpath).await;
        self.call("POST", &format!("/element/{element}/click"), Some(json!({}))).await;
    }

    /// Clicks a button that ends the application, and waits until it has ended and let go of its data.
    pub async fn press_to_quit(&self, button: &str) {
        let running = self.home().join("runtime.json");
        let xpath = format!("//button[normalize-space(.) = \"{button}\"]");
        let element = self.find(&xpath).await;
        // The answer may go with the application.
        let _ = self.try_call("POST", &format!("/element/{element}/click"), Some(json!({}))).await;
        self.ended(&running).await;
    }

    /// Tells the application to end, as a session that ends does, and waits until it has.
    pub async fn terminate(&self) {
        let running = self.home().join("runtime.json");
        nix::sys::signal::kill(self.runtime_pid(), nix::sys::signal::Signal::SIGTERM).expect("the application runs");
        self.ended(&running).await;
    }

    async fn ended(&self, running: &Path) {
        eventually("the application has let go of its data", || {
            let lock = std::fs::File::open(self.home().join("lock")).expect("the data directory has a lock");
            std::future::ready((!running.exists() && lock.try_lock().is_ok()).then_some(()))
        })
        .await;
    }

    fn runtime_pid(&self) -> nix::unistd::Pid {
        let text = std::fs::read(self.home().join("runtime.json")).expect("the runtime says where it listens");
        let running: Value = serde_json::from_slice(&text).expect("JSON");
        let pid = running["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("a pid");
        nix::unistd::Pid::from_raw(pid)
    }

    /// Waits until the application has ended; gives its data directory to whoever starts next.
    pub async fn into_home_when_ended(self) -> tempfile::TempDir {
        self.ended(&self.home().join("runtime.json")).await;
        self.into_home()
    }

    /// Gives the data directory to whoever starts next.
    pub fn into_home(mut self) -> tempfile::TempDir {
        std::mem::replace(&mut self.home, tempfile::tempdir().expect("a folder"))
    }

    pub async fn text_of(&self, xpath: &str) -> String {
        let element = self.find(xpath).await;
        let text = self.call("GET", &format!("/element/{element}/text"), None).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Types on the keyboard, wherever the focus is; one key after the other.
    pub async fn type_keys(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })])
            .collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.call("POST", "/actions", Some(actions)).await;
    }

    /// Clicks at a point of the window, in CSS pixels.
    pub async fn click_at(&self, x: i64, y: i64) {
        let steps = json!([
            { "type": "pointerMove", "x": x, "y": y, "origin": "viewport", "duration": 0 },
            { "type": "pointerDown", "button": 0 },
            { "type": "pointerUp", "button": 0 },
        ]);
        let actions = json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": steps }] });
        self.call("POST", "/actions", Some(actions)).await;
    }

    pub async fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", Some(json!({ "script": script, "args": [] }))).await
    }

    /// Returns the pixels of the live picture as one number, as they are on the canvas.
    pub async fn picture_hash(&self) -> u64 {
        let hash = self
            .run(
                "const canvas = document.querySelector('canvas'); if (!canvas || !canvas.width) return 0; \
                 const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; \
                 let hash = 7; for (let at = 0; at < data.length; at += 4) \
                 hash = (Math.imul(hash, 31) + (data[at] << 16 | data[at + 1] << 8 | data[at + 2])) | 0; \
                 return hash >>> 0;",
            )
            .await;
        hash.as_u64().unwrap_or_default()
    }

    /// Waits until the live picture is there and at rest.
    pub async fn resting_picture(&self) -> u64 {
        self.picture_changed(0).await
    }

    /// Waits until the live picture is no longer what it was, and has come to rest.
    pub async fn picture_changed(&self, from: u64) -> u64 {
        let mut last = from;
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        loop {
            let now = self.picture_hash().await;
            if now != from && now == last {
                return now;
            }
            last = now;
            assert!(std::time::Instant::now() < deadline, "the live picture never changed");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Saves what the window shows.
    pub fn screenshot(&self, name: &str) {
        self.display.keep(name).expect("the display can be looked at");
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.try_call(method, path, body).await.unwrap_or_else(|error| panic!("WebDriver {method} {path}: {error}"))
    }

    async fn try_call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, Value> {
        let mut request = self
            .http
            .request(method.parse().expect("a method"), format!("{}{path}", self.base))
            .timeout(Duration::from_secs(90));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| json!(error.to_string()))?;
        let is_ok = answer.status().is_success();
        let value: Value = answer.json().await.map_err(|error| json!(error.to_string()))?;
        if is_ok { Ok(value["value"].clone()) } else { Err(value["value"].clone()) }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Err(error) = self.display.keep("window-failed.png")
        {
            eprintln!("no picture of the failure: {error}");
        }
        // The whole group: driver and application; some may have ended already.
        let group = nix::unistd::Pid::from_raw(i32::try_from(self.driver.id()).expect("a pid is a small number"));
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        let _ = self.driver.wait();
    }
}
