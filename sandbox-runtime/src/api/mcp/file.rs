//! What one call reads of a file: a part of a text, or a picture.

use crate::workspace::{CONTENT_TYPE_HEAD, Workspace, WorkspaceError, content_type};

/// How much of a text one call reads, and how large a picture.
const MAX_TEXT: u64 = 64 << 10;
const MAX_PICTURE: u64 = 4 << 20;

/// What was read of a file.
pub struct ReadFile {
    pub path: String,
    pub content_type: String,
    pub size: u64,
    pub offset: u64,
    pub bytes: Vec<u8>,
}

pub fn read_file(workspace: &Workspace, path: &str, offset: u64) -> Result<ReadFile, WorkspaceError> {
    let head = workspace.read(path, Some((0, CONTENT_TYPE_HEAD as u64)))?;
    let content_type = content_type(path, &head.bytes);
    let limit = if content_type.starts_with("image/") { MAX_PICTURE } else { MAX_TEXT };
    let content = workspace.read(path, Some((offset, offset.saturating_add(limit))))?;
    Ok(ReadFile { path: path.to_owned(), content_type, size: content.size, offset, bytes: content.bytes })
}
