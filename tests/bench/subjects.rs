//! Who is measured: the floor, the peer and ours, each with its page open and a person at its wheel.

use std::any::Any;

use anyhow::{Context, Result};
use baton_tests::{Baton, Window, keys};
use serde_json::json;

use crate::chromium::Chromium;
use crate::pages::Stage;
use crate::peer::{Fault, Peer};
use crate::probe::{Marks, Probe};
use crate::{PAGE_SIZE, VIEW_SIZE, WINDOW_SIZE, cost};

/// One way to a page, as the probe meets it.
pub struct Subject {
    pub name: &'static str,
    pub probe: Probe,
    pub marks: Marks,
    /// Root processes of the source's side, and of the viewer's side.
    source: Vec<u32>,
    viewer: Vec<u32>,
    /// What can be asked of our own, besides looking at it.
    pub ours: Option<Ours>,
    /// What has to stay alive meanwhile.
    _alive: Box<dyn Any>,
}

pub struct Ours {
    pub baton: Baton,
    pub sandbox: String,
    pub view: Chromium,
}

/// The floor, the peer, and the three ways to ours, in this order.
pub async fn all(stage: &Stage) -> Result<[Subject; 5]> {
    Ok([
        Subject::floor(stage)?,
        Subject::peer(stage, "peer", Fault::None)?,
        Subject::ours(stage, "socket", "socket").await?,
        Subject::ours(stage, "webrtc", "webrtc").await?,
        Subject::window(stage).await?,
    ])
}

impl Subject {
    /// The page in a window, without anything between.
    pub fn floor(stage: &Stage) -> Result<Self> {
        let chromium = Chromium::open(&stage.url("floor"), PAGE_SIZE)?;
        let probe = Probe::on(&chromium.display.name)?;
        let source = vec![chromium.pid(), chromium.display.pid()];
        Self::seen("floor", probe, source, vec![], None, Box::new(chromium))
    }

    pub fn peer(stage: &Stage, name: &'static str, fault: Fault) -> Result<Self> {
        let peer = Peer::start(&stage.url(name), fault)?;
        let view = Chromium::open(&peer.url, PAGE_SIZE)?;
        let probe = Probe::on(&view.display.name)?;
        let (source, viewer) = (vec![peer.pid()], vec![view.pid(), view.display.pid()]);
        if fault == Fault::Dead {
            // Its marks never come: they lie where the healthy peer's lie.
            let marks = Marks { patch: (608, 348), strip: (48, 28, 512, 32) };
            return Ok(Self { name, probe, marks, source, viewer, ours: None, _alive: Box::new((peer, view)) });
        }
        Self::seen(name, probe, source, viewer, None, Box::new((peer, view)))
    }

    /// The viewer page in Chromium, by `socket` or `webrtc`.
    pub async fn ours(stage: &Stage, name: &'static str, transport: &str) -> Result<Self> {
        let baton = Baton::start().await;
        let sandbox = open_sandbox(&baton, stage, name).await;
        let link = baton.post(&format!("/sandboxes/{sandbox}/preview/viewer-url"), json!({ "mode": "control" })).await;
        let url = link["url"].as_str().context("an address")?.replace('#', &format!("?transport={transport}#"));
        let view = Chromium::open(&url, VIEW_SIZE)?;
        view.until(
            "the view is live",
            "document.body.dataset.state === 'live' && document.body.dataset.carrier !== ''",
        )?;
        view.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'F9' }))")?;
        view.until("control is taken", "document.body.dataset.driver === 'you'")?;
        let carrier = view.evaluate("document.body.dataset.carrier")?;
        anyhow::ensure!(carrier == transport, "the view came by {carrier}, not by {transport}");
        let probe = Probe::on(&view.display.name)?;
        let (source, viewer) = (vec![baton.pid()], vec![view.pid(), view.display.pid()]);
        Self::seen(name, probe, source, viewer, Some(Ours { baton, sandbox, view }), Box::new(()))
    }

    /// The desktop window itself.
    pub async fn window(stage: &Stage) -> Result<Self> {
        let window = Window::open_sized(WINDOW_SIZE.0, WINDOW_SIZE.1).await;
        let baton = Baton::join(window.home()).await;
        open_sandbox(&baton, stage, "window").await;
        window.click("//button[contains(., 'measured')]").await;
        window.find("//button[contains(., 'Take control')]").await;
        window.type_keys(keys::F9).await;
        window.find("//button[contains(., 'Hand back')]").await;
        let probe = Probe::on(&window.display.name)?;
        // Runtime and window are one process, and its web page is a child: both sides are counted as the source.
        let source = vec![window.pid()];
        let viewer = vec![window.display.pid()];
        Self::seen("window", probe, source, viewer, None, Box::new(window))
    }

    fn seen(
        name: &'static str,
        probe: Probe,
        source: Vec<u32>,
        viewer: Vec<u32>,
        ours: Option<Ours>,
        alive: Box<dyn Any>,
    ) -> Result<Self> {
        let marks = probe.await_marks(name)?;
        probe.point_at(marks.patch)?;
        Ok(Self { name, probe, marks, source, viewer, ours, _alive: alive })
    }

    pub fn source_time(&self) -> std::time::Duration {
        cost::processor_time(&self.source)
    }

    pub fn viewer_time(&self) -> std::time::Duration {
        cost::processor_time(&self.viewer)
    }
}

/// Starts a sandbox whose browser shows the page.
async fn open_sandbox(baton: &Baton, stage: &Stage, who: &str) -> String {
    let config = json!({
        "name": "measured",
        "network": { "allowPrivate": [stage.address.to_string()] },
        "capabilities": { "browser": { "viewport": { "width": PAGE_SIZE.0, "height": PAGE_SIZE.1 } } },
    });
    let sandbox = baton.ready_sandbox(config).await;
    baton.post(&format!("/sandboxes/{sandbox}/preview/navigate"), json!({ "url": stage.url(who) })).await;
    sandbox
}
