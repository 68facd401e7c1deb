//! The workspace as its callers see it, and as hostile code in a sandbox would have it.

mod files;
mod found;
mod hostile;

use std::path::PathBuf;

use super::Workspace;

/// A workspace, and a folder beside it that nothing may reach, with a canary in it.
pub(super) struct Room {
    pub workspace: Workspace,
    pub outside: PathBuf,
    _home: tempfile::TempDir,
}

pub(super) const CANARY: &str = "the canary outside";

pub(super) fn room() -> Room {
    let home = tempfile::tempdir().unwrap();
    let workspace = Workspace::create(&home.path().join("workspace")).unwrap();
    let outside = home.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("canary"), CANARY).unwrap();
    Room { workspace, outside, _home: home }
}

impl Room {
    /// Where a path of the workspace is on the host.
    pub fn host(&self, path: &str) -> PathBuf {
        self.workspace.path().join(path)
    }

    pub fn put(&self, path: &str, text: &str) {
        self.workspace.write(path, text.as_bytes(), 1 << 20).unwrap();
    }

    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.workspace.read(path, None).unwrap().bytes).unwrap()
    }

    /// Nothing outside was read into the workspace, changed, added or removed.
    pub fn check_outside(&self) {
        assert_eq!(std::fs::read_to_string(self.outside.join("canary")).unwrap(), CANARY);
        assert_eq!(std::fs::read_dir(&self.outside).unwrap().count(), 1);
    }
}
