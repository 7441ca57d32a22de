//! Misbehaviour on demand: what Microsoft's services have been seen, or must be feared, to do.

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::app::lock;
use crate::targets::{Counts, Requests, Target};

/// One kind of trouble at one endpoint.
///
/// Several on the same endpoint take turns: the first that was set applies until its count is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// Where it happens.
    pub target: Target,
    /// Whom it happens to: the tenant that is asked for, or whose token is shown. `None` is everybody.
    pub tenant: Option<String>,
    /// For how many requests; `None` is until [`Simulator::clear_faults`](crate::Simulator::clear_faults).
    pub times: Option<u32>,
}

impl Fault {
    /// A fault that stays until it is cleared.
    #[must_use]
    pub const fn new(target: Target, kind: FaultKind) -> Self {
        Self { kind, target, tenant: None, times: None }
    }

    /// The same for the next `times` requests only.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same for one tenant only.
    #[must_use]
    pub fn of(self, tenant: &str) -> Self {
        Self { tenant: Some(tenant.to_owned()), ..self }
    }

    fn check(self) -> Result<Self, FaultError> {
        let Self { kind, target, .. } = self;
        let service = target.is_graph() || target.is_partner_center();
        let fits = match kind {
            // The way back to the application is an address and has no body that could be spoilt.
            FaultKind::Reset => target != Target::Authorize,
            FaultKind::Truncated => target != Target::Authorize && !target.is_download(),
            FaultKind::Fail { .. } | FaultKind::Slow { .. } | FaultKind::Throttle { .. } => true,
            FaultKind::Denied(denial) => denial.fits(target),
            FaultKind::ExpiredToken | FaultKind::MissingMfa => service,
            FaultKind::EmptyPage | FaultKind::ForeignNextLink => target == Target::List,
            FaultKind::MalformedAlert | FaultKind::UnreadableAlert => {
                matches!(target, Target::FraudEvents | Target::List)
            }
            FaultKind::NewModelIgnored | FaultKind::NewModelRefused => target == Target::FraudEvents,
            FaultKind::NoRefreshToken => target == Target::Token,
            FaultKind::StaleAnswer => target == Target::Patch,
            FaultKind::CertificateHtml
            | FaultKind::CertificateMissing
            | FaultKind::CertificateOversize
            | FaultKind::CertificateRedirect => target.is_download(),
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
    /// Entra ID, Partner Center: refused for a reason that a person has to mend.
    Denied(Denial),
    /// List: no alerts, but a next link that leads to those left out.
    EmptyPage,
    /// Graph, Partner Center: 401; the token that was shown is worth nothing from then on.
    ExpiredToken,
    /// Any: a server error without a body that could be read.
    Fail {
        /// 500 to 599.
        status: u16,
    },
    /// List: a next link to a host that isn't Graph's.
    ForeignNextLink,
    /// List, fraudEvents: one alert whose status is a number and whose detection date is none.
    MalformedAlert,
    /// Graph: 403, as users report it of application tokens. Partner Center: 401 with 900421.
    MissingMfa,
    /// `fraudEvents`: the old model, whole, whatever was asked for.
    NewModelIgnored,
    /// `fraudEvents`: 400 for whoever asks for the new model.
    NewModelRefused,
    /// Token: an access token alone, as for an application that asked for no more.
    NoRefreshToken,
    /// Any with a body: the connection ends in the middle of it.
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
    /// Any with JSON: 200 with the first half of it.
    Truncated,
    /// List, fraudEvents: one alert none of whose dates is one.
    UnreadableAlert,
}

/// What a person has to mend before Microsoft serves again.
///
/// What follows from the request itself needs no fault: a wrong or expired secret, a token of another audience, a
/// person without a role or without multi-factor authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Partner Center: this resource takes no application tokens.
    AppOnly,
    /// Partner Center: nobody registered the application in its App Management.
    ApplicationUnregistered,
    /// Entra ID: there is no such application in the tenant.
    ApplicationUnknown,
    /// Entra ID, Partner Center: blocked by a policy of Conditional Access.
    ConditionalAccess,
    /// Token endpoint: nobody consented to the application.
    ConsentMissing,
    /// Token endpoint: the password was changed, or the grant was revoked.
    GrantRevoked,
    /// Partner Center: the person's role lacks the right.
    RoleMissing,
    /// Partner Center: the token is for a service that was retired.
    WrongAudience,
    /// Entra ID: the tenant lives in another cloud.
    WrongCloud,
}

impl Denial {
    const fn fits(self, target: Target) -> bool {
        let entra = matches!(target, Target::Authorize | Target::DeviceCode | Target::Token);
        match self {
            Self::ApplicationUnknown | Self::WrongCloud => entra,
            Self::ConditionalAccess => matches!(target, Target::Token) || target.is_partner_center(),
            Self::ConsentMissing | Self::GrantRevoked => matches!(target, Target::Token),
            Self::AppOnly | Self::ApplicationUnregistered | Self::RoleMissing | Self::WrongAudience => {
                target.is_partner_center()
            }
        }
    }
}

/// The header `Retry-After` of a throttled answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// There is none.
    Absent,
    /// A date, that many seconds from now, which is HTTP's other form.
    Date(u32),
    /// Neither a number nor a date.
    Garbage,
    /// Seconds to wait.
    Seconds(u64),
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

/// The faults in force, and the counts.
#[derive(Default)]
pub(crate) struct Faults {
    counts: Counts,
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
    pub(crate) fn take(&self, target: Target, tenant: Option<&str>) -> Option<FaultKind> {
        self.counts.count(target);
        let mut pending = lock(&self.pending);
        pending.retain(|fault| fault.times != Some(0));
        let concerns = |fault: &Fault| fault.tenant.is_none() || fault.tenant.as_deref() == tenant;
        let fault = pending.iter_mut().find(|fault| fault.target == target && concerns(fault))?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.kind)
    }

    pub(crate) fn requests(&self) -> Requests {
        self.counts.requests()
    }
}
