//! How files pass between the browser and the workspace.
//!
//! ```text
//!   page ─ download ─▶ PROFILE/Exchange/out/GUID ─ moved by us ─▶ workspace/downloads/NAME
//!   page ◀─ upload ── PROFILE/Exchange/in/n/NAME ◀─ opened by us ─ workspace/NAME
//! ```
//!
//! Programs of the shell room write the workspace and may put links into it, so the browser opens nothing there by a name
//! that they gave: the runtime opens it beneath the workspace, and hands over that file.
//! Both folders are in the browser's profile, which the shell room does not have.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::unistd::{UnlinkatFlags, unlinkat};
use sandbox_core::layout::{DOWNLOADS, DOWNLOADS_IN_PROFILE};

use crate::workspace::{HandedOut, Workspace, WorkspaceError};

const UPLOADS_IN_PROFILE: &str = "Exchange/in";
/// How much is written to learn whether the disk is full.
const TRIAL_BYTES: usize = 64 * 1024;

/// Both ends of the way, as the host and as the browser see them. All calls block.
#[derive(Debug)]
pub struct Exchange {
    workspace: Workspace,
    /// Where the browser sees the workspace.
    workspace_seen: String,
    profile: PathBuf,
    /// Where the browser sees its profile.
    profile_seen: String,
    n_uploads: AtomicU64,
}

impl Exchange {
    /// `profile` is on the host, the seen ones as the browser sees them.
    pub fn new(workspace: Workspace, workspace_seen: &str, profile: &Path, profile_seen: &str) -> Self {
        let plain = |path: &str| path.trim_end_matches('/').to_owned();
        Self {
            workspace,
            workspace_seen: plain(workspace_seen),
            profile: profile.to_owned(),
            profile_seen: plain(profile_seen),
            n_uploads: AtomicU64::new(0),
        }
    }

    /// Makes the folders in a profile, empty. To be called while no browser uses it.
    pub fn prepare(profile: &Path) -> io::Result<()> {
        for folder in [DOWNLOADS_IN_PROFILE, UPLOADS_IN_PROFILE] {
            let folder = profile.join(folder);
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        }
        Ok(())
    }

    /// Returns where the browser is to put downloads, as it sees it.
    pub fn downloads_seen(&self) -> String {
        format!("{}/{DOWNLOADS_IN_PROFILE}", self.profile_seen)
    }

    /// Writes a file where the browser puts downloads, and removes it.
    ///
    /// # Errors
    ///
    /// What keeps the browser from writing there.
    pub fn try_downloads(&self) -> io::Result<()> {
        let folder = self.profile.join(DOWNLOADS_IN_PROFILE);
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(&[0; TRIAL_BYTES])?;
        file.sync_data()
    }

    /// Returns the workspace path of a file that the browser put into the workspace itself: a page that a person saved there.
    pub fn path_in_workspace(&self, seen: &str) -> Option<String> {
        seen.strip_prefix(&self.workspace_seen)?.strip_prefix('/').map(str::to_owned)
    }

    /// Moves a download to where people and programs look for it, under its own name; returns its workspace path.
    /// `seen` is where the browser put it.
    pub fn take_in(&self, seen: &str, name: &str) -> Result<String, ExchangeError> {
        let not_ours = || ExchangeError::Elsewhere(seen.to_owned());
        let file = seen.strip_prefix(&self.downloads_seen()).and_then(|rest| rest.strip_prefix('/'));
        let file = file.filter(|file| !file.is_empty() && !file.contains('/')).ok_or_else(not_ours)?;
        let folder = self.open(DOWNLOADS_IN_PROFILE)?;
        let arrived = self.workspace.arrive(folder.as_fd(), file.as_ref(), DOWNLOADS, name);
        if arrived.is_err() {
            // Nobody could find it here.
            let _ = unlinkat(folder.as_fd(), file, UnlinkatFlags::NoRemoveDir);
        }
        Ok(arrived?)
    }

    /// Opens a file of the workspace for the browser; returns where it sees that file.
    pub fn hand_out(&self, path: &str) -> Result<String, ExchangeError> {
        // Where the workspace has another name for the browser, both names are understood.
        let within = self.path_in_workspace(path);
        let path = within.as_deref().unwrap_or(path);
        let folder = format!("{UPLOADS_IN_PROFILE}/{}", self.n_uploads.fetch_add(1, Ordering::Relaxed));
        std::fs::DirBuilder::new().mode(0o700).create(self.profile.join(&folder))?;
        match self.workspace.hand_out(path, self.open(&folder)?.as_fd()) {
            Ok(HandedOut::File(name)) => Ok(format!("{}/{folder}/{}", self.profile_seen, name.to_string_lossy())),
            // The browser's room follows no link beneath the workspace: what is in the folder is what it seems.
            Ok(HandedOut::Folder(plain)) => Ok(format!("{}/{plain}", self.workspace_seen)),
            Err(error) => {
                let _ = std::fs::remove_dir(self.profile.join(&folder));
                Err(error.into())
            }
        }
    }

