//! One door from the interface to the desktop, and one crate that depends on Tauri.

use crate::sources::{self, Source};
use crate::{Violation, assert_none};

/// Returns the files that import the desktop's API, but for the first of them.
fn check(sources: &[Source]) -> Vec<Violation> {
    let importers = sources.iter().filter(|source| source.text.contains("@tauri-apps/"));
    importers
        .skip(1)
        .map(|source| Violation { file: source.path.clone(), rule: "a second file imports @tauri-apps".to_owned() })
        .collect()
}

#[test]
fn one_file_of_the_interface_imports_the_desktop() {
    assert_none(&check(&sources::beneath("ui/src", &[".ts", ".svelte", ".js"])));
}

#[test]
fn only_the_desktop_depends_on_tauri() {
    for manifest in [
        "sandbox-runtime",
        "sandbox-runtime/core",
        "sandbox-runtime/link",
        "sandbox-runtime/picture",
        "sandbox-runtime/guest",
        "tests",
    ] {
        let text = sources::read(&format!("{manifest}/Cargo.toml"));
        assert!(!text.lines().any(|line| line.starts_with("tauri")), "{manifest} depends on tauri");
    }
    let core = sources::read("sandbox-runtime/core/Cargo.toml");
    for other in ["sandbox-link", "sandbox-runtime.", "sandbox-guest", "tokio"] {
        assert!(!core.lines().any(|line| line.starts_with(other)), "core depends on {other}");
    }
}

#[test]
fn second_door_to_the_desktop_fails() {
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let door = || file("ui/src/host/desktop.ts", "import { invoke } from '@tauri-apps/api/core'");
    let view = file("ui/src/views/a.svelte", "await import('@tauri-apps/plugin-opener')");
    let plain = || file("ui/src/views/b.svelte", "import x from './x'");
    assert_eq!(check(&[door(), plain()]), []);
    let expected =
        Violation { file: "ui/src/views/a.svelte".to_owned(), rule: "a second file imports @tauri-apps".to_owned() };
    assert_eq!(check(&[door(), plain(), view]), [expected]);
}
