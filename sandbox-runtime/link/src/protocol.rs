//! What the two sides say. Each stream begins with one header as a JSON frame ([`Open`] from the runtime,
//! [`GuestOpen`] from the guest); what follows depends on it and is said at each variant.

use std::collections::BTreeMap;

use sandbox_core::Lease;
pub use sandbox_core::event::{Loss, SandboxPart as Part};
use sandbox_core::model::Viewport;
use sandbox_core::viewer::{InputEvent, Screen};
use serde::{Deserialize, Serialize};

/// The descriptor on which the guest finds its link; in a container, the half that it reads.
pub const LINK_FD: i32 = 3;
/// In a container, the half of its link that the guest writes.
pub const LINK_OUT_FD: i32 = LINK_FD + 1;

/// The variable that says to the guest, before it knows its room, beneath which folder no link is to be followed.
pub const NO_LINKS_VARIABLE: &str = "BATON_NO_LINKS_BENEATH";

/// Which room this guest is to be: the first thing said on the link, see [`crate::greet_guest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RoomSettings {
    Shell(ShellSettings),
    Desktop(DesktopSettings),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShellSettings {
    /// Environment of every command, beneath its own.
    pub env: BTreeMap<String, String>,
    /// The loopback port of the room on which the guest serves the way out; 0 for a room without network.
    pub proxy_port: u16,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesktopSettings {
    pub viewport: Viewport,
    pub proxy_port: u16,
    /// Program and fixed arguments of the browser; the guest adds display, size, profile and pipe.
    pub browser: Vec<String>,
    pub start_url: String,
}

/// Header of a stream that the runtime opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Open {
    /// Then [`ExecInput`] messages to the guest, and frames back that [`ExecOutput::decode`] reads, `Exit` the last.
    /// An empty piece of output means nothing; the guest sends some to learn whether the stream still stands.
    /// Dropping the stream kills the command and all it started.
    Exec(ExecSpec),
    /// Then raw bytes both ways: a terminal of its own for each stream. Resizes go as [`TerminalInput`] frames to the guest;
    /// the guest answers raw bytes as frames.
    Terminal { cols: u16, rows: u16, command: Vec<String>, env: BTreeMap<String, String> },
    /// One [`DesktopCall`] answered by one [`DesktopAnswer`], as frames; then the stream ends.
    Desktop(DesktopCall),
    /// Reports of the desktop room as [`DesktopReport`] frames, from now on. Any number may listen.
    Reports,
    /// Raw bytes of Chromium's debugging pipe, both ways: JSON messages ended by NUL. One stream at a time.
    Cdp,
    /// Pictures of the screen as frames, laid out as `sandbox_picture::wire`. The runtime sends [`VideoControl`] frames.
    /// Capture runs while at least one such stream is open.
    Video(VideoRequest),
    /// Pictures of the page alone for a recording, as frames of H.264 laid out as `sandbox_picture::wire`: on damage, few a
    /// second, with key frames to seek to. With a caption, the first picture is a plain one that says it. Nothing is said
    /// to the guest but the stream's end.
    Recording { caption: Option<String> },
    /// Input as [`InputFrame`] frames, injected in order; one [`Settled`] comes back for each `Settle`. One lane for each
    /// stream.
    Input,
    /// One [`Pulse`] back for each frame that comes, whatever is in it.
    Heartbeat,
}

