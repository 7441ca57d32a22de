//! A person's own token for Partner Center, looked at before it is used.
//!
//! Its claims are read and its signature is not checked: the token is no proof to us of who somebody is, which their session has given
//! already. It is what we show to Microsoft, whose services check it in full with each call and refuse what was forged. That it is looked
//! at all the same spares a call that is bound to fail, and tells the person why in words of their own; and a token of another tenant,
//! with which a call would work and mean somebody else, goes nowhere. Of the role Admin Agent, which Partner Center asks for besides, no
//! claim tells. `docs/decisions/0031-no-stored-credential-cancels.md` says who checks what.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use models::{Person, TenantId};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::BaseUrl;

/// The template of the role Global Administrator ("Microsoft Entra built-in roles"), as `wids` names it.
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
/// Partner Center's application, by whose id some tokens name their audience ("Partner Center authentication").
const PARTNER_CENTER: &str = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd";
/// What `amr` holds of a sign-in with a second factor ("Access token claims reference").
const SECOND_FACTOR: &str = "mfa";
/// The longest token, in bytes: several times those of people with many groups, whose claims Entra ID cuts off before.
const MOST_BYTES: usize = 16 << 10;

/// Who asks Partner Center.
#[derive(Clone, Copy, Debug)]
pub enum Asker<'a> {
    /// A person, by their own token.
    Person(&'a PersonToken),
    /// The tenant, by its kept credential.
    Tenant,
}

/// A person's own token for Partner Center, which says of itself that it fits. Prints nothing of it, and is kept nowhere.
pub struct PersonToken {
    token: SecretString,
    tenant: TenantId,
    expires: Timestamp,
    object_id: Option<String>,
    /// Of whom the token is: its own tenant, which may be one that is mapped.
    of: String,
    name: Option<String>,
}

impl fmt::Debug for PersonToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PersonToken").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// Why a person's token is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenProblem {
    /// It has ended, or ends now.
    #[error("the token has expired")]
    Expired,
    /// It is an application's own, whatever roles that has.
    #[error("the token is an application's own, and no person's")]
    NotAPerson,
    /// It says how the person signed in, and a second factor was no part of it.
    #[error("the token says that the person signed in without a second factor")]
    NoSecondFactor,
    /// The person is no Global Administrator, or the token doesn't say so.
    #[error("the token does not say that the person is a Global Administrator")]
    NotGlobalAdministrator,
    /// It is for another service.
    #[error("the token is not for Partner Center")]
    OtherAudience,
    /// It is of another tenant.
    #[error("the token is of another tenant")]
    OtherTenant,
    /// It has no claims that could be read.
    #[error("the token can't be read")]
    Unreadable,
}

impl TokenProblem {
    /// Every problem.
    pub const ALL: [Self; 7] = [
        Self::Expired,
        Self::NoSecondFactor,
        Self::NotAPerson,
        Self::NotGlobalAdministrator,
        Self::OtherAudience,
        Self::OtherTenant,
        Self::Unreadable,
    ];

    /// A short name for logs and answers. It does not change.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "token-expired",
            Self::NoSecondFactor => "token-no-second-factor",
            Self::NotAPerson => "token-not-a-person",
            Self::NotGlobalAdministrator => "token-not-global-administrator",
            Self::OtherAudience => "token-other-audience",
            Self::OtherTenant => "token-other-tenant",
            Self::Unreadable => "token-unreadable",
        }
    }

    /// What to do, in a sentence.
    #[must_use]
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::Expired => "sign in once more: the token is good for about an hour, and is not kept",
            Self::NoSecondFactor => {
                "sign in once more, with a second factor: where Entra ID asks for none, have a policy of Conditional Access ask for it"
            }
            Self::NotAPerson => "sign in as a person: no application cancels or reactivates subscriptions here",
            Self::NotGlobalAdministrator => {
                "sign in as somebody who is Global Administrator and Admin Agent; a role that has to be activated first has to be \
                 activated before the sign-in"
            }
            Self::OtherAudience => "sign in for Partner Center: a token for another service is worth nothing there",
            Self::OtherTenant => "sign in to the partner tenant that the subscription's customer belongs to",
            Self::Unreadable => "sign in once more, and hand over the access token as it came",
        }
    }
}

/// What a token has to say.
pub(crate) struct Expected<'a> {
    /// Partner Center's address in the tenant's cloud.
    pub(crate) audience: &'a BaseUrl,
    /// The partner tenant.
    pub(crate) tenant: &'a TenantId,
    /// Tenants that are mapped to it on purpose.
    pub(crate) mapped: &'a [TenantId],
    pub(crate) now: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    exp: i64,
    tid: String,
    /// How the person signed in ("Access token claims reference"): only tokens of version 1.0 say so, as Partner Center's are.
    #[serde(default)]
    amr: Option<Vec<String>>,
    #[serde(default)]
    idtyp: Option<String>,
    #[serde(default)]
    oid: Option<String>,
    #[serde(default)]
    scp: Option<String>,
    #[serde(default)]
    upn: Option<String>,
    #[serde(default)]
    wids: Vec<String>,
}

