//! What can be done in the browser, as data: the playbook's vocabulary, the tools' arguments, and what comes of it.
//!
//! An action is a map with one key, its name: `click: { role: link, name: Invoices }`. Every action takes `timeoutMs`.
//! Owns the words and how a target is said in a sentence; leaves finding and doing to the browser.

use serde::{Deserialize, Serialize};

use crate::model::wire;

/// How long an action waits for its target unless it says otherwise.
pub const DEFAULT_TIMEOUT_MS: u64 = 10_000;

wire! {
    /// What an action aims at. Every named part must hold.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct Target {
        /// Accessible role, such as `button`, `link`, `textbox`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub role: Option<String>,
        /// Accessible name; the whole name is preferred, a part of it will do, whatever the case.
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
        /// Reference from the latest look; one from an earlier look is refused.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        pub reference: Option<String>,
    }

    /// What to answer if the action brings up a `confirm` or `prompt` dialog; dismissed unless told.
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
                #[serde(skip_serializing_if = "Option::is_none")]
                pub role: Option<String>,
                #[serde(skip_serializing_if = "Option::is_none")]
                pub name: Option<String>,
                #[serde(skip_serializing_if = "Option::is_none")]
                pub label: Option<String>,
                #[serde(skip_serializing_if = "Option::is_none")]
                pub placeholder: Option<String>,
                #[serde(skip_serializing_if = "Option::is_none")]
                pub test_id: Option<String>,
                #[serde(skip_serializing_if = "Option::is_none")]
                pub selector: Option<String>,
                #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
                pub reference: Option<String>,
                $($(#[$field_meta])* pub $field: $type,)*
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
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        dialog: Option<DialogAnswer>,
        /// What to type into a `prompt` that is accepted.
        #[serde(skip_serializing_if = "Option::is_none")]
        prompt_text: Option<String>,
    }

    /// Arguments of `hover`.
    struct Hover {
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    }

    /// Arguments of `type`: what the field holds is replaced by `text`.
    struct Type {
        text: String,
    }

    /// Arguments of `select`: the option whose value or label is `value`.
    struct Select {
        value: String,
    }

    /// Arguments of `scroll`. With a target, it is brought into view, or scrolled by the distances; without, the page is.
    struct Scroll {
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// CSS pixels to the right.
        #[serde(skip_serializing_if = "Option::is_none")]
        dx: Option<i32>,
        /// CSS pixels down.
        #[serde(skip_serializing_if = "Option::is_none")]
        dy: Option<i32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<ScrollEnd>,
    }

    /// Arguments of `waitFor` and `expect`: something is visible, and the address matches.
    struct Condition {
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Address pattern; `*` within a path part, `**` across parts.
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    }

    /// Arguments of `upload`: `path` is a file of the workspace.
    struct Upload {
        path: String,
    }
}

