//! The commands that the page may call. They carry requests to the same API that programs use, and decide nothing.

use std::fs::File;
use std::path::{Path, PathBuf};

use axum::http::Method;
use sandbox_runtime::api::CallAnswer;
use serde_json::Value;
use tauri::ipc::{InvokeBody, Request, Response};
use tauri::{AppHandle, Manager, State};

use crate::closing::{self, Closing};
use crate::runtime::Baton;

/// What a route answered: status and JSON body.
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
pub async fn request(
    baton: State<'_, Baton>,
    method: String,
    path: String,
    body: Option<Value>,
) -> Result<Reply, String> {
    let method = method.parse::<Method>().map_err(|error| error.to_string())?;
    Ok(Reply::from(baton.api.call(method, &path, body).await))
}

/// Performs a GET whose answer is bytes, or the part of them that `range` asks for (`bytes=0-99`).
#[tauri::command]
pub async fn read(baton: State<'_, Baton>, path: String, range: Option<String>) -> Result<Response, Reply> {
    let answer = baton.api.read(&path, range.as_deref()).await;
    if (200..300).contains(&answer.status) {
        return Ok(Response::new(answer.body.to_vec()));
    }
    Err(Reply::from(answer))
}

/// Performs a PUT whose body is bytes; the path comes in the header `x-path`, percent-encoded.
#[tauri::command]
pub async fn write(baton: State<'_, Baton>, request: Request<'_>) -> Result<Reply, String> {
    let path =
        request.headers().get("x-path").and_then(|path| path.to_str().ok()).ok_or("the header x-path is missing")?;
    let path = percent_encoding::percent_decode_str(path).decode_utf8().map_err(|error| error.to_string())?;
    let InvokeBody::Raw(bytes) = request.body() else { return Err("the body has to be bytes".to_owned()) };
    let answer = baton.api.send(Method::PUT, &path, Some("application/octet-stream"), bytes.clone().into()).await;
    Ok(Reply::from(answer))
}

/// Saves what a GET answers into the person's downloads; returns where. Nothing is overwritten.
#[tauri::command]
pub async fn save(app: AppHandle, baton: State<'_, Baton>, path: String, name: String) -> Result<String, String> {
    let home = app.path().home_dir().map_err(|error| error.to_string())?;
    let folder = folder_for_downloads(app.path().download_dir().ok(), &home);
    let made = tokio::task::spawn_blocking(move || new_file(&folder, &name)).await;
    let (kept, file) = made.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    if let Err(answer) = baton.api.save(&path, file.into()).await {
        // Half a file is none.
        let _ = tokio::fs::remove_file(&kept).await;
        return Err(String::from_utf8_lossy(&answer.body).into_owned());
    }
    Ok(kept.display().to_string())
}

#[tauri::command]
pub fn endpoint(baton: State<'_, Baton>) -> Endpoint {
    Endpoint { url: baton.url.clone(), token: baton.api.token().to_owned() }
}

/// Whether closing the window leaves running what runs.
#[tauri::command]
pub fn keeps_running(closing: State<'_, Closing>) -> bool {
    closing.keeps_running()
}

#[tauri::command]
pub fn choose_keeps_running(closing: State<'_, Closing>, keep: bool) -> Result<(), String> {
    closing.choose(keep).map_err(|error| error.to_string())
}

/// Quits: at once where the person was asked, or else asks where something runs.
#[tauri::command]
pub async fn quit(app: AppHandle, asked: bool) {
    if asked { closing::end(app).await } else { closing::quit(app).await }
}

/// The page shows the question that it was told to ask.
#[tauri::command]
pub fn quit_question_shown(closing: State<'_, Closing>) {
    closing.question_is_shown();
}

/// The person goes on.
#[tauri::command]
pub fn quit_answered(closing: State<'_, Closing>) {
    closing.question_is_answered();
}

/// Shows one sandbox in a window of its own.
#[tauri::command]
pub async fn open_job(app: AppHandle, sandbox_id: String) -> Result<(), String> {
    crate::window::open_job(&app, &sandbox_id).map_err(|error| error.to_string())
}

/// Opens a page of the web in the person's own browser; nothing but `https`.
#[tauri::command]
pub fn open_external(app: AppHandle, url: String) -> Result<(), String> {
    use tauri_plugin_opener::OpenerExt;
    if !url.starts_with("https://") {
        return Err("only https links open outside".to_owned());
    }
    app.opener().open_url(url, None::<&str>).map_err(|error| error.to_string())
}

