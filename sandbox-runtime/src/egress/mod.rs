//! The only way out of a room: proxy and network policy.
