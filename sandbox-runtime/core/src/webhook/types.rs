//! Which events a webhook wants.

use crate::event::EventType;
use crate::webhook::TEST_TYPE;

/// An event type that is asked for and can never come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypesError {
    #[error("\"{0}\" is no type of event; the types are listed in the guide, and sandbox.handoff.* means all beneath")]
    Unknown(String),
    #[error("at most {MAX_TYPES} event types can be named")]
    TooMany,
}

const MAX_TYPES: usize = 100;

/// Refuses patterns that no event can match: a slip of the keyboard would be silent for ever.
///
/// # Errors
///
/// The first pattern that matches no type.
pub fn check_types(patterns: &[String]) -> Result<(), TypesError> {
    if patterns.len() > MAX_TYPES {
        return Err(TypesError::TooMany);
    }
    let fits = |pattern: &String| {
        let names = EventType::ALL.iter().map(|kind| kind.as_str());
        names.chain([TEST_TYPE]).any(|kind| matches(pattern, kind))
    };
    match patterns.iter().find(|pattern| !fits(pattern)) {
        Some(unknown) => Err(TypesError::Unknown(unknown.clone())),
        None => Ok(()),
    }
}

/// Whether one of the patterns means this type; no pattern means every type.
pub fn wants(patterns: &[String], kind: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, kind))
}

fn matches(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(parent) => parent.ends_with('.') && kind.len() > parent.len() && kind.starts_with(parent),
        None => pattern == kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, kind: &str, expected: bool) {
        assert_eq!(wants(&[pattern.to_owned()], kind), expected, "{pattern} {kind}");
    }

    #[test]
    fn a_pattern_is_a_type_or_all_beneath_a_name() {
        check("sandbox.ready", "sandbox.ready", true);
        check("sandbox.ready", "sandbox.readying", false);
        check("sandbox.handoff.*", "sandbox.handoff.requested", true);
        check("sandbox.handoff.*", "sandbox.handoff", false);
        check("sandbox.agent.*", "sandbox.agent.task.completed", true);
        check("sandbox.hand*", "sandbox.handoff.requested", false);
        check("*", "sandbox.ready", true);
        assert!(wants(&[], "sandbox.ready"));
    }

    fn refused(pattern: &str) -> Result<(), TypesError> {
        check_types(&[pattern.to_owned()])
    }

    #[test]
    fn a_pattern_that_can_never_match_is_refused_by_name() {
        for pattern in ["", "sandbox", "sandbox.redy", "sandbox.*.ready", "sandbox.hand*", "task.completed"] {
            assert_eq!(refused(pattern), Err(TypesError::Unknown(pattern.to_owned())));
        }
        assert_eq!(refused("sandbox.checkpoint.*"), Ok(()));
        assert_eq!(check_types(&vec!["*".to_owned(); MAX_TYPES + 1]), Err(TypesError::TooMany));
    }

    #[test]
    fn every_event_that_there_is_can_be_asked_for() {
        for kind in EventType::ALL {
            assert_eq!(refused(kind.as_str()), Ok(()));
        }
    }
}
