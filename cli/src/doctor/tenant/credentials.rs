//! A tenant's secrets: whether Microsoft takes what is in them, and how long that will be so.

use jiff::{SignedDuration, Timestamp};
use models::{AlertSource, Tenant};
use partner_center::{
    Audience, Credentials, Grant, KeptSecret, ListAlerts as _, Proof, Purpose, REFRESH_TOKEN_OLD, StoredSecret,
};
use runtime::{Clock as _, SystemClock};

use super::failed;
use crate::{
    account::Microsoft,
    doctor::{
        expiry,
        finding::{Finding, Subject},
    },
    secret_names::Prefixes,
};

/// From what age on a refresh token has to be seen to by a person: 30 days are left of Microsoft's 90.
const REFRESH_TOKEN_AGE: SignedDuration = SignedDuration::from_hours(60 * 24);

/// A secret that is called what functions may not read.
pub(super) fn misnamed(prefixes: &Prefixes, tenant: &Tenant, purpose: Purpose) -> Option<Finding> {
    purpose.secret_of(tenant).filter(|name| !prefixes.allow(purpose, name)).map(|name| {
        let (prefix, parameter) = (prefixes.of(purpose), Prefixes::parameter(purpose));
        let words = format!("functions may not read it: {name} does not begin with {prefix}, as {parameter} says");
        let advice = format!("make it under such a name, and name that with `tenants set --{purpose}-secret`");
        Subject::of_tenant(&tenant.id, format!("name of the {purpose} secret")).problem(words, advice)
    })
}

/// A secret as it is kept. An error is a finding that leaves nothing more to look at.
pub(super) async fn kept(microsoft: &Microsoft, tenant: &Tenant, purpose: Purpose) -> Result<KeptSecret, Finding> {
    let subject = Subject::of_tenant(&tenant.id, format!("{purpose} secret"));
    microsoft.secrets.fetch(tenant).await.map_err(|error| failed::credential(&subject, &error))
}

/// What is in a secret, and how long it holds.
pub(super) fn contents(
    secret: &StoredSecret,
    written: Option<Timestamp>,
    tenant: &Tenant,
    purpose: Purpose,
) -> Finding {
    let subject = Subject::of_tenant(&tenant.id, format!("{purpose} secret"));
    match secret.credential() {
        Ok(credential) => {
            let what = format!("{}, {}", proof(&credential.proof), grant(&credential.grant));
            aged(&subject, &what, (secret, written), SystemClock.now())
        }
        Err(problem) => {
            let advice = "write it anew: docs/configuration.md says what is in it";
            subject.problem(format!("it can't be used: {problem}"), advice)
        }
    }
}

fn proof(proof: &Proof) -> &'static str {
    match proof {
        Proof::Certificate(_) => "a certificate",
        Proof::ClientSecret(_) => "a client secret",
    }
}

fn grant(grant: &Grant) -> &'static str {
    match grant {
        Grant::RefreshToken(_) => "for a person (app+user)",
        Grant::ClientCredentials => "for the application alone (app-only)",
    }
}

/// How long it holds, as far as that is known: Microsoft does not say.
fn aged(
    subject: &Subject,
    what: &str,
    (secret, written): (&StoredSecret, Option<Timestamp>),
    now: Timestamp,
) -> Finding {
    let days = |time: SignedDuration| time.as_hours() / 24;
    if let Some(expires) = secret.proof_expires() {
        let advice = "make a new one for the application in Entra ID, and write it into the secret";
        if let Some(found) = expiry::near(subject, what, expires, now, advice) {
            return found;
        }
    }
    // As for renew: one that nobody has dated is as old as the secret.
    let for_a_person = secret.has_refresh_token();
    let obtained = secret.refresh_token_obtained().or(written.filter(|_| for_a_person));
    let age = obtained.map_or(SignedDuration::ZERO, |obtained| now.duration_since(obtained));
    let old = || format!("{what}, whose refresh token is {} days old; it ends after 90", days(age));
    if age >= REFRESH_TOKEN_AGE {
        return subject.problem(old(), "consent anew as an Admin Agent, with MFA, before it does");
    }
    if age >= REFRESH_TOKEN_OLD {
        return subject.warning(old(), "renew replaces it every day, and does not: the log of renew says why");
    }
    if secret.proof_expires().is_none() {
        let advice = "look its end up in Entra ID, and write it with the secret: `tenants set --client-id … \
                      --client-secret-expires …`, or the member client_secret_expires";
        return expiry::unknown(subject, what, advice);
    }
    subject.ok(what)
}

