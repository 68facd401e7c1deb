//! Settings of the contract that this version does not carry out. Each is refused by name, so that nobody relies on what
//! does nothing.

use sandbox_core::model::{SandboxConfig, TaskRequest};

use super::{Answer, ServiceError};

/// Refuses a sandbox that asks for what would have no effect.
///
/// # Errors
///
/// `invalid`, naming the first such field.
pub(super) fn check(config: &SandboxConfig) -> Answer<()> {
    let capabilities = &config.capabilities;
    refuse_if_set(&[
        (
            "capabilities.agent.enabled",
            !capabilities.agent.enabled,
            "`false` has no effect in this version: every sandbox takes tasks; leave it out",
        ),
        (
            "capabilities.agent.defaultAgent",
            capabilities.agent.default_agent.is_some(),
            "this version has one agent; leave it out, and name a `model` in the task",
        ),
        (
            "capabilities.documents.libreofficeHeadless",
            capabilities.documents.libreoffice_headless,
            "every sandbox converts documents where LibreOffice is installed; leave it out",
        ),
        (
            "capabilities.storage.artifactPrefix",
            capabilities.storage.artifact_prefix.is_some(),
            "the keys of artifacts have no prefix in this version; leave it out",
        ),
    ])
}

/// Refuses a task that asks for what its kind does not have.
///
/// # Errors
///
/// `invalid`, naming the first such field.
pub(super) fn check_task(request: &TaskRequest) -> Answer<()> {
    let follows_playbook = request.playbook.is_some();
    refuse_if_set(&[
        ("model", follows_playbook && request.model.is_some(), "a playbook follows no model; leave it out"),
        (
            "limits.tokens",
            follows_playbook && request.limits.tokens.is_some(),
            "a playbook uses no tokens; leave it out, or set `limits.steps` or `limits.timeMs`",
        ),
        (
            "params",
            !follows_playbook && !request.params.is_empty(),
            "they are values for a playbook; write them into the `prompt`",
        ),
    ])
}

fn refuse_if_set(fields: &[(&str, bool, &str)]) -> Answer<()> {
    match fields.iter().find(|(_, is_set, _)| *is_set) {
        Some((field, _, why)) => Err(ServiceError::invalid(format!("`{field}`: {why}"))),
        None => Ok(()),
    }
}
