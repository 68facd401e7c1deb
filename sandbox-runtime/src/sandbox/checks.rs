//! What rooms on this machine need, looked for and tried: the doctor's part for the backends.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use sandbox_core::SandboxId;
use sandbox_core::model::{Check, LimitsInForce};
use sandbox_link::protocol::{ExecSpec, RoomSettings, ShellSettings};
use tokio::process::Command;
use tokio::time::timeout;

use super::calls::{exec, wait_ready};
use super::check::check;
use super::limits::Holder;
use super::local::Local;
use super::{Backend, RoomSpec, WORKSPACE_DIR, docker, layer_checks};

/// How long a room may take to start and run one command.
const TRIAL_DEADLINE: Duration = Duration::from_secs(30);
/// How long a program may take to say its version.
const VERSION_DEADLINE: Duration = Duration::from_secs(10);

/// Checks this machine for every backend.
pub async fn all() -> Vec<Check> {
    let mut checks = local().await;
    checks.push(docker::check().await);
    checks
}

/// Checks this machine for the local backend.
pub async fn local() -> Vec<Check> {
    let mut checks = vec![bubblewrap().await, user_namespaces()];
    checks.extend(layer_checks::app_armor().await);
    checks.extend([
        layer_checks::seccomp(),
        layer_checks::landlock(),
        room().await,
        layer_checks::limits(Holder::find(Path::new("/")).means()),
    ]);
    for program in PROGRAMS {
        checks.push(look_for(program).await);
    }
    for script in SCRIPTS {
        checks.push(fonts_for(script).await);
    }
    checks
}

struct Program {
    name: &'static str,
    path: &'static str,
    version: &'static [&'static str],
    required: bool,
    fix: &'static str,
}

const PROGRAMS: [Program; 4] = [
    Program {
        name: "xvfb",
        path: "/usr/bin/Xvfb",
        // It has no switch that prints a version and succeeds.
        version: &[],
        required: true,
        fix: "apt-get install xvfb",
    },
    Program {
        name: "chromium",
        path: "/usr/bin/chromium",
        version: &["--version"],
        required: true,
        fix: "apt-get install chromium",
    },
    Program {
        name: "python3",
        path: "/usr/bin/python3",
        version: &["--version"],
        required: true,
        fix: "apt-get install python3",
    },
    Program {
        name: "node",
        path: "/usr/bin/node",
        version: &["--version"],
        required: false,
        fix: "apt-get install nodejs node-typescript",
    },
];

struct Script {
    name: &'static str,
    query: &'static str,
    words: &'static str,
    required: bool,
    fix: &'static str,
}

const SCRIPTS: [Script; 3] = [
    Script {
        name: "fontsLatin",
        query: ":lang=en",
        words: "Latin text",
        required: true,
        fix: "apt-get install fonts-liberation",
    },
    Script {
        name: "fontsCjk",
        query: ":lang=zh-cn",
        words: "Chinese, Japanese and Korean text",
        required: false,
        fix: "apt-get install fonts-noto-cjk",
    },
    Script {
        name: "fontsEmoji",
        query: ":charset=1f600",
        words: "emoji",
        required: false,
        fix: "apt-get install fonts-noto-color-emoji",
    },
];

async fn bubblewrap() -> Check {
    let found = said_by("/usr/bin/bwrap", &["--version"]).await;
    check("bubblewrap", true, found.map_err(|cause| (cause, "apt-get install bubblewrap".to_owned())))
}

