//! Pages of a list, newest first. A cursor is opaque to callers: the kind of list and the row after which it goes on, so
//! that records that arrive meanwhile neither repeat nor hide one.

use rusqlite::{Connection, Row, ToSql};
use sandbox_core::model::Page;
use serde::de::DeserializeOwned;

use super::StoreError;

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// 1..=200; anything else is brought into that range.
    pub limit: usize,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageRequest {
    pub const DEFAULT_LIMIT: usize = 50;
    pub const MAX_LIMIT: usize = 200;

    pub(super) fn rows(&self) -> usize {
        self.limit.clamp(1, Self::MAX_LIMIT)
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, cursor: None }
    }
}

/// Reads every page of a list; oldest first.
pub(super) fn all<T>(mut read: impl FnMut(&PageRequest) -> Result<Page<T>, StoreError>) -> Result<Vec<T>, StoreError> {
    let mut request = PageRequest { limit: PageRequest::MAX_LIMIT, cursor: None };
    let mut all = Vec::new();
    loop {
        let page = read(&request)?;
        all.extend(page.data);
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            all.reverse();
            return Ok(all);
        }
    }
}

/// The lists that have cursors; a cursor of one is refused by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Sandboxes,
    Tasks,
    Handoffs,
    Approvals,
    Grants,
    Artifacts,
    Checkpoints,
    Webhooks,
    Deliveries,
    Credentials,
    CredentialUses,
    Search,
}

impl List {
    fn tag(self) -> u8 {
        match self {
            Self::Sandboxes => b's',
            Self::Tasks => b't',
            Self::Handoffs => b'h',
            Self::Approvals => b'p',
            Self::Grants => b'g',
            Self::Artifacts => b'a',
            Self::Checkpoints => b'c',
            Self::Webhooks => b'w',
            Self::Deliveries => b'd',
            Self::Credentials => b'v',
            Self::CredentialUses => b'u',
            Self::Search => b'q',
        }
    }

    pub(super) fn cursor(self, row: i64) -> String {
        let body = format!("{}{row:x}", char::from(self.tag()));
        format!("{body}.{:04x}", check_sum(body.as_bytes()))
    }

    /// Returns the row that the page begins below.
    pub(super) fn below(self, request: &PageRequest) -> Result<i64, StoreError> {
        let Some(cursor) = &request.cursor else { return Ok(i64::MAX) };
        self.parse(cursor).ok_or(StoreError::InvalidCursor)
    }

    fn parse(self, cursor: &str) -> Option<i64> {
        let (body, sum) = cursor.split_once('.')?;
        let row = i64::from_str_radix(body.strip_prefix(char::from(self.tag()))?, 16).ok()?;
        (sum == format!("{:04x}", check_sum(body.as_bytes())) && self.cursor(row) == cursor).then_some(row)
    }
}

/// Tells a cursor from a slip of the keyboard; it is no secret (FNV-1a, folded).
fn check_sum(bytes: &[u8]) -> u16 {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 16)) as u16
}

/// Cuts `rows`, of which one more than asked for was read, to a page.
pub(super) fn cut<T>(list: List, limit: usize, mut rows: Vec<(i64, T)>) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|(row, _)| list.cursor(*row));
    Page { data: rows.into_iter().map(|(_, record)| record).collect(), next_cursor }
}

/// Conditions of a query and their values, in step.
#[derive(Default)]
pub(super) struct Conditions {
    sql: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    /// Adds a condition in which `?` stands once, for `value`.
    pub(super) fn add(&mut self, sql: &str, value: impl ToSql + 'static) {
        self.sql.push(sql.to_owned());
        self.values.push(Box::new(value));
    }

    pub(super) fn sql(&self) -> String {
        if self.sql.is_empty() { "1".to_owned() } else { self.sql.join(" AND ") }
    }

    pub(super) fn values(&self) -> Vec<&dyn ToSql> {
        self.values.iter().map(AsRef::as_ref).collect()
    }
}

/// Reads one page of a table whose records are JSON documents in the column `doc`, ordered by the column `row`.
pub(super) fn documents<T: DeserializeOwned>(
    db: &Connection,
    list: List,
    table: &'static str,
    mut conditions: Conditions,
    request: &PageRequest,
) -> Result<Page<T>, StoreError> {
    conditions.add("row < ?", list.below(request)?);
    let limit = request.rows();
    let sql = format!("SELECT row, doc FROM {table} WHERE {} ORDER BY row DESC LIMIT {}", conditions.sql(), limit + 1);
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = statement.query(conditions.values().as_slice())?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push((row.get(0)?, document(table, row, 1)?));
    }
    Ok(cut(list, limit, rows))
}

/// Reads the one document that `sql` selects by `key`.
pub(super) fn one_document<T: DeserializeOwned>(
    db: &Connection,
    table: &'static str,
    sql: &str,
    key: &str,
) -> Result<Option<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut found = statement.query([key])?;
    let Some(row) = found.next()? else { return Ok(None) };
    document(table, row, 0).map(Some)
}

/// Reads every document that `sql` selects.
pub(super) fn all_documents<T: DeserializeOwned>(
    db: &Connection,
    table: &'static str,
    sql: &str,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut found = statement.query([])?;
    let mut records = Vec::new();
    while let Some(row) = found.next()? {
        records.push(document(table, row, 0)?);
    }
    Ok(records)
}

fn document<T: DeserializeOwned>(table: &'static str, row: &Row<'_>, column: usize) -> Result<T, StoreError> {
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    serde_json::from_str(text).map_err(StoreError::document(table))
}

/// Returns a `LIKE` pattern, with `\` as its escape, that finds `text` anywhere.
pub(super) fn like_anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_row_and_only_in_its_own_list() {
        for row in [1, 42, i64::MAX] {
            let request = PageRequest { limit: 1, cursor: Some(List::Tasks.cursor(row)) };
            assert_eq!(List::Tasks.below(&request).unwrap(), row);
            assert!(matches!(List::Search.below(&request), Err(StoreError::InvalidCursor)));
        }
    }

    #[test]
    fn a_cursor_that_was_not_given_out_is_refused() {
        let good = List::Tasks.cursor(0x42);
        let spoiled = good.replace("42", "43");
        for cursor in ["", "x", ".", "t1", "t1.0000", "t-1.0000", "\u{0}", "t42.", &spoiled, &good.to_uppercase()] {
            let request = PageRequest { limit: 1, cursor: Some(cursor.to_owned()) };
            assert!(matches!(List::Tasks.below(&request), Err(StoreError::InvalidCursor)), "{cursor:?}");
        }
    }

    #[test]
    fn letters_with_a_meaning_in_patterns_stand_for_themselves() {
        assert_eq!(like_anywhere(r"50%_\"), r"%50\%\_\\%");
    }
}
