//! Files that a client gives to a page: named in the workspace, and opened there by the runtime.

use serde_json::Value;

use super::client::Client;
use crate::browser::pipe::Foreign;

impl Client {
    /// Replaces the files that a command names by what the browser may open.
    ///
    /// # Errors
    ///
    /// Why one of them cannot be given, in words.
    pub(super) async fn hand_out(&self, foreign: &mut Foreign) -> Result<(), String> {
        let pointer = match foreign.method.as_str() {
            "DOM.setFileInputFiles" => "/files",
            "Input.dispatchDragEvent" => "/data/files",
            _ => return Ok(()),
        };
        let mut params: Value = serde_json::from_str(&foreign.params).unwrap_or_default();
        let Some(files) = params.pointer_mut(pointer).and_then(Value::as_array_mut) else { return Ok(()) };
        let exchange = self.member.world.exchange().clone();
        let asked: Vec<String> = files.iter().map(|file| file.as_str().unwrap_or_default().to_owned()).collect();
        let opening = tokio::task::spawn_blocking(move || {
            let opened = asked.iter().map(|path| exchange.hand_out(path).map_err(|error| error.to_string()));
            opened.collect::<Result<Vec<String>, String>>()
        });
        let opened = opening.await.map_err(|error| error.to_string())??;
        *files = opened.into_iter().map(Value::String).collect();
        foreign.params = params.to_string();
        Ok(())
    }
}
