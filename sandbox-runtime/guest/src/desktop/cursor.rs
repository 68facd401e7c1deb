//! The shape of the pointer. The view draws the pointer itself, so the room only has to know its name.
//!
//! X does not tell a cursor's name, so the room has a cursor theme of its own in which each picture *is* a name: one
//! pixel whose colour is a number. The browser loads cursors from it, and what XFixes shows is read back.

use x11rb::connection::Connection;
use x11rb::connection::RequestConnection;
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::{ConnectionExt as _, CursorNotifyMask};

use super::windows::WindowsError;
use super::xloop::{Wakeups, Woken};
use std::sync::atomic::{AtomicBool, Ordering};

/// Name of the theme.
pub const THEME: &str = "baton";

/// Marks our pixels: alpha opaque, red this, the number in green and blue.
const MARK: u32 = 0xFFBA_0000;
const MARK_MASK: u32 = 0xFFFF_0000;
/// Nominal size of the theme's pictures.
const NOMINAL: u32 = 24;

/// CSS name, then what programs may call the same shape in a cursor theme.
const SHAPES: &[(&str, &[&str])] = &[
    ("default", &["left_ptr", "arrow", "top_left_arrow"]),
    ("pointer", &["hand2", "hand1", "hand", "pointing_hand"]),
    ("text", &["xterm", "ibeam"]),
    ("vertical-text", &["vertical_text"]),
    ("wait", &["watch"]),
    ("progress", &["left_ptr_watch", "half-busy"]),
    ("crosshair", &["cross", "tcross"]),
    ("help", &["question_arrow", "whats_this"]),
    ("move", &["fleur", "size_all"]),
    ("all-scroll", &[]),
    ("not-allowed", &["crossed_circle", "forbidden", "circle"]),
    ("no-drop", &["dnd-none", "dnd-no-drop"]),
    ("grab", &["openhand"]),
    ("grabbing", &["closedhand", "dnd-move"]),
    ("copy", &["dnd-copy"]),
    ("alias", &["dnd-link", "link"]),
    ("cell", &["plus"]),
    ("context-menu", &[]),
    ("zoom-in", &["zoom_in"]),
    ("zoom-out", &["zoom_out"]),
    ("col-resize", &["sb_h_double_arrow", "split_h"]),
    ("row-resize", &["sb_v_double_arrow", "split_v"]),
    ("n-resize", &["top_side"]),
    ("s-resize", &["bottom_side"]),
    ("w-resize", &["left_side"]),
    ("e-resize", &["right_side"]),
    ("nw-resize", &["top_left_corner"]),
    ("ne-resize", &["top_right_corner"]),
    ("sw-resize", &["bottom_left_corner"]),
    ("se-resize", &["bottom_right_corner"]),
    ("ew-resize", &["h_double_arrow", "size_hor"]),
    ("ns-resize", &["v_double_arrow", "size_ver"]),
    ("nwse-resize", &["size_fdiag", "bd_double_arrow"]),
    ("nesw-resize", &["size_bdiag", "fd_double_arrow"]),
    ("none", &[]),
];

/// The theme's files: paths beneath a folder of themes, and what they hold.
pub fn theme_files() -> Vec<(String, Vec<u8>)> {
    let index = (format!("{THEME}/index.theme"), format!("[Icon Theme]\nName={THEME}\n").into_bytes());
    let shapes = SHAPES.iter().enumerate().flat_map(|(number, (css, aliases))| {
        let file = move |name: &&str| (format!("{THEME}/cursors/{name}"), picture(number as u32));
        std::iter::once(css).chain(*aliases).map(file)
    });
    std::iter::once(index).chain(shapes).collect()
}

/// Tells each new shape of the pointer until told to end.
pub fn watch(display: &str, wakeups: &Wakeups, ending: &AtomicBool, tell: impl Fn(String)) -> Result<(), WindowsError> {
    let (x, screen) = x11rb::connect(Some(display))?;
    x.prefetch_extension_information(x11rb::protocol::xfixes::X11_EXTENSION_NAME)?;
    x.xfixes_query_version(5, 0)?.reply()?;
    x.xfixes_select_cursor_input(x.setup().roots[screen].root, CursorNotifyMask::DISPLAY_CURSOR)?;
    let mut told = String::new();
    loop {
        let image = x.xfixes_get_cursor_image()?.reply()?;
        let name = image.cursor_image.first().map_or("default", |pixel| name(*pixel));
        if name != told {
            told = name.to_owned();
            tell(told.clone());
        }
        loop {
            let woken = wakeups.wait(&x, None)?;
            if ending.load(Ordering::SeqCst) {
                return Ok(());
            }
            if let Woken::Event(Event::XfixesCursorNotify(_)) = woken {
                break;
            }
        }
    }
}

/// The name that a cursor's first pixel stands for. A page's own picture has none.
fn name(pixel: u32) -> &'static str {
    let number = (pixel & !MARK_MASK) as usize;
    match SHAPES.get(number) {
        Some((css, _)) if pixel & MARK_MASK == MARK => css,
        _ => "default",
    }
}

/// An Xcursor file with one picture of one pixel (`man Xcursor`, "cursor files").
fn picture(number: u32) -> Vec<u8> {
    const IMAGE: u32 = 0xFFFD_0002;
    const HEADER: u32 = 16;
    const CONTENTS: u32 = 12;
    let numbers = [
        u32::from_le_bytes(*b"Xcur"),
        HEADER,
        0x1_0000,
        1, // one entry in the table of contents
        IMAGE,
        NOMINAL,
        HEADER + CONTENTS, // type, nominal size, position
        36,
        IMAGE,
        NOMINAL,
        1, // chunk header
        1,
        1,
        0,
        0,
        0, // width, height, hot spot, delay
        MARK | number,
    ];
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_stands_for_its_name() {
        for (path, body) in theme_files().into_iter().skip(1) {
            let pixel = u32::from_le_bytes(body[body.len() - 4..].try_into().unwrap());
            let file = path.rsplit('/').next().unwrap();
            let known =
                SHAPES.iter().any(|(css, aliases)| *css == name(pixel) && (*css == file || aliases.contains(&file)));
            assert!(known, "{path} is read as {}", name(pixel));
        }
    }

    #[test]
    fn a_page_s_own_picture_is_the_default() {
        assert_eq!([name(0), name(0xFFFF_FFFF), name(MARK | 0xFFFF)], ["default"; 3]);
    }
}
