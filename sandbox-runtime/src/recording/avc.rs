//! H.264 as MP4 wants it (ISO/IEC 14496-15): parameter sets apart, each unit after its length.

const SLICE_OF_KEY: u8 = 5;
const SEQUENCE_PARAMETERS: u8 = 7;
const PICTURE_PARAMETERS: u8 = 8;
const DELIMITER: u8 = 9;

/// What a decoder must know before the first picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    pub sequence: Vec<u8>,
    pub picture: Vec<u8>,
}

/// One picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    /// Units, each after its length in four bytes, without parameter sets.
    pub sample: Vec<u8>,
    pub key: bool,
    /// Those that came with it.
    pub parameters: Option<Parameters>,
}

impl AccessUnit {
    /// Reads an access unit as the encoder makes it (Annex B).
    pub fn from_annex_b(bytes: &[u8]) -> Self {
        let (mut sample, mut key) = (Vec::with_capacity(bytes.len() + 16), false);
        let (mut sequence, mut picture) = (None, None);
        for unit in units(bytes) {
            match unit[0] & 0x1F {
                SEQUENCE_PARAMETERS => sequence = Some(unit.to_vec()),
                PICTURE_PARAMETERS => picture = Some(unit.to_vec()),
                DELIMITER => {}
                kind => {
                    key |= kind == SLICE_OF_KEY;
                    sample.extend_from_slice(&(unit.len() as u32).to_be_bytes());
                    sample.extend_from_slice(unit);
                }
            }
        }
        let parameters = sequence.zip(picture).map(|(sequence, picture)| Parameters { sequence, picture });
        Self { sample, key, parameters }
    }
}

/// Returns the units between start codes, none of them empty.
fn units(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= bytes.len() {
        if bytes[at..at + 3] == [0, 0, 1] {
            starts.push(at);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).filter_map(move |(start, end)| {
        let unit = &bytes[start + 3..end];
        // Zeros before the next start code belong to it: a unit ends with a one.
        let length = unit.iter().rposition(|byte| *byte != 0)? + 1;
        Some(&unit[..length])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_sets_are_taken_out_and_lengths_take_the_place_of_start_codes() {
        let bytes = [&[0, 0, 0, 1, 0x67, 1, 2][..], &[0, 0, 0, 1, 0x68, 3], &[0, 0, 1, 0x65, 4, 0, 5, 0]].concat();
        let expected = AccessUnit {
            sample: vec![0, 0, 0, 4, 0x65, 4, 0, 5],
            key: true,
            parameters: Some(Parameters { sequence: vec![0x67, 1, 2], picture: vec![0x68, 3] }),
        };
        assert_eq!(AccessUnit::from_annex_b(&bytes), expected);
        let delta = AccessUnit { sample: vec![0, 0, 0, 2, 0x41, 7], key: false, parameters: None };
        assert_eq!(AccessUnit::from_annex_b(&[0, 0, 0, 1, 9, 0x10, 0, 0, 0, 1, 0x41, 7]), delta);
        assert_eq!(AccessUnit::from_annex_b(&[]), AccessUnit { sample: vec![], key: false, parameters: None });
    }
}
