//! References: short names of elements that last as long as the element does, and never mean another one.
//!
//! A number is given out once. One of a document that is gone, or from before a hand-back, is refused with the reason.

use std::collections::HashMap;

/// An element, as its own document knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Name that the page script gave to its document.
    pub document: String,
    pub number: u64,
}

/// Why a reference means nothing (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    #[error("was never given out")]
    Unknown,
    #[error("is from an earlier look, before control changed hands")]
    EarlierLook,
    #[error("belongs to a page that is gone")]
    DocumentGone,
    #[error("means an element that is no longer on the page")]
    ElementGone,
}

/// All references that were given out.
#[derive(Debug, Default)]
pub struct References {
    last: u64,
    /// The last that was given out before the latest change of hands.
    refused_to: u64,
    places: HashMap<u64, Place>,
    numbers: HashMap<Place, u64>,
    /// By tab: the documents it showed at the latest look.
    documents: HashMap<String, Vec<String>>,
}

impl References {
    /// Returns the number of an element, the same as long as it lives.
    pub fn give(&mut self, place: &Place) -> u64 {
        if let Some(number) = self.numbers.get(place) {
            return *number;
        }
        self.last += 1;
        self.places.insert(self.last, place.clone());
        self.numbers.insert(place.clone(), self.last);
        self.last
    }

    /// Returns the element that a reference such as `e12` means.
    pub fn place(&self, reference: &str) -> Result<&Place, Stale> {
        let number: u64 = reference.strip_prefix('e').and_then(|n| n.parse().ok()).ok_or(Stale::Unknown)?;
        match self.places.get(&number) {
            Some(place) => Ok(place),
            None if number == 0 || number > self.last => Err(Stale::Unknown),
            None if number <= self.refused_to => Err(Stale::EarlierLook),
            None => Err(Stale::DocumentGone),
        }
    }

    /// Refuses everything that was given out so far.
    pub fn refuse_all(&mut self) {
        self.refused_to = self.last;
        self.places.clear();
        self.numbers.clear();
        self.documents.clear();
    }

    /// Forgets the documents that a tab showed before and does not show any more.
    pub fn shows(&mut self, tab: &str, documents: Vec<String>) {
        let before = self.documents.insert(tab.to_owned(), documents).unwrap_or_default();
        let gone: Vec<String> =
            before.into_iter().filter(|name| !self.documents[tab].iter().any(|now| now == name)).collect();
        if !gone.is_empty() {
            self.places.retain(|_, place| !gone.contains(&place.document));
            self.numbers.retain(|place, _| !gone.contains(&place.document));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(document: &str, number: u64) -> Place {
        Place { document: document.into(), number }
    }

    #[test]
    fn a_reference_keeps_its_element_and_is_never_given_to_another() {
        let mut references = References::default();
        references.shows("tab", vec!["a".into(), "inner".into()]);
        assert_eq!(references.give(&place("a", 1)), 1);
        assert_eq!(references.give(&place("inner", 1)), 2);
        assert_eq!(references.give(&place("a", 1)), 1);
        references.shows("other", vec!["b".into()]);
        references.shows("tab", vec!["a".into()]);
        assert_eq!(references.place("e1"), Ok(&place("a", 1)), "another tab, another frame: it lives on");
        assert_eq!(references.place("e2"), Err(Stale::DocumentGone));
        assert_eq!(references.give(&place("a", 2)), 3);
    }

    #[test]
    fn a_reference_that_means_nothing_says_why() {
        let mut references = References::default();
        references.give(&place("a", 1));
        for unknown in ["e0", "e2", "x1", "e", "e1-2", "", "e99999999999999999999"] {
            assert_eq!(references.place(unknown), Err(Stale::Unknown), "{unknown}");
        }
        references.refuse_all();
        assert_eq!(references.place("e1"), Err(Stale::EarlierLook));
        assert_eq!(references.give(&place("a", 1)), 2, "the same element, a new name");
        assert_eq!(references.place("e1"), Err(Stale::EarlierLook));
    }
}
