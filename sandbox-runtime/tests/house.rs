//! The direction of imports, as the design draws it, read from the sources.
//!
//! ```text
//! src-tauri ─> api ─> service ─> driver ─> agent | browser ─> sandbox ─> link
//!                        ├─> stream, workspace, store, egress
//!                        every one of them ─> core
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One room of the house and the rooms that it may name. `core`, `link` and the like are rooms in other crates.
struct Room {
    name: &'static str,
    may_name: &'static [&'static str],
}

/// Rooms of `sandbox-runtime/src`, from the top down: a room names only rooms beneath it, and not all of those.
const ROOMS: [Room; 10] = [
    Room {
        name: "api",
        may_name: &[
            "service",
            "driver",
            "stream",
            "workspace",
            "store",
            "egress",
            "browser",
            "agent",
            "sandbox",
            "link",
        ],
    },
    Room {
        name: "service",
        may_name: &["driver", "agent", "browser", "stream", "workspace", "store", "egress", "sandbox", "link"],
    },
    Room { name: "stream", may_name: &["driver", "browser", "sandbox", "link"] },
    Room {
        name: "driver",
        may_name: &["agent", "browser", "stream", "workspace", "store", "egress", "sandbox", "link"],
    },
    Room { name: "agent", may_name: &["browser", "workspace", "store", "sandbox", "link"] },
    Room { name: "browser", may_name: &["workspace", "egress", "sandbox", "link"] },
    Room { name: "sandbox", may_name: &["link"] },
    Room { name: "workspace", may_name: &["store", "sandbox"] },
    Room { name: "store", may_name: &[] },
    Room { name: "egress", may_name: &[] },
];

/// What a source names beyond itself, in one word for each.
const CRATES: [(&str, &str); 4] = [
    ("sandbox_link", "link"),
    ("sandbox_guest", "guest"),
    ("sandbox_runtime", "runtime"),
    ("baton_desktop", "desktop"),
];

/// Changes handoffs outside the driver: at a start no driver runs yet, and what an earlier runtime left open is ended there.
const RECOVERY: &str = "service/recovery.rs";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    file: String,
    rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.rule)
    }
}

/// Checks one Rust source at `path`, relative to the workspace, with `/` between its parts.
fn check_source(path: &str, source: &str) -> Vec<Violation> {
    let code = without_comments_and_strings(source);
    let named = paths_named(&code);
    let mut rules = Vec::new();

    if named.iter().any(|path| path[0].starts_with("tauri")) && !path.starts_with("src-tauri/") {
        rules.push("only src-tauri names tauri".to_owned());
    }
    if let Some(rest) = path.strip_prefix("sandbox-runtime/src/") {
        rules.extend(check_room(rest, &named));
    }
    if path.starts_with("sandbox-runtime/core/src/") {
        rules.extend(check_core(&named));
    }
    if path.starts_with("sandbox-runtime/link/src/") {
        rules.extend(check_crate(&named, "link", &["guest", "runtime", "desktop"]));
    }
    if path.starts_with("sandbox-runtime/guest/src/") {
        rules.extend(check_crate(&named, "guest", &["runtime", "desktop"]));
    }
    rules.into_iter().map(|rule| Violation { file: path.to_owned(), rule }).collect()
}

/// A file of the runtime names only the rooms beneath its own; only the driver changes state.
fn check_room(file: &str, named: &BTreeSet<Vec<String>>) -> Vec<String> {
    let mut rules = Vec::new();
    let own = file.split(['/', '.']).next().unwrap_or_default();
    if let Some(room) = ROOMS.iter().find(|room| room.name == own) {
        for other in named.iter().filter_map(|path| room_named(path)) {
            if other != own && !room.may_name.contains(&other) {
                rules.push(format!("{own} names {other}, which is not beneath it"));
            }
        }
    }
    if own != "driver" && file != RECOVERY {
        let changes = |path: &&Vec<String>| {
            let words: Vec<&str> = path.iter().map(String::as_str).collect();
            matches!(words[..], ["sandbox_core", "control", "Control", ..] | ["sandbox_core", "handoff", "apply", ..])
                || words == ["sandbox_core", "control", "*"]
                || words == ["sandbox_core", "handoff", "*"]
        };
        if let Some(path) = named.iter().find(changes) {
            rules.push(format!("only driver changes control and handoffs, and this names {}", path.join("::")));
        }
    }
    rules
}

