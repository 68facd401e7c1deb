//! Looking at the page: what it shows, in all its frames, as text with references.
//!
//! ```text
//! observe.js in each frame ─> nodes ─> one tree ─> outline ─> bounded text
//!                                       references ─┘  └─> changes since the latest look
//! ```
//!
//! Owns what was seen and named before. Leaves the words around the page to `sandbox_core::observation`.

mod changes;
mod outline;
pub(super) mod references;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use sandbox_core::observation::{Observation, Scrolled, SeenDialog, SeenTab, plain};
use serde::Deserialize;

use super::Shared;
use super::error::{ActionError, BrowserError};
use super::own_dialogs::OwnDialog;
use super::page::{Frame, Page, argument};
use super::pipe::Pass;
use super::tab::Tab;
use changes::Seen;
use outline::Node;
use references::References;
pub use references::{Place, Stale};

/// Characters of the page in a look that names no other number.
const CHARACTERS: usize = 12_000;
/// Lines that a search tells.
const FOUND_LINES: usize = 40;
/// Tabs whose latest look is remembered.
const TABS_REMEMBERED: usize = 32;

/// What is wanted of a look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Reference of the element whose inside is wanted; the page unless said.
    pub within: Option<String>,
    /// Only lines that contain these words.
    pub find: Option<String>,
    /// Characters of the page at most.
    pub max_chars: Option<usize>,
}

/// What was seen before, and the names that were given.
#[derive(Default)]
pub struct Looks {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    number: u64,
    references: References,
    /// By tab.
    seen: HashMap<String, Seen>,
    tabs: Option<HashSet<String>>,
}

/// What one document answers.
#[derive(Debug, Deserialize)]
struct Answer {
    document: String,
    found: bool,
    nodes: Vec<Node>,
    more: bool,
    url: String,
    title: String,
    scroll: ScrollAnswer,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScrollAnswer {
    x: i64,
    y: i64,
    width: i64,
    height: i64,
    view_width: i64,
    view_height: i64,
}

impl Looks {
    /// Begins anew: everything that was named is refused from now on. Returns the number of the look.
    pub fn begin_anew(&self) -> u64 {
        let mut kept = self.lock();
        kept.references.refuse_all();
        kept.seen.clear();
        kept.number += 1;
        kept.number
    }

    /// Returns the element that a reference means.
    pub fn place(&self, reference: &str) -> Result<Place, Stale> {
        self.lock().references.place(reference).cloned()
    }

