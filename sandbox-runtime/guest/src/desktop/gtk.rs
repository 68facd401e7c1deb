//! What GTK finds in the browser's home. Chromium uses it for its file choosers alone.

use std::path::{Path, PathBuf};

/// See `gtk/module.rs`. In this form, and not in the environment: Chromium takes `GTK_MODULES` out of that.
const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gtk_module.so"));

/// Returns the files with what is in them.
pub fn files(home: &Path, workspace: &Path) -> [(PathBuf, Vec<u8>); 3] {
    let folder = home.join(".config/gtk-3.0");
    let module = folder.join("chooser.so");
    let settings = format!(
        "[Settings]\ngtk-decoration-layout=:close\ngtk-cursor-theme-name={}\ngtk-modules={}\n",
        super::cursor::THEME,
        module.display()
    );
    let bookmarks = format!("file://{} Workspace\n", workspace.display());
    [
        (folder.join("settings.ini"), settings.into_bytes()),
        (folder.join("bookmarks"), bookmarks.into_bytes()),
        (module, MODULE.to_owned()),
    ]
}
