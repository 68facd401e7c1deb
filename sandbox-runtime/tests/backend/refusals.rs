//! A machine that lacks a layer of the isolation: refused at once, with the layer and the fix, and nothing is started.

use std::process::Command;
use std::time::{Duration, Instant};

use sandbox_runtime::sandbox::BackendError;

use crate::bench::Bench;

/// The test's own program is started once more, with this name, where user namespaces are forbidden.
const DENIED: &str = "BATON_TEST_NAMESPACES_ARE_DENIED";
const NAME: &str = "refusals::where_namespaces_are_denied_a_room_is_refused_with_its_fix";

#[tokio::test(flavor = "multi_thread")]
async fn where_namespaces_are_denied_a_room_is_refused_with_its_fix() {
    let bench = Bench::new();
    let started = Instant::now();
    let outcome = bench.backend.start(bench.spec()).await;
    if std::env::var_os(DENIED).is_none() {
        assert!(outcome.is_ok(), "positive control: here they are allowed");
        let forbid = "--unshare-user --disable-userns --uid 1000 --gid 1000 --cap-drop ALL --dev-bind / / --";
        let ran = Command::new("/usr/bin/bwrap")
            .args(forbid.split(' '))
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", NAME])
            .env(DENIED, "1")
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
        return;
    }
    let Err(BackendError::Refused { layer, cause, fix }) = outcome else { panic!("a room was started") };
    assert!(["user namespaces", "bubblewrap"].contains(&layer), "{layer}");
    assert!(!cause.is_empty() && !fix.is_empty());
    // The promise is two seconds; the rest is for a busy machine.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
