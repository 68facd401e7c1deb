//! The product from outside: starts the real programs, speaks HTTP to them, looks at their pictures.

mod baton;
mod bus;
mod display;
pub mod measure;
mod site;
mod viewer;
mod wait;
mod window;

pub use baton::{Baton, binary, repository};
pub use bus::{Bus, Notifications};
pub use display::Display;
pub use site::Site;
pub use viewer::{Seen, Viewer};
pub use wait::{eventually, eventually_within};
pub use window::{Window, keys};
