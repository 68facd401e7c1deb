//! Password managers that are on this machine already: their sign-ins stand among the credentials, their values stay with them.
//!
//! Owns which are connected, and what is listed of them: a name, sites and a user name for each item. A value is fetched in the
//! moment in which it is filled in. What each program is asked is in its file.

mod bitwarden;
mod one_password;
mod program;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use sandbox_core::CredentialId;
use sandbox_core::credential::Site;
use sandbox_core::model::{
    Credential, CredentialSource, EpochMs, PasswordManager as Told, PasswordManagerConnect, PasswordManagerState,
    Secret,
};
use secrecy::{ExposeSecret, SecretString};

use super::values::Values;
use super::{checks, new_login};
use crate::now_ms;
use crate::service::{Answer, ErrorCode, Service, ServiceError};
use crate::store::Change;

/// Most entries of one manager: one for each site of each item.
const MOST: usize = 5_000;

/// A password manager, by its command line program.
trait PasswordManager: Send + Sync {
    fn source(&self) -> CredentialSource;

    /// What a person does where its program is missing.
    fn how_to_install(&self) -> &'static str;

    /// What a person does where it gives nothing.
    fn how_to_unlock(&self) -> &'static str;

    /// Opens it with the person's master password; `None` for one that is unlocked in its own app.
    fn unlock(&self, _: SecretString) -> Option<BoxFuture<'_, Result<(), ManagerError>>> {
        None
    }

    /// Forgets what opens it.
    fn forget_session(&self) {}

    /// Whether its program is there, and open as far as can be told without asking the person.
    fn check(&self) -> BoxFuture<'_, Result<(), ManagerError>>;

    /// Lists its logins, without values.
    fn items(&self) -> BoxFuture<'_, Result<Vec<Item>, ManagerError>>;

    /// Returns the values of one login.
    fn open<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<OpenedItem, ManagerError>>;
}

/// A login of a password manager, without its values.
struct Item {
    /// As [`PasswordManager::open`] takes it.
    id: String,
    name: String,
    username: Option<String>,
    sites: Vec<Site>,
    has_password: bool,
    /// `false` also where its listing does not say.
    has_totp: bool,
}

/// The values of a login, as they are now.
struct OpenedItem {
    username: Option<String>,
    password: Option<SecretString>,
    totp: Option<SecretString>,
    sites: Vec<Site>,
}

/// Why a password manager gives nothing, in words for the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagerError {
    /// Its program is not on this machine.
    #[error("its program is not on this machine")]
    Absent,
    /// The person has to do something first. Has the program's words.
    #[error("{0}")]
    Locked(String),
    #[error("{0}")]
    Failed(String),
}

/// The password managers of this machine.
pub struct PasswordManagers {
    all: [Box<dyn PasswordManager>; 2],
    /// What a connected one answered last, if that was no.
    refused: Mutex<BTreeMap<CredentialSource, ManagerError>>,
    /// One is connected or disconnected at a time: what was listed before one was disconnected is not kept after.
    connecting: tokio::sync::Mutex<()>,
}

impl Default for PasswordManagers {
    fn default() -> Self {
        let all: [Box<dyn PasswordManager>; 2] =
            [Box::new(one_password::OnePassword), Box::new(bitwarden::Bitwarden::default())];
        Self { all, refused: Mutex::default(), connecting: tokio::sync::Mutex::default() }
    }
}

impl PasswordManagers {
    fn of(&self, source: CredentialSource) -> Answer<&dyn PasswordManager> {
        let found = self.all.iter().find(|manager| manager.source() == source);
        found.map(AsRef::as_ref).ok_or_else(|| {
            ServiceError::new(ErrorCode::NotFound, "Baton's own vault is no password manager that can be connected")
        })
    }

