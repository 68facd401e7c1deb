//! A part of a sandbox that is killed or stopped is noticed, and brought back; the rest goes on.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::get;
use baton_tests::{Baton, Debugger, Site, Viewer, eventually};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// Generous for a busy machine; a part that hangs is noticed after some six to twelve seconds.
const NOTICED: Duration = Duration::from_secs(60);
const GUEST: &str = "/opt/baton/sandbox-guest";

pub(super) struct Process {
    pub(super) pid: u32,
    parent: u32,
    arguments: Vec<String>,
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        if fields.next()? == "Z" {
            return None;
        }
        let parent = fields.next()?.parse().ok()?;
        let line = std::fs::read(folder.join("cmdline")).ok()?;
        let arguments = String::from_utf8_lossy(&line).split_terminator('\0').map(str::to_owned).collect();
        Some(Self { pid, parent, arguments })
    }

    fn is_guest(&self) -> bool {
        self.arguments.first().is_some_and(|program| program == GUEST)
            && self.arguments.get(1).is_none_or(|word| word != "--supervise")
    }

    pub(super) fn is_display(&self) -> bool {
        self.arguments.first().is_some_and(|program| program.ends_with("Xvfb"))
    }

    pub(super) fn is_browser(&self) -> bool {
        self.arguments.iter().any(|word| word == "--user-data-dir=/run/kept/profile")
            && !self.arguments.iter().any(|word| word.starts_with("--type="))
    }
}

