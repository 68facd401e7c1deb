//! The rooms and their arrows. The drawing in the README is this table.

use std::collections::BTreeSet;

use crate::names::{Named, OF_THE_TREE};
use crate::sources::{self, Source};
use crate::{Violation, assert_none};

/// A room and the rooms that it names. `core` may be named by all, and is in no list.
struct Room {
    name: &'static str,
    names: &'static [&'static str],
}

/// Rooms of `sandbox-runtime/src`, from the top down. Each arrow exists: one that no code needs any more leaves the table.
const ROOMS: [Room; 14] = [
    Room { name: "bin", names: &["api", "bundle", "sandbox", "service"] },
    Room { name: "api", names: &["browser", "sandbox", "service", "store", "stream", "workspace"] },
    Room {
        name: "service",
        names: &[
            "agent",
            "browser",
            "bundle",
            "demo",
            "driver",
            "egress",
            "link",
            "recording",
            "sandbox",
            "store",
            "stream",
            "workspace",
        ],
    },
    Room { name: "stream", names: &["link"] },
    Room {
        name: "driver",
        names: &["agent", "browser", "egress", "link", "recording", "sandbox", "store", "workspace"],
    },
    Room { name: "agent", names: &["browser", "workspace"] },
    Room { name: "browser", names: &["egress", "link", "workspace"] },
    Room { name: "demo", names: &["egress"] },
    Room { name: "workspace", names: &["store"] },
    Room { name: "bundle", names: &["store"] },
    Room { name: "recording", names: &["store"] },
    Room { name: "sandbox", names: &["link"] },
    Room { name: "store", names: &[] },
    Room { name: "egress", names: &[] },
];

/// How a path begins that leads to another package.
const CRATES: [(&str, &str); 4] = [
    ("sandbox_link", "link"),
    ("sandbox_guest", "guest"),
    ("sandbox_runtime", "runtime"),
    ("baton_desktop", "desktop"),
];

/// Files outside the driver that close a record whose sandbox no driver owns: not yet at a start, no more after its end.
const CLOSERS: [&str; 1] = ["service/recovery.rs"];

#[test]
fn imports_follow_the_direction_of_the_house() {
    let violations: Vec<Violation> = OF_THE_TREE.iter().flat_map(|(path, named)| check(path, named)).collect();
    assert_none(&violations);
}

#[test]
fn every_arrow_of_the_table_exists() {
    let mut exists = BTreeSet::new();
    for (path, named) in &*OF_THE_TREE {
        if let Some(file) = path.strip_prefix("sandbox-runtime/src/") {
            let own = room_of(file);
            exists.extend(named.iter().filter_map(|path| Some((own, room_named(path)?))));
        }
    }
    let arrows = ROOMS.iter().flat_map(|room| room.names.iter().map(|other| (room.name, *other)));
    let unused: Vec<_> = arrows.filter(|arrow| !exists.contains(arrow)).collect();
    assert!(unused.is_empty(), "nothing needs these arrows any more: {unused:?}");
}

/// Checks one Rust source, by what it names.
fn check(path: &str, named: &BTreeSet<Named>) -> Vec<Violation> {
    let mut rules = Vec::new();
    if named.iter().any(|path| path[0].starts_with("tauri")) && !path.starts_with("src-tauri/") {
        rules.push("only src-tauri names tauri".to_owned());
    }
    if let Some(file) = path.strip_prefix("sandbox-runtime/src/") {
        rules.extend(check_room(file, named));
        rules.extend(check_events(file, named));
    }
    if path.starts_with("sandbox-runtime/core/src/") {
        rules.extend(check_core(named));
    }
    if path.starts_with("sandbox-runtime/link/src/") {
        rules.extend(check_crate(named, "link", &["guest", "runtime", "desktop"]));
    }
    if path.starts_with("sandbox-runtime/picture/src/") {
        rules.extend(check_crate(named, "picture", &["link", "guest", "runtime", "desktop"]));
    }
    if path.starts_with("sandbox-runtime/guest/src/") {
        rules.extend(check_crate(named, "guest", &["runtime", "desktop"]));
    }
    rules.into_iter().map(|rule| Violation { file: path.to_owned(), rule }).collect()
}

/// A file of the runtime names only the rooms beneath its own; only the driver changes state.
fn check_room(file: &str, named: &BTreeSet<Named>) -> Vec<String> {
    let own = room_of(file);
    let mut rules = Vec::new();
    if let Some(room) = ROOMS.iter().find(|room| room.name == own) {
        let others: BTreeSet<&str> = named.iter().filter_map(|path| room_named(path)).collect();
        let forbidden = others.iter().filter(|other| **other != own && !room.names.contains(other));
        rules.extend(forbidden.map(|other| format!("{own} names {other}, which is not beneath it")));
    }
    if own != "driver" {
        let changes = named.iter().find(|path| changes_state(path, CLOSERS.contains(&file)));
        rules.extend(changes.map(|path| format!("only driver changes state, and this names {}", path.join("::"))));
    }
    rules
}