impl PersonToken {
    /// The token, if what it says is what is expected.
    pub(crate) fn checked(token: SecretString, expected: &Expected<'_>) -> Result<Self, TokenProblem> {
        let claims = read(token.expose_secret()).ok_or(TokenProblem::Unreadable)?;
        let expires = Timestamp::from_second(claims.exp).map_err(|_| TokenProblem::Unreadable)?;
        let audience = claims.aud.trim_end_matches('/');
        if !audience.eq_ignore_ascii_case(&expected.audience.to_string())
            && !audience.eq_ignore_ascii_case(PARTNER_CENTER)
        {
            return Err(TokenProblem::OtherAudience);
        }
        // An application may have directory roles in `wids`, too; but only a person's token has scopes ("Access token claims reference").
        let is_of_application = claims.idtyp.is_some_and(|kind| kind.eq_ignore_ascii_case("app"));
        if is_of_application || claims.scp.is_none_or(|scopes| scopes.trim().is_empty()) {
            return Err(TokenProblem::NotAPerson);
        }
        let same = |tenant: &TenantId| tenant.as_str().eq_ignore_ascii_case(&claims.tid);
        if !std::iter::once(expected.tenant).chain(expected.mapped).any(same) {
            return Err(TokenProblem::OtherTenant);
        }
        if !claims.wids.iter().any(|role| role.eq_ignore_ascii_case(GLOBAL_ADMINISTRATOR)) {
            return Err(TokenProblem::NotGlobalAdministrator);
        }
        // Where nothing is said Microsoft decides alone, as it does in the end about all of it.
        if claims.amr.is_some_and(|ways| !ways.iter().any(|way| way == SECOND_FACTOR)) {
            return Err(TokenProblem::NoSecondFactor);
        }
        let Claims { oid: object_id, tid: of, upn: name, .. } = claims;
        let checked = Self { token, tenant: expected.tenant.clone(), expires, object_id, of, name };
        checked.is_for(expected.tenant, expected.now)?;
        Ok(checked)
    }

    /// The person's object id in Entra ID, as the token says it: for whoever compares it with the one that is signed in.
    #[must_use]
    pub fn object_id(&self) -> Option<&str> {
        self.object_id.as_deref()
    }

    /// Who they are, as far as the token says so: for the activity log, and for whoever compares it with the one that is signed in. The name
    /// is personal data.
    #[must_use]
    pub fn person(&self) -> Option<Person> {
        let id = self.object_id.as_deref()?.parse().ok()?;
        Some(Person::new(self.of.parse().ok()?, id, self.name.as_deref().unwrap_or_default()))
    }

    /// When the token ends.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Whether it was looked at for this tenant, and still holds.
    pub(crate) fn is_for(&self, tenant: &TenantId, now: Timestamp) -> Result<(), TokenProblem> {
        if self.tenant != *tenant {
            return Err(TokenProblem::OtherTenant);
        }
        if self.expires <= now { Err(TokenProblem::Expired) } else { Ok(()) }
    }

    pub(crate) fn secret(&self) -> &SecretString {
        &self.token
    }
}

