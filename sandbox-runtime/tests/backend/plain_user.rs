//! The whole suite once more as a plain user, when it runs as root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use sandbox_runtime::sandbox::checks;

const PLAIN_ID: u32 = 1000;

#[test]
fn the_suite_passes_as_a_plain_user_too() {
    if !nix::unistd::geteuid().is_root() {
        // This is the run as a plain user.
        return;
    }
    // A plain user can reach neither root's folders nor, perhaps, this checkout.
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = std::env::current_exe().unwrap();
    let suite = home.path().join("suite");
    let guest = home.path().join("sandbox-guest");
    fs::copy(&program, &suite).unwrap();
    let built =
        program.ancestors().skip(1).take(2).map(|folder| folder.join("sandbox-guest")).find(|path| path.is_file());
    fs::copy(std::env::var_os("BATON_GUEST").map(Into::into).or(built).expect("a guest"), &guest).unwrap();
    let own = home.path().join("own");
    fs::create_dir(&own).unwrap();
    chown(&own, Some(PLAIN_ID), Some(PLAIN_ID)).unwrap();

    let ran = Command::new("setpriv")
        .args([format!("--reuid={PLAIN_ID}"), format!("--regid={PLAIN_ID}"), "--clear-groups".into(), "--".into()])
        .arg(&suite)
        .args(["--skip", "plain_user", "--test-threads", "2"])
        .env("HOME", &own)
        .env("BATON_GUEST", &guest)
        .current_dir(&own)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("test result: ok."), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checks_of_this_machine_start_a_room() {
    let checks = checks::local().await;
    let failed: Vec<_> = checks.iter().filter(|check| check.required && !check.ok).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(checks.iter().all(|check| check.ok || check.fix.is_some()), "{checks:#?}");
    assert!(checks.iter().any(|check| check.name == "room" && check.ok));
}
