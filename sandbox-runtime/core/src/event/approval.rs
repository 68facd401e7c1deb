//! Questions to a person, and their answers.

use super::payload;
use crate::model::{ActKind, Amount, Approval, ApprovalStatus, ShownField};
use crate::{ApprovalId, GrantId};

payload! {
    /// A person is asked whether something may be done. The proposal is as in `Approval`.
    pub struct ApprovalRequested {
        pub approval_id: ApprovalId,
        /// SHA-256 of the proposal, in hexadecimal.
        pub hash: String,
        /// Whether a request stands still at the network until this is answered.
        pub held: bool,
        pub kind: ActKind,
        /// The action in words: `click button "Pay now"`.
        pub summary: String,
        pub site: String,
        pub method: Option<String>,
        /// The true address that it goes to.
        pub destination: String,
        pub fields: Vec<ShownField>,
        pub amount: Option<Amount>,
    }

    /// A question is over.
    pub struct ApprovalDecided {
        pub approval_id: ApprovalId,
        pub status: ApprovalStatus,
        /// What was asked about. Absent where an older version wrote it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub kind: Option<ActKind>,
        /// The action in words. Absent where an older version wrote it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub summary: Option<String>,
        /// The person's line for the agent.
        pub note: Option<String>,
        /// Why it is void or superseded.
        pub reason: Option<String>,
        /// The standing permission that was given with it.
        pub grant_id: Option<GrantId>,
    }
}

impl From<&Approval> for ApprovalRequested {
    fn from(approval: &Approval) -> Self {
        let proposal = approval.proposal.clone();
        Self {
            approval_id: approval.approval_id.clone(),
            hash: approval.hash.clone(),
            held: approval.held,
            kind: proposal.kind,
            summary: proposal.summary,
            site: proposal.site,
            method: proposal.method,
            destination: proposal.destination,
            fields: proposal.fields,
            amount: proposal.amount,
        }
    }
}

impl From<&Approval> for ApprovalDecided {
    fn from(approval: &Approval) -> Self {
        Self {
            approval_id: approval.approval_id.clone(),
            status: approval.status,
            kind: Some(approval.proposal.kind),
            summary: Some(approval.proposal.summary.clone()),
            note: approval.note.clone(),
            reason: approval.reason.clone(),
            grant_id: approval.grant_id.clone(),
        }
    }
}
