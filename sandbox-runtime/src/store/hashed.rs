//! Copying and hashing in one go.

use std::io::{self, ErrorKind, Read, Write};

use sandbox_core::hexadecimal;
use sha2::{Digest, Sha256};

const CHUNK: usize = 128 * 1024;

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes.
    pub size: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// Copies `content` to its end and hashes what it copies; into [`io::sink`] it only hashes.
pub fn copy_hashed(mut content: impl Read, mut to: impl Write) -> io::Result<Copied> {
    let (mut digest, mut size, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        match content.read(&mut chunk) {
            Ok(0) => return Ok(Copied { size, sha256: hexadecimal(&digest.finalize()) }),
            Ok(n_read) => {
                digest.update(&chunk[..n_read]);
                to.write_all(&chunk[..n_read])?;
                size += n_read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
