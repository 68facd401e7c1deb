//! A bundle of a task in a real history: whole when it is made, and what is altered in it is named.

use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use image::{ImageFormat, RgbImage};
use sandbox_core::event::{AgentAction, AgentMessage, ArtifactsUpdated, EventData, NewEvent};
use sandbox_core::model::{Actor, Artifact, ArtifactKind, NetworkDestination, NetworkUser, Task, TaskStatus, Usage};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::manifest::{ARTIFACTS, EVENTS, HASHES, MANIFEST, REPORT};
use super::{Contents, Verdict, make, verify};
use crate::store::{Change, Store};

const REPORT_OF_THE_TASK: &[u8] = b"what the task found";

/// The files of a bundle: path and content.
type Files = Vec<(String, Vec<u8>)>;

struct Scene {
    home: tempfile::TempDir,
    store: Store,
    contents: Contents,
    picture: String,
}

impl Scene {
    /// A task of four events, with a picture and two artifacts of one name.
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path()).unwrap();
        let task = Task {
            id: "task_1".into(),
            sandbox_id: "sbx_1".into(),
            title: "Pay <b>the</b> invoice".to_owned(),
            prompt: Some("Pay it".to_owned()),
            playbook: None,
            status: TaskStatus::Completed,
            result: Some("Paid & done".to_owned()),
            error: None,
            metadata: Default::default(),
            usage: Usage::default(),
            created_at: 1_000,
            started_at: Some(1_000),
            ended_at: Some(63_000),
        };
        let mut png = Cursor::new(Vec::new());
        RgbImage::from_pixel(64, 48, image::Rgb([9, 90, 200])).write_to(&mut png, ImageFormat::Png).unwrap();
        let picture = store.blobs().put(png.get_ref().as_slice()).unwrap();
        let kept = store.blobs().put(REPORT_OF_THE_TASK).unwrap();
        let artifact = |key: &str| Artifact {
            key: key.into(),
            sandbox_id: "sbx_1".into(),
            task_id: Some("task_1".into()),
            name: "found.txt".to_owned(),
            kind: ArtifactKind::File,
            content_type: "text/plain".to_owned(),
            size: kept.size,
            sha256: kept.sha256.clone(),
            created_at: 2_000,
            recorded: None,
        };
        let artifacts = vec![artifact("art_1"), artifact("art_2")];
        let done = AgentAction {
            name: "click".to_owned(),
            summary: "clicked button \"Pay\"".to_owned(),
            picture: Some(picture.sha256.clone()),
            ..AgentAction::default()
        };
        let told: [EventData; 4] = [
            AgentMessage::new("I begin").into(),
            done.into(),
            ArtifactsUpdated::kept(&artifacts[0]).into(),
            AgentMessage::new("I am done").into(),
        ];
        let event = |data| NewEvent::new(&task.sandbox_id, Actor::Agent, 5_000, data).of_task(Some(&task.id));
        let change = Change {
            tasks: vec![task.clone()],
            artifacts: artifacts.clone(),
            events: told.into_iter().map(event).collect(),
            ..Change::default()
        };
        store.commit(change).await.unwrap();
        let events = store.chained(&task.id).await.unwrap();
        let network = vec![NetworkDestination {
            host: "shop.example".to_owned(),
            port: 443,
            by: NetworkUser::Browser,
            connections: 2,
            refused: 0,
            sent_bytes: 812,
            received_bytes: 40_960,
            first_at: 5_000,
            last_at: 6_000,
        }];
        let contents = Contents { task, events, handoffs: vec![], approvals: vec![], network, artifacts };
        Self { home, store, contents, picture: picture.sha256.clone() }
    }

    /// Makes the bundle; returns the files in it.
    fn made(&self) -> Files {
        let (file, size) = make(&self.contents, self.store.blobs(), 70_000).unwrap();
        assert_eq!(file.metadata().unwrap().len(), size);
        let mut zip = ZipArchive::new(file).unwrap();
        let mut files = Vec::new();
        for index in 0..zip.len() {
            let mut one = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            one.read_to_end(&mut bytes).unwrap();
            files.push((one.name().unwrap().into_owned(), bytes));
        }
        files
    }

    fn verdict(&self, files: &[(String, Vec<u8>)]) -> Verdict {
        let path = self.home.path().join("bundle.zip");
        pack(&path, files);
        verify(&path).unwrap()
    }
}

