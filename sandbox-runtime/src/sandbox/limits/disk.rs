//! How much of the disk a folder takes.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Returns the bytes of all blocks beneath a folder; links are counted and not followed, other file systems left out.
///
/// What cannot be read, or goes while it is read, counts nothing: the next look sees it.
pub fn used_bytes(folder: &Path) -> u64 {
    const BLOCK: u64 = 512;
    let Ok(top) = std::fs::symlink_metadata(folder) else { return 0 };
    let (mut used, mut waiting) = (0_u64, vec![folder.to_owned()]);
    let mut many_names = std::collections::BTreeSet::new();
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.dev() != top.dev()
                || (metadata.nlink() > 1 && metadata.is_file() && !many_names.insert(metadata.ino()))
            {
                continue;
            }
            used = used.saturating_add(metadata.blocks().saturating_mul(BLOCK));
            if metadata.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_takes_what_its_files_take_each_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/file"), vec![1; 1 << 20]).unwrap();
        let one = used_bytes(folder.path());
        assert!((1 << 20..3 << 20).contains(&one), "{one}");
        fs::hard_link(folder.path().join("deep/file"), folder.path().join("again")).unwrap();
        std::os::unix::fs::symlink("/usr", folder.path().join("link")).unwrap();
        assert!(used_bytes(folder.path()) < one + (1 << 16));
    }
}
