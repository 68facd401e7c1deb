//! The product from outside: starts the real programs, speaks HTTP to them, looks at their pictures.

mod baton;
mod bus;
mod canary;
mod debugger;
mod display;
mod foreign;
mod fuzz;
mod guide;
pub mod measure;
mod model_server;
mod receiver;
mod site;
mod tray;
mod viewer;
mod wait;
mod webapp;
mod window;

pub use baton::{Baton, binary, http_client, repository};
pub use bus::{Bus, Notifications};
pub use canary::{assert_kept_nowhere, assert_read_by_nobody, kept_in};
pub use debugger::Debugger;
pub use display::Display;
pub use foreign::Foreign;
pub use fuzz::{Fuzz, fuzz};
pub use guide::Guide;
pub use model_server::{Answer, Asked, ModelServer, Turn};
pub use receiver::{Message, Receiver, Reply, genuine};
pub use site::Site;
pub use tray::Tray;
pub use viewer::{Seen, Viewer};
pub use wait::{eventually, eventually_within};
pub use webapp::WebApp;
pub use window::{Window, keys};
