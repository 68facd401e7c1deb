//! What is known of one tab.

use sandbox_core::address::without_sign_ins;
use sandbox_core::plain_name;
use serde_json::Value;

use super::address::without_values;

/// Said of an error page whose cause is not known.
const NOT_SHOWN: &str = "the browser could not open it";

/// A page target. Its id is also the id of its main frame.
#[derive(Clone, Debug)]
pub struct Tab {
    pub id: String,
    pub session: String,
    pub url: String,
    pub title: String,
    /// The page script told the title of the present document.
    pub titled: bool,
    /// It reported once that it came to the front.
    pub told_front: bool,
    /// Prepared in the background by the browser, and not shown yet.
    pub hidden: bool,
    /// The page script will be in every document from now on.
    pub prepared: bool,
    pub crashed: bool,
    pub loader: String,
    pub dom_ready: bool,
    pub loaded: bool,
    /// Another document was asked for and has not come yet.
    pub navigating: bool,
    pub dialog: Option<Dialog>,
    /// The loader of the document that was asked for last.
    asked: String,
    /// The document that the way out refused last.
    refused: Option<Refused>,
    /// Why it shows an error page in place of its document.
    pub failed: Option<String>,
    /// The document that a person last typed in.
    pub typed_in: Option<String>,
}

/// A document that the way out did not carry.
#[derive(Clone, Debug)]
struct Refused {
    loader: String,
    cause: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Dialog {
    pub kind: String,
    pub message: String,
    /// Counts the dialogs of the browser: the next one may look the same.
    pub number: u64,
}

impl Tab {
    /// A tab that was just attached to. `waits`: its first document has not begun.
    pub fn attached(info: &Value, session: &str, waits: bool) -> Self {
        let word = |key: &str| info[key].as_str().unwrap_or_default();
        Self {
            id: word("targetId").to_owned(),
            session: session.to_owned(),
            url: word("url").to_owned(),
            title: plain_name(word("title")),
            titled: false,
            told_front: false,
            hidden: !word("subtype").is_empty(),
            prepared: false,
            crashed: false,
            loader: String::new(),
            // A document that was there before us has told of its loading already.
            dom_ready: !waits,
            loaded: !waits,
            navigating: false,
            dialog: None,
            asked: String::new(),
            refused: None,
            failed: None,
            typed_in: None,
        }
    }

    /// Takes in that another document is there: `frame` is the protocol's `Page.Frame`, `restored` says that the document comes
    /// back as it was left.
    pub fn committed(&mut self, frame: &Value, restored: bool) {
        let word = |key: &str| frame[key].as_str().unwrap_or_default();
        let unreachable = frame["unreachableUrl"].as_str();
        // An error page shows the address that could not be reached.
        let shown = || format!("{}{}", word("url"), word("urlFragment"));
        self.url = unreachable.map_or_else(shown, str::to_owned);
        self.loader = word("loaderId").to_owned();
        self.failed = unreachable.map(|_| self.why_refused(&self.loader).unwrap_or(NOT_SHOWN).to_owned());
        self.title = String::new();
        self.titled = false;
        self.crashed = false;
        self.navigating = false;
        self.dom_ready = restored;
        self.loaded = restored;
    }

    /// Takes in that another document was asked for.
    pub fn asks(&mut self, loader: &str) {
        self.navigating = true;
        loader.clone_into(&mut self.asked);
    }

    /// Remembers why the document that was asked for last does not come.
    pub fn was_refused(&mut self, cause: String) {
        self.refused = Some(Refused { loader: self.asked.clone(), cause });
    }

    /// Returns the address as it may be told: a page that a person typed in can put what they typed into it.
    pub fn told_url(&self) -> String {
        if self.is_typed_in() { without_values(&self.url) } else { without_sign_ins(&self.url) }
    }

    /// Whether its document has come, or will not.
    pub fn is_settled(&self) -> bool {
        self.crashed || self.dialog.is_some() || (self.dom_ready && !self.navigating)
    }

    /// Returns the address that opens the page again: of one that a person typed in, without what they may have put there.
    pub fn url_to_reopen(&self) -> String {
        if self.is_typed_in() { without_values(&self.url) } else { self.url.clone() }
    }

    /// Returns why the way out refused a document, if it did. The error page of an earlier one can come after the next was
    /// asked for, so a document is named by its loader.
    pub fn why_refused(&self, loader: &str) -> Option<&str> {
        self.refused.as_ref().filter(|refused| refused.loader == loader).map(|refused| refused.cause.as_str())
    }

    pub fn is_typed_in(&self) -> bool {
        self.typed_in.as_ref() == Some(&self.loader)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_error_page_of_an_earlier_document_takes_no_cause_of_a_later_one() {
        let mut tab = Tab::attached(&json!({ "targetId": "t" }), "s", false);
        let error_page = |loader: &str| json!({ "loaderId": loader, "unreachableUrl": "http://a.example/" });
        for loader in ["first", "second"] {
            tab.asks(loader);
            tab.was_refused(format!("no {loader}"));
        }
        tab.committed(&error_page("first"), false);
        assert_eq!(tab.why_refused("second"), Some("no second"));
        assert_eq!(tab.why_refused("first"), None);
        tab.committed(&error_page("second"), false);
        assert_eq!(tab.failed.as_deref(), Some("no second"));
        assert_eq!(tab.why_refused("second"), Some("no second"), "the reply may come after the error page");
        tab.committed(&json!({ "loaderId": "third", "url": "http://a.example/" }), false);
        assert_eq!(tab.failed, None);
        tab.committed(&error_page("fourth"), false);
        assert_eq!(tab.failed.as_deref(), Some(NOT_SHOWN));
    }
}