/// Everything that runs beneath a runtime.
pub(super) fn processes(above: u32) -> Vec<Process> {
    let pids = std::fs::read_dir("/proc").expect("processes are listed").flatten();
    let mut others: Vec<Process> =
        pids.filter_map(|entry| Process::read(entry.file_name().to_str()?.parse().ok()?)).collect();
    let mut found: Vec<Process> = Vec::new();
    loop {
        let is_child =
            |process: &Process| process.parent == above || found.iter().any(|known| known.pid == process.parent);
        let (children, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(is_child);
        if children.is_empty() {
            return found;
        }
        found.extend(children);
        others = rest;
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Shell,
    Desktop,
    Display,
    Browser,
}

impl Part {
    /// Finds its process, as the host sees it.
    fn pid(self, baton: &Baton) -> Option<u32> {
        let all = processes(baton.pid());
        let parent_of =
            |of: &dyn Fn(&Process) -> bool| all.iter().filter(|p| of(p)).map(|p| p.parent).collect::<Vec<_>>();
        let of_displays = parent_of(&Process::is_display);
        // The first process of the commands' namespace is a copy of the shell room's guest.
        let of_starters = parent_of(&|process| process.is_guest() && !of_displays.contains(&process.pid));
        let found = all.iter().find(|process| match self {
            Self::Browser => process.is_browser(),
            Self::Display => process.is_display(),
            Self::Desktop => process.is_guest() && of_displays.contains(&process.pid),
            Self::Shell => process.is_guest() && of_starters.contains(&process.pid),
        });
        found.map(|process| process.pid)
    }

    async fn signal(self, baton: &Baton, signal: Signal) {
        let pid = eventually("the part runs", || async { self.pid(baton) }).await;
        kill(Pid::from_raw(pid.cast_signed()), signal).expect("the part can be signalled");
    }

    fn name(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Desktop => "desktop",
            Self::Display => "display",
            Self::Browser => "browser",
        }
    }
}

async fn recoveries(baton: &Baton, sandbox: &str) -> Vec<Value> {
    let page = baton.get(&format!("/sandboxes/{sandbox}/events?limit=200")).await;
    let events = page["data"].as_array().expect("a list");
    events.iter().filter(|event| event["type"] == "sandbox.recovered").map(|event| event["data"].clone()).collect()
}

/// Waits until so many parts have come back, and returns the data of the last event.
async fn until_recovered(baton: &Baton, sandbox: &str, count: usize) -> Value {
    let begun = Instant::now();
    loop {
        let told = recoveries(baton, sandbox).await;
        if told.len() >= count {
            assert_eq!(told.len(), count, "one loss is told once: {told:?}");
            return told[count - 1].clone();
        }
        let status = baton.get(&format!("/sandboxes/{sandbox}")).await;
        assert!(status["status"] != "failed", "{status}");
        assert!(begun.elapsed() < NOTICED, "not noticed after {NOTICED:?}: {told:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn shell(baton: &Baton, sandbox: &str, line: &str) -> Value {
    let command = json!({ "command": "bash", "args": ["-c", line], "timeoutMs": 30_000 });
    baton.post(&format!("/sandboxes/{sandbox}/exec"), command).await
}

async fn each_part_comes_back(signal: Signal, cause: &str) {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({})).await;
    shell(&baton, &sandbox, "echo kept > kept.txt").await;
    let parts = [Part::Browser, Part::Shell, Part::Display, Part::Desktop];
    for (at, part) in parts.into_iter().enumerate() {
        part.signal(&baton, signal).await;
        let told = until_recovered(&baton, &sandbox, at + 1).await;
        assert_eq!(told, json!({ "part": part.name(), "cause": cause }), "{part:?}");
        let done = shell(&baton, &sandbox, "cat kept.txt").await;
        assert_eq!(done["stdout"], "kept\n", "after {part:?}: {done}");
        let open = json!({ "url": "about:blank" });
        let preview = baton.post(&format!("/sandboxes/{sandbox}/preview/navigate"), open).await;
        assert_eq!(preview["status"], "ready", "after {part:?}: {preview}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_that_is_killed_comes_back() {
    each_part_comes_back(Signal::SIGKILL, "ended").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_that_is_stopped_is_noticed_ended_and_comes_back() {
    each_part_comes_back(Signal::SIGSTOP, "hung").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_browser_comes_back_with_cookies_and_tabs_while_commands_go_on() {
    let cookies = [(header::SET_COOKIE, "seat=7; Path=/; HttpOnly")];
    let own_cookies = async |headers: HeaderMap| {
        let sent = headers.get(header::COOKIE).and_then(|cookies| cookies.to_str().ok());
        axum::response::Html(format!("<title>Sent</title><p>sent: {}", sent.unwrap_or("nothing")))
    };
    let more = Router::new()
        .route("/sign-in", get(move || async move { (cookies, axum::response::Html("<title>In</title>in")) }))
        .route("/sent", get(own_cookies));
    let (site, baton) = tokio::join!(Site::serve(&[("/two", "<title>Two</title>two")], more), Baton::start());
    let network = json!({ "allowPrivate": [site.address.to_string()] });
    let sandbox = baton.ready_sandbox(json!({ "network": network })).await;
    let of = |route: &str| format!("/sandboxes/{sandbox}{route}");
    baton.post(&of("/preview/navigate"), json!({ "url": site.url("/sign-in") })).await;
    let mut client = Debugger::with_token(&baton, &of("/cdp")).await;
    client.call(None, "Target.createTarget", json!({ "url": site.url("/two") })).await;
    baton.until(&of("/preview"), "/tabs/1/title", "Two").await;
    drop(client);
    // The cookies of a moment ago are what comes back.
    tokio::time::sleep(Duration::from_secs(5)).await;

    let command = shell(&baton, &sandbox, "for n in $(seq 40); do sleep 0.2; done; echo through");
    let lost = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        Part::Browser.signal(&baton, Signal::SIGKILL).await;
        until_recovered(&baton, &sandbox, 1).await
    };
    let (ran, told) = tokio::join!(command, lost);
    assert_eq!((&ran["stdout"], &ran["exitCode"]), (&json!("through\n"), &json!(0)), "{ran}");
    assert_eq!(told, json!({ "part": "browser", "cause": "ended" }));

    let preview = baton.until(&of("/preview"), "/tabs/1/title", "Two").await;
    let addresses: Vec<&str> =
        preview["tabs"].as_array().expect("tabs").iter().filter_map(|tab| tab["url"].as_str()).collect();
    assert_eq!(addresses, [site.url("/sign-in"), site.url("/two")], "{preview}");
    let title = baton.until(&of("/preview"), "/tabs/0/title", "In").await;
    assert_eq!(title["status"], "ready");
    baton.post(&of("/preview/navigate"), json!({ "url": site.url("/sent") })).await;
    let mut client = Debugger::with_token(&baton, &of("/cdp")).await;
    let targets = client.call(None, "Target.getTargets", json!({})).await;
    let sent = targets["targetInfos"].as_array().expect("targets").iter().find(|target| target["title"] == "Sent");
    let target = json!({ "targetId": sent.expect("the page is there")["targetId"], "flatten": true });
    let session = client.call(None, "Target.attachToTarget", target).await["sessionId"].clone();
    let read = json!({ "expression": "document.body.innerText", "returnByValue": true });
    let text = client.call(session.as_str(), "Runtime.evaluate", read).await;
    assert_eq!(text["result"]["value"], "sent: seat=7", "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_and_a_live_view_outlive_their_browser() {
    let (site, baton) = tokio::join!(Site::serve(&[("/one", "<title>One</title>one")], Router::new()), Baton::start());
    let network = json!({ "allowPrivate": [site.address.to_string()] });
    let sandbox = baton.ready_sandbox(json!({ "network": network })).await;
    let steps = json!([
        { "navigate": site.url("/one") },
        { "exec": { "command": "sleep", "args": ["4"] } },
        { "navigate": site.url("/one") },
        { "extract": { "selector": "body" } },
    ]);
    let playbook = json!({ "name": "Outlives", "steps": steps }).to_string();
    let task = baton.post(&format!("/sandboxes/{sandbox}/tasks"), json!({ "playbook": playbook })).await;
    let task = task["taskId"].as_str().expect("a task").to_owned();
    let viewer = Viewer::connect(&baton, &sandbox).await;
    viewer.still_picture().await;
    baton.until(&format!("/tasks/{task}"), "/usage/steps", 2).await;
    Part::Browser.signal(&baton, Signal::SIGKILL).await;
    eventually("its end is noticed", || async {
        let preview = baton.get(&format!("/sandboxes/{sandbox}/preview")).await;
        (preview["status"] == "starting").then_some(())
    })
    .await;
    // Connecting again at once, as the page does, waits for the browser.
    let again = Viewer::connect(&baton, &sandbox).await;
    again.still_picture().await;
    again.take().await;
    again.hand_back(None).await;
    assert!(!viewer.seen(|seen| seen.ended), "the view was told that its sandbox had ended");
    until_recovered(&baton, &sandbox, 1).await;
    let ended = baton.until_over(&task).await;
    assert_eq!(ended["status"], "completed", "{ended}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_signal_of_a_command_stops_what_runs_commands() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    for line in [
        "kill -STOP 1; kill -KILL 1; kill -TERM 1; echo tried",
        "kill -STOP $PPID; echo tried",
        "kill -STOP -1; echo tried",
        "kill -KILL -1; echo tried",
        "for pid in $(ls /proc | grep -E '^[0-9]+$'); do [ $pid = $$ ] || kill -STOP $pid; done; echo tried",
        "kill -KILL $PPID; echo tried",
    ] {
        let begun = Instant::now();
        let tried = shell(&baton, &sandbox, line).await;
        assert_eq!(tried["timedOut"], false, "{line}: {tried}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{line}: {:?}", begun.elapsed());
        assert_eq!(shell(&baton, &sandbox, "echo lives").await["stdout"], "lives\n", "after {line}");
    }
    assert_eq!(recoveries(&baton, &sandbox).await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_keeps_its_time_while_its_guest_is_stopped() {
    let baton = Baton::start().await;
    let sandbox = baton.ready_sandbox(json!({ "capabilities": { "browser": false } })).await;
    let (exec_at, code_at) = (format!("/sandboxes/{sandbox}/exec"), format!("/sandboxes/{sandbox}/code"));
    let exec = json!({ "command": "bash", "args": ["-c", "echo begun; sleep 60"], "timeoutMs": 2000 });
    let code = json!({ "language": "bash", "code": "echo begun; sleep 60", "timeoutMs": 2000 });
    let begun = Instant::now();
    let (exec, code, ()) = tokio::join!(baton.post(&exec_at, exec), baton.post(&code_at, code), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Part::Shell.signal(&baton, Signal::SIGSTOP).await;
    });
    let took = begun.elapsed();
    for ran in [exec, code] {
        let told = (&ran["timedOut"], &ran["exitCode"], &ran["signal"], &ran["stdout"]);
        assert_eq!(told, (&json!(true), &json!(137), &json!("SIGKILL"), &json!("begun\n")), "{ran}");
    }
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert_eq!(until_recovered(&baton, &sandbox, 1).await, json!({ "part": "shell", "cause": "hung" }));
    assert_eq!(shell(&baton, &sandbox, "echo lives").await["stdout"], "lives\n");
}
