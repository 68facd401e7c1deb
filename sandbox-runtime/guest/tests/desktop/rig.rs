//! One room, and the runtime's side of its link.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sandbox_core::model::Viewport;
use sandbox_core::viewer::InputEvent;
use sandbox_guest::desktop::{Places, Room};
use sandbox_link::protocol::{DesktopAnswer, DesktopCall, DesktopReport, DesktopSettings, InputFrame, Open, Settled};
use sandbox_link::{Incoming, Link, Side, Stream, read_message, write_message};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

/// Generous: the machine may be busy with other things.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// One browser at a time.
static TURN: Mutex<()> = Mutex::const_new(());

pub struct Rig {
    pub link: Link,
    pub display: String,
    cdp: Mutex<Cdp>,
    serving: JoinHandle<()>,
    _incoming: Incoming,
    folder: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// A client of the debugging pipe.
struct Cdp {
    stream: BufReader<Stream>,
    session: Option<String>,
    last_id: u64,
}

impl Rig {
    /// Starts a room whose browser shows this page, 800×500.
    pub async fn start(page: &str) -> Self {
        let turn = TURN.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let places = Places {
            profile: folder.path().join("home/profile"),
            home: folder.path().join("home"),
            workspace: folder.path().join("workspace"),
        };
        std::fs::create_dir_all(&places.workspace).unwrap();
        let file = places.workspace.join("page.html");
        std::fs::write(&file, format!("<!doctype html><title>t</title>{page}")).unwrap();
        let settings = DesktopSettings {
            viewport: Viewport { width: 800, height: 500 },
            proxy_port: 0,
            browser: browser(),
            start_url: format!("file://{}", file.display()),
        };
        let room = tokio::time::timeout(DEADLINE, Room::start(&settings, &places)).await.unwrap().unwrap();
        let display = room.display().to_owned();
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (link, incoming) = Link::start(ours, Side::Runtime);
        let (guest_link, guest_incoming) = Link::start(theirs, Side::Guest);
        let serving = tokio::spawn(async move {
            room.serve(guest_incoming).await;
            drop(guest_link);
        });
        let stream = BufReader::new(link.open_for(&Open::Cdp).await.unwrap());
        let mut cdp = Cdp { stream, session: None, last_id: 0 };
        let targets = cdp.call("Target.getTargets", json!({})).await;
        let page = targets["targetInfos"].as_array().unwrap().iter().find(|info| info["type"] == "page").unwrap();
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        cdp.session = Some(cdp.call("Target.attachToTarget", attach).await["sessionId"].as_str().unwrap().to_owned());
        let rig = Self { link, display, cdp: Mutex::new(cdp), serving, _incoming: incoming, folder, _turn: turn };
        // With its title: an empty page comes first, and is complete too.
        let loaded = "document.title + document.readyState";
        eventually("the page is loaded", || async { rig.evaluate(loaded).await == "tcomplete" }).await;
        rig
    }

    /// Ends the link; the room must end by itself.
    pub async fn end(self) {
        let Self { link, serving, _incoming, folder: _folder, _turn, cdp, .. } = self;
        drop((link, _incoming, cdp));
        tokio::time::timeout(DEADLINE, serving).await.expect("the room ends with its link").unwrap();
    }