    /// Opens a file of the workspace, to be copied elsewhere.
    pub fn open_file(&self, path: &str) -> Result<File, WorkspaceError> {
        Ok(self.workspace.open_file(path)?.0)
    }

    fn open(&self, folder: &str) -> io::Result<OwnedFd> {
        let profile = File::open(&self.profile)?;
        let how = OpenHow::new()
            .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        Ok(openat2(&profile, folder, how)?)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error("the browser put it where nobody takes it from, at {0:?}")]
    Elsewhere(String),
    #[error("use the folder that the browser's files pass through: {0}")]
    Io(#[from] io::Error),
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Scene {
        home: tempfile::TempDir,
        exchange: Exchange,
    }

    fn scene() -> Scene {
        let home = tempfile::tempdir().unwrap();
        let profile = home.path().join("profile");
        Exchange::prepare(&profile).unwrap();
        std::fs::write(profile.join("Cookies"), "canary").unwrap();
        let workspace = Workspace::create(&home.path().join("workspace")).unwrap();
        let exchange = Exchange::new(workspace, "/workspace", &profile, "/run/kept/profile");
        Scene { home, exchange }
    }

    impl Scene {
        fn path(&self, path: &str) -> PathBuf {
            self.home.path().join(path)
        }

        fn download(&self, guid: &str, name: &str) -> Result<String, ExchangeError> {
            std::fs::write(self.path("profile/Exchange/out").join(guid), name).unwrap();
            self.exchange.take_in(&format!("/run/kept/profile/Exchange/out/{guid}"), name)
        }

        /// Reads what was handed out, as the browser would.
        fn handed(&self, path: &str) -> String {
            let seen = self.exchange.hand_out(path).unwrap();
            let inside = seen.strip_prefix("/run/kept/").unwrap();
            std::fs::read_to_string(self.path(inside)).unwrap()
        }
    }

    #[test]
    fn downloads_arrive_under_their_names_and_replace_nothing() {
        let scene = scene();
        assert_eq!(scene.download("g1", "a.csv").unwrap(), "downloads/a.csv");
        assert_eq!(scene.download("g2", "a.csv").unwrap(), "downloads/a (1).csv");
        assert!(!scene.path("profile/Exchange/out/g1").exists());
        let long = scene.download("g3", &("n".repeat(300) + ".csv")).unwrap();
        assert!(long.ends_with(".csv") && scene.path("workspace").join(long).exists());
    }

    #[test]
    fn a_link_in_place_of_the_folder_leads_nothing_out() {
        let scene = scene();
        symlink(scene.path("profile"), scene.path("workspace/downloads")).unwrap();
        let refused = scene.download("g1", "Planted").unwrap_err();
        assert!(matches!(refused, ExchangeError::Workspace(WorkspaceError::Outside { .. })), "{refused}");
        assert!(!scene.path("profile/Planted").exists() && !scene.path("profile/Exchange/out/g1").exists());
        std::fs::remove_file(scene.path("workspace/downloads")).unwrap();
        symlink("/workspace/elsewhere", scene.path("workspace/downloads")).unwrap();
        scene.download("g2", "a.csv").unwrap();
        assert!(scene.path("workspace/elsewhere/a.csv").exists(), "a link within the workspace is followed");
    }

    #[test]
    fn only_what_the_browser_was_told_to_put_there_is_taken() {
        let scene = scene();
        for seen in ["/run/kept/profile/Cookies", "/run/kept/profile/Exchange/out/../../Cookies", "/etc/passwd", ""] {
            assert!(matches!(scene.exchange.take_in(seen, "x"), Err(ExchangeError::Elsewhere(_))), "{seen}");
        }
        symlink("../../Cookies", scene.path("profile/Exchange/out/link")).unwrap();
        assert!(scene.exchange.take_in("/run/kept/profile/Exchange/out/link", "x").is_err());
        assert!(!scene.path("workspace/downloads/x").exists());
    }

    #[test]
    fn what_is_handed_out_is_a_file_of_the_workspace() {
        let scene = scene();
        let workspace = scene.path("workspace");
        std::fs::write(workspace.join("note.txt"), "hello").unwrap();
        symlink("/workspace/note.txt", workspace.join("inside")).unwrap();
        symlink(scene.path("profile/Cookies"), workspace.join("outside")).unwrap();
        symlink("/run/kept/profile", workspace.join("folder")).unwrap();
        symlink("/proc/self/root", workspace.join("magic")).unwrap();
        assert_eq!(scene.handed("note.txt"), "hello");
        assert_eq!(scene.handed("/workspace/inside"), "hello");
        for path in ["outside", "folder/Cookies", "folder", "magic", "magic/etc/passwd", "../profile/Cookies", "absent"]
        {
            assert!(scene.exchange.hand_out(path).is_err(), "{path}");
        }
        std::fs::create_dir(workspace.join("docs")).unwrap();
        symlink("docs", workspace.join("alias")).unwrap();
        assert_eq!(scene.exchange.hand_out("/workspace/alias").unwrap(), "/workspace/docs");
    }
}
