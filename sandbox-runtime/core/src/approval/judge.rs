//! What an act would do, judged by the words on its element, the fields of its form, and where it goes.
//!
//! A judgement is a reason to ask, never a reason not to look: what is not recognised still counts as `submit` when it
//! changes something at its destination.

use serde::{Deserialize, Serialize};

use super::rules::site;
use crate::CredentialId;
use crate::address::without_sign_ins;
use crate::model::{ActKind, Amount, Proposal, ShownField};

/// What stands in place of a secret.
pub const DOTS: &str = "••••••";
/// Longest value that is shown.
pub const LONGEST_VALUE: usize = 200;
/// Most fields that are shown.
pub const MOST_FIELDS: usize = 60;

/// What the page says of an element before it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Foreseen {
    /// The element's own words: text, name, title, value.
    pub words: String,
    /// Whether it is a link, which only leads elsewhere.
    pub is_link: bool,
    /// Whether it sends its form.
    pub submits: bool,
    /// `GET` or `POST` of the form or link; absent where only the page's own code knows.
    pub method: Option<String>,
    /// Where the form or link leads.
    pub destination: Option<String>,
    /// The page's address.
    pub page: String,
    pub fields: Vec<ShownField>,
    /// What lists of the form send in place of the words that they show, by name.
    pub sent: Vec<(String, String)>,
    /// The entry of the vault that would be filled in, if a person must approve it; a page can never set this.
    #[serde(skip)]
    pub credential: Option<CredentialId>,
}

/// Words that are on buttons which cannot be undone, in English, German, French and Spanish.
/// A phrase of several words has to stand as a whole.
const PAY: &[&str] = &[
    "pay",
    "buy",
    "purchase",
    "place order",
    "place your order",
    "order now",
    "complete order",
    "confirm order",
    "checkout",
    "donate",
    "subscribe",
    "transfer",
    "wire",
    "book now",
    "confirm payment",
    "confirm booking",
    "bid",
    "zahlen",
    "bezahlen",
    "kaufen",
    "bestellen",
    "zahlungspflichtig",
    "überweisen",
    "überweisung",
    "spenden",
    "buchen",
    "abonnieren",
    "kostenpflichtig",
    "payer",
    "acheter",
    "commander",
    "paiement",
    "régler",
    "virement",
    "s'abonner",
    "réserver",
    "faire un don",
    "pagar",
    "comprar",
    "realizar pedido",
    "hacer pedido",
    "transferir",
    "transferencia",
    "donar",
    "suscribirse",
    "reservar",
];
const DELETE: &[&str] = &[
    "delete",
    "remove",
    "erase",
    "destroy",
    "wipe",
    "discard",
    "close account",
    "cancel subscription",
    "cancel order",
    "deactivate",
    "terminate",
    "revoke",
    "unsubscribe",
    "löschen",
    "entfernen",
    "vernichten",
    "kündigen",
    "stornieren",
    "konto schließen",
    "widerrufen",
    "supprimer",
    "effacer",
    "résilier",
    "retirer",
    "désactiver",
    "annuler la commande",
    "eliminar",
    "borrar",
    "suprimir",
    "dar de baja",
    "quitar",
    "cancelar suscripción",
    "desactivar",
];
const PUBLISH: &[&str] = &[
    "publish",
    "post",
    "tweet",
    "share",
    "release",
    "go live",
    "deploy",
    "merge",
    "veröffentlichen",
    "teilen",
    "posten",
    "freigeben",
    "publier",
    "partager",
    "diffuser",
    "mettre en ligne",
    "publicar",
    "compartir",
    "difundir",
];
const SEND: &[&str] = &[
    "send",
    "reply",
    "forward",
    "invite",
    "submit application",
    "apply now",
    "sign and submit",
    "e-mail",
    "senden",
    "absenden",
    "abschicken",
    "versenden",
    "verschicken",
    "antworten",
    "weiterleiten",
    "einreichen",
    "einladen",
    "envoyer",
    "répondre",
    "transférer",
    "soumettre",
    "inviter",
    "enviar",
    "mandar",
    "responder",
    "reenviar",
    "remitir",
    "invitar",
    "presentar",
];