/// Whether a path leads to what changes control, a handoff, an approval or a grant. A closer may end records, and no more.
fn changes_state(path: &Named, is_closer: bool) -> bool {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    match words[..] {
        ["sandbox_core", "control", "Control" | "*", ..] => true,
        ["sandbox_core", "handoff", "apply" | "*", ..] | ["sandbox_core", "approval", "apply" | "*", ..] => !is_closer,
        _ => false,
    }
}

/// Events are written as the structs of their types. What is stored is read by its name, in one place.
fn check_events(file: &str, named: &BTreeSet<Named>) -> Vec<String> {
    let mut rules = Vec::new();
    let by_name = |path: &Named| {
        path.ends_with(&["EventData".to_owned(), "from_parts".to_owned()])
            || path.iter().any(|word| word == "UnknownEvent")
    };
    // The readers at the edges have tests with events as they come.
    if !["store", "bin"].contains(&room_of(file)) && named.iter().any(by_name) {
        rules.push("an event is written as the struct of its type, and not by its name".to_owned());
    }
    if room_of(file) == "driver" && named.contains(&vec!["json".to_owned(), "!".to_owned()]) {
        rules.push("driver writes no loose JSON".to_owned());
    }
    rules
}

fn check_core(named: &BTreeSet<Named>) -> Vec<String> {
    let mut rules = check_crate(named, "core", &["link", "guest", "runtime", "desktop"]);
    for path in named {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let clock = words.iter().any(|word| ["SystemTime", "Instant"].contains(word));
        let opens = matches!(
            words[..],
            ["std", "fs" | "process" | "thread" | "env" | "os" | "time", ..]
                | ["std", "net", "TcpStream" | "TcpListener" | "UdpSocket" | "ToSocketAddrs" | "*", ..]
                | ["tokio", ..]
        );
        if clock {
            rules.push(format!("core reads no clock, and this names {}", path.join("::")));
        } else if opens {
            rules.push(format!("core opens nothing, and this names {}", path.join("::")));
        }
    }
    rules
}

fn check_crate(named: &BTreeSet<Named>, own: &str, forbidden: &[&str]) -> Vec<String> {
    let crates: BTreeSet<&str> = named
        .iter()
        .filter_map(|path| CRATES.iter().find(|(name, _)| path[0] == *name))
        .map(|(_, other)| *other)
        .collect();
    crates.iter().filter(|other| forbidden.contains(other)).map(|other| format!("{own} names {other}")).collect()
}

/// Returns the room that a file of `sandbox-runtime/src` lies in.
fn room_of(file: &str) -> &'static str {
    let own = file.split(['/', '.']).next().unwrap_or_default();
    ROOMS.iter().map(|room| room.name).find(|name| *name == own).unwrap_or("lib")
}

/// Returns the room that a path of the runtime leads to.
fn room_named(path: &Named) -> Option<&'static str> {
    let first = match path[0].as_str() {
        "crate" | "sandbox_runtime" => path.get(1)?.as_str(),
        "sandbox_link" => "link",
        _ => return None,
    };
    if first == "link" {
        return Some("link");
    }
    ROOMS.iter().map(|room| room.name).find(|name| *name == first)
}

