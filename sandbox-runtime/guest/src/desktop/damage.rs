//! Which rows of the screen were drawn on and not captured yet. Pure.
//!
//! The X server copies whole rows, so columns do not matter. Spans far apart are captured one by one, the smallest first: a
//! button that changes its colour does not wait for the film beside it.

use std::ops::Range;

/// Spans closer together than this are read at once: a request costs as much as some rows.
const JOINED_ROWS: usize = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DamagedRows {
    /// In order, and not touching.
    spans: Vec<Range<usize>>,
}

impl DamagedRows {
    pub fn add(&mut self, rows: Range<usize>) {
        if rows.is_empty() {
            return;
        }
        let mut all = rows;
        self.spans.retain(|span| {
            let is_far = span.end + JOINED_ROWS <= all.start || all.end + JOINED_ROWS <= span.start;
            if !is_far {
                all = all.start.min(span.start)..all.end.max(span.end);
            }
            is_far
        });
        self.spans.push(all);
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub fn clear(&mut self) {
        self.spans.clear();
    }

    /// Takes the smallest span.
    pub fn take(&mut self) -> Option<Range<usize>> {
        let smallest = (0..self.spans.len()).min_by_key(|at| self.spans[*at].len())?;
        Some(self.spans.swap_remove(smallest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(added: &[(usize, usize)], taken: &[(usize, usize)]) {
        let mut damaged = DamagedRows::default();
        added.iter().for_each(|(top, end)| damaged.add(*top..*end));
        let all: Vec<_> = std::iter::from_fn(|| damaged.take()).map(|rows| (rows.start, rows.end)).collect();
        assert_eq!(all, taken);
        assert!(damaged.is_empty());
    }

    #[test]
    fn the_smallest_change_is_taken_first() {
        check(&[(100, 700), (0, 20)], &[(0, 20), (100, 700)]);
    }

    #[test]
    fn spans_close_together_are_one_also_when_a_later_one_joins_them() {
        check(&[(0, 10), (20, 30)], &[(0, 30)]);
        check(&[(0, 10), (100, 110), (12, 98)], &[(0, 110)]);
        check(&[(5, 5)], &[]);
    }
}
