//! A person's rules: site × kind → ask, hold or allow.

use std::str::FromStr;

use url::Url;

use crate::SandboxId;
use crate::model::{ActKind, Rule, RuleEffect};
use crate::policy::{Host, Pattern, PatternError, is_public_suffix};

/// Most rules that are kept.
pub const MAX_RULES: usize = 200;

/// Who decides what to do: how much is asked without any rule depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// A model, which reads what pages say: that of a task, or of an MCP client.
    Model,
    /// Steps that a person wrote.
    Playbook,
    /// A program, or nobody: a page that acts by itself.
    Program,
}

/// A rule that cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("rule {at}: {cause}")]
    Site {
        at: usize,
        #[source]
        cause: PatternError,
    },
    #[error("{0} rules; at most {MAX_RULES} are kept")]
    TooMany(usize),
}

/// Checks rules as they are given, counted from 1.
///
/// # Errors
///
/// The first site that cannot be read, or too many rules.
pub fn check(rules: &[Rule]) -> Result<(), RuleError> {
    if rules.len() > MAX_RULES {
        return Err(RuleError::TooMany(rules.len()));
    }
    for (index, rule) in rules.iter().enumerate() {
        Pattern::from_str(&rule.site).map_err(|cause| RuleError::Site { at: index + 1, cause })?;
    }
    Ok(())
}

/// Returns what is to happen with an act of this kind between these addresses.
///
/// A rule counts if its site is that of any of the addresses: the page's, or the one that something goes to.
pub fn effect(rules: &[Rule], sandbox: &SandboxId, addresses: &[&str], kind: ActKind, follows: Follows) -> RuleEffect {
    named(rules, sandbox, addresses, kind).unwrap_or(default_effect(kind, follows))
}

/// Returns what the rules name for this, if they do.
pub fn named(rules: &[Rule], sandbox: &SandboxId, addresses: &[&str], kind: ActKind) -> Option<RuleEffect> {
    let places: Vec<_> = addresses.iter().filter_map(|address| place(address)).collect();
    let counts = |rule: &&Rule| {
        rule.sandbox_id.as_ref().is_none_or(|only| only == sandbox)
            && rule.kind.is_none_or(|only| only == kind)
            && Pattern::from_str(&rule.site)
                .is_ok_and(|site| site.is_any() || places.iter().any(|(host, port)| site.matches(host, *port)))
    };
    rules.iter().filter(counts).max_by_key(|rule| (rank(rule), rule.effect)).map(|rule| rule.effect)
}

/// How specific a rule is: its sandbox counts most, then its site, then its kind.
fn rank(rule: &Rule) -> (bool, u8, bool) {
    let site = match rule.site.as_str() {
        "*" => 0,
        site if site.starts_with("*.") => 1,
        _ => 2,
    };
    (rule.sandbox_id.is_some(), site, rule.kind.is_some())
}

/// What happens without any rule: whoever follows a model is asked before what cannot be undone.
pub fn default_effect(kind: ActKind, follows: Follows) -> RuleEffect {
    match (follows, kind) {
        (
            Follows::Model,
            ActKind::Pay | ActKind::Send | ActKind::Delete | ActKind::Publish | ActKind::NewDestination,
        ) => RuleEffect::Ask,
        // The entry's own rule wants it, whoever acts.
        (_, ActKind::SignIn | ActKind::UseSecret) => RuleEffect::Ask,
        (Follows::Model, ActKind::Submit) | (Follows::Playbook | Follows::Program, _) => RuleEffect::Allow,
    }
}

/// Whether any of these rules may stop an act in this sandbox: where none does, nobody has to look at pages before acting.
pub fn may_ask(rules: &[Rule], sandbox: &SandboxId, follows: Follows) -> bool {
    follows == Follows::Model || rules.iter().any(|rule| applies(rule, sandbox) && rule.effect != RuleEffect::Allow)
}

fn applies(rule: &Rule, sandbox: &SandboxId) -> bool {
    rule.sandbox_id.as_ref().is_none_or(|only| only == sandbox)
}

/// Returns the sites that a text names by their addresses: what a task was told about.
pub fn sites_in(text: &str) -> Vec<String> {
    let mut sites: Vec<String> = addresses_in(text).into_iter().filter_map(site).collect();
    sites.extend(text.split(|c: char| c.is_whitespace() || "\"'<>()[]{}`,;/".contains(c)).filter_map(bare_site));
    sites.sort();
    sites.dedup();
    sites
}

/// Returns the addresses that are written out in a text, scheme and all.
pub fn addresses_in(text: &str) -> Vec<&str> {
    let address = |(at, _): (usize, &str)| {
        let begin = text[..at]
            .rfind(|c: char| !c.is_ascii_alphanumeric())
            .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
        let end = text[at + 3..].find(|c: char| c.is_whitespace() || "\"'<>()[]{}`,".contains(c));
        text[begin..end.map_or(text.len(), |end| at + 3 + end)].trim_end_matches(['.', ';', ':', '!', '?'])
    };
    text.match_indices("://").map(address).collect()
}

/// A name with a dot that reads like a site: `portal.example`, not `report.pdf` at the end of a sentence.
fn bare_site(word: &str) -> Option<String> {
    let word = word.trim_end_matches(['.', ':', '!', '?']);
    let (_, last) = word.rsplit_once('.')?;
    let is_name = word.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-'));
    let is_file = ["pdf", "csv", "txt", "json", "md", "html", "png", "jpg", "docx", "xlsx", "zip", "py", "js", "ts"];
    (is_name && last.len() >= 2 && last.chars().all(char::is_alphabetic) && !is_file.contains(&last))
        .then(|| site(&format!("http://{word}")))
        .flatten()
}

/// Whether an address is at one of these sites, or beneath one; or at none at all.
pub fn is_known(address: &str, sites: impl IntoIterator<Item = impl AsRef<str>>) -> bool {
    // Pages without a host, such as `about:blank` and `data:`, send nothing anywhere.
    site(address).is_none() || known_site(address, sites).is_some()
}

/// Returns which of these sites an address is at, or beneath: `github.io` has many owners, and counts for itself alone.
pub fn known_site<S: AsRef<str>>(address: &str, sites: impl IntoIterator<Item = S>) -> Option<S> {
    let asked = site(address)?;
    sites.into_iter().find(|known| {
        let known = known.as_ref();
        let known = known.strip_prefix("www.").unwrap_or(known);
        let is_beneath = || asked.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'));
        asked == known || (is_beneath() && !is_public_suffix(known))
    })
}

/// Returns the site of an address: its host, with the port where it is not the usual one of its scheme.
pub fn site(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let host = non_empty(url.host_str()?)?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

pub(super) fn non_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn place(address: &str) -> Option<(Host, u16)> {
    let url = Url::parse(address).ok()?;
    Some((Host::parse(url.host_str()?).ok()?, url.port_or_known_default()?))
}
