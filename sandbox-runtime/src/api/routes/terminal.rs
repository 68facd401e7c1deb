//! Terminals: a WebSocket whose binary messages are the bytes both ways, and whose text says the size.

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use sandbox_core::SandboxId;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::{ApiError, Refusals};
use crate::api::extract::{InPath, Query};
use crate::api::{Api, guard};
use crate::sandbox::calls::{CallError, TerminalKeys, TerminalScreen};

/// Longest message that a page may send: a paste with room to spare.
const MAX_MESSAGE: usize = 1 << 20;
const DEFAULT_SIZE: (u16, u16) = (80, 24);

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(terminal))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SizeQuery {
    /// Default 80.
    cols: Option<u16>,
    /// Default 24.
    rows: Option<u16>,
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

/// Opens a terminal in the sandbox. Closing the connection ends what runs in it.
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
    let (screen, keys, presence) = api.service().terminal(&id, cols, rows).await?;
    let upgrade = upgrade.protocols([guard::SUBPROTOCOL]).max_message_size(MAX_MESSAGE);
    Ok(upgrade.on_upgrade(async move |socket| {
        let _presence = presence;
        if let Some(Err(error)) = api.closing().run_until_cancelled(talk(socket, screen, keys)).await {
            tracing::debug!(%error, "a terminal was cut off");
        }
    }))
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
