use super::{Actor, EpochMs, wire};
use crate::{ApprovalId, GrantId, SandboxId, TaskId};

wire! {
    /// What kind of doing a question or a rule is about.
    #[derive(Copy, Eq, Hash, PartialOrd, Ord)]
    pub enum ActKind {
        Pay,
        Send,
        Delete,
        Publish,
        /// Any other form or request that changes something at its destination.
        Submit,
        /// Filling in a sign-in whose rule is `ask`.
        SignIn,
        /// Giving a secret of the vault to a command, where its rule is to ask.
        UseSecret,
        /// Going, or sending something, to a site that the task was not told about.
        NewDestination,
    }

    /// What a person wants to happen. The more specific rule counts; of equals the stricter one.
    #[derive(Copy, Eq, Hash, PartialOrd, Ord)]
    pub enum RuleEffect {
        Allow,
        /// A person is asked before the agent acts.
        Ask,
        /// The request is stopped on its way out and shown; denied means that it never left.
        Hold,
    }

    /// One line of a person's rules.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Rule {
        /// The one sandbox it is for; every sandbox without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sandbox_id: Option<SandboxId>,
        /// `shop.example`, `*.example`, an address, or `*`; optionally `:port`.
        pub site: String,
        /// Every kind without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub kind: Option<ActKind>,
        pub effect: RuleEffect,
    }

    /// A person's rules as a whole.
    #[derive(Default, Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Rules {
        pub rules: Vec<Rule>,
    }

    /// A field of a form or a request, as a person is shown it.
    #[derive(Eq)]
    pub struct ShownField {
        pub name: String,
        /// Shortened where it is long; dots where it is secret.
        pub value: String,
        pub masked: bool,
    }

    /// Money, in hundredths of its unit.
    #[derive(Eq)]
    pub struct Amount {
        pub hundredths: i64,
        /// ISO 4217 letters; empty where none was seen.
        pub currency: String,
    }

    /// What would be done: exactly what a person is shown, and what the hash of an approval is of.
    #[derive(Eq)]
    pub struct Proposal {
        pub kind: ActKind,
        /// The action in words: `click button "Pay now"`.
        pub summary: String,
        /// The site that the page belongs to, or that the task comes from.
        pub site: String,
        /// `GET`, `POST`, …; absent where the page does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub method: Option<String>,
        /// The true address that it goes to.
        pub destination: String,
        pub fields: Vec<ShownField>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub amount: Option<Amount>,
    }

    #[derive(Copy, Eq)]
    pub enum ApprovalStatus {
        Pending,
        Approved,
        Denied,
        /// What was shown is not there any more; nothing was done by this approval.
        Void,
        /// The same task asks something else instead.
        Superseded,
    }

    /// One question to a person. It has no expiry: nobody's silence is an answer.
    #[derive(Eq)]
    pub struct Approval {
        pub approval_id: ApprovalId,
        pub sandbox_id: SandboxId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub task_id: Option<TaskId>,
        pub status: ApprovalStatus,
        pub proposal: Proposal,
        /// SHA-256 of the proposal, in hexadecimal.
        pub hash: String,
        /// Whether a request stands still at the network until this is answered.
        pub held: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub note: Option<String>,
        /// Why it is void or superseded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decided_by: Option<Actor>,
        /// The standing permission that was given with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub grant_id: Option<GrantId>,
        pub requested_at: EpochMs,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decided_at: Option<EpochMs>,
        pub updated_at: EpochMs,
    }

    #[derive(Copy, Eq)]
    pub enum Verdict {
        Approve,
        Deny,
    }

    /// A person's answer.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct ApprovalDecision {
        pub decision: Verdict,
        /// A line for the agent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub note: Option<String>,
        /// Approves the same kind, at the same site, for the rest of the task, within these limits; once without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub scope: Option<GrantScope>,
        /// `hash` of what was shown; another one is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub hash: Option<String>,
    }

    /// How far an approval goes beyond this once.
    #[derive(Default, Eq)]
    #[serde(default, deny_unknown_fields)]
    pub struct GrantScope {
        /// How often more; without a limit when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub uses: Option<u64>,
        /// How much in all, this time included; what has no amount of this currency is then asked.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub amount: Option<Amount>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub expires_in_ms: Option<u64>,
    }

    /// A standing permission: task × site × kind, within limits. It ends with its task at the latest.
    #[derive(Eq)]
    pub struct Grant {
        pub grant_id: GrantId,
        pub approval_id: ApprovalId,
        pub sandbox_id: SandboxId,
        pub task_id: TaskId,
        /// Site of the destination, with a port where it is not the usual one.
        pub site: String,
        pub kind: ActKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_uses: Option<u64>,
        pub uses: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_amount: Option<Amount>,
        /// In hundredths, of what had an amount.
        pub spent: i64,
        pub created_at: EpochMs,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expires_at: Option<EpochMs>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub used_at: Option<EpochMs>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub revoked_at: Option<EpochMs>,
    }
}

impl ApprovalStatus {
    pub fn is_pending(self) -> bool {
        match self {
            Self::Pending => true,
            Self::Approved | Self::Denied | Self::Void | Self::Superseded => false,
        }
    }
}