/// Names of fields that only payments have.
const PAY_FIELDS: &[&str] = &[
    "cardnumber",
    "ccnumber",
    "ccnum",
    "cvv",
    "cvc",
    "ccexp",
    "cardexpiry",
    "iban",
    "kreditkarte",
    "kartennummer",
    "numerocarte",
    "numerotarjeta",
    "sortcode",
    "accountnumber",
    "kontonummer",
];
/// Names of fields that hold money.
const AMOUNT_FIELDS: &[&str] = &[
    "amount", "total", "sum", "price", "betrag", "summe", "preis", "montant", "somme", "prix", "importe", "monto",
    "precio", "cantidad",
];
/// Parts of names of fields whose value is nobody's to see.
const SECRET_FIELDS: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "kennwort",
    "passphrase",
    "motdepasse",
    "contraseña",
    "contrasena",
    "secret",
    "token",
    "cvv",
    "cvc",
    "otp",
    "onetimecode",
    "authorization",
    "apikey",
    "cardnumber",
    "ccnumber",
    "kartennummer",
    "csrf",
    "xsrf",
    "securitycode",
    "totp",
    "mfacode",
];
/// Whole names of such fields.
const SECRET_NAMES: &[&str] = &["pin", "pass", "pwd", "pw", "tan", "ssn", "iban", "code"];

/// Names a kind as the contract spells it.
pub fn word(kind: ActKind) -> &'static str {
    match kind {
        ActKind::Pay => "pay",
        ActKind::Send => "send",
        ActKind::Delete => "delete",
        ActKind::Publish => "publish",
        ActKind::Submit => "submit",
        ActKind::SignIn => "signIn",
        ActKind::UseSecret => "useSecret",
        ActKind::NewDestination => "newDestination",
    }
}

/// Judges by words on a button, a link or in an address; `None` where none of them says anything.
pub fn by_words(text: &str) -> Option<ActKind> {
    let words = words_of(text);
    let any = |phrases: &[&str]| phrases.iter().any(|phrase| has_phrase(&words, phrase));
    // What costs most comes first: "delete and pay" is a payment.
    [(ActKind::Pay, PAY), (ActKind::Delete, DELETE), (ActKind::Publish, PUBLISH), (ActKind::Send, SEND)]
        .into_iter()
        .find(|(_, phrases)| any(phrases))
        .map(|(kind, _)| kind)
}

/// Judges by the names of fields.
pub fn by_fields<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<ActKind> {
    names.into_iter().map(bare).any(|name| PAY_FIELDS.iter().any(|part| name.contains(part))).then_some(ActKind::Pay)
}

/// Judges an element before it is used. `None` where it only leads elsewhere or shows something.
pub fn by_foresight(seen: &Foreseen) -> Option<ActKind> {
    let is_post = seen.method.as_deref().is_some_and(is_unsafe);
    if seen.is_link {
        // A long line that is a link is a headline, not a button.
        let is_short = words_of(&seen.words).len() <= 3;
        return by_words(&seen.words).filter(|kind| is_short && *kind != ActKind::Publish);
    }
    let by_form =
        if seen.submits && is_post { by_fields(seen.fields.iter().map(|field| field.name.as_str())) } else { None };
    by_form.or_else(|| by_words(&seen.words)).or((seen.submits && is_post).then_some(ActKind::Submit))
}

/// Whether a method changes something at its destination.
pub fn is_unsafe(method: &str) -> bool {
    !["GET", "HEAD", "OPTIONS", "TRACE", "DIALOG"].iter().any(|safe| method.eq_ignore_ascii_case(safe))
}

/// Writes what a person is shown of an act. `summary` is the action in words.
pub fn propose(kind: ActKind, summary: String, seen: &Foreseen) -> Proposal {
    let fields: Vec<_> =
        seen.fields.iter().take(MOST_FIELDS).map(|field| shown(&field.name, &field.value, field.masked)).collect();
    let amount = amount_in(&seen.words).or_else(|| amount_of(&fields));
    Proposal {
        kind,
        summary: without_sign_ins(&summary),
        site: site(&seen.page).unwrap_or_default(),
        method: seen.method.clone(),
        destination: without_sign_ins(seen.destination.as_deref().unwrap_or(&seen.page)),
        fields,
        amount,
    }
}

