//! Chromium keeps its own sandbox in the desktop room: beneath our filter, each renderer adds its own and has namespaces of
//! its own.

use std::collections::BTreeMap;
use std::fs;

use baton_tests::{Baton, eventually};
use serde_json::json;

/// What the kernel says of a process.
struct Process {
    pid: u32,
    parent: u32,
    arguments: String,
    filters: u32,
    /// How deep its process namespace lies.
    depth: usize,
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let fields: BTreeMap<&str, &str> = status.lines().filter_map(|line| line.split_once(":\t")).collect();
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        Some(Self {
            pid,
            parent: fields.get("PPid")?.trim().parse().ok()?,
            arguments: String::from_utf8_lossy(&arguments).replace('\0', " "),
            filters: fields.get("Seccomp_filters")?.trim().parse().ok()?,
            depth: fields.get("NSpid")?.split_whitespace().count(),
        })
    }

    fn namespace(&self, kind: &str) -> Option<String> {
        Some(fs::read_link(format!("/proc/{}/ns/{kind}", self.pid)).ok()?.display().to_string())
    }
}

/// Everything that runs beneath a runtime.
fn beneath(root: u32) -> Vec<Process> {
    let pids = fs::read_dir("/proc").expect("processes are listed").flatten();
    let mut others: Vec<_> =
        pids.filter_map(|entry| Process::read(entry.file_name().to_str()?.parse().ok()?)).collect();
    let mut found: Vec<Process> = Vec::new();
    loop {
        let is_child = |one: &Process| one.parent == root || found.iter().any(|known| known.pid == one.parent);
        let (children, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(is_child);
        if children.is_empty() {
            return found;
        }
        found.extend(children);
        others = rest;
    }
}

#[tokio::test]
async fn every_renderer_keeps_its_own_filter_and_namespaces() {
    let baton = Baton::start().await;
    let _sandbox = baton.ready_sandbox(json!({})).await;
    let all = eventually("a page is rendered", || async {
        let all = beneath(baton.pid());
        all.iter().any(|one| one.arguments.contains("--type=renderer")).then_some(all)
    })
    .await;
    let browser = all
        .iter()
        .find(|one| one.arguments.contains("--user-data-dir=/run/kept/profile") && !one.arguments.contains("--type="))
        .expect("the browser");
    assert!(!browser.arguments.contains("--no-sandbox"), "{}", browser.arguments);
    assert_eq!(browser.filters, 2, "ours");
    let renderers: Vec<_> = all.iter().filter(|one| one.arguments.contains("--type=renderer")).collect();
    for renderer in renderers {
        assert!(renderer.filters > browser.filters, "{} filters", renderer.filters);
        assert!(renderer.depth > browser.depth, "a process namespace of its own");
        for kind in ["user", "net", "pid"] {
            // One that has ended meanwhile has none.
            let Some(own) = renderer.namespace(kind) else { continue };
            assert_ne!(Some(own), browser.namespace(kind), "{kind}");
        }
    }
}
