//! Progress of a tool call, for clients that ask for it: a sign of life each second, with the newest words.

use std::convert::Infallible;
use std::time::Duration;

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext, RoleServer};
use tokio::sync::watch;

const EVERY: Duration = Duration::from_secs(1);
const LONGEST: usize = 200;

pub struct Progress {
    /// `None` for a call that wants no progress.
    listener: Option<(Peer<RoleServer>, ProgressToken)>,
    words: watch::Sender<String>,
}

impl Progress {
    pub fn of(context: &RequestContext<RoleServer>) -> Self {
        let listener = context.meta.get_progress_token().map(|token| (context.peer.clone(), token));
        Self { listener, words: watch::Sender::new("working".to_owned()) }
    }

    /// Says what is under way: the last line of `text` that is not blank.
    pub fn say(&self, text: &str) {
        if let Some(line) = text.lines().rev().find(|line| !line.trim().is_empty()) {
            self.words.send_replace(line.chars().take(LONGEST).collect());
        }
    }

    /// Tells the client once a second, until dropped.
    pub async fn keep_telling(&self) -> Infallible {
        let Some((peer, token)) = &self.listener else { return std::future::pending().await };
        let mut seconds = tokio::time::interval(EVERY);
        for passed in 0_u32.. {
            seconds.tick().await;
            let words = self.words.borrow().clone();
            let told = ProgressNotificationParam::new(token.clone(), f64::from(passed)).with_message(words);
            // A client that is gone hears nothing; its call goes on until its connection says so.
            let _ = peer.notify_progress(told).await;
        }
        std::future::pending().await
    }
}
