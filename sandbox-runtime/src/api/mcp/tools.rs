//! Which tools there are: names, descriptions and schemas, all taken from the types that read their arguments.

use std::sync::{Arc, OnceLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use sandbox_core::action::{Action, tools_of};
use sandbox_core::document::ConvertFile;
use sandbox_core::model::{CodeRequest, ExecRequest, HandoffRequest, SandboxConfig, TaskRequest};
use sandbox_core::{CheckpointId, HandoffId, SandboxId, TaskId};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A tool of the browser, and the action that it is.
const ACTIONS: [(&str, &str); 10] = [
    ("browser_navigate", "navigate"),
    ("browser_snapshot", "look"),
    ("browser_click", "click"),
    ("browser_type", "type"),
    ("browser_select", "select"),
    ("browser_press", "press"),
    ("browser_dialog", "dialog"),
    ("browser_scroll", "scroll"),
    ("browser_screenshot", "screenshot"),
    ("browser_sign_in", "signIn"),
];

/// Tools that change nothing.
const READ_ONLY: [&str; 8] = [
    "sandbox_list",
    "fs_read",
    "fs_list",
    "browser_snapshot",
    "browser_screenshot",
    "handoff_wait",
    "task_get",
    "artifact_list",
];

/// Name of the argument that every tool within a sandbox takes.
const SANDBOX_ID: &str = "sandboxId";

/// One tool call, read.
#[derive(Debug)]
pub enum Call {
    Beyond(Beyond),
    Within(SandboxId, Within),
    Act(SandboxId, Action),
}

/// Why a tool call cannot be read.
#[derive(Debug, PartialEq)]
pub enum Misread {
    NoSuchTool(String),
    Arguments(String),
}

/// Tools that are not about one sandbox.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// Creates a sandbox with a live browser, a shell and a workspace, and waits until it is ready. Returns its id.
    SandboxLaunch(Box<SandboxConfig>),
    /// Lists running sandboxes, newest first.
    SandboxList(Nothing),
    /// Waits until a person finishes what handoff_request asked for. Call it again until it says that the request has ended.
    HandoffWait(HandoffWait),
    /// Returns the state of a task. With waitMs, waits for the task to end.
    TaskGet(TaskGet),
    /// Lists artifacts of one sandbox or of all sandboxes, newest first.
    ArtifactList(ArtifactList),
}