fn pack(path: &Path, files: &[(String, Vec<u8>)]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn text(files: &[(String, Vec<u8>)], name: &str) -> String {
    let (_, bytes) = files.iter().find(|(path, _)| path == name).unwrap_or_else(|| panic!("{name} is there"));
    String::from_utf8(bytes.clone()).unwrap()
}

fn put(files: &mut [(String, Vec<u8>)], name: &str, bytes: impl Into<Vec<u8>>) {
    files.iter_mut().find(|(path, _)| path == name).unwrap().1 = bytes.into();
}

#[tokio::test]
async fn a_bundle_is_whole_and_holds_everything() {
    let scene = Scene::new().await;
    let files = scene.made();
    let verdict = scene.verdict(&files);
    assert_eq!(verdict.faults, Vec::<String>::new());
    assert_eq!((verdict.n_events, verdict.chain.len()), (4, 64));
    assert_eq!(text(&files, "files/found.txt").as_bytes(), REPORT_OF_THE_TASK);
    assert_eq!(text(&files, "files/found (2).txt").as_bytes(), REPORT_OF_THE_TASK, "no name hides another");
    assert!(files.iter().any(|(name, _)| *name == format!("pictures/{}.png", scene.picture)));
}

#[tokio::test]
async fn the_report_tells_the_task_and_needs_nothing_else() {
    let scene = Scene::new().await;
    let report = text(&scene.made(), REPORT);
    assert!(report.contains("Pay &lt;b&gt;the&lt;/b&gt; invoice"), "what others wrote is text");
    assert!(report.contains("clicked button &quot;Pay&quot;") && report.contains("Paid &amp; done"), "{report}");
    assert!(report.contains("data:image/jpeg;base64,") && report.contains("took 1:02"), "{report}");
    assert!(report.contains("shop.example:443") && report.contains("40960 bytes"), "{report}");
    assert!(!report.contains("http://") && !report.contains("https://") && !report.contains("<script"), "{report}");
}

#[tokio::test]
async fn one_byte_of_a_file_a_picture_or_an_event_is_named() {
    let scene = Scene::new().await;
    let files = scene.made();
    let picture = format!("pictures/{}.png", scene.picture);
    for path in ["files/found.txt", picture.as_str(), REPORT, ARTIFACTS] {
        let mut altered = files.clone();
        let bytes = &mut altered.iter_mut().find(|(name, _)| name == path).unwrap().1;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        assert_eq!(scene.verdict(&altered).faults, [format!("{path} was changed")]);
    }
    let mut altered = files.clone();
    put(&mut altered, EVENTS, text(&files, EVENTS).replace("I am done", "I am dome"));
    let named = "event 4 (sandbox.agent.message) was changed, or the one before it is gone";
    assert_eq!(scene.verdict(&altered).faults, ["events.jsonl was changed", named]);
}

/// Brings the manifest into line with the files, as one who knows the format would.
fn cover_up(files: &mut [(String, Vec<u8>)]) {
    use sha2::{Digest, Sha256};
    let mut manifest: serde_json::Value = serde_json::from_str(&text(files, MANIFEST)).unwrap();
    for part in manifest["files"].as_array_mut().unwrap() {
        let path = part["path"].as_str().unwrap().to_owned();
        let Some((_, bytes)) = files.iter().find(|(name, _)| *name == path) else { continue };
        part["sha256"] = sandbox_core::hexadecimal(&Sha256::digest(bytes)).into();
        part["size"] = bytes.len().into();
    }
    put(files, MANIFEST, manifest.to_string());
}

#[tokio::test]
async fn a_manifest_that_was_changed_along_does_not_hide_it() {
    let scene = Scene::new().await;
    let files = scene.made();
    let check = |change: &dyn Fn(&mut Files), expected: &[&str]| {
        let mut altered = files.clone();
        change(&mut altered);
        cover_up(&mut altered);
        assert_eq!(scene.verdict(&altered).faults, expected);
    };
    check(&|_| {}, &[]);
    let second_gone = |files: &mut Files| {
        let left: Vec<String> = text(files, EVENTS)
            .lines()
            .enumerate()
            .filter(|(at, _)| *at != 1)
            .map(|(_, l)| l.to_owned() + "\n")
            .collect();
        put(files, EVENTS, left.concat());
        let left: Vec<String> = text(files, HASHES)
            .lines()
            .enumerate()
            .filter(|(at, _)| *at != 2)
            .map(|(_, l)| l.to_owned() + "\n")
            .collect();
        put(files, HASHES, left.concat());
    };
    check(
        &second_gone,
        &[
            "event 3 (sandbox.artifacts.updated) stands where event 2 belongs",
            "event 3 (sandbox.artifacts.updated) was changed, or the one before it is gone",
        ],
    );
    let end_gone = |files: &mut Files| {
        let left: Vec<String> = text(files, EVENTS).lines().take(3).map(|line| line.to_owned() + "\n").collect();
        put(files, EVENTS, left.concat());
        let left: Vec<String> = text(files, HASHES).lines().take(4).map(|line| line.to_owned() + "\n").collect();
        put(files, HASHES, left.concat());
    };
    check(&end_gone, &["events 4 to 4 are missing", "the chain ends otherwise than the manifest says"]);
    check(
        &|files| put(files, "files/found.txt", "what somebody else found"),
        &["found.txt is not the file that event 3 (sandbox.artifacts.updated) kept"],
    );
    let path = format!("pictures/{}.png", scene.picture);
    check(
        &|files| put(files, &path, "another picture"),
        &[&format!("{path} is not the picture that event 2 (sandbox.agent.action) shows")],
    );
}

#[tokio::test]
async fn what_is_missing_or_was_added_is_named() {
    let scene = Scene::new().await;
    let files = scene.made();
    let mut less = files.clone();
    less.retain(|(name, _)| name != "files/found.txt");
    assert_eq!(scene.verdict(&less).faults, ["files/found.txt is missing"]);
    let mut more = files.clone();
    more.push(("files/run-me.exe".to_owned(), b"MZ".to_vec()));
    assert_eq!(scene.verdict(&more).faults, ["files/run-me.exe was added: the manifest does not name it"]);
}

#[tokio::test]
async fn contents_that_the_history_has_no_more_are_named_and_no_fault() {
    let scene = Scene::new().await;
    assert!(scene.store.blobs().delete(&scene.picture).unwrap());
    let files = scene.made();
    assert_eq!(scene.verdict(&files).faults, Vec::<String>::new());
    assert!(text(&files, MANIFEST).contains(&format!("pictures/{}.png", scene.picture)));
}

#[tokio::test]
async fn what_is_no_bundle_says_so() {
    let scene = Scene::new().await;
    let path = scene.home.path().join("other");
    let said = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        verify(&path).unwrap_err().to_string()
    };
    assert!(said(b"not a zip").starts_with("this is no zip file"));
    pack(&path, &[("manifest.json".to_owned(), b"{}".to_vec())]);
    assert!(verify(&path).unwrap_err().to_string().starts_with("this is no bundle"));
    let mut files = scene.made();
    let manifest = text(&files, MANIFEST).replace("\"version\": 1", "\"version\": 2");
    put(&mut files, MANIFEST, manifest);
    pack(&path, &files);
    assert!(verify(&path).unwrap_err().to_string().contains("use a newer one"));
    assert!(verify(&scene.home.path().join("nothing")).unwrap_err().to_string().starts_with("read the bundle"));
}
