//! Asks systemd for a group of the runtime's own: a scope with `Delegate=yes`.
//!
//! In it the runtime may make groups for its sandboxes. Without systemd, or where it says no, the next means is used.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long systemd may take.
const LIMIT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(20);

/// Asks once; `true` when this process is in a scope of its own.
pub fn ask_systemd() -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    let has_session =
        ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"].iter().any(|name| std::env::var_os(name).is_some());
    if !is_root && !has_session {
        return false;
    }
    let bus = if is_root { "--system" } else { "--user" };
    let pid = std::process::id();
    let asked = Command::new("busctl")
        .args([bus, "--quiet", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1"])
        .args(["org.freedesktop.systemd1.Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))"])
        .args([&format!("baton-{pid}.scope"), "fail", "2", "PIDs", "au", "1", &pid.to_string()])
        .args(["Delegate", "b", "true", "0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut asked) = asked else { return false };
    let deadline = Instant::now() + LIMIT;
    loop {
        match asked.try_wait() {
            Ok(Some(status)) => return status.success() && is_moved(deadline),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            Ok(None) | Err(_) => {
                // It is of no use any more, whatever it says.
                let _ = asked.kill();
                let _ = asked.wait();
                return false;
            }
        }
    }
}

/// systemd answers before it has moved the process.
fn is_moved(deadline: Instant) -> bool {
    let own = format!("baton-{}.scope", std::process::id());
    loop {
        if std::fs::read_to_string("/proc/self/cgroup").is_ok_and(|groups| groups.contains(&own)) {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
}
