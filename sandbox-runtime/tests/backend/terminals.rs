//! Terminals: a program that believes in its screen, and ends with it.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox_runtime::sandbox::calls::{TerminalScreen, terminal};
use tokio::time::timeout;

use crate::bench::{Bench, daemon, eventually, gone, marker, processes_with};

/// Reads the screen until it has shown `wanted`.
async fn shows(screen: &mut TerminalScreen, wanted: &str) {
    let mut shown = String::new();
    while !shown.contains(wanted) {
        let more = timeout(Duration::from_secs(30), screen.read()).await;
        let more = more.unwrap_or_else(|_| panic!("no {wanted:?} in {shown:?}")).unwrap();
        shown.push_str(&String::from_utf8_lossy(&more.unwrap_or_else(|| panic!("ended with {shown:?}"))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_a_size_that_follows_and_a_shell_that_ends() {
    let bench = Bench::new();
    let room = bench.room().await;
    let env = BTreeMap::from([("OWN".to_owned(), "mine".to_owned())]);
    let (mut screen, mut keys) = terminal(&room.link, (91, 31), Vec::new(), env).await.unwrap();
    keys.write(b"stty size; tty; echo [$OWN $TERM $PWD]\r".to_vec()).await.unwrap();
    shows(&mut screen, "31 91\r\n/dev/pts/").await;
    shows(&mut screen, "[mine xterm-256color /workspace]").await;
    keys.resize(101, 41).await.unwrap();
    keys.write(b"stty size\r".to_vec()).await.unwrap();
    shows(&mut screen, "41 101").await;
    keys.write(b"exit\r".to_vec()).await.unwrap();
    let ended = timeout(Duration::from_secs(30), async { while screen.read().await.unwrap().is_some() {} });
    ended.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_control_reach_the_program_in_front() {
    let bench = Bench::new();
    let room = bench.room().await;
    let (mut screen, mut keys) = terminal(&room.link, (80, 24), Vec::new(), BTreeMap::new()).await.unwrap();
    let marker = marker();
    keys.write(format!("sleep {marker}\r").into_bytes()).await.unwrap();
    eventually("the program runs", || !processes_with(&marker).is_empty()).await;
    keys.write(vec![3]).await.unwrap();
    gone(&marker).await;
    keys.write(b"echo $((40 + 2)) still here\r".to_vec()).await.unwrap();
    shows(&mut screen, "42 still here").await;
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
