//! A tunnel to one destination. What a program first says in it is read, so that it cannot mean another one:
//! TLS must name the same host, plain HTTP goes back to whoever serves it request by request, anything else is carried as it is.

use sandbox_core::policy::Host;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional_with_sizes};

use super::first_bytes::{FirstBytes, first_bytes};
use super::rejection::Rejection;
use super::rewind::Rewind;
use super::{CountedStream, Egress, Target};

const COPY_BYTES: usize = 64 * 1024;
/// A fatal alert, `unrecognized_name` (RFC 8446, 6.2; RFC 6066, 3).
const TLS_ALERT: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 112];

/// A program that speaks plain HTTP in a tunnel: what it said, and the destination's end.
pub(super) struct PlainHttp<C> {
    pub client: Rewind<C>,
    pub upstream: CountedStream,
}

/// Carries a tunnel until both ends are done, or until it is known that the program speaks plain HTTP in it.
pub(super) async fn run<C>(
    egress: &Egress,
    target: &Target,
    mut client: C,
    mut upstream: CountedStream,
) -> Option<PlainHttp<C>>
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    let (said, kind) = listen(&mut client, &mut upstream).await?;
    let rejection = match kind {
        FirstBytes::Tls { server_name } => match check_server_name(target, server_name) {
            Ok(()) => {
                carry(&said, client, upstream).await;
                return None;
            }
            Err(rejection) => rejection,
        },
        FirstBytes::Http => return Some(PlainHttp { client: Rewind::new(said, client), upstream }),
        FirstBytes::Opaque | FirstBytes::Unfinished => {
            carry(&said, client, upstream).await;
            return None;
        }
        FirstBytes::Unclear(what) => {
            Rejection::Disagrees { target: target.clone(), place: "the tunnel", said: what.to_owned() }
        }
    };
    egress.report(&rejection);
    // The program may be gone already, or not speak TLS at all; the tunnel ends either way.
    let _ = client.write_all(&TLS_ALERT).await;
    let _ = client.shutdown().await;
    None
}

/// Carries bytes both ways until both ends are done; one that is done sending still receives.
pub(super) async fn relay<A, B>(mut client: A, mut upstream: B)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    // A connection that breaks off ends the other; nobody is left to be told.
    let _ = copy_bidirectional_with_sizes(&mut client, &mut upstream, COPY_BYTES, COPY_BYTES).await;
}

async fn carry<C>(said: &[u8], client: C, mut upstream: CountedStream)
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    if upstream.write_all(said).await.is_ok() {
        relay(client, upstream).await;
    }
}

/// Reads until it is clear what the program speaks. The destination may speak first, and is heard meanwhile.
///
/// `None` if the tunnel broke before that.
async fn listen<C>(client: &mut C, upstream: &mut CountedStream) -> Option<(Vec<u8>, FirstBytes)>
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    let mut said = Vec::new();
    let mut heard = vec![0; COPY_BYTES];
    let mut upstream_done = false;
    loop {
        match first_bytes(&said) {
            FirstBytes::Unfinished => {}
            kind => return Some((said, kind)),
        }
        tokio::select! {
            n_bytes = client.read_buf(&mut said) => {
                if n_bytes.ok()? == 0 {
                    // Nothing more will come. A half-said TLS greeting reaches nobody; other bytes are what they are.
                    let kind = if said.first() == Some(&0x16) { return None } else { FirstBytes::Opaque };
                    return Some((said, kind));
                }
            }
            n_bytes = upstream.read(&mut heard), if !upstream_done => {
                match n_bytes.ok()? {
                    0 => {
                        upstream_done = true;
                        client.shutdown().await.ok()?;
                    }
                    n_bytes => {
                        client.write_all(&heard[..n_bytes]).await.ok()?;
                        client.flush().await.ok()?;
                    }
                }
            }
        }
    }
}

fn check_server_name(target: &Target, server_name: Option<String>) -> Result<(), Rejection> {
    let Some(said) = server_name else {
        return Ok(());
    };
    if Host::parse(&said).is_ok_and(|host| host == target.host) {
        return Ok(());
    }
    Err(Rejection::Disagrees { target: target.clone(), place: "the TLS server name", said })
}
