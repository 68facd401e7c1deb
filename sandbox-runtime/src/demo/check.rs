//! The pages of **Check my setup**: keyboard, input method, paste, lists, windows and files, tried by the person at this machine.
//!
//! The first page ticks off what arrived in it. Its results are posted to a second document, for one in which a person typed
//! stays closed to reading; the second one names what worked, and never what was typed.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Form;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};

use super::page::{escaped, page};

/// Every part by the name that its page posts, and what the report calls it.
const PARTS: [(&str, &str); 9] = [
    ("letters", "Letters and signs"),
    ("accents", "Accents, dead keys, AltGr"),
    ("ime", "Input method"),
    ("paste", "Paste into the sandbox"),
    ("copy", "Copy out of the sandbox"),
    ("select", "Lists"),
    ("popup", "Windows that a page opens"),
    ("download", "Download"),
    ("upload", "Upload"),
];
/// Content of the file that is downloaded and given back.
const FILE: &str = "Baton: check my setup\n";

/// Returns the routes beneath `/check`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/check", get(begin))
        .route("/check/popup", get(popup))
        .route("/check/file", get(file))
        .route("/check/done", post(done))
}

async fn begin() -> Html<String> {
    page("Check my setup", None, include_str!("pages/check.html"))
}

async fn popup() -> Html<&'static str> {
    Html(
        r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>It opened</title>
<body style="font:16px system-ui;padding:24px"><p>This window opened beside the page.</p><button autofocus onclick="close()">Close it</button></body></html>"#,
    )
}

async fn file() -> impl IntoResponse {
    let named = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"check-my-setup.txt\""),
    ];
    (named, FILE)
}

async fn done(Form(given): Form<BTreeMap<String, String>>) -> Html<String> {
    let row = |(name, words): &(&str, &str)| {
        let result = match given.get(*name).map(String::as_str) {
            Some("works") => "works",
            Some("skipped") => "skipped",
            _ => "did not arrive",
        };
        format!("<tr><td>{}</td><td>{result}</td></tr>", escaped(words))
    };
    let rows: String = PARTS.iter().map(row).collect();
    let body = format!(
        r#"<h1>That is all</h1><p class="note">Hand back with F9. The report is then in the settings, under Check my setup.</p>
<table id="report"><thead><tr><th>What</th><th>Result</th></tr></thead><tbody>{rows}</tbody></table>"#
    );
    page("Checked", None, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_report_names_what_worked_and_nothing_that_was_posted() {
        let given = [("letters", "works"), ("ime", "skipped"), ("paste", "<script>"), ("other", "hunter2")];
        let Html(html) = done(Form(given.map(|(name, value)| (name.to_owned(), value.to_owned())).into())).await;
        assert!(html.contains("<tr><td>Letters and signs</td><td>works</td></tr>"));
        assert!(html.contains("<tr><td>Input method</td><td>skipped</td></tr>"));
        assert!(html.contains("<tr><td>Paste into the sandbox</td><td>did not arrive</td></tr>"));
        assert!(!html.contains("hunter2") && !html.contains("<script>"));
    }

    #[tokio::test]
    async fn the_page_has_a_field_for_every_part() {
        let Html(html) = begin().await;
        for (name, _) in PARTS {
            assert!(html.contains(&format!("data-part=\"{name}\"")), "{name}");
        }
    }
}