/// A layer can be left out for the tests that show how layers overlap, and for nobody else.
#[test]
fn nothing_but_tests_takes_a_layer_away() {
    let takes = |source: &Source| [".weakened(", ".without_groups("].iter().any(|call| source.text.contains(call));
    let product = |path: &str| path.starts_with("sandbox-runtime/src/") || path.starts_with("src-tauri/src/");
    let found: Vec<String> = sources::rust()
        .into_iter()
        .filter(|source| product(&source.path) && takes(source))
        .map(|source| source.path)
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

mod checker {
    use crate::names::paths;

    #[track_caller]
    fn check(path: &str, source: &str, expected: &[&str]) {
        let found = super::check(path, &paths(source));
        let rules: Vec<String> = found.into_iter().map(|violation| violation.rule).collect();
        assert_eq!(rules, expected, "{source}");
    }

    #[test]
    fn allowed_imports_pass() {
        check(
            "sandbox-runtime/src/driver/mod.rs",
            "use crate::browser::Gate; use sandbox_core::control::Control;",
            &[],
        );
        check("sandbox-runtime/src/browser/mod.rs", "use sandbox_link::Link; use crate::browser::gate;", &[]);
        check("sandbox-runtime/src/api/mod.rs", "use crate::service::Service;", &[]);
        check("sandbox-runtime/core/src/x.rs", "use std::net::IpAddr; use crate::model::EpochMs;", &[]);
        check("src-tauri/src/main.rs", "use tauri::Manager;", &[]);
    }

    #[test]
    fn upward_imports_fail_however_they_are_written() {
        let expected = &["browser names driver, which is not beneath it"];
        let path = "sandbox-runtime/src/browser/page.rs";
        check(path, "use crate::driver::Driver;", expected);
        check(path, "use crate::{driver, now_ms};", expected);
        check(path, "use crate::{\n    gate::{self, Gate},\n    driver::{Driver as D},\n};", expected);
        check(path, "fn f() { crate::driver::run() }", expected);
        check(path, "fn f() { log!(\"{}\", crate::driver::run()) }", expected);
        check(path, "pub use crate::driver as wheel;", expected);
        check(path, "fn f<'a>(x: &'a str) -> &'a crate::driver::Driver { todo() }", expected);
        check(
            "sandbox-runtime/src/agent/mod.rs",
            "use crate::service::S;",
            &["agent names service, which is not beneath it"],
        );
        check(
            "sandbox-runtime/src/egress/dial.rs",
            "use sandbox_link::Link;",
            &["egress names link, which is not beneath it"],
        );
        check(
            "sandbox-runtime/src/egress.rs",
            "use crate::store::Store;",
            &["egress names store, which is not beneath it"],
        );
    }

    #[test]
    fn words_in_comments_and_literals_are_no_imports() {
        let path = "sandbox-runtime/src/browser/page.rs";
        check(path, "// use crate::driver::Driver;\n/* crate::driver::X */ fn f() {}", &[]);
        check(path, "fn f() { g(\"use crate::driver::X;\", '\"', r#\"crate::api::Z\"#) }", &[]);
        check(path, "/// [`crate::driver::Driver`]\nstruct S;", &[]);
    }

    #[test]
    fn control_is_changed_in_the_driver_only() {
        let check_fails = |source: &str, named: &str| {
            let rule = format!("only driver changes state, and this names {named}");
            check("sandbox-runtime/src/service/mod.rs", source, &[&rule]);
        };
        check_fails("use sandbox_core::control::Control;", "sandbox_core::control::Control");
        check_fails("use sandbox_core::control::{State, Control};", "sandbox_core::control::Control");
        check_fails(
            "use sandbox_core::control; fn f() { control::Control::default() }",
            "sandbox_core::control::Control::default",
        );
        check_fails("fn f() { sandbox_core::handoff::apply(h, s, 0) }", "sandbox_core::handoff::apply");
        check_fails("use sandbox_core::approval; fn f() { approval::apply(a, s, 0) }", "sandbox_core::approval::apply");
        check_fails("use sandbox_core::control::*;", "sandbox_core::control::*");
        check("sandbox-runtime/src/service/mod.rs", "use sandbox_core::control::State;", &[]);
    }

    #[test]
    fn closers_end_records_and_never_change_control() {
        let file = "sandbox-runtime/src/service/recovery.rs";
        check(file, "use sandbox_core::handoff::apply;", &[]);
        let rule = "only driver changes state, and this names sandbox_core::control::Control";
        check(file, "use sandbox_core::control::Control;", &[rule]);
    }

    #[test]
    fn events_are_written_as_structs() {
        let by_name = &["an event is written as the struct of its type, and not by its name"];
        let source = "use sandbox_core::event::EventData; fn f() { EventData::from_parts(kind, data) }";
        check("sandbox-runtime/src/service/tasks.rs", source, by_name);
        check("sandbox-runtime/src/agent/files.rs", "use sandbox_core::event::{Event, UnknownEvent};", by_name);
        check("sandbox-runtime/src/store/table/events.rs", source, &[]);
        check("sandbox-runtime/src/driver/work.rs", "fn f() { json!({ \"a\": 1 }) }", &["driver writes no loose JSON"]);
        check("sandbox-runtime/src/service/act.rs", "fn f() { json!({ \"a\": 1 }) }", &[]);
    }

    #[test]
    fn core_imports_nothing_of_ours_and_reads_no_clock() {
        let check_fails = |source: &str, rule: &str| check("sandbox-runtime/core/src/control.rs", source, &[rule]);
        check_fails("use sandbox_link::Link;", "core names link");
        check_fails("use std::time::SystemTime;", "core reads no clock, and this names std::time::SystemTime");
        check_fails(
            "fn f() { std::time::Instant::now(); }",
            "core reads no clock, and this names std::time::Instant::now",
        );
        check_fails("use std::fs::File;", "core opens nothing, and this names std::fs::File");
        check_fails("use tokio::sync::mpsc;", "core opens nothing, and this names tokio::sync::mpsc");
        check_fails("use std::net::{IpAddr, TcpStream};", "core opens nothing, and this names std::net::TcpStream");
    }

    #[test]
    fn tauri_is_named_by_the_desktop_only() {
        let rules = &["only src-tauri names tauri"];
        check("sandbox-runtime/src/api/mod.rs", "use tauri::Manager;", rules);
        check("sandbox-runtime/src/lib.rs", "fn f() { tauri_plugin_opener::init() }", rules);
        check("sandbox-runtime/guest/src/main.rs", "use sandbox_runtime::now_ms;", &["guest names runtime"]);
        check("sandbox-runtime/link/src/lib.rs", "use sandbox_guest::run;", &["link names guest"]);
    }
}
