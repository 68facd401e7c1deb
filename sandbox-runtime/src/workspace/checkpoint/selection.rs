//! What of a folder a checkpoint keeps.

use std::path::Path;

/// What of a folder is kept.
#[derive(Clone, Copy, Debug)]
pub enum Selection {
    All,
    /// These paths, and what is beneath them.
    Only(&'static [&'static str]),
}

impl Selection {
    /// Whether a path is kept, or leads to one that is.
    pub fn has(self, path: &Path) -> bool {
        match self {
            Self::All => true,
            Self::Only(kept) => kept.iter().any(|kept| path.starts_with(kept) || Path::new(kept).starts_with(path)),
        }
    }
}
