//! The budgets of the live view and the sandbox, beside what the newest run measured.

use baton_tests::measure::median;
use serde_json::{Map, Value, json};

use crate::table::{number, print};

/// Every figure of the newest run of each part.
type Figures = Map<String, Value>;

/// What a figure is held against.
enum Budget {
    AtMost(f64),
    AtLeast(f64),
}
use Budget::{AtLeast, AtMost};

/// Returns each budget with what was measured, as `{ name: { value, budget, reached } }`, and prints them as a table.
/// What no run has measured is left out.
pub fn compare(figures: &Figures) -> Value {
    let (mut rows, mut kept) = (vec![], Map::new());
    for (name, budget, value) in all(figures) {
        let Some(value) = value.filter(|value| value.is_finite()) else { continue };
        let (limit, sign, reached) = match budget {
            AtMost(limit) => (limit, "≤", value <= limit),
            AtLeast(limit) => (limit, "≥", value >= limit),
        };
        rows.push(vec![
            name.to_owned(),
            number(value, 3),
            format!("{sign} {limit}"),
            if reached { "reached" } else { "missed" }.to_owned(),
        ]);
        kept.insert(name.to_owned(), json!({ "value": value, "budget": limit, "reached": reached }));
    }
    print("Budgets", &["", "measured", "budget", ""], &rows);
    Value::Object(kept)
}

