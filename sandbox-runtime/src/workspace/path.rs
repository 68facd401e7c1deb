//! Paths as callers write them: relative to `/workspace`, or beginning with it.

use std::ffi::OsString;

use sandbox_core::layout::WORKSPACE_DIR;

use super::WorkspaceError;

/// Longest path in bytes, as the kernel has it.
const MAX_PATH: usize = 4095;
/// Longest name in bytes.
const MAX_NAME: usize = 255;

/// A path that does not lead outside by its own words; links in it are another matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inside {
    /// Names from the workspace down; none for the workspace itself. Never `.` or `..`.
    pub parts: Vec<OsString>,
    /// The caller wrote a `/` at the end.
    pub folder: bool,
    /// As the caller wrote it.
    pub asked: String,
}

impl Inside {
    pub fn parse(asked: &str) -> Result<Self, WorkspaceError> {
        let invalid = |reason| WorkspaceError::InvalidPath { path: shortened(asked), reason };
        if asked.contains('\0') {
            return Err(invalid("a path cannot hold a NUL character"));
        }
        if asked.is_empty() {
            return Err(invalid("it is empty"));
        }
        if asked.len() > MAX_PATH {
            return Err(invalid("it is too long"));
        }
        let outside = || WorkspaceError::Outside { path: shortened(asked) };
        let mut parts: Vec<&str> = Vec::new();
        for part in relative(asked).ok_or_else(outside)?.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop().ok_or_else(outside)?),
                name if name.len() > MAX_NAME => return Err(invalid("a name in it is too long")),
                name => parts.push(name),
            }
        }
        let folder = asked.ends_with('/') || asked.ends_with("/.") || asked.ends_with("/..");
        Ok(Self { parts: parts.into_iter().map(OsString::from).collect(), folder, asked: asked.to_owned() })
    }

    /// Returns the path as answers have it: relative to the workspace, empty for the workspace itself.
    pub fn shown(&self) -> String {
        let parts: Vec<_> = self.parts.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }
}

impl super::Workspace {
    /// Returns a path as answers have it: relative to the workspace, without `.` and `..`.
    ///
    /// # Errors
    ///
    /// As for every path; links on it are not looked at.
    pub fn normal(&self, path: &str) -> Result<String, WorkspaceError> {
        Ok(Inside::parse(path)?.shown())
    }
}

/// Returns what follows `/workspace` in a path that begins with a `/`, and a relative one as it is.
pub(super) fn relative(path: &str) -> Option<&str> {
    if !path.starts_with('/') {
        return Some(path);
    }
    let path = without_slashes(path);
    let rest = path.strip_prefix(&WORKSPACE_DIR[1..])?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Drops the slashes (and `.` parts) that a path begins with.
fn without_slashes(mut path: &str) -> &str {
    loop {
        path = path.trim_start_matches('/');
        match path.strip_prefix("./") {
            Some(rest) => path = rest,
            None => return path,
        }
    }
}

/// A path in an error is for reading, not for filling a log.
fn shortened(path: &str) -> String {
    if path.len() <= 300 {
        return path.to_owned();
    }
    format!("{}…", &path[..path.floor_char_boundary(300)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(asked: &str, parts: &[&str]) {
        let inside = Inside::parse(asked).unwrap_or_else(|error| panic!("{asked:?}: {error}"));
        assert_eq!(inside.parts, parts.iter().map(OsString::from).collect::<Vec<_>>(), "{asked:?}");
    }

    #[test]
    fn a_path_is_the_same_with_and_without_the_workspace_before_it() {
        for asked in ["a/b", "/workspace/a/b", "./a//b", "a/./b", "//workspace//a/b", "/./workspace/a/b", "a/x/../b"] {
            check(asked, &["a", "b"]);
        }
        for asked in ["/workspace", "/workspace/", ".", "./", "a/.."] {
            check(asked, &[]);
        }
    }

    #[test]
    fn what_only_looks_like_a_way_out_is_a_name() {
        check("...", &["..."]);
        check("..a/b..", &["..a", "b.."]);
        check("%2e%2e/x", &["%2e%2e", "x"]);
        check(r"..\..\x", &[r"..\..\x"]);
        check("workspace/x", &["workspace", "x"]);
        check("~/x", &["~", "x"]);
        check("résumé 履歴書 🙂.txt", &["résumé 履歴書 🙂.txt"]);
    }

    #[test]
    fn every_spelling_of_a_way_out_is_refused() {
        let spellings = [
            "..",
            "../",
            "../x",
            "a/../..",
            "a/../../x",
            "/workspace/..",
            "/workspace/../etc",
            "/etc/passwd",
            "/",
            "//",
            "/.",
            "/..",
            "/workspacex",
            "/workspace.",
            "/Workspace/x",
            "/../workspace/x",
            "./..",
            "a/b/../../../x",
            "/workspace/a/../../b",
            "//etc/passwd",
            "/proc/self/root/etc",
            ".//../x",
        ];
        for asked in spellings {
            assert!(matches!(Inside::parse(asked), Err(WorkspaceError::Outside { .. })), "{asked:?}");
        }
    }

    #[test]
    fn a_path_that_no_file_can_have_is_refused_with_a_reason() {
        let (long_name, long_path) = ("n".repeat(256), "a/".repeat(2100));
        for asked in ["", "a\0b", "\0", &long_name, &long_path] {
            assert!(matches!(Inside::parse(asked), Err(WorkspaceError::InvalidPath { .. })), "{asked:?}");
        }
    }

    #[test]
    fn a_slash_at_the_end_means_a_folder() {
        assert!(Inside::parse("a/").unwrap().folder);
        assert!(Inside::parse("a/.").unwrap().folder);
        assert!(!Inside::parse("a/b").unwrap().folder);
    }
}
