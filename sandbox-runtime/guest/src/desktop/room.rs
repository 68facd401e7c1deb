//! The parts of the room in the order in which they start, and what each stream of the link is connected to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use sandbox_core::model::Viewport;
use sandbox_core::viewer::Screen;
use sandbox_link::protocol::{DesktopAnswer, DesktopCall, DesktopReport, DesktopSettings, Open};
use sandbox_link::{Incoming, Stream, read_message, write_message};
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinSet;

use super::browser::{Browser, BrowserError, Places};
use super::camera::{self, Around};
use super::capture::{Capture, CaptureError};
use super::cdp::{Cdp, Measure};
use super::clipboard::Clipboard;
use super::cursor;
use super::input::Input;
use super::pulse::Vitals;
use super::screen::{ScreenError, XServer};
use super::video;
use super::windows::{WindowManager, WindowsError};
use super::xloop::{Waker, wakeups};

/// How long the browser may take until its window is on the screen.
const WINDOW_DEADLINE: Duration = Duration::from_secs(60);
/// How long it may take until its page has said its size.
const MEASURE_DEADLINE: Duration = Duration::from_secs(30);
/// How long the page may take to follow the screen's size.
const FOLLOW_DEADLINE: Duration = Duration::from_secs(5);
/// Between looks at a page that has not followed yet.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Reports that a slow listener may be behind before it loses the oldest.
const REPORTS: usize = 64;
/// The browser's bars, until they are measured.
const BARS_GUESS: u32 = 88;

