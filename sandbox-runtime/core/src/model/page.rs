use super::wire;
use serde::{Deserialize, Serialize};

/// One page of a list, and where the next begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub data: Vec<T>,
    #[schema(required)]
    pub next_cursor: Option<String>,
}

wire! {
    /// One check of this machine, with the command that mends it.
    #[derive(Eq)]
    pub struct Check {
        /// A short stable name: `bubblewrap`, `userNamespaces`, `chromium`, …
        pub name: String,
        pub ok: bool,
        /// Whether the main job needs it.
        pub required: bool,
        /// What was found, in a sentence.
        pub found: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub fix: Option<String>,
    }
}
