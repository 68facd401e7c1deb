//! Full-text search over what tasks and events say, by words and by parts of words.
//!
//! `search_docs` says what a text belongs to, `search_text` holds it by trigrams. `hit` is the row that stands for the
//! whole task in results, so that a task with fifty matching events is found once.
//! Whatever a person types is a valid query: its parts between blanks must all occur, in any order. Parts shorter than
//! a trigram are found by scanning, the longer ones by the index.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use sandbox_core::event::Event;
use sandbox_core::model::{Page, Task};
use sandbox_core::{SandboxId, TaskId};

use crate::store::page::{Conditions, List, cut, like_anywhere};
use crate::store::{Hit, PageRequest, StoreError};

pub const V1: &str = "
    CREATE TABLE search_docs (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        hit INTEGER NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL UNIQUE,
        task_id TEXT,
        sandbox_id TEXT NOT NULL,
        at INTEGER NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE search_text USING fts5 (title, body, tokenize = 'trigram remove_diacritics 1');
";

/// Longest text of one task or event that is searched, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// Most parts of a query that count; a query of more is a pasted text.
const MAX_TERMS: usize = 24;
/// Letters shown on each side of what was found.
const SNIPPET_SIDE: usize = 60;

/// What a person looks for, in parts that must all occur.
pub struct Query {
    terms: Vec<String>,
}

impl Query {
    /// Returns `None` for a text without anything to look for.
    pub fn parse(text: &str) -> Option<Self> {
        let separates = |letter: char| letter.is_whitespace() || letter.is_control();
        let terms: Vec<_> =
            text.split(separates).filter(|term| !term.is_empty()).take(MAX_TERMS).map(str::to_owned).collect();
        (!terms.is_empty()).then_some(Self { terms })
    }

    /// Keeps only tasks whose own words fit.
    pub fn restrict_tasks(&self, conditions: &mut Conditions) {
        for (sql, value) in self.conditions() {
            let sql = format!(
                "id IN (SELECT d.id FROM search_text t JOIN search_docs d ON d.row = t.rowid
                 WHERE {sql} AND d.kind = 'task')"
            );
            conditions.add(&sql, value);
        }
    }

    /// Returns the conditions on `search_text t`, each with its value.
    fn conditions(&self) -> Vec<(&'static str, String)> {
        let (long, short): (Vec<&String>, Vec<&String>) = self.terms.iter().partition(|term| has_trigram(term));
        let mut conditions = Vec::new();
        if !long.is_empty() {
            let phrases: Vec<_> = long.iter().map(|term| format!("\"{}\"", term.replace('"', "\"\""))).collect();
            conditions.push(("t.search_text MATCH ?", phrases.join(" AND ")));
        }
        for term in short {
            conditions.push((r"(t.title || char(10) || t.body) LIKE ? ESCAPE '\'", like_anywhere(term)));
        }
        conditions
    }
}

/// Whether the index can find the term: marks that the tokenizer drops do not count as letters.
fn has_trigram(term: &str) -> bool {
    term.chars().filter(|letter| !('\u{300}'..='\u{36f}').contains(letter)).count() >= 3
}

/// Keeps what the task says now; its place in results stays.
pub fn put_task(db: &Connection, task: &Task) -> Result<(), StoreError> {
    let mut body = String::new();
    let error = task.error.as_ref().map(|failure| &failure.message);
    for part in [&task.prompt, &task.playbook, &task.result].into_iter().flatten().chain(error) {
        add_line(&mut body, part);
    }
    let known: Option<i64> = db
        .prepare_cached("SELECT row FROM search_docs WHERE id = ?1")?
        .query_row([task.id.as_str()], |row| row.get(0))
        .optional()?;
    let Some(row) = known else {
        let row = insert(db, "task", task.id.as_str(), Some(&task.id), &task.sandbox_id, task.created_at)?;
        return insert_text(db, row, &task.title, &body);
    };
    // A task is kept at each of its steps, mostly with the same words.
    db.prepare_cached("UPDATE search_text SET title = ?2, body = ?3 WHERE rowid = ?1 AND (title <> ?2 OR body <> ?3)")?
        .execute(params![row, task.title, body])?;
    Ok(())
}

/// Keeps what an event says; `payload` is that of its data.
pub fn put_event(db: &Connection, event: &Event, payload: &serde_json::Value) -> Result<(), StoreError> {
    let mut body = String::new();
    add_strings(&mut body, payload);
    if body.is_empty() {
        return Ok(());
    }
    let row = insert(db, "event", event.id.as_str(), event.task_id.as_ref(), &event.sandbox_id, event.at)?;
    insert_text(db, row, event.data.kind(), &body)
}

fn insert(
    db: &Connection,
    kind: &str,
    id: &str,
    task_id: Option<&TaskId>,
    sandbox_id: &SandboxId,
    at: i64,
) -> Result<i64, StoreError> {
    let task_id = task_id.map(TaskId::as_str);
    let sql = "INSERT INTO search_docs (hit, kind, id, task_id, sandbox_id, at)
        VALUES (coalesce((SELECT row FROM search_docs WHERE id = ?3), 0), ?1, ?2, ?3, ?4, ?5)";
    db.prepare_cached(sql)?.execute(params![kind, id, task_id, sandbox_id.as_str(), at])?;
    let row = db.last_insert_rowid();
    // Stands for itself, unless its task was there before it.
    db.prepare_cached("UPDATE search_docs SET hit = row WHERE row = ?1 AND hit = 0")?.execute([row])?;
    Ok(row)
}

