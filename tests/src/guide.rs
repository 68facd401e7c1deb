//! The guides of `docs`, followed to the letter: in an empty folder outside the repository, with the lines that they print.
//!
//! A guide's part "A complete program" has `sh` blocks, which bash runs in their order, and one program, which is saved
//! under the name that the text before it gives. Two things differ: what a guide takes from a registry comes from what
//! `script/setup test` installed, as no test needs the network; and the checkout that it names is a copy as `script/run`
//! leaves it, without the packages that only tests need.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::baton::{Baton, binary, repository};
use crate::webapp::installed;

/// How long a guide may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(150);

/// A guide that is being followed; what it started ends when this is dropped.
pub struct Guide {
    name: String,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Guide {
    /// Follows a guide to its end, and returns what it printed.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub async fn follow(name: &str, baton: &Baton) -> String {
        let mut guide = Self::start(name, baton);
        let (out, err) = (guide.process.stdout.take(), guide.process.stderr.take());
        let ended = async { tokio::join!(all_of(out), all_of(err), guide.process.wait()) };
        let (said, wrong, status) = tokio::time::timeout(PATIENCE, ended).await.expect("it ends in time");
        assert!(status.expect("it can be waited for").success(), "{name}: {said}{wrong}");
        said
    }

    /// Follows a guide whose program does not end until it has printed `awaited`, and returns what it printed.
    ///
    /// # Panics
    ///
    /// When it ends before that.
    pub async fn follow_until(name: &str, baton: &Baton, awaited: &str) -> String {
        let mut guide = Self::start(name, baton);
        let mut lines = BufReader::new(guide.process.stdout.take().expect("it tells")).lines();
        let mut said = String::new();
        while !said.contains(awaited) {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("{name} only said: {said}")).expect("it tells");
            let Some(line) = line else {
                let wrong = all_of(guide.process.stderr.take()).await;
                panic!("{} ended after: {said}{wrong}", guide.name);
            };
            said.push_str(&line);
            said.push('\n');
        }
        said
    }

    fn start(name: &str, baton: &Baton) -> Self {
        let folder = tempfile::tempdir().expect("an empty folder");
        let checkout = folder.path().join("checkout");
        copy_client(&checkout);
        let place = folder.path().join("mine");
        std::fs::create_dir(&place).expect("a new folder");
        let script = script(name, &place);
        let process = Command::new("bash")
            .args(["-e", "-c", &script])
            .current_dir(&place)
            .env_remove("BATON_URL")
            .env_remove("BATON_TOKEN")
            .env("BATON_HOME", baton.home())
            .env("BATON_CHECKOUT", &checkout)
            .env("BATON_PROGRAM", binary("baton"))
            .env("npm_config_offline", "true")
            .env("npm_config_audit", "false")
            .env("npm_config_fund", "false")
            .env("npm_config_update_notifier", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what bash started ends with it.
            .process_group(0)
            .spawn()
            .expect("bash starts");
        Self { name: name.to_owned(), process, _folder: folder }
    }
}

impl Drop for Guide {
    fn drop(&mut self) {
        let Some(pid) = self.process.id().and_then(|pid| i32::try_from(pid).ok()) else { return };
        // It may have ended in this moment.
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    }
}

async fn all_of(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut said = Vec::new();
    let mut stream = stream.expect("it was piped");
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut said).await.expect("it tells");
    String::from_utf8_lossy(&said).into_owned()
}

/// Saves the program of a guide in `place`, and returns all its lines for the shell.
fn script(name: &str, place: &Path) -> String {
    let guide = std::fs::read_to_string(repository().join("docs").join(name)).expect("the guide is there");
    let (_, part) = guide.split_once("## A complete").unwrap_or_else(|| panic!("{name} has no complete program"));
    let part = part.split("\n## ").next().unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    let mut pieces = part.split("\n```");
    let mut before = pieces.next().unwrap_or_default();
    while let (Some(block), rest) = (pieces.next(), pieces.next()) {
        let (language, text) = block.split_once('\n').unwrap_or_else(|| panic!("{name}: a block has no lines"));
        match language {
            "sh" => lines.extend(text.lines().map(from_setup)),
            _ => std::fs::write(place.join(file_named(name, before)), format!("{text}\n")).expect("a new file"),
        }
        before = rest.unwrap_or_default();
    }
    assert!(lines.len() > 1, "{name} has no lines for the shell");
    lines.join("\n")
}

/// Returns the name in "Save this as `NAME`".
fn file_named<'a>(guide: &str, text: &'a str) -> &'a str {
    let named = text.rsplit_once("as `").and_then(|(_, rest)| rest.split('`').next());
    named.unwrap_or_else(|| panic!("{guide} does not say what its program is saved as: {text:?}"))
}

/// Takes from what setup installed what a line takes from a registry.
fn from_setup(line: &str) -> String {
    if let Some(package) = line.strip_prefix("npm install ").filter(|package| !package.contains('$')) {
        let there = repository().join("tests/foreign/node_modules").join(package);
        assert!(there.exists(), "{} is not there: run script/setup test", there.display());
        let folder = Path::new("node_modules").join(package);
        let folder = folder.parent().expect("a package lies in a folder").display();
        return format!("mkdir -p {folder} && ln -s '{}' {folder}/", there.display());
    }
    if line.starts_with("venv/bin/pip install ") {
        let packages = site_packages();
        let path = "venv/lib/python3*/site-packages";
        return format!("for folder in {path}; do echo '{}' > \"$folder/setup.pth\"; done", packages.display());
    }
    line.to_owned()
}

fn site_packages() -> PathBuf {
    let venv = installed("python");
    let lib = venv.parent().and_then(Path::parent).expect("python lies in VENV/bin").join("lib");
    let version = std::fs::read_dir(&lib).expect("an environment has packages").flatten().next();
    version.expect("an environment is of one version").path().join("site-packages")
}

/// Copies the TypeScript client as setup leaves it, but without what it was built with.
fn copy_client(checkout: &Path) {
    let (from, to) = (repository().join("sdk/typescript"), checkout.join("sdk/typescript"));
    assert!(from.join("dist/index.js").exists(), "the client is not built: run script/setup test");
    copy(&from, &to);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a new folder");
    for entry in std::fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.file_name() == "node_modules" {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
