//! The report: the task as one page of HTML that needs nothing else.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Cursor};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::ImageReader;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sandbox_core::event::{Event, words};
use sandbox_core::model::{
    Actor, Approval, ApprovalStatus, Artifact, EpochMs, Handoff, NetworkDestination, NetworkUser, TaskStatus,
};

use super::contents::{Contents, picture_of};
use super::manifest::picture_path;

/// Pictures stand in the page at most this wide, in pixels.
const THUMBNAIL_WIDTH: u32 = 480;
const THUMBNAIL_QUALITY: u8 = 75;
/// All that a thumbnail may be made of: larger pictures are only linked.
const MAX_PICTURE_SIDE: u32 = 10_000;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c1d21; --soft: #63666e; --line: #dddfe4; --back: #fff; --card: #f6f7f9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e9ec; --soft: #9da1aa; --line: #34373e; --back: #17181b; --card: #202226 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 60rem;
  margin: 0 auto; padding: 2.5rem 1.5rem 5rem }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem }
h2 { font-size: 1.05rem; margin: 2.5rem 0 .75rem }
p { margin: .25rem 0 } .soft { color: var(--soft) }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.5 ui-monospace, monospace; margin: .5rem 0 }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; margin: .5rem 0 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere } th { color: var(--soft); font-weight: 500 }
td.time { white-space: nowrap; color: var(--soft); font-variant-numeric: tabular-nums; width: 4.5rem }
td.who { white-space: nowrap; color: var(--soft); width: 5rem }
img { display: block; max-width: 100%; width: 30rem; border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0 }
a { color: inherit } code { font: 12px ui-monospace, monospace; color: var(--soft) }
@media (max-width: 40rem) { td.who { display: none } }
";

/// What the page tells.
pub struct Told<'a> {
    pub contents: &'a Contents,
    pub events: &'a [Event],
    /// Each artifact, and where it lies in the bundle.
    pub files: &'a [(&'a Artifact, Option<String>)],
    pub thumbnails: &'a Thumbnails,
}

/// Small copies of pictures, as addresses that hold them.
#[derive(Default)]
pub struct Thumbnails(HashMap<String, String>);

impl Thumbnails {
    /// Adds the small copy of a picture; one that cannot be read has none.
    pub fn add(&mut self, sha256: &str, picture: File) {
        if let Ok(jpeg) = thumbnail(picture) {
            self.0.insert(sha256.to_owned(), format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)));
        }
    }
}

fn thumbnail(picture: File) -> image::ImageResult<Vec<u8>> {
    let mut reader = ImageReader::new(BufReader::new(picture)).with_guessed_format()?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_PICTURE_SIDE);
    limits.max_image_height = Some(MAX_PICTURE_SIDE);
    reader.limits(limits);
    let picture = reader.decode()?;
    let width = picture.width().min(THUMBNAIL_WIDTH);
    let small = picture.resize(width, u32::MAX, FilterType::Triangle).into_rgb8();
    let mut jpeg = Cursor::new(Vec::new());
    small.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, THUMBNAIL_QUALITY))?;
    Ok(jpeg.into_inner())
}

/// Returns the page.
pub fn page(told: &Told<'_>) -> String {
    let task = &told.contents.task;
    let began = task.started_at.unwrap_or(task.created_at);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                title { (task.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (task.title) }
                p.soft {
                    (status(task.status)) " · " (date(began))
                    @if let Some(ended) = task.ended_at { " · took " (clock(ended - began)) }
                    " · " (task.usage.steps) " steps"
                }
                @if let Some(result) = &task.result { div.card { pre { (result) } } }
                @if let Some(error) = &task.error { div.card { p { (error.message) } } }
                @if let Some(prompt) = &task.prompt { h2 { "Asked for" } pre { (prompt) } }
                @if let Some(playbook) = &task.playbook { h2 { "Playbook" } pre { (playbook) } }
                (files(told.files))
                (people(&told.contents.handoffs, &told.contents.approvals))
                (network(&told.contents.network))
                (story(told, began))
                h2 { "Whether this is whole" }
                p.soft {
                    "This page is a summary. The archive around it holds every event, each chained to the one before by its "
                    "hash, and the files themselves. " code { "baton verify" } " checks them."
                }
            }
        }
    };
    page.into_string()
}

