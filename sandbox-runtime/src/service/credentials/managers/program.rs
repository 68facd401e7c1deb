//! Running the command line program of a password manager, in the person's own environment, with bounded time and output.

use std::process::Stdio;
use std::time::Duration;

use sandbox_core::observation::plain;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::ManagerError;

/// How long a program may take: it may ask the person first.
const DEADLINE: Duration = Duration::from_secs(60);
/// Most bytes of an answer: some thousands of items.
const MOST: u64 = 64 << 20;
/// Bytes that are read at a time.
const PART: usize = 16 << 10;
/// Most characters of a program's own words.
const LONGEST_WORDS: usize = 300;

/// Runs a program and returns its standard output, which is wiped when dropped, with every copy made on the way. Secrets go into its environment, where the list
/// of processes does not show them. It has no standard input: what it would ask there fails.
///
/// # Errors
///
/// [`ManagerError::Absent`] if there is no such program in `PATH`; else [`ManagerError::Failed`] with its own words.
pub async fn run(
    program: &str,
    args: &[&str],
    secrets: &[(&str, &SecretString)],
) -> Result<Zeroizing<Vec<u8>>, ManagerError> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // What Baton was started with is none of its business.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BATON_")) {
        command.env_remove(name);
    }
    // What its own runtime has to say comes before its words.
    command.env("NODE_NO_WARNINGS", "1");
    command.envs(secrets.iter().map(|(name, value)| (name, value.expose_secret())));
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ManagerError::Absent,
        _ => ManagerError::Failed(format!("`{program}` cannot be started: {error}")),
    })?;
    let (out, err) = (child.stdout.take().expect("it is piped"), child.stderr.take().expect("it is piped"));
    let done = async {
        let (out, err) = tokio::try_join!(read(out), read(err))?;
        Ok::<_, std::io::Error>((out, err, child.wait().await?))
    };
    let late = |_| ManagerError::Failed(format!("`{program}` gave no answer in {} s", DEADLINE.as_secs()));
    let (out, err, status) = tokio::time::timeout(DEADLINE, done)
        .await
        .map_err(late)?
        .map_err(|error| ManagerError::Failed(format!("`{program}` cannot be read: {error}")))?;
    if status.success() { Ok(out) } else { Err(ManagerError::Failed(words_of(program, &err))) }
}

/// Reads an answer of JSON. What cannot be read is not repeated: it may hold a password.
pub fn parse<T: DeserializeOwned>(program: &str, answer: &[u8]) -> Result<T, ManagerError> {
    serde_json::from_slice(answer).map_err(|error| {
        ManagerError::Failed(format!("the answer of `{program}` is not as expected, at line {}", error.line()))
    })
}

async fn read(from: impl AsyncRead + Unpin) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut from = from.take(MOST);
    // A buffer that grows leaves copies of what it held.
    let mut parts: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    let mut buffer = Zeroizing::new(vec![0; PART]);
    loop {
        match from.read(&mut buffer).await? {
            0 => break,
            n => parts.push(Zeroizing::new(buffer[..n].to_vec())),
        }
    }
    let n_bytes: usize = parts.iter().map(|part| part.len()).sum();
    if n_bytes as u64 == MOST {
        return Err(std::io::Error::other("its answer is too long"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(n_bytes));
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    Ok(bytes)
}

/// Returns the first line of what a program said when it failed, without the warnings of Node.js.
fn words_of(program: &str, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with("(node:") && !line.starts_with("(Use `node ");
    let line = said.lines().map(str::trim).find(is_said);
    match line {
        Some(line) => plain(&line.chars().take(LONGEST_WORDS).collect::<String>()),
        None => format!("`{program}` failed and said nothing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_answers_fails_in_its_own_words_or_is_absent() {
        let secret = SecretString::from("s3cret");
        let script = "env | grep -q ^BATON_ && exit 9; printf %s \"$WORD\"";
        let out = run("sh", &["-c", script], &[("WORD", &secret)]).await;
        assert_eq!(out.unwrap().as_slice(), b"s3cret");

        let failed = run("sh", &["-c", "echo; echo 'Vault is locked.' >&2; exit 1"], &[]).await;
        assert_eq!(failed.unwrap_err(), ManagerError::Failed("Vault is locked.".to_owned()));
        let script = "printf '(node:7) Warning: old\\n(Use `node --trace` for more)\\nNot found.' >&2; exit 1";
        let warned = run("sh", &["-c", script], &[]).await;
        assert_eq!(warned.unwrap_err(), ManagerError::Failed("Not found.".to_owned()));
        let long = run("sh", &["-c", "head -c 200000 /dev/zero"], &[]).await;
        assert_eq!(long.unwrap().len(), 200_000);
        let silent = run("sh", &["-c", "exit 3"], &[]).await;
        assert_eq!(silent.unwrap_err(), ManagerError::Failed("`sh` failed and said nothing".to_owned()));
        assert_eq!(run("no-such-program-anywhere", &[], &[]).await.unwrap_err(), ManagerError::Absent);
        // What it would ask a person on standard input, nobody answers.
        assert_eq!(run("cat", &[], &[]).await.unwrap().as_slice(), b"");
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_repeated() {
        let error = parse::<Vec<String>>("op", br#"{"password":"s3cret"}"#).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
