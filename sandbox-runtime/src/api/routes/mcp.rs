//! The Model Context Protocol over streamable HTTP.

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::error::{ErrorBody, Refusals};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(send, hear, leave))
}

/// Takes one message of an MCP client. Answers as JSON or as server-sent events.
#[utoipa::path(post, path = "/v1/mcp", tag = "machine", operation_id = "sendMcpMessage",
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses((status = 200, description = "JSON-RPC answers",
            content((serde_json::Value = "application/json"), (String = "text/event-stream"))),
        (status = 202, description = "taken"), (status = 404, description = "no such session", body = ErrorBody),
        (status = 406, description = "the request takes no answer of this kind", body = ErrorBody), Refusals))]
async fn send(State(api): State<Api>, request: Request) -> Response {
    api.mcp().answer(request).await
}

/// Streams messages of the MCP server as server-sent events.
#[utoipa::path(get, path = "/v1/mcp", tag = "machine", operation_id = "hearMcpMessages",
    responses((status = 200, description = "JSON-RPC messages", content_type = "text/event-stream", body = String),
        (status = 404, description = "no such session", body = ErrorBody),
        (status = 406, description = "the request takes no answer of this kind", body = ErrorBody), Refusals))]
async fn hear(State(api): State<Api>, request: Request) -> Response {
    api.mcp().answer(request).await
}

/// Ends the session that the header `Mcp-Session-Id` names.
#[utoipa::path(delete, path = "/v1/mcp", tag = "machine", operation_id = "leaveMcp",
    responses((status = 202, description = "ended"), (status = 404, description = "no such session", body = ErrorBody),
        (status = 406, description = "the request takes no answer of this kind", body = ErrorBody), Refusals))]
async fn leave(State(api): State<Api>, request: Request) -> Response {
    api.mcp().answer(request).await
}
