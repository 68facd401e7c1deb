//! Makes a bundle.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek};

use sandbox_core::model::{Artifact, ArtifactKind, EpochMs};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::contents::{Contents, picture_of, read_events};
use super::manifest::{
    APPROVALS, ARTIFACTS, EVENTS, FORMAT, HANDOFFS, HASHES, MANIFEST, Manifest, NETWORK, NO_HASH, Part, REPORT, Span,
    TASK, VERSION, picture_path,
};
use super::report;
use crate::store::{Blobs, Chained, Copied, StoreError, copy_hashed};

/// Makes the bundle in a file without a name beside the contents; it is gone when it is closed. Returns it, wound back, and
/// its size in bytes.
///
/// What the history has no more is named in the manifest, and is no failure.
///
/// # Errors
///
/// What the disk said, and contents that were changed on it.
pub fn make(contents: &Contents, blobs: &Blobs, now: EpochMs) -> Result<(File, u64), StoreError> {
    let bundle = Bundle { zip: ZipWriter::new(blobs.scratch()?), parts: Vec::new(), missing: Vec::new(), blobs };
    let wrong = |doing| StoreError::io(doing, &contents.task.title);
    let file = bundle.fill(contents, now).map_err(|failed| match failed {
        Failed::Store(error) => error,
        Failed::Io(error) => wrong("write the bundle of")(error),
    })?;
    let size = file.metadata().map_err(wrong("look at the bundle of"))?.len();
    Ok((file, size))
}

enum Failed {
    Store(StoreError),
    Io(io::Error),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<zip::result::ZipError> for Failed {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Io(error.into())
    }
}

struct Bundle<'a> {
    zip: ZipWriter<File>,
    parts: Vec<Part>,
    missing: Vec<String>,
    blobs: &'a Blobs,
}

impl Bundle<'_> {
    fn fill(mut self, contents: &Contents, now: EpochMs) -> Result<File, Failed> {
        let Contents { task, events: chained, handoffs, approvals, network, artifacts } = contents;
        let events = read_events(chained);
        self.json(TASK, task)?;
        self.text(EVENTS, &lines(chained.lines.iter().map(|one| one.line.as_str())))?;
        self.text(HASHES, &hashes(chained))?;
        self.json(HANDOFFS, handoffs)?;
        self.json(APPROVALS, approvals)?;
        self.json(NETWORK, network)?;
        self.json(ARTIFACTS, artifacts)?;
        let mut files = Vec::new();
        let mut taken = HashSet::new();
        for artifact in artifacts {
            let path = self.artifact(artifact, &mut taken)?;
            files.push((artifact, path));
        }
        let pictures: BTreeSet<&str> = events.iter().filter_map(picture_of).collect();
        let mut thumbnails = report::Thumbnails::default();
        for sha256 in pictures {
            if self.content(&picture_path(sha256), sha256, None, true)? {
                thumbnails.add(sha256, self.blobs.open(sha256)?);
            }
        }
        let report = report::page(&report::Told { contents, events: &events, files: &files, thumbnails: &thumbnails });
        self.text(REPORT, &report)?;
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            task_id: task.id.clone(),
            sandbox_id: task.sandbox_id.clone(),
            title: task.title.clone(),
            status: task.status,
            made_at: now,
            made_by: format!("Baton {}", env!("CARGO_PKG_VERSION")),
            chain: span(chained),
            files: std::mem::take(&mut self.parts),
            missing: std::mem::take(&mut self.missing),
        };
        self.json(MANIFEST, &manifest)?;
        let mut file = self.zip.finish()?;
        file.rewind()?;
        Ok(file)
    }

    /// Puts an artifact's content in; returns where, unless it is gone.
    fn artifact(&mut self, artifact: &Artifact, taken: &mut HashSet<String>) -> Result<Option<String>, Failed> {
        let folder = if artifact.kind == ArtifactKind::Recording { "recording" } else { "files" };
        let path = free_name(folder, &artifact.name, taken);
        let is_packed = ["image/", "video/", "audio/", "application/zip"]
            .iter()
            .any(|packed| artifact.content_type.starts_with(packed));
        let is_there = self.content(&path, &artifact.sha256, Some(artifact), is_packed)?;
        Ok(is_there.then_some(path))
    }

    /// Puts a content of the history in; returns whether it is there.
    fn content(
        &mut self,
        path: &str,
        sha256: &str,
        artifact: Option<&Artifact>,
        is_packed: bool,
    ) -> Result<bool, Failed> {
        match self.blobs.open(sha256) {
            Ok(content) => {
                self.part(path, content, is_packed)?;
                let part = self.parts.last_mut().expect("it was put in");
                part.artifact = artifact.map(|artifact| artifact.key.clone());
                Ok(true)
            }
            Err(StoreError::NoSuchBlob(_) | StoreError::InvalidDigest(_)) => {
                self.missing.push(path.to_owned());
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn json(&mut self, path: &str, value: &(impl serde::Serialize + ?Sized)) -> Result<(), Failed> {
        let mut text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        text.push('\n');
        self.text(path, &text)
    }

    fn text(&mut self, path: &str, text: &str) -> Result<(), Failed> {
        self.part(path, text.as_bytes(), false)
    }

    fn part(&mut self, path: &str, content: impl Read, is_packed: bool) -> Result<(), Failed> {
        let method = if is_packed { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        // An artifact has at most 2 GiB, but a recording may have more.
        let options = SimpleFileOptions::default().compression_method(method).large_file(true);
        self.zip.start_file(path, options)?;
        let Copied { size, sha256 } = copy_hashed(content, &mut self.zip)?;
        self.parts.push(Part { path: path.to_owned(), size, sha256, artifact: None });
        Ok(())
    }
}

fn lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn hashes(chained: &Chained) -> String {
    let hash = |hash: &'_ str| if hash.is_empty() { NO_HASH.to_owned() } else { hash.to_owned() };
    let all = std::iter::once(hash(&chained.previous))
        .chain(chained.lines.iter().map(|one| hash(one.hash.as_deref().unwrap_or_default())));
    all.map(|hash| hash + "\n").collect()
}

fn span(chained: &Chained) -> Span {
    match (chained.lines.first(), chained.lines.last()) {
        (Some(first), Some(last)) => {
            Span { first: first.seq, last: last.seq, hash: last.hash.clone().unwrap_or_default() }
        }
        _ => Span::default(),
    }
}

/// Returns a path for the name that no file before has, whatever the case of its letters.
fn free_name(folder: &str, name: &str, taken: &mut HashSet<String>) -> String {
    let (stem, dot, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, ".", ending),
        _ => (name, "", ""),
    };
    let numbered = |n: u32| match n {
        1 => format!("{folder}/{name}"),
        n => format!("{folder}/{stem} ({n}){dot}{ending}"),
    };
    let path = (1..).map(numbered).find(|path| !taken.contains(&path.to_lowercase())).expect("numbers do not end");
    taken.insert(path.to_lowercase());
    path
}
