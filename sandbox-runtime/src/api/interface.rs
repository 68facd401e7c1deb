//! The interface's files: built by `ui/`, inside the program; a debug build reads the folder, so that a new build shows
//! without a new program.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use super::error::ApiError;
use super::{Api, guard, ranges};
use crate::service::ErrorCode;

#[derive(Embed)]
#[folder = "../ui/dist"]
#[allow_missing = true]
struct Files;

/// Vite names these by their content.
const HASHED: &str = "assets/";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Baton</title>\
    <h1>The interface has not been built</h1>\
    <p>Run <code>script/setup</code> (or <code>npm ci &amp;&amp; npm run build</code> in <code>ui/</code>), then load this \
    page again. The runtime itself works: programs reach it at <code>/v1</code>.</p></html>\n";

/// Answers what no route of the contract answers: files of the interface, else 404.
pub async fn fallback(State(api): State<Api>, request: Request) -> Response {
    let path = request.uri().path();
    if path == "/v1" || path.starts_with("/v1/") {
        // Who has no token does not learn which routes there are.
        if let Err(refusal) = guard::admit(&api, guard::Claim::of(&request)).await {
            return refusal.into_response();
        }
        return no_route(request.method(), path).into_response();
    }
    let file = match path {
        "/" => "index.html",
        path => path.trim_start_matches('/'),
    };
    match (Files::get(file), request.method()) {
        (Some(found), &Method::GET | &Method::HEAD) => answer(&api, file, found, request.headers()),
        (Some(_), method) => wrong_method(method, path).into_response(),
        (None, &Method::GET | &Method::HEAD) if file.ends_with(".html") && Files::get("index.html").is_none() => {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, html)], NOT_BUILT).into_response()
        }
        (None, method) => no_route(method, path).into_response(),
    }
}

fn answer(api: &Api, name: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let digest = sandbox_core::hexadecimal(&file.metadata.sha256_hash()[..16]);
    let tag = format!("\"{digest}\"");
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Body::from(file.data.into_owned()).into_response(),
    };
    let caching = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    let values = [
        (header::CONTENT_TYPE, ranges::with_charset(mime_guess::from_path(name).first_or_octet_stream().essence_str())),
        (header::ETAG, tag),
        (header::CONTENT_SECURITY_POLICY, policy(api.port())),
    ];
    for (header, value) in values {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header, value);
        }
    }
    response
}

/// What pages of the interface may do: load their own files, talk to this runtime, nothing else.
fn policy(port: Option<u16>) -> String {
    let sockets = port.map(|port| format!(" ws://127.0.0.1:{port} ws://localhost:{port}")).unwrap_or_default();
    // Terminals and editors set styles from script, which `style-src 'self'` would forbid.
    format!(
        "default-src 'self'; connect-src 'self'{sockets}; img-src 'self' blob: data:; media-src 'self' blob:; \
         style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; frame-src 'self' blob:; object-src 'none'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

pub fn no_route(method: &Method, path: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("there is no route {method} {path}"))
}

pub fn wrong_method(method: &Method, path: &str) -> ApiError {
    ApiError::new(ErrorCode::MethodNotAllowed, format!("{path} does not take {method}"))
}
