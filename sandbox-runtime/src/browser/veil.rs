//! Decides what programs may read of documents in which a person typed.
//!
//! A document is closed from the first letter that a person types in it, until it is gone, or every such field is gone or
//! empty, or the person opens it at the hand-back. The page script knows the fields, in an isolated world that no client
//! reaches; [`Documents`](super::documents::Documents) knows the documents, in the runtime.
//! Our own agent sees such a page with those fields masked, because the page script writes what the agent sees. A client of the
//! debugging protocol could ask anything, so its commands fail with `veiled`.

use std::time::Duration;

use serde_json::{Value, json};

use super::address::without_values;
use super::documents::Typed;
use super::page::Page;
use super::pipe::{Pass, Pipe};
use super::tab::Tab;
use super::world::{State, World};

/// The error's word in the contract, and the sentence behind it.
pub const VEILED: &str = "veiled";
pub const WHY: &str = "a person typed in this document; it is closed to programs until it or those fields are gone, \
                       or the person lets programs read it at the hand-back";
/// How long a look at the fields may hold up a command: a page that hangs stays closed.
const LOOK_DEADLINE: Duration = Duration::from_secs(2);

/// What a command reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing of a document.
    Nothing,
    /// The script world that it names, or the main one.
    World,
    /// The documents of its session.
    Documents,
    /// The whole tab, frames of other processes among it.
    Tab,
    /// A picture of the tab: taken with the fields covered.
    Picture,
    /// The memory of the browser's processes: any document.
    Memory,
}

/// Methods by their whole name. A method that no rule covers counts as reading documents.
const NAMED: &[(&[&str], Reading)] = &[
    (
        &[
            "Debugger.evaluateOnCallFrame",
            "Runtime.awaitPromise",
            "Runtime.callFunctionOn",
            "Runtime.compileScript",
            "Runtime.evaluate",
            "Runtime.getExceptionDetails",
            "Runtime.getProperties",
            "Runtime.globalLexicalScopeNames",
            "Runtime.queryObjects",
            "Runtime.runScript",
        ],
        Reading::World,
    ),
    (&["Page.captureScreenshot"], Reading::Picture),
    (
        &["Page.captureSnapshot", "Page.getAnnotatedPageContent", "Page.printToPDF", "Page.startScreencast"],
        Reading::Tab,
    ),
    (
        &[
            "HeapProfiler.addInspectedHeapObject",
            "HeapProfiler.getHeapObjectId",
            "HeapProfiler.getObjectByHeapObjectId",
            "HeapProfiler.startTrackingHeapObjects",
            "HeapProfiler.stopTrackingHeapObjects",
            "HeapProfiler.takeHeapSnapshot",
            "Tracing.requestMemoryDump",
            "Tracing.start",
        ],
        Reading::Memory,
    ),
    (
        &[
            "DOM.discardSearchResults",
            "DOM.focus",
            "DOM.getBoxModel",
            "DOM.getContentQuads",
            "DOM.getFrameOwner",
            "DOM.scrollIntoViewIfNeeded",
            "DOM.setFileInputFiles",
            "Debugger.resume",
            "Overlay.hideHighlight",
            "Page.bringToFront",
            "Page.close",
            "Page.createIsolatedWorld",
            "Page.getFrameTree",
            "Page.getLayoutMetrics",
            "Page.getNavigationHistory",
            "Page.handleJavaScriptDialog",
            "Page.navigate",
            "Page.navigateToHistoryEntry",
            "Page.reload",
            "Page.resetNavigationHistory",
            "Page.screencastFrameAck",
            "Page.stopLoading",
            "Page.stopScreencast",
            "Runtime.addBinding",
            "Runtime.discardConsoleEntries",
            "Runtime.getHeapUsage",
            "Runtime.getIsolateId",
            "Runtime.releaseObject",
            "Runtime.releaseObjectGroup",
            "Runtime.removeBinding",
            "Runtime.runIfWaitingForDebugger",
            "Runtime.terminateExecution",
            "Tracing.end",
            "Tracing.getCategories",
        ],
        Reading::Nothing,
    ),
    // Named like settings, but they run code in the page or change it.
    (&["Debugger.setReturnValue", "Debugger.setScriptSource", "Debugger.setVariableValue"], Reading::Documents),
    (&["Page.setDocumentContent"], Reading::Documents),
];

/// Domains that read nothing of a document. Requests of `Network` and `Fetch` are checked one by one.
const APART: &[&str] = &[
    "Browser",
    "Emulation",
    "Fetch",
    "IO",
    "Input",
    "Memory",
    "Network",
    "Performance",
    "Schema",
    "Security",
    "ServiceWorker",
    "Storage",
    "SystemInfo",
    "Target",
    "WebAuthn",
];

