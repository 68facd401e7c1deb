//! Sign-ins from the CSV files that browsers and password managers write.
//!
//! Columns are known by their names: those of Chrome, Edge, Firefox, Safari, Bitwarden, 1Password, LastPass, KeePassXC, Dashlane
//! and Proton Pass.

use csv::{ReaderBuilder, StringRecord};
use sandbox_core::model::{CredentialKind, CredentialRule, NewCredential, Secret};

const SITE: &[&str] = &["url", "login_uri", "web site", "website", "login url", "uri"];
const USERNAME: &[&str] = &["username", "login_username", "user name", "login", "email"];
const PASSWORD: &[&str] = &["password", "login_password"];
const TOTP: &[&str] = &["totp", "login_totp", "otpauth", "otpsecret", "otp", "one-time password"];
const NAME: &[&str] = &["name", "title", "account"];
const NOTE: &[&str] = &["note", "notes", "extra", "comments"];

/// One line of the file: an entry, or why it is none.
pub struct Line {
    /// As an editor counts it, from 1.
    pub number: u64,
    pub entry: Result<NewCredential, String>,
}

/// Reads a file. `rule` is that of every entry.
///
/// # Errors
///
/// It has no columns that are known.
pub fn read(text: &str, rule: CredentialRule) -> Result<Vec<Line>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| format!("the file is not CSV: {error}"))?.clone();
    let columns = Columns::of(&header);
    if columns.site.is_none() || columns.password.is_none() {
        return Err(
            "the first line names no columns for an address and a password, such as `url` and `password`".to_owned()
        );
    }
    let lines = reader.records().map(|record| match record {
        Ok(record) => {
            let number = record.position().map_or(0, csv::Position::line);
            Line { number, entry: columns.entry(&record, rule) }
        }
        Err(error) => {
            let number = error.position().map_or(0, csv::Position::line);
            // The error may quote the line.
            Line { number, entry: Err("the line is not CSV".to_owned()) }
        }
    });
    Ok(lines.collect())
}

struct Columns {
    site: Option<usize>,
    username: Option<usize>,
    /// Used where the user name is empty.
    email: Option<usize>,
    password: Option<usize>,
    totp: Option<usize>,
    name: Option<usize>,
    note: Option<usize>,
}

impl Columns {
    fn of(header: &StringRecord) -> Self {
        let names: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
        let column = |known: &[&str]| known.iter().find_map(|known| names.iter().position(|name| name == known));
        Self {
            site: column(SITE),
            username: column(USERNAME),
            email: column(&["email"]),
            password: column(PASSWORD),
            totp: column(TOTP),
            name: column(NAME),
            note: column(NOTE),
        }
    }

    fn entry(&self, record: &StringRecord, rule: CredentialRule) -> Result<NewCredential, String> {
        let cell = |column: Option<usize>| {
            let text = record.get(column?)?;
            (!text.trim().is_empty()).then(|| text.to_owned())
        };
        // Some managers write several addresses; the first is the site.
        let site = cell(self.site).map(|urls| urls.split([',', '\n']).next().unwrap_or_default().trim().to_owned());
        let Some(site) = site.filter(|site| !site.is_empty()) else { return Err("it has no address".to_owned()) };
        let secret = |column| cell(column).map(Secret);
        Ok(NewCredential {
            kind: CredentialKind::Login,
            site: Some(site),
            name: cell(self.name),
            username: cell(self.username).or_else(|| cell(self.email)).map(|name| name.trim().to_owned()),
            password: secret(self.password),
            totp: secret(self.totp),
            totp_picture: None,
            note: secret(self.note),
            value: None,
            hosts: vec![],
            rule,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Site, user name, password, key for codes.
    type Told<'a> = (&'a str, &'a str, &'a str, &'a str);

    #[track_caller]
    fn check(text: &str, expected: &[Result<Told<'_>, &str>]) {
        let lines = read(text, CredentialRule::Ask).unwrap();
        let word = |secret: &Option<Secret>| secret.as_ref().map(|Secret(text)| text.clone()).unwrap_or_default();
        let told: Vec<Result<(String, String, String, String), String>> = lines
            .iter()
            .map(|line| {
                let entry = line.entry.as_ref().map_err(Clone::clone)?;
                let username = entry.username.clone().unwrap_or_default();
                Ok((entry.site.clone().unwrap(), username, word(&entry.password), word(&entry.totp)))
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|line| line.map(|(a, b, c, d)| (a.into(), b.into(), c.into(), d.into())).map_err(Into::into))
            .collect();
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn the_files_of_browsers_and_managers_are_read_by_their_columns() {
        let row = Ok(("https://a.example/in", "ada", "p,\"w", ""));
        check("\u{feff}name,url,username,password,note\nA,https://a.example/in,ada,\"p,\"\"w\",\n", &[row]);
        check(
            "\"url\",\"username\",\"password\",\"httpRealm\"\n\"https://a.example/in\",\"ada\",\"p,\"\"w\",\n",
            &[row],
        );
        check("Title,URL,Username,Password,Notes,OTPAuth\nA,https://a.example/in,ada,\"p,\"\"w\",,\n", &[row]);
        let coded = Ok(("https://a.example", "ada", "pw", "JBSWY3DPEHPK3PXP"));
        check(
            "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n\
             ,,login,A,,,0,\"https://a.example,https://b.example\",ada,pw,JBSWY3DPEHPK3PXP\n",
            &[coded],
        );
        check(
            "url,username,password,totp,extra,name,grouping,fav\nhttps://a.example,ada,pw,JBSWY3DPEHPK3PXP,,A,,0\n",
            &[coded],
        );
        check(
            "type,name,url,email,username,password,note,totp\nlogin,A,https://a.example,ada,,pw,,JBSWY3DPEHPK3PXP\n",
            &[coded],
        );
    }

    #[test]
    fn lines_that_are_no_sign_in_say_why_and_the_others_are_read() {
        let text = "url,username,password\n,ada,pw\nhttps://a.example,ada,pw\nhttps://b.example\n";
        let good = Ok(("https://a.example", "ada", "pw", ""));
        check(text, &[Err("it has no address"), good, Ok(("https://b.example", "", "", ""))]);
        let numbers: Vec<u64> = read(text, CredentialRule::Ask).unwrap().iter().map(|line| line.number).collect();
        assert_eq!(numbers, [2, 3, 4]);
    }

    #[test]
    fn a_file_without_such_columns_is_refused() {
        assert!(read("a,b\n1,2\n", CredentialRule::Ask).is_err());
        assert!(read("", CredentialRule::Ask).is_err());
    }
}
