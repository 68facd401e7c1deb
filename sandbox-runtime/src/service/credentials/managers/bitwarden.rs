//! Bitwarden, by its program `bw`.
//!
//! The person logs in with it once, in a terminal. It is opened with the master password, which is passed on and forgotten: the key
//! of the session that comes back is held until the runtime ends. A session of the runtime's own environment (`BW_SESSION`) serves too.

use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sandbox_core::model::CredentialSource;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::program::{parse, run};
use super::{Item, ManagerError, OpenedItem, PasswordManager, sites_of};

const PROGRAM: &str = "bw";
const SESSION: &str = "BW_SESSION";
/// The variable that carries the master password to the program.
const PASSPHRASE: &str = "BW_PASSPHRASE_FROM_BATON";

/// What its status says where nobody is logged in.
const LOGGED_OUT: &str = "unauthenticated";
/// `type` of a login among its items.
const LOGIN: u8 = 1;

/// How an address of an item matches pages, as Bitwarden numbers it. Baton is exact wherever none of these says otherwise.
mod matching {
    pub const BASE_DOMAIN: u8 = 0;
    pub const REGULAR_EXPRESSION: u8 = 4;
    pub const NEVER: u8 = 5;
}

#[derive(Default)]
pub struct Bitwarden {
    session: Mutex<Option<SecretString>>,
    /// Its program writes into one file: one runs at a time.
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl PasswordManager for Bitwarden {
    fn source(&self) -> CredentialSource {
        CredentialSource::Bitwarden
    }

    fn how_to_install(&self) -> &'static str {
        "install the program `bw` (Bitwarden CLI), and run `bw login` in a terminal"
    }

    fn how_to_unlock(&self) -> &'static str {
        "give its master password"
    }

    fn unlock(&self, passphrase: SecretString) -> Option<BoxFuture<'_, Result<(), ManagerError>>> {
        let unlocking = async move {
            let args = ["unlock", "--passwordenv", PASSPHRASE, "--raw"];
            let answer = match self.ask(&args, &[(PASSPHRASE, &passphrase)]).await {
                // Its own words for a wrong password are about keys. Only one that somebody is logged in to can have one.
                Err(ManagerError::Failed(words)) if self.status().await? != LOGGED_OUT => {
                    return Err(ManagerError::Locked(format!("the passphrase does not open it ({words})")));
                }
                Err(ManagerError::Failed(_)) => return Err(nobody()),
                answer => answer?,
            };
            let key = std::str::from_utf8(&answer).unwrap_or_default().trim();
            if key.is_empty() {
                return Err(ManagerError::Locked(format!("`{PROGRAM}` gave no key for its session")));
            }
            *self.key() = Some(SecretString::from(key.to_owned()));
            Ok(())
        };
        Some(unlocking.boxed())
    }

    fn forget_session(&self) {
        *self.key() = None;
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ManagerError>> {
        async {
            match self.status().await?.as_str() {
                "unlocked" => Ok(()),
                LOGGED_OUT => Err(nobody()),
                _ => Err(ManagerError::Locked("it is locked".to_owned())),
            }
        }
        .boxed()
    }

    fn items(&self) -> BoxFuture<'_, Result<Vec<Item>, ManagerError>> {
        async {
            self.check().await?;
            // Without its server, what was fetched last is listed.
            if let Err(error) = self.ask(&["sync"], &[]).await {
                tracing::info!(%error, "Bitwarden's server is not reached; its items are as they were");
            }
            let answer = self.ask(&["list", "items"], &[]).await?;
            let listed: Vec<Listed> = parse(PROGRAM, &answer)?;
            Ok(listed.into_iter().filter(|item| item.kind == LOGIN).filter_map(Listed::into_item).collect())
        }
        .boxed()
    }

    fn open<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<OpenedItem, ManagerError>> {
        async move {
            if !is_id(id) {
                return Err(ManagerError::Failed("its item is not known any more".to_owned()));
            }
            let answer = match self.ask(&["get", "item", id], &[]).await {
                Err(ManagerError::Failed(words)) => {
                    // What it says of a locked vault changed over time: it is asked.
                    self.check().await?;
                    return Err(ManagerError::Failed(words));
                }
                other => other?,
            };
            parse::<Whole>(PROGRAM, &answer)?.into_opened()
        }
        .boxed()
    }
}

impl Bitwarden {
    /// Returns `unlocked`, `locked` or `unauthenticated`.
    async fn status(&self) -> Result<String, ManagerError> {
        let answer = self.ask(&["status"], &[]).await?;
        Ok(parse::<Status>(PROGRAM, &answer)?.status)
    }

    async fn ask(&self, args: &[&str], more: &[(&str, &SecretString)]) -> Result<Zeroizing<Vec<u8>>, ManagerError> {
        let _turn = self.one_at_a_time.lock().await;
        let session = self.key().clone();
        let secrets: Vec<_> =
            session.as_ref().map(|key| (SESSION, key)).into_iter().chain(more.iter().copied()).collect();
        run(PROGRAM, &[args, &["--nointeraction"]].concat(), &secrets).await
    }

    fn key(&self) -> std::sync::MutexGuard<'_, Option<SecretString>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nobody() -> ManagerError {
    ManagerError::Locked("nobody is logged in to it on this machine: run `bw login` in a terminal".to_owned())
}

/// Whether a text is an identifier of Bitwarden, and no flag.
fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[derive(Deserialize)]
struct Status {
    status: String,
}

/// An item in the list, which has its values too: they are passed over unread.
#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    name: String,
    /// Not 0 where the person wants to give the master password before each use.
    #[serde(default)]
    reprompt: u8,
    #[serde(default)]
    login: Option<ListedLogin>,
}

