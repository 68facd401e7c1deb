//! How every page of the practice portal looks.

use axum::response::Html;

const STYLE: &str = include_str!("pages/portal.css");

/// Returns a page. `body` is HTML; `signed_in` names the person in its head.
pub(super) fn page(title: &str, signed_in: Option<&str>, body: &str) -> Html<String> {
    let who = match signed_in {
        Some(name) => format!(
            r#"<form method="post" action="/sign-out"><span>{}</span> <button class="quiet">Sign out</button></form>"#,
            escaped(name)
        ),
        None => String::new(),
    };
    Html(format!(
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · Portal</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>
<body><header><a href="/"><i></i>Portal</a>{who}</header><main>{body}</main></body></html>"#
    ))
}

/// Writes a text as HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
