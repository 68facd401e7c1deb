//! A session bus of its own for a test, and a notification service on it that a person "chooses" notifications in.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use zbus::Connection;
use zbus::connection::Builder;

const PATH: &str = "/org/freedesktop/Notifications";

pub struct Bus {
    daemon: Child,
    /// As in the variable `DBUS_SESSION_BUS_ADDRESS`.
    pub address: String,
}

impl Bus {
    pub fn start() -> Self {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        let told = daemon.stdout.take().expect("the output is a pipe");
        BufReader::new(told).read_line(&mut address).expect("the bus says its address");
        Self { daemon, address: address.trim().to_owned() }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// What a desktop's notification service was asked to show.
pub struct Notifications {
    connection: Connection,
    service: Service,
}

#[derive(Clone, Default)]
struct Service {
    shown: Arc<Mutex<Vec<(String, String)>>>,
}

impl Notifications {
    /// Serves the bus as a desktop does.
    pub async fn serve(bus: &Bus) -> zbus::Result<Self> {
        let service = Service::default();
        let connection = Builder::address(bus.address.as_str())
            .name("org.freedesktop.Notifications")
            .serve_at(PATH, service.clone())
            .build()
            .await?;
        Ok(Self { connection, service })
    }

    /// Returns title and text of every notification so far.
    pub fn shown(&self) -> Vec<(String, String)> {
        self.service.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Clicks the newest notification.
    pub async fn choose_newest(&self) -> zbus::Result<()> {
        let id = u32::try_from(self.shown().len()).expect("few notifications");
        let service = self.connection.object_server().interface::<_, Service>(PATH).await?;
        Service::action_invoked(service.signal_emitter(), id, "default").await
    }
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    #[expect(clippy::too_many_arguments, reason = "the protocol's own list")]
    fn notify(
        &self,
        _app: &str,
        _replaces: u32,
        _icon: &str,
        summary: &str,
        body: &str,
        _actions: Vec<String>,
        _hints: std::collections::HashMap<String, zbus::OwnedVariant>,
        _expires_ms: i32,
    ) -> u32 {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.push((summary.to_owned(), body.to_owned()));
        u32::try_from(shown.len()).expect("few notifications")
    }

    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("test".to_owned(), "test".to_owned(), "1".to_owned(), "1.2".to_owned())
    }

    fn close_notification(&self, _id: u32) {}

    #[zbus(signal)]
    async fn action_invoked(
        emitter: &zbus::object_server::SignalEmitter<'_>,
        id: u32,
        action: &str,
    ) -> zbus::Result<()>;
}
