//! The page that is looked at: one document whose modes are switched from outside, so that nobody has to navigate.
//!
//! Its patch (framed in magenta) flips when the button goes down on it, or any key; its strip (framed in cyan) shows the number of the
//! frame as sixteen cells in Gray code.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::{Stream, StreamExt};
use tokio::sync::watch;

/// What the page does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// At rest; only a press changes it.
    Still,
    /// A letter every 120 ms.
    Typing,
    /// Text that scrolls by 12 px a frame.
    Scroll,
    /// A canvas that changes whole at every frame.
    Video,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Self::Still => "still",
            Self::Typing => "typing",
            Self::Scroll => "scroll",
            Self::Video => "video",
        }
    }
}

/// The site of the page, on loopback.
pub struct Stage {
    pub address: std::net::SocketAddr,
    modes: Modes,
}

type Modes = Arc<Mutex<BTreeMap<String, watch::Sender<Mode>>>>;

impl Stage {
    pub async fn serve() -> anyhow::Result<Self> {
        let modes: Modes = Arc::default();
        let router = Router::new()
            .route("/stage/{who}", get(|| async { Html(PAGE) }))
            .route("/mode/{who}", get(told))
            .with_state(modes.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, modes })
    }

    /// Address of the page for one subject.
    pub fn url(&self, who: &str) -> String {
        format!("http://{}/stage/{who}", self.address)
    }

    pub fn set(&self, who: &str, mode: Mode) {
        channel(&self.modes, who).send_replace(mode);
    }
}

fn channel(modes: &Modes, who: &str) -> watch::Sender<Mode> {
    let mut modes = modes.lock().expect("no panic while held");
    modes.entry(who.to_owned()).or_insert_with(|| watch::Sender::new(Mode::Still)).clone()
}

async fn told(
    State(modes): State<Modes>,
    Path(who): Path<String>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = channel(&modes, &who).subscribe();
    let words = futures_util::stream::unfold((changes, true), |(mut changes, first)| async move {
        if !first && changes.changed().await.is_err() {
            return None;
        }
        let mode = *changes.borrow_and_update();
        Some((Event::default().data(mode.word()), (changes, false)))
    });
    Sse::new(words.map(Ok))
}

const PAGE: &str = r#"<!doctype html><title>Stage</title><style>
  html, body { margin: 0; height: 100%; overflow: hidden; background: #fff; font: 16px/24px "DejaVu Sans", sans-serif }
  #patch { position: fixed; left: 560px; top: 300px; width: 64px; height: 64px; border: 16px solid #f0f; background: #000; z-index: 2 }
  #strip { position: fixed; left: 40px; top: 20px; border: 8px solid #0ff; z-index: 2 }
  #text { padding: 90px 40px 0; color: #222 }
  #film { position: fixed; inset: 0; display: none }
</style><canvas id=film width=1280 height=720></canvas><div id=text></div>
<canvas id=strip width=512 height=32></canvas><div id=patch></div><script>
  const patch = document.getElementById('patch'), strip = document.getElementById('strip').getContext('2d');
  const text = document.getElementById('text'), film = document.getElementById('film'), paint = film.getContext('2d');
  const words = 'the quick brown fox jumps over the lazy dog while twelve invoices wait to be approved by someone else '.repeat(2);
  const page = Array.from({ length: 400 }, (_, n) => `<div>${n} ${words.slice(n % 37)}</div>`).join('');
  let on = false, mode = 'still', frame = 0, typed = 0, at = 0, since = 0;
  const flip = (event) => { event.preventDefault(); on = !on; patch.style.background = on ? '#fff' : '#000'; };
  patch.addEventListener('mousedown', flip);
  addEventListener('keydown', flip);
  const count = () => {
    frame = (frame + 1) & 0xffff;
    const gray = frame ^ (frame >> 1);
    for (let n = 0; n < 16; n++) { strip.fillStyle = gray >> (15 - n) & 1 ? '#fff' : '#000'; strip.fillRect(n * 32, 0, 32, 32); }
  };
  const modes = {
    scroll() { at = (at + 12) % 8000; text.style.transform = `translateY(${-at}px)`; count(); },
    video() {
      for (let y = 0; y < 9; y++) for (let x = 0; x < 16; x++) {
        paint.fillStyle = `hsl(${(x * 20 + y * 30 + frame * 3) % 360} 70% ${45 + 20 * Math.sin((x + frame / 9) / 3)}%)`;
        paint.fillRect(x * 80, y * 80, 80, 80);
      }
      paint.fillStyle = '#fff'; paint.beginPath(); paint.arc(640 + 400 * Math.sin(frame / 30), 500 + 120 * Math.cos(frame / 17), 90, 0, 7); paint.fill();
      count();
    },
    typing(now) { if (now - since >= 120) { since = now; text.textContent += words[typed++ % words.length]; count(); } },
  };
  const draw = (now) => {
    // At rest the page asks for no frame.
    if (mode === 'still') return;
    modes[mode](now);
    requestAnimationFrame(draw);
  };
  new EventSource(location.pathname.replace('stage', 'mode')).onmessage = ({ data }) => {
    const rested = mode === 'still';
    mode = data; at = 0; typed = 0; text.style.transform = '';
    film.style.display = mode === 'video' ? 'block' : 'none';
    text.innerHTML = mode === 'scroll' ? page : '';
    count();
    if (rested) requestAnimationFrame(draw);
  };
</script>"#;
