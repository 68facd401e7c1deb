//! The list of files of a checkpoint, as it is kept: JSON, in the order of the paths.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::CheckpointError;

const VERSION: u32 = 1;

/// Everything that a checkpoint holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    version: u32,
    /// What the browser is given back beside its files: its cookies and the addresses of its tabs.
    #[serde(default)]
    pub state: Value,
    pub entries: Vec<Entry>,
}

/// A file, folder or link. Paths are bytes, as the file system has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub part: Part,
    #[serde(with = "bytes")]
    pub path: PathBuf,
    /// Permissions.
    pub mode: u32,
    /// Nanoseconds since the epoch.
    pub modified: i64,
    pub kind: Kind,
}

/// Which folder an entry lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    Workspace,
    Profile,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Folder,
    File {
        size: u64,
        /// Of [`super::CHUNK`] bytes each, the last one of what is left. `None`: zeros that take no room.
        chunks: Vec<Option<String>>,
        /// How the file looked; absent where it changed just before it was read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        looks: Option<Looks>,
    },
    Link {
        #[serde(with = "bytes")]
        to: PathBuf,
    },
}

/// What changes when a file is written to, beside its size and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looks {
    pub inode: u64,
    /// Nanoseconds since the epoch.
    pub changed: i64,
}

impl Manifest {
    pub fn new(state: Value, mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|one, other| (one.part, &one.path).cmp(&(other.part, &other.path)));
        Self { version: VERSION, state, entries }
    }

    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a manifest has no maps whose keys are no texts")
    }

    /// # Errors
    ///
    /// [`CheckpointError::Manifest`] for one that this version does not read, or with a path that leads outside.
    pub fn decode(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| CheckpointError::Manifest(error.to_string()))?;
        if read.version != VERSION {
            return Err(CheckpointError::Manifest(format!("it was written by another version ({})", read.version)));
        }
        match read.entries.iter().find(|entry| !is_inside(&entry.path)) {
            Some(entry) => Err(CheckpointError::Manifest(format!("{} leads outside", entry.path.display()))),
            None => Ok(read),
        }
    }

    pub fn part(&self, part: Part) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.part == part)
    }

    /// Returns the contents of all files.
    pub fn contents(&self) -> impl Iterator<Item = &String> {
        self.entries.iter().flat_map(Entry::chunks).flatten()
    }

    /// Returns the bytes of all files.
    pub fn size(&self) -> u64 {
        self.entries.iter().map(Entry::size).sum()
    }

    /// Returns how many files of the workspace there are.
    pub fn files(&self) -> u64 {
        self.part(Part::Workspace).filter(|entry| matches!(entry.kind, Kind::File { .. })).count() as u64
    }
}

impl Entry {
    /// Returns the bytes of a file; 0 for anything else.
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::File { size, .. } => *size,
            Kind::Folder | Kind::Link { .. } => 0,
        }
    }

    pub fn chunks(&self) -> &[Option<String>] {
        match &self.kind {
            Kind::File { chunks, .. } => chunks,
            Kind::Folder | Kind::Link { .. } => &[],
        }
    }

    /// Returns the entry without how its file looked: two that are equal then have the same content.
    #[must_use]
    pub fn without_looks(mut self) -> Self {
        if let Kind::File { looks, .. } = &mut self.kind {
            *looks = None;
        }
        self
    }
}

fn is_inside(path: &Path) -> bool {
    let mut parts = path.components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Paths as text where they are text, else in hexadecimal digits.
mod bytes {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written<'a> {
        Text(std::borrow::Cow<'a, str>),
        Hex { hex: String },
    }

    pub fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        let written = match path.to_str() {
            Some(text) => Written::Text(text.into()),
            None => {
                let bytes = path.as_os_str().as_bytes();
                Written::Hex { hex: sandbox_core::hexadecimal(bytes) }
            }
        };
        written.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        let bytes = match Written::deserialize(from)? {
            Written::Text(text) => text.into_owned().into_bytes(),
            Written::Hex { hex } => read_hex(&hex).ok_or_else(|| serde::de::Error::custom("these are no digits"))?,
        };
        Ok(PathBuf::from(OsString::from_vec(bytes)))
    }

    fn read_hex(hex: &str) -> Option<Vec<u8>> {
        let digits = hex.as_bytes().chunks(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    }
}
