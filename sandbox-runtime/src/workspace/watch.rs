//! What changes in a workspace, told while it happens.
//!
//! The kernel tells (inotify), folder by folder and up to a number of folders. Beyond that, and where the kernel has no
//! watches left, the workspace is listed again every few seconds instead; either way what is told is paths, and a reader who
//! wants to be sure looks. Folders are opened by descriptor: no link leads a watch outside.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use sandbox_core::model::{EpochMs, FileKind};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::path::Inside;
use super::write::is_part;
use super::{Workspace, WorkspaceError};

/// Most folders that the kernel watches in one workspace.
const WATCHES_MAX: usize = 2_048;
/// How long changes are gathered before they are told, so that a burst is one message.
const GATHERED: Duration = Duration::from_millis(200);
/// How often it is listed where it is not watched.
const LISTED_EVERY: Duration = Duration::from_secs(3);
/// How soon the end of the last reader is noticed.
const LOOKED_UP: u16 = 250;
/// Most paths of one message.
pub const PATHS_MAX: usize = 100;
/// Messages that a slow reader may be behind.
const BEHIND: usize = 64;

/// Paths that changed, came or went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changed {
    pub paths: Vec<String>,
    /// Some paths are left out: list the workspace again.
    pub more: bool,
}

/// One watched workspace. Dropping the last clone ends the watch.
#[derive(Clone)]
pub struct Watch {
    news: broadcast::Sender<Changed>,
    _ends: Arc<DropGuard>,
}

impl Watch {
    /// Starts watching, on a thread of its own that ends with this.
    pub fn start(workspace: Workspace) -> std::io::Result<Self> {
        Self::start_with(workspace, WATCHES_MAX)
    }

    fn start_with(workspace: Workspace, watches_max: usize) -> std::io::Result<Self> {
        let news = broadcast::Sender::new(BEHIND);
        let stop = CancellationToken::new();
        let told = news.clone();
        let ends = Arc::new(stop.clone().drop_guard());
        // The watches stand before anyone is answered: what is done afterwards is told.
        let mut watcher = Watcher::new(workspace, watches_max);
        watcher.watch_everything();
        std::thread::Builder::new().name("workspace-watch".to_owned()).spawn(move || {
            while !stop.is_cancelled() {
                let changed = watcher.next();
                if !changed.paths.is_empty() || changed.more {
                    // Nobody may listen just now.
                    let _ = told.send(changed);
                }
            }
        })?;
        Ok(Self { news, _ends: ends })
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Changed> {
        self.news.subscribe()
    }
}

type Snapshot = BTreeMap<String, (u64, EpochMs)>;

struct Watcher {
    workspace: Workspace,
    watches_max: usize,
    inotify: Option<Inotify>,
    /// The folders that are watched, relative to the workspace.
    folders: BTreeMap<i32, String>,
    wds: Vec<WatchDescriptor>,
    /// What was listed last, where it is not watched whole.
    listed: Option<(Instant, Snapshot)>,
}

impl Watcher {
    fn new(workspace: Workspace, watches_max: usize) -> Self {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).ok();
        Self { workspace, watches_max, inotify, folders: BTreeMap::new(), wds: Vec::new(), listed: None }
    }

    /// Watches every folder; what is too much is listed from now on.
    fn watch_everything(&mut self) {
        let mut whole = self.inotify.is_some() && self.watch("");
        let listing = self.workspace.list("", true).unwrap_or_default();
        whole &= !listing.truncated;
        for folder in listing.entries.iter().filter(|entry| entry.kind == FileKind::Directory) {
            whole = whole && self.watch(&folder.path);
        }
        self.listed = (!whole).then(|| (Instant::now(), snapshot(&self.workspace)));
    }

    /// Watches one folder; answers whether it is watched. One that is gone by now needs no watch.
    fn watch(&mut self, path: &str) -> bool {
        let Some(inotify) = &self.inotify else { return false };
        if self.folders.len() >= self.watches_max {
            return false;
        }
        let opened = Inside::parse(if path.is_empty() { "." } else { path })
            .and_then(|inside| self.workspace.open(&inside, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW));
        let folder = match opened {
            Ok(folder) => folder,
            Err(WorkspaceError::Io { .. } | WorkspaceError::Full { .. }) => return false,
            Err(_) => return true,
        };
        let flags = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_ONLYDIR;
        // The path names the descriptor itself, so it is that folder which is watched, wherever it has gone.
        let itself = PathBuf::from(format!("/proc/self/fd/{}", folder.as_fd().as_raw_fd()));
        match inotify.add_watch(&itself, flags) {
            Ok(wd) => {
                self.folders.insert(wd.as_raw(), path.to_owned());
                self.wds.push(wd);
                true
            }
            // The kernel has none left for this user.
            Err(_) => false,
        }
    }

    /// Waits for changes, for a moment; gathers what comes right after.
    fn next(&mut self) -> Changed {
        let mut found = Gathered::default();
        let mut until = None;
        loop {
            let wait = until.map_or(Duration::from_millis(LOOKED_UP.into()), |until: Instant| {
                until.saturating_duration_since(Instant::now())
            });
            if self.is_readable(wait) {
                self.take(&mut found);
                until = until.or_else(|| Some(Instant::now() + GATHERED));
            }
            if until.is_none_or(|until| Instant::now() >= until) {
                break;
            }
        }
        if found.anew {
            self.watch_anew();
        }
        self.compare(&mut found);
        found.changed()
    }

    fn is_readable(&self, wait: Duration) -> bool {
        let Some(inotify) = &self.inotify else {
            std::thread::sleep(wait);
            return false;
        };
        let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
        let mut fds = [PollFd::new(inotify.as_fd(), PollFlags::POLLIN)];
        matches!(poll(&mut fds, timeout), Ok(n) if n > 0)
    }

