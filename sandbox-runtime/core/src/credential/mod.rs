//! Sign-ins: which entry of the vault belongs to a page, and why none does.
//!
//! Owns where an entry may be filled in ([`site`]), the words of each refusal ([`choose`]), who may ask for which passkey
//! ([`passkey`]), and where a sign-in that a person typed may be kept ([`keep`]). Leaves values, fields and pages to others:
//! nothing here has ever seen a password.

mod choose;
mod keep;
mod passkey;
mod site;
#[cfg(test)]
mod testing;

pub use choose::{Place, Unfit, choose, missing};
pub use keep::{Keepable, keepable};
pub use passkey::{NoPasskey, PasskeyRequest, PasskeyWants, choose_passkey, site_of};
pub use site::{Site, SiteError};