#[derive(Debug, thiserror::Error)]
pub enum DesktopError {
    #[error(transparent)]
    Screen(#[from] ScreenError),
    #[error(transparent)]
    Windows(#[from] WindowsError),
    #[error(transparent)]
    Capture(#[from] CaptureError),
    #[error(transparent)]
    Browser(#[from] BrowserError),
    #[error("start the browser: no window after {} s", WINDOW_DEADLINE.as_secs())]
    NoWindow,
    #[error("start the browser: it ended at once ({0})")]
    EndedAtOnce(String),
    #[error("ask the browser for its page: {0}")]
    Page(#[source] std::io::Error),
    #[error("ask the browser for its page: no answer within {} s", MEASURE_DEADLINE.as_secs())]
    NoPage,
    #[error(transparent)]
    Link(#[from] sandbox_link::LinkError),
    #[error("start the room: {0}")]
    Io(#[from] std::io::Error),
}

/// A running desktop room. Dropping it ends all of it: the browser first, the X server last.
pub struct Room {
    browser: Browser,
    _pointer: Pointer,
    shared: Arc<Shared>,
}

/// What streams use.
struct Shared {
    cdp: Cdp,
    input: Input,
    clipboard: Arc<Clipboard>,
    capture: Capture,
    windows: WindowManager,
    bars: Bars,
    reports: broadcast::Sender<DesktopReport>,
    last: std::sync::Mutex<Option<DesktopReport>>,
    vitals: Vitals,
    server: XServer,
}

/// What of the screen is not page, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bars {
    width: u32,
    height: u32,
}

impl Bars {
    /// What the browser's window fills.
    fn around(self, viewport: Viewport) -> Screen {
        Screen { width: viewport.width + self.width, height: viewport.height + self.height }
    }
}

impl From<Bars> for Around {
    fn from(bars: Bars) -> Self {
        Self { width: bars.width as usize, height: bars.height as usize }
    }
}

/// Makes the browser's window this size, on a screen whose sides are even: video has whole pairs of pixels only, and a
/// viewer of another size would have to scale every picture.
fn resize(server: &XServer, windows: &WindowManager, window: Screen) -> Result<Screen, ScreenError> {
    let screen = even(window);
    windows.use_only(window.width, window.height);
    if server.size()? != screen {
        server.resize(screen)?;
    }
    Ok(screen)
}

fn even(window: Screen) -> Screen {
    Screen { width: window.width.next_multiple_of(2), height: window.height.next_multiple_of(2) }
}

impl Room {
    /// Starts everything; returns when the browser's window is on the screen and its page has the size asked for.
    pub async fn start(settings: &DesktopSettings, places: &Places) -> Result<Self, DesktopError> {
        let guess = Bars { width: 0, height: BARS_GUESS };
        let window = guess.around(settings.viewport);
        let server = XServer::start(even(window)).await?;
        let mut windows = WindowManager::start(server.display())?;
        windows.use_only(window.width, window.height);
        let clipboard = Arc::new(Clipboard::start(server.display())?);
        // Before the browser looks at the keyboard map.
        let input = Input::start(server.display(), clipboard.clone())?;
        let (mut browser, pipe) = Browser::start(settings, server.display(), places)?;
        let capture = Capture::start(server.display())?;
        let (reports, _) = broadcast::channel(REPORTS);

        tokio::select! {
            shown = tokio::time::timeout(WINDOW_DEADLINE, windows.browser_windows.wait_for(|count| *count > 0)) => {
                if !matches!(shown, Ok(Ok(_))) {
                    return Err(DesktopError::NoWindow);
                }
            }
            ended = browser.ended() => return Err(DesktopError::EndedAtOnce(described(ended))),
        }
        let mut measure = Measure::new(pipe);
        let fitted = fit(&mut measure, &server, &windows, guess, settings.viewport);
        let bars = tokio::time::timeout(MEASURE_DEADLINE, fitted).await.map_err(|_| DesktopError::NoPage)??;
        let cdp = Cdp::start(measure.finish().await.map_err(DesktopError::Page)?);

        let pids = server.pid().zip(browser.pid()).ok_or_else(|| DesktopError::EndedAtOnce("gone".to_owned()))?;
        let vitals = Vitals::watch(server.display(), pids.0, pids.1)?;
        let shared = Arc::new(Shared {
            cdp,
            input,
            clipboard,
            capture,
            windows,
            bars,
            reports,
            last: std::sync::Mutex::new(None),
            vitals,
            server,
        });
        let pointer = Pointer::watch(&shared)?;
        Ok(Self { browser, _pointer: pointer, shared })
    }

    /// The X display of the room.
    pub fn display(&self) -> &str {
        self.shared.server.display()
    }

    /// Serves every stream that the runtime opens, until the link is gone.
    pub async fn serve(mut self, mut incoming: Incoming) {
        let mut streams = JoinSet::new();
        let mut ended = false;
        let mut choosers = self.shared.windows.file_choosers.clone();
        loop {
            tokio::select! {
                accepted = incoming.accept() => match accepted {
                    Some(stream) => {
                        streams.spawn(serve_stream(stream, self.shared.clone()));
                    }
                    None => break,
                },
                status = self.browser.ended(), if !ended => {
                    ended = true;
                    self.shared.report(DesktopReport::BrowserExited { status: described(status) });
                }
                Ok(()) = choosers.changed() => {
                    let shown = *choosers.borrow_and_update() > 0;
                    self.shared.report(DesktopReport::FileChooser { shown });
                }
                Some(_) = streams.join_next() => {}
            }
        }
        streams.shutdown().await;
    }
}

/// Makes the page exactly `viewport`, by trying: the page says its size, and the screen is corrected by the difference.
async fn fit(
    measure: &mut Measure,
    server: &XServer,
    windows: &WindowManager,
    guess: Bars,
    viewport: Viewport,
) -> Result<Bars, DesktopError> {
    let mut bars = guess;
    let mut page = measure.page().await.map_err(DesktopError::Page)?;
    let deadline = tokio::time::Instant::now() + FOLLOW_DEADLINE;
    let mut resized_for = None;
    while (page.width, page.height) != (viewport.width, viewport.height) {
        if tokio::time::Instant::now() > deadline {
            tracing::warn!(?page, ?viewport, "the page does not follow the screen");
            break;
        }
        // Only a size that stays is believed: a window that is just opening goes through several.
        tokio::time::sleep(LOOK_AGAIN).await;
        let again = measure.page().await.map_err(DesktopError::Page)?;
        if again == page && resized_for != Some(page) {
            let screen = bars.around(viewport);
            let width = screen.width.saturating_sub(page.width);
            let height = screen.height.saturating_sub(page.height);
            if width < viewport.width && height < viewport.height {
                bars = Bars { width, height };
                resize(server, windows, bars.around(viewport))?;
                resized_for = Some(page);
            }
        }
        page = again;
    }
    Ok(bars)
}

async fn serve_stream(mut stream: Stream, shared: Arc<Shared>) {
    let served = match read_message::<Open>(&mut stream).await {
        Ok(Some(Open::Cdp)) => shared.cdp.serve(stream).await,
        Ok(Some(Open::Video(request))) => video::serve(stream, request, &shared.capture).await,
        Ok(Some(Open::Recording { caption })) => {
            camera::serve(stream, caption, shared.bars.into(), &shared.capture).await
        }
        Ok(Some(Open::Input)) => shared.input.serve(stream).await,
        Ok(Some(Open::Heartbeat)) => crate::heartbeat::serve(stream, || shared.vitals.look()).await,
        Ok(Some(Open::Reports)) => shared.tell_reports(stream).await,
        Ok(Some(Open::Desktop(call))) => {
            let answer = shared.call(call).await;
            write_message(&mut stream, &answer).await
        }
        Ok(Some(Open::Exec(_) | Open::Terminal { .. })) => {
            tracing::warn!("the desktop room runs no commands");
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a stream ended");
    }
}

impl Shared {
    async fn call(&self, call: DesktopCall) -> DesktopAnswer {
        match call {
            DesktopCall::Geometry => match self.server.size() {
                Ok(screen) => DesktopAnswer::Geometry { screen },
                Err(error) => DesktopAnswer::Failed(error.to_string()),
            },
            DesktopCall::Resize(viewport) => match resize(&self.server, &self.windows, self.bars.around(viewport)) {
                Ok(screen) => {
                    self.report(DesktopReport::ScreenChanged(screen));
                    DesktopAnswer::Done
                }
                Err(error) => DesktopAnswer::Failed(error.to_string()),
            },
            DesktopCall::ReadClipboard => self.clipboard.read().await.map_or_else(failed, DesktopAnswer::Clipboard),
            DesktopCall::WriteClipboard(text) => {
                self.clipboard.write(text).await.map_or_else(failed, |()| DesktopAnswer::Done)
            }
            DesktopCall::EndInput(lease) => match self.input.fence(lease).await {
                Ok(()) => {
                    // Whoever acts next can neither see nor answer what this person left open.
                    self.windows.close_dialogs();
                    DesktopAnswer::Done
                }
                Err(error) => DesktopAnswer::Failed(error.to_string()),
            },
        }
    }

    async fn tell_reports(&self, mut stream: Stream) -> std::io::Result<()> {
        let mut reports = self.reports.subscribe();
        let pointer = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if let Some(pointer) = pointer {
            write_message(&mut stream, &pointer).await?;
        }
        loop {
            match reports.recv().await {
                Ok(report) => write_message(&mut stream, &report).await?,
                Err(broadcast::error::RecvError::Lagged(missed)) => tracing::warn!(missed, "reports were missed"),
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            }
        }
    }

    fn report(&self, report: DesktopReport) {
        // Nobody need listen.
        let _ = self.reports.send(report);
    }
}

/// The thread that watches the pointer's shape.
struct Pointer {
    ending: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Pointer {
    fn watch(shared: &Arc<Shared>) -> Result<Self, DesktopError> {
        let (waker, wakeups) = wakeups()?;
        let ending = Arc::new(AtomicBool::new(false));
        let display = shared.server.display().to_owned();
        let weak = Arc::downgrade(shared);
        let thread = std::thread::Builder::new().name("pointer".into()).spawn({
            let ending = ending.clone();
            move || {
                let tell = |name: String| {
                    let Some(shared) = weak.upgrade() else { return };
                    let report = DesktopReport::Cursor(name);
                    *shared.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(report.clone());
                    shared.report(report);
                };
                if let Err(error) = cursor::watch(&display, &wakeups, &ending, tell) {
                    tracing::error!(%error, "the pointer's shape is no longer watched");
                }
            }
        })?;
        Ok(Self { ending, waker, thread: Some(thread) })
    }
}

impl Drop for Pointer {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // Its panic was reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

fn described(ended: std::io::Result<std::process::ExitStatus>) -> String {
    match ended {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

fn failed(_: oneshot::error::RecvError) -> DesktopAnswer {
    DesktopAnswer::Failed("the clipboard is gone".into())
}
