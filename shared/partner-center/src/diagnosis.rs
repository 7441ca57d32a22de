//! What a refusal of Microsoft's means, and what to do about it.
//!
//! Entra ID, Graph and Partner Center say no in different words for the same few reasons. This tells the reasons apart, by the
//! status and code alone, so that whoever is on call reads what to do and not which of three services spoke. Codes are Microsoft's:
//! `AADSTS…` from "Microsoft Entra authentication and authorization error codes", six digits from Partner Center's "error codes",
//! words from Graph. A refusal that is in none of them has no diagnosis.

use std::fmt;

use crate::MicrosoftError;

/// A reason for which Microsoft refuses calls of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Diagnosis {
    /// The call can't be made by an application alone.
    AppOnlyNotAllowed,
    /// Nobody has consented to what the application asks for.
    ConsentMissing,
    /// A Conditional Access policy stands in the way.
    ConditionalAccess,
    /// The application's certificate is not the one that Entra ID knows, or has expired.
    CertificateRefused,
    /// The application's secret has expired.
    ClientSecretExpired,
    /// The application's secret is wrong.
    ClientSecretWrong,
    /// The token is for an audience that Partner Center takes no more.
    AudienceRetired,
    /// The sign-in behind the token was made without a second factor.
    MfaMissing,
    /// Partner Center does not know the application, or the tenant.
    NotInPartnerCenter,
    /// The application is registered as a public client, which may not prove itself.
    PublicClient,
    /// The refresh token has expired.
    RefreshTokenExpired,
    /// The refresh token was revoked, or is none.
    RefreshTokenRevoked,
    /// The application or the person lacks a role or permission.
    RoleLacking,
    /// Partner and customer have no relationship, or not any more.
    RelationshipMissing,
    /// Too many calls.
    Throttled,
    /// The tenant does not exist in this cloud.
    TenantUnknown,
    /// The application does not exist in this tenant.
    ApplicationUnknown,
    /// The tenant lives in another cloud.
    WrongCloud,
    /// Microsoft's side has trouble of its own.
    Unavailable,
}

impl Diagnosis {
    /// Every diagnosis.
    pub const ALL: [Self; 19] = [
        Self::AppOnlyNotAllowed,
        Self::ApplicationUnknown,
        Self::AudienceRetired,
        Self::CertificateRefused,
        Self::ClientSecretExpired,
        Self::ClientSecretWrong,
        Self::ConditionalAccess,
        Self::ConsentMissing,
        Self::MfaMissing,
        Self::NotInPartnerCenter,
        Self::PublicClient,
        Self::RefreshTokenExpired,
        Self::RefreshTokenRevoked,
        Self::RelationshipMissing,
        Self::RoleLacking,
        Self::TenantUnknown,
        Self::Throttled,
        Self::Unavailable,
        Self::WrongCloud,
    ];

