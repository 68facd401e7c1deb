//! The newest bytes of a stream.

use std::collections::VecDeque;

/// Keeps the newest bytes up to a limit.
pub struct Ring {
    limit: usize,
    kept: VecDeque<u8>,
    truncated: bool,
}

impl Ring {
    pub fn new(limit: usize) -> Self {
        Self { limit, kept: VecDeque::new(), truncated: false }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        let newest = &bytes[bytes.len().saturating_sub(self.limit)..];
        let too_many = (self.kept.len() + newest.len()).saturating_sub(self.limit);
        self.truncated |= too_many > 0 || newest.len() < bytes.len();
        self.kept.drain(..too_many);
        self.kept.extend(newest);
    }

    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Returns what was kept as text. A character that was cut in half at the old end is left out.
    pub fn into_text(self) -> String {
        let bytes: Vec<u8> = self.kept.into();
        let is_continuation = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
        let cut =
            if self.truncated { bytes.iter().take(3).take_while(|byte| is_continuation(byte)).count() } else { 0 };
        String::from_utf8_lossy(&bytes[cut..]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limit: usize, pieces: &[&str], text: &str, truncated: bool) {
        let mut ring = Ring::new(limit);
        for piece in pieces {
            ring.push(piece.as_bytes());
        }
        assert_eq!(ring.is_truncated(), truncated, "{pieces:?}");
        assert_eq!(ring.into_text(), text, "{pieces:?}");
    }

    #[test]
    fn the_newest_end_is_kept() {
        check(4, &["ab", "cd"], "abcd", false);
        check(4, &["ab", "cde"], "bcde", true);
        check(4, &["abcdefgh"], "efgh", true);
        check(4, &["abcd", ""], "abcd", false);
        check(4, &[], "", false);
    }

    #[test]
    fn a_character_cut_in_half_is_left_out() {
        check(4, &["xä€"], "€", true);
    }
}
