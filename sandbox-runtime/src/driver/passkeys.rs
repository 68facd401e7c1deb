//! A page that asks for a passkey: by the rule of its entry it gets one, a person is asked, or it is told no.
//!
//! Whoever acts in the meantime waits as for a held request: what follows depends on the answer.

use sandbox_core::approval::hash;
use sandbox_core::approval::judge::{self, Foreseen};
use sandbox_core::credential::{PasskeyWants, choose_passkey};
use sandbox_core::model::{ActKind, Credential, CredentialRule, Proposal, ShownField};

use super::Driver;
use super::actor::Actor;
use super::cause::Cause;
use super::turns::TurnOf;
use crate::agent::{ApprovalRequest, Decision};
use crate::browser::{Browser, PasskeyAsked, PasskeyRefusal, VaultError};

/// What is said of a question whose page is gone.
const LEFT: &str = "the page gave its request up";

impl Actor {
    /// Begins to answer a page; the side that acted last waits until it has its answer.
    pub(super) fn answer_passkey(&mut self, asked: PasskeyAsked) {
        let Some(browser) = self.browser() else { return };
        let by = self.who_acted();
        self.trust.held_of(by).begin();
        self.show();
        let driver = self.driver.clone();
        tokio::spawn(async move {
            Answering { driver: &driver, browser: &browser, asked: &asked, by }.run().await;
            // An actor that ended waits for nothing.
            let _ = driver.inbox.send(Cause::PasskeyAnswered { by }).await;
        });
    }

    pub(super) fn passkey_answered(&mut self, by: TurnOf) {
        self.trust.held_of(by).finish();
        self.questions_changed();
    }
}

/// One page that waits.
struct Answering<'a> {
    driver: &'a Driver,
    browser: &'a Browser,
    asked: &'a PasskeyAsked,
    by: TurnOf,
}

impl Answering<'_> {
    async fn run(&self) {
        let answered = match &self.asked.request.wants {
            PasskeyWants::SignIn { .. } => self.sign_in().await,
            PasskeyWants::New { user, known } => self.make(user, known).await,
        };
        if let Err(refusal) = answered {
            self.browser.refuse_passkey(self.asked, &refusal);
        }
    }

    async fn sign_in(&self) -> Result<(), PasskeyRefusal> {
        let (vault, request) = (&self.driver.kit.vault, &self.asked.request);
        let fitting = vault.with_passkeys(request).await.map_err(no_vault)?;
        let entry = choose_passkey(&fitting).map_err(|why| PasskeyRefusal::NotAllowed(why.to_string()))?;
        if entry.rule == CredentialRule::Ask {
            self.ask(self.sign_in_proposal(entry)).await?;
        }
        let keys = vault.open_passkeys(entry, request).await.map_err(no_vault)?;
        let Some(used) = self.browser.give_passkeys(self.asked, &keys).await.map_err(failed)? else { return Ok(()) };
        if let Err(error) = vault.keep_passkey(used, request).await {
            // The page may have it all the same: only how often it was used is not written down.
            tracing::warn!(%error, "the use of a passkey could not be counted");
        }
        self.browser.finish_passkey(self.asked, true);
        Ok(())
    }

    async fn make(&self, user: &str, known: &[String]) -> Result<(), PasskeyRefusal> {
        let (vault, request) = (&self.driver.kit.vault, &self.asked.request);
        vault.can_keep().await.map_err(no_vault)?;
        // After the question: a page does not learn beforehand which passkeys are here.
        self.ask(self.new_proposal(user)).await?;
        if !known.is_empty() && !vault.with_passkeys(request).await.map_err(no_vault)?.is_empty() {
            return Err(PasskeyRefusal::Known);
        }
        let Some(made) = self.browser.give_passkeys(self.asked, &[]).await.map_err(failed)? else { return Ok(()) };
        let kept = if made.rp_id == request.site {
            vault.keep_passkey(made, request).await.map_err(|error| error.to_string())
        } else {
            Err("it is for another site than was asked about".to_owned())
        };
        if let Err(why) = &kept {
            tracing::warn!(why, "a new passkey is not kept, and the page does not get it");
        }
        self.browser.finish_passkey(self.asked, kept.is_ok());
        if kept.is_ok() {
            self.browser.tell_new_passkey(self.asked);
        }
        Ok(())
    }

    /// Asks a person, and goes on only with a yes. A question whose page is gone is withdrawn.
    async fn ask(&self, proposal: Proposal) -> Result<(), PasskeyRefusal> {
        let question = hash(&proposal);
        let asked = Box::new(ApprovalRequest { proposal, page: self.asked.request.origin.clone(), action: None });
        let by = self.by;
        let decided = tokio::select! {
            biased;
            decided = self.driver.ask_actor(|answer| Cause::Approve { asked, by, answer }) => decided,
            () = self.browser.passkey_left(self.asked) => {
                self.withdraw(&question).await;
                return no(LEFT);
            }
        };
        match decided {
            Ok(Decision::Allowed | Decision::Approved(_)) => Ok(()),
            Ok(Decision::Denied { .. }) => no("a person said no"),
            Ok(Decision::Void { .. } | Decision::Unanswered) => no("nobody answered"),
            Err(refusal) => no(&refusal.message),
        }
    }

    async fn withdraw(&self, question: &str) {
        let open = self.driver.shared.borrow().questions.iter().find_map(|(asked, _)| {
            let is_it = asked.hash == question;
            is_it.then(|| asked.approval_id.clone())
        });
        if let Some(id) = open {
            // An actor that ended has no questions.
            let _ = self.driver.inbox.send(Cause::Withdraw { id, why: LEFT.to_owned() }).await;
        }
    }

    fn sign_in_proposal(&self, entry: &Credential) -> Proposal {
        let user = entry.username.as_deref().filter(|user| !user.is_empty());
        let summary = match user {
            Some(user) => format!("sign in with the passkey of {user}"),
            None => "sign in with a passkey".to_owned(),
        };
        self.proposal(summary, user.unwrap_or_default())
    }

    fn new_proposal(&self, user: &str) -> Proposal {
        self.proposal(format!("save a passkey for {}", self.asked.request.site), user)
    }

    fn proposal(&self, summary: String, user: &str) -> Proposal {
        let request = &self.asked.request;
        let shown = |name: &str, value: &str, masked: bool| ShownField {
            name: name.to_owned(),
            value: value.to_owned(),
            masked,
        };
        let seen = Foreseen {
            page: request.origin.clone(),
            destination: Some(request.origin.clone()),
            fields: vec![shown("user name", user, false), shown("passkey", "•", true)],
            ..Foreseen::default()
        };
        judge::propose(ActKind::SignIn, summary, &seen)
    }
}

fn no<T>(why: &str) -> Result<T, PasskeyRefusal> {
    Err(PasskeyRefusal::NotAllowed(why.to_owned()))
}

fn no_vault(error: VaultError) -> PasskeyRefusal {
    PasskeyRefusal::NotAllowed(error.to_string())
}

fn failed(error: impl std::fmt::Display) -> PasskeyRefusal {
    PasskeyRefusal::NotAllowed(error.to_string())
}
