//! Schemathesis: requests that a library of others makes up from the OpenAPI document, and its verdict on the answers.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::baton::{Baton, repository};

/// What is asked of the library.
pub struct Fuzz<'a> {
    /// How many requests it makes up for each operation and way of making them up.
    pub n_examples: u32,
    pub seconds: u32,
    pub seed: u32,
    /// Written into every path in place of `{id}`; made up where it is absent.
    pub sandbox: Option<&'a str>,
    /// Operations that are left out.
    pub without: &'a [&'a str],
}

/// Runs the library against a runtime, and returns how many requests it sent.
///
/// # Panics
///
/// When an answer breaks the document, or says that the runtime made a mistake.
pub async fn fuzz(baton: &Baton, fuzz: Fuzz<'_>) -> u64 {
    let program = repository().join("target/schemathesis/bin/st");
    assert!(program.exists(), "{} is missing: run `script/setup test`", program.display());
    let folder = tempfile::tempdir().expect("a folder for the report");
    let report = folder.path().join("report.json");
    let settings = folder.path().join("schemathesis.toml");
    let parameters = fuzz.sandbox.map(|id| format!("[parameters]\n\"path.id\" = \"{id}\"\n")).unwrap_or_default();
    std::fs::write(&settings, parameters).expect("a new file");
    // It finds its own file by the folder that it runs in.
    let mut command = Command::new(program);
    command
        .current_dir(folder.path())
        .arg("run")
        .arg(format!("{}/v1/openapi.json", baton.url))
        .args(["--header", &format!("Authorization: Bearer {}", baton.token)])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"])
        .args(["--checks", "response_headers_conformance,response_schema_conformance"])
        .args(["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-shrink", "--no-color"])
        .args(["--max-examples", &fuzz.n_examples.to_string(), "--max-time", &fuzz.seconds.to_string()])
        .args(["--seed", &fuzz.seed.to_string(), "--generation-database", "none", "--request-timeout", "60"])
        .args(["--suppress-health-check", "all", "--warnings", "off"])
        .arg("--report-json-path")
        .arg(&report)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for operation in fuzz.without {
        command.args(["--exclude-operation-id", operation]);
    }
    let limit = Duration::from_secs(u64::from(fuzz.seconds) + 120);
    let ended = tokio::time::timeout(limit, command.output()).await.expect("it ends in time").expect("it runs");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    let report: Value = serde_json::from_slice(&std::fs::read(report).expect("a report")).expect("JSON");
    eprintln!("{}", said.lines().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n"));
    report.pointer("/test_cases/generated").and_then(Value::as_u64).unwrap_or_else(|| panic!("{report}"))
}
