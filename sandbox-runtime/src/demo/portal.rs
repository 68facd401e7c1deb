//! The practice portal: a welcome, a sign-in with a one-time code, invoices to look through and download.
//!
//! Any name, any password and any six digits will do, so that nothing worth stealing is ever typed or written down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::invoices::{self, Invoice, MONTHS};
use super::page::{escaped, page};

const COOKIE: &str = "portal_session";

/// Who is how far signed in, by session.
#[derive(Clone, Default)]
struct Sessions(Arc<Mutex<SignedIn>>);

#[derive(Default)]
struct SignedIn {
    /// Sessions that gave a name and a password, and have yet to give the code.
    awaiting_code: BTreeSet<String>,
    /// Sessions with the name that they signed in as.
    complete: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
}

pub fn router() -> Router {
    Router::new()
        .route("/", get(welcome))
        .route("/sign-in", get(sign_in).post(give_password))
        .route("/code", get(code).post(give_code))
        .route("/sign-out", post(sign_out))
        .route("/invoices", get(list))
        .route("/invoices.csv", get(download))
        .route("/help", get(help))
        .merge(super::check::router())
        .fallback(not_found)
        .with_state(Sessions::default())
}

async fn welcome(State(sessions): State<Sessions>, headers: HeaderMap) -> Html<String> {
    let signed_in = sessions.name(&headers);
    let body = r#"<section class="hero"><h1>Supplier portal</h1>
<p>Invoices, orders and deliveries of your suppliers, in one place.</p>
<p><a class="button" href="/invoices">Invoices</a> <a class="quiet" href="/help" target="_blank">Help</a></p></section>"#;
    page("Welcome", signed_in.as_deref(), body)
}

async fn sign_in(State(sessions): State<Sessions>, headers: HeaderMap) -> Html<String> {
    let body = r#"<form class="card" method="post" action="/sign-in"><h1>Sign in</h1>
<p class="note">This is a practice site: any e-mail and any password will do.</p>
<label for="email">E-mail</label><input id="email" name="email" type="email" autocomplete="username" required autofocus>
<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Continue</button></form>"#;
    page("Sign in", sessions.name(&headers).as_deref(), body)
}

#[derive(serde::Deserialize)]
struct Password {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
}

async fn give_password(State(sessions): State<Sessions>, Form(given): Form<Password>) -> Response {
    if given.email.trim().is_empty() || given.password.is_empty() {
        return Redirect::to("/sign-in").into_response();
    }
    let session = crate::unique();
    let mut signed_in = sessions.lock();
    signed_in.awaiting_code.insert(session.clone());
    signed_in.names.insert(session.clone(), given.email);
    drop(signed_in);
    let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to("/code")).into_response()
}

async fn code(Query(query): Query<BTreeMap<String, String>>) -> Html<String> {
    let wrong =
        if query.contains_key("again") { r#"<p class="wrong" role="alert">A code has six digits.</p>"# } else { "" };
    let body = format!(
        r#"<form class="card" method="post" action="/code"><h1>One-time code</h1>
<p class="note">Real portals send one to your phone. Here any six digits will do.</p>{wrong}
<label for="code">Code</label><input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6" required autofocus>
<button type="submit">Sign in</button></form>"#
    );
    page("One-time code", None, &body)
}

#[derive(serde::Deserialize)]
struct Code {
    #[serde(default)]
    code: String,
}

async fn give_code(State(sessions): State<Sessions>, headers: HeaderMap, Form(given): Form<Code>) -> Redirect {
    if given.code.len() != 6 || !given.code.bytes().all(|digit| digit.is_ascii_digit()) {
        return Redirect::to("/code?again");
    }
    let Some(session) = session_of(&headers) else { return Redirect::to("/sign-in") };
    let mut signed_in = sessions.lock();
    if !signed_in.awaiting_code.remove(&session) {
        return Redirect::to("/sign-in");
    }
    let name = signed_in.names.remove(&session).unwrap_or_default();
    signed_in.complete.insert(session, name);
    Redirect::to("/invoices")
}

async fn sign_out(State(sessions): State<Sessions>, headers: HeaderMap) -> Redirect {
    if let Some(session) = session_of(&headers) {
        sessions.lock().complete.remove(&session);
    }
    Redirect::to("/")
}

#[derive(serde::Deserialize)]
struct Month {
    month: Option<String>,
}

async fn list(State(sessions): State<Sessions>, headers: HeaderMap, Query(query): Query<Month>) -> Response {
    let Some(name) = sessions.name(&headers) else { return Redirect::to("/sign-in").into_response() };
    let options: String = MONTHS
        .iter()
        .map(|(month, words)| {
            let selected = if query.month.as_deref() == Some(month) { " selected" } else { "" };
            format!(r#"<option value="{month}"{selected}>{words}</option>"#)
        })
        .collect();
    let table = match query.month.as_deref() {
        None => r#"<p class="note">Choose a month to see its invoices.</p>"#.to_owned(),
        Some(month) => table_of(month),
    };
    let body = format!(
        r#"<h1>Invoices</h1><form class="filter" method="get" action="/invoices"><label for="month">Month</label>
<select id="month" name="month">{options}</select><button type="submit">Show</button></form>{table}"#
    );
    page("Invoices", Some(&name), &body).into_response()
}

fn table_of(month: &str) -> String {
    let invoices = invoices::of_month(month);
    if invoices.is_empty() {
        return r#"<p class="note">There are no invoices of this month.</p>"#.to_owned();
    }
    let row = |invoice: &Invoice| {
        format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"amount\">{}</td></tr>",
            invoice.number,
            invoice.date,
            escaped(invoice.supplier),
            invoice.order.as_deref().unwrap_or("—"),
            invoices::amount(invoice.cents)
        )
    };
    let rows: String = invoices.iter().map(row).collect();
    let month = escaped(month);
    format!(
        r#"<p class="bar"><span>{} invoices</span> <a class="button" href="/invoices.csv?month={month}" download>Download CSV</a></p>
<table><thead><tr><th>Invoice</th><th>Date</th><th>Supplier</th><th>Order</th><th class="amount">Amount, €</th></tr></thead>
<tbody>{rows}</tbody></table>"#,
        invoices.len()
    )
}

async fn download(State(sessions): State<Sessions>, headers: HeaderMap, Query(query): Query<Month>) -> Response {
    if sessions.name(&headers).is_none() {
        return Redirect::to("/sign-in").into_response();
    }
    let invoices = invoices::of_month(query.month.as_deref().unwrap_or_default());
    let named = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"invoices.csv\""),
    ];
    (named, invoices::csv(&invoices)).into_response()
}

async fn help() -> Html<String> {
    page("Help", None, "<h1>Help</h1><p>This portal is part of Baton. It exists to practise on.</p>")
}

async fn not_found() -> (StatusCode, Html<String>) {
    (StatusCode::NOT_FOUND, page("Not found", None, r#"<h1>Not found</h1><p><a href="/">Back to the start</a></p>"#))
}

impl Sessions {
    fn name(&self, headers: &HeaderMap) -> Option<String> {
        self.lock().complete.get(&session_of(headers)?).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, SignedIn> {
        // Entries are put and taken whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn session_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}
