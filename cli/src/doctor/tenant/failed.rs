//! What a failure of Microsoft's side, or of a secret, says about a tenant.

use partner_center::{CredentialError, Diagnosis, MicrosoftError};

use crate::doctor::{
    finding::{Finding, State, Subject},
    refused::unseen_for,
};

/// Microsoft refused, or could not be asked.
pub(super) fn microsoft(subject: &Subject, error: &MicrosoftError) -> Finding {
    if let MicrosoftError::Credential { source, .. } = error {
        return credential(subject, source);
    }
    let words = runtime::chain(error);
    match error.diagnosis() {
        Some(diagnosis @ (Diagnosis::Throttled | Diagnosis::Unavailable)) => {
            subject.unknown(format!("{diagnosis}: {words}"), diagnosis.what_to_do())
        }
        Some(diagnosis) => subject.problem(format!("{diagnosis}: {words}"), diagnosis.what_to_do()),
        None => subject.problem(words, "tell us what Microsoft's code was; its support asks for the request id"),
    }
}

/// Whether it is trouble of Microsoft's that was found, which passes by itself.
pub(super) fn may_pass(finding: &Finding) -> bool {
    let passing = [Diagnosis::Throttled, Diagnosis::Unavailable].map(Diagnosis::what_to_do);
    finding.state == State::Unknown && finding.advice.as_deref().is_some_and(|advice| passing.contains(&advice))
}

/// A secret can't be had or used.
pub(super) fn credential(subject: &Subject, error: &CredentialError) -> Finding {
    match error {
        CredentialError::SecretsManager { code, .. } if code == "ResourceNotFoundException" => subject.problem(
            "Secrets Manager has no such secret in this account and region",
            "make it (docs/configuration.md says what is in it), or name another with `tenants set`",
        ),
        CredentialError::SecretsManager { code, .. } if code == "InvalidRequestException" => subject.problem(
            "Secrets Manager is about to delete it",
            "`aws secretsmanager restore-secret` takes that back; or name another with `tenants set`",
        ),
        CredentialError::SecretsManager { code, .. } => unseen_for(subject, "secretsmanager:GetSecretValue", code),
        CredentialError::Malformed { .. } | CredentialError::NotNamed { .. } => {
            subject.problem(runtime::chain(error), "write it anew: docs/configuration.md says what is in it")
        }
    }
}
