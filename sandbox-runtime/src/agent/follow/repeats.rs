//! Noticing that the agent goes round in circles: the same thing done with the same result.
//!
//! Compared is what was asked for and what came of it as others wrote it, without the fences, which differ each time.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::entry::Did;

/// How far back is looked.
const REMEMBERED: usize = 24;
/// The model is told at this many.
const NOTICED: usize = 3;
/// The task ends at this many.
const ENDED: usize = 6;

#[derive(Default)]
pub struct Repeats {
    done: VecDeque<u64>,
}

/// What is to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeating {
    No,
    /// This often; the model is to be told.
    Noticed(usize),
    /// Too often.
    Ended(usize),
}

impl Repeats {
    /// Takes note of what was done.
    pub fn note(&mut self, name: &str, input: &Value, did: &Did) -> Repeating {
        let mut hasher = DefaultHasher::new();
        // Maps of JSON are ordered by their keys.
        (name, input.to_string(), &did.said, did.failed, &did.url).hash(&mut hasher);
        did.shown.iter().for_each(|shown| shown.text.hash(&mut hasher));
        let this = hasher.finish();
        self.done.push_back(this);
        if self.done.len() > REMEMBERED {
            self.done.pop_front();
        }
        match self.done.iter().filter(|each| **each == this).count() {
            ENDED.. => Repeating::Ended(ENDED),
            times @ NOTICED.. => Repeating::Noticed(times),
            _ => Repeating::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agent::follow::fence::{Shown, Source};

    fn did(page: &str) -> Did {
        Did { said: "done".to_owned(), shown: vec![Shown::new(Source::Page, page)], ..Did::default() }
    }

    #[test]
    fn circles_of_any_length_are_noticed_whatever_their_fences() {
        let mut repeats = Repeats::default();
        let mut noticed = Vec::new();
        for _ in 0..6 {
            noticed.push(repeats.note("click", &json!({ "ref": "e1" }), &did("page one")));
            assert_ne!(repeats.note("back", &json!({}), &did("page two")), Repeating::Ended(1));
        }
        let (no, at, end) = (Repeating::No, Repeating::Noticed, Repeating::Ended(6));
        assert_eq!(noticed, [no, no, at(3), at(4), at(5), end]);
    }

    #[test]
    fn the_same_action_with_another_result_is_progress() {
        let mut repeats = Repeats::default();
        for page in 0..20 {
            assert_eq!(repeats.note("scroll", &json!({ "dy": 500 }), &did(&page.to_string())), Repeating::No);
        }
    }
}
