//! Addresses as they may be kept and told: without the name and password that one can carry.

/// Returns a text with the sign-ins of all its addresses cut out: `http://me:secret@host/` becomes `http://host/`.
///
/// Works on one address and on any text that holds some. What stands before the `@` is found as browsers find it: up to the
/// last one before the path.
pub fn without_sign_ins(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        told.push_str(before);
        let end = after.find(ends_authority).unwrap_or(after.len());
        let host = after[..end].rfind('@').map_or(0, |at| at + 1);
        rest = &after[host..];
    }
    told.push_str(rest);
    told
}

/// As [`without_sign_ins`], in every text of a value.
pub fn cut_sign_ins(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) if text.contains("://") => *text = without_sign_ins(text),
        Value::Array(list) => list.iter_mut().for_each(cut_sign_ins),
        Value::Object(map) => map.values_mut().for_each(cut_sign_ins),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn ends_authority(c: char) -> bool {
    c.is_whitespace() || matches!(c, '/' | '\\' | '?' | '#' | '"' | '<' | '>')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_and_passwords_go_and_the_rest_stays() {
        let check = |text: &str, expected: &str| assert_eq!(without_sign_ins(text), expected);
        check("http://me:secret@host.example:8080/a@b?c=d@e", "http://host.example:8080/a@b?c=d@e");
        check("https://token@host.example", "https://host.example");
        check("http://me:p@ss@host.example/", "http://host.example/");
        check(
            "open http://me:secret@a.example/x, then ws://b:c@d.example.",
            "open http://a.example/x, then ws://d.example.",
        );
        check("view-source:http://me:secret@host.example/", "view-source:http://host.example/");
        check(
            "http://host.example/?next=https://me:secret@other.example/",
            "http://host.example/?next=https://other.example/",
        );
        check("mail ada@host.example about a://", "mail ada@host.example about a://");
        check("", "");
    }

    #[test]
    fn a_value_is_cut_however_deep() {
        let mut value = json!({ "a": [{ "url": "http://me:secret@host.example/" }, 1, null], "b": "me@host.example" });
        cut_sign_ins(&mut value);
        assert_eq!(value, json!({ "a": [{ "url": "http://host.example/" }, 1, null], "b": "me@host.example" }));
    }
}