fn files(files: &[(&Artifact, Option<String>)]) -> Markup {
    html! {
        @if !files.is_empty() {
            h2 { "Files" }
            table {
                tr { th { "Name" } th { "Size" } th { "SHA-256" } }
                @for (artifact, path) in files {
                    tr {
                        td {
                            @match path {
                                Some(path) => a href=(address(path)) { (artifact.name) },
                                None => { (artifact.name) span.soft { " · not kept" } }
                            }
                        }
                        td { (artifact.size) " bytes" }
                        td { code { (artifact.sha256) } }
                    }
                }
            }
        }
    }
}

fn network(destinations: &[NetworkDestination]) -> Markup {
    let user = |by| match by {
        NetworkUser::Browser => "browser",
        NetworkUser::Commands => "commands",
    };
    html! {
        @if !destinations.is_empty() {
            h2 { "Where its sandbox went" }
            table {
                tr { th { "Destination" } th { "By" } th { "Received" } th { "Sent" } th { "Refused" } }
                @for one in destinations {
                    tr {
                        td { (one.host) ":" (one.port) }
                        td { (user(one.by)) }
                        td { (one.received_bytes) " bytes" }
                        td { (one.sent_bytes) " bytes" }
                        td { @if one.refused > 0 { (one.refused) " times" } }
                    }
                }
            }
        }
    }
}

fn people(handoffs: &[Handoff], approvals: &[Approval]) -> Markup {
    html! {
        @if !handoffs.is_empty() || !approvals.is_empty() {
            h2 { "What people did" }
            @for handoff in handoffs {
                div.card {
                    p { (handoff.message) }
                    @match (&handoff.controller, &handoff.receipt) {
                        (Some(controller), Some(receipt)) => {
                            p.soft { (controller) " drove for " (clock(receipt.held_ms.try_into().unwrap_or(i64::MAX)))
                                " and made " (receipt.inputs) " inputs." }
                            (list("Signed in or out at", &receipt.signed_in_changed))
                            (list("Touched", &receipt.fields_touched))
                            (list("Brought in", &receipt.files_arrived))
                            @if let Some(note) = &receipt.note { p { "“" (note) "”" } }
                        },
                        _ => p.soft { "Nobody took over." },
                    }
                }
            }
            @for approval in approvals {
                div.card {
                    p { (approval.proposal.summary) }
                    p.soft { (decision(approval.status)) " · " (approval.proposal.destination) }
                    @if let Some(note) = &approval.note { p { "“" (note) "”" } }
                }
            }
        }
    }
}

fn list(what: &str, names: &[String]) -> Markup {
    html! { @if !names.is_empty() { p.soft { (what) ": " (names.join(", ")) } } }
}

fn story(told: &Told<'_>, began: EpochMs) -> Markup {
    let mut last_shown = None;
    // A page that did not change is shown once.
    let mut new_picture = |event| {
        let picture = picture_of(event)?;
        let is_new = last_shown.replace(picture.to_owned()).as_deref() != Some(picture);
        let small = told.thumbnails.0.get(picture).filter(|_| is_new)?;
        Some((picture_path(picture), small))
    };
    html! {
        h2 { "Story" }
        table {
            @for event in told.events {
                @if let Some(line) = words::line(event) {
                    tr {
                        td.time { (clock(event.at - began)) }
                        td.who { (who(event.by)) }
                        td {
                            (line.trim_start())
                            @if let Some((path, small)) = new_picture(event) {
                                a href=(path) { img src=(small) alt="The page afterwards" loading="lazy"; }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns a path as an address: names may hold `?`, `#` and `%`.
fn address(path: &str) -> String {
    let parts =
        path.split('/').map(|part| percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC));
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join("/")
}

fn status(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Completed => "Completed",
        TaskStatus::Failed => "Failed",
        TaskStatus::Cancelled => "Cancelled",
        TaskStatus::Queued | TaskStatus::Running | TaskStatus::Waiting => "Not over yet",
    }
}

fn decision(status: ApprovalStatus) -> &'static str {
    match status {
        ApprovalStatus::Approved => "Approved",
        ApprovalStatus::Denied => "Denied",
        ApprovalStatus::Pending => "Not answered yet",
        ApprovalStatus::Void | ApprovalStatus::Superseded => "Withdrawn",
    }
}

fn who(by: Actor) -> &'static str {
    match by {
        Actor::Agent => "Agent",
        Actor::Person => "Person",
        Actor::Api => "Program",
        Actor::System => "Baton",
    }
}

/// Returns a time of day with its date, in Greenwich time.
fn date(at: EpochMs) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(at.try_into().unwrap_or_default()))
}

/// Returns a length of time as `minutes:seconds`.
fn clock(ms: EpochMs) -> String {
    let seconds = ms.max(0) / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
