//! Where things lie in a room: paths that the runtime, the guest and programs agree on.

/// Where both rooms see the workspace.
pub const WORKSPACE_DIR: &str = "/workspace";

/// Where the desktop room sees the browser's profile. Its parent folder cannot be listed: no file chooser leads there.
pub const PROFILE_DIR: &str = "/run/kept/profile";

/// Folder of the workspace that downloads arrive in.
pub const DOWNLOADS: &str = "downloads";

/// Folder of the browser's profile where Chromium writes downloads, before the runtime moves them into the workspace.
pub const DOWNLOADS_IN_PROFILE: &str = "Exchange/out";
