//! Going on from what an earlier runtime kept: nothing that was begun is begun again unseen.

use sandbox_core::action::{Action, Navigate};
use sandbox_core::work::{Finish, Work};
use serde_json::Value;

use super::entry::Entry;
use super::fence::{Shown, Source};
use super::handled::Handled;
use super::tools::Call;
use super::{End, Following, ended};

const STARTED_ANEW: &str = "The runtime was stopped and started anew since your last step. The workspace and its files are as \
    they were. The browser was started anew: its pages and whatever was typed into them are gone, references are void, and you \
    may be signed out. Programs that ran are over. Look before you do anything again.";
const UNKNOWN: &str = "The runtime was stopped while this was under way. Whether it was done is not known: look for its effect \
    before you do it again.";
const NOT_BEGUN: &str = "Not begun: the runtime was stopped before.";

impl Following {
    /// Says what became of what the model wanted when its runtime died. Only a request for a person is made again.
    pub(super) async fn pick_up(&mut self) -> Result<(), End> {
        if self.conversation.turns() == 0 {
            return Ok(());
        }
        if let Some(finish) = self.finished() {
            return Err(ended(finish));
        }
        let address = self.last_address();
        for (at, (id, name, input)) in self.unsettled().into_iter().enumerate() {
            let call = Call::read(&name, &input);
            let handled = match &call {
                Ok(Call::Work(work @ Work::Handoff(_))) if at == 0 => self.ask_again(work, address.as_deref()).await?,
                _ if at == 0 => Handled::not_done(UNKNOWN),
                _ => Handled::not_done(NOT_BEGUN),
            };
            self.keep_did(&id, call.as_ref().ok(), &name, handled).await?;
        }
        let shown = address.map(|url| Shown::new(Source::Page, format!("the page that was open last: {url}")));
        self.tell(STARTED_ANEW, shown.into_iter().collect()).await
    }

    /// The page at which a person was asked is opened again for them, and they are asked as before.
    async fn ask_again(&mut self, work: &Work, address: Option<&str>) -> Result<Handled, End> {
        if let Some(url) = address.filter(|url| url.starts_with("http")) {
            // A page that does not come is the person's to see.
            self.hands.act(&Action::Navigate(Navigate::Url(url.to_owned()))).await?;
        }
        self.hands.work(work).await
    }

    /// Returns what the model wanted last and nothing is known of, in order.
    fn unsettled(&self) -> Vec<(String, String, Value)> {
        let entries = &self.conversation.entries;
        let last = entries.iter().rposition(|entry| matches!(entry, Entry::Said { .. }));
        let Some((Entry::Said { parts, .. }, since)) = last.and_then(|at| entries[at..].split_first()) else {
            return vec![];
        };
        let is_settled = |id: &str| since.iter().any(|entry| matches!(entry, Entry::Did(did) if did.call == id));
        let wanted = parts.iter().filter_map(|part| part.tool_use()).filter(|(id, ..)| !is_settled(id));
        wanted.map(|(id, name, input)| (id.to_owned(), name.to_owned(), input.clone())).collect()
    }

    /// Returns how the task ends, if ending it was all that was left to do.
    fn finished(&self) -> Option<Finish> {
        let last = self.conversation.entries.iter().rev().find_map(|entry| match entry {
            Entry::Said { parts, .. } => Some(parts),
            _ => None,
        })?;
        let (id, name, input) = last.iter().rev().find_map(|part| part.tool_use())?;
        let is_all = self.unsettled().iter().all(|(unsettled, ..)| unsettled == id);
        match Call::read(name, input) {
            Ok(Call::Work(Work::Done(finish))) if is_all => Some(finish),
            Ok(_) | Err(_) => None,
        }
    }

    fn last_address(&self) -> Option<String> {
        self.conversation.entries.iter().rev().find_map(|entry| match entry {
            Entry::Did(did) => did.url.clone(),
            _ => None,
        })
    }
}
