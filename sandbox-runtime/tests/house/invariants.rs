//! The README names the test that holds each invariant; each of these tests exists.

use crate::sources;

/// Words with underscores between backticks in the table of invariants: names of tests and of their files.
fn named(readme: &str) -> Vec<&str> {
    let section = readme.split("## Invariants").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap_or_default();
    let quoted = section.split('`').skip(1).step_by(2);
    quoted.filter(|word| word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')).collect()
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let readme = sources::read("README.md");
    let names = named(&readme);
    assert!(names.len() > 8, "{names:?}");
    let folders = ["sandbox-runtime/src", "sandbox-runtime/core", "sandbox-runtime/tests", "tests/tests"];
    let tree: Vec<_> = folders.iter().flat_map(|folder| sources::beneath(folder, &[".rs"])).collect();
    let exists = |name: &str| {
        tree.iter()
            .any(|file| file.path.ends_with(&format!("/{name}.rs")) || file.text.contains(&format!("fn {name}(")))
    };
    let missing: Vec<_> = names.into_iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "the README names tests that do not exist: {missing:?}");
}
