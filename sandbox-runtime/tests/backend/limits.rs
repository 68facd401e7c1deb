//! Limits: who exceeds one is ended, the room goes on, and the count of it is known. By control groups where this machine
//! has them, and by the means of a machine without.

use std::fs;

use sandbox_core::model::{EnforcedBy, Limits, LimitsInForce};
use sandbox_runtime::sandbox::Room;

use crate::bench::{Bench, command, eventually, run, sh};

async fn limited(bench: &Bench, asked: Limits) -> (Room, LimitsInForce) {
    let limits = bench.backend.limits(&asked).unwrap();
    let mut spec = bench.spec();
    spec.limits = limits.clone();
    (bench.room_of(spec).await, limits)
}

/// Both kinds of machine: this one, and one whose control groups cannot be used.
fn benches() -> [Bench; 2] {
    [Bench::new(), Bench::without_groups()]
}

const HOG: &str = "import time\nheld = []\nwhile True:\n    held.append(bytearray(16 << 20))\n    time.sleep(.005)";

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_takes_too_much_memory_ends_and_the_room_goes_on() {
    for bench in benches() {
        let (room, _) = limited(&bench, Limits { memory_mb: Some(300), ..Limits::default() }).await;
        let result = run(&room, command("/usr/bin/python3", &["-c", HOG])).await.unwrap();
        assert_ne!(result.exit_code, 0);
        let by_kernel_or_watchdog = result.signal.as_deref() == Some("SIGKILL");
        let by_limit_of_process = result.stderr.contains("MemoryError");
        assert!(by_kernel_or_watchdog || by_limit_of_process, "{result:?}");
        if by_kernel_or_watchdog {
            assert!(bench.backend.exceeded(&bench.sandbox).memory > 0);
        }
        assert_eq!(sh(&room, "echo the room lives").await.stdout, "the room lives\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_commands_that_take_too_much_memory_together_are_ended() {
    let bench = Bench::without_groups();
    let (room, limits) = limited(&bench, Limits { memory_mb: Some(400), ..Limits::default() }).await;
    assert_eq!(limits.memory_mb.unwrap().by, EnforcedBy::Watchdog);
    let hold = "import time; held = bytearray(150 << 20); time.sleep(60)";
    let line =
        format!("for n in 1 2 3 4; do python3 -c '{hold}' & done; wait -n; kill %1 %2 %3 %4 2>/dev/null; exit 9");
    let result = sh(&room, &line).await;
    assert_eq!(result.exit_code, 9, "{result:?}");
    eventually("one was ended", || bench.backend.exceeded(&bench.sandbox).memory > 0).await;
    assert_eq!(sh(&room, "echo the room lives").await.stdout, "the room lives\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_is_held_and_the_room_goes_on() {
    for bench in benches() {
        let (room, _) = limited(&bench, Limits { pids: Some(100), ..Limits::default() }).await;
        let mut bomb = command(
            "/usr/bin/python3",
            &[
                "-c",
                // One process that makes more at a steady rate: as root without control groups only the watchdog holds it,
                // and one that doubles would take the whole machine before the watchdog looks.
                "import os, time\nwhile True:\n    time.sleep(.004)\n    try:\n        if os.fork() == 0: time.sleep(60)\n    \
                 except OSError:\n        time.sleep(.05)",
            ],
        );
        bomb.timeout_ms = 4000;
        let result = run(&room, bomb).await.unwrap();
        assert_ne!(result.exit_code, 0);
        eventually("the room lives", || true).await;
        assert_eq!(sh(&room, "echo the room lives").await.stdout, "the room lives\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fills_the_workspace_is_ended() {
    let bench = Bench::new();
    let (room, limits) = limited(&bench, Limits { disk_mb: Some(32), ..Limits::default() }).await;
    assert_eq!(limits.disk_mb.unwrap().by, EnforcedBy::Watchdog);
    let one_file = sh(&room, "exec dd if=/dev/zero of=large bs=1M count=64 status=none").await;
    assert_eq!(one_file.signal.as_deref(), Some("SIGXFSZ"), "{one_file:?}");
    let large = fs::metadata(bench.workspace().join("large")).unwrap().len();
    assert!(large <= 32 << 20, "{large}");
    let many = "import itertools, time\nfor n in itertools.count():\n    open(f'part-{n}', 'wb').write(bytes(1 << 20)); time.sleep(.02)";
    let result = run(&room, command("/usr/bin/python3", &["-c", many])).await.unwrap();
    assert_eq!(result.signal.as_deref(), Some("SIGKILL"), "{result:?}");
    assert!(bench.backend.exceeded(&bench.sandbox).disk > 0);
    assert_eq!(sh(&room, "rm -f part-* large; echo the room lives").await.stdout, "the room lives\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_in_memory_are_a_part_of_the_memory() {
    let bench = Bench::new();
    let (room, _) = limited(&bench, Limits { memory_mb: Some(256), ..Limits::default() }).await;
    for folder in ["/tmp", "/var/tmp", "/dev/shm", "/home/baton", "/run/user/1000"] {
        let size = sh(&room, &format!("stat -f -c '%b %S' {folder}")).await.stdout;
        let size: Vec<u64> = size.split_whitespace().map(|word| word.parse().unwrap()).collect();
        assert_eq!(size[0] * size[1], 64 << 20, "{folder}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_control_groups_processors_cannot_be_asked_for() {
    let bench = Bench::without_groups();
    let refused = bench.backend.limits(&Limits { cpus: Some(1.0), ..Limits::default() }).unwrap_err();
    assert_eq!(refused.field, "cpus");
    assert_eq!(bench.backend.limits(&Limits::default()).unwrap().cpus, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_processor_is_half_of_the_time() {
    let bench = Bench::new();
    let asked = Limits { cpus: Some(0.5), ..Limits::default() };
    if bench.backend.limits(&Limits::default()).unwrap().cpus.is_none() {
        // Here nothing enforces it, and it is refused.
        bench.backend.limits(&asked).unwrap_err();
        return;
    }
    let (room, _) = limited(&bench, asked).await;
    // Two that are busy for two seconds have at most one second of processor time together, whatever else runs.
    // Each says its word in one write: `print` makes two of it, and they mix.
    let busy = "import os, time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass\n\
                os.write(1, f\"{time.process_time()}\\n\".encode())";
    let line = format!("python3 -c '{busy}' & python3 -c '{busy}' & wait");
    let said = sh(&room, &line).await.stdout;
    let used: f64 = said.split_whitespace().map(|word| word.parse::<f64>().unwrap()).sum();
    assert!(used < 2.0, "{used} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_go_with_their_sandbox() {
    let bench = Bench::new();
    let (mut room, _) = limited(&bench, Limits::default()).await;
    let here = || {
        let named = |path: std::path::PathBuf| fs::read_dir(path).into_iter().flatten().flatten().collect::<Vec<_>>();
        let mut waiting: Vec<_> = named("/sys/fs/cgroup".into()).iter().map(fs::DirEntry::path).collect();
        let mut found = 0;
        while let Some(path) = waiting.pop().filter(|path| path.is_dir()) {
            if path.ends_with(bench.sandbox.as_str()) {
                found += 1;
            }
            waiting.extend(named(path).iter().map(fs::DirEntry::path).filter(|path| path.is_dir()));
        }
        found
    };
    let limits = bench.backend.limits(&Limits::default()).unwrap();
    let is_grouped = matches!(limits.memory_mb.unwrap().by, EnforcedBy::Cgroup1 | EnforcedBy::Cgroup2);
    assert_eq!(here() > 0, is_grouped, "positive control");
    room.processes.kill().await;
    drop(room);
    eventually("they are gone", || here() == 0).await;
}