    /// Returns how the element of a reference was told when it was last seen, such as `button "Save"`.
    pub fn words(&self, reference: &str) -> Option<String> {
        let number = reference.strip_prefix('e')?.parse().ok()?;
        self.lock().seen.values().find_map(|seen| seen.words_of(number))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Names are only ever added or forgotten as a whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at the active tab.
pub async fn observe(shared: &Shared, pass: Pass, look: &Look) -> Result<Observation, ActionError> {
    let (tab, tabs) = {
        let state = shared.world.state();
        let tab = state.active().cloned().ok_or(BrowserError::NoPage)?;
        let seen = |each: &Tab| SeenTab {
            id: each.id.clone(),
            url: each.told_url(),
            title: each.title.clone(),
            active: each.id == tab.id,
            new: false,
        };
        let tabs: Vec<SeenTab> = state.shown_tabs().map(seen).collect();
        (tab, tabs)
    };
    let tabs = shared.looks.with_new(tabs);
    let fence = fence();
    if let Some(dialog) = tab.dialog.clone() {
        let dialog = Some(SeenDialog { kind: dialog.kind, message: dialog.message });
        return Ok(Observation {
            url: tab.told_url(),
            title: tab.title,
            tabs,
            dialog,
            fence,
            ..Observation::default()
        });
    }
    let within = match &look.within {
        Some(reference) => Some(shared.named(reference)?),
        None => None,
    };
    let page = Page::active(&shared.pipe, &shared.world, pass)?;
    let frames = page.frames().await?;
    let answers = answers(&page, &frames, "baton.observe()").await?;
    let main = answers.first().and_then(Option::as_ref).ok_or(BrowserError::NoPage)?;
    let (main_document, url, title) = (main.document.clone(), main.url.clone(), main.title.clone());
    let ScrollAnswer { x, y, width, height, view_width, view_height } = main.scroll;
    let owners = owners(&page, &frames, &answers).await;
    let all_answered = answers.iter().all(Option::is_some);
    let documents: Vec<String> = answers.iter().flatten().map(|answer| answer.document.clone()).collect();
    let cut = answers.iter().flatten().any(|answer| answer.more);
    let mut nodes = Vec::new();
    match (&within, &look.within) {
        (Some(place), Some(reference)) => {
            let at = answers.iter().position(|answer| answer.as_ref().is_some_and(|a| a.document == place.document));
            let at = at.ok_or_else(|| ActionError::OldReference(reference.clone(), Stale::DocumentGone))?;
            let from = argument(&serde_json::json!({ "from": place.in_script() }));
            let part = page.ask(&frames[at], &format!("baton.observe({from})")).await?;
            let part: Answer = serde_json::from_value(part).map_err(not_understood)?;
            if !part.found {
                return Err(ActionError::OldReference(reference.clone(), Stale::ElementGone));
            }
            graft(Some(&part), at, 0, 0, &answers, &owners, &mut nodes);
        }
        _ => graft(answers[0].as_ref(), 0, 0, 0, &answers, &owners, &mut nodes),
    }

    let mut kept = shared.looks.lock();
    if all_answered {
        kept.references.shows(&tab.id, documents);
    }
    let mut lines = outline::outline(&nodes, &mut |place| kept.references.give(place));
    let mut changes = None;
    if look.within.is_none() && look.find.is_none() {
        let now = Seen::new(&main_document, &lines);
        changes = kept.seen.get(&tab.id).filter(|seen| seen.document == now.document).map(|seen| seen.changes_to(&now));
        if kept.seen.len() >= TABS_REMEMBERED {
            kept.seen.clear();
        }
        kept.seen.insert(tab.id.clone(), now);
    }
    let (mut tree, left_out) = match &look.find {
        Some(words) => {
            let total = lines.len();
            let (text, found) =
                outline::containing(&mut lines, words, FOUND_LINES, &mut |place| kept.references.give(place));
            match found {
                0 => (format!("no line of the page contains {:?}\n", plain(words)), total),
                found if found > FOUND_LINES => {
                    (format!("{text}… {} more lines contain it\n", found - FOUND_LINES), total)
                }
                _ => (text, total - found),
            }
        }
        None => outline::bounded(&lines, look.max_chars.unwrap_or(CHARACTERS).max(200)),
    };
    if cut {
        tree.push_str("… the page is too large to be told whole\n");
    }
    let scroll = Scrolled { x, y, width, height, view_width, view_height };
    let dialog = shared.world.state().own_dialog().map(own_dialog);
    Ok(Observation { url, title, tabs, dialog, scroll, tree, left_out, changes, fence })
}

fn own_dialog(dialog: &OwnDialog) -> SeenDialog {
    SeenDialog { kind: dialog.kind.name().to_owned(), message: dialog.message.clone() }
}

impl Looks {
    /// Marks the tabs that were not there at the latest look.
    fn with_new(&self, mut tabs: Vec<SeenTab>) -> Vec<SeenTab> {
        let now: HashSet<String> = tabs.iter().map(|tab| tab.id.clone()).collect();
        let before = self.lock().tabs.replace(now);
        if let Some(before) = before {
            tabs.iter_mut().for_each(|tab| tab.new = !before.contains(&tab.id));
        }
        tabs
    }
}

async fn answers(page: &Page<'_>, frames: &[Frame], question: &str) -> Result<Vec<Option<Answer>>, ActionError> {
    let answers = page.ask_all(frames, question).await?;
    let read = |answer| -> Result<Option<Answer>, ActionError> {
        let Some(answer) = answer else { return Ok(None) };
        Ok(Some(serde_json::from_value(answer).map_err(not_understood)?))
    };
    answers.into_iter().map(read).collect()
}

/// By frame: which frame holds it, and the number of its element there.
async fn owners(page: &Page<'_>, frames: &[Frame], answers: &[Option<Answer>]) -> Vec<Option<(usize, u64)>> {
    let found = frames.iter().zip(answers).map(|(frame, _)| async move {
        let (outer, number) = page.owner(frames, frame).await?;
        Some((outer, number))
    });
    join_all(found).await
}

/// Puts a document's nodes into the tree, and those of the frames in it where they stand.
fn graft(
    answer: Option<&Answer>,
    at: usize,
    depth: usize,
    whereabouts: i8,
    answers: &[Option<Answer>],
    owners: &[Option<(usize, u64)>],
    into: &mut Vec<Node>,
) {
    let Some(answer) = answer else {
        let text =
            Some("(this frame does not answer: a script in it does not end, or another page is awaited)".to_owned());
        into.push(Node { depth, text, begins: true, whereabouts, ..Node::default() });
        return;
    };
    let base = answer.nodes.first().map_or(0, |node| node.depth);
    for node in &answer.nodes {
        let mut node = node.clone();
        node.depth = node.depth - base.min(node.depth) + depth;
        node.document.clone_from(&answer.document);
        if whereabouts != 0 {
            node.whereabouts = whereabouts;
        }
        let frame = (node.role == "iframe")
            .then(|| owners.iter().position(|owner| *owner == Some((at, node.number))))
            .flatten();
        let (inner_depth, inner_whereabouts) = (node.depth + 1, node.whereabouts);
        into.push(node);
        if let Some(frame) = frame.filter(|frame| *frame != at) {
            graft(answers[frame].as_ref(), frame, inner_depth, inner_whereabouts, answers, owners, into);
        }
    }
}

fn not_understood(error: serde_json::Error) -> ActionError {
    let method = "look at the page".to_owned();
    ActionError::from(super::CallError::Reply { method, cause: error.to_string() })
}

/// Returns a mark that a page cannot know.
fn fence() -> String {
    let mut bytes = [0_u8; 6];
    getrandom::fill(&mut bytes).expect("the system's random source works, or nothing here is safe");
    sandbox_core::hexadecimal(&bytes)
}

impl Place {
    /// Returns the element's name as the page script reads it.
    pub fn in_script(&self) -> String {
        format!("{}:{}", self.document, self.number)
    }
}