    fn refused(&self) -> MutexGuard<'_, BTreeMap<CredentialSource, ManagerError>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what a manager answered, and says it as the service does.
    fn answered<T>(&self, manager: &dyn PasswordManager, answer: Result<T, ManagerError>) -> Answer<T> {
        let source = manager.source();
        match answer {
            Ok(given) => {
                self.refused().remove(&source);
                Ok(given)
            }
            Err(error) => {
                // One item that fails says nothing of the others.
                if !matches!(error, ManagerError::Failed(_)) {
                    self.refused().insert(source, error.clone());
                }
                Err(refusal(manager, &error))
            }
        }
    }

    /// Says how a manager stands: as it answered just now, and before.
    fn told(
        &self,
        manager: &dyn PasswordManager,
        checked: Result<(), ManagerError>,
        listed_at: Option<EpochMs>,
        entries: u64,
    ) -> Told {
        let refused = self.refused().get(&manager.source()).cloned();
        let (state, why) = match (listed_at, checked, refused) {
            (_, Err(ManagerError::Absent), _) => (PasswordManagerState::Absent, Some(ManagerError::Absent)),
            (None, _, _) => (PasswordManagerState::Off, None),
            (Some(_), Err(error), _) | (Some(_), Ok(()), Some(error)) => (PasswordManagerState::Locked, Some(error)),
            (Some(_), Ok(()), None) => (PasswordManagerState::Ready, None),
        };
        let detail = why.map(|error| {
            let ServiceError { message, hint, .. } = refusal(manager, &error);
            hint.map_or_else(|| message.clone(), |hint| format!("{message}; {hint}"))
        });
        let name = manager.source().called().to_owned();
        Told { source: manager.source(), name, state, detail, entries, listed_at }
    }
}

impl Service {
    /// Returns each password manager that Baton knows, and whether it can be filled in from.
    pub async fn password_managers(&self) -> Answer<Vec<Told>> {
        let connected = self.store().password_managers().await?;
        let all = self.store().all_credentials().await?;
        let managers = &self.inner.password_managers;
        let told = managers.all.iter().map(async |manager| {
            let source = manager.source();
            let entries = all.iter().filter(|entry| entry.source == source).count() as u64;
            let checked = manager.check().await;
            managers.told(manager.as_ref(), checked, connected.get(&source).copied(), entries)
        });
        Ok(futures_util::future::join_all(told).await)
    }

    /// Connects a password manager: lists its sign-ins among the credentials, without values. Done again, it lists them again;
    /// rules that a person set stay.
    ///
    /// # Errors
    ///
    /// `conflict` where its program is missing and while it is locked, with what the person has to do; `unavailable` where the
    /// program fails.
    pub async fn connect_password_manager(
        &self,
        source: CredentialSource,
        asked: PasswordManagerConnect,
    ) -> Answer<Told> {
        let managers = &self.inner.password_managers;
        let manager = managers.of(source)?;
        let _connecting = managers.connecting.lock().await;
        if let Some(Secret(passphrase)) = asked.passphrase.filter(|Secret(text)| !text.is_empty()) {
            let unlocking = manager.unlock(SecretString::from(passphrase)).ok_or_else(|| {
                let message = format!("`passphrase`: {} is unlocked in its own app", source.called());
                ServiceError::invalid(message).with_hint("leave it out")
            })?;
            managers.answered(manager, unlocking.await)?;
        }
        let items = managers.answered(manager, manager.items().await)?;
        let _changing = self.inner.changing_credentials.lock().await;
        let kept = self.entries_of(source).await?;
        let now = now_ms();
        let Listing { entries, gone, n_entries } = listing(source, kept, items, now);
        let change = Change {
            credentials: entries,
            deleted_credentials: gone,
            connected_password_managers: vec![(source, now)],
            ..Change::default()
        };
        self.store().commit(change).await?;
        Ok(managers.told(manager, Ok(()), Some(now), n_entries))
    }

