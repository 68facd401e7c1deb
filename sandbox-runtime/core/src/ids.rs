//! Names of things: newtypes, so that a task's id is never taken for a sandbox's.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String)]
        pub struct $name(pub String);

        impl $name {
            /// The letters that begin every id of this kind.
            pub const PREFIX: &'static str = $prefix;

            /// Returns the id made of the prefix and `unique`, which the caller takes from a random source.
            pub fn from_unique(unique: impl std::fmt::Display) -> Self {
                Self(format!("{}{unique}", $prefix))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

id!(
    /// One job's container.
    SandboxId, "sbx_"
);
id!(
    /// One request to the agent, or one playbook run.
    TaskId, "task_"
);
id!(
    /// A recorded request that a person do something; `requestId` on the wire.
    HandoffId, "ho_"
);
id!(
    /// A durable output; `key` on the wire.
    ArtifactKey, "art_"
);
id!(
    /// A sandbox as it was at one moment.
    CheckpointId, "cp_"
);
id!(
    /// One question to a person: may this be done?
    ApprovalId, "apr_"
);
id!(
    /// A standing permission that an approval gave.
    GrantId, "grt_"
);
id!(
    /// An entry of the vault.
    CredentialId, "cred_"
);
id!(
    /// An offer to keep a sign-in that a person typed.
    SignInOfferId, "sio_"
);
id!(
    /// An address that is told about events.
    WebhookId, "wh_"
);
id!(
    /// One message to one webhook; `webhook-id` in its headers.
    DeliveryId, "msg_"
);
id!(
    /// A committed event.
    EventId, "evt_"
);
id!(
    /// One connected live view.
    ViewerId, "view_"
);

/// Says who may act on the browser. It only grows; the newest is the only live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Lease(pub u64);
