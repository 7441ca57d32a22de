//! This machine's clock against AWS's and Microsoft's: signatures and statements that are dated wrongly are refused.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeDeserializationInterceptorContextRef},
    error::BoxError,
};
use jiff::{SignedDuration, fmt::rfc2822};
use models::Cloud;
use runtime::{Clock as _, SystemClock};

use super::finding::{Finding, Subject};
use crate::account::{Account, TENANTS_TABLE};

/// From here on somebody should set it right.
const NOTICE: SignedDuration = SignedDuration::from_secs(60);
/// What AWS and Entra ID forgive: five minutes.
const LIMIT: SignedDuration = SignedDuration::from_secs(300);
/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

const SET: &str = "have the machine's clock set by the network (NTP)";

pub(super) async fn check(account: Account, clouds: BTreeSet<Cloud>) -> Vec<Finding> {
    let mut findings = vec![of_aws(&account).await];
    for cloud in clouds {
        findings.push(of_microsoft(&account, cloud).await);
    }
    findings
}

/// AWS dates every answer, a refusal too.
async fn of_aws(account: &Account) -> Finding {
    let subject = Subject::new("clock", "against AWS");
    let seen = Dates::default();
    let config = aws_sdk_dynamodb::config::Builder::from(account.aws()).interceptor(seen.clone()).build();
    let table: String = account.variables().read(&TENANTS_TABLE).unwrap_or_else(|_| "partner-alerts".to_owned());
    // Whatever it answers, it is dated.
    let _ = Client::from_conf(config).describe_table().table_name(table).send().await;
    let difference = *seen.0.lock().unwrap_or_else(PoisonError::into_inner);
    judged(&subject, difference)
}

async fn of_microsoft(account: &Account, cloud: Cloud) -> Finding {
    let subject = Subject::new("clock", format!("against Microsoft ({})", cloud.as_str()));
    let address = match account.replaced(cloud, "LOGIN") {
        Ok(replaced) => replaced.map_or_else(|| cloud.published_urls().login, |address| address.to_string()),
        Err(error) => return subject.unknown(runtime::chain(&error), "mend the variable that it names"),
    };
    let http = match runtime::http_client(account.tls(), TIMEOUT) {
        Ok(http) => http,
        Err(error) => return subject.unknown(runtime::chain(&error), "mend OUTGOING_TLS_TRUST_ANCHORS_FILE"),
    };
    // Nothing is told to it but that somebody is there.
    let answer = http.get(format!("{address}/")).send().await;
    let date = answer.as_ref().ok().and_then(|answer| answer.headers().get(http::header::DATE)?.to_str().ok());
    judged(&subject, date.and_then(difference))
}

/// By how much this machine's clock is ahead of a date in the form of HTTP.
fn difference(date: &str) -> Option<SignedDuration> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(SystemClock.now().duration_since(date))
}

fn judged(subject: &Subject, difference: Option<SignedDuration>) -> Finding {
    let Some(difference) = difference else {
        return subject.unknown("no answer with a date came", "can this machine reach it?");
    };
    let way = if difference.is_negative() { "behind" } else { "ahead" };
    let words = format!("this machine is {} seconds {way}", difference.abs().as_secs());
    match difference.abs() {
        off if off > LIMIT => subject.problem(format!("{words}: what it signs is refused"), SET),
        off if off > NOTICE => subject.warning(words, SET),
        // A date has whole seconds, and an answer takes some.
        _ => subject.ok("within a minute"),
    }
}

/// By how much the clock was ahead of the last answer.
#[derive(Clone, Debug, Default)]
struct Dates(Arc<Mutex<Option<SignedDuration>>>);

impl Intercept for Dates {
    fn name(&self) -> &'static str {
        "Dates"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(difference) = context.response().headers().get("date").and_then(difference) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(difference);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn a_minute_is_worth_a_warning_and_five_are_a_problem_either_way() {
        for (seconds, state, words) in [
            (60, State::Ok, "within a minute"),
            (-60, State::Ok, "within a minute"),
            (61, State::Warning, "61 seconds ahead"),
            (-300, State::Warning, "300 seconds behind"),
            (301, State::Problem, "301 seconds ahead"),
            (-301, State::Problem, "301 seconds behind"),
        ] {
            let found = judged(&Subject::new("clock", "x"), Some(SignedDuration::from_secs(seconds)));
            assert_eq!(found.state, state, "{seconds}");
            assert!(found.words.contains(words), "{found:?}");
        }
        assert_eq!(judged(&Subject::new("clock", "x"), None).state, State::Unknown);
    }

    #[test]
    fn a_date_of_http_is_read() {
        let ahead = difference("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert!(ahead > SignedDuration::from_hours(24 * 365), "{ahead}");
        assert_eq!(difference("yesterday"), None);
    }
}