fn user_namespaces() -> Check {
    let setting = |name: &str| std::fs::read_to_string(Path::new("/proc/sys").join(name)).ok();
    let is = |name: &str, value: &str| setting(name).is_some_and(|found| found.trim() == value);
    let plain = !nix::unistd::geteuid().is_root();
    let outcome = if !Path::new("/proc/self/ns/user").exists() {
        Err(("the kernel has no user namespaces".to_owned(), "use a kernel with CONFIG_USER_NS".to_owned()))
    } else if is("user/max_user_namespaces", "0") {
        Err(("user.max_user_namespaces is 0".to_owned(), "sysctl -w user.max_user_namespaces=10000".to_owned()))
    } else if plain && is("kernel/unprivileged_userns_clone", "0") {
        Err((
            "kernel.unprivileged_userns_clone is 0".to_owned(),
            "sysctl -w kernel.unprivileged_userns_clone=1".to_owned(),
        ))
    } else {
        Ok("the kernel allows user namespaces".to_owned())
    };
    check("userNamespaces", true, outcome)
}

/// Starts a shell room as any other and runs a command in it.
async fn room() -> Check {
    let tried = timeout(TRIAL_DEADLINE, try_room()).await;
    let outcome =
        tried.unwrap_or_else(|_| Err((format!("a room took longer than {TRIAL_DEADLINE:?}"), "try again".into())));
    check("room", true, outcome)
}

async fn try_room() -> Result<String, (String, String)> {
    let look_at_log =
        |error: &dyn std::fmt::Display| (error.to_string(), "run with BATON_LOG=debug for more".to_owned());
    let home = tempfile::tempdir().map_err(|error| look_at_log(&error))?;
    let workspace = home.path().join("workspaces/trial");
    std::fs::create_dir_all(&workspace).map_err(|error| look_at_log(&error))?;
    let local = Local::find(home.path()).map_err(refusal)?;
    let settings = RoomSettings::Shell(ShellSettings { env: BTreeMap::new(), proxy_port: 0 });
    let sandbox = SandboxId::from("trial".to_owned());
    let limits = LimitsInForce::default();
    let spec = RoomSpec { sandbox, settings, limits, workspace, profile: None };
    let mut room = local.start(spec).await.map_err(refusal)?;
    wait_ready(&mut room.incoming).await.map_err(|error| look_at_log(&error))?;
    let spec = ExecSpec {
        command: "/bin/true".to_owned(),
        args: Vec::new(),
        cwd: WORKSPACE_DIR.to_owned(),
        env: BTreeMap::new(),
        timeout_ms: 10_000,
    };
    let ran = exec(&room.link, spec, None, |_| {}).await;
    room.processes.kill().await;
    match ran {
        Ok(result) if result.exit_code == 0 => Ok("a room was started and ran a command".to_owned()),
        Ok(result) => {
            Err((format!("a command in a room exited with {}", result.exit_code), "look at its libraries".into()))
        }
        Err(error) => Err(look_at_log(&error)),
    }
}

fn refusal(error: super::BackendError) -> (String, String) {
    match error {
        super::BackendError::Refused { layer, cause, fix } => (format!("{layer}: {cause}"), fix),
        super::BackendError::Io(error) => (error.to_string(), "run with BATON_LOG=debug for more".to_owned()),
    }
}

async fn look_for(program: Program) -> Check {
    let found = if program.version.is_empty() {
        let exists = Path::new(program.path).is_file();
        if exists { Ok(program.path.to_owned()) } else { Err(format!("{} does not exist", program.path)) }
    } else {
        said_by(program.path, program.version).await
    };
    check(program.name, program.required, found.map_err(|cause| (cause, program.fix.to_owned())))
}

async fn fonts_for(script: Script) -> Check {
    let outcome = match said_by("/usr/bin/fc-list", &["--format", "%{family[0]}\n", script.query]).await {
        Ok(family) if !family.is_empty() => Ok(format!("{}: {family}", script.words)),
        Ok(_) => Err((format!("no font for {}", script.words), script.fix.to_owned())),
        Err(cause) => Err((cause, "apt-get install fontconfig".to_owned())),
    };
    check(script.name, script.required, outcome)
}

/// Returns the first line that a program prints.
async fn said_by(path: &str, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(path);
    command.args(args).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let ran = timeout(VERSION_DEADLINE, command.output()).await.map_err(|_| format!("{path} does not answer"))?;
    let output = ran.map_err(|error| format!("{path}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{path}: {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned())
}
