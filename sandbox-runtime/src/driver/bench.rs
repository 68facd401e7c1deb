//! The workbench of a running task: what the runner asks for, carried to the actor and the rooms.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sandbox_core::document::ConvertFile;
use sandbox_core::event::EventData;
use sandbox_core::model::{
    ActKind, Actor as By, Artifact, CodeRequest, Credential, CredentialKind, CredentialRule, ExecRequest, ExecResult,
    HandoffRequest, Proposal, RequestedBy, ShownField,
};
use sandbox_core::{TaskId, policy};
use secrecy::ExposeSecret;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Driver;
use super::cause::Cause;
use super::mail::MailBox;
use super::refusal::Refusal;
use super::speech::Words;
use super::turns::TurnOf;
use crate::agent::{
    ApprovalRequest, Asks, Converted, Decision, Doing, HandedBack, HeldAnswer, Kept, Mail, Secrets, Stopped, Turn,
    WorkError, Workbench,
};
use crate::browser::{Browser, VaultError};
use crate::workspace::Workspace;

pub(super) struct Bench {
    driver: Driver,
    task: TaskId,
    mail: Arc<MailBox>,
    stop: CancellationToken,
}

impl Bench {
    pub fn new(driver: Driver, task: TaskId, mail: Arc<MailBox>, stop: CancellationToken) -> Self {
        Self { driver, task, mail, stop }
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T, WorkError>>) -> Result<T, WorkError> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Stopped.into()),
            done = async {
                self.driver.unless_paused().await;
                work.await
            } => done,
        }
    }
}

impl Bench {
    /// Opens one secret for a command, after the person's word where its rule wants one.
    async fn secret(&self, name: &str, purpose: &str) -> Result<String, WorkError> {
        let vault = &self.driver.kit.vault;
        let failed = |error: VaultError| WorkError::Failed(error.to_string());
        let entries = vault.entries().await.map_err(failed)?;
        let of_name = |entry: &&Credential| entry.kind == CredentialKind::Secret && entry.name == name;
        let Some(entry) = entries.iter().find(of_name) else {
            return Err(WorkError::Failed(format!("the vault has no secret `{name}`")));
        };
        self.leads_to_its_hosts_alone(entry)?;
        match entry.rule {
            CredentialRule::Fill => {}
            CredentialRule::Never => {
                return Err(WorkError::Failed(format!("the secret `{name}` is set to `never`")));
            }
            CredentialRule::Ask => self.ask_for_secret(entry, purpose).await?,
        }
        let value = vault.open_secret(entry, purpose).await.map_err(failed)?;
        Ok(value.expose_secret().to_owned())
    }

    /// A secret for certain hosts is given to no command that could send it to others.
    fn leads_to_its_hosts_alone(&self, entry: &Credential) -> Result<(), WorkError> {
        if entry.hosts.is_empty() {
            return Ok(());
        }
        let (name, hosts) = (&entry.name, entry.hosts.join(", "));
        let found = policy::beside(&self.driver.shared.borrow().sandbox.network, &entry.hosts);
        match found.map_err(|error| WorkError::Failed(format!("the hosts of the secret `{name}`: {error}")))? {
            None => Ok(()),
            Some(beside) => Err(WorkError::Failed(format!(
                "the secret `{name}` is for {hosts} alone, and commands of this sandbox reach {beside}: make a sandbox with \
                 `network: {{ mode: allowlist, allow: [{hosts}] }}`"
            ))),
        }
    }

    async fn ask_for_secret(&self, entry: &Credential, purpose: &str) -> Result<(), WorkError> {
        let shown =
            |name: &str, value: &str| ShownField { name: name.to_owned(), value: value.to_owned(), masked: false };
        let proposal = Proposal {
            kind: ActKind::UseSecret,
            summary: format!("give the secret {} to a command", entry.name),
            site: "the sandbox's shell".to_owned(),
            method: None,
            destination: entry.hosts.join(", "),
            fields: vec![shown("secret", &entry.name), shown("command", purpose)],
            amount: None,
        };
        loop {
            let asked = ApprovalRequest { proposal: proposal.clone(), page: String::new(), action: None };
            match self.approve(asked).await? {
                Decision::Allowed | Decision::Approved(_) => return Ok(()),
                Decision::Void { .. } | Decision::Unanswered => {}
                Decision::Denied { note } => {
                    let note = note.map(|note| format!(": {note}")).unwrap_or_default();
                    return Err(WorkError::Failed(format!("a person said no to the secret `{}`{note}", entry.name)));
                }
            }
        }
    }
}

impl Asks for Bench {
    fn approve(&self, asked: ApprovalRequest) -> BoxFuture<'_, Result<Decision, WorkError>> {
        let asked = Box::new(asked);
        self.unless_stopped(async {
            Ok(self.driver.ask_actor(|answer| Cause::Approve { asked, by: TurnOf::Task, answer }).await?)
        })
        .boxed()
    }

    fn doing(&self, doing: Doing) -> BoxFuture<'_, Result<(), WorkError>> {
        let doing = Box::new(doing);
        self.unless_stopped(async { Ok(self.driver.ask_actor(|answer| Cause::Doing { doing, answer }).await?) }).boxed()
    }

    fn may_ask(&self) -> bool {
        self.driver.shared.borrow().may_ask
    }

    fn is_held(&self) -> BoxFuture<'_, ()> {
        self.driver.is_holding(TurnOf::Task).boxed()
    }

    fn held_requests(&self) -> BoxFuture<'_, Result<HeldAnswer, WorkError>> {
        self.unless_stopped(async {
            Ok(self.driver.ask_actor(|answer| Cause::AwaitHeld { by: TurnOf::Task, answer }).await?)
        })
        .boxed()
    }

    fn stopped(&self) -> BoxFuture<'_, ()> {
        self.stop.cancelled().boxed()
    }
}

