//! Files: those that a page gives, and those that it is given.

use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::dom::{BackendNodeId, SetFileInputFilesParams};
use sandbox_core::action::Target;
use serde_json::json;

use super::Doing;
use super::done::Done;
use crate::browser::Shared;
use crate::browser::error::ActionError;
use crate::browser::locate::Needs;
use crate::browser::tab::Tab;
use crate::browser::world::DownloadState;

/// How long a click may take to bring up a file chooser.
const CHOOSER: Duration = Duration::from_secs(3);

impl Doing<'_> {
    pub(super) async fn download(&self, target: &Target) -> Result<Done, ActionError> {
        let before = self.shared.downloads_begun();
        let loaders: Vec<String> = self.shared.world.state().tabs.iter().map(|tab| tab.loader.clone()).collect();
        let located = self.press_pointer(target, Needs::Click, 1).await?;
        let failed = |cause: &str| ActionError::Download { target: target.to_string(), cause: cause.to_owned() };
        let world = &self.shared.world;
        let begun = world.wait_until(|state| {
            let new = usize::try_from(state.downloads_begun - before).unwrap_or_default();
            let first = state.downloads.len().checked_sub(new)?;
            if let Some(download) = state.downloads.get(first) {
                return Some(Ok((download.guid.clone(), download.name.clone())));
            }
            let came = |tab: &&Tab| !loaders.contains(&tab.loader);
            state.shown_tabs().filter(came).find_map(|tab| tab.failed.clone()).map(Err)
        });
        let (guid, name) = match tokio::time::timeout(self.left(), begun).await {
            Ok(Ok(download)) => download,
            Ok(Err(cause)) => return Err(failed(&cause)),
            Err(_) => return Err(failed("none began")),
        };
        let ended = world.wait_until(|state| {
            let download = state.downloads.iter().find(|download| download.guid == guid)?;
            (download.state != DownloadState::Running).then(|| download.state.clone())
        });
        match tokio::time::timeout(self.left(), ended).await {
            Ok(DownloadState::Finished(path)) => {
                let summary = format!("downloaded {path}");
                Ok(Done { summary, fitted: located.fitted, download: Some(path), ..Done::default() })
            }
            Ok(DownloadState::Failed(cause)) => Err(failed(&cause)),
            Ok(DownloadState::Running) | Err(_) => Err(failed(&format!("{name} is still coming"))),
        }
    }

    pub(super) async fn upload(&self, target: &Target, path: &str) -> Result<Done, ActionError> {
        let file = self.shared.hand_out(path).await?;
        let located = self.locate(target, Needs::Presence).await?;
        let page = self.page()?;
        let done = Done::at(&located, format!("gave {path} to {target}"));
        let input = page.object(&located.frame, &format!("baton.fileInput({})", located.handle)).await?;
        if let Some(object_id) = input {
            let params = SetFileInputFilesParams {
                object_id: Some(object_id.into()),
                ..SetFileInputFilesParams::new(vec![file])
            };
            self.shared.pipe.command(&self.pass(), Some(&located.frame.session), params).await?;
            return Ok(done);
        }
        // A button that brings up a file chooser: its chooser is answered in place of being shown.
        let session = page.tab.session.clone();
        self.shared.world.state().chooser = None;
        page.call("Page.setInterceptFileChooserDialog", json!({ "enabled": true })).await?;
        let _restore = ChooserRestore { shared: self.shared, session };
        self.press_pointer(target, Needs::Click, 1).await?;
        let chooser = self.shared.world.wait_until(|state| state.chooser.take());
        let Ok(chooser) = tokio::time::timeout(self.left().min(CHOOSER), chooser).await else {
            let why = "it is not a file field, and clicking it asks for no file".to_owned();
            return Err(ActionError::NotReady { target: target.to_string(), why });
        };
        let node = Some(BackendNodeId::new(chooser.backend_node));
        let params = SetFileInputFilesParams { backend_node_id: node, ..SetFileInputFilesParams::new(vec![file]) };
        self.shared.pipe.command(&self.pass(), Some(&chooser.session), params).await?;
        Ok(done)
    }
}

/// Gives file choosers back to the person, however the upload ended.
struct ChooserRestore<'a> {
    shared: &'a Shared,
    session: String,
}

impl Drop for ChooserRestore<'_> {
    fn drop(&mut self) {
        self.shared.pipe.note(Some(&self.session), "Page.setInterceptFileChooserDialog", json!({ "enabled": false }));
    }
}
