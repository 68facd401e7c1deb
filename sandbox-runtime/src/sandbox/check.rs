//! One check of the doctor, from what was found.

use sandbox_core::model::Check;

/// Returns the check: what was found, or what is missing and its fix.
pub fn check(name: &str, required: bool, outcome: Result<String, (String, String)>) -> Check {
    match outcome {
        Ok(found) => Check { name: name.to_owned(), ok: true, required, found, fix: None },
        Err((found, fix)) => Check { name: name.to_owned(), ok: false, required, found, fix: Some(fix) },
    }
}
