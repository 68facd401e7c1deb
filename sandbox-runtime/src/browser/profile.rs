//! The browser's profile before its first start.
//!
//! Downloads land in the profile, see [`super::exchange`]: no link that a program of the shell room made leads them elsewhere.

use std::io;
use std::path::Path;

use sandbox_core::layout::DOWNLOADS_IN_PROFILE;
use serde_json::{Value, json};

use super::exchange::Exchange;

/// Writes the preferences that the runtime relies on into a profile, beside those that are there. Blocking;
/// to be called while no browser uses the profile. `workspace` and `seen` are where that browser sees the workspace and its
/// profile: [`sandbox_core::layout::WORKSPACE_DIR`] and [`sandbox_core::layout::PROFILE_DIR`] in a room.
pub fn prepare(profile: &Path, workspace: &str, seen: &str) -> io::Result<()> {
    forget_open_pages(profile)?;
    Exchange::prepare(profile)?;
    let folder = profile.join("Default");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("Preferences");
    let mut preferences: Value = match std::fs::read(&file) {
        // A damaged file is what Chromium itself would replace.
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({})),
        Err(error) if error.kind() == io::ErrorKind::NotFound => json!({}),
        Err(error) => return Err(error),
    };
    let downloads = format!("{seen}/{DOWNLOADS_IN_PROFILE}");
    let ours = json!({
        "download": { "default_directory": downloads, "prompt_for_download": false, "directory_upgrade": true },
        "savefile": { "default_directory": workspace },
        // A site that brings several files at once would wait for a person.
        "profile": { "default_content_setting_values": { "automatic_downloads": 1 }, "password_manager_enabled": false },
        "credentials_enable_service": false,
        // What a person types into forms is theirs: nothing of it is kept to be offered again.
        "autofill": { "profile_enabled": false, "credit_card_enabled": false },
        "search": { "suggest_enabled": false },
    });
    merge(&mut preferences, ours);
    let fresh = folder.join("Preferences.baton");
    std::fs::write(&fresh, preferences.to_string())?;
    std::fs::rename(&fresh, &file)
}

/// What a checkpoint takes of a profile, beside the cookies, which the browser itself is asked for. Not in it: caches, what
/// was typed or visited, passwords, and what Chromium keeps to open its pages again.
pub const KEPT: &[&str] = &[
    "Default/Preferences",
    "Default/Local Storage",
    "Default/IndexedDB",
    "Default/WebStorage",
    "Default/File System",
    "Default/databases",
];

/// Removes what Chromium keeps to open its pages again: it holds what was typed into their fields. Sign-ins stay.
/// Blocking; to be called while no browser uses the profile.
pub fn forget_open_pages(profile: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(profile.join("Default/Sessions")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_into_open_pages_goes_and_the_rest_stays() {
        let profile = tempfile::tempdir().unwrap();
        let place = |name: &str| profile.path().join("Default").join(name);
        std::fs::create_dir_all(place("Sessions")).unwrap();
        std::fs::write(place("Sessions/Session_1"), "one-time code").unwrap();
        std::fs::write(place("Cookies"), "signed in").unwrap();
        forget_open_pages(profile.path()).unwrap();
        forget_open_pages(profile.path()).unwrap();
        assert!(!place("Sessions").exists() && place("Cookies").exists());
    }

    #[test]
    fn preferences_are_added_and_others_kept() {
        let profile = tempfile::tempdir().unwrap();
        prepare(profile.path(), "/workspace", "/p").unwrap();
        let file = profile.path().join("Default/Preferences");
        let mut kept: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        kept["download"]["default_directory"] = json!("/elsewhere");
        kept["download"]["own"] = json!(7);
        std::fs::write(&file, kept.to_string()).unwrap();
        prepare(profile.path(), "/workspace", "/p").unwrap();
        let now: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(now["download"]["default_directory"], "/p/Exchange/out");
        assert_eq!(now["download"]["own"], 7);
    }
}
