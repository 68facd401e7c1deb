//! The shape of the tree, read from the sources: which room may name which, what each crate leaves alone, and which
//! files import each other in a loop; and whether the guides name all that there is.

mod circles;
mod guides;
mod interface;
mod invariants;
mod names;
mod rooms;
mod sources;

use std::fmt;

/// A rule of the house that a file breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    file: String,
    rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.rule)
    }
}

#[track_caller]
fn assert_none(violations: &[Violation]) {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}
