//! The pointer: an element is clicked only where its own frame has seen the pointer come.

use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::input::{DispatchMouseEventParams, DispatchMouseEventType, MouseButton};
use sandbox_core::action::{Drag, Target};
use serde_json::{Value, json};

use super::Doing;
use super::done::Done;
use crate::browser::Shared;
use crate::browser::error::ActionError;
use crate::browser::locate::{Located, Needs};
use crate::browser::pipe::{Call, CallError};

/// How far beside its place the pointer begins, in CSS pixels, at each attempt to point there.
const ASIDE: [f64; 3] = [0.0, 1.0, -1.0];
/// How long a frame's place may take to become known before the pointer is moved again.
const POINTER_PAUSE: Duration = Duration::from_millis(20);
/// Moves that a drag is made of: pages begin a drag only when the pointer moves by itself.
const DRAG_STEPS: i32 = 8;

impl Doing<'_> {
    pub(super) async fn click(&self, target: &Target, count: i64) -> Result<Done, ActionError> {
        let located = self.press_pointer(target, Needs::Click, count).await?;
        let word = if count == 2 { "double-clicked" } else { "clicked" };
        Ok(Done::at(&located, format!("{word} {target}")))
    }

    pub(super) async fn hover(&self, target: &Target) -> Result<Done, ActionError> {
        loop {
            let located = self.aim_at(target, Needs::Click).await?;
            let tabs = self.shared.world.state().tabs.len();
            if self.point_at(&located).await? {
                self.settle(tabs).await?;
                return Ok(Done::at(&located, format!("pointed at {target}")));
            }
            self.check_time(target)?;
        }
    }

    /// Finds the target and clicks it, until its own frame has seen the click.
    ///
    /// Chromium acknowledges input that it drops because a frame has not painted yet, and sends it to another frame
    /// as long as it does not know where that one has come to. Nobody saw what was dropped: it is done again.
    pub(super) async fn press_pointer(
        &self,
        target: &Target,
        needs: Needs,
        count: i64,
    ) -> Result<Located, ActionError> {
        loop {
            let located = self.aim_at(target, needs).await?;
            let page = self.page()?;
            let tabs = self.shared.world.state().tabs.len();
            // In a single process there is no other frame that the click could go to.
            if page.is_one_process() || self.point_at(&located).await? {
                let (x, y) = located.point;
                let session = page.tab.session.as_str();
                let mut calls = vec![mouse(session, DispatchMouseEventType::MouseMoved, x, y, 0)];
                for nth in 1..=count {
                    calls.push(mouse(session, DispatchMouseEventType::MousePressed, x, y, nth));
                    calls.push(mouse(session, DispatchMouseEventType::MouseReleased, x, y, nth));
                }
                // A click that closes its own tab or document is not seen there any more: it arrived.
                let taken_in = self.dispatch(calls).await?;
                if !taken_in
                    || passing(page.ask(&located.frame, "baton.pressArrived()").await)? != Some(Value::Bool(false))
                {
                    self.settle(tabs).await?;
                    return Ok(located);
                }
            }
            self.check_time(target)?;
        }
    }

    /// Takes one element and lets it go over another. The button is lifted however it ends.
    pub(super) async fn drag(&self, drag: &Drag) -> Result<Done, ActionError> {
        loop {
            // Brought into view one after the other; then both have to be there.
            self.locate(&drag.to, Needs::Look).await?;
            let from = self.aim_at(&drag.from, Needs::Click).await?;
            let to = self.locate(&drag.to, Needs::Look).await?;
            let still = self.locate(&drag.from, Needs::Click).await?;
            if near(from.point, still.point) && self.point_at(&still).await? {
                self.carry(still.point, to.point).await?;
                return Ok(Done::at(&still, format!("dragged {} to {}", drag.from, drag.to)));
            }
            if self.left().is_zero() {
                let why = format!("it is not in view together with {}", drag.to);
                return Err(ActionError::NotReady { target: drag.from.to_string(), why });
            }
        }
    }

    /// Moves the pointer to the element, and says whether its own frame has seen it there.
    async fn point_at(&self, located: &Located) -> Result<bool, ActionError> {
        let page = self.page()?;
        let session = page.tab.session.as_str();
        let (x, y) = located.point;
        let seen = format!("baton.pointerAt({}, {})", located.point_in_frame.0, located.point_in_frame.1);
        for aside in ASIDE {
            // A pointer that is there already may not be told again: it comes from beside.
            let moves = [x + aside, x].map(|x| mouse(session, DispatchMouseEventType::MouseMoved, x, y, 0));
            if !self.dispatch(moves.into()).await? {
                return Ok(false);
            }
            match passing(page.ask(&located.frame, &seen).await)? {
                Some(Value::Bool(false)) => tokio::time::sleep(POINTER_PAUSE).await,
                Some(_) => return Ok(true),
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    async fn carry(&self, from: (f64, f64), to: (f64, f64)) -> Result<(), ActionError> {
        let page = self.page()?;
        let session = page.tab.session.clone();
        let tabs = self.shared.world.state().tabs.len();
        let mut held = Held { shared: self.shared, session: session.clone(), at: from };
        self.dispatch(vec![mouse(&session, DispatchMouseEventType::MousePressed, from.0, from.1, 1)]).await?;
        for step in 1..=DRAG_STEPS {
            let part = f64::from(step) / f64::from(DRAG_STEPS);
            held.at = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            let mut moved = mouse(&session, DispatchMouseEventType::MouseMoved, held.at.0, held.at.1, 0);
            moved.params["button"] = json!("left");
            moved.params["buttons"] = json!(1);
            self.dispatch(vec![moved]).await?;
        }
        drop(held);
        self.settle(tabs).await
    }

    fn check_time(&self, target: &Target) -> Result<(), ActionError> {
        if self.left().is_zero() {
            let why = "the pointer does not reach it".to_owned();
            return Err(ActionError::NotReady { target: target.to_string(), why });
        }
        Ok(())
    }
}

/// A mouse button that is down: lifted when this goes.
struct Held<'a> {
    shared: &'a Shared,
    session: String,
    at: (f64, f64),
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let released = mouse(&self.session, DispatchMouseEventType::MouseReleased, self.at.0, self.at.1, 1);
        self.shared.pipe.note(Some(&self.session), &released.method, released.params);
    }
}

fn near(a: (f64, f64), b: (f64, f64)) -> bool {
    (a.0 - b.0).abs() <= 1.0 && (a.1 - b.1).abs() <= 1.0
}

/// Returns the answer of a frame, or `None` where its document went away under the question.
fn passing(answer: Result<Value, CallError>) -> Result<Option<Value>, ActionError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_passing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn mouse(session: &str, kind: DispatchMouseEventType, x: f64, y: f64, click_count: i64) -> Call {
    let pressed = matches!(kind, DispatchMouseEventType::MousePressed);
    let mut event = DispatchMouseEventParams::new(kind, x, y);
    if click_count > 0 {
        event.button = Some(MouseButton::Left);
        event.buttons = Some(i64::from(pressed));
        event.click_count = Some(click_count);
    }
    Call::typed(Some(session), &event)
}
