//! What comes for the running task: messages, and how requests for a person ended. Kept until the task asks.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::agent::Mail;

/// How many messages may wait to be read; whoever writes more is refused.
pub(super) const MOST_UNREAD: usize = 50;

#[derive(Default)]
pub(super) struct MailBox {
    waiting: Mutex<Vec<Mail>>,
    came: Notify,
}

impl MailBox {
    pub fn put(&self, mail: Mail) {
        self.lock().push(mail);
        self.came.notify_waiters();
    }

    /// Takes everything, oldest first.
    pub fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut *self.lock())
    }

    pub fn unread(&self) -> usize {
        self.lock().iter().filter(|mail| matches!(mail, Mail::Message { .. })).count()
    }

    /// Resolves when a message waits; how handoffs ended wakes nobody, as it says itself to whoever waits for one.
    pub async fn message_came(&self) {
        loop {
            let came = self.came.notified();
            if self.unread() > 0 {
                return;
            }
            came.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Mail>> {
        // Put and taken whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use sandbox_core::model::Actor;

    use super::*;

    #[tokio::test]
    async fn a_message_wakes_whoever_waits_and_is_taken_once() {
        let mailbox = std::sync::Arc::new(MailBox::default());
        let waiting = tokio::spawn({
            let mailbox = mailbox.clone();
            async move { mailbox.message_came().await }
        });
        tokio::task::yield_now().await;
        let mail = Mail::Message { text: "hello".to_owned(), by: Actor::Person };
        mailbox.put(mail.clone());
        waiting.await.unwrap();
        assert_eq!(mailbox.take(), [mail]);
        assert_eq!(mailbox.take(), []);
    }
}
