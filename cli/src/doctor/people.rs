//! What people sign in with: the client secret of the application, and how long it holds.

use aws_sdk_secretsmanager::Client;
use jiff::Timestamp;
use partner_center::moment;
use runtime::{Clock as _, SystemClock};
use serde_json::Value;

use super::{
    expiry,
    finding::{Finding, Subject},
    refused::{is_absent, unseen},
};
use crate::account::{Account, SIGN_IN_SECRET};

/// Where it is said how the secret is written.
const FORM: &str = "write it anew: docs/deploy.md, \"Let people in\"";
const RENEW: &str = "make a new one for the application in Entra ID, and write it into the secret with its end: docs/deploy.md, \"Let people in\"";

/// The secret, where people sign in.
pub(super) async fn check(account: Account) -> Vec<Finding> {
    let subject = Subject::new("people", "client secret");
    if !account.lets_people_in() {
        return vec![subject.ok("not looked at: no application is named that people sign in to")];
    }
    let name: String = match account.variables().read(&SIGN_IN_SECRET) {
        Ok(name) => name,
        Err(error) => return vec![subject.unknown("its name is not known", error.to_string())],
    };
    vec![match Client::new(account.aws()).get_secret_value().secret_id(&name).send().await {
        Ok(found) => judged(&subject, &name, found.secret_string().unwrap_or_default(), SystemClock.now()),
        Err(error) if is_absent(&error, &["ResourceNotFoundException"]) => {
            let words = format!("there is no secret {name}, or nothing in it: nobody can sign in");
            subject.problem(words, "write it: docs/deploy.md, \"Let people in\"")
        }
        Err(error) => unseen(&subject, "secretsmanager:GetSecretValue", &error),
    }]
}

fn judged(subject: &Subject, name: &str, text: &str, now: Timestamp) -> Finding {
    let Ok(Value::Object(secret)) = serde_json::from_str(text) else {
        return subject.problem(format!("the secret {name} is no JSON object: nobody can sign in"), FORM);
    };
    if secret.get("client_secret").and_then(Value::as_str).is_none_or(str::is_empty) {
        return subject.problem(format!("the secret {name} has no \"client_secret\": nobody can sign in"), FORM);
    }
    let Some(ends) = secret.get("client_secret_expires") else {
        let advice = "look its end up in Entra ID, and write it with the secret, as the member client_secret_expires";
        return expiry::unknown(subject, name, advice);
    };
    let Some(ends) = ends.as_str().and_then(moment) else {
        let words = format!("{name}, whose client_secret_expires is no day as in 2027-05-01");
        return subject.warning(words, "write it anew, as Entra ID says when it ends");
    };
    expiry::near(subject, name, ends, now, RENEW).unwrap_or_else(|| subject.ok(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn the_end_of_the_client_secret_is_counted_down_to_and_what_is_no_client_secret_is_a_problem() {
        let now: Timestamp = "2026-03-31T00:00:00Z".parse().unwrap();
        let ends = |end: &str| json!({ "client_secret": "s", "client_secret_expires": end }).to_string();
        for (text, state, words) in [
            (ends("2026-05-01"), State::Ok, "the-name"),
            (ends("2026-04-29T23:00:00Z"), State::Warning, "the-name, which expires in 29 days"),
            (ends("2026-03-29"), State::Problem, "the-name, which expired 2 days ago"),
            (ends("soon"), State::Warning, "is no day"),
            (json!({ "client_secret": "s", "client_secret_expires": 1 }).to_string(), State::Warning, "is no day"),
            (json!({ "client_secret": "s" }).to_string(), State::Warning, "nobody has said when it ends"),
            (json!({ "client_secret": "" }).to_string(), State::Problem, "has no \"client_secret\""),
            (json!({ "secret": "s" }).to_string(), State::Problem, "has no \"client_secret\""),
            (json!("s").to_string(), State::Problem, "is no JSON object"),
            (String::new(), State::Problem, "is no JSON object"),
        ] {
            let found = judged(&Subject::new("people", "client secret"), "the-name", &text, now);
            assert_eq!(found.state, state, "{text}: {found:?}");
            assert!(found.words.contains(words), "{text}: {found:?}");
            assert_eq!(found.advice.is_some(), state != State::Ok, "{text}: {found:?}");
        }
    }
}