    fn take(&mut self, found: &mut Gathered) {
        let Some(inotify) = &self.inotify else { return };
        let events = match inotify.read_events() {
            Ok(events) => events,
            Err(Errno::EAGAIN | Errno::EINTR) => return,
            Err(_) => {
                found.anew = true;
                return;
            }
        };
        let mut new_folders = Vec::new();
        for event in events {
            if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
                found.anew = true;
                found.more = true;
                continue;
            }
            let Some(folder) = self.folders.get(&event.wd.as_raw()) else { continue };
            if event.mask.contains(AddWatchFlags::IN_IGNORED) {
                self.folders.remove(&event.wd.as_raw());
                continue;
            }
            let Some(name) = event.name.filter(|name| !is_part(name)) else { continue };
            let name = name.to_string_lossy();
            let path = if folder.is_empty() { name.into_owned() } else { format!("{folder}/{name}") };
            if event.mask.contains(AddWatchFlags::IN_ISDIR) {
                // Watches of a folder that moves tell its old paths.
                found.anew |= event.mask.intersects(AddWatchFlags::IN_MOVED_FROM | AddWatchFlags::IN_MOVED_TO);
                if event.mask.contains(AddWatchFlags::IN_CREATE) {
                    new_folders.push(path.clone());
                }
            }
            found.add(path);
        }
        for path in new_folders {
            self.watch_new(&path, found);
        }
    }

    /// Watches a folder that came, and tells what was put into it before it was watched.
    fn watch_new(&mut self, path: &str, found: &mut Gathered) {
        let mut whole = self.watch(path);
        let listing = self.workspace.list(path, true).unwrap_or_default();
        for entry in listing.entries {
            if entry.kind == FileKind::Directory {
                whole = whole && self.watch(&entry.path);
            }
            found.add(entry.path);
        }
        if !whole && self.listed.is_none() {
            self.listed = Some((Instant::now(), snapshot(&self.workspace)));
        }
    }

    fn watch_anew(&mut self) {
        if let Some(inotify) = &self.inotify {
            for wd in self.wds.drain(..) {
                // One whose folder is gone is none any more.
                let _ = inotify.rm_watch(wd);
            }
        }
        self.folders.clear();
        let listed = self.listed.take();
        self.watch_everything();
        // What was listed before is what changes are told against.
        if let (Some(before), Some(now)) = (listed, &mut self.listed) {
            *now = before;
        }
    }

    /// Lists again what is not watched whole, when it is time.
    fn compare(&mut self, found: &mut Gathered) {
        let Some((at, before)) = &mut self.listed else { return };
        if at.elapsed() < LISTED_EVERY {
            return;
        }
        let now = snapshot(&self.workspace);
        let came = now.iter().filter(|(path, seen)| before.get(*path) != Some(*seen)).map(|(path, _)| path);
        let went = before.keys().filter(|path| !now.contains_key(*path));
        for path in came.chain(went) {
            found.add(path.clone());
        }
        *before = now;
        *at = Instant::now();
    }
}

#[derive(Default)]
struct Gathered {
    paths: BTreeSet<String>,
    more: bool,
    anew: bool,
}

impl Gathered {
    fn add(&mut self, path: String) {
        if self.paths.len() < PATHS_MAX || self.paths.contains(&path) {
            self.paths.insert(path);
        } else {
            self.more = true;
        }
    }

    fn changed(self) -> Changed {
        Changed { paths: self.paths.into_iter().collect(), more: self.more }
    }
}

fn snapshot(workspace: &Workspace) -> Snapshot {
    let listing = workspace.list("", true).unwrap_or_default();
    listing.entries.into_iter().map(|entry| (entry.path, (entry.size, entry.modified_at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::room;

    async fn until(news: &mut broadcast::Receiver<Changed>, path: &str) {
        let wait = async {
            loop {
                match news.recv().await {
                    Ok(changed) if changed.paths.iter().any(|each| each == path) => return,
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => panic!("the watch ended"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("{path} was not told"));
    }

    async fn check(watches_max: usize) {
        let room = room();
        room.put("there/file", "x");
        let watch = Watch::start_with(room.workspace.clone(), watches_max).unwrap();
        let mut news = watch.subscribe();
        room.put("there/file", "longer");
        until(&mut news, "there/file").await;
        room.put("new/deep/file", "x");
        until(&mut news, "new/deep/file").await;
        room.put("new/deep/other", "x");
        until(&mut news, "new/deep/other").await;
        room.workspace.rename("new", "renamed").unwrap();
        until(&mut news, "renamed").await;
        room.put("renamed/deep/third", "x");
        until(&mut news, "renamed/deep/third").await;
        room.workspace.remove("there/file", false).unwrap();
        until(&mut news, "there/file").await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_changes_is_told_also_in_folders_that_come_and_move() {
        check(WATCHES_MAX).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn where_watches_run_out_the_workspace_is_listed_instead() {
        check(1).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_link_leads_no_watch_outside() {
        let room = room();
        std::os::unix::fs::symlink(&room.outside, room.host("out")).unwrap();
        let watch = Watch::start(room.workspace.clone()).unwrap();
        let mut news = watch.subscribe();
        std::fs::write(room.outside.join("secret-name"), "x").unwrap();
        room.put("marker", "x");
        let mut told = Vec::new();
        while !told.iter().any(|path: &String| path == "marker") {
            told.extend(news.recv().await.unwrap().paths);
        }
        assert!(!told.iter().any(|path| path.contains("secret-name")), "{told:?}");
    }
}
