//! What came of an action: what was asked for, and what else came about.

use sandbox_core::action::{DialogRecord, Outcome};
use sandbox_core::model;
use sandbox_core::observation::Observation;
use serde_json::Value;

use crate::browser::Shared;
use crate::browser::error::ActionError;
use crate::browser::locate::Located;
use crate::browser::tab::Tab;

/// What a part of an action adds to its outcome.
#[derive(Default)]
pub(super) struct Done {
    pub(super) summary: String,
    pub(super) fitted: usize,
    pub(super) data: Option<Value>,
    pub(super) download: Option<String>,
    pub(super) screenshot: Option<Vec<u8>>,
    pub(super) observation: Option<Box<Observation>>,
    pub(super) dialogs: Vec<DialogRecord>,
}

/// What there was before an action, to tell what else it did than was asked.
pub(super) struct Before {
    /// Id, name.
    tabs: Vec<(String, String)>,
    /// Id, document and address of the tab in front.
    front: Option<(String, String, String)>,
    downloads: u64,
}

impl Done {
    pub(super) fn said(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    pub(super) fn at(located: &Located, summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), fitted: located.fitted, ..Self::default() }
    }
}

impl Before {
    pub(super) fn of(shared: &Shared) -> Self {
        let state = shared.world.state();
        Self {
            tabs: state.shown_tabs().map(|tab| (tab.id.clone(), tab_name(tab))).collect(),
            front: state.active().map(|tab| (tab.id.clone(), tab.loader.clone(), tab.told_url())),
            downloads: state.downloads_begun,
        }
    }

    /// Fails if what the action led to could not be opened: in the tab in front, or in a tab that opened.
    pub(super) fn check_opened(&self, shared: &Shared) -> Result<(), ActionError> {
        let state = shared.world.state();
        let is_new = |tab: &Tab| match &self.front {
            Some((id, loader, _)) if *id == tab.id => *loader != tab.loader,
            Some(_) | None => !self.tabs.iter().any(|(id, _)| *id == tab.id),
        };
        let failed = state.shown_tabs().filter(|tab| is_new(tab)).find_map(|tab| Some((tab, tab.failed.as_ref()?)));
        failed.map_or(Ok(()), |(tab, cause)| Err(ActionError::Navigation { url: tab.told_url(), cause: cause.clone() }))
    }

    /// Returns an outcome that holds only what came about beside what was asked.
    pub(super) fn differences(self, shared: &Shared) -> Outcome {
        let state = shared.world.state();
        let front = state.active().map(|tab| tab.id.clone());
        let new = |tab: &&Tab| !self.tabs.iter().any(|(id, _)| *id == tab.id);
        let left = self.front.filter(|(id, loader, _)| state.tab(id).is_some_and(|tab| tab.loader != *loader));
        let begun = usize::try_from(state.downloads_begun - self.downloads).unwrap_or_default();
        let first = state.downloads.len().saturating_sub(begun);
        Outcome {
            left: left.map(|(_, _, url)| url),
            tabs_opened: state.shown_tabs().filter(new).map(|tab| model_tab(tab, front.as_ref())).collect(),
            tabs_closed: self
                .tabs
                .into_iter()
                .filter(|(id, _)| state.tab(id).is_none())
                .map(|(_, name)| name)
                .collect(),
            downloads_begun: state.downloads[first..].iter().map(|download| download.name.clone()).collect(),
            ..Outcome::default()
        }
    }
}

pub(super) fn tab_name(tab: &Tab) -> String {
    if tab.title.is_empty() { tab.told_url() } else { tab.title.clone() }
}

pub(super) fn model_tab(tab: &Tab, front: Option<&String>) -> model::Tab {
    model::Tab { id: tab.id.clone(), url: tab.told_url(), title: tab.title.clone(), active: Some(&tab.id) == front }
}
