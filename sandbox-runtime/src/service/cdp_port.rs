//! A loopback port of its own for one sandbox's debugging endpoint, for programs that take nothing but `host:port`.
//!
//! No header can be asked for there, so the port is for a while only, and answers only programs of this user: who connects
//! is looked up in the kernel's table, and whatever a web page could have sent is refused (`Origin`, `Sec-Fetch-Site`, another `Host`).
//! What passes is under the same gate as every other client.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use sandbox_core::SandboxId;
use sandbox_core::model::{DebuggingPort, EpochMs};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Answer, Service, ServiceError, room_site};
use crate::now_ms;

/// An open port; closed when dropped.
pub(super) struct OpenPort {
    shown: DebuggingPort,
    closing: CancellationToken,
}

impl Drop for OpenPort {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

impl Service {
    /// Opens a port for the sandbox until `expires_at`; one that was open is closed.
    ///
    /// # Errors
    ///
    /// `conflict` for a sandbox that is not ready or has no browser.
    pub async fn open_cdp_port(&self, id: &SandboxId, expires_at: EpochMs) -> Answer<DebuggingPort> {
        let driver = self.working_driver(id).await?;
        driver.browser().ok_or_else(|| ServiceError::no_browser(&driver))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(ServiceError::internal)?;
        let own = listener.local_addr().map_err(ServiceError::internal)?;
        let shown = DebuggingPort { host: own.ip().to_string(), port: own.port(), expires_at };
        let closing = CancellationToken::new();
        let site = room_site::router_at(self, id, &own.to_string(), Some(closing.clone()));
        let router = site.layer(from_fn_with_state(own, only_own_programs));
        let left = Duration::from_millis(u64::try_from(expires_at - now_ms()).unwrap_or_default());
        let (closed, ended) = (closing.clone(), driver.clone());
        // Ends with the port, its time, or its sandbox.
        tokio::spawn(async move {
            tokio::select! {
                () = serve(listener, router) => {}
                () = closed.cancelled() => {}
                () = tokio::time::sleep(left) => {}
                _ = ended.wait_until(|sandbox| sandbox.status.is_over()) => {}
            }
            closed.cancel();
        });
        self.cdp_ports().insert(id.clone(), OpenPort { shown: shown.clone(), closing });
        Ok(shown)
    }

    /// Closes the sandbox's port and what is connected by it; says whether one was open.
    pub fn close_cdp_port(&self, id: &SandboxId) -> bool {
        self.cdp_ports().remove(id).is_some_and(|port| !port.closing.is_cancelled())
    }

    /// Returns the port that is open for a sandbox.
    pub fn cdp_port(&self, id: &SandboxId) -> Option<DebuggingPort> {
        let mut ports = self.cdp_ports();
        ports.retain(|_, port| !port.closing.is_cancelled());
        ports.get(id).map(|port| port.shown.clone())
    }

    fn cdp_ports(&self) -> MutexGuard<'_, std::collections::BTreeMap<SandboxId, OpenPort>> {
        // Entries are put and taken whole.
        self.inner.cdp_ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, router: Router) {
    let served = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await;
    if let Err(error) = served {
        tracing::warn!(%error, "a debugging port ended");
    }
}

async fn only_own_programs(
    State(own): State<SocketAddr>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let refused = |why: &'static str| (StatusCode::FORBIDDEN, why).into_response();
    if let Err(why) = check_headers(request.headers(), own.port()) {
        return refused(why);
    }
    let table = tokio::task::spawn_blocking(|| std::fs::read_to_string("/proc/net/tcp")).await;
    let user = table.ok().and_then(Result::ok).and_then(|table| user_of(&table, peer, own));
    if user != Some(nix::unistd::geteuid().as_raw()) {
        return refused("this port is for programs of the user who opened it");
    }
    next.run(request).await
}

/// Refuses what a page of a browser can send: pages cannot leave these headers out, and programs have no need of them.
fn check_headers(headers: &HeaderMap, port: u16) -> Result<(), &'static str> {
    if headers.contains_key(header::ORIGIN) {
        return Err("pages may not connect here: the request has an Origin");
    }
    if headers.get("sec-fetch-site").is_some_and(|site| site != "none") {
        return Err("pages may not connect here: the request is one of a page");
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // chromedriver leaves out the port of its WebSocket. A page that was rebound to this address names its own host.
    let names =
        ["127.0.0.1".to_owned(), "localhost".to_owned(), format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    names.iter().any(|name| host.eq_ignore_ascii_case(name)).then_some(()).ok_or("the Host is not this port's")
}

/// Returns the user whose socket is at the other end, as the kernel's table of TCP sockets says.
fn user_of(table: &str, peer: SocketAddr, own: SocketAddr) -> Option<u32> {
    let (from, to) = (as_listed(peer)?, as_listed(own)?);
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, remote) = (fields.next()?, fields.next()?);
        // Then: state, queues, timer, retransmissions.
        (local == from && remote == to).then(|| fields.nth(4)?.parse().ok()).flatten()
    })
}

/// Returns an address as that table has it: the four bytes as one number of this machine, then the port, both in hexadecimal.
fn as_listed(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TABLE: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     7        0 3 1 0 20 4 30 10 -1
";

    #[test]
    fn the_user_at_the_other_end_is_read_from_the_kernels_table() {
        let at = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        assert_eq!(user_of(TABLE, at(50_000), at(8_080)), Some(1001));
        assert_eq!(user_of(TABLE, at(50_001), at(8_080)), None);
        assert_eq!(user_of("", at(50_000), at(8_080)), None);
    }

    #[test]
    fn what_a_page_can_send_is_refused() {
        let check = |headers: &[(&'static str, &str)], passes: bool| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(check_headers(&map, 9222).is_ok(), passes, "{headers:?}");
        };
        check(&[("host", "127.0.0.1:9222")], true);
        check(&[("host", "localhost:9222"), ("sec-fetch-site", "none")], true);
        check(&[("host", "127.0.0.1:9222"), ("origin", "https://evil.example")], false);
        check(&[("host", "127.0.0.1:9222"), ("origin", "null")], false);
        check(&[("host", "127.0.0.1:9222"), ("sec-fetch-site", "cross-site")], false);
        check(&[("host", "127.0.0.1")], true);
        for host in ["evil.example:9222", "evil.example", "127.0.0.1:80", ""] {
            check(&[("host", host)], false);
        }
        check(&[], false);
    }
}
