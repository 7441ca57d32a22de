//! The message on the operations queue: look how far an operation has come.
//!
//! It holds ids alone: what is to be done, and what is done, the operation itself says. A look that finds something left to do asks for the next one, so
//! far as there is one. They end before AWS ends such a chain of messages; whatever is left then, and whatever was lost, the schedule finds.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{OperationId, TenantId};

/// How long after the look before (the first: after Microsoft took the wish) it is looked again. A cancellation shows after about ten minutes (Partner
/// Center, "Cancel an Azure subscription"), and people are told after fifteen. AWS ends a chain of messages after about sixteen ("recursive loop
/// detection" of Lambda).
pub const FOLLOW_UPS: [SignedDuration; 8] = [
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(5),
];

/// A look at an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// The tenant.
    pub tenant: TenantId,
    /// The operation.
    pub operation: OperationId,
    /// How many of the [`FOLLOW_UPS`] are behind it. Absent: all of them, so that it asks for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<usize>,
}

impl FollowUp {
    /// The first look of a chain, and how long after now it is due.
    #[must_use]
    pub fn first(tenant: TenantId, operation: OperationId) -> (Self, SignedDuration) {
        (Self { tenant, operation, behind: Some(1) }, FOLLOW_UPS[0])
    }

    /// A look that asks for no other: the schedule's.
    #[must_use]
    pub fn once(tenant: TenantId, operation: OperationId) -> Self {
        Self { tenant, operation, behind: None }
    }

    /// The look after this one, and how long after it that is due.
    #[must_use]
    pub fn next(&self) -> Option<(Self, SignedDuration)> {
        let behind = self.behind?;
        let after = FOLLOW_UPS.get(behind)?;
        Some((Self { behind: Some(behind.saturating_add(1)), ..self.clone() }, *after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::STUCK_AFTER;

    #[test]
    fn looks_go_on_until_people_would_be_told_and_end_before_aws_ends_them() {
        let tenant: TenantId = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        let operation = OperationId::of_random("one");
        let mut chain = vec![FollowUp::first(tenant.clone(), operation.clone())];
        while let Some(next) = chain.last().and_then(|(look, _)| look.next()) {
            chain.push(next);
        }
        assert_eq!(chain.len(), FOLLOW_UPS.len());
        assert!(chain.len() < 16);
        let first_seen = chain[0].1;
        let in_all: SignedDuration = chain.iter().map(|(_, after)| *after).sum();
        assert!(in_all >= first_seen + STUCK_AFTER, "{in_all:?}");
        assert_eq!(FollowUp::once(tenant, operation).next(), None);
        let text = serde_json::to_string(&chain[3].0).unwrap();
        assert_eq!(serde_json::from_str::<FollowUp>(&text).unwrap(), chain[3].0);
    }
}