wire! {
    /// Arguments of an action that needs none.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct Plain {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    #[derive(Copy, Eq)]
    pub enum ScrollEnd {
        Top,
        Bottom,
    }

    /// Arguments of `press`: one key, with modifiers before it: `Enter`, `Control+A`. The focused element gets it,
    /// or that of `on`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct PressKey {
        pub key: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub on: Option<Target>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `extract`: what the elements show, as JSON. A table becomes rows, a list its items.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Extract {
        pub selector: String,
        /// Workspace path that the runner writes the JSON to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub to: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `download`: the click that starts it.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Download {
        pub click: Target,
        /// Workspace path that the runner moves the file to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub to: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Arguments of `activateTab` and `closeTab`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct TabChoice {
        pub id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Address {
        pub url: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub timeout_ms: Option<u64>,
    }

    /// Everything that can be done in the browser.
    #[derive(Eq)]
    pub enum Action {
        Navigate(Navigate),
        Back(Plain),
        Forward(Plain),
        Reload(Plain),
        Click(Click),
        DoubleClick(Click),
        Hover(Hover),
        Type(Type),
        Press(Press),
        Select(Select),
        Scroll(Scroll),
        WaitFor(Condition),
        Expect(Condition),
        Extract(Extract),
        Download(Download),
        Upload(Upload),
        ActivateTab(TabChoice),
        CloseTab(TabChoice),
        Screenshot(Plain),
    }

    /// A dialog that a page brought up during an action, and what it was answered.
    #[derive(Eq)]
    pub struct DialogRecord {
        /// `alert`, `confirm`, `prompt` or `beforeunload`.
        pub kind: String,
        pub message: String,
        pub accepted: bool,
    }

    /// What came of an action.
    #[derive(Default)]
    pub struct Outcome {
        /// One sentence.
        pub summary: String,
        /// Address and title of the active page afterwards.
        pub url: String,
        pub title: String,
        /// How many elements fitted the target, if more than the one that was taken.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub fitted: Option<usize>,
        /// What `extract` read.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub data: Option<serde_json::Value>,
        /// Workspace path of the file that `download` brought.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub download: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub dialogs: Vec<DialogRecord>,
        /// PNG of `screenshot`; never part of the JSON.
        #[serde(skip)]
        #[ts(skip)]
        pub screenshot: Option<Vec<u8>>,
    }
}

/// Arguments of `navigate`: the address alone, or with options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS, utoipa::ToSchema)]
#[serde(untagged)]
#[ts(export)]
pub enum Navigate {
    Url(String),
    With(Address),
}

/// Arguments of `press`: the key alone, or with options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS, utoipa::ToSchema)]
#[serde(untagged)]
#[ts(export)]
pub enum Press {
    Key(String),
    With(PressKey),
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
    /// Every action's name, as a playbook writes it.
    pub const NAMES: [&str; 19] = [
        "navigate",
        "back",
        "forward",
        "reload",
        "click",
        "doubleClick",
        "hover",
        "type",
        "press",
        "select",
        "scroll",
        "waitFor",
        "expect",
        "extract",
        "download",
        "upload",
        "activateTab",
        "closeTab",
        "screenshot",
    ];

    /// Returns the name as a playbook writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Navigate(_) => "navigate",
            Self::Back(_) => "back",
            Self::Forward(_) => "forward",
            Self::Reload(_) => "reload",
            Self::Click(_) => "click",
            Self::DoubleClick(_) => "doubleClick",
            Self::Hover(_) => "hover",
            Self::Type(_) => "type",
            Self::Press(_) => "press",
            Self::Select(_) => "select",
            Self::Scroll(_) => "scroll",
            Self::WaitFor(_) => "waitFor",
            Self::Expect(_) => "expect",
            Self::Extract(_) => "extract",
            Self::Download(_) => "download",
            Self::Upload(_) => "upload",
            Self::ActivateTab(_) => "activateTab",
            Self::CloseTab(_) => "closeTab",
            Self::Screenshot(_) => "screenshot",
        }
    }

    /// Returns the element that the action aims at, if it aims at one.
    pub fn target(&self) -> Option<Target> {
        let target = match self {
            Self::Click(click) | Self::DoubleClick(click) => {
                Target { text: click.text.clone(), ..click.target_without_text() }
            }
            Self::Hover(hover) => Target { text: hover.text.clone(), ..hover.target_without_text() },
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
            | Self::ActivateTab(_)
            | Self::CloseTab(_)
            | Self::Screenshot(_) => return None,
        };
        (!target.is_empty()).then_some(target)
    }

    /// Returns how long the action may take, if it says so.
    pub fn timeout_ms(&self) -> Option<u64> {
        match self {
            Self::Navigate(Navigate::Url(_)) | Self::Press(Press::Key(_)) => None,
            Self::Navigate(Navigate::With(address)) => address.timeout_ms,
            Self::Back(plain) | Self::Forward(plain) | Self::Reload(plain) | Self::Screenshot(plain) => {
                plain.timeout_ms
            }
            Self::Click(click) | Self::DoubleClick(click) => click.timeout_ms,
            Self::Hover(hover) => hover.timeout_ms,
            Self::Type(typing) => typing.timeout_ms,
            Self::Press(Press::With(press)) => press.timeout_ms,
            Self::Select(select) => select.timeout_ms,
            Self::Scroll(scroll) => scroll.timeout_ms,
            Self::WaitFor(condition) | Self::Expect(condition) => condition.timeout_ms,
            Self::Extract(extract) => extract.timeout_ms,
            Self::Download(download) => download.timeout_ms,
            Self::Upload(upload) => upload.timeout_ms,
            Self::ActivateTab(tab) | Self::CloseTab(tab) => tab.timeout_ms,
        }
    }
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
        let marked = Some(Target { reference: Some("e1-4".into()), ..Target::default() });
        check(json!({"hover": {"ref": "e1-4"}}), "hover", marked);
    }

    #[test]
    fn a_misspelt_key_is_refused_by_name() {
        let error = serde_json::from_value::<Action>(json!({"click": {"rol": "link"}})).unwrap_err().to_string();
        assert!(error.contains("rol"), "{error}");
    }

    #[test]
    fn a_target_is_said_in_words() {
        let said = |target: serde_json::Value| serde_json::from_value::<Target>(target).unwrap().to_string();
        assert_eq!(said(json!({"role": "button", "name": "Save"})), "button \"Save\"");
        assert_eq!(said(json!({"label": "Note"})), "field labelled \"Note\"");
        assert_eq!(said(json!({"role": "row", "text": "Total"})), "row with text \"Total\"");
    }
}
