//! Length-prefixed frames on one stream: u32 little-endian length, then that many bytes.

use std::io;

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest frame that is accepted: a raw 4K picture fits.
pub const MAX_FRAME: usize = 64 << 20;

/// Writes one frame and flushes it.
pub async fn write_frame(io: &mut (impl AsyncWrite + Unpin), body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    if body.len() <= 4096 {
        let mut whole = Vec::with_capacity(4 + body.len());
        whole.extend_from_slice(&length.to_le_bytes());
        whole.extend_from_slice(body);
        io.write_all(&whole).await?;
    } else {
        io.write_all(&length.to_le_bytes()).await?;
        io.write_all(body).await?;
    }
    io.flush().await
}

/// Reads one frame; `None` at a clean end.
pub async fn read_frame(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match io.read_exact(&mut length).await {
        Ok(_) => {}
        Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("frame of {length} bytes is too long")));
    }
    let mut body = vec![0; length];
    io.read_exact(&mut body).await?;
    Ok(Some(body))
}

/// Writes one JSON message as a frame.
pub async fn write_message(io: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> io::Result<()> {
    write_frame(io, &serde_json::to_vec(message)?).await
}

/// Reads one JSON message; `None` at a clean end.
pub async fn read_message<T: DeserializeOwned>(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<T>> {
    match read_frame(io).await? {
        Some(body) => Ok(Some(serde_json::from_slice(&body)?)),
        None => Ok(None),
    }
}
