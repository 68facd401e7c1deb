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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::protocol::ShellSettings;

    #[tokio::test]
    async fn the_guest_learns_its_settings_before_anything_else() {
        let (mut runtime, mut guest) = tokio::io::duplex(64);
        let env = BTreeMap::from([("NAME".to_owned(), "value".repeat(100))]);
        let settings = RoomSettings::Shell(ShellSettings { env, proxy_port: 3128 });
        let (greeted, learned) = tokio::join!(greet_guest(&mut runtime, &settings), greet_runtime(&mut guest));
        greeted.unwrap();
        assert_eq!(learned.unwrap(), settings);
    }

    #[tokio::test]
    async fn a_guest_of_another_protocol_is_named() {
        let (mut runtime, mut guest) = tokio::io::duplex(1024);
        let settings = RoomSettings::Shell(ShellSettings { env: BTreeMap::new(), proxy_port: 0 });
        guest.write_all(b"baton 9\n").await.unwrap();
        let error = greet_guest(&mut runtime, &settings).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("baton 9"), "{error}");
    }
}
