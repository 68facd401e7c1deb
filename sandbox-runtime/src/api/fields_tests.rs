//! What is accepted has its effect, or is refused by name: every field that the document lets a caller send is in the table
//! below, with the place that shows its effect, or with a request that is refused.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::openapi_json;
use super::tests::{Bench, read};

/// `operation field: file: words`, where the words stand in the file, which lies beneath `sandbox-runtime/`: a test that
/// shows the effect, or else the code that has it. `*` is any operation: parts of paths are read by every handler that
/// names them, and the parameters of lists by `lists.rs`.
/// `operation field: refused BODY`: this body is answered with 400 `invalid`, and the field is named.
const TABLE: &str = r#"
* path: src/api/extract.rs: for InPath<T>
* header:Idempotency-Key: src/api/tests.rs: fn a_key_that_was_used_for_another_body_is_refused
* query:limit: src/store/tests/records.rs: fn pages_are_newest_first_and_what_arrives_between_them_neither_repeats_nor_hides_one
* query:cursor: src/store/tests/records.rs: fn pages_are_newest_first_and_what_arrives_between_them_neither_repeats_nor_hides_one

createSandbox name: ../tests/tests/product/window.rs: "name": "Supplier"
createSandbox env: ../tests/tests/product/durability.rs: "env": { "TEAM": "blue" }
createSandbox backend: ../tests/tests/product/containers.rs: config["backend"] = json!("docker")
createSandbox network.mode: tests/egress/http.rs: fn modes_and_lists_decide_by_name
createSandbox network.allow[]: tests/egress/http.rs: fn modes_and_lists_decide_by_name
createSandbox network.deny[]: tests/egress/http.rs: fn modes_and_lists_decide_by_name
createSandbox network.allowPrivate[]: tests/egress/http.rs: fn get_and_post_are_carried_to_a_private_address_that_is_named
createSandbox limits.idleMs: ../tests/tests/product/limits.rs: fn a_sandbox_that_nobody_works_in_or_watches_ends_and_says_why
createSandbox limits.memoryMb: tests/backend/limits.rs: fn a_command_that_takes_too_much_memory_ends_and_the_room_goes_on
createSandbox limits.pids: tests/backend/limits.rs: fn a_fork_bomb_is_held_and_the_room_goes_on
createSandbox limits.cpus: tests/backend/limits.rs: fn half_a_processor_is_half_of_the_time
createSandbox limits.diskMb: tests/backend/limits.rs: fn who_fills_the_workspace_is_ended
createSandbox fromCheckpoint: ../tests/tests/product/checkpoints.rs: "fromCheckpoint": checkpoint
createSandbox capabilities.agent.enabled: refused {"capabilities":{"agent":{"enabled":false}}}
createSandbox capabilities.agent.defaultAgent: refused {"capabilities":{"agent":{"defaultAgent":"other"}}}
createSandbox capabilities.storage.artifactPrefix: refused {"capabilities":{"storage":{"artifactPrefix":"a/"}}}
createSandbox capabilities.documents.libreofficeHeadless: refused {"capabilities":{"documents":{"libreofficeHeadless":true}}}
createSandbox capabilities.browser: ../tests/tests/product/webhooks.rs: "capabilities": { "browser": false }
createSandbox capabilities.browser.recording: ../tests/tests/product/recordings.rs: "recording": true
createSandbox capabilities.browser.profile: src/service/sandboxes.rs: uses_profile(name)
createSandbox capabilities.browser.byoProxyUrl: tests/egress/outbound.rs: fn everything_goes_through_an_http_proxy_which_resolves_the_names
openDebuggingPort ttlMs: src/api/routes/cdp_port.rs: ttl
createSandbox capabilities.browser.idleMs: ../tests/tests/product/resting.rs: fn a_browser_that_nobody_uses_is_stopped_and_every_door_brings_it_back
createSandbox capabilities.browser.shellAccess: ../tests/tests/product/cdp.rs: fn the_shell_reaches_the_browser_only_where_the_sandbox_was_made_so
demo viewport: src/service/tasks.rs: BrowserCapability { viewport,
demo viewport.width: src/service/tasks.rs: BrowserCapability { viewport,
demo viewport.height: src/service/tasks.rs: BrowserCapability { viewport,
createSandbox capabilities.browser.viewport.width: ../tests/bench/subjects.rs: "viewport": { "width"
createSandbox capabilities.browser.viewport.height: ../tests/bench/subjects.rs: "height": PAGE_SIZE.1
listSandboxes query:status: src/store/tests/records.rs: fn lists_are_filtered
endSandbox query:forget: ../tests/tests/product/programs.rs: fn a_forgotten_sandbox_is_ended_and_nothing_of_it_is_left
getSandbox query:waitFor: ../tests/src/baton.rs: waitFor=ready
getSandbox query:timeoutMs: src/api/routes/sandboxes.rs: query.timeout_ms.map_or(DEFAULT_WAIT

exec command: tests/backend/commands.rs: fn a_command_gives_its_output_and_its_status
exec args[]: tests/backend/commands.rs: fn a_command_gives_its_output_and_its_status
exec cwd: tests/backend/commands.rs: fn a_command_starts_in_its_folder_with_its_environment
exec env: tests/backend/commands.rs: fn a_command_starts_in_its_folder_with_its_environment
exec stdin: tests/backend/commands.rs: fn input_reaches_a_command_whole_and_ends
exec timeoutMs: tests/backend/commands.rs: fn when_its_time_is_over_a_command_is_killed_with_all_that_it_started
exec query:stream: src/api/routes/exec.rs: if query.stream
runCode code: tests/backend/commands.rs: fn code_runs_in_each_language_whatever_it_contains
runCode language: tests/backend/commands.rs: fn code_runs_in_each_language_whatever_it_contains
runCode timeoutMs: src/driver/work.rs: fn checked_timeout
openTerminal query:cols: tests/backend/terminals.rs: fn a_terminal_has_a_size_that_follows_and_a_shell_that_ends
openTerminal query:rows: tests/backend/terminals.rs: fn a_terminal_has_a_size_that_follows_and_a_shell_that_ends
openTerminal query:name: ../tests/tests/product/terminals.rs: fn a_kept_terminal_goes_on_without_a_page_and_shows_the_next_one_what_it_showed

listFiles query:path: src/workspace/tests/files.rs: fn a_file_that_was_written_is_read_listed_and_described
listFiles query:recursive: src/workspace/tests/files.rs: fn a_listing_has_one_order_and_says_when_it_ends_early
readFile query:path: src/workspace/tests/files.rs: fn a_file_that_was_written_is_read_listed_and_described
statFile query:path: src/workspace/tests/files.rs: fn a_file_that_was_written_is_read_listed_and_described
writeFile query:path: src/workspace/tests/files.rs: fn a_file_that_was_written_is_read_listed_and_described
writeFile body: src/workspace/tests/files.rs: fn a_file_that_was_written_is_read_listed_and_described
makeFolder path: src/workspace/tests/files.rs: fn folders_are_made_moved_and_removed
convertDocument path: ../tests/tests/product/documents.rs: fn documents_become_what_is_asked_for
convertDocument to: ../tests/tests/product/documents.rs: fn documents_become_what_is_asked_for
convertDocument output: ../tests/tests/product/documents.rs: fn documents_become_what_is_asked_for
moveFile from: src/workspace/tests/files.rs: fn folders_are_made_moved_and_removed
moveFile to: src/workspace/tests/files.rs: fn folders_are_made_moved_and_removed
removeFile query:path: src/workspace/tests/files.rs: fn folders_are_made_moved_and_removed
removeFile query:recursive: src/workspace/tests/files.rs: fn a_very_deep_folder_is_listed_in_part_and_removed_whole
removeFile query:trash: ../tests/tests/product/holdings.rs: fn what_a_person_deletes_can_be_had_back_until_the_trash_is_emptied
searchFiles query:q: src/workspace/tests/found.rs: fn files_are_found_by_their_names_and_by_what_they_say
searchFiles query:path: src/workspace/tests/found.rs: fn files_are_found_by_their_names_and_by_what_they_say
searchFiles query:content: src/workspace/tests/found.rs: fn files_are_found_by_their_names_and_by_what_they_say
searchFiles query:limit: src/workspace/tests/found.rs: fn files_are_found_by_their_names_and_by_what_they_say

promptAsync prompt: ../tests/tests/product/agent.rs: fn a_prompt_is_followed_through_a_persons_sign_in_to_its_result
promptAsync playbook: ../tests/tests/product/demo.rs: fn a_person_signs_in_and_the_agent_goes_on_in_the_same_session
promptAsync params: core/tests/playbook.rs: fn a_parameter_without_default_must_be_given_and_no_other
promptAsync params: refused {"prompt":"x","params":{"month":"5"}}
promptAsync metadata: src/store/tests/records.rs: fn what_was_committed_is_read_back_whole_also_after_reopening
promptAsync model: ../tests/tests/product/models.rs: fn the_environment_names_models_and_settings_go_before_it
promptAsync model: refused {"playbook":"x","model":"small"}
promptAsync limits.steps: src/agent/follow/tests.rs: fn limits_end_the_task_and_are_announced
promptAsync limits.timeMs: src/driver/tasks.rs: fn stop_overdue_task
promptAsync limits.tokens: src/agent/follow/tests.rs: fn limits_end_the_task_and_are_announced
promptAsync limits.tokens: refused {"playbook":"x","limits":{"tokens":1}}
prompt prompt: src/api/routes/tasks.rs: start_task(&id, request)
prompt playbook: src/api/routes/tasks.rs: start_task(&id, request)
prompt params: src/api/routes/tasks.rs: start_task(&id, request)
prompt metadata: src/api/routes/tasks.rs: start_task(&id, request)
prompt model: src/api/routes/tasks.rs: start_task(&id, request)
prompt limits.steps: src/api/routes/tasks.rs: start_task(&id, request)
prompt limits.timeMs: src/api/routes/tasks.rs: start_task(&id, request)
prompt limits.tokens: src/api/routes/tasks.rs: start_task(&id, request)
listTasks query:q: src/store/tests/search.rs: fn a_task_is_found_once_by_its_own_words_or_those_of_its_events
listTasks query:sandboxId: src/store/tests/records.rs: fn lists_are_filtered
listTasks query:status: src/store/tests/records.rs: fn lists_are_filtered
listTaskEvents query:after: src/store/tests/events.rs: fn events_are_filtered_and_read_on_after_the_last_one_seen
writeToTask text: ../tests/tests/product/agent.rs: fn the_agent_hears_the_person_who_drives_and_works_beside_them
checkPlaybook playbook: ../tests/tests/product/programs.rs: fn a_playbook_that_cannot_run_is_refused_before_a_sandbox_is_made
checkPlaybook params: ../tests/tests/product/programs.rs: fn a_playbook_that_cannot_run_is_refused_before_a_sandbox_is_made

requestHandoff reason: ../tests/tests/product/durability.rs: "reason": "mfa"
requestHandoff message: ../tests/tests/product/durability.rs: fn a_request_for_a_person_outlives_the_runtime_and_stays_the_same
requestHandoff resumePrompt: src/agent/follow/beside.rs: handoff.resume_prompt
requestHandoff expiresInMs: src/driver/people.rs: fn expire_handoff
requestHandoff until: src/driver/people.rs: receipt.until_met
requestHandoff until.url: ../tests/tests/product/demo.rs: fn handing_back_too_early_asks_again
requestHandoff until.selector: src/browser/takeover.rs: selector
requestHandoff until.cookie: src/browser/takeover.rs: cookie
acceptHandoff controller: ../tests/tests/product/demo.rs: controller
completeHandoff reveal: src/api/routes/handoffs.rs: (true, false) => Ok(TypedText::Revealed)
completeHandoff clear: src/api/routes/handoffs.rs: (false, true) => Ok(TypedText::Cleared)
completeHandoff note: core/tests/lives.rs: fn handoff_writes_down_who_came_when_and_with_what
answerSignInOffer decision: ../tests/tests/product/kept_sign_ins.rs: fn a_sign_in_that_a_person_typed_is_kept_after_their_yes_and_then_filled_in
answerSignInOffer rule: ../tests/tests/product/kept_sign_ins.rs: fn a_sign_in_that_a_person_typed_is_kept_after_their_yes_and_then_filled_in
signInAtHandoff credentialId: ../tests/tests/product/sign_ins.rs: fn a_sign_in_that_is_missing_is_saved_and_filled_in_at_the_handoff
cancelHandoff note: core/tests/lives.rs: fn handoff_goes_only_where_its_life_leads
takeControl controller: ../tests/tests/product/cdp.rs: controller
releaseControl reveal: ../tests/tests/product/veil.rs: fn the_person_who_hands_back_clears_it_or_lets_programs_read_it
releaseControl clear: ../tests/tests/product/veil.rs: fn the_person_who_hands_back_clears_it_or_lets_programs_read_it
releaseControl note: src/driver/people.rs: receipt.note
listHandoffs query:sandboxId: src/store/tests/records.rs: fn lists_are_filtered
listHandoffs query:status: src/store/tests/records.rs: fn lists_are_filtered
decideApproval decision: ../tests/tests/product/approvals.rs: fn a_denied_request_never_left_and_the_agent_is_told_why
decideApproval hash: src/service/trust.rs: `hash` is not of what is asked
decideApproval note: ../tests/tests/product/approvals.rs: fn a_denied_request_never_left_and_the_agent_is_told_why
decideApproval scope: ../tests/tests/product/approvals.rs: fn a_permission_covers_the_next_one_until_it_is_revoked_or_used_up
decideApproval scope: refused {"decision":"deny","scope":{"uses":1}}
decideApproval scope.amount: core/tests/approval.rs: fn a_permission_ends_by_time_by_uses_and_by_amount
decideApproval scope.amount.currency: core/tests/approval.rs: fn a_permission_ends_by_time_by_uses_and_by_amount
decideApproval scope.amount.hundredths: core/tests/approval.rs: fn a_permission_ends_by_time_by_uses_and_by_amount
decideApproval scope.expiresInMs: core/tests/approval.rs: fn a_permission_ends_by_time_by_uses_and_by_amount
decideApproval scope.uses: core/tests/approval.rs: fn a_permission_ends_by_time_by_uses_and_by_amount
listApprovals query:sandboxId: src/store/tests/records.rs: fn questions_permissions_and_rules_are_kept
listApprovals query:status: src/store/tests/records.rs: fn questions_permissions_and_rules_are_kept
listGrants query:sandboxId: src/store/tests/records.rs: fn questions_permissions_and_rules_are_kept
listGrants query:taskId: src/store/tests/records.rs: fn questions_permissions_and_rules_are_kept
putRules rules[].effect: core/tests/approval.rs: fn the_more_specific_rule_counts_and_of_equals_the_stricter
putRules rules[].kind: core/tests/approval.rs: fn the_more_specific_rule_counts_and_of_equals_the_stricter
putRules rules[].sandboxId: core/tests/approval.rs: fn the_more_specific_rule_counts_and_of_equals_the_stricter
putRules rules[].site: core/tests/approval.rs: fn the_more_specific_rule_counts_and_of_equals_the_stricter

putModel kind: ../tests/tests/product/models.rs: fn a_model_is_set_tested_and_forgotten_and_its_key_is_nowhere
putModel baseUrl: ../tests/tests/product/models.rs: fn a_model_is_set_tested_and_forgotten_and_its_key_is_nowhere
putModel model: ../tests/tests/product/models.rs: fn a_model_is_set_tested_and_forgotten_and_its_key_is_nowhere
putModel apiKey: ../tests/tests/product/models.rs: fn a_model_is_set_tested_and_forgotten_and_its_key_is_nowhere
putModel smallModel: src/agent/follow/tests.rs: fn old_steps_are_summed_up_before_the_window_is_full
putModel contextWindow: src/agent/follow/tests.rs: fn old_steps_are_summed_up_before_the_window_is_full
putModel default: src/service/models/choice.rs: fn default_name
createCredential kind: ../tests/tests/product/sign_ins.rs: fn entries_are_checked_changed_and_forgotten_and_values_never_come_back
createCredential name: ../tests/tests/product/sign_ins.rs: fn entries_are_checked_changed_and_forgotten_and_values_never_come_back
createCredential value: ../tests/tests/product/sign_ins.rs: fn entries_are_checked_changed_and_forgotten_and_values_never_come_back
createCredential hosts[]: ../tests/tests/product/sign_ins.rs: fn entries_are_checked_changed_and_forgotten_and_values_never_come_back
createCredential site: ../tests/tests/product/sign_ins.rs: fn a_playbook_a_model_and_an_mcp_client_sign_in_and_the_password_is_nowhere
createCredential username: ../tests/tests/product/sign_ins.rs: fn a_playbook_a_model_and_an_mcp_client_sign_in_and_the_password_is_nowhere
createCredential password: ../tests/tests/product/sign_ins.rs: fn a_playbook_a_model_and_an_mcp_client_sign_in_and_the_password_is_nowhere
createCredential totp: ../tests/tests/product/sign_ins.rs: fn a_playbook_a_model_and_an_mcp_client_sign_in_and_the_password_is_nowhere
createCredential rule: ../tests/tests/product/sign_ins.rs: fn an_entry_that_asks_is_filled_in_after_a_persons_yes_and_not_after_a_no
createCredential note: src/service/credentials/mod.rs: given(note)
patchCredential site: ../tests/tests/product/sign_ins.rs: fn entries_are_checked_changed_and_forgotten_and_values_never_come_back
patchCredential name: ../tests/tests/product/sign_ins.rs: fn entries_are_checked_changed_and_forgotten_and_values_never_come_back
patchCredential username: ../tests/tests/product/sign_ins.rs: fn entries_are_checked_changed_and_forgotten_and_values_never_come_back
patchCredential totp: ../tests/tests/product/sign_ins.rs: fn entries_are_checked_changed_and_forgotten_and_values_never_come_back
patchCredential passkeys: ../tests/tests/product/passkeys.rs: fn a_passkey_is_made_after_a_yes_and_used_by_its_rule
patchCredential rule: ../tests/tests/product/sign_ins.rs: fn entries_are_checked_changed_and_forgotten_and_values_never_come_back
patchCredential password: src/service/credentials/mod.rs: (&mut values.password, password)
patchCredential totpPicture: src/service/credentials/mod.rs: pictured(totp, totp_picture)
createCredential totpPicture: src/service/credentials/picture.rs: fn the_key_is_read_from_its_picture
connectPasswordManager passphrase: ../tests/tests/product/password_managers.rs: "passphrase": MASTER
importCredentials csv: src/service/credentials/csv.rs: fn the_files_of_browsers_and_managers_are_read_by_their_columns
importCredentials rule: ../tests/tests/product/sign_ins.rs: "csv": file, "rule": "never"
patchCredential note: src/service/credentials/mod.rs: (&mut values.note, note)
patchCredential value: src/service/credentials/mod.rs: (&mut values.value, value)
patchCredential hosts[]: src/service/credentials/mod.rs: hosts.unwrap_or(entry.hosts)
unlockKeys passphrase: ../tests/tests/product/models.rs: fn the_key_file_is_locked_until_its_passphrase_comes

navigate url: ../tests/tests/product/cdp.rs: preview/navigate
resizePreview width: src/service/browse.rs: viewport.check()
resizePreview height: src/service/browse.rs: viewport.check()
createViewerUrl mode: src/api/guard.rs: fn a_viewers_token_is_for_the_view_of_its_own_sandbox
createViewerUrl ttlMs: src/api/tokens.rs: fn a_viewers_token_expires_and_ends_with_its_sandbox
createViewerUrl shareable: refused {"mode":"watch","shareable":true}
streamView query:mode: src/api/routes/viewers.rs: query.mode_within(&access)
openWhep query:mode: src/api/routes/viewers.rs: query.mode_within(&access)
openWhep body: ../tests/tests/product/whep.rs: fn
createDebuggingUrl ttlMs: ../tests/tests/product/cdp.rs: fn a_page_has_an_address_of_its_own_and_addresses_end_with_the_sandbox
redeemTicket ticket: src/api/tests.rs: fn a_ticket_becomes_a_token_once
sendMcpMessage body: ../tests/tests/product/mcp.rs: fn the_typescript_sdk_works_over_streamable_http

createCheckpoint label: ../tests/tests/product/checkpoints.rs: "label": "signed in"
readCheckpointFile query:path: ../tests/tests/product/checkpoints.rs: file?path=
saveArtifact path: src/workspace/tests/files.rs: fn an_artifact_is_the_file_as_it_was_under_a_name_of_its_own
saveArtifact name: src/workspace/tests/files.rs: fn an_artifact_is_the_file_as_it_was_under_a_name_of_its_own
listArtifacts query:q: src/store/tests/records.rs: fn lists_are_filtered
listArtifacts query:sandboxId: src/store/tests/records.rs: fn lists_are_filtered
getArtifactUrl query:ttlMs: src/api/tokens.rs: fn a_link_opens_its_own_artifact_until_it_expires
getTaskBundle query:ticket: ../tests/tests/product/demo.rs: fn a_person_signs_in_and_the_agent_goes_on_in_the_same_session
getTaskBundleUrl query:ttlMs: src/api/tokens.rs: fn a_link_opens_its_own_artifact_until_it_expires
getArtifactContent query:ticket: src/api/tokens.rs: fn a_link_opens_its_own_artifact_until_it_expires
search query:q: src/store/tests/search.rs: fn a_task_is_found_once_by_its_own_words_or_those_of_its_events
followEvents query:after: src/api/live_tests.rs: fn a_reader_that_comes_back_with_the_last_id_misses_nothing
followEvents header:Last-Event-ID: src/api/live_tests.rs: fn a_reader_that_comes_back_with_the_last_id_misses_nothing
followEvents query:sandboxId: src/api/live_tests.rs: fn a_reader_without_a_last_id_hears_what_is_new_and_only_what_it_asked_for
followEvents query:types: src/api/live_tests.rs: fn a_reader_without_a_last_id_hears_what_is_new_and_only_what_it_asked_for
listSandboxEvents query:after: src/store/tests/events.rs: fn events_are_filtered_and_read_on_after_the_last_one_seen
listSandboxEvents query:types: src/store/tests/events.rs: fn events_are_filtered_and_read_on_after_the_last_one_seen

createWebhook url: ../tests/tests/product/webhooks.rs: fn an_event_comes_signed_and_verifies_with_a_library_of_others
createWebhook eventTypes[]: ../tests/tests/product/webhooks.rs: "eventTypes"
createWebhook description: src/service/webhooks/mod.rs: description
createWebhook allowPrivate: ../tests/tests/product/webhooks.rs: fn private_addresses_hear_nothing_unless_allowed_and_redirects_lead_nowhere
patchWebhook url: core/src/webhook/mod.rs: webhook.url = url;
patchWebhook eventTypes[]: core/src/webhook/mod.rs: webhook.event_types = event_types
patchWebhook description: core/src/webhook/mod.rs: webhook.description = description
patchWebhook allowPrivate: core/src/webhook/mod.rs: webhook.allow_private = allow_private
patchWebhook enabled: core/src/webhook/mod.rs: webhook.enabled = enabled
rotateWebhookSecret overlapMs: ../tests/tests/product/webhooks.rs: fn a_new_secret_signs_beside_the_old_one_until_that_ends
listDeliveries query:status: src/store/table/deliveries.rs: filter.status
"#;

/// One line of the table.
struct Entry {
    operation: &'static str,
    field: &'static str,
    effect: Effect,
}

enum Effect {
    /// A file, and words in it.
    At(&'static str, &'static str),
    /// The body that is refused.
    Refused(&'static str),
}

fn table() -> Vec<Entry> {
    let lines = TABLE.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (named, effect) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            let (operation, field) = named.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            let effect = match effect.strip_prefix("refused ") {
                Some(body) => Effect::Refused(body),
                None => {
                    let (file, words) = effect.split_once(": ").unwrap_or_else(|| panic!("{line}"));
                    Effect::At(file, words)
                }
            };
            Entry { operation, field, effect }
        })
        .collect()
}

/// An operation of the document: where it is, and what may be sent to it.
struct Sent {
    method: Method,
    path: String,
    fields: BTreeSet<String>,
}

fn document() -> BTreeMap<String, Sent> {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut all = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let mut fields = BTreeSet::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let (place, name) = (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
                // A part of the path is there, or the address is another one.
                fields.insert(if place == "path" { place.to_owned() } else { format!("{place}:{name}") });
            }
            for content in operation["requestBody"]["content"].as_object().into_iter().flat_map(|map| map.values()) {
                add_fields(&document, &content["schema"], "", &mut fields);
            }
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let method = method.to_uppercase().parse().unwrap();
            all.insert(id, Sent { method, path: path.clone(), fields });
        }
    }
    all
}

/// Adds the path of every field that has no fields of its own, and of every choice between a plain value and fields.
fn add_fields(document: &Value, schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return add_fields(document, &document["components"]["schemas"][name], path, fields);
    }
    let choices = ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    let mut has_parts = false;
    for choice in choices {
        has_parts = true;
        add_fields(document, choice, path, fields);
    }
    if schema["items"].is_object() && !path.is_empty() {
        return add_fields(document, &schema["items"], &format!("{path}[]"), fields);
    }
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            add_fields(document, property, &path, fields);
        }
        return;
    }
    // A body without fields of its own is one of bytes or words, unless it is the empty object.
    let is_empty_object = path.is_empty() && schema["type"] == "object";
    if !has_parts && !is_empty_object {
        fields.insert(if path.is_empty() { "body".to_owned() } else { path.to_owned() });
    }
}