fn insert_text(db: &Connection, row: i64, title: &str, body: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO search_text (rowid, title, body) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![row, title, body])?;
    Ok(())
}

/// Finds tasks, and events outside any task, newest first.
///
/// Texts are read from the newest on, and only as far as the page needs: what a task says lies behind the task itself, so
/// that beyond the least of the page's hits nothing can change it.
pub fn find(db: &Connection, text: &str, page: &PageRequest) -> Result<Page<Hit>, StoreError> {
    let below = List::Search.below(page)?;
    let Some(query) = Query::parse(text) else { return Ok(Page { data: Vec::new(), next_cursor: None }) };
    let mut conditions = Conditions::default();
    for (sql, value) in query.conditions() {
        conditions.add(sql, value);
    }
    conditions.add("d.hit < ?", below);
    // The order of the tables is meant: the index gives its texts in their order, without sorting them.
    let sql = format!(
        "SELECT d.hit, d.row FROM search_text t CROSS JOIN search_docs d ON d.row = t.rowid
         WHERE {} ORDER BY t.rowid DESC",
        conditions.sql()
    );
    let mut statement = db.prepare_cached(&sql)?;
    let values: Vec<&dyn ToSql> = conditions.values();
    let mut found = statement.query(values.as_slice())?;
    let limit = page.rows();
    // Of each hit the least row: the task's own text, if that fits; else the first of its events that does.
    let mut hits: BTreeMap<i64, i64> = BTreeMap::new();
    while let Some(row) = found.next()? {
        let (hit, doc): (i64, i64) = (row.get(0)?, row.get(1)?);
        let is_full = hits.len() > limit;
        if is_full && hits.first_key_value().is_some_and(|(least, _)| doc < *least) {
            break;
        }
        hits.insert(hit, doc);
        if hits.len() > limit + 1 {
            hits.pop_first();
        }
    }
    let rows = hits.into_iter().rev().map(|(hit, doc)| Ok((hit, read(db, hit, doc, &query)?)));
    Ok(cut(List::Search, limit, rows.collect::<Result<_, StoreError>>()?))
}

fn read(db: &Connection, hit: i64, doc: i64, query: &Query) -> Result<Hit, StoreError> {
    let sql = "SELECT d.task_id, d.sandbox_id, d.at, t.title, t.body, (SELECT title FROM search_text WHERE rowid = ?2)
        FROM search_docs d JOIN search_text t ON t.rowid = d.row WHERE d.row = ?1";
    let hit = db.prepare_cached(sql)?.query_row([doc, hit], |row| {
        let (title, body): (String, String) = (row.get(3)?, row.get(4)?);
        Ok(Hit {
            task_id: row.get::<_, Option<String>>(0)?.map(TaskId),
            sandbox_id: SandboxId(row.get(1)?),
            title: row.get::<_, Option<String>>(5)?.unwrap_or(title),
            snippet: snippet(&body, &query.terms),
            at: row.get(2)?,
        })
    })?;
    Ok(hit)
}

/// Returns the text around the first place where one of `terms` occurs, on one line.
fn snippet(body: &str, terms: &[String]) -> String {
    let letters: Vec<char> = body.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let folded: Vec<char> = letters.iter().map(|letter| fold(*letter)).collect();
    let place = terms.iter().find_map(|term| {
        let term: Vec<char> = term.chars().map(fold).collect();
        let at = folded.windows(term.len()).position(|window| window == term)?;
        Some((at, at + term.len()))
    });
    let (found_from, found_to) = place.unwrap_or((0, 0));
    let from = found_from.saturating_sub(SNIPPET_SIDE);
    let to = (found_to + SNIPPET_SIDE).min(letters.len());
    let mut text = String::new();
    if from > 0 {
        text.push('…');
    }
    text.extend(&letters[from..to]);
    if to < letters.len() {
        text.push('…');
    }
    text
}

fn fold(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

/// Adds every text of a value, without the names of its fields.
fn add_strings(body: &mut String, value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) => add_line(body, text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| add_strings(body, item)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| add_strings(body, field)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn add_line(body: &mut String, text: &str) {
    if text.is_empty() || body.len() >= MAX_BODY {
        return;
    }
    if !body.is_empty() {
        body.push('\n');
    }
    let room = text.floor_char_boundary(MAX_BODY.saturating_sub(body.len()));
    // The index reads a text up to its first NUL.
    body.extend(text[..room].chars().map(|letter| if letter == '\0' { ' ' } else { letter }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_shows_where_the_text_was_found_and_that_it_was_cut() {
        let body = format!("{}the Überweisung\nof May{}", "a".repeat(200), "b".repeat(200));
        let shown = snippet(&body, &["überWEISUNG".to_owned()]);
        assert!(shown.starts_with('…') && shown.ends_with('…'));
        assert!(shown.contains("the Überweisung of May"));
        assert_eq!(snippet("short", &["absent".to_owned()]), "short");
        assert_eq!(snippet("", &["absent".to_owned()]), "");
    }

    #[test]
    fn a_query_of_blanks_and_control_characters_looks_for_nothing() {
        assert!(Query::parse(" \u{0}\t\n\u{3000}").is_none());
        assert_eq!(Query::parse(" a\u{0}b  c ").unwrap().terms, ["a", "b", "c"]);
    }

    #[test]
    fn texts_of_an_event_are_its_values_and_never_its_field_names() {
        let mut body = String::new();
        add_strings(
            &mut body,
            &serde_json::json!({"command": "ls", "args": ["-l", {"deep": "x"}], "n": 3, "ok": true}),
        );
        assert_eq!(body, "ls\n-l\nx");
    }
}