fn check_core(named: &BTreeSet<Vec<String>>) -> Vec<String> {
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

fn check_crate(named: &BTreeSet<Vec<String>>, own: &str, forbidden: &[&str]) -> Vec<String> {
    let crates = named.iter().filter_map(|path| CRATES.iter().find(|(name, _)| path[0] == *name));
    crates.filter(|(_, other)| forbidden.contains(other)).map(|(_, other)| format!("{own} names {other}")).collect()
}

/// Returns the room that a path of the runtime leads to.
fn room_named(path: &[String]) -> Option<&'static str> {
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

/// Checks the sources of the interface: the desktop's API is imported in one file.
fn check_interface(sources: &[(String, String)]) -> Vec<Violation> {
    let mut importers = sources.iter().filter(|(_, text)| text.contains("@tauri-apps/"));
    importers.next();
    importers
        .map(|(file, _)| Violation { file: file.clone(), rule: "a second file imports @tauri-apps".to_owned() })
        .collect()
}

/// Returns every path that the code names: those of `use`, each brace opened, and those written in place.
fn paths_named(code: &str) -> BTreeSet<Vec<String>> {
    let tokens = tokens(code);
    let mut paths = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            let end = tokens[at..].iter().position(|token| token == ";").map_or(tokens.len(), |len| at + len);
            open_tree(&tokens[at + 1..end], &[], &mut paths);
            at = end;
        } else if is_word(&tokens[at]) {
            let mut path = vec![tokens[at].clone()];
            while at + 2 < tokens.len() && tokens[at + 1] == "::" && is_word(&tokens[at + 2]) {
                path.push(tokens[at + 2].clone());
                at += 2;
            }
            if path.len() > 1 {
                paths.insert(path);
            }
        }
        at += 1;
    }
    let imported: Vec<Vec<String>> = paths.iter().filter(|path| path.len() > 1).cloned().collect();
    // `use sandbox_core::control; control::Control` names what lies beneath the import.
    for path in paths.clone() {
        for import in imported.iter().filter(|import| import.last() == path.first() && path.len() > 1) {
            paths.insert(import.iter().chain(&path[1..]).cloned().collect());
        }
    }
    paths
}

/// Opens one tree of `use`: `a::{b, c::{self, d as e}}` is `a::b`, `a::c` and `a::c::d`.
fn open_tree(tokens: &[String], before: &[String], paths: &mut BTreeSet<Vec<String>>) {
    let mut path = before.to_vec();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "{" => {
                let inner = &tokens[at + 1..closing(tokens, at)];
                for branch in branches(inner) {
                    open_tree(branch, &path, paths);
                }
                return;
            }
            "as" => break,
            "self" if !path.is_empty() => {}
            "::" => {}
            word => path.push(word.to_owned()),
        }
        at += 1;
    }
    if !path.is_empty() {
        paths.insert(path);
    }
}