impl From<CallAnswer> for Reply {
    fn from(answer: CallAnswer) -> Self {
        // A route that answers no JSON answers null here; its bytes are asked for by `read`.
        Self { status: answer.status, body: serde_json::from_slice(&answer.body).unwrap_or_default() }
    }
}

/// Returns where files are saved. A desktop without a folder for downloads names the home folder, where a file may be
/// taken for a setting of some program.
fn folder_for_downloads(named: Option<PathBuf>, home: &Path) -> PathBuf {
    let is_home = |folder: &Path| {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        real(folder) == real(home)
    };
    named.filter(|folder| !is_home(folder)).unwrap_or_else(|| home.join("Downloads"))
}

/// Writes a file under the name, or under that name with a number where it is taken.
fn new_file(folder: &Path, name: &str) -> std::io::Result<(PathBuf, File)> {
    std::fs::create_dir_all(folder)?;
    // The name comes from a page.
    let name = sandbox_core::file_name(name);
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem.to_owned(), format!(".{ending}")),
        Some(_) | None => (name.clone(), String::new()),
    };
    for n in 0..1_000 {
        let path = folder.join(if n == 0 { name.clone() } else { format!("{stem} ({n}){ending}") });
        match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::other(format!("{name} exists a thousand times in {}", folder.display())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sandbox_runtime::service::UnderWay;
    use serde_json::{Value, json};

    use super::{Endpoint, Reply, folder_for_downloads, new_file};

    /// What the page reads, as `ui/src/host/ipc.ts` says it: the fields of one interface with their types.
    fn page_reads(name: &str) -> BTreeMap<String, String> {
        let (_, after) = include_str!("../../ui/src/host/ipc.ts")
            .split_once(&format!("export interface {name} {{"))
            .unwrap_or_else(|| panic!("the page knows no {name}"));
        let (fields, _) = after.split_once('}').unwrap();
        let fields = fields.lines().filter_map(|line| line.trim().strip_suffix(';')?.split_once(": "));
        fields.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
    }

    fn shell_writes(example: &impl serde::Serialize) -> BTreeMap<String, String> {
        let Value::Object(fields) = serde_json::to_value(example).unwrap() else { panic!("no object") };
        let kind_of = |value: &Value| match value {
            Value::String(_) => "string",
            Value::Number(_) => "number",
            _ => "unknown",
        };
        fields.iter().map(|(name, value)| (name.clone(), kind_of(value).to_owned())).collect()
    }

    #[test]
    fn the_page_reads_what_the_shell_writes() {
        let reply = Reply { status: 200, body: json!({ "data": [] }) };
        assert_eq!(page_reads("Reply"), shell_writes(&reply));
        let endpoint = Endpoint { url: "http://127.0.0.1:1".to_owned(), token: "secret".to_owned() };
        assert_eq!(page_reads("Endpoint"), shell_writes(&endpoint));
        assert_eq!(page_reads("UnderWay"), shell_writes(&UnderWay { tasks: 1, waiting: 2, sandboxes: 3 }));
    }

    #[test]
    fn a_saved_file_never_takes_another_ones_place_nor_leaves_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name| new_file(folder.path(), name).unwrap().0;
        let first = made("report.md");
        std::fs::write(&first, "one").unwrap();
        let second = made("report.md");
        let outside = made("../../report.md");
        assert_eq!(first, folder.path().join("report.md"));
        assert_eq!(second, folder.path().join("report (1).md"));
        assert_eq!(outside.parent(), Some(folder.path()));
        assert_eq!(std::fs::read(first).unwrap(), b"one");
    }

    #[test]
    fn a_saved_file_has_the_name_that_it_shows_and_is_not_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let saved = |name: &str| new_file(folder.path(), name).unwrap().0.file_name().unwrap().to_owned();
        assert_eq!(saved("evil\u{202e}gnp.exe"), "evilgnp.exe");
        assert_eq!(saved(".bashrc"), "bashrc");
        assert_eq!(saved("\u{200b}"), "file");
    }

    #[test]
    fn nothing_is_saved_in_the_home_folder_itself() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        for named in [None, Some(home.to_owned()), Some(home.join("."))] {
            assert_eq!(folder_for_downloads(named, home), home.join("Downloads"));
        }
        assert_eq!(folder_for_downloads(Some(home.join("Taken")), home), home.join("Taken"));
    }
}
