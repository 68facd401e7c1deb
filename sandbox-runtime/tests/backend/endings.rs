//! How rooms end: nothing of them is left, whoever ends first.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::bench::{Bench, daemon, eventually, gone, marker, processes_with, sh};

#[tokio::test(flavor = "multi_thread")]
async fn killing_a_room_waits_until_nothing_of_it_is_left() {
    let bench = Bench::new();
    let mut room = bench.room().await;
    let marker = marker();
    sh(&room, &format!("{} sleep {marker} & ", daemon(&marker))).await;
    eventually("both run", || processes_with(&marker).len() >= 2).await;
    room.processes.kill().await;
    assert!(processes_with(&marker).is_empty());
    assert!(room.link.is_closed() || room.link.open().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_room_ends_it() {
    let bench = Bench::new();
    let room = bench.room().await;
    let marker = marker();
    sh(&room, &daemon(&marker)).await;
    eventually("it runs", || !processes_with(&marker).is_empty()).await;
    drop(room);
    gone(&marker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_whose_link_ends_ends_itself() {
    let bench = Bench::new();
    let room = bench.room().await;
    let marker = marker();
    sh(&room, &daemon(&marker)).await;
    eventually("it runs", || !processes_with(&marker).is_empty()).await;
    let sandbox_runtime::sandbox::Room { link, incoming, processes } = room;
    drop((link, incoming));
    gone(&marker).await;
    drop(processes);
}

/// The test's own program is also the runtime that is killed: started once more, with this name, to hold a room.
const HOLD: &str = "BATON_TEST_HOLDS_ROOM_WITH_MARKER";

#[tokio::test(flavor = "multi_thread")]
async fn two_seconds_after_the_runtime_is_killed_nothing_is_left() {
    if let Ok(marker) = std::env::var(HOLD) {
        let bench = Bench::new();
        let room = bench.room().await;
        sh(&room, &daemon(&marker)).await;
        println!("\nholding {}", bench.home.path().display());
        return std::future::pending().await;
    }
    let marker = marker();
    let mut runtime = Command::new(std::env::current_exe().unwrap());
    runtime
        .args(["--exact", "endings::two_seconds_after_the_runtime_is_killed_nothing_is_left", "--nocapture"])
        .env(HOLD, &marker)
        .stdout(Stdio::piped())
        .process_group(0);
    let mut runtime = runtime.spawn().unwrap();
    let mut said = BufReader::new(runtime.stdout.take().unwrap()).lines();
    let home = said.find_map(|line| line.unwrap().strip_prefix("holding ").map(str::to_owned)).unwrap();
    eventually("the daemon runs", || !processes_with(&marker).is_empty()).await;

    runtime.kill().unwrap();
    runtime.wait().unwrap();
    let killed = Instant::now();
    gone(&marker).await;
    let took = killed.elapsed();
    fs::remove_dir_all(home).unwrap();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_come_and_go_without_a_trace() {
    come_and_go(12).await;
}

/// The long form: `script/soak`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn a_thousand_rooms_come_and_go_without_a_trace() {
    come_and_go(1000).await;
}

async fn come_and_go(times: usize) {
    let bench = Bench::new();
    let open_files = || fs::read_dir("/proc/self/fd").unwrap().count();
    // Those of a container engine come and go with the rooms of other tests.
    let is_own = |line: &&str| !line.contains(" - overlay ") && !line.contains(" - nsfs ");
    let mounts = || {
        let all = fs::read_to_string("/proc/self/mountinfo").unwrap();
        all.lines().filter(is_own).collect::<Vec<_>>().join("\n")
    };
    let mounts_before = mounts();
    let mut after_first = None;
    for _ in 0..times {
        let marker = marker();
        let mut room = bench.room().await;
        sh(&room, &daemon(&marker)).await;
        room.processes.kill().await;
        drop(room);
        assert!(processes_with(&marker).is_empty());
        after_first.get_or_insert_with(open_files);
    }
    // Other tests of this program open files meanwhile; a leak of each room would be larger than what they hold.
    let grown = open_files().saturating_sub(after_first.unwrap());
    assert!(grown < 48, "{grown} descriptors more");
    assert_eq!(mounts(), mounts_before);
    assert_eq!(fs::read_dir(bench.home.path()).unwrap().count(), 2);
}
