//! A desktop's tray on a test's bus: whoever has one may put an icon into it.

use zbus::Connection;
use zbus::connection::Builder;

use crate::Bus;

/// Serves the tray for as long as it lives.
pub struct Tray {
    _connection: Connection,
}

struct Watcher;

impl Tray {
    /// Serves the bus as a desktop with a tray does.
    pub async fn serve(bus: &Bus) -> zbus::Result<Self> {
        let connection = Builder::address(bus.address.as_str())
            .name("org.kde.StatusNotifierWatcher")
            .serve_at("/StatusNotifierWatcher", Watcher)
            .build()
            .await?;
        Ok(Self { _connection: connection })
    }
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, _service: &str) {}

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        vec![]
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}
