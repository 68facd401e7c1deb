//! Commands: output, status, input, time, and the killing of all that they started.

use std::fs;
use std::time::{Duration, Instant};

use sandbox_core::model::CodeLanguage;
use sandbox_runtime::sandbox::calls::{CallError, OUTPUT_KEPT, Output, code_command, exec};

use crate::bench::{Bench, command, daemon, eventually, gone, marker, processes_with, run, sh};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_gives_its_output_and_its_status() {
    let bench = Bench::new();
    let room = bench.room().await;
    let mut pieces = Vec::new();
    let spec = command("/bin/sh", &["-c", "echo out; echo err >&2; exit 3"]);
    let result = exec(&room.link, spec, None, |piece| pieces.push(piece)).await.unwrap();
    assert_eq!((result.exit_code, result.signal, result.timed_out), (3, None, false));
    assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("out\n", "err\n"));
    assert!(!result.stdout_truncated && !result.stderr_truncated);
    assert!(pieces.contains(&Output::Stdout(b"out\n".to_vec())), "{pieces:?}");
    assert!(pieces.contains(&Output::Stderr(b"err\n".to_vec())), "{pieces:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_killed_by_a_signal_names_it() {
    let bench = Bench::new();
    let room = bench.room().await;
    let result = sh(&room, "kill -TERM $$").await;
    assert_eq!((result.exit_code, result.signal.as_deref()), (143, Some("SIGTERM")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_is_named() {
    let bench = Bench::new();
    let room = bench.room().await;
    let refused = |spec| async { run(&room, spec).await.unwrap_err() };
    let CallError::NotStarted(cause) = refused(command("no-such-program", &[])).await else { panic!() };
    assert_eq!(cause, "no-such-program: command not found");
    let mut lost = command("true", &[]);
    lost.cwd = "/workspace/nowhere".to_owned();
    let CallError::NotStarted(cause) = refused(lost).await else { panic!() };
    assert_eq!(cause, "working folder /workspace/nowhere: does not exist");
    let mut outside = command("true", &[]);
    outside.cwd = "/etc".to_owned();
    let CallError::NotStarted(cause) = refused(outside).await else { panic!() };
    assert_eq!(cause, "working folder /etc: not beneath /workspace");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_starts_in_its_folder_with_its_environment() {
    let bench = Bench::new();
    fs::create_dir(bench.workspace().join("deep")).unwrap();
    let room = bench.room().await;
    let mut spec = command("/bin/sh", &["-c", "pwd; echo $FROM $OWN $HOME"]);
    spec.cwd = "/workspace/deep".to_owned();
    spec.env.insert("OWN".into(), "command".into());
    assert_eq!(run(&room, spec).await.unwrap().stdout, "/workspace/deep\nsandbox command /home/baton\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_much_output_the_newest_end_is_kept() {
    let bench = Bench::new();
    let room = bench.room().await;
    let result = sh(&room, "seq 1 400000; echo small >&2").await;
    assert_eq!((result.exit_code, result.stdout.len()), (0, OUTPUT_KEPT));
    assert!(result.stdout_truncated && !result.stderr_truncated);
    assert!(result.stdout.ends_with("\n399999\n400000\n"));
    assert_eq!(result.stderr, "small\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn input_reaches_a_command_whole_and_ends() {
    let bench = Bench::new();
    let room = bench.room().await;
    let input = b"line of input\n".repeat(100_000);
    let length = input.len();
    let counted = exec(&room.link, command("wc", &["-c"]), Some(input), |_| {}).await.unwrap();
    assert_eq!(counted.stdout.trim(), length.to_string());
    assert_eq!(run(&room, command("cat", &[])).await.unwrap().stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_need_not_read_its_input() {
    let bench = Bench::new();
    let room = bench.room().await;
    let input = vec![b'x'; 4 << 20];
    let result = exec(&room.link, command("true", &[]), Some(input), |_| {}).await.unwrap();
    assert_eq!(result.exit_code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_its_time_is_over_a_command_is_killed_with_all_that_it_started() {
    let bench = Bench::new();
    let room = bench.room().await;
    let marker = marker();
    let mut spec =
        command("/bin/bash", &["-c", &format!("{} echo begun; sleep {marker} & sleep {marker}", daemon(&marker))]);
    spec.timeout_ms = 1500;
    let started = Instant::now();
    let result = run(&room, spec).await.unwrap();
    assert!(result.timed_out);
    assert_eq!((result.exit_code, result.signal.as_deref()), (137, Some("SIGKILL")));
    assert_eq!(result.stdout, "begun\n");
    assert!(started.elapsed() >= Duration::from_millis(1500));
    gone(&marker).await;
    assert_eq!(sh(&room, "echo the room lives").await.stdout, "the room lives\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_kills_the_command_with_all_that_it_started() {
    let bench = Bench::new();
    let room = bench.room().await;
    let marker = marker();
    let spec = command("/bin/bash", &["-c", &format!("{} echo begun; sleep {marker}", daemon(&marker))]);
    let (begun, mut has_begun) = tokio::sync::mpsc::channel(1);
    let link = room.link.clone();
    let call = tokio::spawn(async move {
        exec(&link, spec, None, |_| {
            let _ = begun.try_send(());
        })
        .await
    });
    has_begun.recv().await.unwrap();
    assert!(!processes_with(&marker).is_empty());
    call.abort();
    gone(&marker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_call_kills_also_a_command_that_does_not_read_its_input() {
    let bench = Bench::new();
    let room = bench.room().await;
    let marker = marker();
    let link = room.link.clone();
    let spec = command("sleep", &[&marker]);
    let call = tokio::spawn(async move { exec(&link, spec, Some(vec![b'x'; 8 << 20]), |_| {}).await });
    eventually("the command runs", || !processes_with(&marker).is_empty()).await;
    call.abort();
    gone(&marker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_left_in_the_background_neither_delays_its_command_nor_ends_with_it() {
    let bench = Bench::new();
    let mut room = bench.room().await;
    let marker = marker();
    let started = Instant::now();
    let result = sh(&room, &format!("sleep {marker} & echo done")).await;
    assert_eq!((result.exit_code, result.stdout.as_str()), (0, "done\n"));
    assert!(started.elapsed() < Duration::from_secs(30));
    assert!(!processes_with(&marker).is_empty());
    room.processes.kill().await;
    assert!(processes_with(&marker).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_kills_its_supervisor_leaves_nothing() {
    let bench = Bench::new();
    let room = bench.room().await;
    let marker = marker();
    let result = sh(&room, &format!("{} sleep {marker} & kill -9 $PPID; sleep {marker}", daemon(&marker))).await;
    assert_eq!((result.exit_code, result.signal.as_deref()), (137, Some("SIGKILL")));
    gone(&marker).await;
    assert_eq!(sh(&room, "echo the room lives").await.stdout, "the room lives\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_keeps_its_supervisor_stopped_is_killed_all_the_same() {
    let bench = Bench::new();
    let room = bench.room().await;
    let marker = marker();
    let line = format!("{} while :; do kill -STOP $PPID; : {marker}; done", daemon(&marker));
    let mut spec = command("/bin/bash", &["-c", &line]);
    spec.timeout_ms = 1500;
    let result = run(&room, spec).await.unwrap();
    assert_eq!((result.exit_code, result.timed_out), (137, true));
    gone(&marker).await;
    assert_eq!(sh(&room, "echo the room lives").await.stdout, "the room lives\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_signal_of_a_command_reaches_the_guest() {
    let bench = Bench::new();
    let room = bench.room().await;
    let line = "for signal in $(seq 1 64); do kill -$signal 1; done; kill -STOP -1; exit 3";
    assert_eq!(sh(&room, line).await.exit_code, 3);
    assert_eq!(sh(&room, "echo the room lives").await.stdout, "the room lives\n");
    sh(&room, "kill -KILL -1").await;
    assert_eq!(sh(&room, "echo the room lives").await.stdout, "the room lives\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_commands_run_at_once() {
    let bench = Bench::new();
    let room = bench.room().await;
    let running = (0..12).map(|n| {
        let link = room.link.clone();
        tokio::spawn(async move {
            let spec = command("/bin/sh", &["-c", &format!("sleep 0.2; echo {n}")]);
            exec(&link, spec, None, |_| {}).await.unwrap().stdout
        })
    });
    for (n, output) in running.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(output.await.unwrap(), format!("{n}\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_runs_in_each_language_whatever_it_contains() {
    let bench = Bench::new();
    fs::write(bench.workspace().join("beside.json"), "{\"a\":1}").unwrap();
    let room = bench.room().await;
    let cases = [
        (CodeLanguage::Python, "import json\nprint('it\\'s', json.load(open('beside.json'))['a'], \"$HOME `x`\")"),
        (CodeLanguage::Javascript, "console.log('it\\'s', require('./beside.json').a, \"$HOME `x`\")"),
        (
            CodeLanguage::Typescript,
            "import { readFileSync } from 'node:fs';\ntype T = { a: number };\nenum E { One = 1 }\n\
             const t: T = JSON.parse(readFileSync('beside.json', 'utf8'));\n\
             await Promise.resolve();\nconsole.log('it\\'s', t.a * E.One, \"$HOME `x`\")",
        ),
        (CodeLanguage::Bash, "cat <<'END'\nit's 1 $HOME `x`\nEND\ncat"),
    ];
    for (language, code) in cases {
        let how = code_command(language, code);
        let mut spec = command(&how.command, &[]);
        spec.args = how.args;
        let result = exec(&room.link, spec, Some(how.stdin), |_| {}).await.unwrap();
        assert_eq!(result.stdout, "it's 1 $HOME `x`\n", "{language:?}: {}", result.stderr);
        assert_eq!(result.exit_code, 0, "{language:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_fails_says_so() {
    let bench = Bench::new();
    let room = bench.room().await;
    let cases = [
        (CodeLanguage::Python, "raise SystemExit(4)", 4),
        (CodeLanguage::Javascript, "process.exit(5)", 5),
        (CodeLanguage::Typescript, "process.exit(6 as number)", 6),
        (CodeLanguage::Bash, "exit 7", 7),
    ];
    for (language, code, status) in cases {
        let how = code_command(language, code);
        let mut spec = command(&how.command, &[]);
        spec.args = how.args;
        let result = exec(&room.link, spec, Some(how.stdin), |_| {}).await.unwrap();
        assert_eq!(result.exit_code, status, "{language:?}: {}", result.stderr);
    }
}
