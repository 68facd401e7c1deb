//! The files of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of the workspace that hold Rust sources of the product.
pub const RUST: [&str; 6] = [
    "sandbox-runtime/src",
    "sandbox-runtime/core/src",
    "sandbox-runtime/link/src",
    "sandbox-runtime/picture/src",
    "sandbox-runtime/guest/src",
    "src-tauri/src",
];

/// One file: its path in the workspace, with `/` between its parts, and its text.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// Returns the Rust sources of the product.
pub fn rust() -> Vec<Source> {
    let found: Vec<Source> = RUST.iter().flat_map(|folder| beneath(folder, &[".rs"])).collect();
    assert!(found.len() > 300, "the sources were not found: {}", found.len());
    found
}

/// Returns the files beneath `folder` whose names end so.
pub fn beneath(folder: &str, endings: &[&str]) -> Vec<Source> {
    let root = workspace();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { path: name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Returns the text of a file of the workspace.
pub fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the runtime lies in the workspace").to_owned()
}
