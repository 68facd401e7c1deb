//! `baton run` and `baton demo`: a task from beginning to end, watched from a shell.
//!
//! ```text
//!   connect ─▶ sandbox ready ─▶ task started ─▶ events … ─▶ task over ─▶ end what we made ─▶ exit code
//!                                   Ctrl+C ─▶ cancelled ─────────▲
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use sandbox_core::event::{Event, EventData, words};
use sandbox_core::model::{Page, Sandbox, Task, TaskStatus};
use sandbox_core::playbook::Playbook;
use sandbox_core::{SandboxId, TaskId};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Client, Refused};
use crate::exit;
use crate::runtime::StopSignals;

/// How often the task is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a link for the person waits to be opened.
const LINK_MS: u64 = 60 * 60_000;

/// The call cannot be carried out as it was written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadCall(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    task_id: TaskId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Demo {
    sandbox_id: SandboxId,
    task_id: TaskId,
}

/// `baton run`
pub async fn run(file: &Path, sandbox: Option<String>, params: Vec<(String, String)>) -> anyhow::Result<u8> {
    let text = std::fs::read_to_string(file).map_err(|error| BadCall(format!("read {}: {error}", file.display())))?;
    // Read here already: a slip is said before anything is started.
    let playbook = Playbook::parse(&text)
        .map_err(|error| BadCall(format!("{}:{}:{}: {}", file.display(), error.line, error.column, error.message)))?;
    let mut stop = StopSignals::new().context("hear signals")?;
    let client = Client::connect().await?;
    let done = run_in(&client, &playbook.name, sandbox, text, params.into_iter().collect(), &mut stop).await;
    client.close().await;
    done
}

async fn run_in(
    client: &Client,
    name: &str,
    sandbox: Option<String>,
    text: String,
    params: BTreeMap<String, String>,
    stop: &mut StopSignals,
) -> anyhow::Result<u8> {
    // Before a sandbox is made: a parameter that is missing leaves nothing behind.
    let request = json!({ "playbook": text, "params": params });
    client.post::<Value>("/v1/playbooks/check", &request).await.map_err(refused_call)?;
    let (id, ours) = match sandbox {
        Some(id) => (SandboxId(id), false),
        None => (client.post::<Sandbox>("/v1/sandboxes", &json!({ "name": name })).await?.id, true),
    };
    let done = async {
        tokio::select! {
            ready = ready(client, &id) => ready?,
            () = stop.next() => return Ok(exit::CANCELLED),
        }
        let started: Started =
            client.post(&format!("/v1/sandboxes/{id}/tasks"), &request).await.map_err(refused_call)?;
        watch(client, &id, &started.task_id, stop).await
    };
    let done = done.await;
    if ours {
        end(client, &id).await;
    }
    done
}

/// What the runtime does not take was called wrongly.
fn refused_call(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<Refused>() {
        Some(refused) if refused.status == 400 => BadCall(refused.to_string()).into(),
        Some(_) | None => error,
    }
}

/// `baton demo`
pub async fn demo() -> anyhow::Result<u8> {
    let mut stop = StopSignals::new().context("hear signals")?;
    let client = Client::connect().await?;
    let done = async {
        let Demo { sandbox_id, task_id } = client.post("/v1/demo", &json!({})).await?;
        let done = watch(&client, &sandbox_id, &task_id, &mut stop).await;
        end(&client, &sandbox_id).await;
        done
    };
    let done = done.await;
    client.close().await;
    done
}

/// Waits until the sandbox takes work.
async fn ready(client: &Client, id: &SandboxId) -> anyhow::Result<()> {
    let sandbox: Sandbox = client.get(&format!("/v1/sandboxes/{id}?waitFor=ready&timeoutMs=120000")).await?;
    if let Some(failure) = &sandbox.failure {
        anyhow::bail!("the sandbox did not start: {}", failure.message);
    }
    anyhow::ensure!(sandbox.status.takes_work(), "the sandbox takes no work: it is over");
    Ok(())
}

/// Prints what happens until the task is over. The first Ctrl+C cancels it; the second leaves at once.
async fn watch(client: &Client, sandbox: &SandboxId, task: &TaskId, stop: &mut StopSignals) -> anyhow::Result<u8> {
    let mut seen = None;
    let mut cancelling = false;
    loop {
        // Looked at before its events are read: what came before its end is in them.
        let now: Task = client.get(&format!("/v1/tasks/{task}")).await?;
        while let Some(last) = print_new(client, sandbox, task, seen.as_deref()).await? {
            seen = Some(last);
        }
        match now.status {
            TaskStatus::Completed => return Ok(exit::DONE),
            TaskStatus::Failed => return Ok(exit::FAILED),
            TaskStatus::Cancelled => return Ok(exit::CANCELLED),
            TaskStatus::Queued | TaskStatus::Running | TaskStatus::Waiting => {}
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.next() => {
                if cancelling {
                    return Ok(exit::CANCELLED);
                }
                cancelling = true;
                println!("cancelling …");
                if let Err(error) = client.post::<Value>(&format!("/v1/tasks/{task}/cancel"), &json!({})).await {
                    // It may have ended in this moment, which the next look shows.
                    tracing::info!(%error, "the task could not be cancelled");
                }
            }
        }
    }
}

/// Prints the next events of the task, and returns the id of the last; `None` when there was none.
async fn print_new(
    client: &Client,
    sandbox: &SandboxId,
    task: &TaskId,
    seen: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let after = seen.map(|id| format!("&after={id}")).unwrap_or_default();
    let page: Page<Event> = client.get(&format!("/v1/tasks/{task}/events?limit=200{after}")).await?;
    for event in &page.data {
        if let Some(line) = words::line(event) {
            println!("{line}");
        }
        if matches!(event.data, EventData::HandoffRequested(_)) {
            let request = json!({ "mode": "control", "ttlMs": LINK_MS });
            let link: Value = client.post(&format!("/v1/sandboxes/{sandbox}/preview/viewer-url"), &request).await?;
            println!("  take control here: {}", link["url"].as_str().unwrap_or_default());
        }
    }
    Ok(page.data.last().map(|event| event.id.to_string()))
}

/// Ends a sandbox that was made for this run only.
async fn end(client: &Client, id: &SandboxId) {
    if let Err(error) = client.delete::<Sandbox>(&format!("/v1/sandboxes/{id}")).await {
        eprintln!("baton: the sandbox {id} was not ended: {error:#}");
    }
}
