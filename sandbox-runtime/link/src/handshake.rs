//! The first words on a link, before yamux: the runtime says which room this is to be, the guest says that it is there.
//!
//! The settings travel here and not as an argument, because arguments are readable by every user of the host and the
//! environment of a sandbox may hold secrets.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::protocol::RoomSettings;
use crate::{read_message, write_message};

/// The guest's answer; the number is the version of the protocol.
const HELLO: &[u8; 8] = b"baton 1\n";

/// Tells the guest its settings and waits until it answers. The runtime's side, before [`crate::Link::start`].
pub async fn greet_guest(io: &mut (impl AsyncRead + AsyncWrite + Unpin), settings: &RoomSettings) -> io::Result<()> {
    write_message(io, settings).await?;
    let mut answer = [0; HELLO.len()];
    io.read_exact(&mut answer).await?;
    if &answer != HELLO {
        let said = String::from_utf8_lossy(&answer).into_owned();
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("the guest speaks another protocol: {said:?}")));
    }
    Ok(())
}

/// Reads the settings and answers. The guest's side, before [`crate::Link::start`].
pub async fn greet_runtime(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<RoomSettings> {
    let settings = read_message(io).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    io.write_all(HELLO).await?;
    io.flush().await?;
    Ok(settings)
}
