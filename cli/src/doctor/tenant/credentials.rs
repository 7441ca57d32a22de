//! A tenant's secrets: whether Microsoft takes what is in them, and how long that will be so.

use jiff::{SignedDuration, Timestamp};
use models::Tenant;
use partner_center::{Audience, Credentials, Grant, Proof, Purpose, StoredSecret};
use runtime::{Clock as _, SystemClock};

use super::failed;
use crate::{
    account::Microsoft,
    doctor::finding::{Finding, Subject},
    secret_names::Prefixes,
};

/// How long before a client secret or a certificate ends somebody has to see to it.
const EXPIRY_NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How old a refresh token may be: Microsoft's last 90 days, and one that is renewed as it should be is younger by far.
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
pub(super) async fn kept(microsoft: &Microsoft, tenant: &Tenant, purpose: Purpose) -> Result<StoredSecret, Finding> {
    let subject = Subject::of_tenant(&tenant.id, format!("{purpose} secret"));
    let kept = microsoft.secrets.fetch(tenant).await;
    kept.map(|kept| kept.secret).map_err(|error| failed::credential(&subject, &error))
}

/// What is in a secret, and how long it holds.
pub(super) fn contents(secret: &StoredSecret, tenant: &Tenant, purpose: Purpose) -> Finding {
    let subject = Subject::of_tenant(&tenant.id, format!("{purpose} secret"));
    match secret.credential() {
        Ok(credential) => {
            let what = format!("{}, {}", proof(&credential.proof), grant(&credential.grant));
            aged(&subject, &what, secret, SystemClock.now())
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
fn aged(subject: &Subject, what: &str, secret: &StoredSecret, now: Timestamp) -> Finding {
    let days = |time: SignedDuration| time.as_hours() / 24;
    if let Some(expires) = secret.proof_expires() {
        let left = expires.duration_since(now);
        let advice = "make a new one for the application in Entra ID, and write it into the secret";
        if left <= SignedDuration::ZERO {
            return subject.problem(format!("{what}, which expired {} days ago", days(-left)), advice);
        }
        if left < EXPIRY_NOTICE {
            return subject.warning(format!("{what}, which expires in {} days", days(left)), advice);
        }
    }
    if let Some(obtained) = secret.refresh_token_obtained() {
        let age = now.duration_since(obtained);
        if age > REFRESH_TOKEN_AGE {
            let words = format!("{what}, whose refresh token is {} days old; it ends after 90", days(age));
            return subject.warning(words, "consent anew as an Admin Agent, with MFA, before it does");
        }
    }
    subject.ok(what)
}

/// Graph: whether the tenant's alerts can be listed.
pub(super) async fn alerts(microsoft: &Microsoft<impl Credentials + Send + Sync>, tenant: &Tenant) -> Vec<Finding> {
    let signed_in = match sign_in(microsoft, tenant, Purpose::Read, Audience::Graph).await {
        Ok(signed_in) => signed_in,
        Err(refused) => return vec![refused],
    };
    let listed = Subject::of_tenant(&tenant.id, "alerts");
    let listed = match microsoft.alerts().first_page(tenant).await {
        Ok(count) => listed.ok(format!("they can be listed: {count} on the first page")),
        Err(error) => failed::microsoft(&listed, &error),
    };
    vec![signed_in, listed]
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
    use models::TenantId;
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn what_ends_soon_is_said_in_time_and_what_has_ended_is_a_problem() {
        let now: Timestamp = "2026-03-31T00:00:00Z".parse().unwrap();
        let tenant: TenantId = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        for (member, moment, state, words) in [
            ("client_secret_expires", "2026-05-01T00:00:00Z", State::Ok, "a client secret"),
            ("client_secret_expires", "2026-04-29T23:00:00Z", State::Warning, "which expires in 29 days"),
            ("client_secret_expires", "2026-03-29T00:00:00Z", State::Problem, "which expired 2 days ago"),
            ("refresh_token_obtained", "2026-01-31T00:00:00Z", State::Ok, "a client secret"),
            ("refresh_token_obtained", "2026-01-29T00:00:00Z", State::Warning, "refresh token is 61 days old"),
        ] {
            let text =
                json!({ "client_id": "a", "client_secret": "b", "refresh_token": "c", member: moment }).to_string();
            let secret = StoredSecret::read(&text).unwrap();
            let found = aged(&Subject::of_tenant(&tenant, "read secret"), "a client secret", &secret, now);
            assert_eq!(found.state, state, "{moment}: {found:?}");
            assert!(found.words.contains(words), "{found:?}");
        }
    }
}
