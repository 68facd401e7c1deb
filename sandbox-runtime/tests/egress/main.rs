//! The way out of a room, over real sockets on loopback: what is carried, what is refused, and that a refused
//! destination hears nothing.

mod http;
mod outbound;
mod places;
mod sites;
mod socks;
mod support;
mod traffic;
mod tunnel;
