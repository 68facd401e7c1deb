//! What a live view and the runtime say to each other: the same words on the stream's WebSocket (text messages) and on
//! the WebRTC data channel `input` (text messages; long words in pieces, `sandbox_picture::pieces`). Pictures are binary
//! messages, laid out in `sandbox_picture::wire`: whole on the WebSocket, in pieces on the data channel `pictures`.

use crate::model::{ControlMode, EpochMs, TypedText, wire};
use crate::{Lease, ViewerId};

wire! {
    /// From the live view.
    #[serde(tag = "type")]
    pub enum FromViewer {
        /// First message: which pictures this page can show, and wants. A later `hello` replaces the earlier one.
        Hello {
            h264: bool,
            /// Shows the screen this many times smaller in each direction, 1 to 16; without it, as it is.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            scale: Option<u8>,
            /// At most so many pictures a second, 1 to 60; without it, each as soon as it comes.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            rate: Option<u8>,
        },
        /// Every five seconds while the page is alive; answered by `pong` at once. `sentAt` is the page's own clock.
        #[serde(rename_all = "camelCase")]
        Ping { sent_at: f64 },
        /// The picture with this number is on the screen. At most two are ever on the way.
        Shown { picture: u32 },
        Take { controller: String },
        HandBack {
            note: Option<String>,
            /// What becomes of what the person typed and is still on the page; it stays veiled without this.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            typed: Option<TypedText>,
        },
        Input { lease: Lease, event: InputEvent },
        /// Text of the person's clipboard, put into the sandbox's clipboard and pasted with Ctrl+V.
        Paste { lease: Lease, text: String },
        /// Asks for the text that the sandbox's clipboard holds now.
        Copy { lease: Lease },
        /// Asks the person who drives for control; they see `controller` as the asker's name.
        AskControl { controller: String },
        /// The person who drives hands control to the person who asked.
        GiveControl {},
        /// The person who drives keeps control; the request is dropped.
        KeepControl {},
    }

    /// What the person did. Coordinates are pixels of the sandbox's screen, origin top left.
    #[serde(tag = "kind")]
    pub enum InputEvent {
        Move { x: i32, y: i32 },
        /// Buttons as in DOM `MouseEvent.button`: 0 left, 1 middle, 2 right.
        Button { button: u8, down: bool, x: i32, y: i32 },
        /// Notches; positive is down and right.
        Wheel { dx: i32, dy: i32, x: i32, y: i32 },
        /// `code` as in DOM `KeyboardEvent.code`, `key` as in `KeyboardEvent.key`.
        Key { code: String, key: String, down: bool },
        /// Committed text: an input method, dead keys, "type this for me". It takes the place of what was composed.
        Text { text: String },
        /// What an input method is composing now; empty when it gave up. Shown in the page, underlined, where that has the
        /// focus; answered by `composing`.
        Compose { text: String },
        /// Focus left the view: held keys and buttons go up.
        Blur {},
    }

    /// To the live view.
    #[serde(tag = "type")]
    pub enum ToViewer {
        #[serde(rename_all = "camelCase")]
        Welcome { viewer_id: ViewerId, mode: ViewerMode, screen: Screen, transport: String },
        /// `clockUs` is the clock of `captured at` in pictures when the ping was read: how a view learns how old a picture
        /// is. `lapsesAt` is the newest time at which the lease lapses: input moves it, and is not answered.
        #[serde(rename_all = "camelCase")]
        Pong {
            sent_at: f64,
            clock_us: u64,
            #[serde(skip_serializing_if = "Option::is_none")]
            lapses_at: Option<EpochMs>,
        },
        Screen { screen: Screen },
        Control { control: ControlView },
        Denied { code: String, message: String },
        /// What the sandbox's clipboard holds; only to the person who drives.
        Clipboard { text: String },
        /// Whether the page shows what is being composed. It does not in the browser's own fields, such as the address bar, or
        /// in a window that is no page: there, the view has to show it.
        #[serde(rename_all = "camelCase")]
        Composing { in_page: bool },
        /// The shape of the pointer as a CSS cursor name.
        Cursor { cursor: String },
        /// What the agent, or a program, does on the page now. Told while nobody holds control, and never waited for.
        Aim { aim: Aim },
        /// The sandbox is gone; the view need not come back.
        Ended { reason: String },
    }

    /// The sandbox's screen, in pixels; the page sits below the browser's own bars.
    #[derive(Copy, Eq)]
    pub struct Screen {
        pub width: u32,
        pub height: u32,
    }

    /// Where the agent's side points on the page, in CSS pixels from its top left, and what it does there.
    #[derive(Eq)]
    pub struct Aim {
        pub x: i32,
        pub y: i32,
        /// The size of the page, which lies at the bottom left of the screen.
        pub page: Screen,
        /// The element that is meant.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub target: Option<AimBox>,
        /// The action's name in the vocabulary; absent where a program moves the pointer by itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub action: Option<String>,
        /// The element's name, never its typed text.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        /// Whether a button goes down here.
        pub pressed: bool,
    }

    /// A box on the page, in CSS pixels.
    #[derive(Copy, Eq)]
    pub struct AimBox {
        pub left: i32,
        pub top: i32,
        pub width: i32,
        pub height: i32,
    }

    #[derive(Copy, Eq)]
    pub enum ViewerMode {
        Watch,
        Control,
    }

    /// Who drives, as one live view sees it.
    pub struct ControlView {
        pub mode: ControlMode,
        /// Whether this view's person drives.
        pub yours: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub lease: Option<Lease>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub controller: Option<String>,
        /// Whether an action is still in flight and the wheel is on its way.
        pub settling: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub since: Option<EpochMs>,
        /// When the lease lapses without input. Input moves it; that alone sends no `control`, see `pong`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub lapses_at: Option<EpochMs>,
        /// The job that is seen here, by its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub job: Option<String>,
        /// What a person is asked for; absent while nobody is.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub asks: Option<String>,
        /// Name of the person asking for control.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub wanted_by: Option<String>,
        /// Whether the request came from this view.
        pub wanted_by_you: bool,
    }
}
