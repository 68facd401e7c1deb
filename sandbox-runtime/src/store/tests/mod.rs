//! The store as its callers see it.

mod chain;
mod contents;
mod crash;
mod events;
mod files;
mod forget;
mod full;
mod records;
mod search;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use sandbox_core::TaskId;
use sandbox_core::event::{AgentMessage, NewEvent};
use sandbox_core::model::*;
use serde_json::json;

/// Tells a test that it is the child of its own: where its data directory is.
const CHILD_HOME: &str = "BATON_STORE_TEST_HOME";

fn task(id: &str, title: &str, status: TaskStatus) -> Task {
    Task {
        id: id.into(),
        sandbox_id: "sbx_1".into(),
        title: title.to_owned(),
        prompt: None,
        playbook: None,
        status,
        result: None,
        error: None,
        metadata: BTreeMap::from([("order".to_owned(), json!({ "nested": [1, null, "x"] }))]),
        usage: Usage { cost_usd: Some(0.25), ..Usage::default() },
        created_at: 1,
        started_at: Some(2),
        ended_at: None,
    }
}

fn sandbox(id: &str, status: SandboxStatus) -> Sandbox {
    Sandbox {
        id: id.into(),
        name: format!("sandbox {id}"),
        status,
        backend: BackendKind::Local,
        capabilities: Capabilities::default(),
        network: NetworkConfig::default(),
        limits: SandboxLimits { cpus: Some(1.5), ..SandboxLimits::default() },
        preview: Preview {
            status: PreviewStatus::Ready,
            control_mode: ControlMode::Idle,
            controller: None,
            url: "https://example.org/".to_owned(),
            title: "Example".to_owned(),
            tabs: Vec::new(),
            viewport: Viewport::default(),
            viewers: 0,
            blind: false,
            debugging_port: None,
            updated_at: 3,
        },
        agent: AgentInfo { status: AgentStatus::Idle, task_id: None },
        handoff: None,
        approvals: vec![],
        failure: None,
        created_at: 1,
        paused: None,
        ready_at: Some(2),
        ended_at: None,
        updated_at: 3,
    }
}

fn handoff(id: &str, sandbox: &str, status: HandoffStatus) -> Handoff {
    Handoff {
        request_id: id.into(),
        sandbox_id: sandbox.into(),
        task_id: Some("task_1".into()),
        status,
        reason: HandoffReason::LoginFailed,
        message: "sign in".to_owned(),
        requested_by: RequestedBy::Agent,
        controller: None,
        resume_prompt: None,
        note: None,
        until: Some(Until { cookie: Some("session".to_owned()), ..Until::default() }),
        missing_sign_in: None,
        receipt: Some(Receipt { held_ms: 5, ..Receipt::default() }),
        requested_at: 1,
        accepted_at: None,
        completed_at: None,
        expires_at: None,
        updated_at: 1,
    }
}

fn approval(id: &str, sandbox: &str, status: ApprovalStatus) -> Approval {
    let proposal = Proposal {
        kind: ActKind::Pay,
        summary: "click button \"Pay\"".to_owned(),
        site: "shop.example".to_owned(),
        method: Some("POST".to_owned()),
        destination: "https://shop.example/pay".to_owned(),
        fields: vec![ShownField { name: "to".to_owned(), value: "Ada".to_owned(), masked: false }],
        amount: Some(Amount { hundredths: 4_000, currency: "EUR".to_owned() }),
    };
    Approval {
        approval_id: id.into(),
        sandbox_id: sandbox.into(),
        task_id: Some("task_1".into()),
        status,
        hash: sandbox_core::approval::hash(&proposal),
        proposal,
        held: true,
        note: None,
        reason: None,
        decided_by: None,
        grant_id: None,
        requested_at: 1,
        decided_at: None,
        updated_at: 1,
    }
}

fn artifact(key: &str, name: &str, sha256: &str) -> Artifact {
    Artifact {
        key: key.into(),
        sandbox_id: "sbx_1".into(),
        task_id: None,
        name: name.to_owned(),
        kind: ArtifactKind::File,
        content_type: "text/plain".to_owned(),
        size: 1,
        sha256: sha256.to_owned(),
        created_at: 1,
        recorded: None,
    }
}

fn event(sandbox: &str, task: Option<&str>, text: &str) -> NewEvent {
    NewEvent {
        sandbox_id: sandbox.into(),
        task_id: task.map(TaskId::from),
        by: Actor::Agent,
        at: 7,
        data: AgentMessage::new(text).into(),
    }
}

/// Returns the data directory if this process is the child of the test that it runs.
fn child_home() -> Option<PathBuf> {
    std::env::var_os(CHILD_HOME).map(PathBuf::from)
}

/// Lets `command`, which starts this very test program, run one test as a child that works in `home`.
fn run_this_test_as_child(command: &mut Command, test: &str, home: &Path) {
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD_HOME, home);
}
