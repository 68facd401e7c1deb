//! Downloads as outside clients ask for them and hear of them.
//!
//! Where they go is not a client's to say: they go to the workspace, under their own names. What a client asks is kept here,
//! so that leaving it changes nothing for the others, and it is told of downloads when their files have arrived.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use nix::fcntl::{OFlag, openat};
use nix::libc;
use nix::sys::stat::Mode;
use serde_json::Value;

use super::Clients;
use super::member::{ClientState, Member};
use crate::browser::downloads::settle;
use crate::browser::exchange::Exchange;

/// What a client asked about downloads.
#[derive(Debug, Default)]
pub struct Wishes {
    /// The session that hears of downloads.
    session: Option<String>,
    /// Where the client's own machine expects each file, under its download's id.
    folder: Option<PathBuf>,
    /// Downloads whose beginning the client was told.
    told: BTreeSet<String>,
}

const FOLDER_OF_THE_PERSON: &str =
    "downloads are not switched off: the browser is the person's too; in a browser context of your own they can be";

impl Member {
    /// Takes a client's word on downloads.
    ///
    /// # Errors
    ///
    /// What it may not ask, in words.
    pub fn settle_downloads(
        &self,
        state: &mut ClientState,
        session: &str,
        method: &str,
        params: &Value,
    ) -> Result<(), &'static str> {
        let own = params["browserContextId"].as_str().filter(|context| state.contexts.contains(*context));
        match (params["behavior"].as_str(), own) {
            (Some("deny"), Some(context)) => {
                // Its first page would settle them otherwise.
                self.world.state().contexts.insert(context.to_owned());
                self.pipe.note(None, "Browser.setDownloadBehavior", params.clone());
            }
            (Some("deny"), None) => return Err(FOLDER_OF_THE_PERSON),
            (Some("allow" | "allowAndName" | "default"), Some(context)) => {
                settle(&self.pipe, self.world.exchange(), context);
            }
            (Some("allow" | "allowAndName" | "default"), None) => {}
            (Some(_) | None, _) => return Err("`behavior` is deny, allow, allowAndName or default"),
        }
        if method == "Browser.setDownloadBehavior" {
            let wishes = &mut state.downloads;
            wishes.session = (params["eventsEnabled"] == true).then(|| session.to_owned());
            let folder = params["downloadPath"].as_str().filter(|_| params["behavior"] == "allowAndName");
            wishes.folder = folder.map(PathBuf::from).or(wishes.folder.take());
        }
        Ok(())
    }

    /// Tells the client of a download, if it listens and may hear of it. `arrived` is where the file lies in the workspace.
    fn tell_download(&self, method: &str, params: &Value, arrived: Option<(&Exchange, &str)>) {
        let guid = params["guid"].as_str().unwrap_or_default();
        let folder = {
            let state = self.lock();
            if state.downloads.session.is_none() {
                return;
            }
            state.downloads.folder.clone().filter(|_| state.downloads.told.contains(guid))
        };
        if let (Some((exchange, path)), Some(folder)) = (arrived, folder)
            && self.on_host.load(Ordering::Relaxed)
            && let Err(error) = deliver(exchange, path, &folder, guid)
        {
            // The file is in the workspace; the client's guide says which folders are served.
            tracing::debug!(%error, "a download was not copied to where its client expects it");
        }
        let mut state = self.lock();
        let Some(session) = state.downloads.session.clone() else { return };
        let begins = method == "Browser.downloadWillBegin";
        if !begins && !state.downloads.told.contains(guid) {
            return;
        }
        let shown = (session != self.root).then_some(session.as_str());
        let tell = || self.send_event(method, &params.to_string(), shown);
        if state.missed.is_none() && self.gate.dispatch_look(tell).is_ok() {
            if begins {
                state.downloads.told.insert(guid.to_owned());
            }
        } else if !begins {
            state.missed.get_or_insert_default().add(&session, method, params.clone());
        }
        if params["state"] == "completed" || params["state"] == "canceled" {
            state.downloads.told.remove(guid);
        }
    }
}

impl Clients {
    /// Tells every client that listens of a download. May block for as long as its file is copied.
    pub fn tell_download(&self, method: &str, params: &Value, arrived: Option<(&Exchange, &str)>) {
        let mut members: Vec<Arc<Member>> = self.lock().values().cloned().collect();
        members.sort_by(|one, other| one.browser.cmp(&other.browser));
        members.dedup_by(|one, other| one.browser == other.browser);
        for member in members {
            member.tell_download(method, params, arrived);
        }
    }
}

/// Copies a file of the workspace to where a client of this machine expects it.
///
/// A client must not write wherever this user can: only into a private folder of this user's beneath the folder for temporary
/// files, as Playwright makes one for each connection, and under no name but the download's id.
fn deliver(exchange: &Exchange, path: &str, folder: &Path, guid: &str) -> io::Result<()> {
    let refused = |why: &str| io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned());
    if guid.is_empty() || !guid.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return Err(refused("the download has no plain id"));
    }
    let temporary = std::env::temp_dir().canonicalize()?;
    let real = folder.canonicalize()?;
    if !real.starts_with(&temporary) || real == temporary {
        return Err(refused("it is not beneath the folder for temporary files"));
    }
    let opened = File::options().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(&real)?;
    let found = opened.metadata()?;
    if found.uid() != nix::unistd::geteuid().as_raw() || found.mode() & 0o077 != 0 {
        return Err(refused("it is not a private folder of this user's"));
    }
    let mut from = exchange.open_file(path).map_err(io::Error::other)?;
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let made = openat(opened.as_fd(), guid, flags, Mode::from_bits_truncate(0o600))?;
    io::copy(&mut from, &mut File::from(made)).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::workspace::Workspace;

    const GUID: &str = "0a1b2c3d-0000-4000-8000-000000000001";

    #[test]
    fn a_download_is_copied_only_into_a_private_temporary_folder() {
        let home = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(&home.path().join("workspace")).unwrap();
        workspace.write("downloads/a.csv", "a,b".as_bytes(), 10).unwrap();
        let exchange = Exchange::new(workspace, "/workspace", &home.path().join("profile"), "/profile");
        let folder = |name: &str, mode: u32| {
            let path = home.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let private = folder("playwright-artifacts-1", 0o700);
        let give = |folder: &Path, guid: &str| deliver(&exchange, "downloads/a.csv", folder, guid);
        give(&private, GUID).unwrap();
        assert_eq!(std::fs::read_to_string(private.join(GUID)).unwrap(), "a,b");
        assert!(give(&private, GUID).is_err(), "nothing is replaced");
        symlink("/etc", private.join("link")).unwrap();
        for folder in [folder("open", 0o755), PathBuf::from("/etc"), private.join("link"), std::env::temp_dir()] {
            assert!(give(&folder, GUID).is_err(), "{folder:?}");
        }
        for guid in ["../x", "", "name.sh", "a/b"] {
            assert!(give(&private, guid).is_err(), "{guid}");
        }
    }
}
