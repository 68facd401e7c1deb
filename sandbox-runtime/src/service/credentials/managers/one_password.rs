//! 1Password, by its program `op` (version 2).
//!
//! Who may use it is between the program and the person: its app asks them, or the environment has a service account's token.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sandbox_core::model::CredentialSource;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::program::{parse, run};
use super::{Item, ManagerError, OpenedItem, PasswordManager, sites_of};

const PROGRAM: &str = "op";

/// What it says when nobody is signed in, or nobody said yes. `op whoami` is not asked: with the app it says no while the rest works.
const LOCKED: [&str; 6] = ["signed in", "sign in", "no accounts", "authoriz", "authentic", "session"];

pub struct OnePassword;

impl PasswordManager for OnePassword {
    fn source(&self) -> CredentialSource {
        CredentialSource::OnePassword
    }

    fn how_to_install(&self) -> &'static str {
        "install the program `op` (1Password CLI, version 2), and turn on its integration in the settings of the 1Password app, under Developer"
    }

    fn how_to_unlock(&self) -> &'static str {
        "unlock the 1Password app, say yes when it asks, then refresh"
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ManagerError>> {
        async { ask(&["--version"]).await.map(drop) }.boxed()
    }

    fn items(&self) -> BoxFuture<'_, Result<Vec<Item>, ManagerError>> {
        async {
            let answer = ask(&["item", "list", "--categories", "Login", "--format", "json"]).await?;
            let listed: Vec<Listed> = if answer.is_empty() { vec![] } else { parse(PROGRAM, &answer)? };
            Ok(listed.into_iter().map(Listed::into_item).collect())
        }
        .boxed()
    }

    fn open<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<OpenedItem, ManagerError>> {
        async move {
            let unknown = || ManagerError::Failed("its item is not known any more".to_owned());
            let (vault, item) =
                id.split_once('/').filter(|(vault, item)| is_id(vault) && is_id(item)).ok_or_else(unknown)?;
            let answer = ask(&["item", "get", item, "--vault", vault, "--format", "json"]).await?;
            parse::<Whole>(PROGRAM, &answer).map(Whole::into_opened)
        }
        .boxed()
    }
}

async fn ask(args: &[&str]) -> Result<zeroize::Zeroizing<Vec<u8>>, ManagerError> {
    run(PROGRAM, args, &[]).await.map_err(|error| match error {
        ManagerError::Failed(words) if is_locked(&words) => ManagerError::Locked(words),
        other => other,
    })
}

fn is_locked(words: &str) -> bool {
    let words = words.to_lowercase();
    LOCKED.iter().any(|sign| words.contains(sign))
}

/// Whether a text is an identifier of 1Password, and no flag.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric())
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    title: String,
    vault: Place,
    /// Of a login, the user name.
    #[serde(default)]
    additional_information: String,
    #[serde(default)]
    urls: Vec<Address>,
}

#[derive(Deserialize)]
struct Place {
    id: String,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    href: String,
}

impl Listed {
    fn into_item(self) -> Item {
        Item {
            id: format!("{}/{}", self.vault.id, self.id),
            name: self.title,
            // An item without a user name has a dash there.
            username: Some(self.additional_information).filter(|name| !matches!(name.as_str(), "" | "-" | "—")),
            sites: sites_of(self.urls.iter().map(|url| (url.href.as_str(), false))),
            has_password: true,
            has_totp: false,
        }
    }
}

#[derive(Deserialize)]
struct Whole {
    #[serde(default)]
    urls: Vec<Address>,
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    value: Option<SecretString>,
}

impl Whole {
    fn into_opened(mut self) -> OpenedItem {
        let mut take = |fits: fn(&Field) -> bool| self.fields.iter_mut().find(|field| fits(field))?.value.take();
        OpenedItem {
            username: take(|field| field.purpose == "USERNAME").map(|name| name.expose_secret().to_owned()),
            password: take(|field| field.purpose == "PASSWORD"),
            totp: take(|field| field.kind == "OTP"),
            sites: sites_of(self.urls.iter().map(|url| (url.href.as_str(), false))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the documentation of the program shows it.
    const LIST: &str = r#"[
      { "id": "rvlopc6a", "title": "Portal", "version": 3, "vault": { "id": "v4ult", "name": "Private" }, "category": "LOGIN",
        "created_at": "2026-01-12T16:29:26Z", "updated_at": "2026-01-12T16:29:26Z", "additional_information": "ada@portal.example",
        "urls": [{ "label": "website", "primary": true, "href": "https://bank.com/login" }, { "href": "bank.com" }, { "href": "https://eu.bank.com" }] },
      { "id": "nourl", "title": "Wi-Fi", "vault": { "id": "v4ult" }, "category": "LOGIN", "additional_information": "-" }
    ]"#;

    const ITEM: &str = r#"{ "id": "rvlopc6a", "urls": [{ "primary": true, "href": "https://portal.example/login" }], "fields": [
      { "id": "username", "type": "STRING", "purpose": "USERNAME", "label": "username", "value": "ada@portal.example" },
      { "id": "password", "type": "CONCEALED", "purpose": "PASSWORD", "label": "password", "value": "s3cret", "password_details": { "strength": "GOOD" } },
      { "id": "notesPlain", "type": "STRING", "purpose": "NOTES", "label": "notesPlain" },
      { "id": "TOTP_1", "type": "OTP", "label": "one-time password", "value": "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP", "totp": "123456" } ] }"#;

    #[test]
    fn a_listing_has_each_site_once_and_no_value() {
        let listed: Vec<Listed> = parse(PROGRAM, LIST.as_bytes()).unwrap();
        let items: Vec<Item> = listed.into_iter().map(Listed::into_item).collect();
        let sites = |item: &Item| item.sites.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            (items[0].id.as_str(), items[0].username.as_deref()),
            ("v4ult/rvlopc6a", Some("ada@portal.example"))
        );
        assert_eq!(sites(&items[0]), ["bank.com", "eu.bank.com"]);
        assert_eq!((items[1].username.as_deref(), items[1].sites.len()), (None, 0));
    }

    #[test]
    fn an_item_gives_what_is_filled_in() {
        let opened = parse::<Whole>(PROGRAM, ITEM.as_bytes()).unwrap().into_opened();
        let shown = |value: &Option<SecretString>| value.as_ref().map(|value| value.expose_secret().to_owned());
        assert_eq!(opened.username.as_deref(), Some("ada@portal.example"));
        assert_eq!(shown(&opened.password).as_deref(), Some("s3cret"));
        assert_eq!(shown(&opened.totp).as_deref(), Some("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP"));
    }

    #[test]
    fn a_refusal_that_the_person_can_lift_is_told_from_a_failure() {
        for words in [
            "[ERROR] 2026/11/30 12:00:00 account is not signed in",
            "No accounts configured for use with 1Password CLI.",
            "[ERROR] authorization prompt dismissed, please try again",
            "[ERROR] session expired, sign in to create a new session",
        ] {
            assert!(is_locked(words), "{words}");
        }
        assert!(!is_locked(r#"[ERROR] "rvlopc6a" isn't an item. Specify the item with its UUID, name, or domain."#));
        assert!(!is_locked("[ERROR] cannot reach the server: connection refused"));
        assert!(is_id("rvlopc6a") && !is_id("--reveal") && !is_id("") && !is_id("a b"));
    }
}
