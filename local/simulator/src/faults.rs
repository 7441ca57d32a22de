//! Misbehaviour on demand: what Microsoft's services have been seen, or must be feared, to do.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::app::lock;

/// One kind of trouble at one endpoint.
///
/// Several on the same endpoint take turns: the first that was set applies until its count is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// Where it happens.
    pub target: Target,
    /// For how many requests; `None` is until [`Simulator::clear_faults`](crate::Simulator::clear_faults).
    pub times: Option<u32>,
}

impl Fault {
    /// A fault that stays until it is cleared.
    #[must_use]
    pub const fn new(target: Target, kind: FaultKind) -> Self {
        Self { kind, target, times: None }
    }

    /// The same for the next `times` requests only.
    #[must_use]
    pub const fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    fn check(self) -> Result<Self, FaultError> {
        let Self { kind, target, .. } = self;
        let certificate = matches!(target, Target::Certificate | Target::Issuer);
        let graph = matches!(target, Target::Get | Target::List | Target::Patch);
        let fits = match kind {
            FaultKind::Fail { .. } | FaultKind::Reset | FaultKind::Slow { .. } | FaultKind::Throttle { .. } => true,
            FaultKind::Truncated => !certificate,
            FaultKind::ExpiredToken | FaultKind::MissingMfa => graph,
            FaultKind::EmptyPage | FaultKind::ForeignNextLink | FaultKind::MalformedAlert => target == Target::List,
            FaultKind::StaleAnswer => target == Target::Patch,
            FaultKind::CertificateHtml
            | FaultKind::CertificateMissing
            | FaultKind::CertificateOversize
            | FaultKind::CertificateRedirect => certificate,
        };
        if !fits {
            return Err(FaultError::Misplaced { kind, target });
        }
        match kind {
            FaultKind::Fail { status } if !(500..600).contains(&status) => Err(FaultError::Status(status)),
            _ => Ok(self),
        }
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Certificate, issuer: 200 with a web page.
    CertificateHtml,
    /// Certificate, issuer: 404.
    CertificateMissing,
    /// Certificate, issuer: 200 with two mebibytes.
    CertificateOversize,
    /// Certificate, issuer: 302 to another path, where the certificate really is.
    CertificateRedirect,
    /// List: no alerts, but a next link that leads to those left out.
    EmptyPage,
    /// Graph: 401; the token that was shown is worth nothing from then on.
    ExpiredToken,
    /// Any: a server error without a body that could be read.
    Fail {
        /// 500 to 599.
        status: u16,
    },
    /// List: a next link to a host that isn't Graph's.
    ForeignNextLink,
    /// List: one alert whose status is a number and whose detection date is none.
    MalformedAlert,
    /// Graph: 403, as users report it of application tokens.
    MissingMfa,
    /// Any: the connection ends in the middle of the body.
    Reset,
    /// Any: the answer, but late.
    Slow {
        /// How late.
        milliseconds: u64,
    },
    /// Patch: applied, but answered with the state of before, as Microsoft's page shows it.
    StaleAnswer,
    /// Any: 429.
    Throttle {
        /// What the answer says about coming back.
        retry_after: RetryAfter,
    },
    /// Token and Graph: 200 with the first half of the JSON.
    Truncated,
}

/// The header `Retry-After` of a throttled answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// There is none.
    Absent,
    /// Neither a number nor a date.
    Garbage,
    /// Seconds to wait.
    Seconds(u64),
}

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The download of the signing certificate.
    Certificate,
    /// One alert.
    Get,
    /// The download of the certificate's issuer.
    Issuer,
    /// A page of alerts.
    List,
    /// The update of an alert.
    Patch,
    /// The token endpoint of Entra ID.
    Token,
}

/// The fault can't be had.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// This kind doesn't happen there.
    #[error("{kind:?} does not happen at {target:?}")]
    Misplaced {
        /// What was asked for.
        kind: FaultKind,
        /// Where.
        target: Target,
    },
    /// A server error is from 500 to 599.
    #[error("{0} is not the status of a server error")]
    Status(u16),
}

/// How often each endpoint was asked, whatever it answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// Downloads of the certificate.
    pub certificate: u64,
    /// Single alerts.
    pub get: u64,
    /// Downloads of the certificate's issuer.
    pub issuer: u64,
    /// Pages of alerts.
    pub list: u64,
    /// Updates.
    pub patch: u64,
    /// Tokens.
    pub token: u64,
}

/// The faults in force, and the counts.
#[derive(Default)]
pub(crate) struct Faults {
    counts: [AtomicU64; 6],
    pending: Mutex<VecDeque<Fault>>,
}

impl Faults {
    pub(crate) fn set(&self, fault: Fault) -> Result<(), FaultError> {
        let fault = fault.check()?;
        lock(&self.pending).push_back(fault);
        Ok(())
    }

    pub(crate) fn clear(&self) {
        lock(&self.pending).clear();
    }

    /// Counts a request and says what is to go wrong with it.
    pub(crate) fn take(&self, target: Target) -> Option<FaultKind> {
        self.counts[target as usize].fetch_add(1, Ordering::Relaxed);
        let mut pending = lock(&self.pending);
        pending.retain(|fault| fault.times != Some(0));
        let fault = pending.iter_mut().find(|fault| fault.target == target)?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.kind)
    }

    pub(crate) fn requests(&self) -> Requests {
        let count = |target: Target| self.counts[target as usize].load(Ordering::Relaxed);
        Requests {
            certificate: count(Target::Certificate),
            get: count(Target::Get),
            issuer: count(Target::Issuer),
            list: count(Target::List),
            patch: count(Target::Patch),
            token: count(Target::Token),
        }
    }
}