/// Shows a field: secrets as dots, long values shortened.
pub fn shown(name: &str, value: &str, masked: bool) -> ShownField {
    let name: String = name.chars().take(LONGEST_VALUE).collect();
    if masked || is_secret(&name) {
        let value = if value.is_empty() { String::new() } else { DOTS.to_owned() };
        return ShownField { name, value, masked: true };
    }
    let value = without_sign_ins(value);
    let length = value.chars().count();
    let value = if length > LONGEST_VALUE {
        let begin: String = value.chars().take(LONGEST_VALUE).collect();
        format!("{begin}… ({length} characters)")
    } else {
        value
    };
    ShownField { name, value, masked: false }
}

/// Whether a field of that name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let last = name.rsplit(['.', '[']).next().unwrap_or(name);
    let name = bare(name);
    SECRET_FIELDS.iter().any(|part| name.contains(part)) || SECRET_NAMES.contains(&bare(last).as_str())
}

/// Finds an amount in a form's fields: one whose name says that it is money.
pub fn amount_of(fields: &[ShownField]) -> Option<Amount> {
    let currency = fields.iter().find(|field| bare(&field.name).contains("currency")).map(|field| field.value.clone());
    let named = |field: &&ShownField| {
        let name = bare(&field.name);
        !field.masked && AMOUNT_FIELDS.iter().any(|part| name.contains(part))
    };
    fields.iter().filter(named).find_map(|field| {
        let mut amount = amount_in(&field.value)
            .or_else(|| Some(Amount { hundredths: hundredths(field.value.trim())?, currency: String::new() }))?;
        if amount.currency.is_empty() {
            amount.currency = currency.clone().unwrap_or_default().to_uppercase();
        }
        Some(amount)
    })
}

/// Finds an amount with a currency in a text: `€ 1.234,50`, `USD 49.90`, `12 CHF`.
pub fn amount_in(text: &str) -> Option<Amount> {
    const SIGNS: [(&str, &str); 12] = [
        ("€", "EUR"),
        ("$", "USD"),
        ("£", "GBP"),
        ("¥", "JPY"),
        ("EUR", "EUR"),
        ("USD", "USD"),
        ("GBP", "GBP"),
        ("CHF", "CHF"),
        ("JPY", "JPY"),
        ("SEK", "SEK"),
        ("MXN", "MXN"),
        ("CAD", "CAD"),
    ];
    for (sign, currency) in SIGNS {
        for (at, _) in text.match_indices(sign) {
            let after = text[at + sign.len()..].trim_start();
            let number: &str = &after[..after.find(|c: char| !is_number(c)).unwrap_or(after.len())];
            let before = text[..at].trim_end();
            let begin = before
                .rfind(|c: char| !is_number(c))
                .map_or(0, |found| found + before[found..].chars().next().map_or(1, char::len_utf8));
            let found = hundredths(number.trim_end_matches(['.', ',', '\'']))
                .or_else(|| hundredths(before[begin..].trim_start_matches(['.', ',', '\''])));
            if let Some(hundredths) = found {
                return Some(Amount { hundredths, currency: currency.to_owned() });
            }
        }
    }
    None
}

fn is_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | '\u{a0}' | '\u{202f}')
}

/// Reads a number as people write money: the last separator is the decimal one if one or two digits follow it.
fn hundredths(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(is_number) {
        return None;
    }
    let (whole, part) = match text.rfind(['.', ',']) {
        Some(at) if (1..=2).contains(&(text.len() - at - 1)) => (&text[..at], &text[at + 1..]),
        Some(_) | None => (text, ""),
    };
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let whole: i64 = digits.parse().ok()?;
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole.checked_mul(100)?.checked_add(part)
}

/// Splits a text into lower-case words; `-` and `'` stay inside one.
fn words_of(text: &str) -> Vec<String> {
    text.to_lowercase()
        .replace('’', "'")
        .split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '\''))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn has_phrase(words: &[String], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words.windows(phrase.len()).any(|window| window.iter().zip(&phrase).all(|(word, wanted)| word == wanted))
}

/// A field's name without case and punctuation, so that `card-number` and `cardNumber` are one.
fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
