//! What the parameters of a command name: worlds of scripts and objects in them.
//!
//! Parameters are read pair by pair and not into a map: of a name that stands twice each value counts, whichever of them
//! Chromium takes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The pairs of one JSON object, in order.
pub struct Pairs<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
                    pairs.push((key, map.next_value::<&RawValue>()?));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Borrowed where it can be: a plain `Cow` is always copied.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// One world or object that a command names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A world by its number.
    Context(i64),
    /// A world by its lasting name.
    UniqueContext(String),
    /// An object or call frame; its id holds the number of its world.
    Object(i64),
    Script(String),
    /// Something stands where one of these is wanted and is none.
    Unreadable,
}

/// Whether a parameter is named twice, or cannot be read.
pub fn is_ambiguous(params: &str) -> bool {
    let Ok(Pairs(pairs)) = serde_json::from_str::<Pairs<'_>>(params) else { return true };
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names.windows(2).any(|two| two[0] == two[1])
}

/// Returns every world and object that the parameters name, however deep.
pub fn names(params: &str) -> Vec<Name> {
    let mut found = Vec::new();
    if ["ontextId", "bjectId", "allFrameId", "criptId", "\\u"].iter().any(|part| params.contains(part)) {
        walk(params, &mut found);
    }
    found
}

fn walk(raw: &str, found: &mut Vec<Name>) {
    if raw.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
        items.iter().for_each(|item| walk(item.get(), found));
        return;
    }
    if !raw.starts_with('{') {
        return;
    }
    let Ok(Pairs(pairs)) = serde_json::from_str::<Pairs<'_>>(raw) else {
        found.push(Name::Unreadable);
        return;
    };
    for (key, value) in pairs {
        match key.as_ref() {
            // Plain data for a function: whatever it is called, it names nothing.
            "value" => {}
            "contextId" | "executionContextId" => {
                found.push(serde_json::from_str(value.get()).map_or(Name::Unreadable, Name::Context));
            }
            "uniqueContextId" => {
                found.push(serde_json::from_str(value.get()).map_or(Name::Unreadable, Name::UniqueContext));
            }
            "scriptId" => found.push(serde_json::from_str(value.get()).map_or(Name::Unreadable, Name::Script)),
            "callFrameId" => found.push(world_of(value)),
            key if key.to_ascii_lowercase().ends_with("objectid") => found.push(world_of(value)),
            _ => walk(value.get(), found),
        }
    }
}

/// Reads the number of the world from an id of V8's: `isolate.world.number`.
fn world_of(id: &RawValue) -> Name {
    let id: String = serde_json::from_str(id.get()).unwrap_or_default();
    world_in(&id).map_or(Name::Unreadable, Name::Object)
}

/// As [`world_of`], of a plain text.
pub fn world_in(id: &str) -> Option<i64> {
    let mut parts = id.split('.');
    let world = parts.nth(1)?.parse().ok()?;
    parts.next()?;
    parts.next().is_none().then_some(world)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_however_deep_and_however_often() {
        let check = |params: &str, expected: &[Name]| assert_eq!(names(params), expected, "{params}");
        check(r#"{"expression":"objectId"}"#, &[]);
        check(r#"{"contextId":3,"contextId":5}"#, &[Name::Context(3), Name::Context(5)]);
        check(r#"{"\u0063ontextId":5}"#, &[Name::Context(5)]);
        check(r#"{"uniqueContextId":"1.2"}"#, &[Name::UniqueContext("1.2".into())]);
        check(r#"{"arguments":[{"value":{"objectId":"1.9.1"}},{"objectId":"1.7.2"}]}"#, &[Name::Object(7)]);
        check(r#"{"prototypeObjectId":"-5.4.2"}"#, &[Name::Object(4)]);
        check(r#"{"callFrameId":"1.4.0"}"#, &[Name::Object(4)]);
        check(r#"{"location":{"scriptId":"12"}}"#, &[Name::Script("12".into())]);
        check(r#"{"objectId":"nonsense"}"#, &[Name::Unreadable]);
        check(r#"{"objectId":{"a":1}}"#, &[Name::Unreadable]);
        check(r#"{"text":"\ud800","contextId":2}"#, &[Name::Context(2)]);
    }

    #[test]
    fn a_parameter_that_stands_twice_is_seen() {
        assert!(is_ambiguous(r#"{"url":"a","url":"b"}"#));
        assert!(is_ambiguous(r#"{"url":"a","\u0075rl":"b"}"#));
        assert!(is_ambiguous("[]"));
        assert!(!is_ambiguous(r#"{"url":"a","other":"\ud800"}"#));
        assert!(!is_ambiguous("{}"));
    }
}