#[rustfmt::skip]
fn all(figures: &Figures) -> Vec<(&'static str, Budget, Option<f64>)> {
    let at = |path: &str| figures.get(path.split('/').next()?)?.pointer(&path[path.find('/')?..])?.as_f64();
    let flow = |mode: &str, who: &str, field: &str| {
        let runs = figures.get(&format!("flow.{mode}.{who}"))?.as_array()?;
        let values: Option<Vec<f64>> = runs.iter().map(|run| run.pointer(field)?.as_f64()).collect();
        Some(median(&values?))
    };
    let frames = |mode: &str, who: &str| Some(flow(mode, who, "/frames/seen")? / flow(mode, who, "/frames/drawn")?);
    let gap = |mode: &str, who: &str| flow(mode, who, "/frames/longestGapMs");
    let above_floor = |mode: &str, who: &str, field: &str| Some(flow(mode, who, field)? - flow(mode, "floor", field)?);
    let of_peer = |mode: &str, who: &str, field: &str| {
        Some(above_floor(mode, who, field)? / above_floor(mode, "peer", field)?)
    };
    let (source, viewer, bytes) = ("/sourceSPerMin", "/viewerSPerMin", "/mbPerMin");
    let with_viewer = |who: &str| Some(above_floor("scroll", who, source)? + flow("scroll", who, viewer)?);
    vec![
        ("P1 click at rest, WebSocket, p50 × floor", AtMost(1.8), at("clickAtRest.socket/p50OfFloor")),
        ("P1 click at rest, WebSocket, p95 × floor", AtMost(2.6), at("clickAtRest.socket/p95OfFloor")),
        ("P1 click at rest, window's canvas, p50 × floor", AtMost(2.2), at("clickAtRest.window/p50OfFloor")),
        ("P1 click at rest, window's canvas, p95 × floor", AtMost(3.0), at("clickAtRest.window/p95OfFloor")),
        ("P2 click at rest, WebRTC, p50 × floor", AtMost(3.0), at("clickAtRest.webrtc/p50OfFloor")),
        ("P2 click at rest, WebRTC, p95 × floor", AtMost(4.0), at("clickAtRest.webrtc/p95OfFloor")),
        ("P3 key at rest, WebSocket, p50 × floor", AtMost(1.8), at("keyAtRest.socket/p50OfFloor")),
        ("P3 key at rest, window's canvas, p50 × floor", AtMost(2.2), at("keyAtRest.window/p50OfFloor")),
        ("P4 source CPU above the page's × peer, scroll", AtMost(0.07), of_peer("scroll", "socket", source)),
        ("P4 source CPU above the page's × peer, video", AtMost(0.10), of_peer("video", "socket", source)),
        ("P4 streamer's own CPU, s a minute, scroll", AtMost(2.0), above_floor("scroll", "socket", source)),
        ("P4 streamer's own CPU, s a minute, video", AtMost(6.0), above_floor("video", "socket", source)),
        ("P4b CPU with the viewer × peer, scroll", AtMost(0.25), with_viewer("socket").zip(with_viewer("peer")).map(|(ours, peer)| ours / peer)),
        ("P5 frames delivered, scroll, WebSocket", AtLeast(0.99), frames("scroll", "socket")),
        ("P5 frames delivered, video, WebSocket", AtLeast(0.99), frames("video", "socket")),
        ("P5 longest gap, scroll, WebSocket, ms", AtMost(25.0), gap("scroll", "socket")),
        ("P5 longest gap, video, WebSocket, ms", AtMost(42.0), gap("video", "socket")),
        ("P5 frames delivered, scroll, window", AtLeast(0.99), frames("scroll", "window")),
        ("P5 frames delivered, video, window", AtLeast(0.99), frames("video", "window")),
        ("P5 longest gap, scroll, window, ms", AtMost(25.0), gap("scroll", "window")),
        ("P5 longest gap, video, window, ms", AtMost(42.0), gap("video", "window")),
        ("P5b frames delivered, scroll, WebRTC", AtLeast(0.97), frames("scroll", "webrtc")),
        ("P5b frames delivered, video, WebRTC", AtLeast(0.97), frames("video", "webrtc")),
        ("P6 a page at rest, WebSocket, MB a minute above the rig's own", AtMost(0.01), above_floor("still", "socket", bytes)),
        ("P6 a page at rest, WebRTC, MB a minute above the rig's own", AtMost(0.1), above_floor("still", "webrtc", bytes)),
        ("P7 MB × peer, typing, WebSocket", AtMost(0.002), of_peer("typing", "socket", bytes)),
        ("P7 MB × peer, scroll, WebSocket", AtMost(0.04), of_peer("scroll", "socket", bytes)),
        ("P7 MB × peer, video, WebSocket", AtMost(1.0), of_peer("video", "socket", bytes)),
        ("P7 MB × peer, typing, WebRTC", AtMost(0.01), of_peer("typing", "webrtc", bytes)),
        ("P7 MB × peer, scroll, WebRTC", AtMost(0.04), of_peer("scroll", "webrtc", bytes)),
        ("P7 MB × peer, video, WebRTC", AtMost(0.7), of_peer("video", "webrtc", bytes)),
        ("P8 equal pixels 1 s after the last change, WebSocket", AtLeast(1.0), at("exact.socket/equal")),
        ("P8 luma SSIM 1 s after the last change, WebRTC", AtLeast(0.999), at("exact.webrtc/lumaSsim")),
        ("P9 click while scrolling, WebSocket, p50 × floor", AtMost(1.4), at("clickWhileScrolling.socket/p50OfFloor")),
        ("P9 click while scrolling, WebSocket, p95 × floor", AtMost(1.5), at("clickWhileScrolling.socket/p95OfFloor")),
        ("P9 click while scrolling, window, p50 × floor", AtMost(1.4), at("clickWhileScrolling.window/p50OfFloor")),
        ("P9 click while scrolling, window, p95 × floor", AtMost(1.5), at("clickWhileScrolling.window/p95OfFloor")),
        ("P10 launch until ready × by hand", AtMost(1.1), at("start/ratio")),
        ("P11 exec of true, p50, ms", AtMost(5.0), at("exec/ours/p50")),
        ("P12 a CDP call through the gate × a raw port", AtMost(1.1), at("gate.act/ratio")),
        ("P13 take control until the first input, p95, ms", AtMost(50.0), at("take/p95")),
        ("P14 a sandbox's memory above its Chromium and display, MiB", AtMost(40.0), at("memory/sandboxMib")),
        ("P14 the runtime's memory with ten sandboxes, MiB", AtMost(120.0), at("memory/runtimeMib")),
        ("P15 open a history of a million events, ms", AtMost(500.0), at("history/openMs")),
        ("P15 newest page of a task, p95, ms", AtMost(5.0), at("history/pageP95Ms")),
        ("P15 search, p95, ms", AtMost(50.0), at("history/searchP95Ms")),
        ("P15 events committed a second", AtLeast(5_000.0), at("history/eventsPerS")),
    ]
}