/// Tools within one sandbox.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// Ends a sandbox. Its artifacts and history are kept.
    SandboxEnd(Nothing),
    /// Runs a program in the sandbox, without a shell. For a shell command, use command "bash" with args ["-c", "…"].
    SandboxExec(ExecRequest),
    /// Runs code in the sandbox and returns its output.
    SandboxRunCode(CodeRequest),
    /// Reads a text or image file in the workspace.
    FsRead(FsRead),
    /// Writes a text file in the workspace. Creates parent folders and replaces an existing file.
    FsWrite(FsWrite),
    /// Lists a folder in the workspace.
    FsList(FsList),
    /// Lists the tabs. Can first open, activate or close one.
    BrowserTabs(BrowserTabs),
    /// Asks a person to do something in the browser, such as signing in. Returns at once. Then call handoff_wait.
    HandoffRequest(HandoffRequest),
    /// Gives a prompt or a playbook to Baton's own agent. Returns the task's id at once. Then call task_get.
    TaskPrompt(TaskRequest),
    /// Converts a document in the workspace, such as Markdown, HTML or an office file to PDF, or a PDF to text.
    DocumentConvert(ConvertFile),
    /// Saves a workspace file as an artifact that is kept after the sandbox ends.
    ArtifactSave(ArtifactSave),
    /// Takes a checkpoint of the sandbox: its files, sign-ins and open tabs. Returns its id.
    CheckpointCreate(CheckpointCreate),
    /// Makes the sandbox as it was at a checkpoint, and waits until it is ready. Nothing may be under way in it.
    CheckpointRestore(CheckpointRestore),
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HandoffWait {
    /// The id that handoff_request returned.
    pub request_id: HandoffId,
    /// How long to wait in this call, 0 to 50000 milliseconds. Default 50000.
    #[serde(default)]
    #[schema(maximum = 50_000)]
    pub timeout_ms: Option<u64>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskGet {
    /// The id that task_prompt returned.
    pub task_id: TaskId,
    /// How long to wait for the task to end in this call, 0 to 50000 milliseconds. Default 0.
    #[serde(default)]
    #[schema(maximum = 50_000)]
    pub wait_ms: Option<u64>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactList {
    /// Only artifacts of this sandbox.
    #[serde(default)]
    pub sandbox_id: Option<SandboxId>,
    /// Text to search for in their names.
    #[serde(default)]
    pub q: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FsRead {
    /// Path in the workspace.
    pub path: String,
    /// Byte offset to start at. Default 0. A long text is returned in parts.
    #[serde(default)]
    pub offset: u64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FsWrite {
    /// Path in the workspace.
    pub path: String,
    /// The whole content of the file.
    pub content: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FsList {
    /// Folder in the workspace. Default: the workspace root.
    #[serde(default)]
    pub path: String,
    /// Also list the contents of subfolders.
    #[serde(default)]
    pub recursive: bool,
}

/// Set at most one of the three.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BrowserTabs {
    /// Address to open in a new active tab.
    #[serde(default)]
    pub open: Option<String>,
    /// Id of the tab to activate.
    #[serde(default)]
    pub activate: Option<String>,
    /// Id of the tab to close.
    #[serde(default)]
    pub close: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactSave {
    /// Path of the file in the workspace.
    pub path: String,
    /// Name of the artifact. Default: the file's own name.
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckpointCreate {
    /// A name to find it by.
    #[serde(default)]
    pub label: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckpointRestore {
    /// The id that checkpoint_create returned.
    pub checkpoint_id: CheckpointId,
}

impl Call {
    /// Reads a tool call.
    ///
    /// # Errors
    ///
    /// In words that whoever wrote the arguments can act on.
    pub fn read(name: &str, mut arguments: JsonObject) -> Result<Self, Misread> {
        let Some(tool) = all().into_iter().find(|tool| tool.name == name) else {
            return Err(Misread::NoSuchTool(format!("there is no tool `{name}`")));
        };
        let known = || tool.input_schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        let misread = |said: String| {
            Misread::Arguments(format!("`{name}`: {said}; it takes {}", known().collect::<Vec<_>>().join(", ")))
        };
        if is_beyond(name) {
            return one_of(name, arguments).map(Self::Beyond).map_err(misread);
        }
        let Some(Value::String(sandbox)) = arguments.remove(SANDBOX_ID) else {
            return Err(misread(
                "`sandboxId` is missing: a string, as returned by sandbox_launch and sandbox_list".to_owned(),
            ));
        };
        let sandbox = SandboxId(sandbox);
        match ACTIONS.iter().find(|(tool, _)| *tool == name) {
            Some((_, action)) => Action::from_tool(action, Value::Object(arguments))
                .map(|action| Self::Act(sandbox, action))
                .map_err(|words| Misread::Arguments(words.replacen(&format!("`{action}`"), &format!("`{name}`"), 1))),
            None => one_of(name, arguments).map(|within| Self::Within(sandbox, within)).map_err(misread),
        }
    }
}

/// Returns every tool.
pub fn all() -> Vec<Tool> {
    static ALL: OnceLock<Vec<Tool>> = OnceLock::new();
    ALL.get_or_init(|| {
        let within = tools_of::<Within>().into_iter().map(|tool| (tool.name, tool.description, tool.schema));
        let actions = Action::tools();
        let acting = ACTIONS.iter().filter_map(|(name, action)| {
            let tool = actions.iter().find(|tool| tool.name == *action)?;
            Some(((*name).to_owned(), tool.description.clone(), tool.schema.clone()))
        });
        let in_sandbox = within.chain(acting).map(|(name, words, schema)| (name, words, with_sandbox(schema)));
        let beyond = tools_of::<Beyond>().into_iter().map(|tool| (tool.name, tool.description, tool.schema));
        beyond.chain(in_sandbox).map(|(name, words, schema)| told(name, words, schema)).collect()
    })
    .clone()
}

fn is_beyond(name: &str) -> bool {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    let names = NAMES.get_or_init(|| tools_of::<Beyond>().into_iter().map(|tool| tool.name).collect());
    names.iter().any(|beyond| beyond == name)
}

fn one_of<T: serde::de::DeserializeOwned>(name: &str, arguments: JsonObject) -> Result<T, String> {
    let named: JsonObject = [(name.to_owned(), Value::Object(arguments))].into_iter().collect();
    serde_json::from_value(Value::Object(named)).map_err(|error| error.to_string())
}

/// Puts the sandbox's id before the other arguments.
fn with_sandbox(mut schema: Value) -> Value {
    let words = "Id of the sandbox, as returned by sandbox_launch and sandbox_list.";
    let mut properties = JsonObject::new();
    properties.insert(SANDBOX_ID.to_owned(), json!({ "type": "string", "description": words }));
    if let Some(own) = schema["properties"].as_object() {
        properties.extend(own.clone());
    }
    let own = schema["required"].as_array().cloned().unwrap_or_default();
    schema["properties"] = Value::Object(properties);
    schema["required"] = std::iter::once(json!(SANDBOX_ID)).chain(own).collect();
    schema
}

fn told(name: String, words: String, schema: Value) -> Tool {
    let reads = READ_ONLY.contains(&name.as_str());
    let schema = schema.as_object().cloned().unwrap_or_default();
    let mut tool = Tool::new(name, words, Arc::new(schema));
    tool.annotations = Some(ToolAnnotations::new().read_only(reads));
    tool
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> JsonObject {
        value.as_object().cloned().unwrap()
    }

    /// Actions that no tool is: the fewer tools there are, the better a model chooses. Playbooks have all actions.
    const NOT_OFFERED: [&str; 16] = [
        "back",
        "forward",
        "reload",
        "doubleClick",
        "hover",
        "drag",
        "waitFor",
        "expect",
        "extract",
        "download",
        "upload",
        "find", // `browser_snapshot` finds too.
        "tabs",
        "newTab",
        "activateTab",
        "closeTab", // All four are `browser_tabs`.
    ];

    #[test]
    fn every_action_is_offered_or_left_out_on_purpose() {
        let offered = ACTIONS.iter().map(|(_, action)| *action);
        let mut known: Vec<&str> = offered.chain(NOT_OFFERED).collect();
        let mut all = Action::NAMES.to_vec();
        known.sort_unstable();
        all.sort_unstable();
        assert_eq!(known, all);
    }

    #[test]
    fn the_tools_are_those_of_the_contract_each_with_a_whole_schema() {
        let mut names: Vec<String> = all().iter().map(|tool| tool.name.to_string()).collect();
        names.sort();
        let mut expected = [
            "sandbox_launch",
            "sandbox_list",
            "sandbox_end",
            "sandbox_exec",
            "sandbox_run_code",
            "fs_read",
            "fs_write",
            "fs_list",
            "browser_navigate",
            "browser_snapshot",
            "browser_click",
            "browser_type",
            "browser_select",
            "browser_press",
            "browser_dialog",
            "browser_scroll",
            "browser_screenshot",
            "browser_sign_in",
            "browser_tabs",
            "handoff_request",
            "handoff_wait",
            "task_prompt",
            "task_get",
            "document_convert",
            "artifact_save",
            "artifact_list",
            "checkpoint_create",
            "checkpoint_restore",
        ];
        expected.sort_unstable();
        assert_eq!(names, expected);
        for tool in all() {
            let schema = Value::Object((*tool.input_schema).clone());
            assert_eq!(schema["type"], "object", "{}", tool.name);
            assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
            assert!(!schema.to_string().contains("$ref"), "{schema}");
            assert!(
                tool.description.is_some_and(|words| words.ends_with('.') || words.ends_with('…')),
                "{}",
                tool.name
            );
        }
        assert!(READ_ONLY.iter().all(|name| expected.contains(name)));
    }

    #[test]
    fn a_call_is_read_into_the_operation_that_it_means() {
        let call = Call::read("browser_click", object(json!({ "sandboxId": "sbx_1", "ref": "e4" }))).unwrap();
        assert!(
            matches!(call, Call::Act(id, Action::Click(click)) if id.as_str() == "sbx_1" && click.reference.as_deref() == Some("e4"))
        );
        let call = Call::read("handoff_wait", object(json!({ "requestId": "ho_1" }))).unwrap();
        assert!(matches!(call, Call::Beyond(Beyond::HandoffWait(wait)) if wait.timeout_ms.is_none()));
        let call = Call::read("sandbox_exec", object(json!({ "sandboxId": "sbx_1", "command": "ls" }))).unwrap();
        assert!(matches!(call, Call::Within(_, Within::SandboxExec(request)) if request.command == "ls"));
    }

    #[test]
    fn a_wrong_call_is_told_what_is_wrong_and_what_it_takes() {
        let check = |name: &str, arguments: Value, parts: &[&str]| {
            let Err(Misread::Arguments(words)) = Call::read(name, object(arguments)) else { panic!("{name} was read") };
            assert!(parts.iter().all(|part| words.contains(part)), "{words}");
        };
        check("sandbox_exec", json!({ "command": "ls" }), &["sandboxId", "command", "args"]);
        check("browser_click", json!({ "sandboxId": "sbx_1", "rol": "link" }), &["`browser_click`", "rol", "role"]);
        check("handoff_wait", json!({ "requestId": "ho_1", "timeout": 1 }), &["`timeout`", "timeoutMs"]);
        assert!(matches!(Call::read("sandbox_reboot", JsonObject::new()), Err(Misread::NoSuchTool(_))));
    }
}
