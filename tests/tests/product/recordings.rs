//! Recordings: what a player finds in them, what a kill leaves of them, and that nothing of a takeover is in them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use baton_tests::{Baton, Scene, eventually, kept_in};
use serde_json::{Value, json};

const CANARY: &str = "canary-7719-recorded";
const GREEN: [u8; 3] = [0, 160, 0];
const BLUE: [u8; 3] = [0, 0, 200];
/// The page has this colour while the field holds something.
const MAGENTA: [u8; 3] = [255, 0, 255];
/// The ground of the plain picture that stands for a gap.
const CARD: [u8; 3] = [35, 39, 46];

const PAGES: [(&str, &str); 2] = [
    ("/calm", r#"<title>Calm</title><body style="background: rgb(0 160 0)">"#),
    (
        "/form",
        r#"<title>Form</title><body style="background: rgb(0 160 0)"><input id="field" autofocus><script>
        field.addEventListener('input', () => {
            document.body.style.background = field.value ? '#f0f' : 'rgb(0 160 0)';
            if (field.value.length === 20) fetch('/told?typed=all').then(() => { location = '/after'; });
        })</script>"#,
    ),
];

/// A page that comes at once and draws late: until then the browser shows the page before.
fn late() -> Router {
    let style = get(|| async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        ([("content-type", "text/css")], "body { background: rgb(0 0 200) }")
    });
    let page = get(|| async { Html(r#"<title>After</title><link rel="stylesheet" href="/late.css"><p>After"#) });
    Router::new().route("/late.css", style).route("/after", page)
}

async fn scene() -> Scene {
    let browser = json!({ "viewport": { "width": 640, "height": 480 }, "recording": true });
    Scene::open(&PAGES, late(), json!({ "capabilities": { "browser": browser } })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_plays_with_true_times_and_nothing_of_a_takeover_is_in_it() {
    let scene = scene().await;
    scene.navigate("/form").await;
    let growing = shows(&scene, GREEN).await;
    assert_eq!(growing["growing"], true, "{growing}");

    let viewer = scene.person().await;
    viewer.still_picture().await;
    viewer.text(CANARY).await;
    scene.site.told("typed").await;
    // The page before is still on the screen.
    viewer.stop_reading();
    scene.release().await;
    shows(&scene, BLUE).await;
    scene.baton.ok("DELETE", &scene.path(""), None).await;
    scene.baton.until(&scene.path(""), "/status", "ended").await;

    let [recording] = &recordings(&scene).await[..] else { panic!("there is one recording") };
    let [gap] = &recording["gaps"].as_array().expect("a list")[..] else { panic!("there is one gap: {recording}") };
    assert_eq!(gap["why"], "person");
    let movie = Movie::of_bytes(&content(&scene, recording).await);
    let at = |time: &Value, from: &Value| (time.as_i64().unwrap() - from.as_i64().unwrap()) as f64 / 1000.0;
    let started = &recording["startedAt"];
    assert_eq!(movie.duration(), at(&recording["endedAt"], started));
    let keys = movie.key_frames();
    assert_eq!(keys[0], 0.0);
    for (edge, what) in [("from", "the plain picture"), ("to", "the page after it")] {
        assert!(keys.contains(&at(&gap[edge], started)), "{what} can be sought to: {gap} in {keys:?}");
    }
    let frames = movie.frames();
    let first = |colour| frames.iter().position(|frame| frame.is(colour)).expect("it is shown");
    assert!(first(GREEN) < first(CARD) && first(CARD) < first(BLUE));
    assert!(frames.iter().all(|frame| !frame.has(MAGENTA)), "a frame shows what the person saw");
    assert_eq!(kept_in(&scene.baton, CANARY), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_kill_leaves_plays_and_becomes_an_artifact_at_the_next_start() {
    let Scene { mut baton, site, sandbox } = {
        let scene = scene().await;
        scene.navigate("/calm").await;
        shows(&scene, GREEN).await;
        scene
    };
    baton.kill_9().await;
    let folder = baton.home().join("recordings").join(&sandbox);
    let left = std::fs::read_dir(folder).expect("it lies there").map(|entry| entry.expect("an entry").path());
    let left = left.filter(|path| path.extension().is_some_and(|ending| ending == "mp4")).collect::<Vec<_>>();
    assert!(Movie::at(left[0].clone()).frames().iter().any(|frame| frame.is(GREEN)), "a player plays what is there");

    let scene = Scene { baton: Baton::start_at(baton.into_home()).await, site, sandbox };
    let kept = eventually("it is an artifact", || async {
        let kept = scene.baton.get(&scene.path("/artifacts")).await["data"][0].clone();
        (kept["kind"] == "recording").then_some(kept)
    })
    .await;
    let [recording] = &recordings(&scene).await[..] else { panic!("it is told once") };
    assert_eq!((&recording["key"], &recording["size"]), (&kept["key"], &kept["size"]));
    let movie = Movie::of_bytes(&content(&scene, recording).await);
    assert!(movie.frames().iter().any(|frame| frame.is(GREEN)));
    let freed = scene.baton.ok("DELETE", &scene.path("?forget=true"), None).await;
    assert!(freed["freedBytes"].as_u64() >= kept["size"].as_u64(), "{freed}");
}

async fn recordings(scene: &Scene) -> Vec<Value> {
    scene.baton.get(&scene.path("/recordings")).await["data"].as_array().expect("a list").clone()
}

async fn content(scene: &Scene, recording: &Value) -> Vec<u8> {
    scene.baton.bytes(&format!("/artifacts/{}/content", recording["key"].as_str().expect("a key"))).await
}

/// Waits until the newest picture of the recording, as it grows, has this colour.
async fn shows(scene: &Scene, colour: [u8; 3]) -> Value {
    eventually("it is recorded", || async {
        let recording = recordings(scene).await.pop()?;
        let movie = Movie::of_bytes(&content(scene, &recording).await);
        movie.frames().last()?.is(colour).then_some(recording)
    })
    .await
}

/// A file, as ffmpeg plays it.
struct Movie {
    path: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

/// Pixels of a frame, made small.
struct Frame(Vec<u8>);

const SMALL: (usize, usize) = (32, 24);

impl Movie {
    fn at(path: PathBuf) -> Self {
        Self { path, _folder: None }
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("recording.mp4");
        std::fs::write(&path, bytes).expect("it can be written");
        Self { path, _folder: Some(folder) }
    }

    fn duration(&self) -> f64 {
        probe(&self.path, &["-show_entries", "format=duration"])["format"]["duration"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("it has a length")
    }

    /// Returns where a player can begin, in seconds.
    fn key_frames(&self) -> Vec<f64> {
        let told = probe(&self.path, &["-show_entries", "packet=pts_time,flags"]);
        let packets = told["packets"].as_array().expect("a list").iter();
        let keys = packets.filter(|packet| packet["flags"].as_str().is_some_and(|flags| flags.starts_with('K')));
        keys.map(|packet| packet["pts_time"].as_str().and_then(|text| text.parse().ok()).expect("a time")).collect()
    }

    fn frames(&self) -> Vec<Frame> {
        let scale = format!("scale={}:{}:flags=area", SMALL.0, SMALL.1);
        let played = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&self.path)
            .args(["-vf", &scale, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
            .output()
            .expect("ffmpeg is installed: script/setup test");
        // What grows may be cut in the middle of a picture, which a player leaves out.
        played.stdout.chunks_exact(SMALL.0 * SMALL.1 * 3).map(|pixels| Frame(pixels.to_vec())).collect()
    }
}

impl Frame {
    /// Whether most of it has this colour.
    fn is(&self, colour: [u8; 3]) -> bool {
        self.count(colour) * 2 > SMALL.0 * SMALL.1
    }

    fn has(&self, colour: [u8; 3]) -> bool {
        self.count(colour) > 0
    }

    fn count(&self, colour: [u8; 3]) -> usize {
        let near = |pixel: &&[u8]| pixel.iter().zip(colour).all(|(is, wanted)| is.abs_diff(wanted) < 40);
        self.0.chunks_exact(3).filter(near).count()
    }
}

fn probe(path: &Path, show: &[&str]) -> Value {
    let probed = Command::new("ffprobe").args(["-v", "error", "-of", "json"]).args(show).arg(path).output();
    let probed = probed.expect("ffprobe is installed: script/setup test");
    assert!(probed.stderr.is_empty(), "{}", String::from_utf8_lossy(&probed.stderr));
    serde_json::from_slice(&probed.stdout).expect("JSON")
}
