//! What can go wrong with Microsoft's side.

use jiff::Timestamp;
use models::{MicrosoftRefusal, Words};
use serde_json::error::Category;

use crate::{
    CredentialError, SupportIds,
    error_words::{NO_CODE, RefusalBody},
};

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
        /// What is wrong, and what Microsoft calls the answer.
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
    #[error("{call} for tenant {tenant} got no whole answer after {} ({ids})", tried(*.attempts))]
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
    /// A list can't be read on from the place where it was left.
    #[error("{call} for tenant {tenant} can't go on from where it was: the list has to be read anew")]
    PlaceRefused {
        /// The call.
        call: &'static str,
        /// The tenant.
        tenant: String,
        /// How Microsoft refused it. None where the place is none that its source has given: then nobody was asked.
        #[source]
        source: Option<Box<Self>>,
    },
    /// Microsoft refused.
    #[error(
        "{call} for tenant {tenant} was refused with status {status} and code {code}{} after {} ({ids}){}",
        body.words(), tried(*.attempts), until(*.wait_until)
    )]
    Refused {
        /// The call.
        call: &'static str,
        /// The tenant.
        tenant: String,
        /// The HTTP status.
        status: u16,
        /// Microsoft's code, or `none`.
        code: String,
        /// What it came as.
        body: RefusalBody,
        /// What Partner Center says about it to people: for whoever asked, and no log.
        description: Option<Box<Words>>,
        /// What Microsoft calls its answer.
        ids: SupportIds,
        /// How often it was tried.
        attempts: u32,
        /// Until when Microsoft asks to wait, where it does.
        wait_until: Option<Timestamp>,
    },
}

/// The problem of a list that goes on elsewhere.
pub(crate) const LEAVES_GRAPH: &str = "a next link that leaves Graph's host";

/// What to do about a refusal that is in none of the forms that Microsoft's services have for them.
const NOT_MICROSOFTS: &str = "nothing, if it ends: it is asked for again; if it stays, look for a proxy or an address that is not Microsoft's, and \
     if it was Microsoft that answered, give its support the ids";

impl MicrosoftError {
    /// How Microsoft refused, in what its support asks for, if it did.
    #[must_use]
    pub fn refused(&self) -> Option<MicrosoftRefusal> {
        match self {
            Self::Refused { code, ids, description, .. } => {
                let (request, correlation) = ids.request_and_correlation();
                Some(MicrosoftRefusal::new(code, request, correlation).described(description.as_deref().cloned()))
            }
            Self::AppOnly { source, .. } => source.refused(),
            _ => None,
        }
    }

    /// Whether a list that was to be read on at a place that was kept is better read from its start: that place is refused, or what is
    /// there can't be used. Any other failure leaves the place as good as it was.
    #[must_use]
    pub fn is_about_the_place(&self) -> bool {
        matches!(self, Self::BadAnswer { .. } | Self::PlaceRefused { .. })
    }

    /// What to do, in a sentence or two: what its diagnosis says, where it has one.
    #[must_use]
    pub fn what_to_do(&self) -> &'static str {
        if let Self::Refused { body: RefusalBody::WebPage, .. } = self {
            return NOT_MICROSOFTS;
        }
        if let Some(diagnosis) = self.diagnosis() {
            return diagnosis.what_to_do();
        }
        match self {
            Self::BadAnswer { problem, .. } if problem.starts_with(LEAVES_GRAPH) => {
                "look who answers for Graph: it should be nobody but Microsoft; nobody went there, and no token did"
            }
            Self::BadAnswer { .. } => {
                "nothing at first: it is asked for again; if it stays, look for a proxy that answers in Microsoft's place, and give \
                 Microsoft's support the ids"
            }
            Self::Credential { source, .. } if source.may_pass() => {
                "nothing, if it ends: the secret is read again; if it stays, look at the health of AWS"
            }
            Self::Credential { .. } => {
                "write the tenant's secret anew with `tenants set`, or let poll read it: `doctor` says what is wrong with it"
            }
            Self::PlaceRefused { .. } => "nothing: the list is read from its start",
            Self::Refused { body: RefusalBody::Empty | RefusalBody::Other, .. } => NOT_MICROSOFTS,
            Self::AppOnly { .. } | Self::NoAnswer { .. } | Self::Refused { .. } => {
                "look the code up, and give Microsoft's support the ids if it says nothing"
            }
        }
    }

    /// Whether a refusal has a code, and thereby is one of the service and not of something in front of it.
    #[must_use]
    pub fn has_code(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code != NO_CODE)
    }

    /// Whether a service of Microsoft's itself has refused it, for a reason that does not pass by itself: not for too many calls, and not for slow ones.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        match self {
            Self::AppOnly { source, .. } => source.is_clear(),
            Self::Refused { status, .. } => {
                matches!(status, 400..=499) && !matches!(status, 408 | 429) && self.has_code()
            }
            _ => false,
        }
    }

    /// How often the call was tried. 0 where that is not known, or nobody was called.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Self::AppOnly { source, .. } => source.attempts(),
            Self::Refused { attempts, .. } => *attempts,
            _ => 0,
        }
    }

    /// Until when Microsoft asks to wait before the next call, where it does.
    #[must_use]
    pub fn wait_until(&self) -> Option<Timestamp> {
        match self {
            Self::Refused { wait_until, .. } => *wait_until,
            Self::AppOnly { source, .. } => source.wait_until(),
            Self::PlaceRefused { source, .. } => source.as_ref()?.wait_until(),
            Self::BadAnswer { .. } | Self::Credential { .. } | Self::NoAnswer { .. } => None,
        }
    }
}

fn tried(attempts: u32) -> String {
    if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") }
}

/// What is wrong with JSON, of which the parser's own words could repeat a part.
pub(crate) fn fault_of(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        Category::Data => "it is of another shape",
        Category::Eof => "it ends too early",
        Category::Io | Category::Syntax => "it is no JSON",
    }
}

fn until(moment: Option<Timestamp>) -> String {
    moment.map(|moment| format!("; Microsoft asks to wait until {moment:.0}")).unwrap_or_default()
}