    /// A short name for logs and metrics. It does not change.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AppOnlyNotAllowed => "app-only-not-allowed",
            Self::ApplicationUnknown => "application-unknown",
            Self::AudienceRetired => "audience-retired",
            Self::CertificateRefused => "certificate-refused",
            Self::ClientSecretExpired => "client-secret-expired",
            Self::ClientSecretWrong => "client-secret-wrong",
            Self::ConditionalAccess => "conditional-access",
            Self::ConsentMissing => "consent-missing",
            Self::MfaMissing => "mfa-missing",
            Self::NotInPartnerCenter => "not-in-partner-center",
            Self::PublicClient => "public-client",
            Self::RefreshTokenExpired => "refresh-token-expired",
            Self::RefreshTokenRevoked => "refresh-token-revoked",
            Self::RelationshipMissing => "relationship-missing",
            Self::RoleLacking => "role-lacking",
            Self::TenantUnknown => "tenant-unknown",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::WrongCloud => "wrong-cloud",
        }
    }

    /// What to do, in a sentence or two.
    #[must_use]
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::AppOnlyNotAllowed => {
                "give the tenant an app+user credential: a refresh token that an Admin Agent has consented to with MFA"
            }
            Self::ApplicationUnknown => {
                "check client id and tenant id; an application of another tenant has to be consented to in this one first"
            }
            Self::AudienceRetired => {
                "check which address of Partner Center is configured: tokens are for that very address"
            }
            Self::CertificateRefused => {
                "upload the certificate of the secret to the application's registration, replace it if it has expired, and check the clock of whoever signs with it"
            }
            Self::ClientSecretExpired => {
                "make a new client secret for the application in Entra ID and write it into the tenant's secret"
            }
            Self::ClientSecretWrong => {
                "write the client secret's value, not its id, into the tenant's secret, and check that it is this application's"
            }
            Self::ConditionalAccess => {
                "look the sign-in up in Entra ID's sign-in log, and except the application or meet the policy"
            }
            Self::ConsentMissing => "have an administrator of the tenant consent to the application's permissions",
            Self::MfaMissing => {
                "consent again as an Admin Agent, with MFA, so that the refresh token carries it; an application alone can't"
            }
            Self::NotInPartnerCenter => {
                "register the application in Partner Center (account settings, app management) of this very tenant; if it is \
                 there, give the person behind the credential the role Admin Agent"
            }
            Self::PublicClient => {
                "turn \"Allow public client flows\" off in the application's registration (Authentication), and consent again: it proves itself with a secret or certificate"
            }
            Self::RefreshTokenExpired => {
                "consent again as an Admin Agent: the refresh token was not used within 90 days"
            }
            Self::RefreshTokenRevoked => {
                "consent again as an Admin Agent: a changed password or a revocation ends refresh tokens"
            }
            Self::RelationshipMissing => "nothing, if the customer has left; else check the reseller relationship",
            Self::RoleLacking => {
                "give the person behind the credential the role Admin Agent, or the application the permission \
                 PartnerSecurity.Read.All with consent, and to act on alerts PartnerSecurity.ReadWrite.All; for Partner Center, register the application in its app management"
            }
            Self::TenantUnknown => "check the tenant id, and that its cloud is the right one",
            Self::Throttled => {
                "wait until Microsoft allows: what runs by itself asks again with each tick and each callback, before that moment, too; if it stays, look for who else calls"
            }
            Self::Unavailable => "try again: what runs by itself does; if it stays, look at Microsoft's service health",
            Self::WrongCloud => "set the tenant's cloud to the one that it lives in",
        }
    }

    /// The diagnosis of a refusal with this status and code.
    #[must_use]
    pub fn of(status: u16, code: &str) -> Option<Self> {
        code.split(' ').rev().find_map(Self::of_code).or(match status {
            429 => Some(Self::Throttled),
            500..=599 => Some(Self::Unavailable),
            _ => None,
        })
    }

    /// Entra ID's numbers, Graph's words and Partner Center's numbers, each line with those of one reason.
    fn of_code(code: &str) -> Option<Self> {
        Some(match code {
            "900329" => Self::AppOnlyNotAllowed,
            "AADSTS700016" | "AADSTS7000112" | "unauthorized_client" => Self::ApplicationUnknown,
            "900420" => Self::AudienceRetired,
            "AADSTS700024" | "AADSTS700027" | "AADSTS1000502" => Self::CertificateRefused,
            "AADSTS7000222" => Self::ClientSecretExpired,
            "AADSTS7000215" | "AADSTS7000216" | "AADSTS7000218" | "invalid_client" => Self::ClientSecretWrong,
            "AADSTS50097" | "AADSTS50158" | "AADSTS53000" | "AADSTS53001" | "AADSTS53002" | "AADSTS53003"
            | "AADSTS53004" | "AADSTS530001" | "AADSTS530002" | "AADSTS530003" | "900309" => Self::ConditionalAccess,
            // The first two say so of a service of which nothing is known in the tenant before.
            "AADSTS500011" | "AADSTS650052" | "AADSTS650057" | "AADSTS65001" | "AADSTS65004" | "AADSTS90094"
            | "consent_required" => Self::ConsentMissing,
            "AADSTS50074" | "AADSTS50076" | "AADSTS50078" | "AADSTS50079" | "Unauthorized_MissingMFA" | "900421" => {
                Self::MfaMissing
            }
            // 900308 is "insufficient privileges", and comes where the application is not registered, too.
            "800001" | "900308" => Self::NotInPartnerCenter,
            "AADSTS700025" => Self::PublicClient,
            "AADSTS70008" | "AADSTS700082" | "AADSTS700084" => Self::RefreshTokenExpired,
            "AADSTS50057" | "AADSTS50132" | "AADSTS50133" | "AADSTS50173" | "AADSTS70000" | "AADSTS70043"
            | "invalid_grant" => Self::RefreshTokenRevoked,
            "20002" | "900159" => Self::RelationshipMissing,
            "AADSTS50105" | "Authorization_RequestDenied" | "Forbidden" | "accessDenied" | "900150" => {
                Self::RoleLacking
            }
            "AADSTS90002" | "AADSTS900023" => Self::TenantUnknown,
            "AADSTS50196" | "AADSTS90055" => Self::Throttled,
            "AADSTS90033" | "temporarily_unavailable" => Self::Unavailable,
            "AADSTS90038" | "AADSTS900382" | "AADSTS900432" | "AADSTS900439" => Self::WrongCloud,
            _ => return None,
        })
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl MicrosoftError {
    /// What the failure means, where that is known.
    #[must_use]
    pub fn diagnosis(&self) -> Option<Diagnosis> {
        match self {
            Self::Refused { status, code, .. } => Diagnosis::of(*status, code),
            Self::AppOnly { .. } => Some(Diagnosis::AppOnlyNotAllowed),
            Self::NoAnswer { .. } => Some(Diagnosis::Unavailable),
            Self::BadAnswer { .. } | Self::Credential { .. } | Self::PlaceRefused { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_microsoft_says_is_told_apart() {
        for (status, code, expected) in [
            (400, "invalid_grant AADSTS700082", Some(Diagnosis::RefreshTokenExpired)),
            (400, "invalid_grant AADSTS50173", Some(Diagnosis::RefreshTokenRevoked)),
            (400, "invalid_grant AADSTS65001", Some(Diagnosis::ConsentMissing)),
            (400, "invalid_grant AADSTS50076", Some(Diagnosis::MfaMissing)),
            (400, "interaction_required AADSTS53003", Some(Diagnosis::ConditionalAccess)),
            (401, "invalid_client AADSTS7000215", Some(Diagnosis::ClientSecretWrong)),
            (401, "invalid_client AADSTS7000222", Some(Diagnosis::ClientSecretExpired)),
            (401, "invalid_client AADSTS700025", Some(Diagnosis::PublicClient)),
            (400, "invalid_resource AADSTS500011", Some(Diagnosis::ConsentMissing)),
            (400, "invalid_grant AADSTS50057", Some(Diagnosis::RefreshTokenRevoked)),
            (400, "interaction_required AADSTS530003", Some(Diagnosis::ConditionalAccess)),
            (401, "invalid_client AADSTS700027", Some(Diagnosis::CertificateRefused)),
            (400, "unauthorized_client AADSTS700016", Some(Diagnosis::ApplicationUnknown)),
            (400, "invalid_request AADSTS90002", Some(Diagnosis::TenantUnknown)),
            (400, "invalid_request AADSTS90038", Some(Diagnosis::WrongCloud)),
            // A number that nobody knows leaves the word.
            (400, "invalid_grant AADSTS1", Some(Diagnosis::RefreshTokenRevoked)),
            (403, "Unauthorized_MissingMFA", Some(Diagnosis::MfaMissing)),
            (401, "900420", Some(Diagnosis::AudienceRetired)),
            (401, "900421", Some(Diagnosis::MfaMissing)),
            (403, "900150", Some(Diagnosis::RoleLacking)),
            (403, "900308", Some(Diagnosis::NotInPartnerCenter)),
            (403, "900309", Some(Diagnosis::ConditionalAccess)),
            (403, "900329", Some(Diagnosis::AppOnlyNotAllowed)),
            (403, "20002", Some(Diagnosis::RelationshipMissing)),
            (401, "800001", Some(Diagnosis::NotInPartnerCenter)),
            (429, "none", Some(Diagnosis::Throttled)),
            (503, "none", Some(Diagnosis::Unavailable)),
            (403, "none", None),
            (418, "teapot", None),
        ] {
            assert_eq!(Diagnosis::of(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn every_diagnosis_says_what_to_do() {
        for diagnosis in Diagnosis::ALL {
            assert!(diagnosis.what_to_do().len() > 20, "{diagnosis}");
        }
    }

    #[test]
    fn the_codes_of_the_documents_mean_what_stands_there_and_each_reason_has_a_row() {
        let text = include_str!("../../../docs/operations.md");
        let (_, table) = text.split_once("| diagnosis | codes |\n|---|---|\n").unwrap();
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let mut documented = std::collections::BTreeSet::new();
        for row in rows {
            let mut names = row.split('`').skip(1).step_by(2);
            let diagnosis = names.next().unwrap();
            documented.insert(diagnosis);
            for code in names {
                assert_eq!(Diagnosis::of_code(code).map(Diagnosis::code), Some(diagnosis), "{code}");
            }
        }
        assert_eq!(documented, Diagnosis::ALL.map(Diagnosis::code).into());
    }
}
