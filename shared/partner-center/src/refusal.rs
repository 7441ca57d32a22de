//! What Microsoft's refusal of an act means, and what the person who wanted it can do about it.
//!
//! A [`Diagnosis`](crate::Diagnosis) says what is wrong with a tenant or its credential, for whoever is on call. This is about one act: of a
//! person, on one alert or subscription. Statuses alone prove little, since something in front of Microsoft's services has them, too: only a
//! refusal in Microsoft's own words means anything here. Codes are those of "Cancel an Azure subscription", "Reactivate an Azure
//! subscription" and "Partner Center REST error codes"; what Graph and fraudEvents answer to a change is documented nowhere, so there it is
//! the status that tells.

use models::MicrosoftRefusal;

use crate::{Diagnosis, MicrosoftError, error_words::NO_CODE, graph::says_not_found};

/// The meaning of a refusal by our own credential: there is none, or none that can be used.
pub const CREDENTIAL_UNUSABLE: &str = "credential-unusable";
/// The meaning of what a source can't do.
pub const NOT_POSSIBLE_AT_SOURCE: &str = "not-possible-at-source";

/// Why Microsoft refuses an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// Microsoft knows no such alert.
    AlertUnknown,
    /// Somebody or something else changed it at the same time.
    ChangedMeanwhile,
    /// Microsoft does not take this status or reason.
    ChangeRefused,
    /// There is no such customer.
    CustomerUnknown,
    /// An id is not of the form that Microsoft expects, or missing.
    IdRefused,
    /// This partner can't reactivate the subscription.
    NotReactivatable,
    /// The person lacks a role, or the application is not registered in Partner Center: it says the same of both.
    PrivilegesInsufficient,
    /// The reason of a cancellation is none that Microsoft takes.
    ReasonRefused,
    /// Partner and customer have no relationship, or not any more.
    RelationshipMissing,
    /// The person lacks a role.
    RolesLacking,
    /// There is no such Azure subscription below the plan.
    SubscriptionUnknown,
    /// The person's token is not taken.
    TokenRefused,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 12] = [
        Self::AlertUnknown,
        Self::ChangeRefused,
        Self::ChangedMeanwhile,
        Self::CustomerUnknown,
        Self::IdRefused,
        Self::NotReactivatable,
        Self::PrivilegesInsufficient,
        Self::ReasonRefused,
        Self::RelationshipMissing,
        Self::RolesLacking,
        Self::SubscriptionUnknown,
        Self::TokenRefused,
    ];

    /// A short name for logs, activity and answers. It does not change.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AlertUnknown => "alert-unknown",
            Self::ChangeRefused => "change-refused",
            Self::ChangedMeanwhile => "changed-meanwhile",
            Self::CustomerUnknown => "customer-unknown",
            Self::IdRefused => "id-refused",
            Self::NotReactivatable => "not-reactivatable",
            Self::PrivilegesInsufficient => "privileges-insufficient",
            Self::ReasonRefused => "reason-refused",
            Self::RelationshipMissing => "relationship-missing",
            Self::RolesLacking => "roles-lacking",
            Self::SubscriptionUnknown => "subscription-unknown",
            Self::TokenRefused => "token-refused",
        }
    }

    /// What to do, in a sentence or two.
    #[must_use]
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::AlertUnknown => "look at the alert again: Microsoft has taken it away, or it is of another source",
            Self::ChangeRefused => {
                "choose another reason: of fraudEvents Microsoft documents fraud and ignore, and of legitimate only in one place"
            }
            Self::ChangedMeanwhile => "look at what has become of it, and decide anew: somebody else was quicker",
            Self::CustomerUnknown => "check the customer: Partner Center knows none of this id",
            Self::IdRefused => "check the ids of customer, plan and subscription: each is a GUID",
            Self::NotReactivatable => {
                "ask Microsoft's support: Partner Center says that this partner can't reactivate it, as where the plan itself is \
                 cancelled"
            }
            Self::PrivilegesInsufficient => {
                "have it done by somebody who is Global Administrator and Admin Agent; if they are, register the application in Partner \
                 Center (account settings, app management): it says the same of both"
            }
            Self::ReasonRefused => "update Partner Alerts: Microsoft takes another reason for cancellations by now",
            Self::RelationshipMissing => {
                "choose the tenant that the customer buys from; if it is this one, check the reseller relationship"
            }
            Self::RolesLacking => {
                "have it done by somebody who is Global Administrator of the partner tenant and Admin Agent in Partner Center"
            }
            Self::SubscriptionUnknown => {
                "look the subscription up again: it has gone, or moved to another plan or customer"
            }
            Self::TokenRefused => "sign in once more, with MFA",
        }
    }

    /// What a refused change of an alert means, if it is one of these. What is wrong with the credential is a diagnosis.
    #[must_use]
    pub fn of_alert(error: &MicrosoftError) -> Option<Self> {
        let (status, code) = own_words(error)?;
        match status {
            // What Entra ID refuses is about the credential, whoever's alert it is.
            400 if error.diagnosis().is_none() && !is_sign_in(error) => Some(Self::ChangeRefused),
            404 if is_number(code) || says_not_found(code) => Some(Self::AlertUnknown),
            409 | 412 => Some(Self::ChangedMeanwhile),
            _ => None,
        }
    }

    /// What a refused call about an Azure subscription means, if it is one of these, where a person made it.
    #[must_use]
    pub fn of_subscription(error: &MicrosoftError) -> Option<Self> {
        let (status, code) = own_words(error)?;
        match (status, code) {
            (400, "800002") => Some(Self::IdRefused),
            (400, "900118") => Some(Self::CustomerUnknown),
            (400, "900307") => Some(Self::ReasonRefused),
            (400, "900337") => Some(Self::NotReactivatable),
            (403, "20002" | "900159") => Some(Self::RelationshipMissing),
            (403, "900150" | "900335") => Some(Self::RolesLacking),
            (403, "900308") => Some(Self::PrivilegesInsufficient),
            (404, "800111") => Some(Self::SubscriptionUnknown),
            (409 | 412, _) => Some(Self::ChangedMeanwhile),
            (401, "900420") => None,
            (401, _) => Some(Self::TokenRefused),
            _ => None,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.code())
    }
}

