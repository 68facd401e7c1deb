//! The routes, one file a family. What is written at a handler makes both the route and its page in the document.

mod answers;
mod approvals;
mod artifacts;
mod bundles;
mod cdp_port;
mod checkpoints;
mod credentials;
mod debugging;
mod documents;
mod events;
mod exec;
mod files;
mod handoffs;
mod machine;
mod mcp;
mod models;
mod password_managers;
mod pictures;
mod playbooks;
mod preview;
mod recordings;
mod refusals;
mod sandboxes;
mod search;
mod tasks;
mod terminal;
mod tickets;
mod viewers;
mod webhooks;
mod workspace;

use std::any::Any;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use sandbox_core::action::Action;
use sandbox_core::event::Event;
use sandbox_core::playbook::TakeCheckpoint;
use sandbox_core::viewer::{FromViewer, ToViewer};
use sandbox_core::work::Work;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::server::{ServerBuilder, ServerVariableBuilder};
use utoipa::openapi::{ObjectBuilder, PathItem, Server, Type};
use utoipa_axum::router::OpenApiRouter;

use super::error::{ApiError, ErrorBody};
use super::{Api, extract, guard, interface, once};
use crate::service::ErrorCode;

/// What is said about the whole. The schemas named here are what no route's body names: the words of the live view's
/// WebSocket, and the steps of a playbook and of the story.
#[derive(OpenApi)]
#[openapi(
    info(title = "Baton", description = "Sandboxes with a live browser that a person can take over and hand back."),
    components(schemas(
        ErrorBody, Event, sandboxes::WaitFor, FromViewer, ToViewer, Action, Work, TakeCheckpoint
    )),
    tags(
        (name = "sandboxes"), (name = "commands and files"), (name = "browser and live view"),
        (name = "tasks and handoff"), (name = "trust"), (name = "models"), (name = "sign-ins"), (name = "outputs"), (name = "events"), (name = "machine"),
    )
)]
struct Document;

const BEARER: &str = "bearer";
/// In the query of an artifact's address.
const TICKET: &str = "ticket";

/// Returns every route with its guards.
pub fn router(api: &Api) -> Router {
    let (guarded, _) = guarded().split_for_parts();
    let (open, _) = open().split_for_parts();
    guarded
        .layer(from_fn_with_state(api.clone(), once::once))
        .layer(from_fn_with_state(api.clone(), guard::known_caller))
        .merge(open)
        .fallback(interface::fallback)
        .layer(DefaultBodyLimit::max(extract::MAX_JSON))
        .layer(from_fn(speak_json))
        .layer(from_fn_with_state(api.clone(), guard::same_place))
        .layer(from_fn(careful_headers))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(api.clone())
}

/// Returns the description of every route.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = guarded().into_openapi();
    for (path, item) in &mut document.paths.paths {
        if let Some(post) = item.post.as_mut().filter(|_| once::CREATING.contains(&path.as_str())) {
            post.parameters.get_or_insert_default().push(key_parameter().into());
        }
        for (method, operation) in operations(item) {
            operation.security = Some(vec![needs(BEARER)]);
            refusals::describe(operation, &refusals::Place { path, method, guarded: true });
            answers::describe(operation);
        }
    }
    let mut open = open().into_openapi();
    for (path, item) in &mut open.paths.paths {
        for (method, operation) in operations(item) {
            operation.security = Some(security_of_open(path));
            refusals::describe(operation, &refusals::Place { path, method, guarded: false });
            answers::describe(operation);
        }
    }
    document.merge(open);
    document.webhooks = Some(webhooks::messages());
    document.servers = Some(vec![any_server()]);
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme(TICKET, SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new(TICKET))));
    document
}

fn needs(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new::<_, [String; 0], String>(scheme, [])
}

/// What a route that looks at its own ticket takes. One whose ticket is a part of the path needs nothing else.
fn security_of_open(path: &str) -> Vec<SecurityRequirement> {
    match path {
        "/v1/artifacts/{key}/content" => vec![needs(BEARER), needs(TICKET)],
        _ => vec![],
    }
}

/// Returns the server of the document that no runtime serves: its port is not known.
fn any_server() -> Server {
    let port = ServerVariableBuilder::new()
        .default_value("8080")
        .description(Some("The port that the runtime listens on: `url` of `runtime.json` has it."));
    ServerBuilder::new()
        .url("http://127.0.0.1:{port}")
        .description(Some("The runtime on this machine"))
        .parameter("port", port)
        .build()
}

/// Returns the server of the document that a runtime at `base` serves.
pub fn own_server(base: &str) -> Server {
    ServerBuilder::new().url(base).description(Some("This runtime")).build()
}

/// The routes that want a token.
fn guarded() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(sandboxes::routes())
        .merge(exec::routes())
        .merge(terminal::routes())
        .merge(files::routes())
        .merge(workspace::routes())
        .merge(bundles::routes())
        .merge(pictures::routes())
        .merge(tickets::routes())
        .merge(preview::routes())
        .merge(viewers::routes())
        .merge(cdp_port::routes())
        .merge(debugging::routes())
        .merge(tasks::routes())
        .merge(playbooks::routes())
        .merge(handoffs::routes())
        .merge(approvals::routes())
        .merge(models::routes())
        .merge(credentials::routes())
        .merge(password_managers::routes())
        .merge(artifacts::routes())
        .merge(checkpoints::routes())
        .merge(recordings::routes())
        .merge(documents::routes())
        .merge(events::routes())
        .merge(webhooks::routes())
        .merge(search::routes())
        .merge(machine::routes())
        .merge(mcp::routes())
}

/// The routes that are open to who has no token.
fn open() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .merge(machine::open_routes())
        .merge(tickets::open_routes())
        .merge(artifacts::open_routes())
        .merge(bundles::open_routes())
        .merge(debugging::open_routes())
}

fn key_parameter() -> utoipa::openapi::path::Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(once::MAX_KEY)).build();
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some("The same key and body again gives the first answer again, for a day."))
        .schema(Some(text))
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut utoipa::openapi::path::Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::DELETE, &mut item.delete),
        (Method::PATCH, &mut item.patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Gives refusals of the router itself, such as a wrong method, the contract's shape.
async fn speak_json(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if response.status() != StatusCode::METHOD_NOT_ALLOWED || response.headers().contains_key(header::CONTENT_TYPE) {
        return response;
    }
    let mut refusal = interface::wrong_method(&method, &path).into_response();
    if let Some(allowed) = response.headers().get(header::ALLOW) {
        refusal.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    refusal
}

/// What every answer says to browsers, unless a route has said more.
async fn careful_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = said.unwrap_or("without words"), "a handler panicked");
    ApiError::new(ErrorCode::Internal, "the request could not be finished; the cause is in the log").into_response()
}
