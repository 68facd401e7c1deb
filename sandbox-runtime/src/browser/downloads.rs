//! Downloads as Chromium tells of them: moved into the workspace first, then told as finished to everyone who waits.

use std::sync::Arc;

use serde_json::{Value, json};

use super::clients::Clients;
use super::exchange::Exchange;
use super::pipe::{Pipe, Told};
use super::world::{DownloadState, World};

/// Handles the browser's words about downloads, in the pipe's reading task.
pub struct Downloads {
    pub world: Arc<World>,
    pub clients: Arc<Clients>,
    pub exchange: Arc<Exchange>,
}

const BEGAN: &str = "Browser.downloadWillBegin";
const MOVED: &str = "Browser.downloadProgress";

/// Returns how one browser context is told to download: into our folder, where no name can be too long or taken.
pub fn behavior(exchange: &Exchange, context: Option<&str>) -> Value {
    let mut behavior = json!({
        "behavior": "allowAndName", "downloadPath": exchange.downloads_seen(), "eventsEnabled": true,
    });
    if let Some(context) = context {
        behavior["browserContextId"] = json!(context);
    }
    behavior
}

/// Tells the browser how downloads of one more context are kept.
pub fn settle(pipe: &Pipe, exchange: &Exchange, context: &str) {
    pipe.note(None, "Browser.setDownloadBehavior", behavior(exchange, Some(context)));
}

impl Downloads {
    /// Handles an event if it is about a download; says whether it was. Never blocks.
    pub fn on_event(&self, told: Told<'_>) -> bool {
        let params = match told.method {
            BEGAN | MOVED => told.event().params,
            _ => return false,
        };
        let text = |key: &str| params[key].as_str().unwrap_or_default();
        let guid = text("guid").to_owned();
        match (told.method, text("state")) {
            (BEGAN, _) => {
                self.world.download_began(&params);
                self.clients.tell_download(BEGAN, &params, None);
            }
            (_, "completed") => self.completed(guid, text("filePath").to_owned(), params),
            (_, "canceled") => {
                self.clients.tell_download(MOVED, &params, None);
                self.cancelled(guid);
            }
            _ => self.clients.tell_download(MOVED, &params, None),
        }
        true
    }

    /// Chromium gives no cause, so the folder is tried.
    fn cancelled(&self, guid: String) {
        let (world, exchange) = (self.world.clone(), self.exchange.clone());
        // Ends by itself: writing one small file.
        tokio::task::spawn_blocking(move || {
            let cause = match exchange.try_downloads() {
                Ok(()) => "it was broken off, by the server, the page or a person".to_owned(),
                Err(error) => format!("the file cannot be written: {error}"),
            };
            world.download_ended(&guid, DownloadState::Failed(cause));
        });
    }

    fn completed(&self, guid: String, seen: String, params: Value) {
        // Chromium tells the end more than once.
        let Some(name) = self.world.begin_arrival(&guid) else { return };
        if let Some(path) = self.exchange.path_in_workspace(&seen) {
            self.arrived(&guid, Ok(path), params);
            return;
        }
        let (world, clients, exchange) = (self.world.clone(), self.clients.clone(), self.exchange.clone());
        // Ends by itself: moving one file.
        tokio::task::spawn_blocking(move || {
            let taken = exchange.take_in(&seen, &name).map_err(|error| error.to_string());
            Self { world, clients, exchange }.arrived(&guid, taken, params);
        });
    }

    fn arrived(&self, guid: &str, taken: Result<String, String>, mut params: Value) {
        match taken {
            Ok(path) => {
                self.clients.tell_download(MOVED, &params, Some((&self.exchange, &path)));
                self.world.download_ended(guid, DownloadState::Finished(path));
            }
            Err(cause) => {
                params["state"] = json!("canceled");
                self.clients.tell_download(MOVED, &params, None);
                self.world.download_ended(guid, DownloadState::Failed(cause));
            }
        }
    }
}