/// What to do about a refusal that is kept, by its meaning: that of a [`Refusal`], of a [`Diagnosis`], or one of our own.
#[must_use]
pub fn refusal_advice(meaning: Option<&str>) -> &'static str {
    let known = |meaning: &str| {
        let refusal = Refusal::ALL.into_iter().find(|refusal| refusal.code() == meaning).map(Refusal::what_to_do);
        let diagnosis = || Diagnosis::ALL.into_iter().find(|it| it.code() == meaning).map(Diagnosis::what_to_do);
        let own = || match meaning {
            CREDENTIAL_UNUSABLE => Some(
                "have the tenant's secret to act with looked at: `partner-alerts doctor` says what is wrong with it",
            ),
            NOT_POSSIBLE_AT_SOURCE => Some("do it in Partner Center's own dashboard, or turn the tenant to Graph"),
            meaning if MicrosoftRefusal::not_told().meaning.as_deref() == Some(meaning) => Some(
                "ask for it anew: Microsoft could not be reached, or turned every call away, for an hour, and nothing was done",
            ),
            meaning if MicrosoftRefusal::no_answer().meaning.as_deref() == Some(meaning) => Some(
                "look at the alert again: nobody knows whether Microsoft has it; the next look at Microsoft shows it",
            ),
            _ => None,
        };
        refusal.or_else(diagnosis).or_else(own)
    };
    meaning.and_then(known).unwrap_or("look the code up, and give Microsoft's support the ids if it says nothing")
}

/// What to do about a refusal, or about whatever else a failed call has a diagnosis of.
pub(crate) fn advice(refusal: Option<Refusal>, error: &MicrosoftError) -> Option<&'static str> {
    refusal.map(Refusal::what_to_do).or_else(|| error.diagnosis().map(Diagnosis::what_to_do))
}

/// Whether it is Entra ID that refused: a sign-in with the credential.
fn is_sign_in(error: &MicrosoftError) -> bool {
    matches!(error, MicrosoftError::Refused { call, .. } if *call == crate::sign_in::CALL)
}

/// Status and code of what a service of Microsoft's itself refused.
fn own_words(error: &MicrosoftError) -> Option<(u16, &str)> {
    match error {
        MicrosoftError::Refused { status, code, .. } if code != NO_CODE => Some((*status, code)),
        _ => None,
    }
}

