//! One recording on the disk while it grows: `KEY.mp4` of fragments, and `KEY.jsonl` with when it began and its gaps.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sandbox_core::ArtifactKey;
use sandbox_core::model::{EpochMs, GapReason, RecordedSpan, RecordingGap};
use serde::{Deserialize, Serialize};

use super::avc::Parameters;
use super::movie::{Format, Movie, Sample, beginning, fragment};

#[derive(Debug, thiserror::Error)]
pub enum ReelError {
    #[error("{doing} {}: {source}", .path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("recording {}: {source}", .path.display())]
    Layout {
        path: PathBuf,
        #[source]
        source: mp4_atom::Error,
    },
    #[error("recording {}: it has no picture", .0.display())]
    Empty(PathBuf),
}

impl ReelError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    fn layout(path: &Path) -> impl FnOnce(mp4_atom::Error) -> Self {
        move |source| Self::Layout { path: path.to_owned(), source }
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => {
                matches!(source.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
            }
            Self::Layout { .. } | Self::Empty(_) => false,
        }
    }
}

/// A line beside the pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Began { at: EpochMs },
    GapBegan { at: EpochMs, why: GapReason },
    GapEnded { at: EpochMs },
    Ended { at: EpochMs },
}

/// A recording that grows. Its pictures have one size, and one set of parameters. Its calls block.
pub struct Reel {
    key: ArtifactKey,
    path: PathBuf,
    format: Format,
    began_at: EpochMs,
    newest_ms: Option<u64>,
    pictures: u32,
    bytes: u64,
    file: File,
    lines: File,
}

impl Reel {
    /// Begins a recording in `folder`, making that if there is none.
    pub fn begin(
        folder: &Path,
        key: &ArtifactKey,
        began_at: EpochMs,
        (width, height): (u16, u16),
        parameters: Parameters,
    ) -> Result<Self, ReelError> {
        let make = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        make.map_err(ReelError::io("make", folder))?;
        let path = folder.join(format!("{key}.mp4"));
        let create = |path: &Path| {
            let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            opened.map_err(ReelError::io("create", path))
        };
        let lines = create(&lines_of(&path))?;
        let file = create(&path)?;
        let format = Format { width, height, parameters };
        let key = key.clone();
        let mut reel = Self { key, path, format, began_at, newest_ms: None, pictures: 0, bytes: 0, file, lines };
        let head = beginning(&reel.format).map_err(ReelError::layout(&reel.path))?;
        reel.note(&Line::Began { at: began_at })?;
        reel.write(&head)?;
        Ok(reel)
    }

    /// Whether a picture of this size, with these parameters, goes into it.
    pub fn takes(&self, size: (u16, u16), parameters: Option<&Parameters>) -> bool {
        (self.format.width, self.format.height) == size && parameters.is_none_or(|new| *new == self.format.parameters)
    }

    /// Adds a picture; it is on its way to the disk when this returns.
    pub fn add(&mut self, at: EpochMs, key: bool, sample: &[u8]) -> Result<(), ReelError> {
        let at_ms = u64::try_from(at - self.began_at).unwrap_or(0);
        // Times only grow, whatever the clock does.
        let at_ms = self.newest_ms.map_or(at_ms, |newest| at_ms.max(newest + 1));
        self.pictures += 1;
        let bytes = fragment(self.pictures, at_ms, key, sample).map_err(ReelError::layout(&self.path))?;
        self.write(&bytes)?;
        self.newest_ms = Some(at_ms);
        Ok(())
    }

    pub fn gap_began(&mut self, at: EpochMs, why: GapReason) -> Result<(), ReelError> {
        self.note(&Line::GapBegan { at, why })
    }

    pub fn gap_ended(&mut self, at: EpochMs) -> Result<(), ReelError> {
        self.note(&Line::GapEnded { at })
    }

    pub fn ended(&mut self, at: EpochMs) -> Result<(), ReelError> {
        self.note(&Line::Ended { at })
    }