#[test]
fn every_field_that_may_be_sent_has_its_effect_in_the_table_or_is_refused() {
    let (document, table) = (document(), table());
    let mut missing = Vec::new();
    for (operation, sent) in &document {
        for field in &sent.fields {
            let names =
                |entry: &&Entry| (entry.operation == operation || entry.operation == "*") && entry.field == field;
            if !table.iter().any(|entry| names(&entry)) {
                missing.push(format!("{operation} {field}"));
            }
        }
    }
    assert!(missing.is_empty(), "fields without an entry in the table:\n{}", missing.join("\n"));
    for Entry { operation, field, effect } in &table {
        let known =
            document.iter().any(|(id, sent)| (*operation == "*" || id == operation) && sent.fields.contains(*field));
        assert!(known, "`{operation} {field}` is in the table and not in the document");
        if let Effect::At(file, words) = effect {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(text.contains(words), "`{operation} {field}`: {file} does not have `{words}` any more");
        }
    }
}

#[tokio::test]
async fn what_has_no_effect_is_refused_by_name_and_makes_nothing() {
    let (bench, document) = (Bench::new().await, document());
    let mut refused = 0;
    for Entry { operation, field, effect } in table() {
        let Effect::Refused(body) = effect else { continue };
        let Sent { method, path, .. } = &document[operation];
        let path: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "none_0" } else { part }).collect();
        let (method, path) = (method.clone(), path.join("/"));
        let request = bench.request(&method, &path).header("content-type", "application/json");
        let (status, answer) = read(bench.send(request.body(body.into()).unwrap()).await).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!("invalid")),
            "{body}: {answer}"
        );
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("`{field}`")), "{body}: {message}");
        refused += 1;
    }
    assert!(refused >= 9, "{refused}");
    let (_, sandboxes) = bench.get("/v1/sandboxes").await;
    assert_eq!(sandboxes["data"], json!([]));
}

#[tokio::test]
async fn a_value_that_cannot_have_its_effect_is_refused_by_name() {
    let bench = Bench::new().await;
    for (body, field) in [
        (json!({ "limits": { "idleMs": 0 } }), "`limits.idleMs`"),
        (json!({ "capabilities": { "browser": { "idleMs": 999 } } }), "`capabilities.browser.idleMs`"),
        (json!({ "capabilities": { "browser": { "byoProxyUrl": "ftp://user:secret@host" } } }), "byoProxyUrl"),
        (json!({ "capabilities": { "browser": { "colour": 1 } } }), "`colour`"),
        (
            json!({ "capabilities": { "browser": { "viewport": { "width": "wide" } } } }),
            "`capabilities.browser.viewport.width`",
        ),
        (json!({ "capabilities": { "browser": "yes" } }), "`capabilities.browser`"),
    ] {
        let (status, answer) = bench.post("/v1/sandboxes", &body).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!("invalid")),
            "{body}: {answer}"
        );
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(field) && !message.contains("secret"), "{body}: {message}");
    }
}
