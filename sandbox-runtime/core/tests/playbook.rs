//! What a playbook may say, and what a mistake in it is told.

use std::collections::BTreeMap;

use sandbox_core::playbook::{ParamError, Playbook, Step};

const WHOLE: &str = r##"name: Monthly invoice
params: { month: "2026-10", copies: 2 }
steps:
  - navigate: https://portal.example/invoices
  - handoff: { reason: mfa, message: "Sign in, then hand back", until: { url: "**/invoices" } }
  - click: { role: link, name: "{{month}}" }
  - type: { label: "Note", text: "checked" }
  - select: { label: "Format", value: "CSV" }
  - download: { click: { role: button, name: "Download" }, to: invoice.csv }
  - extract: { selector: "table", to: invoices.json }
  - exec: { command: python3, args: [-c, "print(1)"] }
  - code: { language: python, code: "print({{copies}})" }
  - write: { path: report.md, content: "# {{month}} {not a template}} {{ copies }}" }
  - artifact: { path: report.md }
  - expect: { text: "Thank you" }
  - reload:
"##;

#[test]
fn every_step_of_the_contract_is_read() {
    let playbook = Playbook::parse(WHOLE).unwrap();
    let names: Vec<_> = playbook.steps.iter().map(Step::name).collect();
    let expected = [
        "navigate", "handoff", "click", "type", "select", "download", "extract", "exec", "code", "write", "artifact",
        "expect", "reload",
    ];
    assert_eq!(names, expected);
    assert_eq!(playbook.name, "Monthly invoice");
}

#[test]
fn parameters_fill_every_text() {
    let playbook = Playbook::parse(WHOLE).unwrap();
    let params = playbook.params_with(&BTreeMap::from([("month".into(), "2026-11".into())])).unwrap();
    let Step::Write(write) = playbook.steps[9].with_params(&params) else { panic!("the tenth step writes") };
    assert_eq!(write.content, "# 2026-11 {not a template}} 2");
}

#[test]
fn a_parameter_without_default_must_be_given_and_no_other() {
    let playbook = Playbook::parse("params: { month: }\nsteps: [{ navigate: 'https://a.example/{{month}}' }]").unwrap();
    assert_eq!(playbook.params_with(&BTreeMap::new()), Err(ParamError::Missing("month".into())));
    let other = BTreeMap::from([("year".into(), "2026".into())]);
    let unknown = ParamError::Unknown { name: "year".into(), known: "`month`".into() };
    assert_eq!(playbook.params_with(&other), Err(unknown));
}

#[track_caller]
fn check_mistake(text: &str, line: u64, says: &str) {
    let error = Playbook::parse(text).expect_err("the playbook has a mistake");
    assert_eq!(error.line, line, "{error}");
    assert!(error.column > 0);
    assert!(error.message.contains(says), "{error:?} does not say {says:?}");
    assert!(!error.message.contains('\n'), "{error:?} is one line");
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_was_expected() {
    check_mistake("", 1, "expected `name` and `steps`");
    check_mistake("name: A\nsteps: []\n", 1, "0 steps");
    check_mistake("name: A\n", 1, "steps");
    check_mistake(
        "name: A\nsteps:\n  - clik: { role: link }\n",
        3,
        "there is no step `clik`; expected one of navigate",
    );
    check_mistake("name: A\nsteps:\n  - click: { rol: link }\n", 3, "rol");
    check_mistake("name: A\nsteps:\n  - type: { label: A, text: [1] }\n", 3, "string");
    check_mistake(
        "name: A\nsteps:\n  - navigate: https://a.example\n    click: { text: B }\n",
        3,
        "a step has one key",
    );
    check_mistake("name: A\nsteps:\n  - handoff: { reason: because, message: x }\n", 3, "because");
    check_mistake("name: A\nsteps:\n  - navigate\n", 3, "a step: a map with one key");
    check_mistake("name: A\nsteps:\n  - navigate: 'https://{{host}}/'\n", 3, "add `host` to `params`");
    check_mistake("name: A\nsteps: [\n", 2, "unclosed bracket");
    check_mistake("name: A\nsteps:\n - click: {text: a\n", 3, "unclosed");
    check_mistake("name: A\nextra: 1\nsteps: [{ reload: }]\n", 2, "extra");
}

#[test]
fn the_story_is_told_a_step_without_what_is_typed_written_or_run() {
    let told = |step: &str| {
        let book = Playbook::parse(&format!("steps:\n  - {step}")).unwrap();
        serde_json::to_string(&book.steps[0].told()).unwrap()
    };
    assert_eq!(told("type: { label: Password, text: hunter2 }"), r#"{"type":{"label":"Password"}}"#);
    assert_eq!(told("click: { text: Go on }"), r#"{"click":{"text":"Go on"}}"#);
    assert_eq!(told("write: { path: a.md, content: hunter2 }"), r#"{"write":{"path":"a.md"}}"#);
    assert_eq!(told("code: { language: python, code: hunter2 }"), r#"{"code":{"language":"python","timeoutMs":null}}"#);
    assert_eq!(told("navigate: https://a.example"), r#"{"navigate":"https://a.example"}"#);
}
