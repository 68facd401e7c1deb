//! What differs between two looks at one document.

use std::collections::HashMap;

use sandbox_core::observation::{ChangedLine, Changes};

use super::outline::Line;

/// What is kept of a look for the next: each line's reference and text.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub document: String,
    lines: Vec<(Option<u64>, String)>,
}

impl Seen {
    pub fn new(document: &str, lines: &[Line]) -> Self {
        let lines = lines.iter().map(|line| (line.reference, line.text.clone())).collect();
        Self { document: document.to_owned(), lines }
    }

    /// Returns how the element of this number was told: its role, and its name in quotes.
    pub fn words_of(&self, number: u64) -> Option<String> {
        let (_, text) = self.lines.iter().find(|(reference, _)| *reference == Some(number))?;
        let (mut words, _) = text.split_once(" [ref=")?;
        // States such as `[checked]` are no part of its name.
        while let Some((before, _)) = words.rsplit_once(" [").filter(|_| words.ends_with(']')) {
            words = before;
        }
        Some(words.trim_end_matches(':').to_owned())
    }

    /// Returns what came, went, or is told differently of the same element.
    pub fn changes_to(&self, now: &Self) -> Changes {
        let mut counts: HashMap<&str, isize> = HashMap::new();
        let mut of_element: HashMap<u64, &str> = HashMap::new();
        for (reference, text) in &self.lines {
            *counts.entry(text).or_default() += 1;
            if let Some(reference) = reference {
                of_element.entry(*reference).or_insert(text);
            }
        }
        let mut changes = Changes::default();
        let mut told: Vec<&str> = Vec::new();
        for (reference, text) in &now.lines {
            let count = counts.entry(text).or_default();
            *count -= 1;
            if *count >= 0 {
                continue;
            }
            let before = reference.and_then(|reference| of_element.get(&reference).copied());
            match before.filter(|before| *before != text) {
                Some(before) => {
                    told.push(before);
                    changes.changed.push(ChangedLine { before: before.to_owned(), now: text.clone() });
                }
                None => changes.added.push(text.clone()),
            }
        }
        for before in told {
            *counts.entry(before).or_default() -= 1;
        }
        for (_, text) in &self.lines {
            let count = counts.entry(text).or_default();
            if *count > 0 {
                *count -= 1;
                changes.removed.push(text.clone());
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lines: &[(u64, &str)]) -> Seen {
        let lines = lines.iter().map(|(reference, text)| ((*reference > 0).then_some(*reference), (*text).to_owned()));
        Seen { document: "a".into(), lines: lines.collect() }
    }

    #[test]
    fn an_element_is_told_by_role_and_name() {
        let seen = seen(&[(1, "button \"Pay [now]\" [disabled] [ref=e1]"), (2, "textbox \"Note\" [ref=e2]: hello")]);
        assert_eq!(seen.words_of(1).as_deref(), Some("button \"Pay [now]\""));
        assert_eq!(seen.words_of(2).as_deref(), Some("textbox \"Note\""));
        assert_eq!(seen.words_of(3), None);
    }

    #[test]
    fn lines_come_go_and_change_by_their_element() {
        let before = seen(&[(0, "text: a"), (0, "text: a"), (1, "checkbox [ref=e1]"), (2, "link [ref=e2]")]);
        let now = seen(&[(0, "text: a"), (1, "checkbox [checked] [ref=e1]"), (3, "button [ref=e3]")]);
        let changes = before.changes_to(&now);
        assert_eq!(changes.added, ["button [ref=e3]"]);
        assert_eq!(changes.removed, ["text: a", "link [ref=e2]"]);
        let changed = ChangedLine { before: "checkbox [ref=e1]".into(), now: "checkbox [checked] [ref=e1]".into() };
        assert_eq!(changes.changed, [changed]);
        assert!(before.changes_to(&before).is_empty());
    }
}
