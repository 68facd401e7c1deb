//! The commands that the page may call. They carry requests to the same API that programs use, and decide nothing.

use serde_json::Value;
use tauri::State;

use crate::runtime::Baton;

/// What a request answered.
#[derive(serde::Serialize)]
pub struct Reply {
    status: u16,
    body: Value,
}

/// Where the page opens its WebSockets: the live picture and the events.
#[derive(serde::Serialize)]
pub struct Endpoint {
    url: String,
    token: String,
}

/// Performs one request of the HTTP API in process.
#[tauri::command]
pub async fn request(baton: State<'_, Baton>, method: String, path: String, body: Option<Value>) -> Result<Reply, ()> {
    let (status, body) = baton.api.call(&method, &path, body).await;
    Ok(Reply { status: status.as_u16(), body })
}

#[tauri::command]
pub fn endpoint(baton: State<'_, Baton>) -> Endpoint {
    Endpoint { url: baton.url.clone(), token: baton.token.clone() }
}

/// Opens a page of the web in the person's own browser; nothing but `https`.
#[tauri::command]
pub fn open_external(app: tauri::AppHandle, url: String) -> Result<(), String> {
    use tauri_plugin_opener::OpenerExt;
    if !url.starts_with("https://") {
        return Err("only https links open outside".to_owned());
    }
    app.opener().open_url(url, None::<&str>).map_err(|error| error.to_string())
}
