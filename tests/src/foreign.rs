//! Programs of others, unmodified, from `tests/foreign`: walked through their steps, one word and one answer at a time.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::baton::{Baton, binary, repository};
use crate::webapp::installed;

/// How long one step may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running program; killed when dropped.
pub struct Foreign {
    script: String,
    words: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Foreign {
    /// Starts a script of `tests/foreign` with Node.
    pub fn node(script: &str, arguments: &[&str]) -> Self {
        Self::start(node(), script, arguments, &[])
    }

    /// Starts a script of `tests/foreign`, by its ending with Node or Python, with more in its environment.
    pub fn with_env(script: &str, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let program = if script.ends_with(".py") { python() } else { node() };
        Self::start(program, script, arguments, env)
    }

    fn start(mut program: Command, script: &str, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut process = program
            .arg(script)
            .args(arguments)
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let words = process.stdin.take().expect("it listens");
        let told = BufReader::new(process.stdout.take().expect("it tells")).lines();
        Self { script: script.to_owned(), words, told, _process: process }
    }

    /// Runs the program of a guide as it stands in `docs`, with a runtime's address and token in its environment, to its end.
    ///
    /// # Panics
    ///
    /// When it fails. Returns what it printed.
    pub async fn guide(name: &str, language: &str, baton: &Baton) -> String {
        let interpreter = if language == "python" { python() } else { node() };
        let mut command = guide(interpreter, name, language, baton);
        let process = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let ended = tokio::time::timeout(PATIENCE, process.wait_with_output()).await.expect("it ends in time");
        let ended = ended.expect("it tells");
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(ended.status.success(), "{name}: {said}{}", String::from_utf8_lossy(&ended.stderr));
        said
    }

    /// Runs the Python program of a guide as it stands in `docs` until it has printed `awaited`; then ends it.
    ///
    /// # Panics
    ///
    /// When it ends before that. Returns what it printed.
    pub async fn guide_in_python(name: &str, baton: &Baton, awaited: &str) -> String {
        let python = Command::new(installed("python"));
        let mut process = guide(python, name, "python", baton).spawn().expect("python starts");
        let mut lines = BufReader::new(process.stdout.take().expect("it tells")).lines();
        let mut said = String::new();
        while !said.contains(awaited) {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("{name} only said: {said}")).expect("it tells");
            said.push_str(&line.unwrap_or_else(|| panic!("{name} ended after: {said}")));
            said.push('\n');
        }
        said
    }

    /// Walks through one step that may fail.
    pub async fn try_step(&mut self, word: &str) -> Result<Value, String> {
        self.words.write_all(format!("{word}\n").as_bytes()).await.expect("it listens");
        let line = tokio::time::timeout(PATIENCE, self.told.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("{} {word}: no answer", self.script)).expect("it tells");
        let line = line.unwrap_or_else(|| panic!("{} {word}: it ended", self.script));
        let mut told: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        match told.get("error") {
            Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
            None => Ok(told["ok"].take()),
        }
    }

    pub async fn step(&mut self, word: &str) -> Value {
        self.try_step(word).await.unwrap_or_else(|error| panic!("{} {word}: {error}", self.script))
    }
}

/// Returns what runs the program of a guide with this interpreter, with all in its environment that leads to the runtime.
fn guide(mut interpreter: Command, name: &str, language: &str, baton: &Baton) -> Command {
    match language {
        "python" => interpreter.args(["-u", "-c"]),
        _ => interpreter.args(["--input-type=module", "--eval"]),
    };
    interpreter
        .arg(program_of(name, language))
        .env("BATON_URL", &baton.url)
        .env("BATON_TOKEN", &baton.token)
        .env("BATON_HOME", baton.home())
        .env("BATON_PROGRAM", binary("baton"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    interpreter
}

/// Returns the first program of a guide in this language.
fn program_of(name: &str, language: &str) -> String {
    let guide = std::fs::read_to_string(repository().join("docs").join(name)).expect("the guide is there");
    let program = guide.split_once(&format!("```{language}\n")).and_then(|(_, rest)| rest.split_once("\n```"));
    program.unwrap_or_else(|| panic!("{name} has no {language} program")).0.to_owned()
}

fn node() -> Command {
    in_folder(Command::new("node"), &repository().join("tests/foreign/node_modules"))
}

fn python() -> Command {
    let program = repository().join("target/foreign/bin/python");
    in_folder(Command::new(&program), &program)
}

fn in_folder(mut program: Command, installed: &Path) -> Command {
    assert!(installed.exists(), "{} is not there: run script/setup test", installed.display());
    program.current_dir(repository().join("tests/foreign")).kill_on_drop(true);
    program
}
