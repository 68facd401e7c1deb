//! Asking the person who drives for control: they are asked, and nothing is taken from them.

use sandbox_core::ViewerId;
use sandbox_core::control::{Controller, Request, State};
use sandbox_core::model::Actor as By;

use super::Asker;
use super::actor::Actor;
use super::refusal::Refusal;

impl Actor {
    /// Notes that this view's person would like control. A newer request replaces an older one.
    pub(super) fn ask_control(&mut self, viewer: ViewerId, name: String) -> Result<(), Refusal> {
        match self.control.state() {
            State::Person { controller, .. } if *controller == Controller::Viewer(viewer.clone()) => {
                Err(Refusal::wrong_state("you are driving already"))
            }
            State::Person { controller: Controller::Viewer(_), .. } => {
                self.asker = Some(Asker { viewer, name });
                self.show();
                Ok(())
            }
            State::Person { controller: Controller::Api(_), .. } => {
                Err(Refusal::wrong_state("a program holds control for a person, who cannot be asked here"))
            }
            State::Idle { .. } | State::Agent { .. } | State::Settling { .. } | State::Waiting { .. } => {
                Err(Refusal::wrong_state("nobody drives: control can be taken"))
            }
        }
    }

    /// Hands control to the asker, or declines. Between the two people nobody drives: the agent's side
    /// never gets to act on a page that one of them left half done.
    pub(super) async fn answer_asker(&mut self, viewer: &ViewerId, gives: bool) -> Result<(), Refusal> {
        let drives = matches!(self.control.state(), State::Person { controller: Controller::Viewer(holder), .. } if holder == viewer);
        if !drives {
            return Err(Refusal::wrong_state("only who drives can give control"));
        }
        let Some(asker) = self.asker.take() else {
            return Err(Refusal::wrong_state("nobody asks for control any more"));
        };
        if !gives {
            self.show();
            return Ok(());
        }
        self.can_be_recorded()?;
        self.control_request(Request::ViewerLeft { viewer: viewer.clone() }, By::Person, None).await;
        self.take(Controller::Viewer(asker.viewer), asker.name).await
    }

    /// Drops the request when the asker has left.
    pub(super) fn forget_asker(&mut self, viewer: &ViewerId) {
        if self.asker.as_ref().is_some_and(|asker| asker.viewer == *viewer) {
            self.asker = None;
        }
    }
}
