//! What can be done in the browser, as data: the playbook's vocabulary, the tools' arguments, and what comes of it.
//!
//! An action is a map with one key, its name: `click: { role: link, name: Invoices }`. Every action takes `timeoutMs`.
//! Owns the words and how a target is said in a sentence; leaves finding and doing to the browser.

mod kind;
mod tools;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use kind::ActionKind;
pub use tools::{Tool, tools_of};

use crate::CredentialId;
use crate::model::{Tab, wire};
use crate::observation::Observation;

/// How long an action waits for its target unless it says otherwise.
pub const DEFAULT_TIMEOUT_MS: u64 = 10_000;
/// How long a sign-in may take unless it says otherwise: several pages, and perhaps the wait for a new code.
const SIGN_IN_TIMEOUT_MS: u64 = 45_000;

wire! {
    /// The element that an action targets. Every field that is set must match.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct Target {
        /// Accessible role, such as `button`, `link`, `textbox`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub role: Option<String>,
        /// Accessible name. An exact match is preferred; a partial match is enough. Case is ignored.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        /// Label of a form field.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub label: Option<String>,
        /// Visible text.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub text: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub placeholder: Option<String>,
        /// Value of `data-testid`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub test_id: Option<String>,
        /// CSS selector.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub selector: Option<String>,
        /// Reference from the latest look. References from earlier looks are refused.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        pub reference: Option<String>,
    }

    /// How to answer a `confirm` or `prompt` dialog that the action opens. Default: dismiss.
    #[derive(Copy, Eq)]
    pub enum DialogAnswer {
        Accept,
        Dismiss,
    }
}