/// Whether a code is one of Partner Center's.
fn is_number(code: &str) -> bool {
    code.parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RefusalBody, SupportIds};

    fn refused(status: u16, code: &str) -> MicrosoftError {
        MicrosoftError::Refused {
            call: "a call",
            tenant: "a tenant".to_owned(),
            status,
            code: code.to_owned(),
            body: if code == NO_CODE { RefusalBody::Empty } else { RefusalBody::Microsofts },
            description: None,
            ids: SupportIds::default(),
            attempts: 1,
            wait_until: None,
        }
    }

    #[test]
    fn a_refused_change_of_an_alert_is_told_apart_by_microsofts_own_words() {
        for (status, code, expected) in [
            (400, "BadRequest", Some(Refusal::ChangeRefused)),
            (400, "400", Some(Refusal::ChangeRefused)),
            (404, "ResourceNotFound", Some(Refusal::AlertUnknown)),
            (404, "itemNotFound", Some(Refusal::AlertUnknown)),
            (404, "20003", Some(Refusal::AlertUnknown)),
            (404, "TenantNotFound", None),
            (409, "Conflict", Some(Refusal::ChangedMeanwhile)),
            (412, "PreconditionFailed", Some(Refusal::ChangedMeanwhile)),
            (400, "none", None),
            (404, "none", None),
            (409, "none", None),
            (401, "900421", None),
            (403, "Authorization_RequestDenied", None),
            (429, "TooManyRequests", None),
            (500, "InternalServerError", None),
        ] {
            assert_eq!(Refusal::of_alert(&refused(status, code)), expected, "{status} {code}");
        }
    }

    #[test]
    fn what_entra_id_refuses_is_about_the_credential_and_not_about_the_alert() {
        for code in ["invalid_grant AADSTS65001", "invalid_client", "nobody_knows_this"] {
            let mut error = refused(400, code);
            if let MicrosoftError::Refused { call, .. } = &mut error {
                *call = crate::sign_in::CALL;
            }
            assert_eq!(Refusal::of_alert(&error), None, "{error}");
        }
    }

    #[test]
    fn a_refused_call_about_a_subscription_is_told_apart_by_its_documented_codes() {
        for (status, code, expected) in [
            (400, "900118", Some(Refusal::CustomerUnknown)),
            (400, "800002", Some(Refusal::IdRefused)),
            (400, "900307", Some(Refusal::ReasonRefused)),
            (400, "900337", Some(Refusal::NotReactivatable)),
            (400, "400", None),
            (401, "400", Some(Refusal::TokenRefused)),
            (401, "900421", Some(Refusal::TokenRefused)),
            (401, "900420", None),
            (403, "900159", Some(Refusal::RelationshipMissing)),
            (403, "20002", Some(Refusal::RelationshipMissing)),
            (403, "900150", Some(Refusal::RolesLacking)),
            (403, "900308", Some(Refusal::PrivilegesInsufficient)),
            (403, "900335", Some(Refusal::RolesLacking)),
            (403, "900309", None),
            (404, "800111", Some(Refusal::SubscriptionUnknown)),
            (404, "404", None),
            (409, "409", Some(Refusal::ChangedMeanwhile)),
            (409, "none", None),
            (401, "none", None),
            // A code of one status says nothing with another.
            (404, "900159", None),
            (403, "800111", None),
        ] {
            assert_eq!(Refusal::of_subscription(&refused(status, code)), expected, "{status} {code}");
        }
    }

    #[test]
    fn every_refusal_has_a_name_and_says_what_to_do_and_what_is_none_is_diagnosed() {
        let codes: std::collections::BTreeSet<_> = Refusal::ALL.map(Refusal::code).into();
        assert_eq!(codes.len(), Refusal::ALL.len());
        assert!(Refusal::ALL.iter().all(|refusal| refusal.what_to_do().len() > 20));
        let denied = refused(403, "900309");
        assert_eq!(advice(None, &denied), Some(Diagnosis::ConditionalAccess.what_to_do()));
        assert_eq!(advice(Some(Refusal::RolesLacking), &denied), Some(Refusal::RolesLacking.what_to_do()));
        assert_eq!(advice(None, &refused(418, "teapot")), None);
    }

    #[test]
    fn the_document_has_a_row_for_each_refusal_and_for_each_problem_of_a_token() {
        let text = include_str!("../../../docs/operations.md");
        let names =
            Refusal::ALL.map(Refusal::code).into_iter().chain(crate::TokenProblem::ALL.map(crate::TokenProblem::code));
        for name in names {
            assert!(text.contains(&format!("\n| `{name}` | ")), "{name} has no row in docs/operations.md");
        }
        let (_, table) = text.split_once("| meaning | status and code | what to do |\n|---|---|---|\n").unwrap();
        for row in table.lines().take_while(|line| line.starts_with("| `")) {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let (statuses, codes) = cells[2].split_once(" with ").unwrap_or((cells[2], "409"));
            if cells[1] == "`token-refused`" {
                continue;
            }
            for status in statuses.split(", ").map(|status| status.parse().unwrap()) {
                for code in codes.split(" or ") {
                    let meaning = Refusal::of_subscription(&refused(status, code)).map(Refusal::code);
                    assert_eq!(meaning, Some(cells[1].trim_matches('`')), "{status} with {code}");
                }
            }
        }
    }
}