#[derive(Deserialize)]
struct ListedLogin {
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<IgnoredAny>,
    #[serde(default)]
    totp: Option<IgnoredAny>,
    #[serde(default)]
    uris: Option<Vec<Address>>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    uri: Option<String>,
    #[serde(default, rename = "match")]
    matching: Option<u8>,
}

impl Listed {
    fn into_item(self) -> Option<Item> {
        // Its own program does not ask again, and so it is left to the person.
        let login = self.login.filter(|_| self.reprompt == 0)?;
        Some(Item {
            id: self.id,
            name: self.name,
            username: login.username.filter(|name| !name.is_empty()),
            sites: sites_of_addresses(login.uris.as_deref().unwrap_or_default()),
            has_password: login.password.is_some(),
            has_totp: login.totp.is_some(),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whole {
    #[serde(default)]
    login: Option<Login>,
    #[serde(default)]
    reprompt: u8,
    /// Of an item in its trash, which the list leaves out and `get` does not.
    #[serde(default)]
    deleted_date: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct Login {
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<SecretString>,
    #[serde(default)]
    totp: Option<SecretString>,
    #[serde(default)]
    uris: Option<Vec<Address>>,
}

impl Whole {
    fn into_opened(self) -> Result<OpenedItem, ManagerError> {
        if self.deleted_date.is_some() {
            return Err(ManagerError::Failed("its item was deleted there".to_owned()));
        }
        if self.reprompt != 0 {
            let why = "its item wants the master password before each use; a person can fill it in";
            return Err(ManagerError::Failed(why.to_owned()));
        }
        Ok(self.login.unwrap_or_default().into_opened())
    }
}

impl Login {
    fn into_opened(self) -> OpenedItem {
        let given = |value: Option<SecretString>| value.filter(|value| !value.expose_secret().is_empty());
        OpenedItem {
            username: self.username,
            password: given(self.password),
            totp: given(self.totp),
            sites: sites_of_addresses(self.uris.as_deref().unwrap_or_default()),
        }
    }
}

fn sites_of_addresses(addresses: &[Address]) -> Vec<sandbox_core::credential::Site> {
    let is_for_pages =
        |address: &&Address| !matches!(address.matching, Some(matching::NEVER | matching::REGULAR_EXPRESSION));
    sites_of(
        addresses
            .iter()
            .filter(is_for_pages)
            .filter_map(|address| Some((address.uri.as_deref()?, address.matching == Some(matching::BASE_DOMAIN)))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"[
      { "object": "item", "id": "8a4f-1", "type": 1, "name": "Portal", "notes": null, "reprompt": 0,
        "login": { "uris": [{ "match": null, "uri": "https://bank.com/login" }, { "match": 0, "uri": "https://shop.com" },
                            { "match": 5, "uri": "https://never.com" }, { "match": 4, "uri": "^https://.*$" }, { "uri": "androidapp://com.shop" }],
                   "username": "ada", "password": "s3cret", "totp": null, "passwordRevisionDate": null } },
      { "object": "item", "id": "8a4f-2", "type": 2, "name": "A note", "secureNote": { "type": 0 } },
      { "object": "item", "id": "8a4f-3", "type": 1, "name": "No address", "login": { "uris": null, "username": null, "password": null, "totp": "JBSWY3DPEHPK3PXP" } },
      { "object": "item", "id": "8a4f-4", "type": 1, "name": "Asks again", "reprompt": 1, "login": { "uris": [{ "uri": "https://bank.com" }], "password": "s3cret" } }
    ]"#;

    #[test]
    fn a_listing_has_the_sites_that_its_matching_allows_and_no_value() {
        let listed: Vec<Listed> = parse(PROGRAM, LIST.as_bytes()).unwrap();
        let items: Vec<Item> =
            listed.into_iter().filter(|item| item.kind == LOGIN).filter_map(Listed::into_item).collect();
        let sites: Vec<String> = items[0].sites.iter().map(ToString::to_string).collect();
        assert_eq!(sites, ["bank.com", "*.shop.com"]);
        assert!(items[0].has_password && !items[0].has_totp && items[1].has_totp && !items[1].has_password);
        assert_eq!((items.len(), items[1].sites.len()), (2, 0));
    }

    #[test]
    fn an_item_gives_what_is_filled_in() {
        let item = r#"{ "id": "8a4f-1", "login": { "username": "ada", "password": "s3cret", "totp": "", "uris": [{ "uri": "https://portal.example" }] } }"#;
        let opened = parse::<Whole>(PROGRAM, item.as_bytes()).unwrap().into_opened().unwrap();
        assert_eq!(opened.password.as_ref().map(ExposeSecret::expose_secret), Some("s3cret"));
        assert!(opened.totp.is_none() && opened.sites.len() == 1);
        assert!(is_id("8a4f-1") && !is_id("--raw") && !is_id(""));
    }

    #[test]
    fn an_item_in_the_trash_or_one_that_asks_again_gives_nothing() {
        for (part, why) in [
            (r#""deletedDate": "2026-01-01T00:00:00.000Z""#, "was deleted there"),
            (r#""reprompt": 1"#, "master password before each use"),
        ] {
            let item = format!(r#"{{ "id": "8a4f-1", {part}, "login": {{ "password": "s3cret" }} }}"#);
            let refused = parse::<Whole>(PROGRAM, item.as_bytes()).unwrap().into_opened().err().unwrap();
            assert!(refused.to_string().contains(why), "{refused}");
        }
    }
}
