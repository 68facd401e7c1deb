//! Programs of others, unmodified, from `tests/foreign`: walked through their steps, one word and one answer at a time.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::baton::repository;

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
