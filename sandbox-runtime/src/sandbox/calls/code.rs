//! How code in each language becomes a command. Code travels on standard input: no quoting, no limit of length, no file
//! in the workspace.

use sandbox_core::model::CodeLanguage;

/// Strips types with Node itself, or with the `typescript` package where Node is too old, and runs the rest by Node from
/// its standard input, which sees by itself whether it is a module.
const RUN_TYPESCRIPT: &str = include_str!("run_typescript.cjs");

/// A command and its standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeCommand {
    pub command: String,
    pub args: Vec<String>,
    pub stdin: Vec<u8>,
}

/// Returns how `code` is run. The program that runs has an empty standard input of its own.
pub fn code_command(language: CodeLanguage, code: &str) -> CodeCommand {
    let (command, args): (_, &[&str]) = match language {
        CodeLanguage::Python => ("python3", &["-"]),
        CodeLanguage::Javascript => ("node", &["-"]),
        CodeLanguage::Typescript => ("node", &["--no-warnings", "--eval", RUN_TYPESCRIPT]),
        // Read whole before it runs, or commands in it would read the rest of it as their input.
        CodeLanguage::Bash => ("bash", &["-c", "eval \"$(cat)\""]),
    };
    CodeCommand {
        command: command.to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        stdin: code.as_bytes().to_vec(),
    }
}