impl Workbench for Bench {
    fn begin(&self) -> BoxFuture<'_, Result<Turn, Stopped>> {
        async {
            let turn = self.driver.ask_actor(|answer| Cause::Begin { by: TurnOf::Task, answer });
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Stopped),
                // The actor refuses a task only when the sandbox is gone.
                turn = turn => turn.map_err(|_| Stopped),
            }
        }
        .boxed()
    }

    fn ask(&self, request: HandoffRequest) -> BoxFuture<'_, Result<HandedBack, WorkError>> {
        async {
            let (done, is_done) = oneshot::channel();
            let asked = async {
                let (is_met, missing_sign_in) = self.driver.before_asking(&request).await;
                let (by, done) = (RequestedBy::Agent, Some(done));
                let ask = |answer| Cause::Ask { by, request, is_met, missing_sign_in, answer, done };
                self.driver.ask_actor(ask).await?;
                is_done.await.map_err(|_| WorkError::from(Stopped))
            };
            self.unless_stopped(asked).await
        }
        .boxed()
    }

    fn browser(&self) -> Option<Browser> {
        self.driver.browser()
    }

    fn workspace(&self) -> Workspace {
        self.driver.workspace().clone()
    }

    fn exec(&self, request: ExecRequest) -> BoxFuture<'_, Result<ExecResult, WorkError>> {
        self.unless_stopped(async {
            self.driver.exec(request, By::Agent, |_| ()).await.map_err(|error| WorkError::Failed(error.to_string()))
        })
        .boxed()
    }

    fn secrets(&self, names: BTreeSet<String>, purpose: String) -> BoxFuture<'_, Result<Secrets, WorkError>> {
        async move {
            let mut opened = Secrets::new();
            for name in names {
                let value = self.secret(&name, &purpose).await?;
                opened.insert(name, value);
            }
            Ok(opened)
        }
        .boxed()
    }

    fn code(&self, request: CodeRequest) -> BoxFuture<'_, Result<ExecResult, WorkError>> {
        self.unless_stopped(async {
            self.driver.code(request, By::Agent).await.map_err(|error| WorkError::Failed(error.to_string()))
        })
        .boxed()
    }

    fn convert(&self, file: ConvertFile) -> BoxFuture<'_, Result<Converted, WorkError>> {
        self.unless_stopped(async move {
            self.driver.convert(file, By::Agent).await.map_err(|error| WorkError::Failed(error.to_string()))
        })
        .boxed()
    }

    fn save_artifact(&self, path: String, name: Option<String>) -> BoxFuture<'_, Result<Artifact, WorkError>> {
        self.unless_stopped(async move {
            self.driver.save_artifact(path, name, By::Agent).await.map_err(|error| WorkError::Failed(error.to_string()))
        })
        .boxed()
    }

    fn checkpoint(&self, label: Option<String>) -> BoxFuture<'_, Result<(), WorkError>> {
        self.unless_stopped(async move {
            let taken = self.driver.checkpoint(label, By::Agent).await;
            taken.map(drop).map_err(|error| WorkError::Failed(error.to_string()))
        })
        .boxed()
    }

    fn record(&self, data: EventData) -> BoxFuture<'_, Result<(), WorkError>> {
        let data = Box::new(data);
        self.unless_stopped(async move { Ok(self.driver.record(*data, By::Agent).await?) }).boxed()
    }

    fn keep(&self, kept: Kept) -> BoxFuture<'_, Result<(), WorkError>> {
        let kept = Box::new(kept);
        self.unless_stopped(async { Ok(self.driver.ask_actor(|answer| Cause::Keep { kept, answer }).await?) }).boxed()
    }

    fn keep_picture(&self, picture: Vec<u8>) -> BoxFuture<'_, Result<String, WorkError>> {
        let blobs = self.driver.kit.store.blobs().clone();
        self.unless_stopped(async move {
            let kept = tokio::task::spawn_blocking(move || blobs.put(picture.as_slice())).await;
            let kept = kept.map_err(|error| WorkError::Failed(error.to_string()))?;
            Ok(kept.map_err(|error| WorkError::Failed(error.to_string()))?.sha256.clone())
        })
        .boxed()
    }

    fn picture(&self, sha256: String) -> BoxFuture<'_, Result<Vec<u8>, WorkError>> {
        let blobs = self.driver.kit.store.blobs().clone();
        self.unless_stopped(async move {
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = Vec::new();
                let mut file = blobs.open(&sha256).map_err(|error| error.to_string())?;
                file.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
                Ok(bytes)
            });
            let read = read.await.unwrap_or_else(|error| Err(error.to_string()));
            read.map_err(WorkError::Failed)
        })
        .boxed()
    }

    fn mail(&self) -> Vec<Mail> {
        self.mail.take()
    }

    fn message_came(&self) -> BoxFuture<'_, ()> {
        self.mail.message_came().boxed()
    }

    fn show(&self, said: &str) {
        self.driver.kit.speech.say(Words { task_id: self.task.clone(), text: said.to_owned() });
    }
}

impl From<Refusal> for WorkError {
    fn from(refusal: Refusal) -> Self {
        Self::Failed(refusal.message)
    }
}
