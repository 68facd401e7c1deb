//! The one owner of a sandbox's state.
