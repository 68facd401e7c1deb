//! Sign-ins: which entry of the vault belongs to a page, and why none does.
//!
//! Owns where an entry may be filled in ([`site`]) and the words of each refusal ([`choose`]). Leaves values, fields and pages to
//! others: nothing here has ever seen a password.

mod choose;
mod site;

pub use choose::{Place, Unfit, choose, missing};
pub use site::{Site, SiteError};
