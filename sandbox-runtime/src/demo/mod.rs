//! The guided first task: a practice portal that lives in the runtime, and the playbook that works on it.
//!
//! Needs no model, no key, no network. Sandboxes reach the portal under its own name, through egress, without a socket.

mod check;
mod invoices;
mod page;
mod portal;

use crate::egress::Sites;

/// Name of the sandbox that the demo makes.
pub const NAME: &str = "October invoices";
/// What the demo does.
pub const PLAYBOOK: &str = include_str!("playbook.yaml");
/// The portal's own name; `.example` is reserved and never anybody's (RFC 2606).
pub const HOST: &str = "portal.example";

/// Returns the sites that the runtime serves itself.
pub fn sites() -> Sites {
    Sites([(HOST.to_owned(), portal::router())].into())
}

#[cfg(test)]
mod tests {
    use sandbox_core::playbook::Playbook;

    #[test]
    fn the_demo_is_a_playbook() {
        let playbook = Playbook::parse(super::PLAYBOOK).unwrap();
        assert!(playbook.params_with(&std::collections::BTreeMap::new()).is_ok());
    }
}