/// Makes structs that say their target in their own map, beside their other fields.
/// Flattening would do the same, but lets a misspelt key pass in silence.
macro_rules! at_target {
    ($($(#[$meta:meta])* struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {$(
        wire! {
            $(#[$meta])*
            #[derive(Default, Eq)]
            #[serde(default, deny_unknown_fields)]
            pub struct $name {
                /// Reference from the latest look, such as `e12`. This is the most reliable way to name an element.
                #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
                pub reference: Option<String>,
                /// Accessible role, such as `button`.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub role: Option<String>,
                /// Accessible name, or a part of it.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub name: Option<String>,
                /// Label of a form field.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub label: Option<String>,
                #[serde(skip_serializing_if = "Option::is_none")]
                pub placeholder: Option<String>,
                /// Value of `data-testid`.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub test_id: Option<String>,
                /// CSS selector.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub selector: Option<String>,
                $($(#[$field_meta])* pub $field: $type,)*
                /// How long to wait for the element, in milliseconds. Default 10000.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub timeout_ms: Option<u64>,
            }
        }

        impl $name {
            fn target_without_text(&self) -> Target {
                Target {
                    role: self.role.clone(),
                    name: self.name.clone(),
                    label: self.label.clone(),
                    text: None,
                    placeholder: self.placeholder.clone(),
                    test_id: self.test_id.clone(),
                    selector: self.selector.clone(),
                    reference: self.reference.clone(),
                }
            }
        }
    )*};
}

at_target! {
    /// Arguments of `click` and `doubleClick`.
    struct Click {
        /// Visible text of the element.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// How to answer the `confirm` or `prompt` dialogs that the click opens, also late or several in a row. Default: dismiss.
        #[serde(skip_serializing_if = "Option::is_none")]
        dialog: Option<DialogAnswer>,
        /// Text to enter when a `prompt` dialog is accepted.
        #[serde(skip_serializing_if = "Option::is_none")]
        prompt_text: Option<String>,
    }

    /// Arguments of `hover`.
    struct Hover {
        /// Visible text of the element.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    }

    /// Arguments of `type`. `text` replaces the field's content.
    struct Type {
        /// The new content of the field. Empty clears it.
        text: String,
    }

    /// Arguments of `select`: the option whose value or label is `value`.
    struct Select {
        /// Value or label of the option.
        value: String,
    }

    /// Arguments of `scroll`. With a target and no distance, scrolls the target into view; with a distance, scrolls the target.
    /// Without a target, scrolls the page.
    struct Scroll {
        /// Visible text of the element.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Distance to the right, in CSS pixels.
        #[serde(skip_serializing_if = "Option::is_none")]
        dx: Option<i32>,
        /// Distance down, in CSS pixels.
        #[serde(skip_serializing_if = "Option::is_none")]
        dy: Option<i32>,
        /// Scroll to the top or the bottom.
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<ScrollEnd>,
    }

    /// Arguments of `waitFor` and `expect`: an element is visible, and the address matches.
    struct Condition {
        /// Visible text.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Set to true to wait until no such element is visible.
        #[serde(skip_serializing_if = "Option::is_none")]
        gone: Option<bool>,
        /// Address pattern. `*` matches within one path segment, `**` across segments.
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    }

    /// Arguments of `upload`: `path` is a file of the workspace.
    struct Upload {
        /// Path in the workspace.
        path: String,
    }
}

wire! {
    /// Arguments of an action that needs none.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct Plain {
        /// Time limit in milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    #[derive(Copy, Eq)]
    pub enum ScrollEnd {
        Top,
        Bottom,
    }

    /// Arguments of `press`: one key, with its modifiers first, such as `Enter` or `Control+A`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct PressKey {
        /// A key, with its modifiers first, such as `Enter` or `Control+A`.
        pub key: String,
        /// Element that receives the key. Default: the focused element.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on: Option<Target>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `extract`: the visible content of elements as JSON. A table becomes rows, a list becomes items.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Extract {
        /// CSS selector of the elements to read.
        pub selector: String,
        /// Workspace path for the JSON file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub to: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `download`: the element to click to start it.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Download {
        /// Element to click.
        pub click: Target,
        /// Workspace path to move the file to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub to: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `activateTab` and `closeTab`: one of `id` and `url`.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct TabChoice {
        /// Id of the tab, as listed by `tabs` and by every look.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub id: Option<String>,
        /// Address pattern of the tab; the first that matches is taken. `*` matches within one path segment, `**` across segments.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `newTab`. The new tab becomes the active tab.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct NewTab {
        /// Address to open. Opens a blank page if omitted.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `dialog`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct DialogReply {
        /// What it is answered.
        pub answer: DialogAnswer,
        /// What to type into a `prompt` that is accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub prompt_text: Option<String>,
        /// How long to wait for a dialog, in milliseconds. Default 10000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `signIn`, all optional. The vault's entry is chosen by the page's own origin.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct SignIn {
        /// Site of the entry, such as `portal.example`. Default: the page's. Nothing is filled in on a page of another site.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub site: Option<String>,
        /// User name, if the vault has several for the site.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub username: Option<String>,
        /// Time limit in milliseconds. Default 45000.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
        /// The entry that a person agreed to, if its rule is `ask`; never read from a request.
        #[serde(skip)]
        pub agreed: Option<CredentialId>,
    }

    /// Arguments of `drag`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Drag {
        /// Element to drag.
        pub from: Target,
        /// Element to drop it on.
        pub to: Target,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `look`, all optional.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct Look {
        /// Reference of an element to show in full. Default: the page.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        pub reference: Option<String>,
        /// Maximum number of characters. Default 12000.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub max_chars: Option<usize>,
        /// Also return a screenshot.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub screenshot: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `find`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Find {
        /// Text to search for in text, names and values. Case is ignored.
        pub text: String,
        /// Reference of an element to search in. Default: the whole page.
        #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
        pub reference: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Address {
        /// The address. `https://` is added if it has no scheme.
        pub url: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Every action in the browser.
    #[derive(Eq)]
    pub enum Action {
        /// Opens an address in the active tab and waits until the page is ready.
        Navigate(Navigate),
        /// Goes one page back in the active tab.
        Back(Plain),
        /// Goes one page forward in the active tab.
        Forward(Plain),
        /// Reloads the page.
        Reload(Plain),
        /// Clicks an element. Waits until it is visible, stable, enabled and not covered.
        Click(Click),
        /// Clicks an element twice.
        DoubleClick(Click),
        /// Moves the pointer to an element without clicking.
        Hover(Hover),
        /// Drags one element to another with the pointer.
        Drag(Box<Drag>),
        /// Replaces the content of a field with text.
        Type(Type),
        /// Presses one key, optionally with modifiers.
        Press(Press),
        /// Selects an option of a list.
        Select(Select),
        /// Scrolls an element into view, or scrolls an element or the page.
        Scroll(Scroll),
        /// Waits until an element is visible or gone, or until the address matches.
        WaitFor(Condition),
        /// Fails unless an element is visible or gone, or unless the address matches.
        Expect(Condition),
        /// Reads elements as JSON. A table becomes rows, a list becomes items, a field becomes its value.
        Extract(Extract),
        /// Clicks an element that starts a download, and waits until the file is in the workspace.
        Download(Download),
        /// Uploads a workspace file through a file field, or through the button that opens a file chooser.
        Upload(Upload),
        /// Fills in and sends the sign-in form of the page with the user name, password and one-time code from the person's
        /// vault. You do not see them. Fails if the vault has none for this exact site.
        SignIn(SignIn),
        /// Lists the open tabs.
        Tabs(Plain),
        /// Opens a new tab and makes it the active tab.
        NewTab(NewTab),
        /// Makes a tab the active tab.
        ActivateTab(TabChoice),
        /// Closes a tab.
        CloseTab(TabChoice),
        /// Answers the open dialog (alert, confirm, prompt, beforeunload). Waits for it if needed.
        Dialog(AnswerDialog),
        /// Takes a screenshot of the visible part of the page.
        Screenshot(Plain),
        /// Returns the content of the page, with a reference for each element that can be used.
        Look(Look),
        /// Finds text anywhere in the page, also outside the visible part. Returns references.
        Find(Find),
    }

    /// A dialog that opened during an action, and how it was answered.
    #[derive(Eq)]
    pub struct DialogRecord {
        /// `alert`, `confirm`, `prompt` or `beforeunload`; or a kind of the browser's own dialogs, such as `passkey`.
        pub kind: String,
        pub message: String,
        pub accepted: bool,
    }

    /// The result of an action.
    #[derive(Default)]
    pub struct Outcome {
        /// One sentence.
        pub summary: String,
        /// Address and title of the active page afterwards.
        pub url: String,
        pub title: String,
        /// How many elements matched the target, if more than one. The first was used.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub fitted: Option<usize>,
        /// The data that `extract` read.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub data: Option<serde_json::Value>,
        /// Workspace path of the downloaded file.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub download: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub dialogs: Vec<DialogRecord>,
        /// Previous address, if the page changed.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub left: Option<String>,
        /// Tabs and popups that opened.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub tabs_opened: Vec<Tab>,
        /// Names of the tabs that closed.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub tabs_closed: Vec<String>,
        /// Names of files whose download started.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub downloads_begun: Vec<String>,
        /// The result of `look` or `find`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub observation: Option<Box<Observation>>,
        /// PNG of `screenshot`, or of a `look` that wanted one; never part of the JSON.
        #[serde(skip)]
        pub screenshot: Option<Vec<u8>>,
        /// How to do it again; never part of the JSON.
        #[serde(skip)]
        pub repeat: Option<Box<Repeat>>,
    }
}

/// An action as it can be done again in another session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// References are replaced by lasting targets: role and name, label or selector.
    pub action: Action,
    /// It used a field for a password, a code or a card.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// Arguments of `navigate`: the address alone, or with options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Navigate {
    Url(String),
    With(Address),
}

/// Arguments of `press`: the key alone, or with options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Press {
    Key(String),
    With(Box<PressKey>),
}

/// Arguments of `dialog`: the answer alone, or with options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum AnswerDialog {
    Just(DialogAnswer),
    With(DialogReply),
}

impl AnswerDialog {
    pub fn answer(&self) -> DialogAnswer {
        match self {
            Self::Just(answer) => *answer,
            Self::With(reply) => reply.answer,
        }
    }

    pub fn prompt_text(&self) -> Option<&str> {
        match self {
            Self::Just(_) => None,
            Self::With(reply) => reply.prompt_text.as_deref(),
        }
    }
}

impl TabChoice {
    pub fn of(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }
}

impl Navigate {
    pub fn url(&self) -> &str {
        match self {
            Self::Url(url) => url,
            Self::With(address) => &address.url,
        }
    }
}

impl Press {
    pub fn key(&self) -> &str {
        match self {
            Self::Key(key) => key,
            Self::With(press) => &press.key,
        }
    }
}

impl Action {
    /// Returns the name as a playbook writes it.
    pub fn name(&self) -> &'static str {
        self.kind().name
    }

    /// Returns the element that the action aims at, if it aims at one.
    pub fn target(&self) -> Option<Target> {
        let target = match self {
            Self::Click(click) | Self::DoubleClick(click) => {
                Target { text: click.text.clone(), ..click.target_without_text() }
            }
            Self::Hover(hover) => Target { text: hover.text.clone(), ..hover.target_without_text() },
            Self::Drag(drag) => drag.from.clone(),
            Self::Type(typing) => typing.target_without_text(),
            Self::Press(Press::With(press)) => press.on.clone().unwrap_or_default(),
            Self::Select(select) => select.target_without_text(),
            Self::Scroll(scroll) => Target { text: scroll.text.clone(), ..scroll.target_without_text() },
            Self::WaitFor(condition) | Self::Expect(condition) => {
                Target { text: condition.text.clone(), ..condition.target_without_text() }
            }
            Self::Extract(extract) => Target { selector: Some(extract.selector.clone()), ..Target::default() },
            Self::Download(download) => download.click.clone(),
            Self::Upload(upload) => upload.target_without_text(),
            Self::Press(Press::Key(_))
            | Self::Navigate(_)
            | Self::Back(_)
            | Self::Forward(_)
            | Self::Reload(_)
            | Self::SignIn(_)
            | Self::Tabs(_)
            | Self::NewTab(_)
            | Self::ActivateTab(_)
            | Self::CloseTab(_)
            | Self::Dialog(_)
            | Self::Screenshot(_)
            | Self::Look(_)
            | Self::Find(_) => return None,
        };
        (!target.is_empty()).then_some(target)
    }

    /// Returns the action with each of its references replaced by the target that lasts. One without such a target stays.
    #[must_use]
    pub fn with_lasting(&self, lasting: &BTreeMap<String, Target>) -> Self {
        if lasting.is_empty() {
            return self.clone();
        }
        let mut written = serde_json::to_value(self).unwrap_or_default();
        replace_references(&mut written, lasting);
        // Should a target not fit the action, that one stays as it was written.
        serde_json::from_value(written).unwrap_or_else(|_| self.clone())
    }

    /// Returns how long the action may take, if it says so.
    pub fn timeout_ms(&self) -> Option<u64> {
        match self {
            Self::Navigate(Navigate::Url(_)) | Self::Press(Press::Key(_)) | Self::Dialog(AnswerDialog::Just(_)) => None,
            Self::Dialog(AnswerDialog::With(reply)) => reply.timeout_ms,
            Self::Navigate(Navigate::With(address)) => address.timeout_ms,
            Self::Back(plain)
            | Self::Forward(plain)
            | Self::Reload(plain)
            | Self::Tabs(plain)
            | Self::Screenshot(plain) => plain.timeout_ms,
            Self::Click(click) | Self::DoubleClick(click) => click.timeout_ms,
            Self::Hover(hover) => hover.timeout_ms,
            Self::Drag(drag) => drag.timeout_ms,
            Self::Type(typing) => typing.timeout_ms,
            Self::Press(Press::With(press)) => press.timeout_ms,
            Self::Select(select) => select.timeout_ms,
            Self::Scroll(scroll) => scroll.timeout_ms,
            Self::WaitFor(condition) | Self::Expect(condition) => condition.timeout_ms,
            Self::Extract(extract) => extract.timeout_ms,
            Self::Download(download) => download.timeout_ms,
            Self::Upload(upload) => upload.timeout_ms,
            Self::SignIn(wanted) => Some(wanted.timeout_ms.unwrap_or(SIGN_IN_TIMEOUT_MS)),
            Self::NewTab(tab) => tab.timeout_ms,
            Self::ActivateTab(tab) | Self::CloseTab(tab) => tab.timeout_ms,
            Self::Look(look) => look.timeout_ms,
            Self::Find(find) => find.timeout_ms,
        }
    }
}

/// Replaces the target of every object that has a reference.
fn replace_references(written: &mut Value, lasting: &BTreeMap<String, Target>) {
    let Some(fields) = written.as_object_mut() else { return };
    let target = fields.get("ref").and_then(Value::as_str).and_then(|reference| lasting.get(reference));
    if let Some(Value::Object(target)) = target.and_then(|target| serde_json::to_value(target).ok()) {
        for replaced in ["ref", "role", "name", "label", "placeholder", "testId", "selector"] {
            fields.remove(replaced);
        }
        fields.extend(target);
    }
    fields.values_mut().for_each(|inner| replace_references(inner, lasting));
}

impl Target {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Says the target in words: `button "Download"`, `field labelled "Note"`.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        match (&self.role, &self.name) {
            (Some(role), Some(name)) => parts.push(format!("{role} {name:?}")),
            (Some(role), None) => parts.push(role.clone()),
            (None, Some(name)) => parts.push(format!("element named {name:?}")),
            (None, None) => {}
        }
        let said = [
            ("field labelled", &self.label),
            ("text", &self.text),
            ("field with placeholder", &self.placeholder),
            ("element with test id", &self.test_id),
            ("element matching", &self.selector),
            ("element", &self.reference),
        ];
        parts.extend(said.into_iter().filter_map(|(word, part)| part.as_ref().map(|part| format!("{word} {part:?}"))));
        if parts.is_empty() {
            return f.write_str("nothing in particular");
        }
        f.write_str(&parts.join(" with "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(step: serde_json::Value, name: &str, target: Option<Target>) {
        let action: Action = serde_json::from_value(step.clone()).unwrap();
        assert_eq!(action.name(), name);
        assert_eq!(action.target(), target);
        assert!(Action::NAMES.contains(&name));
        assert_eq!(serde_json::to_value(&action).unwrap(), step, "an action writes itself as it was read");
    }

    #[test]
    fn every_browser_step_of_the_contract_reads_as_an_action() {
        let of = |role: &str, name: &str| {
            Some(Target { role: Some(role.into()), name: Some(name.into()), ..Target::default() })
        };
        let label = |label: &str| Some(Target { label: Some(label.into()), ..Target::default() });
        let text = |text: &str| Some(Target { text: Some(text.into()), ..Target::default() });
        check(json!({"navigate": "https://portal.example/invoices"}), "navigate", None);
        check(json!({"click": {"role": "link", "name": "2026-10"}}), "click", of("link", "2026-10"));
        check(json!({"type": {"label": "Note", "text": "checked"}}), "type", label("Note"));
        check(json!({"select": {"label": "Format", "value": "CSV"}}), "select", label("Format"));
        let download = json!({"download": {"click": {"role": "button", "name": "Download"}, "to": "invoice.csv"}});
        check(download, "download", of("button", "Download"));
        let table = Some(Target { selector: Some("table".into()), ..Target::default() });
        check(json!({"extract": {"selector": "table", "to": "invoices.json"}}), "extract", table);
        check(json!({"expect": {"text": "Thank you", "timeoutMs": 500}}), "expect", text("Thank you"));
        check(json!({"press": "Enter"}), "press", None);
        check(json!({"press": {"key": "Enter", "timeoutMs": 5}}), "press", None);
        check(json!({"back": {}}), "back", None);
        check(json!({"dialog": "accept"}), "dialog", None);
        check(json!({"dialog": {"answer": "accept", "promptText": "Ada"}}), "dialog", None);
        let marked = Some(Target { reference: Some("e14".into()), ..Target::default() });
        check(json!({"hover": {"ref": "e14"}}), "hover", marked);
    }

    #[test]
    fn a_misspelt_key_is_refused_by_name() {
        let error = serde_json::from_value::<Action>(json!({"click": {"rol": "link"}})).unwrap_err().to_string();
        assert!(error.contains("rol"), "{error}");
    }

    #[test]
    fn a_reference_is_replaced_wherever_the_action_has_one() {
        let pay = Target { role: Some("button".into()), name: Some("Pay".into()), ..Target::default() };
        let note = Target { label: Some("Note".into()), ..Target::default() };
        let lasting = BTreeMap::from([("e1".to_owned(), pay), ("e2".to_owned(), note)]);
        let replaced = |step: serde_json::Value| {
            let action: Action = serde_json::from_value(step).unwrap();
            serde_json::to_value(action.with_lasting(&lasting)).unwrap()
        };
        assert_eq!(replaced(json!({"click": {"ref": "e1"}})), json!({"click": {"role": "button", "name": "Pay"}}));
        let typed = json!({"type": {"ref": "e2", "role": "textbox", "text": "hello"}});
        assert_eq!(replaced(typed), json!({"type": {"label": "Note", "text": "hello"}}));
        let dragged = json!({"drag": {"from": {"ref": "e1"}, "to": {"ref": "e2"}}});
        let wanted = json!({"drag": {"from": {"role": "button", "name": "Pay"}, "to": {"label": "Note"}}});
        assert_eq!(replaced(dragged), wanted);
        let unknown = json!({"click": {"ref": "e3"}});
        assert_eq!(replaced(unknown.clone()), unknown);
    }

    #[test]
    fn a_target_is_said_in_words() {
        let said = |target: serde_json::Value| serde_json::from_value::<Target>(target).unwrap().to_string();
        assert_eq!(said(json!({"role": "button", "name": "Save"})), "button \"Save\"");
        assert_eq!(said(json!({"label": "Note"})), "field labelled \"Note\"");
        assert_eq!(said(json!({"role": "row", "text": "Total"})), "row with text \"Total\"");
    }
}