fn read(token: &str) -> Option<Claims> {
    if token.len() > MOST_BYTES {
        return None;
    }
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    // What Partner Center may be sent encrypted has five parts, and nothing in it for us to read.
    if parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
    const MAPPED: &str = "5d0e8b1a-7c43-4f92-b6a8-1e2f3c4d5b6a";
    const NOW: i64 = 1_772_442_000;

    fn good() -> Value {
        json!({
            "aud": "https://api.partnercenter.microsoft.com", "exp": NOW + 1, "tid": TENANT, "oid": "o",
            "scp": "user_impersonation", "wids": ["b79fbf4d-3ef9-4689-8143-76b194e85509", GLOBAL_ADMINISTRATOR],
        })
    }

    fn with(claim: &str, value: Value) -> Value {
        let mut claims = good();
        claims[claim] = value;
        claims
    }

    fn token(claims: &Value) -> SecretString {
        format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string())).into()
    }

    fn checked(token: SecretString) -> Result<PersonToken, TokenProblem> {
        let (audience, tenant) = ("https://api.partnercenter.microsoft.com".parse().unwrap(), TENANT.parse().unwrap());
        let mapped = [MAPPED.parse().unwrap()];
        let now = Timestamp::from_second(NOW).unwrap();
        PersonToken::checked(token, &Expected { audience: &audience, tenant: &tenant, mapped: &mapped, now })
    }

    #[test]
    fn a_token_of_a_global_administrator_for_partner_center_fits() {
        for claims in [
            good(),
            with("aud", json!("https://api.partnercenter.microsoft.com/")),
            with("aud", json!(PARTNER_CENTER)),
            with("tid", json!(TENANT.to_uppercase())),
            with("tid", json!(MAPPED)),
            with("idtyp", json!("user")),
            with("amr", json!(["pwd", "mfa"])),
            with("amr", Value::Null),
        ] {
            let token = checked(token(&claims)).unwrap();
            assert_eq!((token.object_id(), token.expires().as_second()), (Some("o"), NOW + 1), "{claims}");
        }
    }

    #[test]
    fn who_somebody_is_their_token_says_with_the_tenant_that_it_is_of() {
        let id = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
        let mut claims = with("oid", json!(id));
        claims["tid"] = json!(MAPPED);
        claims["upn"] = json!("someone@contoso.example");
        let person = checked(token(&claims)).unwrap().person().unwrap();
        let expected = Person::new(MAPPED.parse().unwrap(), id.parse().unwrap(), "someone@contoso.example");
        assert_eq!(person, expected);
        for oid in [Value::Null, json!("o")] {
            assert_eq!(checked(token(&with("oid", oid))).unwrap().person(), None);
        }
    }

    #[test]
    fn each_claim_that_does_not_fit_has_a_reason_of_its_own() {
        use TokenProblem::{
            Expired, NoSecondFactor, NotAPerson, NotGlobalAdministrator, OtherAudience, OtherTenant, Unreadable,
        };
        for (claim, value, expected) in [
            ("aud", json!("https://graph.microsoft.com"), OtherAudience),
            ("aud", json!("https://api.partnercenter.microsoft.com.evil.example"), OtherAudience),
            ("aud", json!("http://api.partnercenter.microsoft.com"), OtherAudience),
            ("aud", json!(""), OtherAudience),
            ("aud", json!(["https://api.partnercenter.microsoft.com"]), Unreadable),
            ("aud", Value::Null, Unreadable),
            ("exp", json!(NOW), Expired),
            ("exp", json!(0), Expired),
            ("exp", json!(i64::MAX), Unreadable),
            ("exp", json!("tomorrow"), Unreadable),
            ("exp", Value::Null, Unreadable),
            ("scp", Value::Null, NotAPerson),
            ("scp", json!(" "), NotAPerson),
            ("idtyp", json!("app"), NotAPerson),
            ("amr", json!(["pwd"]), NoSecondFactor),
            ("amr", json!([]), NoSecondFactor),
            ("amr", json!("mfa"), Unreadable),
            ("tid", json!("0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11"), OtherTenant),
            ("tid", json!(""), OtherTenant),
            ("tid", Value::Null, Unreadable),
            ("wids", json!([]), NotGlobalAdministrator),
            ("wids", json!(["b79fbf4d-3ef9-4689-8143-76b194e85509"]), NotGlobalAdministrator),
            ("wids", json!(GLOBAL_ADMINISTRATOR), Unreadable),
        ] {
            assert_eq!(checked(token(&with(claim, value.clone()))).unwrap_err(), expected, "{claim} {value}");
        }
        let mut without = good();
        without.as_object_mut().unwrap().remove("wids");
        assert_eq!(checked(token(&without)).unwrap_err(), NotGlobalAdministrator);
    }

    #[test]
    fn what_is_no_token_is_unreadable_however_long_it_is() {
        let claims = URL_SAFE_NO_PAD.encode(good().to_string());
        let long = with("oid", json!("x".repeat(MOST_BYTES)));
        for text in [
            String::new(),
            claims.clone(),
            format!("e30.{claims}"),
            format!("e30.{claims}.signature.more"),
            format!("e30.{claims}=.signature"),
            "e30.e30.signature".to_owned(),
            token(&long).expose_secret().to_owned(),
        ] {
            assert_eq!(checked(text.into()).unwrap_err(), TokenProblem::Unreadable);
        }
    }

    #[test]
    fn a_token_holds_for_its_tenant_alone_and_to_its_end() {
        let token = checked(token(&good())).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let (own, other): (TenantId, TenantId) = (TENANT.parse().unwrap(), MAPPED.parse().unwrap());
        assert_eq!(token.is_for(&own, at(NOW)), Ok(()));
        assert_eq!(token.is_for(&own, at(NOW + 1)), Err(TokenProblem::Expired));
        assert_eq!(token.is_for(&other, at(NOW)), Err(TokenProblem::OtherTenant));
    }

    #[test]
    fn a_token_prints_nothing_of_itself_and_every_problem_says_what_to_do() {
        let secret = token(&good());
        let text = secret.expose_secret().to_owned();
        let printed = format!("{:?}", checked(secret).unwrap());
        assert!(!printed.contains("signature") && !printed.contains(&text[4..20]), "{printed}");
        let codes: std::collections::BTreeSet<_> = TokenProblem::ALL.map(TokenProblem::code).into();
        assert_eq!(codes.len(), TokenProblem::ALL.len());
        assert!(TokenProblem::ALL.iter().all(|problem| problem.what_to_do().len() > 20));
    }
}