    pub fn key(&self) -> ArtifactKey {
        self.key.clone()
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn parameters(&self) -> &Parameters {
        &self.format.parameters
    }

    pub fn began_at(&self) -> EpochMs {
        self.began_at
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ReelError> {
        self.file.write_all(bytes).map_err(ReelError::io("write to", &self.path))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn note(&mut self, line: &Line) -> Result<(), ReelError> {
        let mut text = serde_json::to_string(line).expect("plain data is always JSON");
        text.push('\n');
        self.lines.write_all(text.as_bytes()).map_err(ReelError::io("write to", &lines_of(&self.path)))
    }
}

/// A recording as it lies on the disk: one that grows, or that a runtime left.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    pub key: ArtifactKey,
    pub span: RecordedSpan,
    /// Bytes so far.
    pub size: u64,
    /// Whether its end is noted.
    pub is_ended: bool,
    path: PathBuf,
}

/// Returns the recordings that lie in a folder, oldest first.
pub fn unfinished(folder: &Path) -> Vec<Unfinished> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let paths = entries.filter(|path| path.extension().is_some_and(|ending| ending == "mp4"));
    let mut found: Vec<Unfinished> = paths.filter_map(look_at).collect();
    found.sort_by_key(|one| one.span.started_at);
    found
}

/// Returns the recording with this key, if it lies in the folder.
pub fn find(folder: &Path, key: &ArtifactKey) -> Option<Unfinished> {
    // Compared and never joined: a key comes from an address.
    let mut paths = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    paths
        .find(|path| {
            path.extension().is_some_and(|ending| ending == "mp4")
                && path.file_stem().is_some_and(|stem| stem == key.as_str())
        })
        .and_then(look_at)
}

fn look_at(path: PathBuf) -> Option<Unfinished> {
    let key = ArtifactKey::from(path.file_stem()?.to_str()?);
    let found = std::fs::metadata(&path).ok()?;
    let written = found.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let lines = std::fs::read_to_string(lines_of(&path)).unwrap_or_default();
    let span = span_of(&lines, i64::try_from(written.as_millis()).ok()?);
    let is_ended = lines.lines().any(|line| matches!(serde_json::from_str(line), Ok(Line::Ended { .. })));
    Some(Unfinished { key, span, size: found.len(), is_ended, path })
}

/// Reads the lines; what has no end ends with the last write. A line that was cut is left out.
fn span_of(lines: &str, written_at: EpochMs) -> RecordedSpan {
    let mut span = RecordedSpan { started_at: written_at, ended_at: written_at, gaps: vec![] };
    let mut open = None;
    for line in lines.lines().filter_map(|line| serde_json::from_str(line).ok()) {
        match line {
            Line::Began { at } => span.started_at = at,
            Line::GapBegan { at, why } => open = Some((at, why)),
            Line::GapEnded { at } => {
                span.gaps.extend(open.take().map(|(from, why)| RecordingGap { from, to: at, why }));
            }
            Line::Ended { at } => span.ended_at = at,
        }
    }
    let last = span.gaps.last().map_or(span.started_at, |gap| gap.to);
    span.ended_at = span.ended_at.max(last).max(open.map_or(0, |(from, _)| from));
    span.gaps.extend(open.map(|(from, why)| RecordingGap { from, to: span.ended_at, why }));
    span
}

impl Unfinished {
    fn open(&self) -> Result<File, ReelError> {
        File::open(&self.path).map_err(ReelError::io("open", &self.path))
    }

    /// Writes what there is by now to a file without a name, as an ordinary MP4, and returns that with its size: a player
    /// finds no place to seek to in one that grows.
    ///
    /// # Errors
    ///
    /// [`ReelError::Empty`] where it holds no picture.
    pub fn snapshot(&self) -> Result<(File, u64), ReelError> {
        let folder = self.path.parent().expect("a recording lies in a folder");
        let mut file = tempfile::tempfile_in(folder).map_err(ReelError::io("write in", folder))?;
        let size = std::io::copy(&mut self.whole()?, &mut file).map_err(ReelError::io("copy", &self.path))?;
        Ok((file, size))
    }

    /// Reads it as an ordinary MP4, with its index first.
    ///
    /// # Errors
    ///
    /// [`ReelError::Empty`] where it holds no picture.
    pub fn whole(&self) -> Result<impl Read + use<>, ReelError> {
        let mut file = self.open()?;
        let movie = Movie::read(&mut file).map_err(ReelError::layout(&self.path))?;
        if movie.samples.is_empty() {
            return Err(ReelError::Empty(self.path.clone()));
        }
        let ended_ms = u64::try_from(self.span.ended_at - self.span.started_at).unwrap_or(0);
        let head = movie.head(ended_ms).map_err(ReelError::layout(&self.path))?;
        Ok(Cursor::new(head).chain(Samples { file, left: movie.samples.into_iter(), now: None }))
    }

