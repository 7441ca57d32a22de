//! What can go wrong with Microsoft's side.

use crate::{CredentialError, SupportIds};

/// A failure of a call to Microsoft. Holds codes and ids, never tokens or bodies.
#[derive(Debug, thiserror::Error)]
pub enum MicrosoftError {
    /// The call takes app+user credentials alone, and the tenant's is app-only.
    #[error("{call} takes app+user credentials alone, and the one of tenant {tenant} is app-only")]
    AppOnly {
        /// The call.
        call: &'static str,
        /// The tenant.
        tenant: String,
        /// How Microsoft refused it.
        #[source]
        source: Box<Self>,
    },
    /// Microsoft's answer is not what it documents.
    #[error("{call} for tenant {tenant} gave an answer that can't be used: {problem}")]
    BadAnswer {
        /// The call.
        call: &'static str,
        /// The tenant.
        tenant: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no credential to call with.
    #[error("no credential for tenant {tenant}")]
    Credential {
        /// The tenant.
        tenant: String,
        /// Why.
        #[source]
        source: CredentialError,
    },
    /// Microsoft could not be reached, or broke off.
    #[error("{call} for tenant {tenant} got no whole answer after {attempts} attempts ({ids})")]
    NoAnswer {
        /// The call.
        call: &'static str,
        /// The tenant.
        tenant: String,
        /// How often it was tried.
        attempts: u32,
        /// What Microsoft calls the answer that broke off.
        ids: SupportIds,
        /// The last reason, without the address.
        #[source]
        source: reqwest::Error,
    },
    /// Microsoft refused.
    #[error(
        "{call} for tenant {tenant} was refused with status {status} and code {code} after {attempts} attempts \
         ({ids})"
    )]
    Refused {
        /// The call.
        call: &'static str,
        /// The tenant.
        tenant: String,
        /// The HTTP status.
        status: u16,
        /// Microsoft's code.
        code: String,
        /// What Microsoft calls its answer.
        ids: SupportIds,
        /// How often it was tried.
        attempts: u32,
    },
}

impl MicrosoftError {
    /// Whether a list can't be read on at a place that was kept, and may be from its start: Microsoft, or the source, finds fault with
    /// the question.
    #[must_use]
    pub fn is_about_the_place(&self) -> bool {
        matches!(self, Self::BadAnswer { .. } | Self::Refused { status: 400 | 404 | 410, .. })
    }
}
