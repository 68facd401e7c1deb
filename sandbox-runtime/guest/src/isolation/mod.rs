//! How this program walls in itself and what it starts, from inside the room that the backend made.
//!
//! ```text
//! bubblewrap's room, or a container (namespaces, read-only root, no network)
//!   guest                       system calls filtered
//!     └─ the commands' own process namespace and /proc: user 1000 without capabilities, no further namespaces,
//!        Landlock, system calls filtered
//! ```
//!
//! Fails closed: a layer that cannot be set up is named on standard error in the words of [`Failure`], which the backend
//! reads, and the room does not start.

pub mod calls;
pub mod fence;
pub mod filter;
pub mod namespaces;
mod proc_covers;

use std::fmt;

use sandbox_link::walls::{FAILED_LAYER, Layer, WallOrders};

use self::namespaces::COMMAND_ID;

/// A layer that could not be set up.
#[derive(Debug)]
pub struct Failure {
    pub layer: Layer,
    pub cause: String,
}

impl Failure {
    pub fn new(layer: Layer, cause: impl fmt::Display) -> Self {
        Self { layer, cause: cause.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FAILED_LAYER} {}: {}", self.layer.name(), self.cause)
    }
}

impl std::error::Error for Failure {}

/// Walls in the desktop room: no links in the workspace, and the system calls that Chromium's own sandbox needs.
///
/// # Errors
/// The first layer that could not be set up.
pub fn wall_in_desktop(orders: &WallOrders) -> Result<(), Failure> {
    if orders.in_container {
        namespaces::become_user_of_container(COMMAND_ID)?;
    }
    crate::no_links::follow_none().map_err(|error| Failure::new(Layer::Links, error))?;
    unless(orders, Layer::Seccomp, || filter::apply(filter::Profile::Desktop))
}

/// In a container, gives this process the rights over its own room that bubblewrap gives it elsewhere.
///
/// # Errors
/// When the kernel does not make a user namespace.
pub fn enter_shell_room(orders: &WallOrders) -> Result<(), Failure> {
    const ROOT: u32 = 0;
    if orders.in_container { namespaces::become_user_of_container(ROOT) } else { Ok(()) }
}

/// Walls in the first process of the commands.
///
/// # Errors
/// The first layer that could not be set up.
pub fn wall_in_commands(orders: &WallOrders) -> Result<(), Failure> {
    namespaces::wall_in(orders)?;
    crate::init::hide_from_room();
    unless(orders, Layer::Landlock, fence::apply)?;
    unless(orders, Layer::Seccomp, || filter::apply(filter::Profile::Shell))
}

/// Walls in the guest of the shell room, once it has split the commands off.
///
/// # Errors
/// The first layer that could not be set up.
pub fn wall_in_guest(orders: &WallOrders) -> Result<(), Failure> {
    namespaces::give_up_privileges().map_err(|error| Failure::new(Layer::Privileges, error))?;
    unless(orders, Layer::Seccomp, || filter::apply(filter::Profile::Shell))
}

fn unless(orders: &WallOrders, layer: Layer, set_up: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    if orders.without == Some(layer) { Ok(()) } else { set_up() }
}