    /// Removes it from the disk.
    pub fn remove(&self) {
        for path in [&self.path, &lines_of(&self.path)] {
            if let Err(error) = std::fs::remove_file(path) {
                tracing::warn!(path = %path.display(), %error, "a recording's file stays");
            }
        }
    }
}

/// The bytes of pictures, one after the other.
struct Samples {
    file: File,
    left: std::vec::IntoIter<Sample>,
    now: Option<u64>,
}

impl Read for Samples {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let left = match self.now {
                Some(left) if left > 0 => left,
                Some(_) | None => {
                    let Some(sample) = self.left.next() else { return Ok(0) };
                    self.file.seek(SeekFrom::Start(sample.offset))?;
                    u64::from(sample.size)
                }
            };
            let n_read = (&mut self.file).take(left).read(buffer)?;
            self.now = Some(left - n_read as u64);
            if n_read > 0 || buffer.is_empty() || left > 0 {
                return Ok(n_read);
            }
        }
    }
}

fn lines_of(path: &Path) -> PathBuf {
    path.with_extension("jsonl")
}

/// Returns the folders of recordings beneath `folder`, by the sandbox that they are named for.
pub fn folders(folder: &Path) -> BTreeMap<String, PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        Parameters { sequence: vec![0x67, 66, 192, 31], picture: vec![0x68] }
    }

    #[test]
    fn what_was_written_is_found_with_its_gaps_and_becomes_a_whole_file() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("sbx_1");
        let mut reel = Reel::begin(&folder, &"art_1".into(), 5_000, (64, 48), parameters()).unwrap();
        reel.add(5_000, true, b"first").unwrap();
        reel.gap_began(6_000, GapReason::Person).unwrap();
        reel.gap_ended(9_000).unwrap();
        reel.add(6_000, true, b"card").unwrap();
        reel.add(5_500, false, b"late").unwrap();
        reel.gap_began(9_500, GapReason::Typed).unwrap();
        reel.ended(12_000).unwrap();
        let [found] = &unfinished(&folder)[..] else { panic!("one recording is there") };
        assert!(found.is_ended);
        assert_eq!(found.key, "art_1".into());
        let gaps = vec![
            RecordingGap { from: 6_000, to: 9_000, why: GapReason::Person },
            RecordingGap { from: 9_500, to: 12_000, why: GapReason::Typed },
        ];
        assert_eq!(found.span, RecordedSpan { started_at: 5_000, ended_at: 12_000, gaps });
        let mut whole = Vec::new();
        found.whole().unwrap().read_to_end(&mut whole).unwrap();
        assert!(whole.ends_with(b"firstcardlate"));
        let (mut snapshot, size) = found.snapshot().unwrap();
        let mut read = Vec::new();
        snapshot.rewind().unwrap();
        snapshot.read_to_end(&mut read).unwrap();
        assert_eq!((read.len() as u64, read), (size, whole));
        let movie = Movie::read(&mut found.open().unwrap()).unwrap();
        assert_eq!(movie.samples.iter().map(|sample| sample.at_ms).collect::<Vec<_>>(), [0, 1_000, 1_001]);
        found.remove();
        assert_eq!(unfinished(&folder), []);
    }

    #[test]
    fn what_a_kill_left_ends_with_the_last_write() {
        let lines = "{\"began\":{\"at\":10}}\n{\"gapBegan\":{\"at\":40,\"why\":\"person\"}}\n{\"gapEn";
        let gaps = vec![RecordingGap { from: 40, to: 90, why: GapReason::Person }];
        assert_eq!(span_of(lines, 90), RecordedSpan { started_at: 10, ended_at: 90, gaps });
        assert_eq!(span_of("", 90), RecordedSpan { started_at: 90, ended_at: 90, gaps: vec![] });
    }

    #[test]
    fn a_picture_of_another_size_or_with_other_parameters_needs_another_reel() {
        let home = tempfile::tempdir().unwrap();
        let reel = Reel::begin(home.path(), &"art_1".into(), 0, (64, 48), parameters()).unwrap();
        assert!(reel.takes((64, 48), None));
        assert!(reel.takes((64, 48), Some(&parameters())));
        assert!(!reel.takes((66, 48), None));
        assert!(!reel.takes((64, 48), Some(&Parameters { sequence: vec![0x67, 66, 192, 32], ..parameters() })));
    }

    #[test]
    fn a_recording_without_a_picture_is_none() {
        let home = tempfile::tempdir().unwrap();
        drop(Reel::begin(home.path(), &"art_1".into(), 0, (64, 48), parameters()).unwrap());
        assert!(matches!(unfinished(home.path())[0].whole().map(drop), Err(ReelError::Empty(_))));
    }
}
