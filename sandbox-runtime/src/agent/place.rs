//! How far a playbook has come when it asks a person: kept, so that a later runtime goes on from there.

use sandbox_core::model::TaskLimits;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is kept of a playbook that may wait for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "playbook", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Entry {
    Begun(Begun),
    Waits(Place),
}

/// How the playbook was ordered, next to its text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Begun {
    pub limits: TaskLimits,
    /// The values that the caller gave for its parameters, sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// Names of the variables that its sandbox's commands have; their values are kept nowhere.
    pub env: Vec<String>,
}

/// Where it stands while a person is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Place {
    /// Index of the step that asks, from 0.
    pub step: usize,
    /// Address of the page that is open.
    pub url: String,
    /// What the last command printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Names of the artifacts that were saved so far.
    pub saved: Vec<String>,
}

impl Begun {
    pub fn to_value(&self) -> Value {
        Entry::Begun(self.clone()).to_value()
    }

    /// Returns the order from what was kept of a task.
    pub fn of(kept: &[Value]) -> Option<Self> {
        entries(kept).find_map(|entry| match entry {
            Entry::Begun(begun) => Some(begun),
            Entry::Waits(_) => None,
        })
    }
}

impl Place {
    pub fn to_value(&self) -> Value {
        Entry::Waits(self.clone()).to_value()
    }

    /// Returns where the playbook asked a person last.
    pub fn of(kept: &[Value]) -> Option<Self> {
        entries(kept)
            .filter_map(|entry| match entry {
                Entry::Waits(place) => Some(place),
                Entry::Begun(_) => None,
            })
            .last()
    }
}

impl Entry {
    fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("an entry is JSON")
    }
}

fn entries(kept: &[Value]) -> impl Iterator<Item = Entry> {
    kept.iter().filter_map(|value| serde_json::from_value(value.clone()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_place_counts_and_foreign_parts_are_left_out() {
        let begun = Begun { env: vec!["TEAM".to_owned()], ..Begun::default() };
        let first = Place { step: 2, url: "https://a.example/".to_owned(), ..Place::default() };
        let second = Place { step: 5, saved: vec!["a.csv".to_owned()], ..Place::default() };
        let kept = vec![begun.to_value(), first.to_value(), serde_json::json!({ "entry": "said" }), second.to_value()];
        assert_eq!(Begun::of(&kept), Some(begun));
        assert_eq!(Place::of(&kept), Some(second));
        assert_eq!(Place::of(&kept[..1]), None);
    }
}
