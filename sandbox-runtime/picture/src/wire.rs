//! How pictures travel, from the guest to the viewer unchanged. Integers are little-endian.
//!
//! ```text
//! u8 kind, u8 flags, u8 version, u8 zero, u32 picture number, u64 captured at (µs, the source's monotonic clock),
//! u16 width, u16 height of the screen, then by kind:
//!   1 lossless: u16 c copies, u16 i indexed parts, u16 t true-colour parts, u16 n colours, u8 compression, 3 × u8 zero,
//!               c × { u16 x, u16 y, u16 w, u16 h, u16 from_x, u16 from_y }
//!               (i + t) × { u16 x, u16 y, u16 w, u16 h }
//!               n × RGBA
//!               data: RGBA of the true-colour parts, then one byte a pixel of the indexed parts; row by row, part by part.
//!               Compression 0: as it is, 1: one LZ4 block
//!   2 h264:     u16 x, u16 y, u16 w, u16 h, then the Annex B access unit of that part of the screen
//! ```
//!
//! Copies are done in order, each from what the canvas shows at that moment, as if through a buffer of its own; then the
//! parts are drawn. Parts lie within the screen and cover at most its area together, which bounds what a message can ask
//! of its reader.

pub const VERSION: u8 = 2;
/// Bytes before what differs by kind.
pub const HEADER_LEN: usize = 20;
pub const KIND_LOSSLESS: u8 = 1;
pub const KIND_H264: u8 = 2;
/// The access unit starts a sequence.
pub const FLAG_KEY: u8 = 1;
/// After this picture the viewer shows every pixel of the screen exactly.
pub const FLAG_EXACT: u8 = 2;
pub const COMPRESSION_NONE: u8 = 0;
pub const COMPRESSION_LZ4: u8 = 1;

/// Bytes of a rectangle.
pub const RECT_LEN: usize = 8;
/// Bytes of a copy.
pub const COPY_LEN: usize = 12;
/// Bytes of the counts of a lossless picture.
pub const COUNTS_LEN: usize = 12;
/// Colours that indices can name.
pub const MAX_COLOURS: usize = 256;
/// Pixels of the largest screen; a reader makes room for no more.
pub const MAX_PIXELS: usize = 1 << 24;

/// What every picture begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: u8,
    pub flags: u8,
    pub number: u32,
    pub captured_at_us: u64,
    pub width: u16,
    pub height: u16,
}

impl Header {
    /// Appends the header to a message.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.kind, self.flags, VERSION, 0]);
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.captured_at_us.to_le_bytes());
        out.extend_from_slice(&self.width.to_le_bytes());
        out.extend_from_slice(&self.height.to_le_bytes());
    }

    /// Reads the header; `None` for a message that is too short or of another version.
    pub fn read(message: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER_LEN] = message.first_chunk()?;
        let [kind, flags, VERSION, _, rest @ ..] = header else { return None };
        let (number, rest) = rest.split_first_chunk()?;
        let (captured_at_us, rest) = rest.split_first_chunk()?;
        let (width, rest) = rest.split_first_chunk()?;
        let (height, _) = rest.split_first_chunk()?;
        Some(Self {
            kind: *kind,
            flags: *flags,
            number: u32::from_le_bytes(*number),
            captured_at_us: u64::from_le_bytes(*captured_at_us),
            width: u16::from_le_bytes(*width),
            height: u16::from_le_bytes(*height),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_and_another_version_is_refused() {
        let header = Header { kind: 1, flags: 2, number: 7, captured_at_us: 1 << 40, width: 1280, height: 808 };
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        assert_eq!(Header::read(&bytes), Some(header));
        assert_eq!(Header::read(&bytes[..HEADER_LEN - 1]), None);
        bytes[2] += 1;
        assert_eq!(Header::read(&bytes), None);
    }
}
