//! Secrets in a playbook's commands: `{{secret:NAME}}` in the environment or the standard input of a program, or in code.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sandbox_core::hexadecimal;
use sandbox_core::playbook::{Step, braced, filled_with};

/// What a name in braces begins with where it is a secret's.
const PREFIX: &str = "secret:";
/// What stands in place of a secret that a command printed.
const DOTS: &str = "••••••";
/// A text shorter than this is found by chance.
const SHORTEST: usize = 4;

const IN_ADDRESSES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const IN_FORMS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// Values by name.
pub type Secrets = BTreeMap<String, String>;

/// Returns the names of the secrets that a text asks for.
pub fn names_in(text: &str) -> impl Iterator<Item = &str> {
    braced(text).filter_map(|name| name.strip_prefix(PREFIX)).map(str::trim)
}

/// Returns the names of the secrets that a step asks for.
///
/// # Errors
///
/// A secret stands where it would be seen, in words for the author of the step.
pub fn names_of(step: &Step) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    let mut hidden = step.clone();
    each_place(&mut hidden, |text| {
        names.extend(names_in(text).map(str::to_owned));
        text.clear();
    });
    let rest = serde_json::to_string(&hidden).unwrap_or_default();
    match names_in(&rest).next() {
        None => Ok(names),
        Some(name) => Err(format!(
            "`{{{{{PREFIX}{name}}}}}` stands where it would be seen; a secret goes into `env` or `stdin` of `exec`, or into `code`"
        )),
    }
}

/// Returns the step with the values in their places.
#[must_use]
pub fn filled(step: &Step, secrets: &Secrets) -> Step {
    let mut step = step.clone();
    each_place(&mut step, |text| {
        *text = filled_with(text, |name| secrets.get(name.strip_prefix(PREFIX)?.trim()).map(String::as_str));
    });
    step
}

/// Visits every text of a step that may hold a secret.
fn each_place(step: &mut Step, mut visit: impl FnMut(&mut String)) {
    match step {
        Step::Exec(request) => request.env.values_mut().chain(&mut request.stdin).for_each(visit),
        Step::Code(request) => visit(&mut request.code),
        Step::Browser(_)
        | Step::Handoff(_)
        | Step::Write(_)
        | Step::Convert(_)
        | Step::Artifact(_)
        | Step::Checkpoint(_) => {}
    }
}

/// Returns what a command printed without the values: as they are, and as programs encode them.
pub fn masked(printed: &str, secrets: &Secrets) -> String {
    let mut spellings: Vec<String> = secrets.values().flat_map(|value| spellings(value)).collect();
    // The longest first: a shorter one may be a part of it.
    spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    spellings.iter().fold(printed.to_owned(), |text, spelling| text.replace(spelling, DOTS))
}

fn spellings(value: &str) -> Vec<String> {
    let plain = value.trim_end_matches(['\n', '\r']);
    let json = serde_json::to_string(plain).unwrap_or_default();
    let hex = hexadecimal(plain.as_bytes());
    let all = [
        plain.to_owned(),
        json.trim_matches('"').to_owned(),
        utf8_percent_encode(plain, IN_ADDRESSES).to_string(),
        utf8_percent_encode(plain, IN_FORMS).to_string(),
        hex.to_uppercase(),
        hex,
        plain.chars().rev().collect(),
    ];
    // Within a longer text, one of three beginnings falls on the start of a group.
    let groups = (0..3).filter_map(|skipped| plain.as_bytes().get(skipped..)).map(|rest| &rest[..rest.len() / 3 * 3]);
    let encoded = groups.flat_map(|part| [BASE64_STANDARD_NO_PAD.encode(part), BASE64_URL_SAFE_NO_PAD.encode(part)]);
    all.into_iter().chain(encoded).filter(|spelling| spelling.len() >= SHORTEST).collect()
}

#[cfg(test)]
mod tests {
    use sandbox_core::playbook::Playbook;

    use super::*;

    fn step(text: &str) -> Step {
        let playbook = Playbook::parse(&format!("name: a\nsteps:\n  - {text}\n")).unwrap();
        playbook.steps.into_iter().next().unwrap()
    }

    fn secrets() -> Secrets {
        Secrets::from([("TOKEN".to_owned(), "s3cr\"t/1".to_owned())])
    }

    #[test]
    fn a_secret_goes_into_the_environment_the_input_and_code() {
        let check = |text: &str, expected: &str| {
            let step = step(text);
            assert_eq!(names_of(&step), Ok(BTreeSet::from(["TOKEN".to_owned()])), "{text}");
            let filled = serde_json::to_string(&filled(&step, &secrets())).unwrap();
            assert!(filled.contains(expected), "{filled}");
        };
        check(
            "exec: { command: curl, env: { AUTH: 'Bearer {{secret:TOKEN}}' } }",
            r#""env":{"AUTH":"Bearer s3cr\"t/1"}"#,
        );
        check("exec: { command: cat, stdin: '{{secret:TOKEN}}' }", r#"s3cr\"t/1"#);
        check("code: { language: bash, code: 'echo {{secret:TOKEN}}' }", r#""code":"echo s3cr\"t/1""#);
        assert_eq!(names_of(&step("exec: { command: ls }")), Ok(BTreeSet::new()));
    }

    #[test]
    fn anywhere_else_it_is_refused() {
        for text in
            ["exec: { command: curl, args: ['{{secret:TOKEN}}'] }", "type: { label: Key, text: '{{secret:TOKEN}}' }"]
        {
            assert!(
                names_of(&step(text)).unwrap_err().contains("`{{secret:TOKEN}}` stands where it would be seen"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_printed_is_masked_in_each_spelling() {
        let check =
            |printed: &str| assert_eq!(masked(&format!("<{printed}>"), &secrets()), format!("<{DOTS}>"), "{printed}");
        check("s3cr\"t/1");
        check("s3cr\\\"t/1");
        check("s3cr%22t%2F1");
        check("czNjciJ0");
        check(&hexadecimal(b"s3cr\"t/1"));
        check("1/t\"rc3s");
        assert_eq!(masked("nothing", &secrets()), "nothing");
    }
}
