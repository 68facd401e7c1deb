//! The file chooser: a person chooses in it as in any program, and it goes with their lease.

use std::time::{Duration, Instant};

use sandbox_core::Lease;
use sandbox_core::viewer::InputEvent;
use sandbox_link::protocol::{DesktopAnswer, DesktopCall, InputFrame};

use crate::rig::{DEADLINE, Lane, Rig, eventually};
use crate::{key, page};

/// Longer than GTK takes two presses for one double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(600);
/// Less than a row of a list is high.
const STEP: i32 = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_chooser_that_is_left_open_is_closed_with_the_lease() {
    let rig = Rig::start(page::FILES).await;
    let mut input = rig.input().await;
    input.send(&InputFrame::Under(Lease(1))).await;
    let before = rig.windows().len();
    rig.click(&mut input, "input").await;
    eventually("the chooser is open", || async { rig.windows().len() > before }).await;
    assert_eq!(rig.call(DesktopCall::EndInput(Lease(1))).await, DesktopAnswer::Done);
    eventually("the page is told", || async { rig.evaluate("chosen").await == "cancelled" }).await;
    assert_eq!(rig.windows().len(), before);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_and_enter_choose_a_file() {
    let rig = Rig::start(page::FILES).await;
    let mut input = rig.input().await;
    rig.remove_downloads();
    for chosen_by in [Choosing::DoubleClick, Choosing::Enter] {
        rig.evaluate("chosen = ''; files.value = ''").await;
        let (x, bottom) = open_chooser(&rig, &mut input).await;
        // The page's own file is the only one of the list, and beneath it a click does nothing: from the bottom up, it is met.
        // Again from there, if the chooser had not listed it yet.
        let mut y = bottom;
        let started = Instant::now();
        while rig.evaluate("chosen").await == "" {
            assert!(started.elapsed() < DEADLINE, "{chosen_by:?} did not choose the file");
            y = if y > STEP { y - STEP } else { bottom };
            press(&mut input, x, y).await;
            match chosen_by {
                Choosing::DoubleClick => press(&mut input, x, y).await,
                Choosing::Enter => {
                    for down in [true, false] {
                        input.send(&key("Enter", "Enter", down)).await;
                    }
                }
            }
            // The next press must not look like the end of a double click.
            tokio::time::sleep(DOUBLE_CLICK).await;
        }
        assert_eq!(rig.evaluate("chosen").await, "page.html");
    }
    rig.end().await;
}

/// How a person says yes to what they clicked.
#[derive(Clone, Copy, Debug)]
enum Choosing {
    DoubleClick,
    Enter,
}

/// Opens the chooser of the page; returns a place in its list, near the bottom.
async fn open_chooser(rig: &Rig, input: &mut Lane) -> (i32, i32) {
    let before = rig.windows();
    rig.click(input, "input").await;
    eventually("the chooser is open", || async { rig.windows().len() > before.len() }).await;
    let chooser = rig.windows().into_iter().find(|window| !before.contains(window)).unwrap();
    let (left, top, width, height) = rig.place(chooser);
    (left + width * 2 / 5, top + height / 2)
}

async fn press(input: &mut Lane, x: i32, y: i32) {
    input.send(&InputFrame::Event(InputEvent::Move { x, y })).await;
    for down in [true, false] {
        input.send(&InputFrame::Event(InputEvent::Button { button: 0, down, x, y })).await;
    }
}
