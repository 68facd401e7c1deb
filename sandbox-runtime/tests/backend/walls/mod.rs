//! The table of `docs/security.md`: what a program in a sandbox tries, what it is answered, and which layer answers.
//!
//! `probe.py` tries everything: in a room as every sandbox has it, in a room without the system-call filter, in one without
//! Landlock, and outside. A row counts only if it comes out otherwise somewhere: else nothing was shown to refuse it.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use sandbox_link::walls::Layer;
use sandbox_runtime::sandbox::calls::exec;
use serde_json::json;

use crate::bench::{Bench, command, marker};

const PROBE: &str = include_str!("probe.py");
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/security.md");
const BEGIN: &str = "<!-- table: written by the test walls -->\n";
const END: &str = "<!-- end of the table -->\n";
/// How many attempts there must be at least.
const ENOUGH: usize = 150;

/// One attempt and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    class: String,
    attempt: String,
    expected: String,
    answer: String,
}

/// What the host holds and no program of a sandbox may find.
struct Canaries {
    _files: Vec<tempfile::NamedTempFile>,
    listener: std::net::TcpListener,
    _abstract: UnixListener,
    _socket: (tempfile::TempDir, UnixListener),
    process: std::process::Child,
    given: serde_json::Value,
}

impl Canaries {
    fn lay_out() -> Self {
        let word = marker();
        let mut folders: Vec<(&str, PathBuf)> = vec![
            ("a file in /tmp", "/tmp".into()),
            ("a file in /var/tmp", "/var/tmp".into()),
            ("a file in /dev/shm", "/dev/shm".into()),
            ("a file in the home of the runtime's user", std::env::home_dir().unwrap()),
        ];
        if nix::unistd::geteuid().is_root() {
            let of_root = [("a file in /etc", "/etc"), ("a file in /run", "/run"), ("a file in /home", "/home")];
            folders.extend(of_root.map(|(words, path)| (words, PathBuf::from(path))));
        }
        let files: Vec<_> = folders
            .into_iter()
            .map(|(words, path)| {
                let file = tempfile::Builder::new().prefix("baton-canary").tempfile_in(path).unwrap();
                fs::write(file.path(), &word).unwrap();
                (words, file)
            })
            .collect();
        let listener = std::net::TcpListener::bind("[::]:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address =
            <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(&word).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        let process = Command::new("sleep").arg(&word).spawn().unwrap();
        let given = json!({
            "word": word,
            "files": files.iter().map(|(words, file)| (*words, file.path())).collect::<Vec<_>>(),
            "port": listener.local_addr().unwrap().port(),
            "abstract": word,
            "socket": folder.path().join("socket"),
            "host_pid": process.id(),
        });
        Self {
            listener,
            _abstract: UnixListener::bind_addr(&address).unwrap(),
            _files: files.into_iter().map(|(_, file)| file).collect(),
            _socket: (folder, socket),
            process,
            given,
        }
    }

    /// Puts the probe and what it is to look for into a folder.
    fn give(&self, folder: &Path, inside: bool) {
        let mut given = self.given.clone();
        given["inside"] = json!(inside);
        fs::write(folder.join("given.json"), given.to_string()).unwrap();
        fs::write(folder.join("probe.py"), PROBE).unwrap();
    }

    /// How many connections came to the host's listener since the last time it was asked.
    fn connections(&self) -> usize {
        std::iter::from_fn(|| self.listener.accept().ok()).count()
    }
}

impl Drop for Canaries {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn rows(said: &str) -> Vec<Row> {
    said.lines()
        .map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let mut next = || fields.next().unwrap_or_else(|| panic!("a line of the probe: {line:?}"));
            Row { class: next(), attempt: next(), expected: next(), answer: next() }
        })
        .collect()
}

async fn inside(without: Option<Layer>, canaries: &Canaries) -> Vec<Row> {
    let bench = without.map_or_else(Bench::new, Bench::weakened);
    canaries.give(&bench.workspace(), true);
    let room = bench.room().await;
    let result = exec(&room.link, command("/usr/bin/python3", &["probe.py"]), None, |_| {}).await.unwrap();
    assert_eq!(result.exit_code, 0, "without {without:?}: {}\n{}", result.stdout, result.stderr);
    rows(&result.stdout)
}

