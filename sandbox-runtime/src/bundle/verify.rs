//! Checks a bundle: whether anything in it is not as it was when it was made, and what.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sandbox_core::ArtifactKey;
use sandbox_core::event::chain::link;
use sandbox_core::event::{Event, EventData};
use sandbox_core::model::EpochMs;
use zip::ZipArchive;

use super::contents::picture_of;
use super::manifest::{EVENTS, FORMAT, HASHES, MANIFEST, Manifest, NO_HASH, VERSION, picture_path};
use crate::store::{Copied, copy_hashed};

/// Most bytes of a part that is read as a whole.
const MAX_READ: u64 = 512 << 20;

/// What the check found.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub title: String,
    pub made_at: EpochMs,
    pub n_files: usize,
    pub n_events: usize,
    /// The hash that stands for all events; empty if they have none.
    pub chain: String,
    /// What is not as it was, in words; none if the bundle is whole.
    pub faults: Vec<String>,
}

/// The file is no bundle that can be checked.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("read the bundle: {0}")]
    Io(#[from] io::Error),
    #[error("this is no zip file, or a damaged one: {0}")]
    NotAZip(zip::result::ZipError),
    #[error("this is no bundle: it has no {MANIFEST} that can be read ({0})")]
    NotABundle(String),
    #[error("this bundle has format {found}; this program reads format {VERSION}: use a newer one")]
    Newer { found: u32 },
}

/// Checks the bundle at `path`: each file by the manifest, each event by the chain, and what events say of pictures and
/// artifacts by their contents.
///
/// # Errors
///
/// If the file cannot be read as a bundle at all; what is altered in one is in the verdict.
pub fn verify(path: &Path) -> Result<Verdict, VerifyError> {
    let mut zip = ZipArchive::new(File::open(path)?).map_err(VerifyError::NotAZip)?;
    let manifest = read_text(&mut zip, MANIFEST).map_err(VerifyError::NotABundle)?;
    let manifest: Manifest =
        serde_json::from_str(&manifest).map_err(|error| VerifyError::NotABundle(error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(VerifyError::NotABundle(format!("its format is {:?}", manifest.format)));
    }
    if manifest.version > VERSION {
        return Err(VerifyError::Newer { found: manifest.version });
    }
    let mut faults = Vec::new();
    let found = contents(&mut zip, &mut faults);
    check_files(&manifest, &found, &mut faults);
    let n_events = match (read_text(&mut zip, EVENTS), read_text(&mut zip, HASHES)) {
        (Ok(events), Ok(hashes)) => check_events(&manifest, &events, &hashes, &mut faults),
        // That they cannot be read is told with the files.
        _ => 0,
    };
    Ok(Verdict {
        title: manifest.title,
        made_at: manifest.made_at,
        n_files: manifest.files.len(),
        n_events,
        chain: manifest.chain.hash,
        faults,
    })
}

/// Reads every file of the archive.
fn contents(zip: &mut ZipArchive<File>, faults: &mut Vec<String>) -> BTreeMap<String, io::Result<Copied>> {
    let mut found = BTreeMap::new();
    for index in 0..zip.len() {
        let name = match zip.name_for_index(index) {
            Some(Ok(name)) => name.into_owned(),
            Some(Err(_)) | None => format!("file number {}", index + 1),
        };
        let read = zip.by_index(index).map_err(io::Error::from).and_then(|content| copy_hashed(content, io::sink()));
        if let Err(error) = &read {
            faults.push(format!("{name} cannot be read: {error}"));
        }
        if found.contains_key(&name) {
            faults.push(format!("{name} is in the archive twice"));
        }
        found.insert(name, read);
    }
    found
}

fn read_text(zip: &mut ZipArchive<File>, name: &str) -> Result<String, String> {
    let part = zip.by_name(name).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let n_read = part.take(MAX_READ + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if n_read as u64 > MAX_READ { Err(format!("{name} is too large")) } else { Ok(text) }
}

fn check_files(manifest: &Manifest, found: &BTreeMap<String, io::Result<Copied>>, faults: &mut Vec<String>) {
    let mut named = HashSet::from([MANIFEST]);
    for part in &manifest.files {
        named.insert(&part.path);
        match found.get(&part.path) {
            None => faults.push(format!("{} is missing", part.path)),
            Some(Ok(one)) if one.sha256 != part.sha256 => faults.push(format!("{} was changed", part.path)),
            Some(Ok(one)) if one.size != part.size => faults.push(format!("{} has another size", part.path)),
            // One that cannot be read was told when it was read.
            Some(Ok(_) | Err(_)) => {}
        }
    }
    let strangers = found.keys().filter(|path| !named.contains(path.as_str()));
    faults.extend(strangers.map(|path| format!("{path} was added: the manifest does not name it")));
}

/// Returns how many events there are.
fn check_events(manifest: &Manifest, events: &str, hashes: &str, faults: &mut Vec<String>) -> usize {
    let mut hashes = hashes.lines().map(|hash| if hash == NO_HASH { "" } else { hash });
    let mut previous = hashes.next().unwrap_or_default();
    let (mut expected, mut n_events) = (manifest.chain.first, 0);
    let artifacts: HashMap<&ArtifactKey, &str> =
        manifest.files.iter().filter_map(|part| Some((part.artifact.as_ref()?, part.sha256.as_str()))).collect();
    for line in events.lines() {
        n_events += 1;
        let hash = hashes.next();
        let Ok(event) = serde_json::from_str::<Event>(line) else {
            faults.push(format!("event {expected} was changed: it cannot be read"));
            previous = hash.unwrap_or_default();
            expected += 1;
            continue;
        };
        let named = format!("event {} ({})", event.seq, event.data.kind());
        if event.seq != expected {
            faults.push(format!("{named} stands where event {expected} belongs"));
        }
        match hash {
            None => faults.push(format!("{named} has no place in the chain")),
            // From before there was a chain.
            Some("") if previous.is_empty() => {}
            Some(hash) if hash == link(previous, line) => {}
            Some(_) => faults.push(format!("{named} was changed, or the one before it is gone")),
        }
        check_contents(manifest, &event, &named, &artifacts, faults);
        previous = hash.unwrap_or_default();
        expected = event.seq + 1;
    }
    let last = expected.saturating_sub(1);
    if n_events > 0 && last < manifest.chain.last {
        faults.push(format!("events {expected} to {} are missing", manifest.chain.last));
    }
    if previous != manifest.chain.hash || hashes.next().is_some() {
        faults.push("the chain ends otherwise than the manifest says".to_owned());
    }
    n_events
}

/// Checks that the bundle holds the very picture or file that an event names.
fn check_contents(
    manifest: &Manifest,
    event: &Event,
    named: &str,
    artifacts: &HashMap<&ArtifactKey, &str>,
    faults: &mut Vec<String>,
) {
    if let Some(picture) = picture_of(event) {
        let path = picture_path(picture);
        let part = manifest.files.iter().find(|part| part.path == path);
        let is_known_to_be_gone = manifest.missing.contains(&path);
        match part {
            Some(part) if part.sha256 == picture => {}
            Some(_) => faults.push(format!("{path} is not the picture that {named} shows")),
            None if is_known_to_be_gone => {}
            None => faults.push(format!("{path}, which {named} shows, is missing")),
        }
    }
    if let EventData::ArtifactsUpdated(updated) = &event.data
        && let Some(sha256) = &updated.sha256
        && artifacts.get(&updated.key).is_some_and(|theirs| theirs != sha256)
    {
        faults.push(format!("{} is not the file that {named} kept", updated.name));
    }
}
