//! Live views: the driver's seat, as the streams ask for it.

use sandbox_core::model::TypedText;
use sandbox_core::viewer::{Aim, ControlView, ViewerMode};
use sandbox_core::{Lease, SandboxId, ViewerId};
use sandbox_link::Link;

use super::{Answer, Service, ServiceError};
use crate::driver::{self, ViewerSeat};
use crate::stream::{InputWeight, Refusal, Seat, Typist};

impl Service {
    /// Gives a live view its seat, and the way to the pictures.
    ///
    /// # Errors
    ///
    /// `conflict` for a sandbox that is not ready, or has no browser.
    pub async fn join(&self, id: &SandboxId, mode: ViewerMode) -> Answer<(ViewerSeat, Link)> {
        let driver = self.working_driver(id).await?;
        if driver.is_stopped_by_word() {
            let told =
                ServiceError::conflict("the browser of this sandbox was stopped", driver.sandbox().preview.status);
            return Err(told.with_hint("start it, or use it"));
        }
        let desktop = driver.desktop_when_up().await.ok_or_else(|| ServiceError::no_browser(&driver))?;
        Ok((driver.join(mode).await, desktop))
    }
}

impl Seat for ViewerSeat {
    fn id(&self) -> &ViewerId {
        Self::id(self)
    }

    fn mode(&self) -> ViewerMode {
        Self::mode(self)
    }

    fn control(&self) -> ControlView {
        Self::control(self)
    }

    async fn changed(&mut self) {
        Self::changed(self).await;
    }

    async fn take(&self, controller: String) -> Result<(), Refusal> {
        Ok(Self::take(self, controller).await?)
    }

    async fn hand_back(&self, note: Option<String>, typed: TypedText) -> Result<(), Refusal> {
        Ok(Self::hand_back(self, note, typed).await?)
    }

    async fn ask_control(&self, controller: String) -> Result<(), Refusal> {
        Ok(Self::ask_control(self, controller).await?)
    }

    async fn answer_asker(&self, gives: bool) -> Result<(), Refusal> {
        Ok(Self::answer_asker(self, gives).await?)
    }

    fn aims(&self) -> impl futures_util::Stream<Item = Aim> + Send + 'static {
        Self::aims(self)
    }

    fn typist(&self) -> impl Typist + 'static {
        Self::typist(self)
    }

    fn comes_back(&self) -> bool {
        Self::comes_back(self)
    }

    fn heartbeat(&self) {
        Self::heartbeat(self);
    }

    fn input<R>(&self, lease: Lease, weight: InputWeight, send: impl FnOnce() -> R) -> Result<R, Refusal> {
        let weight = match weight {
            InputWeight::Light => driver::InputWeight::Light,
            InputWeight::Counted => driver::InputWeight::Counts,
        };
        Ok(Self::input(self, lease, weight, send)?)
    }
}

impl Typist for driver::Typist {
    async fn compose(&self, lease: Lease, text: &str) -> bool {
        Self::compose(self, lease, text).await
    }

    async fn commit(&self, lease: Lease, text: &str) -> bool {
        Self::commit(self, lease, text).await
    }
}

impl From<driver::Refusal> for Refusal {
    fn from(refusal: driver::Refusal) -> Self {
        let code = match serde_json::to_value(refusal.code) {
            Ok(serde_json::Value::String(code)) => code,
            Ok(_) | Err(_) => "conflict".to_owned(),
        };
        Self::new(code, refusal.message)
    }
}
