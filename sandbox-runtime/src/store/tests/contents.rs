//! Contents by hash.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::artifact;
use crate::store::*;

/// SHA-256 of "hello", from the standard's own tools.
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn the_same_bytes_are_kept_once_under_their_hash_for_the_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let (one, two) = (store.blobs().put("hello".as_bytes()).unwrap(), store.blobs().put("hello".as_bytes()).unwrap());
    assert_eq!((one.sha256.as_str(), one.size), (HELLO, 5));
    assert_eq!(one.sha256, two.sha256);
    assert_eq!(files(&home.path().join("blobs")), [HELLO]);
    let path = home.path().join("blobs").join("2c").join(HELLO);
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut text = String::new();
    store.blobs().open(HELLO).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
}

#[test]
fn a_content_is_asked_for_by_a_hash_and_by_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    for sha256 in ["", "x", "../../history.db", &HELLO.to_uppercase(), &format!("{HELLO}0"), &"é".repeat(32)] {
        assert!(matches!(store.blobs().open(sha256), Err(StoreError::InvalidDigest(_))), "{sha256}");
        assert!(matches!(store.blobs().delete(sha256), Err(StoreError::InvalidDigest(_))), "{sha256}");
    }
    assert!(matches!(store.blobs().open(HELLO), Err(StoreError::NoSuchBlob(_))));
}

#[test]
fn a_content_cut_short_leaves_nothing_and_what_a_killed_run_left_is_cleared_away() {
    struct Breaks;
    impl Read for Breaks {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    assert!(store.blobs().put("hel".as_bytes().chain(Breaks)).is_err());
    assert_eq!(files(&home.path().join("blobs")), [""; 0]);
    std::fs::write(home.path().join("blobs/incoming/left"), "half").unwrap();
    drop(store);
    let _store = Store::open(home.path()).unwrap();
    assert_eq!(files(&home.path().join("blobs")), [""; 0]);
}

#[tokio::test]
async fn a_content_goes_with_the_last_artifact_that_has_it() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let blob = store.blobs().put("hello".as_bytes()).unwrap();
    let artifacts = vec![artifact("art_1", "a", HELLO), artifact("art_2", "b", HELLO)];
    store.commit(Change { artifacts, ..Change::default() }).await.unwrap();
    drop(blob);

    let delete = async |key: &str| {
        store.commit(Change { deleted_artifacts: vec![key.into()], ..Change::default() }).await.unwrap();
        store.blobs().open(HELLO).is_ok()
    };
    assert!(delete("art_1").await);
    assert!(delete("art_unknown").await);
    assert!(!delete("art_2").await);
    assert_eq!(store.artifact(&"art_2".into()).await.unwrap(), None);
}

#[tokio::test]
async fn a_content_that_somebody_is_about_to_refer_to_stays() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    store.blobs().put("hello".as_bytes()).unwrap();
    store.commit(Change { artifacts: vec![artifact("art_1", "a", HELLO)], ..Change::default() }).await.unwrap();

    let blob = store.blobs().put("hello".as_bytes()).unwrap();
    let copy = blob.clone();
    drop(blob);
    store.commit(Change { deleted_artifacts: vec!["art_1".into()], ..Change::default() }).await.unwrap();
    store.commit(Change { artifacts: vec![artifact("art_2", "b", HELLO)], ..Change::default() }).await.unwrap();
    drop(copy);
    assert!(store.blobs().open(HELLO).is_ok());
}

#[test]
fn a_content_that_was_changed_on_the_disk_is_refused_and_told_until_it_is_kept_again() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let sha256 = store.blobs().put("right".as_bytes()).unwrap().sha256.clone();
    let path = home.path().join("blobs").join(&sha256[..2]).join(&sha256);
    for wrong in ["wrong", "", "right and more"] {
        std::fs::write(&path, wrong).unwrap();
        let refused = store.blobs().open(&sha256);
        assert!(matches!(refused, Err(StoreError::ContentChanged(_))), "{wrong:?}: {refused:?}");
        assert_eq!(store.troubles(), [Trouble::ContentChanged { sha256: sha256.clone() }]);
    }
    store.blobs().put("right".as_bytes()).unwrap();
    assert_eq!(std::io::read_to_string(store.blobs().open(&sha256).unwrap()).unwrap(), "right");
    assert_eq!(store.troubles(), []);
}
