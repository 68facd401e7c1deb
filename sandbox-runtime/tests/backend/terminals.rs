//! Terminals: a program that believes in its screen, and ends with it.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox_runtime::sandbox::calls::{TerminalScreen, terminal};
use tokio::time::timeout;

use crate::bench::{Bench, daemon, eventually, gone, marker, processes_with};

/// A screen and what it has shown that no test has looked at yet.
struct Shown {
    screen: TerminalScreen,
    text: String,
}

impl Shown {
    fn on(screen: TerminalScreen) -> Self {
        Self { screen, text: String::new() }
    }

    /// Reads the screen until it has shown `wanted`, and forgets everything up to it.
    async fn until(&mut self, wanted: &str) {
        loop {
            if let Some(at) = self.text.find(wanted) {
                self.text.drain(..at + wanted.len());
                return;
            }
            let more = timeout(Duration::from_secs(30), self.screen.read()).await;
            let more = more.unwrap_or_else(|_| panic!("no {wanted:?} in {:?}", self.text)).unwrap();
            let more = more.unwrap_or_else(|| panic!("ended with {:?}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&more));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_a_size_that_follows_and_a_shell_that_ends() {
    let bench = Bench::new();
    let room = bench.room().await;
    let env = BTreeMap::from([("OWN".to_owned(), "mine".to_owned())]);
    let (screen, mut keys) = terminal(&room.link, (91, 31), Vec::new(), env).await.unwrap();
    let mut shown = Shown::on(screen);
    keys.write(b"stty size; tty; echo [$OWN $TERM $PWD]\r".to_vec()).await.unwrap();
    shown.until("31 91\r\n/dev/pts/").await;
    shown.until("[mine xterm-256color /workspace]").await;
    keys.resize(101, 41).await.unwrap();
    keys.write(b"stty size\r".to_vec()).await.unwrap();
    shown.until("41 101").await;
    keys.write(b"exit\r".to_vec()).await.unwrap();
    let ended = timeout(Duration::from_secs(30), async { while shown.screen.read().await.unwrap().is_some() {} });
    ended.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_control_reach_the_program_in_front() {
    let bench = Bench::new();
    let room = bench.room().await;
    let (screen, mut keys) = terminal(&room.link, (80, 24), Vec::new(), BTreeMap::new()).await.unwrap();
    let mut shown = Shown::on(screen);
    let marker = marker();
    keys.write(format!("sleep {marker}\r").into_bytes()).await.unwrap();
    eventually("the program runs", || !processes_with(&marker).is_empty()).await;
    keys.write(vec![3]).await.unwrap();
    gone(&marker).await;
    keys.write(b"echo $((40 + 2)) still here\r".to_vec()).await.unwrap();
    shown.until("42 still here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_closed_takes_everything_in_it_along() {
    let bench = Bench::new();
    let room = bench.room().await;
    let (screen, mut keys) = terminal(&room.link, (80, 24), Vec::new(), BTreeMap::new()).await.unwrap();
    let marker = marker();
    keys.write(format!("{} nohup sleep {marker} & \r", daemon(&marker)).into_bytes()).await.unwrap();
    eventually("both run", || processes_with(&marker).len() >= 2).await;
    drop((screen, keys));
    gone(&marker).await;
}