/// Header of a stream that the guest opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GuestOpen {
    /// Once, when the room is usable (the desktop room: screen, window manager and browser are up), or cannot be.
    Ready(Result<(), String>),
    /// Then raw bytes both ways: one connection that a program of the room made to the proxy port.
    Egress,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecSpec {
    pub command: String,
    pub args: Vec<String>,
    /// Absolute in the room.
    pub cwd: String,
    pub env: BTreeMap<String, String>,
    pub timeout_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ExecInput {
    Stdin(Vec<u8>),
    CloseStdin,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ExecOutput {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    /// The command could not be started.
    Failed(String),
    /// `code` is the exit status, or 128 + the signal's number.
    Exit {
        code: i32,
        signal: Option<String>,
        timed_out: bool,
        duration_ms: u64,
    },
}

const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const MESSAGE: u8 = 3;

impl ExecOutput {
    /// Returns the frame that carries this: one byte for the kind, then raw output, or JSON for the rest.
    pub fn encode(&self) -> Vec<u8> {
        let tagged = |tag: u8, rest: &[u8]| [&[tag], rest].concat();
        match self {
            Self::Stdout(bytes) => tagged(STDOUT, bytes),
            Self::Stderr(bytes) => tagged(STDERR, bytes),
            Self::Failed(_) | Self::Exit { .. } => {
                tagged(MESSAGE, &serde_json::to_vec(self).expect("plain data is always JSON"))
            }
        }
    }

    /// Reads a frame that [`Self::encode`] made.
    pub fn decode(frame: &[u8]) -> std::io::Result<Self> {
        match frame.split_first() {
            Some((&STDOUT, bytes)) => Ok(Self::Stdout(bytes.to_vec())),
            Some((&STDERR, bytes)) => Ok(Self::Stderr(bytes.to_vec())),
            Some((&MESSAGE, json)) => Ok(serde_json::from_slice(json)?),
            Some(_) | None => Err(std::io::ErrorKind::InvalidData.into()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TerminalInput {
    Bytes(Vec<u8>),
    Resize { cols: u16, rows: u16 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DesktopCall {
    /// Screen and where the page sits in it.
    Geometry,
    /// Makes the page this size; the screen follows.
    Resize(Viewport),
    ReadClipboard,
    /// Puts text into the clipboard.
    WriteClipboard(String),
    /// Ends a person's lease in the room: keys and buttons that any lane holds go up, and input that still comes under
    /// this lease or an older one is dropped. Answered when the X server has done so. File choosers that the person left
    /// open are closed.
    EndInput(Lease),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DesktopAnswer {
    Done,
    Geometry { screen: Screen },
    Clipboard(String),
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DesktopReport {
    ScreenChanged(Screen),
    /// CSS cursor name.
    Cursor(String),
    BrowserExited {
        status: String,
    },
    /// A file chooser came up, or the last one went.
    FileChooser {
        shown: bool,
    },
}

/// How a room is, as its guest sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pulse {
    Well,
    Lost(Part, Loss),
}

/// Which pictures a view can show, and wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoRequest {
    /// Whether the view decodes H.264; without it everything is lossless.
    pub h264: bool,
    /// Whether lossless pictures may be sent; without it (WebRTC) everything goes as H.264.
    pub lossless: bool,
    /// The pictures are this many times smaller than the screen, in each direction. Smaller ones are lossless only.
    pub scale: u8,
    /// At most so many pictures a second.
    pub rate: Option<u8>,
}

impl VideoRequest {
    /// Returns the request for the screen as it is, each picture as soon as it comes.
    pub const fn whole(h264: bool, lossless: bool) -> Self {
        Self { h264, lossless, scale: 1, rate: None }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum VideoControl {
    /// The picture with this number has been shown: one more may be sent. At most two are on the way.
    Shown(u32),
    /// The next picture is a whole one (everything lossless, or a key frame).
    Refresh,
    /// Bits a second that the way to the view carries; the encoder keeps beneath it.
    Bitrate(u32),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InputFrame {
    /// What follows in this lane is done under this lease.
    Under(Lease),
    Event(InputEvent),
    /// Text into the clipboard, then Ctrl+V.
    Paste(String),
    /// Every key and button goes up: before another may drive.
    ReleaseAll,
    /// Asks for a [`Settled`].
    Settle,
}

/// The window with the focus has been given all that was injected before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_survives_its_frame() {
        let exit = ExecOutput::Exit { code: 137, signal: Some("SIGKILL".into()), timed_out: true, duration_ms: 7 };
        for output in [
            ExecOutput::Stdout(vec![0, 255, b'\n']),
            ExecOutput::Stderr(Vec::new()),
            ExecOutput::Failed("no such program".into()),
            exit,
        ] {
            assert_eq!(ExecOutput::decode(&output.encode()).unwrap(), output);
        }
    }

    #[test]
    fn a_frame_of_no_known_kind_is_an_error() {
        for frame in [&b""[..], b"\x09x", b"\x03{"] {
            assert!(ExecOutput::decode(frame).is_err(), "{frame:?}");
        }
    }
}