fn closing(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// Splits at the commas that lie outside braces.
fn branches(tokens: &[String]) -> Vec<&[String]> {
    let mut depth = 0;
    tokens
        .split(|token| {
            match token.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            depth == 0 && token == ","
        })
        .collect()
}

fn tokens(code: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            _ if is_word_char(first) => rest.find(|c| !is_word_char(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        tokens.push(rest[..len].to_owned());
        rest = rest[len..].trim_start();
    }
    tokens
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word(token: &str) -> bool {
    token.starts_with(is_word_char)
}

/// Blanks out comments and literals: what they say is no import.
fn without_comments_and_strings(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => string_len(rest),
            'r' if !code.ends_with(is_word_char) => raw_string_len(rest),
            '\'' => char_len(rest),
            _ => 0,
        };
        if skipped > 0 {
            code.push(' ');
            rest = &rest[skipped..];
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    code
}

fn string_len(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of `r#"…"#`; 0 if it is none.
fn raw_string_len(rest: &str) -> usize {
    let hashes = rest[1..].chars().take_while(|&c| c == '#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let begin = 2 + hashes;
    rest[begin..].find(&end).map_or(rest.len(), |at| begin + at + end.len())
}

/// The length of `'x'` or `'\n'`; 0 for a lifetime.
fn char_len(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3.min(rest.len())..].find('\'').map_or(0, |at| at + 4),
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the runtime lies in the workspace").to_owned()
}

/// Returns the texts beneath `folder` whose names end so, by their path in the workspace.
fn sources(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let root = workspace();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        // Not every folder is there in every state of the tree.
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn assert_none(violations: &[Violation]) {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

#[test]
fn imports_follow_the_direction_of_the_house() {
    let folders = [
        "sandbox-runtime/src",
        "sandbox-runtime/core/src",
        "sandbox-runtime/link/src",
        "sandbox-runtime/guest/src",
        "src-tauri/src",
    ];
    let mut n_files = 0;
    let mut violations = Vec::new();
    for folder in folders {
        for (file, source) in sources(folder, &[".rs"]) {
            n_files += 1;
            violations.extend(check_source(&file, &source));
        }
    }
    assert!(n_files > 40, "the sources were not found: {n_files}");
    assert_none(&violations);
}

#[test]
fn one_file_of_the_interface_imports_the_desktop() {
    assert_none(&check_interface(&sources("ui/src", &[".ts", ".svelte", ".js"])));
}

#[test]
fn only_the_desktop_depends_on_tauri() {
    for manifest in
        ["sandbox-runtime", "sandbox-runtime/core", "sandbox-runtime/link", "sandbox-runtime/guest", "tests"]
    {
        let text = fs::read_to_string(workspace().join(manifest).join("Cargo.toml")).unwrap();
        assert!(!text.lines().any(|line| line.starts_with("tauri")), "{manifest} depends on tauri");
    }
    let core = fs::read_to_string(workspace().join("sandbox-runtime/core/Cargo.toml")).unwrap();
    for other in ["sandbox-link", "sandbox-runtime.", "sandbox-guest", "tokio"] {
        assert!(!core.lines().any(|line| line.starts_with(other)), "core depends on {other}");
    }
}

/// A layer can be left out for the tests that show how layers overlap, and for nobody else.
#[test]
fn nothing_but_tests_takes_a_layer_away() {
    let folders = ["sandbox-runtime/src", "src-tauri/src"];
    let everywhere = folders.into_iter().flat_map(|folder| sources(folder, &[".rs"]));
    let callers = |file: &(String, String)| [".weakened(", ".without_groups("].iter().any(|call| file.1.contains(call));
    let found: Vec<String> = everywhere.filter(callers).map(|(file, _)| file).collect();
    assert_eq!(found, Vec::<String>::new());
}

mod checker {
    use super::*;

    #[track_caller]
    fn check(path: &str, source: &str, expected: &[&str]) {
        let rules: Vec<String> = check_source(path, source).into_iter().map(|violation| violation.rule).collect();
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
        check(path, "fn f() { g(\"use crate::driver::X; \\\" crate::api::Y\", '\"', r#\"crate::api::Z\"#) }", &[]);
        check(path, "/// [`crate::driver::Driver`]\nstruct S;", &[]);
        check(
            path,
            "fn f() { g('\\'', \"\") } use crate::driver::X;",
            &["browser names driver, which is not beneath it"],
        );
    }

    #[test]
    fn control_is_changed_in_the_driver_only() {
        let check_fails = |source: &str, named: &str| {
            let rule = format!("only driver changes control and handoffs, and this names {named}");
            check("sandbox-runtime/src/service/mod.rs", source, &[&rule]);
        };
        check_fails("use sandbox_core::control::Control;", "sandbox_core::control::Control");
        check_fails("use sandbox_core::control::{State, Control};", "sandbox_core::control::Control");
        check_fails(
            "use sandbox_core::control; fn f() { control::Control::default() }",
            "sandbox_core::control::Control::default",
        );
        check_fails("fn f() { sandbox_core::handoff::apply(h, s, 0) }", "sandbox_core::handoff::apply");
        check_fails("use sandbox_core::control::*;", "sandbox_core::control::*");
        check("sandbox-runtime/src/service/mod.rs", "use sandbox_core::control::State;", &[]);
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

    #[test]
    fn second_door_to_the_desktop_fails() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let door = file("ui/src/host/desktop.ts", "import { invoke } from '@tauri-apps/api/core'");
        let view = file("ui/src/views/a.svelte", "await import('@tauri-apps/plugin-opener')");
        let plain = file("ui/src/views/b.svelte", "import x from './x'");
        assert_eq!(check_interface(&[door.clone(), plain.clone()]), []);
        let expected = Violation {
            file: "ui/src/views/a.svelte".to_owned(),
            rule: "a second file imports @tauri-apps".to_owned(),
        };
        assert_eq!(check_interface(&[door, plain, view]), [expected]);
    }
}