/// Domains of which only settings pass.
const SETTLING: &[&str] = &["Debugger", "Overlay", "Page", "Runtime"];
/// How names of settings begin. Breakpoints are left out: their condition runs in the page.
const SETTINGS: &[&str] = &["add", "clear", "remove", "set"];

/// Returns what a method reads.
pub fn reading(method: &str) -> Reading {
    if let Some((_, reading)) = NAMED.iter().find(|(names, _)| names.contains(&method)) {
        return *reading;
    }
    let Some((domain, name)) = method.split_once('.') else { return Reading::Documents };
    let is_setting = || {
        SETTINGS.iter().any(|word| name.starts_with(word)) && !name.contains("reakpoint") && SETTLING.contains(&domain)
    };
    let is_switch = matches!(name, "enable" | "disable");
    if APART.contains(&domain) || is_switch || is_setting() || method.starts_with("Debugger.removeBreakpoint") {
        return Reading::Nothing;
    }
    Reading::Documents
}

/// Where a command is about to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Worlds of one of the runtime's own sessions, by frame and origin. A world can get access to all documents of its
    /// process, and worlds of one site may share a process.
    Worlds {
        tab: String,
        session: String,
        worlds: Vec<(String, String)>,
    },
    /// The documents of one of the runtime's own sessions.
    Session(String),
    Tab(String),
    Browser,
}

/// Returns the closed documents at a place, and those that can be reached from it.
pub fn closed(state: &State, place: &Place) -> Vec<Typed> {
    let typed = state.documents.typed();
    let is_at = |typed: &&Typed| match place {
        Place::Worlds { tab, session, worlds } => {
            let is_near = state.targets.are_related(tab, &typed.tab);
            let reaches = |(frame, origin): &(String, String)| {
                *frame == typed.document.frame || typed.origin.is_empty() || site(origin) == site(&typed.origin)
            };
            state.documents.session_of(typed) == *session || (is_near && worlds.iter().any(reaches))
        }
        Place::Session(session) => state.documents.session_of(typed) == *session,
        Place::Tab(tab) => typed.tab == *tab,
        Place::Browser => true,
    };
    typed.filter(is_at).cloned().collect()
}

/// Returns what all documents of one process share: the scheme, and the last two parts of the host name.
fn site(origin: &str) -> (&str, &str) {
    let (scheme, host) = origin.split_once("://").unwrap_or((origin, ""));
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let is_name = !host.starts_with('[') && !host.ends_with(|last: char| last.is_ascii_digit());
    let parent = host.rmatch_indices('.').nth(1).filter(|_| is_name).map_or(host, |(at, _)| &host[at + 1..]);
    (scheme, parent)
}

/// Opens those documents that no longer hold what a person typed. Returns whether all are open.
pub async fn look_again(pipe: &Pipe, world: &World, documents: &[Typed]) -> bool {
    for typed in documents {
        let tab = world.state().tab(&typed.tab).cloned();
        let Some(tab) = tab else { continue };
        let holds = tokio::time::timeout(LOOK_DEADLINE, holds(pipe, world, tab, &typed.document.frame)).await;
        // A page that cannot be asked counts as holding it.
        if holds.ok().flatten() != Some(false) {
            return false;
        }
        open(pipe, world, typed);
    }
    true
}

/// Opens a document, after discarding what it wrote to the console.
fn open(pipe: &Pipe, world: &World, typed: &Typed) {
    let session = world.state().documents.session_of(typed);
    pipe.note(Some(&session), "Runtime.discardConsoleEntries", json!({}));
    pipe.note(Some(&session), "Log.clear", json!({}));
    world.state().documents.opened(typed);
}

async fn holds(pipe: &Pipe, world: &World, tab: Tab, frame: &str) -> Option<bool> {
    if tab.dialog.is_some() || tab.crashed {
        return None;
    }
    let page = Page::of(pipe, world, tab, Pass::Bookkeeping);
    let frames = page.frames().await.ok()?;
    let frame = frames.iter().find(|one| one.id == frame)?;
    page.ask(frame, "baton.holdsTyped()").await.ok()?.as_bool()
}

