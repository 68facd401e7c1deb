//! The guides name all that there is.

use std::collections::BTreeSet;

use sandbox_core::action::Action;
use sandbox_core::event::EventType;

use crate::sources::read;

/// Returns what stands between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn the_guide_of_webhooks_names_every_event_type() {
    let guide = read("docs/webhooks.md");
    let lists = guide.lines().filter(|line| line.starts_with("`sandbox.created`") || line.contains("can be named"));
    let mut named = BTreeSet::new();
    let mut family = "";
    for name in lists.flat_map(quoted) {
        // `.ready` is of the family of the name before it.
        let whole = if name.starts_with('.') { format!("{family}{name}") } else { name.to_owned() };
        if !name.starts_with('.') {
            family = name.rsplit_once('.').unwrap().0;
        }
        named.insert(whole);
    }
    assert_eq!(named, EventType::ALL.iter().map(|known| known.as_str().to_owned()).collect());
}

#[test]
fn the_guide_of_playbooks_names_every_action() {
    let guide = read("docs/playbooks.md");
    let (_, steps) = guide.split_once("## Steps").unwrap();
    let rows = steps.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let named: BTreeSet<&str> = rows.filter_map(|row| row.split('|').nth(1)).flat_map(quoted).collect();
    let missing: Vec<&str> = Action::NAMES.iter().copied().filter(|name| !named.contains(name)).collect();
    assert!(missing.is_empty(), "docs/playbooks.md does not name {missing:?}");
}