    pub async fn evaluate(&self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true });
        let answer = self.cdp.lock().await.call("Runtime.evaluate", params).await;
        assert!(answer.get("exceptionDetails").is_none(), "{answer}");
        answer["result"]["value"].clone()
    }

    /// Commits text to the page, as the runtime does.
    pub async fn commit(&self, text: &str) {
        self.cdp.lock().await.call("Input.insertText", json!({ "text": text })).await;
    }

    /// A call without arguments to the browser, whose answer does not matter.
    pub async fn cdp(&self, method: &str) {
        let mut cdp = self.cdp.lock().await;
        cdp.session = None;
        cdp.send(method, json!({})).await;
    }

    /// The files that the browser has put into the workspace's `downloads`.
    pub fn downloads(&self) -> Vec<PathBuf> {
        let listed = std::fs::read_dir(self.folder.path().join("workspace/downloads")).unwrap();
        listed.map(|entry| entry.unwrap().path()).collect()
    }

    /// Leaves the page's own file alone in the workspace.
    pub fn remove_downloads(&self) {
        std::fs::remove_dir(self.folder.path().join("workspace/downloads")).unwrap();
    }

    /// The windows that the window manager knows.
    pub fn windows(&self) -> Vec<u32> {
        let (x, screen) = x11rb::connect(Some(&self.display)).unwrap();
        let list = x.intern_atom(false, b"_NET_CLIENT_LIST").unwrap().reply().unwrap().atom;
        let root = x.setup().roots[screen].root;
        let listed = x.get_property(false, root, list, AtomEnum::WINDOW, 0, 64).unwrap().reply().unwrap();
        listed.value32().map(Iterator::collect).unwrap_or_default()
    }

    /// Where a window is on the screen: left, top, width, height.
    pub fn place(&self, window: u32) -> (i32, i32, i32, i32) {
        let (x, screen) = x11rb::connect(Some(&self.display)).unwrap();
        let geometry = x.get_geometry(window).unwrap().reply().unwrap();
        let at = x.translate_coordinates(window, x.setup().roots[screen].root, 0, 0).unwrap().reply().unwrap();
        (at.dst_x.into(), at.dst_y.into(), geometry.width.into(), geometry.height.into())
    }

    /// How many pages there are.
    pub async fn tabs(&self) -> usize {
        let mut cdp = self.cdp.lock().await;
        let session = cdp.session.take();
        let targets = cdp.call("Target.getTargets", json!({})).await;
        cdp.session = session;
        targets["targetInfos"].as_array().unwrap().iter().filter(|info| info["type"] == "page").count()
    }

    pub async fn call(&self, call: DesktopCall) -> DesktopAnswer {
        let mut stream = self.link.open_for(&Open::Desktop(call)).await.unwrap();
        within("an answer", read_message(&mut stream)).await.unwrap().unwrap()
    }

    pub async fn input(&self) -> Lane {
        Lane(self.link.open_for(&Open::Input).await.unwrap())
    }

    pub async fn reports(&self) -> Reports {
        Reports(self.link.open_for(&Open::Reports).await.unwrap())
    }

    pub async fn until_value(&self, expected: &str) {
        let started = Instant::now();
        loop {
            let value = self.evaluate("field.value").await;
            if value == expected {
                return;
            }
            assert!(started.elapsed() < DEADLINE, "the field has {value}, not {expected:?}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    pub async fn hover(&self, lane: &mut Lane, selector: &str) -> (i32, i32) {
        let DesktopAnswer::Geometry { screen } = self.call(DesktopCall::Geometry).await else { panic!("no geometry") };
        let middle = format!(
            "(r => [r.x + r.width / 2, r.y + r.height / 2, innerHeight])\
             ((document.querySelector('{selector}') ?? document.querySelector('textarea')).getBoundingClientRect())"
        );
        let middle = self.evaluate(&middle).await;
        let number = |at: usize| middle[at].as_f64().unwrap() as i32;
        let (x, y) = (number(0), number(1) + screen.height as i32 - number(2));
        lane.send(&InputFrame::Event(InputEvent::Move { x, y })).await;
        (x, y)
    }

    pub async fn click(&self, lane: &mut Lane, selector: &str) {
        let (x, y) = self.hover(lane, selector).await;
        for down in [true, false] {
            lane.send(&InputFrame::Event(InputEvent::Button { button: 0, down, x, y })).await;
        }
    }
}

/// One input stream.
pub struct Lane(Stream);

impl Lane {
    pub async fn send(&mut self, frame: &InputFrame) {
        write_message(&mut self.0, frame).await.unwrap();
    }

    /// Waits until the window with the focus has been given all that was sent.
    pub async fn settle(&mut self) {
        self.send(&InputFrame::Settle).await;
        assert_eq!(within("settled", read_message(&mut self.0)).await.unwrap(), Some(Settled));
    }
}

/// One stream of reports.
pub struct Reports(Stream);

impl Reports {
    pub async fn until(&mut self, what: &str, is: impl Fn(&DesktopReport) -> bool) {
        loop {
            let report: DesktopReport = within(what, read_message(&mut self.0)).await.unwrap().unwrap();
            if is(&report) {
                return;
            }
        }
    }
}

impl Cdp {
    async fn send(&mut self, method: &str, params: Value) {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let bytes = [message.to_string().into_bytes(), vec![0]].concat();
        self.stream.write_all(&bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.send(method, params).await;
        loop {
            let mut bytes = Vec::new();
            within(method, self.stream.read_until(0, &mut bytes)).await.unwrap();
            assert_eq!(bytes.pop(), Some(0), "{method}: the pipe ended");
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            if answer["id"] == self.last_id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }
}

/// How the browser is started: as root in a user namespace as user 1000.
fn browser() -> Vec<String> {
    let chromium = "/usr/bin/chromium".to_owned();
    if std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) != 0) {
        return vec![chromium];
    }
    let room = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--uid", "1000", "--gid", "1000", "--unshare-pid"];
    room.iter().chain(&["--proc", "/proc", "--"]).map(|word| (*word).to_owned()).chain([chromium]).collect()
}

/// Waits for a condition.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    let started = Instant::now();
    while !is().await {
        assert!(started.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

/// Where pictures go for a person to look at, if the environment names a folder.
pub fn pictures() -> Option<PathBuf> {
    std::env::var_os("BATON_TEST_PICTURES").map(PathBuf::from)
}
