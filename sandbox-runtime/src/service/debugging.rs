//! The debugging endpoint: outside clients, on the agent's side of the gate.

use std::collections::VecDeque;
use std::future::ready;
use std::pin::pin;
use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use futures_util::future::{BoxFuture, FutureExt, OptionFuture};
use futures_util::{SinkExt, Stream, StreamExt};
use sandbox_core::SandboxId;
use sandbox_core::model::Tab;
use serde_json::Value;

use super::{Answer, ErrorCode, Service, ServiceError};
use crate::browser::Refused;
use crate::browser::clients::{AdmitError, Class, Client, Command, Ears, Place};
use crate::driver::{Driver, Presence, Refusal, RefusalCode, SharedTurn};

/// Commands of one client that may wait for a turn; beyond that its further words wait in its connection.
const LINE: usize = 4_096;

/// One client's side of the conversation.
pub struct Debugging {
    driver: Driver,
    client: Client,
    _presence: Presence,
    /// What waits behind a command that waits for its turn, in order.
    line: VecDeque<Command>,
    asked: Option<BoxFuture<'static, Result<Arc<SharedTurn>, Refusal>>>,
}

impl Service {
    /// Lets an outside client of the debugging protocol in.
    ///
    /// # Errors
    ///
    /// `conflict` without a browser, `notFound` for a page that is not there, `overloaded` when there are too many.
    pub async fn debug(&self, id: &SandboxId, place: Place) -> Answer<(Debugging, Ears)> {
        let driver = self.working_driver(id).await?;
        let _presence = driver.presence();
        let browser = driver.browser_when_up().await.ok_or_else(|| ServiceError::no_browser(&driver))?;
        let (client, ears) = browser.admit(place).await?;
        Ok((Debugging { driver, client, _presence, line: VecDeque::new(), asked: None }, ears))
    }

    /// Returns what the browser says of itself.
    pub async fn browser_version(&self, id: &SandboxId) -> Answer<Value> {
        let driver = self.working_driver(id).await?;
        let browser = driver.browser_when_up().await.ok_or_else(|| ServiceError::no_browser(&driver))?;
        Ok(browser.version().await?)
    }

    /// Returns the tabs that a client could attach to; refused while a person drives.
    pub async fn debuggable_tabs(&self, id: &SandboxId) -> Answer<Vec<Tab>> {
        let driver = self.working_driver(id).await?;
        let browser = driver.browser_when_up().await.ok_or_else(|| ServiceError::no_browser(&driver))?;
        browser.debuggable_tabs().map_err(|refused| Refusal::from(refused).into())
    }
}

impl Debugging {
    /// Says that the client runs on this machine, not in a room.
    pub fn runs_on_host(&self) {
        self.client.runs_on_host();
    }

    /// Carries words both ways over a WebSocket until either side ends.
    pub async fn talk(self, socket: WebSocket, mut ears: Ears) {
        let (mut told, said) = socket.split();
        let words = said.take_while(|said| ready(!matches!(said, Ok(Message::Close(_)) | Err(_)))).filter_map(|said| {
            ready(match said {
                Ok(Message::Text(text)) => Some(text.as_str().to_owned()),
                Ok(Message::Binary(bytes)) => String::from_utf8(bytes.to_vec()).ok(),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) | Err(_) => None,
            })
        });
        let telling = async {
            while let Some(text) = ears.next().await {
                if told.send(Message::Text(text.into())).await.is_err() {
                    return;
                }
            }
            // The client may be gone already.
            let _ = told.send(Message::Close(None)).await;
        };
        tokio::select! {
            () = self.serve(words) => {}
            () = telling => {}
        }
    }

    /// Listens to the client until it leaves, or has to.
    async fn serve(mut self, words: impl Stream<Item = String>) {
        let mut words = pin!(words);
        loop {
            let has_room = self.line.len() < LINE;
            let asked: OptionFuture<_> = self.asked.as_mut().into();
            tokio::select! {
                biased;
                Some(turn) = asked => {
                    self.asked = None;
                    self.turn_came(turn).await;
                }
                said = words.next(), if has_room => match said {
                    Some(said) => self.hear(&said).await,
                    None => return,
                },
                () = self.client.cut() => return,
            }
        }
    }

    async fn hear(&mut self, said: &str) {
        let Some(command) = self.client.plan(said) else { return };
        // What lets go never waits: someone in the line may wait for it.
        if command.class() == Class::LetGo {
            self.client.send(command).await;
            return;
        }
        self.line.push_back(command);
        if self.asked.is_none() {
            self.advance().await;
        }
    }

    /// Sends what may be sent, in order, until a turn has to be asked for.
    async fn advance(&mut self) {
        while let Some(command) = self.line.pop_front() {
            if command.class() != Class::Act {
                self.client.send(command).await;
                continue;
            }
            match self.driver.share().join() {
                Some(turn) => self.client.act(command, turn.permit(), Box::new(turn)).await,
                None => {
                    self.line.push_front(command);
                    let driver = self.driver.clone();
                    self.asked = Some(async move { driver.begin_shared().await }.boxed());
                    return;
                }
            }
        }
    }

    async fn turn_came(&mut self, turn: Result<Arc<SharedTurn>, Refusal>) {
        if let Some(command) = self.line.pop_front() {
            match turn {
                Ok(turn) => self.client.act(command, turn.permit(), Box::new(turn)).await,
                Err(refusal) => match refused(refusal.code) {
                    Some(refused) => self.client.deny(&command, refused),
                    None => self.client.fail(&command, &refusal.message),
                },
            }
        }
        self.advance().await;
    }
}

fn refused(code: RefusalCode) -> Option<Refused> {
    match code {
        RefusalCode::HeldByPerson | RefusalCode::HeldByOther => Some(Refused::HeldByPerson),
        RefusalCode::WaitingForPerson => Some(Refused::WaitingForPerson),
        RefusalCode::StaleLease => Some(Refused::StaleLease),
        RefusalCode::HeldByAgent | RefusalCode::WrongState | RefusalCode::Invalid | RefusalCode::NotRecorded => None,
    }
}

impl From<AdmitError> for ServiceError {
    fn from(error: AdmitError) -> Self {
        match error {
            AdmitError::TooMany => Self::new(ErrorCode::Overloaded, error.to_string()),
            AdmitError::Browser(error) => error.into(),
        }
    }
}