/// Whether the tenant's alerts can be listed by the service that they come from.
pub(super) async fn alerts(
    microsoft: &Microsoft<impl Credentials + Send + Sync>,
    tenant: &Tenant,
    purpose: Purpose,
) -> Vec<Finding> {
    let audience = Audience::of_source(tenant.alert_source);
    let signed_in = sign_in(microsoft, tenant, purpose, audience).await;
    let may_be_asked = signed_in.is_ok();
    let mut findings = Vec::new();
    // Whoever looks at Partner Center says what became of the sign-in there.
    if audience == Audience::Graph {
        findings.push(signed_in.unwrap_or_else(|refused| refused));
    }
    if may_be_asked {
        findings.push(listed(microsoft, tenant, purpose).await);
    }
    findings
}

async fn listed(microsoft: &Microsoft<impl Credentials + Send + Sync>, tenant: &Tenant, purpose: Purpose) -> Finding {
    let subject = Subject::of_tenant(&tenant.id, alerts_name(purpose));
    let by = match tenant.alert_source {
        AlertSource::FraudEvents => " by fraudEvents",
        AlertSource::Graph => "",
    };
    match microsoft.alerts().page(tenant, None).await {
        Ok(page) => {
            let count = page.alerts.len() + page.unreadable.len();
            subject.ok(format!("they can be listed{by}: {count} on the first page"))
        }
        Err(error) => failed::microsoft(&subject, &error),
    }
}

/// What listing alerts is called.
pub(super) fn alerts_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Act => "alerts, with the act secret",
        Purpose::Read => "alerts",
    }
}

/// What the sign-in to a service is called.
pub(super) fn sign_in_name(purpose: Purpose, audience: Audience) -> &'static str {
    match (purpose, audience) {
        (Purpose::Read, Audience::Graph) => "sign-in to Graph",
        (Purpose::Read, Audience::PartnerCenter) => "sign-in to Partner Center",
        (Purpose::Act, Audience::Graph) => "act sign-in to Graph",
        (Purpose::Act, Audience::PartnerCenter) => "act sign-in to Partner Center",
    }
}

/// Whether Microsoft gives a token. An error is a finding that leaves nothing more to look at there.
pub(super) async fn sign_in(
    microsoft: &Microsoft<impl Credentials + Send + Sync>,
    tenant: &Tenant,
    purpose: Purpose,
    audience: Audience,
) -> Result<Finding, Finding> {
    let subject = Subject::of_tenant(&tenant.id, sign_in_name(purpose, audience));
    match microsoft.tokens.sign_in(tenant, audience).await {
        Ok(()) => Ok(subject.ok("Microsoft gives a token")),
        Err(error) => Err(failed::microsoft(&subject, &error)),
    }
}

#[cfg(test)]
mod tests {
    const LATE: Option<&str> = Some("2027-01-01T00:00:00Z");

    use models::TenantId;
    use partner_center::StoredSecret;
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn what_ends_soon_is_said_in_time_and_what_has_ended_is_a_problem() {
        let now: Timestamp = "2026-03-31T00:00:00Z".parse().unwrap();
        let tenant: TenantId = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        let (end, obtained) = ("client_secret_expires", "refresh_token_obtained");
        for (expires, token, written, state, words) in [
            (Some("2026-05-01T00:00:00Z"), None, None, State::Ok, "a client secret"),
            (Some("2026-04-29T23:00:00Z"), None, None, State::Warning, "which expires in 29 days"),
            (Some("2026-03-29T00:00:00Z"), None, None, State::Problem, "which expired 2 days ago"),
            (None, None, None, State::Warning, "nobody has said when it ends"),
            (LATE, Some("2026-03-28T00:00:01Z"), None, State::Ok, "a client secret"),
            (LATE, Some("2026-03-28T00:00:00Z"), None, State::Warning, "refresh token is 3 days old"),
            (LATE, Some("2026-01-30T00:00:00Z"), None, State::Problem, "refresh token is 60 days old"),
            (LATE, None, Some("2026-03-01T00:00:00Z"), State::Warning, "refresh token is 30 days old"),
            (LATE, Some("2026-03-30T00:00:00Z"), Some("2026-01-01T00:00:00Z"), State::Ok, "a client secret"),
        ] {
            let mut text = json!({ "client_id": "a", "client_secret": "b", "refresh_token": "c" });
            for (member, moment) in [(end, expires), (obtained, token)] {
                if let Some(moment) = moment {
                    text[member] = json!(moment);
                }
            }
            let secret = StoredSecret::read(&text.to_string()).unwrap();
            let written = written.map(|written: &str| written.parse().unwrap());
            let found = aged(&Subject::of_tenant(&tenant, "read secret"), "a client secret", (&secret, written), now);
            assert_eq!(found.state, state, "{expires:?} {token:?}: {found:?}");
            assert!(found.words.contains(words), "{found:?}");
        }
    }
}
