//! When certificates are valid, in whole seconds as X.509 counts them.

use jiff::Timestamp;
use x509_cert::Certificate;

use crate::Refusal;

/// A span of time, both ends included (RFC 5280, section 4.1.2.5), in seconds since 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Validity {
    from: u64,
    until: u64,
}

impl Validity {
    pub(crate) fn of(certificate: &Certificate) -> Self {
        let validity = certificate.tbs_certificate().validity();
        Self {
            from: validity.not_before.to_unix_duration().as_secs(),
            until: validity.not_after.to_unix_duration().as_secs(),
        }
    }

    /// The time in which both hold.
    pub(crate) fn intersection(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    /// There is no grace: a clock that is wrong by minutes refuses callbacks for as long as Microsoft repeats them.
    pub(crate) fn check(self, now: Timestamp) -> Result<(), Refusal> {
        match seconds(now) {
            Some(now) if now > self.until => Err(Refusal::CertificateExpired),
            Some(now) if now >= self.from => Ok(()),
            _ => Err(Refusal::CertificateNotYetValid),
        }
    }

    pub(crate) fn from(self) -> Timestamp {
        timestamp(self.from)
    }

    pub(crate) fn until(self) -> Timestamp {
        timestamp(self.until)
    }
}

/// Seconds since 1970, unless it is before; no certificate can name such a time.
pub(crate) fn seconds(now: Timestamp) -> Option<u64> {
    u64::try_from(now.as_second()).ok()
}

/// X.509's "never" is the last second of the year 9999, a day more than a timestamp holds.
fn timestamp(seconds: u64) -> Timestamp {
    i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX)
}
