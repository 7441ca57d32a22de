//! A tenant's secrets: whether Microsoft takes what is in them, and how long that will be so.

use jiff::{SignedDuration, Timestamp};
use models::Tenant;
use partner_center::{Audience, Grant, KeptSecret, Proof, Purpose, REFRESH_TOKEN_OLD};
use runtime::{Clock as _, SystemClock};

use super::failed;
use crate::{
    account::Microsoft,
    doctor::finding::{Finding, Subject},
};

/// How long before a client secret or a certificate ends somebody has to see to it.
const EXPIRY_NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// From what age on a refresh token has to be seen to by a person: 30 days are left of Microsoft's 90.
const REFRESH_TOKEN_AGE: SignedDuration = SignedDuration::from_hours(60 * 24);

/// What is known of a secret that can be used.
pub(super) struct Known {
    pub(super) finding: Finding,
    /// Whether it acts for a person (app+user).
    pub(super) is_for_a_person: bool,
}

/// What is in the secret. An error is a finding that leaves nothing more to look at.
pub(super) async fn secret(microsoft: &Microsoft, tenant: &Tenant, purpose: Purpose) -> Result<Known, Finding> {
    let subject = Subject::of_tenant(&tenant.id, format!("{purpose} secret"));
    let kept = microsoft.secrets.fetch(tenant).await.map_err(|error| failed::credential(&subject, &error))?;
    let (what, is_for_a_person) = match kept.secret.credential() {
        Ok(credential) => {
            let what = format!("{}, {}", proof(&credential.proof), grant(&credential.grant));
            (what, matches!(credential.grant, Grant::RefreshToken(_)))
        }
        Err(problem) => {
            let advice = "write it anew: docs/configuration.md says what is in it";
            return Err(subject.problem(format!("it can't be used: {problem}"), advice));
        }
    };
    Ok(Known { finding: aged(&subject, &what, &kept, SystemClock.now()), is_for_a_person })
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
fn aged(subject: &Subject, what: &str, kept: &KeptSecret, now: Timestamp) -> Finding {
    let days = |time: SignedDuration| time.as_hours() / 24;
    if let Some(expires) = kept.secret.proof_expires() {
        let left = expires.duration_since(now);
        let advice = "make a new one for the application in Entra ID, and write it into the secret";
        if left <= SignedDuration::ZERO {
            return subject.problem(format!("{what}, which expired {} days ago", days(-left)), advice);
        }
        if left < EXPIRY_NOTICE {
            return subject.warning(format!("{what}, which expires in {} days", days(left)), advice);
        }
    }
    // As for renew: one that nobody has dated is as old as the secret.
    let for_a_person = kept.secret.has_refresh_token();
    let obtained = kept.secret.refresh_token_obtained().or(kept.written.filter(|_| for_a_person));
    let age = obtained.map_or(SignedDuration::ZERO, |obtained| now.duration_since(obtained));
    let old = || format!("{what}, whose refresh token is {} days old; it ends after 90", days(age));
    if age >= REFRESH_TOKEN_AGE {
        return subject.problem(old(), "consent anew as an Admin Agent, with MFA, before it does");
    }
    if age >= REFRESH_TOKEN_OLD {
        return subject.warning(old(), "renew replaces it every day, and does not: the log of renew says why");
    }
    if kept.secret.proof_expires().is_none() {
        let advice = "look its end up in Entra ID, and write it with the secret: `tenants set --client-id … \
                      --client-secret-expires …`, or the member client_secret_expires";
        return subject.warning(format!("{what}, of which nobody has said when it ends"), advice);
    }
    subject.ok(what)
}

/// Graph: whether the tenant's alerts can be listed; under these names for the sign-in and for the list.
pub(super) async fn alerts(microsoft: &Microsoft, tenant: &Tenant, names: [&str; 2]) -> Vec<Finding> {
    let [signed_in, listed] = names.map(|name| Subject::of_tenant(&tenant.id, name));
    if let Err(error) = microsoft.tokens.sign_in(tenant, Audience::Graph).await {
        return vec![failed::microsoft(&signed_in, &error)];
    }
    let listed = match microsoft.alerts().first_page(tenant).await {
        Ok(count) => listed.ok(format!("they can be listed: {count} on the first page")),
        Err(error) => failed::microsoft(&listed, &error),
    };
    vec![signed_in.ok("Microsoft gives a token"), listed]
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
            let kept = KeptSecret { secret, version: String::new(), written };
            let found = aged(&Subject::of_tenant(&tenant, "read secret"), "a client secret", &kept, now);
            assert_eq!(found.state, state, "{expires:?} {token:?}: {found:?}");
            assert!(found.words.contains(words), "{found:?}");
        }
    }
}
