//! The room's end of the way out: a loopback port, each connection of which becomes a stream of the link.
//!
//! It forwards bytes and decides nothing; policy lives in the runtime, at the other end.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use sandbox_link::Link;
use sandbox_link::protocol::GuestOpen;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections at a time; more wait in the listener's queue.
const MAX_CONNECTIONS: usize = 1024;

/// The loopback port, open but not served yet.
pub struct Egress {
    listener: TcpListener,
}

impl Egress {
    /// Opens the port, so that programs started after this find it; `None` for a room without network (port 0).
    pub async fn listen(port: u16) -> io::Result<Option<Self>> {
        if port == 0 {
            return Ok(None);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        Ok(Some(Self { listener }))
    }

    /// Forwards connections until the link is gone. Dropping the future closes them all.
    pub async fn serve(self, link: Link) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        while !link.is_closed() {
            let Ok(slot) = slots.clone().acquire_owned().await else { return };
            let connection = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = link.closed() => return,
            };
            match connection {
                Ok((connection, _)) => {
                    let link = link.clone();
                    connections.spawn(async move {
                        let _slot = slot;
                        forward(connection, &link).await;
                    });
                }
                // Out of descriptors, or a connection that was gone before it was taken.
                Err(error) => {
                    tracing::warn!(%error, "accept a connection on the way out");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

async fn forward(mut connection: TcpStream, link: &Link) {
    let Ok(mut out) = link.open_for(&GuestOpen::Egress).await else { return };
    let _ = connection.set_nodelay(true);
    if let Err(error) = copy_bidirectional(&mut connection, &mut out).await {
        tracing::debug!(%error, "a connection broke off");
    }
}
