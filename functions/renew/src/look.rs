//! One look at a credential: what came of it, and what the log says of that.

use std::time::Duration;

use models::{CredentialDates, Purpose, Tenant};
use partner_center::{Diagnosis, Kept, OUT_OF_TIME, RenewCredentials, Renewal, RenewalError, WORKS, what_to_do};

use crate::report::Verdict;

/// Why nothing good is known of a credential.
#[derive(Debug, thiserror::Error)]
enum LookError {
    /// It doesn't work, or isn't kept alive.
    #[error(transparent)]
    Renewal(#[from] RenewalError),
    /// It took longer than it may.
    #[error("it took longer than {seconds} seconds")]
    OutOfTime {
        /// How long it may take.
        seconds: u64,
    },
}

impl LookError {
    fn code(&self) -> &'static str {
        match self {
            Self::Renewal(error) => error.code(),
            Self::OutOfTime { .. } => OUT_OF_TIME,
        }
    }

    fn diagnosis(&self) -> Option<Diagnosis> {
        match self {
            Self::Renewal(error) => error.diagnosis(),
            Self::OutOfTime { .. } => None,
        }
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Renewal(error) if !error.may_pass() => Verdict::Failed,
            Self::Renewal(_) | Self::OutOfTime { .. } => Verdict::Undecided,
        }
    }
}

/// What came of a look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// How it stands with the credential.
    pub(crate) verdict: Verdict,
    /// The word for it.
    pub(crate) outcome: &'static str,
    /// Whether its refresh token was renewed.
    pub(crate) renewed: bool,
    /// What its secret says of itself, where it could be read.
    pub(crate) dates: Option<CredentialDates>,
}

/// Looks at a credential, for no longer than this, and logs what comes of it.
pub(crate) async fn look(by: &impl RenewCredentials, tenant: &Tenant, purpose: Purpose, limit: Duration) -> Seen {
    let (dates, kept, result) = match tokio::time::timeout(limit, by.renew(tenant, purpose)).await {
        Ok(Renewal { dates, kept, result }) => (dates, kept, result.map_err(LookError::from)),
        Err(_) => (None, Kept::AsItWas, Err(LookError::OutOfTime { seconds: limit.as_secs() })),
    };
    let renewed = kept == Kept::Renewed;
    if kept == Kept::AsSomebodyWrote {
        tracing::info!(
            tenant.id = %tenant.id, credential = %purpose,
            "somebody else wrote the secret at the same time: what they wrote stays"
        );
    }
    let (verdict, outcome) = match &result {
        Ok(()) => {
            tracing::info!(tenant.id = %tenant.id, credential = %purpose, renewed, "credential works");
            (Verdict::Works, WORKS)
        }
        Err(error) => {
            log(tenant, purpose, renewed, error);
            (error.verdict(), error.code())
        }
    };
    Seen { verdict, outcome, renewed, dates }
}

fn log(tenant: &Tenant, purpose: Purpose, renewed: bool, error: &LookError) {
    let (diagnosis, advice) = (error.diagnosis().map(Diagnosis::code), what_to_do(error.code()));
    let (verdict, error) = (error.verdict(), runtime::chain(error));
    match verdict {
        Verdict::Failed if tenant.active => tracing::error!(
            tenant.id = %tenant.id, credential = %purpose, renewed, error, diagnosis, advice,
            "a credential does not work, or is not kept alive"
        ),
        Verdict::Failed => tracing::warn!(
            tenant.id = %tenant.id, credential = %purpose, renewed, error, diagnosis, advice,
            "a credential of an inactive tenant does not work, or is not kept alive"
        ),
        Verdict::LeftToAnother | Verdict::Undecided | Verdict::Works => tracing::warn!(
            tenant.id = %tenant.id, credential = %purpose, renewed, error, diagnosis, advice,
            "a credential could not be judged"
        ),
    }
}
