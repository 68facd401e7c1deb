//! Sign-ins that a person types while they drive, in case they want one kept.
//!
//! The page script tells of them by a name that no page and no client knows. They stay here, in memory, until the driver takes
//! them at the hand-back; a place that asks again refused what it was given.

use std::fmt;

use sandbox_core::credential::Place;
use secrecy::SecretString;
use serde::Deserialize;
use zeroize::Zeroize;

/// Most that are remembered of one time at the wheel.
const MOST: usize = 8;

/// A sign-in as a person typed it, and where.
#[derive(Clone)]
pub struct TypedSignIn {
    /// As the document itself tells it.
    pub origin: String,
    ancestors: Vec<String>,
    destination: Option<String>,
    /// Empty where the page had none.
    pub username: String,
    pub password: SecretString,
}

/// Those of one browser.
#[derive(Default)]
pub struct TypedSignIns {
    /// With the tab, the oldest first.
    typed: Vec<(String, TypedSignIn)>,
    /// User names of pages that ask for the password on the next one: by tab and origin.
    names: Vec<(String, String, String)>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Report {
    /// The user name alone was sent; the next page asks for the password.
    Username {
        origin: String,
        username: String,
    },
    Password {
        origin: String,
        ancestors: Vec<String>,
        destination: Option<String>,
        username: String,
        password: String,
    },
    /// A page asks for a password that it was not given here.
    Again {
        origin: String,
    },
}

impl TypedSignIn {
    /// Returns one that was typed in a page of its own.
    pub fn at(origin: &str, username: &str, password: &str) -> Self {
        let (origin, username) = (origin.to_owned(), username.to_owned());
        Self { origin, ancestors: vec![], destination: None, username, password: SecretString::from(password) }
    }

    /// Returns where it was typed, for the choice of an entry.
    pub fn place(&self) -> Place<'_> {
        Place { origin: &self.origin, ancestors: &self.ancestors, destination: self.destination.as_deref() }
    }
}

impl fmt::Debug for TypedSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedSignIn").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl TypedSignIns {
    /// Takes in what a document of this tab tells, and wipes it.
    pub fn told(&mut self, tab: &str, mut payload: String) {
        match serde_json::from_str(&payload) {
            Ok(report) => self.take_in(tab, report),
            // The error may say what it was given.
            Err(_) => tracing::warn!("the page script tells of a sign-in in a way that is not understood"),
        }
        payload.zeroize();
    }

    /// Returns all of them, and forgets them.
    pub fn take(&mut self) -> Vec<TypedSignIn> {
        self.names.clear();
        std::mem::take(&mut self.typed).into_iter().map(|(_, typed)| typed).collect()
    }

    fn take_in(&mut self, tab: &str, report: Report) {
        match report {
            Report::Username { origin, username } => {
                self.names.retain(|(of, at, _)| of != tab || *at != origin);
                if self.names.len() < MOST {
                    self.names.push((tab.to_owned(), origin, username));
                }
            }
            Report::Password { origin, ancestors, destination, mut username, password } => {
                let is_here = |(of, at, _): &&(String, String, String)| of == tab && *at == origin;
                if username.is_empty()
                    && let Some((_, _, known)) = self.names.iter().find(is_here)
                {
                    username.clone_from(known);
                }
                // The last try at a site counts.
                self.typed.retain(|(_, typed)| typed.origin != origin);
                if self.typed.len() < MOST {
                    let password = SecretString::from(password);
                    let typed = TypedSignIn { origin, ancestors, destination, username, password };
                    self.typed.push((tab.to_owned(), typed));
                }
            }
            Report::Again { origin } => self.typed.retain(|(of, typed)| of != tab || typed.origin != origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::{Value, json};

    use super::*;

    fn password(origin: &str, username: &str, password: &str) -> Value {
        json!({ "kind": "password", "origin": origin, "ancestors": [], "destination": null, "username": username,
            "password": password })
    }

    /// By origin, the user name and the password.
    #[track_caller]
    fn check(told: &[(&str, Value)], expected: &[(&str, &str, &str)]) {
        let mut typed = TypedSignIns::default();
        for (tab, report) in told {
            typed.told(tab, report.to_string());
        }
        let all = typed.take();
        let found: Vec<_> = all
            .iter()
            .map(|each| (each.origin.as_str(), each.username.as_str(), each.password.expose_secret()))
            .collect();
        assert_eq!(found, expected);
        assert!(typed.take().is_empty(), "they are told once");
    }

    #[test]
    fn the_last_one_at_a_site_is_meant() {
        let (a, b) = ("https://a.example", "https://b.example");
        check(
            &[("1", password(a, "ada", "wrong")), ("1", password(b, "bob", "b")), ("1", password(a, "Ada", "right"))],
            &[(b, "bob", "b"), (a, "Ada", "right")],
        );
    }

    #[test]
    fn a_user_name_of_the_page_before_belongs_to_the_password() {
        let a = "https://a.example";
        let name = |origin: &str| json!({ "kind": "username", "origin": origin, "username": "ada" });
        check(&[("1", name(a)), ("1", password(a, "", "p"))], &[(a, "ada", "p")]);
        check(&[("1", name(a)), ("1", password(a, "bob", "p"))], &[(a, "bob", "p")]);
        check(&[("2", name(a)), ("1", password(a, "", "p"))], &[(a, "", "p")]);
        check(&[("1", name("https://b.example")), ("1", password(a, "", "p"))], &[(a, "", "p")]);
    }

    #[test]
    fn what_a_site_refused_is_forgotten() {
        let (a, again) = ("https://a.example", json!({ "kind": "again", "origin": "https://a.example" }));
        check(&[("1", password(a, "ada", "p")), ("1", again.clone())], &[]);
        check(&[("1", password(a, "ada", "p")), ("2", again)], &[(a, "ada", "p")]);
    }

    #[test]
    fn nothing_prints_the_password() {
        let mut typed = TypedSignIns::default();
        typed.told("1", password("https://a.example", "ada", "canary").to_string());
        typed.told("1", "{\"kind\":\"password\",\"password\":\"canary\"}".to_owned());
        assert_eq!(format!("{:?}", typed.take()), "[TypedSignIn { origin: \"https://a.example\", .. }]");
    }
}