/// Returns the names of the fields that still hold what a person typed, and opens documents that have none.
pub async fn fields(pipe: &Pipe, world: &World) -> Vec<String> {
    let typed: Vec<Typed> = world.state().documents.typed().cloned().collect();
    let mut names: Vec<String> = Vec::new();
    for typed in typed {
        let tab = world.state().tab(&typed.tab).cloned();
        let Some(tab) = tab else { continue };
        let told = async {
            let page = Page::of(pipe, world, tab, Pass::Bookkeeping);
            let frames = page.frames().await.ok()?;
            let frame = frames.iter().find(|one| one.id == typed.document.frame)?;
            page.ask(frame, "baton.typedNames()").await.ok()
        };
        let told = tokio::time::timeout(LOOK_DEADLINE, told).await.ok().flatten();
        let Some(Value::Array(told)) = told else {
            names.push("a field".to_owned());
            continue;
        };
        if told.is_empty() {
            open(pipe, world, &typed);
        }
        names.extend(told.iter().filter_map(Value::as_str).map(str::to_owned));
    }
    names.dedup();
    names
}

/// Asks the page script of every closed document.
pub async fn tell(pipe: &Pipe, world: &World, expression: &str) {
    let typed: Vec<Typed> = world.state().documents.typed().cloned().collect();
    for typed in typed {
        let tab = world.state().tab(&typed.tab).cloned();
        let Some(tab) = tab else { continue };
        let page = Page::of(pipe, world, tab, Pass::Bookkeeping);
        let told = async {
            let frames = page.frames().await.ok()?;
            // Frames of one origin share what they know of each other's fields.
            page.ask_all(&frames, expression).await.ok()
        };
        // A page that hangs stays closed, and is named in the receipt.
        let _ = tokio::time::timeout(LOOK_DEADLINE, told).await;
    }
}

/// Removes values from the addresses of closed documents, anywhere in an answer or event.
pub fn without_typed(state: &State, told: &mut Value) {
    match told {
        Value::Array(items) => items.iter_mut().for_each(|item| without_typed(state, item)),
        Value::Object(fields) => {
            let named = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let ids = [named("id"), named("targetId"), named("frameId")];
            // The `tab` target around a page has its own id: while any page is closed, each of them is cut to its place.
            let is_tab = named("type") == "tab" && state.documents.typed().next().is_some();
            let in_tab = |id: &String| state.documents.typed().any(|typed| typed.tab == *id);
            if is_tab || ids.iter().any(|id| state.documents.is_typed(id) || in_tab(id)) {
                for key in ["url", "urlFragment", "title"] {
                    if let Some(Value::String(text)) = fields.get_mut(key) {
                        *text = if key == "url" { without_values(text) } else { String::new() };
                    }
                }
            }
            fields.values_mut().for_each(|field| without_typed(state, field));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_the_end_of_a_name() {
        let check = |one: &str, other: &str, same: bool| assert_eq!(site(one) == site(other), same, "{one} {other}");
        check("http://a.example", "http://a.example:8080", true);
        check("https://a.b.example", "https://c.b.example", true);
        check("https://a.example", "http://a.example", false);
        check("https://a.example", "https://b.test", false);
        check("http://127.0.0.1:80", "http://127.0.0.1:81", true);
        check("http://127.0.0.1", "http://10.0.0.1", false);
        check("http://localhost", "http://127.0.0.1", false);
        check("", "http://127.0.0.1", false);
    }

    #[test]
    fn what_reads_is_told_by_its_name() {
        let check = |wanted: Reading, methods: &[&str]| {
            for method in methods {
                assert_eq!(reading(method), wanted, "{method}");
            }
        };
        check(Reading::World, &["Runtime.evaluate", "Runtime.callFunctionOn", "Runtime.getProperties"]);
        check(Reading::Picture, &["Page.captureScreenshot"]);
        check(Reading::Tab, &["Page.captureSnapshot", "Page.printToPDF"]);
        check(Reading::Memory, &["HeapProfiler.takeHeapSnapshot", "Tracing.start"]);
        check(
            Reading::Documents,
            &[
                "Accessibility.getFullAXTree",
                "CSS.getComputedStyleForNode",
                "DOM.getDocument",
                "DOM.getOuterHTML",
                "DOM.setAttributeValue",
                "DOMSnapshot.captureSnapshot",
                "DOMStorage.getDOMStorageItems",
                "Debugger.setBreakpointByUrl",
                "Debugger.setScriptSource",
                "IndexedDB.requestData",
                "LayerTree.makeSnapshot",
                "Page.getResourceContent",
                "Page.searchInResource",
                "Page.setDocumentContent",
                "Novelty.readsAll",
                "nonsense",
            ],
        );
        check(
            Reading::Nothing,
            &[
                "DOM.enable",
                "DOM.scrollIntoViewIfNeeded",
                "Debugger.removeBreakpoint",
                "Emulation.setDeviceMetricsOverride",
                "Input.dispatchKeyEvent",
                "Network.getCookies",
                "Page.addScriptToEvaluateOnNewDocument",
                "Page.navigate",
                "Runtime.setAsyncCallStackDepth",
                "Target.createTarget",
            ],
        );
    }
}
