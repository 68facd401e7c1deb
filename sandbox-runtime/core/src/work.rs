//! What an agent can do beside the browser, as data: commands, files, people, and the end of its task.
//!
//! With [`Action`](crate::action::Action) this is everything that a model is offered. Owns the words and their schemas;
//! leaves doing to the runner.

use serde_json::{Map, Value, json};

use crate::action::{Tool, tools_of};
use crate::document::ConvertFile;
use crate::event::ToldStep;
use crate::model::{CodeRequest, ExecRequest, HandoffRequest, wire};
use crate::playbook::{SaveArtifact, Step, WriteFile};

wire! {
    /// Arguments of `read`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct ReadFile {
        /// Path in the workspace.
        pub path: String,
        /// First line to read. Lines count from 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub from_line: Option<usize>,
        /// Number of lines to read. Default 400.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lines: Option<usize>,
    }

    /// Arguments of `list`.
    #[derive(Eq, Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct ListFolder {
        /// Folder in the workspace. Default: the workspace root.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub path: Option<String>,
        /// Also list the contents of subfolders.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub recursive: Option<bool>,
    }

    /// Arguments of `search`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct SearchFiles {
        /// Text to search for. Case is ignored.
        pub text: String,
        /// Folder in the workspace to search. Default: the whole workspace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub path: Option<String>,
    }

    /// Arguments of `note`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Note {
        /// The message for the person, in one or two sentences.
        pub text: String,
    }

    /// Arguments of `done`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Finish {
        /// The result for the person to read. Give the answer itself, not a statement that there is one.
        pub result: String,
        /// Set to false if the task could not be done. Then `result` says why and what would help.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub success: Option<bool>,
    }

    /// Everything an agent can do outside the browser.
    #[derive(Eq)]
    pub enum Work {
        /// Runs a program in the sandbox, in the workspace folder. It runs directly, without a shell.
        Exec(ExecRequest),
        /// Runs code in the sandbox, in the workspace folder, and returns its output.
        Code(CodeRequest),
        /// Reads a text file in the workspace.
        Read(ReadFile),
        /// Writes a file in the workspace. Replaces an existing file.
        Write(WriteFile),
        /// Lists a folder in the workspace.
        List(ListFolder),
        /// Searches for text in the names and contents of files in the workspace.
        Search(SearchFiles),
        /// Converts a document in the workspace, such as Markdown, HTML or an office file to PDF, or a PDF to text.
        Convert(ConvertFile),
        /// Saves a workspace file as an artifact that is kept after the sandbox ends.
        Artifact(SaveArtifact),
        /// Asks a person to do something in the browser, such as signing in, and waits until they hand control back.
        Handoff(HandoffRequest),
        /// Sends the person a message. Does not wait for an answer.
        Note(Note),
        /// Ends the task with its result. No other action follows.
        Done(Finish),
    }
}

impl Work {
    /// Every name, as a tool call writes it.
    pub const NAMES: [&str; 11] =
        ["exec", "code", "read", "write", "list", "search", "convert", "artifact", "handoff", "note", "done"];

    pub fn name(&self) -> &'static str {
        match self {
            Self::Exec(_) => "exec",
            Self::Code(_) => "code",
            Self::Read(_) => "read",
            Self::Write(_) => "write",
            Self::List(_) => "list",
            Self::Search(_) => "search",
            Self::Convert(_) => "convert",
            Self::Artifact(_) => "artifact",
            Self::Handoff(_) => "handoff",
            Self::Note(_) => "note",
            Self::Done(_) => "done",
        }
    }

    /// Returns a tool for each of them.
    pub fn tools() -> Vec<Tool> {
        tools_of::<Self>()
    }

    /// Reads a tool call.
    ///
    /// # Errors
    ///
    /// What is wrong with the arguments, in words that whoever called can act on.
    pub fn from_tool(name: &str, arguments: Value) -> Result<Self, String> {
        let arguments = if arguments.is_null() { json!({}) } else { arguments };
        if !arguments.is_object() {
            return Err(format!("`{name}` takes an object with its arguments, not {arguments}"));
        }
        let mut one = Map::new();
        one.insert(name.to_owned(), arguments);
        serde_json::from_value(Value::Object(one)).map_err(|error| format!("`{name}`: {error}"))
    }

    /// Returns what was done as it is written, but without what is written or run: for the story.
    pub fn told(&self) -> ToldStep {
        match self.clone() {
            Self::Exec(request) => Step::Exec(request).told(),
            Self::Code(request) => Step::Code(request).told(),
            Self::Write(file) => Step::Write(file).told(),
            Self::Convert(file) => Step::Convert(file).told(),
            Self::Artifact(wanted) => Step::Artifact(wanted).told(),
            Self::Handoff(request) => Step::Handoff(request).told(),
            Self::Read(_) | Self::List(_) | Self::Search(_) | Self::Note(_) | Self::Done(_) => ToldStep::of(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_work_is_a_tool_with_a_description_and_a_strict_whole_schema() {
        let tools = Work::tools();
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, Work::NAMES);
        for tool in &tools {
            assert!(tool.description.ends_with('.'), "{}: {:?}", tool.name, tool.description);
            assert_eq!(tool.schema["type"], "object", "{}", tool.name);
            assert_eq!(tool.schema["additionalProperties"], false, "{}", tool.name);
            assert!(!tool.schema.to_string().contains("$ref"), "{}", tool.schema);
        }
    }

    #[test]
    fn a_call_reads_as_work_and_a_wrong_one_is_told_what_is_wrong() {
        let done = Work::from_tool("done", json!({ "result": "42" })).unwrap();
        assert_eq!(done, Work::Done(Finish { result: "42".to_owned(), success: None }));
        let error = Work::from_tool("write", json!({ "path": "a" })).unwrap_err();
        assert!(error.contains("`write`") && error.contains("content"), "{error}");
        let error = Work::from_tool("read", json!("a.txt")).unwrap_err();
        assert!(error.contains("object"), "{error}");
    }

    #[test]
    fn the_story_is_not_told_what_was_written_or_run() {
        let write = Work::from_tool("write", json!({ "path": "a.md", "content": "secret" })).unwrap();
        assert_eq!(json!(write.told()), json!({ "write": { "path": "a.md" } }));
        let code = Work::from_tool("code", json!({ "language": "bash", "code": "secret" })).unwrap();
        assert!(!json!(code.told()).to_string().contains("secret"));
    }
}