    /// Forgets what was listed of a password manager, and what opened it. The ledger of its uses stays.
    pub async fn disconnect_password_manager(&self, source: CredentialSource) -> Answer<()> {
        let managers = &self.inner.password_managers;
        let manager = managers.of(source)?;
        let _connecting = managers.connecting.lock().await;
        manager.forget_session();
        managers.refused().remove(&source);
        let _changing = self.inner.changing_credentials.lock().await;
        let deleted_credentials = self.entries_of(source).await?.into_iter().map(|entry| entry.id).collect();
        let change = Change { deleted_credentials, disconnected_password_managers: vec![source], ..Change::default() };
        Ok(self.store().commit(change).await.map(drop)?)
    }

    async fn entries_of(&self, source: CredentialSource) -> Answer<Vec<Credential>> {
        let all = self.store().all_credentials().await?;
        Ok(all.into_iter().filter(|entry| entry.source == source).collect())
    }

    /// Returns the user name and the values of an entry that a password manager keeps, as they are there now.
    ///
    /// # Errors
    ///
    /// As [`Self::connect_password_manager`]; `notFound` where the item is not for the entry's site or user name any more.
    pub(super) async fn values_in_manager(&self, entry: &Credential) -> Answer<(String, Values)> {
        let managers = &self.inner.password_managers;
        let manager = managers.of(entry.source)?;
        let opened = managers.answered(manager, manager.open(entry.source_id.as_deref().unwrap_or_default()).await)?;
        let changed = |what: &str| {
            let message = format!("the item in {} is not for {what} any more", entry.source.called());
            ServiceError::new(ErrorCode::NotFound, message).with_hint("refresh its list in Settings, Sign-ins")
        };
        let site = entry.site.as_deref().unwrap_or_default();
        if !opened.sites.iter().any(|now| now.to_string() == site) {
            return Err(changed(site));
        }
        // A person agreed to the user name that they were shown.
        let shown = entry.username.as_deref().unwrap_or_default();
        if shown != opened.username.as_deref().unwrap_or_default() {
            return Err(changed(if shown.is_empty() { "a sign-in without a user name" } else { shown }));
        }
        let text = |value: Option<SecretString>| value.map(|value| value.expose_secret().to_owned());
        let (password, totp) = (text(opened.password), text(opened.totp));
        let values = Values { password, totp, note: None, value: None, passkeys: vec![] };
        Ok((opened.username.unwrap_or_default(), values))
    }
}

/// What a listing changes.
struct Listing {
    /// Entries as they are now.
    entries: Vec<Credential>,
    /// Entries whose item, or site, is not there any more.
    gone: Vec<CredentialId>,
    n_entries: u64,
}

/// Compares what a manager lists with what was kept of it: an entry for each site of each item.
fn listing(source: CredentialSource, kept: Vec<Credential>, items: Vec<Item>, now: EpochMs) -> Listing {
    let mut kept: BTreeMap<(Option<String>, Option<String>), Credential> =
        kept.into_iter().map(|entry| ((entry.source_id.clone(), entry.site.clone()), entry)).collect();
    let (mut entries, mut gone) = (Vec::new(), Vec::new());
    for (item, site) in items.iter().flat_map(|item| item.sites.iter().map(move |site| (item, site))).take(MOST) {
        let (source_id, site) = (Some(item.id.clone()), Some(site.to_string()));
        let known = kept.remove(&(source_id.clone(), site.clone()));
        let is_known = known.is_some();
        let mut entry = known.unwrap_or_else(|| Credential { site: site.clone(), source_id, ..new_login(source, now) });
        let name = if item.name.is_empty() { site.unwrap_or_default() } else { item.name.clone() };
        let is_new = (&entry.name, &entry.username) != (&name, &item.username);
        (entry.name, entry.username) = (name, item.username.clone());
        (entry.has_password, entry.has_totp) = (item.has_password, item.has_totp);
        if is_new {
            entry.updated_at = now;
        }
        // A name that could not be saved by hand is not shown either.
        if checks::check_texts(&entry).is_ok() {
            entries.push(entry);
        } else if is_known {
            gone.push(entry.id);
        }
    }
    let n_entries = entries.len() as u64;
    gone.extend(kept.into_values().map(|entry| entry.id));
    Listing { entries, gone, n_entries }
}

