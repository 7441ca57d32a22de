//! Why a call about an Azure subscription comes to nothing, and what to do about it.

use std::time::Duration;

use models::{MicrosoftRefusal, TenantId};

use crate::{Asker, Diagnosis, MicrosoftError, Refusal, TokenProblem, refusal::advice};

/// Why a call about an Azure subscription came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum EntitlementError {
    /// Microsoft refused the tenant's kept credential, or could not be understood or reached.
    #[error(transparent)]
    Microsoft(#[from] MicrosoftError),
    /// Partner Center says that the customer is none of the tenant's.
    #[error("{customer} is no customer of tenant {tenant}")]
    NoCustomer {
        /// The customer's id.
        customer: String,
        /// The tenant.
        tenant: TenantId,
    },
    /// The customer has no such subscription below an Azure plan.
    #[error("no Azure plan of the customer {customer} of tenant {tenant} has the subscription {subscription}")]
    NoSubscription {
        /// The customer's id.
        customer: String,
        /// The tenant.
        tenant: TenantId,
        /// The subscription's id.
        subscription: String,
    },
    /// It took too long.
    #[error("{call} for tenant {tenant} took longer than {} seconds", after.as_secs())]
    OutOfTime {
        /// What did.
        call: &'static str,
        /// The tenant.
        tenant: TenantId,
        /// How long it was given.
        after: Duration,
    },
    /// Microsoft refused the person, or could not be understood or reached.
    #[error(transparent)]
    Person(MicrosoftError),
    /// The person's token does not fit: nobody was asked.
    #[error("{call} for tenant {tenant} can't be done with this token")]
    Token {
        /// What was to be done.
        call: &'static str,
        /// The tenant.
        tenant: TenantId,
        /// Why it doesn't.
        #[source]
        problem: TokenProblem,
    },
}

impl EntitlementError {
    /// What Microsoft's refusal means, if it is one of a documented kind.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            // What a kept credential lacks is a diagnosis of the tenant's.
            Self::Microsoft(error) => Refusal::of_subscription(error).filter(|refusal| {
                !matches!(refusal, Refusal::PrivilegesInsufficient | Refusal::RolesLacking | Refusal::TokenRefused)
            }),
            Self::Person(error) => Refusal::of_subscription(error),
            Self::NoCustomer { .. } => Some(Refusal::RelationshipMissing),
            Self::NoSubscription { .. } => Some(Refusal::SubscriptionUnknown),
            Self::OutOfTime { .. } | Self::Token { .. } => None,
        }
    }

    /// How Microsoft refused, in what its support asks for, if it did.
    #[must_use]
    pub fn refused(&self) -> Option<MicrosoftRefusal> {
        match self {
            Self::Microsoft(error) | Self::Person(error) => error.refused(),
            Self::NoCustomer { .. } | Self::NoSubscription { .. } | Self::OutOfTime { .. } | Self::Token { .. } => None,
        }
    }

    /// How it was refused clearly, whoever was asked, with what it means: in Microsoft's own words by a status of 400 to 499, or since Microsoft knows no such
    /// thing. None where nobody knows what Microsoft did, or where it may go better by itself.
    #[must_use]
    pub fn clear_refusal(&self) -> Option<MicrosoftRefusal> {
        let meaning = self.refusal().map(Refusal::code);
        match self {
            Self::Microsoft(error) | Self::Person(error) if error.is_clear() => {
                let meaning = meaning.or_else(|| error.diagnosis().map(Diagnosis::code));
                Some(error.refused()?.meaning(meaning))
            }
            Self::NoCustomer { .. } | Self::NoSubscription { .. } => {
                meaning.map(|code| MicrosoftRefusal::new(code, None, None).meaning(Some(code)))
            }
            Self::Microsoft(_) | Self::OutOfTime { .. } | Self::Person(_) | Self::Token { .. } => None,
        }
    }

    /// How Microsoft has turned the only attempt of a call away, since there were too many calls: then nothing was done, and later it may go better.
    #[must_use]
    pub fn turned_away(&self) -> Option<MicrosoftRefusal> {
        match self {
            Self::Microsoft(error) | Self::Person(error) => match error {
                MicrosoftError::Refused { status: 429, attempts: 1, .. } if error.has_code() => {
                    Some(error.refused()?.meaning(error.diagnosis().map(Diagnosis::code)))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// How often the call was tried that came to this. 0 where nobody was called.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Microsoft(error) | Self::Person(error) => error.attempts(),
            Self::NoCustomer { .. } | Self::NoSubscription { .. } | Self::OutOfTime { .. } | Self::Token { .. } => 0,
        }
    }

    /// The same, as an answer to this asker.
    pub(crate) fn to(self, asker: Asker<'_>) -> Self {
        match (self, asker) {
            (Self::Microsoft(error), Asker::Person(_)) => Self::Person(error),
            (other, _) => other,
        }
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub fn what_to_do(&self) -> Option<&'static str> {
        match self {
            Self::Microsoft(error) | Self::Person(error) => advice(self.refusal(), error),
            Self::NoCustomer { .. } | Self::NoSubscription { .. } => self.refusal().map(Refusal::what_to_do),
            Self::OutOfTime { .. } => Some("try again; if it stays, look at Microsoft's service health"),
            Self::Token { problem, .. } => Some(problem.what_to_do()),
        }
    }
}
