//! The elements and tabs that an action used, by what lasts: how to do it again in another session.

use std::collections::BTreeMap;

use sandbox_core::action::{Action, Repeat, TabChoice, Target};

use crate::browser::locate::Located;

#[derive(Default)]
pub(super) struct Used {
    /// By reference.
    lasting: BTreeMap<String, Target>,
    secret: bool,
    /// Address of the tab that it chose.
    pub(super) tab: Option<String>,
}

impl Used {
    /// Whether what lasts is known of the element with this reference.
    pub(super) fn knows(&self, reference: &str) -> bool {
        self.lasting.contains_key(reference)
    }

    pub(super) fn note(&mut self, target: &Target, located: &Located, lasting: Option<Target>) {
        self.secret |= located.secret;
        if let (Some(reference), Some(lasting)) = (&target.reference, lasting) {
            self.lasting.insert(reference.clone(), lasting);
        }
    }

    pub(super) fn repeat(self, action: &Action) -> Repeat {
        let by_address = |choice: &TabChoice, url: String| TabChoice { id: None, url: Some(url), ..choice.clone() };
        let action = match (action, self.tab) {
            (Action::ActivateTab(choice), Some(url)) => Action::ActivateTab(by_address(choice, url)),
            (Action::CloseTab(choice), Some(url)) => Action::CloseTab(by_address(choice, url)),
            _ => action.with_lasting(&self.lasting),
        };
        Repeat { action, secret: self.secret }
    }
}