/// Returns each site once, of addresses with whether they also mean what lies beneath. What is no site of a page is left out.
fn sites_of<'a>(addresses: impl Iterator<Item = (&'a str, bool)>) -> Vec<Site> {
    let mut sites: Vec<Site> = Vec::new();
    for (address, is_wide) in addresses {
        let Ok(site) = address.parse::<Site>() else { continue };
        let site = if is_wide { site.widened() } else { site };
        if !sites.contains(&site) {
            sites.push(site);
        }
    }
    sites
}

/// Says why a manager gives nothing, and what helps.
fn refusal(manager: &dyn PasswordManager, error: &ManagerError) -> ServiceError {
    let name = manager.source().called();
    match error {
        ManagerError::Absent => {
            ServiceError::conflict(format!("the program of {name} is not on this machine"), "absent")
                .with_hint(manager.how_to_install())
        }
        ManagerError::Locked(words) => ServiceError::conflict(format!("{name} gives nothing now: {words}"), "locked")
            .with_hint(manager.how_to_unlock()),
        ManagerError::Failed(words) => ServiceError::new(ErrorCode::Unavailable, format!("{name} failed: {words}")),
    }
}

#[cfg(test)]
mod tests {
    use sandbox_core::model::CredentialRule;

    use super::*;

    fn item(id: &str, username: &str, sites: &[&str]) -> Item {
        Item {
            id: id.to_owned(),
            name: format!("item {id}"),
            username: Some(username.to_owned()),
            sites: sites_of(sites.iter().map(|site| (*site, false))),
            has_password: true,
            has_totp: false,
        }
    }

    #[test]
    fn what_is_listed_again_keeps_its_rule_and_what_is_gone_goes() {
        let items = vec![item("1", "ada", &["https://shop.com/login", "shop.com", "bank.com"]), item("2", "bob", &[])];
        let first = listing(CredentialSource::Bitwarden, vec![], items, 1);
        let sites: Vec<_> = first.entries.iter().map(|entry| entry.site.as_deref()).collect();
        assert_eq!(sites, [Some("shop.com"), Some("bank.com")]);
        assert!(first.entries.iter().all(|entry| entry.rule == CredentialRule::Ask && entry.name == "item 1"));

        let mut kept = first.entries.clone();
        kept[0].rule = CredentialRule::Fill;
        let again = listing(CredentialSource::Bitwarden, kept, vec![item("1", "ada.l", &["shop.com"])], 2);
        assert_eq!(again.entries.len(), 1);
        let entry = &again.entries[0];
        assert_eq!((entry.id.clone(), entry.rule), (first.entries[0].id.clone(), CredentialRule::Fill));
        assert_eq!((entry.username.as_deref(), entry.created_at, entry.updated_at), (Some("ada.l"), 1, 2));
        assert_eq!(again.gone, [first.entries[1].id.clone()]);

        // A user name that cannot be shown any more takes its entry along.
        let unfit =
            listing(CredentialSource::Bitwarden, again.entries.clone(), vec![item("1", "a\u{0}", &["shop.com"])], 3);
        assert_eq!((unfit.entries.len(), unfit.gone), (0, vec![entry.id.clone()]));
    }

    #[test]
    fn a_refusal_says_what_the_person_has_to_do() {
        let managers = PasswordManagers::default();
        let manager = managers.of(CredentialSource::Bitwarden).unwrap_or_else(|error| panic!("{error}"));
        let words = |error: ManagerError| {
            let said = refusal(manager, &error);
            (said.code, format!("{} ({})", said.message, said.hint.unwrap_or_default()))
        };
        let (code, said) = words(ManagerError::Absent);
        assert!(code == ErrorCode::Conflict && said.contains("`bw`"), "{said}");
        let (code, said) = words(ManagerError::Locked("it is locked".to_owned()));
        assert!(code == ErrorCode::Conflict && said.contains("it is locked (give its master password"), "{said}");
        assert_eq!(managers.of(CredentialSource::Local).err().map(|error| error.code), Some(ErrorCode::NotFound));
    }
}
