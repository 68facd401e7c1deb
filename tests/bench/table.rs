//! What is printed and kept.

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

/// Every figure of a run, by its name.
#[derive(Default)]
pub struct Measured {
    figures: Map<String, Value>,
}

impl Measured {
    pub fn add(&mut self, name: &str, value: impl serde::Serialize) -> Result<()> {
        self.figures.insert(name.to_owned(), serde_json::to_value(value)?);
        Ok(())
    }

    /// Writes the figures as JSON, with those of other parts that an earlier run left there.
    pub fn keep(self, path: &Path) -> Result<()> {
        let before = std::fs::read(path).ok().and_then(|text| serde_json::from_slice::<Map<String, Value>>(&text).ok());
        let mut all = before.unwrap_or_default();
        all.extend(self.figures);
        let budgets = crate::budgets::compare(&all);
        all.insert("budgets".to_owned(), budgets);
        std::fs::write(path, format!("{:#}\n", json!(all)))?;
        println!("\nkept in {}", path.display());
        Ok(())
    }
}

/// Prints rows under headings as a Markdown table.
pub fn print(title: &str, headings: &[&str], rows: &[Vec<String>]) {
    println!("\n{title}\n\n| {} |\n|{}", headings.join(" | "), "---|".repeat(headings.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}

/// Writes a number with that many digits after the point; a dash for none.
pub fn number(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{value:.digits$}") } else { "–".to_owned() }
}