/// The positive control: the same program on the host, in a folder and a process group of its own.
fn outside(canaries: &Canaries) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    canaries.give(folder.path(), false);
    let ran = Command::new("/bin/sh")
        // With a descriptor that was not closed.
        .args(["-c", "exec 5<probe.py; exec /usr/bin/python3 probe.py"])
        .env("CANARY", canaries.given["word"].as_str().unwrap())
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    rows(&String::from_utf8_lossy(&ran.stdout))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_refused_and_the_layers_overlap() {
    let canaries = Canaries::lay_out();
    let full = inside(None, &canaries).await;
    let no_filter = inside(Some(Layer::Seccomp), &canaries).await;
    let no_fence = inside(Some(Layer::Landlock), &canaries).await;
    assert_eq!(canaries.connections(), 0, "nothing of a room reached the host's listener");
    let free = outside(&canaries);
    assert!(canaries.connections() > 0, "positive control: the host itself reaches it");

    let is_as_expected = |row: &Row| row.expected.split('|').any(|expected| expected == row.answer);
    let wrong: Vec<_> = full.iter().filter(|row| !is_as_expected(row)).collect();
    assert!(wrong.is_empty(), "not refused as they should be: {wrong:#?}");
    assert!(full.len() >= ENOUGH, "{} attempts", full.len());

    let mut table = Table::default();
    let mut unproven = Vec::new();
    for (at, row) in full.iter().enumerate() {
        let others = [&no_filter[at], &no_fence[at], &free[at]];
        assert!(others.iter().all(|other| other.attempt == row.attempt), "the same attempts everywhere: {row:?}");
        if others.iter().all(|other| other.answer == row.answer) {
            unproven.push(row);
        }
        table.add(row, &no_filter[at], &no_fence[at]);
    }
    // A plain user may not do most of it outside either: what root's run shows.
    if nix::unistd::geteuid().is_root() {
        assert!(unproven.is_empty(), "the same everywhere, so nothing was shown: {unproven:#?}");
        check_document(&table.text());
    }
}

/// A layer that is taken away must open something, or it was not there; and most stays shut.
#[derive(Default)]
struct Table {
    lines: Vec<String>,
    class: String,
    by: [usize; 3],
    refused_again: usize,
}

impl Table {
    fn add(&mut self, row: &Row, no_filter: &Row, no_fence: &Row) {
        let (by, without) = match (no_filter.answer != row.answer, no_fence.answer != row.answer) {
            (true, _) => (0, no_filter),
            (false, true) => (1, no_fence),
            (false, false) => (2, row),
        };
        self.by[by] += 1;
        let without = match (by, without.answer.as_str()) {
            (2, _) => "–".to_owned(),
            (_, "allowed") => "open".to_owned(),
            (_, refusal @ ("EPERM" | "EACCES" | "EROFS" | "ENOSPC")) => {
                self.refused_again += 1;
                refusal.to_owned()
            }
            // An attempt is harmless where it succeeds, so its arguments are wrong: the kernel looked at them.
            (_, answer) => format!("gets further: {answer}"),
        };
        let layer = ["system-call filter", "Landlock", "the room"][by];
        let class = if self.class == row.class { "" } else { &row.class };
        self.lines.push(format!("| {class} | {} | {} | {layer} | {without} |", row.attempt, row.answer));
        row.class.clone_into(&mut self.class);
    }

    fn text(&self) -> String {
        let [filter, fence, room] = self.by;
        assert!(filter > 0 && fence > 0 && room > 0, "each layer refuses something by itself: {:?}", self.by);
        format!(
            "{} attempts: {filter} are answered by the system-call filter, {fence} by Landlock, {room} by the room itself \
             (namespaces, mounts, no capabilities, no network), which refuses them without either. \
             Of the first two, {} are refused by another layer when theirs is taken away; the others are held by one alone.\n\n\
             | Class | Attempt | Answer | First refused by | Without that layer |\n|---|---|---|---|---|\n{}\n",
            self.lines.len(),
            self.refused_again,
            self.lines.join("\n")
        )
    }
}

/// Holds the document current; `BATON_WRITE_DOCS=1` writes it.
fn check_document(table: &str) {
    let document = fs::read_to_string(Path::new(DOCUMENT)).unwrap();
    let (head, rest) = document.split_once(BEGIN).expect("the table's beginning");
    let (old, tail) = rest.split_once(END).expect("the table's end");
    if std::env::var_os("BATON_WRITE_DOCS").is_some() {
        fs::write(DOCUMENT, format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
        return;
    }
    assert!(old == table, "docs/security.md is old: this test writes it when BATON_WRITE_DOCS is set\n{table}");
}
