//! A message in pieces, for a carrier whose messages are smaller: the data channels of WebRTC. Pictures come so, and long words.
//!
//! Each piece is `u32` bytes of the message that come after this piece (little-endian), then at least one byte of the
//! message. The carrier keeps their order and loses none. The first piece says how long the whole is, and each other one
//! is checked against it, so that a reader never keeps more bytes than its limit and never more than it was sent.

/// Bytes before a piece's part of the message.
pub const HEAD_LEN: usize = 4;
/// Bytes of the longest message that is joined: the longest that the link to a room carries.
pub const MAX_MESSAGE: usize = 64 << 20;

/// Cuts a message into pieces of at most `max_len` bytes each: the head, and the part of the message that follows it.
///
/// An empty message has no pieces.
///
/// # Panics
///
/// If `max_len` has no room for a head and one byte, or the message is longer than [`MAX_MESSAGE`].
pub fn cut(message: &[u8], max_len: usize) -> impl Iterator<Item = ([u8; HEAD_LEN], &[u8])> {
    assert!(max_len > HEAD_LEN, "a piece needs a head and one byte");
    assert!(message.len() <= MAX_MESSAGE, "a message of {} bytes is too long to be joined", message.len());
    let mut left = message.len();
    message.chunks(max_len - HEAD_LEN).map(move |part| {
        left -= part.len();
        // Not above the limit, which fits.
        ((left as u32).to_le_bytes(), part)
    })
}

/// A piece that no [`cut`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPiece {
    #[error("a piece of {0} bytes has no part of a message")]
    Empty(usize),
    #[error("the message would have {said} bytes; at most {longest} are taken")]
    TooLong { said: usize, longest: usize },
    #[error("a piece speaks of {said} bytes where {left} are left")]
    Left { left: usize, said: usize },
}

/// Puts the pieces of one message after another together again.
#[derive(Debug)]
pub struct Joiner {
    longest: usize,
    message: Vec<u8>,
    /// Bytes that are still to come, while a message is not whole.
    left: Option<usize>,
}

impl Default for Joiner {
    fn default() -> Self {
        Self::up_to(MAX_MESSAGE)
    }
}

impl Joiner {
    /// Makes one that takes messages of at most `longest` bytes.
    pub fn up_to(longest: usize) -> Self {
        Self { longest, message: Vec::new(), left: None }
    }

    /// Takes the next piece; returns the message if it was the last one of it.
    ///
    /// # Errors
    ///
    /// See [`BadPiece`]. What came before of that message is forgotten.
    pub fn push(&mut self, piece: &[u8]) -> Result<Option<Vec<u8>>, BadPiece> {
        match self.take(piece) {
            Ok(false) => Ok(None),
            Ok(true) => {
                self.left = None;
                Ok(Some(std::mem::take(&mut self.message)))
            }
            Err(bad) => {
                *self = Self::up_to(self.longest);
                Err(bad)
            }
        }
    }

    /// Returns whether the message is whole.
    fn take(&mut self, piece: &[u8]) -> Result<bool, BadPiece> {
        let (head, part) = piece.split_first_chunk::<HEAD_LEN>().ok_or(BadPiece::Empty(piece.len()))?;
        if part.is_empty() {
            return Err(BadPiece::Empty(piece.len()));
        }
        let after = u32::from_le_bytes(*head) as usize;
        let said = part.len() + after;
        match self.left {
            None if said > self.longest => return Err(BadPiece::TooLong { said, longest: self.longest }),
            Some(left) if left != said => return Err(BadPiece::Left { left, said }),
            None | Some(_) => {}
        }
        // Grows with what comes: a first piece that promises much takes nothing by that.
        self.message.extend_from_slice(part);
        self.left = Some(after);
        Ok(after == 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(message: &[u8], max_len: usize) -> Vec<Vec<u8>> {
        cut(message, max_len).map(|(head, part)| [&head[..], part].concat()).collect()
    }

    proptest! {
        #[test]
        fn any_cut_joins_message_after_message(
            messages in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 1..2_000), 5usize..700), 1..6),
        ) {
            let mut joiner = Joiner::default();
            for (message, max_len) in &messages {
                let pieces = pieces(message, *max_len);
                let (last, others) = pieces.split_last().unwrap();
                prop_assert!(pieces.iter().all(|piece| piece.len() <= *max_len));
                for piece in others {
                    prop_assert_eq!(joiner.push(piece), Ok(None));
                }
                prop_assert_eq!(joiner.push(last), Ok(Some(message.clone())));
            }
        }

        #[test]
        fn a_hostile_sequence_never_joins_to_more_than_it_sent(
            pieces in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..40), 0..60),
        ) {
            let mut joiner = Joiner::default();
            let mut sent = 0;
            for piece in &pieces {
                sent += piece.len();
                if let Ok(Some(message)) = joiner.push(piece) {
                    prop_assert!(!message.is_empty() && message.len() <= sent);
                    sent = 0;
                }
                prop_assert!(joiner.message.len() <= sent);
            }
        }
    }

    #[test]
    fn a_piece_that_no_cut_makes_is_refused_and_the_next_message_is_joined() {
        let mut joiner = Joiner::default();
        let first = [4, 0, 0, 0, 1, 2];
        let mut check = |pieces: &[&[u8]], expected: BadPiece| {
            let (bad, before) = pieces.split_last().unwrap();
            for piece in before {
                assert_eq!(joiner.push(piece), Ok(None));
            }
            assert_eq!(joiner.push(bad), Err(expected), "{pieces:?}");
            assert_eq!(joiner.push(&[0, 0, 0, 0, 9]), Ok(Some(vec![9])));
        };
        check(&[&[]], BadPiece::Empty(0));
        check(&[&[0, 0, 0]], BadPiece::Empty(3));
        check(&[&[0, 0, 0, 0]], BadPiece::Empty(4));
        check(&[&[255, 255, 255, 255, 7]], BadPiece::TooLong { said: 1 << 32, longest: MAX_MESSAGE });
        check(&[&first, &[3, 0, 0, 0, 3, 4]], BadPiece::Left { left: 4, said: 5 });
        check(&[&first, &[0, 0, 0, 0, 3, 4, 5, 6, 7]], BadPiece::Left { left: 4, said: 5 });
        // The last piece of it is lost, and the next message begins.
        check(&[&first, &[2, 0, 0, 0, 3, 4], &first], BadPiece::Left { left: 2, said: 6 });
    }

    #[test]
    fn a_message_as_long_as_a_piece_is_one_piece() {
        assert_eq!(pieces(&[7; 12], 16), [[&[0u8; 4][..], &[7; 12]].concat()]);
        assert_eq!(pieces(&[7; 13], 16).len(), 2);
        assert!(pieces(&[], 16).is_empty());
    }
}
