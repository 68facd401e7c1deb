//! Terminals: a WebSocket whose binary messages are the bytes both ways, and whose text says the size.

use axum::Json;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use sandbox_core::SandboxId;
use sandbox_core::model::{EpochMs, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{InPath, Query};
use crate::api::{Api, guard};
use crate::sandbox::calls::{CallError, TerminalKeys, TerminalScreen};
use crate::service::{AttachedTerminal, KeptTerminal};

/// Longest message that a page may send: a paste with room to spare.
const MAX_MESSAGE: usize = 1 << 20;
const DEFAULT_SIZE: (u16, u16) = (80, 24);

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(terminal)).routes(routes!(list)).routes(routes!(close))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SizeQuery {
    /// Default 80.
    cols: Option<u16>,
    /// Default 24.
    rows: Option<u16>,
    /// Keeps the terminal with the sandbox under this name, or joins the one of that name: 1 to 32 letters, digits, `-` or
    /// `_`. Without it the terminal ends with its connection.
    name: Option<String>,
}

/// A terminal that is kept with its sandbox.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Terminal {
    name: String,
    started_at: EpochMs,
    /// How many pages show it now.
    viewers: usize,
}

impl From<KeptTerminal> for Terminal {
    fn from(KeptTerminal { name, started_at, viewers }: KeptTerminal) -> Self {
        Self { name, started_at, viewers }
    }
}

/// What a page of a kept terminal is told first: so many bytes come that were shown before, and whatever they ask the
/// page was answered then.
#[derive(Serialize)]
struct Replay {
    replay: usize,
}

/// What a page says in text.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Word {
    Resize(Size),
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Size {
    cols: u16,
    rows: u16,
}

/// Opens a terminal in the sandbox. Closing the connection ends what runs in it, unless it is kept under a `name`: then it
/// goes on, and the next connection is sent `{"replay":BYTES}` and what it showed before.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/terminal", tag = "commands and files", operation_id = "openTerminal",
    params(("id" = String, Path), SizeQuery), responses((status = 101, description =
    "WebSocket: binary messages are bytes both ways; text `{\"resize\":{\"cols\":80,\"rows\":24}}`"), Refusals))]
async fn terminal(
    State(api): State<Api>,
    InPath(id): InPath<SandboxId>,
    Query(size): Query<SizeQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let (cols, rows) = (size.cols.unwrap_or(DEFAULT_SIZE.0), size.rows.unwrap_or(DEFAULT_SIZE.1));
    if cols == 0 || rows == 0 {
        return Err(ApiError::invalid("a terminal has at least one column and one row"));
    }
    // Found out before the terminal is opened, which would run for nobody.
    api.service().driver(&id).await?;
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|rejection| ApiError::invalid(rejection.body_text()))?;
    let upgrade = upgrade.protocols([guard::SUBPROTOCOL]).max_message_size(MAX_MESSAGE);
    if let Some(name) = &size.name {
        let kept = api.service().kept_terminal(&id, name, (cols, rows)).await?;
        return Ok(upgrade.on_upgrade(async move |socket| {
            api.closing().run_until_cancelled(show_kept(socket, kept)).await;
        }));
    }
    let (screen, keys, presence) = api.service().terminal(&id, cols, rows).await?;
    Ok(upgrade.on_upgrade(async move |socket| {
        let _presence = presence;
        if let Some(Err(error)) = api.closing().run_until_cancelled(talk(socket, screen, keys)).await {
            tracing::debug!(%error, "a terminal was cut off");
        }
    }))
}

/// Lists the terminals that are kept with the sandbox.
#[utoipa::path(get, path = "/v1/sandboxes/{id}/terminals", tag = "commands and files", operation_id = "listTerminals",
    params(("id" = String, Path)), responses((status = 200, body = Page<Terminal>), Refusals))]
async fn list(State(api): State<Api>, InPath(id): InPath<SandboxId>) -> Result<Json<Page<Terminal>>, ApiError> {
    let kept = api.service().kept_terminals(&id).await?;
    Ok(Json(Page { data: kept.into_iter().map(Terminal::from).collect(), next_cursor: None }))
}

/// Ends a kept terminal with all that runs in it.
#[utoipa::path(delete, path = "/v1/sandboxes/{id}/terminals/{name}", tag = "commands and files",
    operation_id = "closeTerminal", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Terminal), Refusals))]
async fn close(
    State(api): State<Api>,
    InPath((id, name)): InPath<(SandboxId, String)>,
) -> Result<Json<Terminal>, ApiError> {
    Ok(Json(api.service().close_terminal(&id, &name).await?.into()))
}

/// Shows a kept terminal until the page leaves or the terminal ends.
async fn show_kept(mut socket: WebSocket, mut kept: AttachedTerminal) {
    let before = kept.take_replay();
    let told = serde_json::to_string(&Replay { replay: before.len() }).unwrap_or_default();
    if socket.send(Message::Text(told.into())).await.is_err()
        || socket.send(Message::Binary(before.into())).await.is_err()
    {
        return;
    }
    loop {
        tokio::select! {
            shown = kept.read() => match shown {
                Some(bytes) => if socket.send(Message::Binary(bytes)).await.is_err() { return },
                None => break,
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Binary(bytes))) => kept.write(bytes.to_vec()).await,
                Some(Ok(Message::Text(text))) => if let Ok(Word::Resize(size)) = serde_json::from_str(&text) {
                    kept.resize(size.cols.max(1), size.rows.max(1)).await;
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        }
    }
    // The page may be gone already.
    let _ = socket.send(Message::Close(None)).await;
}

/// Carries bytes both ways until the page leaves or the terminal's program ends.
async fn talk(mut socket: WebSocket, mut screen: TerminalScreen, mut keys: TerminalKeys) -> Result<(), CallError> {
    loop {
        tokio::select! {
            shown = screen.read() => match shown? {
                Some(bytes) => {
                    if socket.send(Message::Binary(bytes.into())).await.is_err() {
                        return Ok(());
                    }
                }
                None => break,
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Binary(bytes))) => keys.write(bytes.to_vec()).await?,
                // What cannot be read is passed over: a terminal must not die of a page's slip.
                Some(Ok(Message::Text(text))) => if let Ok(Word::Resize(size)) = serde_json::from_str(&text) {
                    keys.resize(size.cols.max(1), size.rows.max(1)).await?;
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
            },
        }
    }
    // The page may be gone already.
    let _ = socket.send(Message::Close(None)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_the_size_in_text() {
        let Word::Resize(Size { cols, rows }) = serde_json::from_str(r#"{"resize":{"cols":100,"rows":30}}"#).unwrap();
        assert_eq!((cols, rows), (100, 30));
    }
}
