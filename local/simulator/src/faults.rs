//! Misbehaviour on demand: what Microsoft's services have been seen, or must be feared, to do.

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::app::lock;
use crate::fault_kinds::FaultKind;
use crate::targets::{Counts, Requests, Target};

/// One kind of trouble at one endpoint.
///
/// Several on the same endpoint take turns: of those that have begun, the first that was set applies until its count is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// Where it happens.
    pub target: Target,
    /// Whom it happens to: the tenant that is asked for, or whose token is shown. `None` is everybody.
    pub tenant: Option<String>,
    /// How many requests that it concerns go unharmed before it begins.
    pub after: u32,
    /// For how many requests; `None` is until [`Simulator::clear_faults`](crate::Simulator::clear_faults).
    pub times: Option<u32>,
}

impl Fault {
    /// A fault that stays until it is cleared.
    #[must_use]
    pub const fn new(target: Target, kind: FaultKind) -> Self {
        Self { kind, target, tenant: None, after: 0, times: None }
    }

    /// The same for the next `times` requests only.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same, but the next `requests` requests go unharmed first: with a page a request, it begins at the page behind them.
    #[must_use]
    pub const fn after(mut self, requests: u32) -> Self {
        self.after = requests;
        self
    }

    /// The same for one tenant only.
    #[must_use]
    pub fn of(self, tenant: &str) -> Self {
        Self { tenant: Some(tenant.to_owned()), ..self }
    }

    fn check(self) -> Result<Self, FaultError> {
        let Self { kind, target, .. } = self;
        if !kind.happens_at(target) {
            return Err(FaultError::Misplaced { kind, target });
        }
        kind.wrong_status().map_or(Ok(self), |status| Err(FaultError::Status(status)))
    }
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
    /// An error is from 400 to 599, a server's from 500 on.
    #[error("{0} is not the status of such an error")]
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
        let concerns = |fault: &&mut Fault| {
            fault.target == target && (fault.tenant.is_none() || fault.tenant.as_deref() == tenant)
        };
        let mut now = None;
        for fault in pending.iter_mut().filter(concerns) {
            match fault.after.checked_sub(1) {
                Some(left) => fault.after = left,
                None if now.is_none() => now = Some(fault),
                None => {}
            }
        }
        let fault = now?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.kind)
    }

    pub(crate) fn requests(&self) -> Requests {
        self.counts.requests()
    }
}
