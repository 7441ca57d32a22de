//! What is wrong with a tenant.

use std::fs;

use aws_sdk_dynamodb::types::AttributeValue;
use insta::assert_snapshot;
use jiff::SignedDuration;
use serde_json::json;
use simulator::{Denial, Fault, FaultKind, Person, RetryAfter, Target};
use tests::{CLIENT_ID, CLIENT_SECRET, Scripted, TENANT};

use crate::support::{Cases, Here};

const OTHER: &str = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11";

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_microsofts_is_told_from_the_others_with_what_to_do() {
    let mut cases = Cases::default();
    let denied = FaultKind::Denied;
    for (case, target, kind) in [
        ("application unknown", Target::Token, denied(Denial::ApplicationUnknown)),
        ("conditional access", Target::Token, denied(Denial::ConditionalAccess)),
        ("consent missing", Target::Token, denied(Denial::ConsentMissing)),
        ("grant revoked", Target::Token, denied(Denial::GrantRevoked)),
        ("wrong cloud", Target::Token, denied(Denial::WrongCloud)),
        ("Graph: no second factor", Target::List, FaultKind::MissingMfa),
        ("Graph: throttled", Target::List, FaultKind::Throttle { retry_after: RetryAfter::Seconds(3_600) }),
        ("Graph: down", Target::List, FaultKind::Fail { status: 503 }),
        ("Partner Center: app-only", Target::RegistrationGet, denied(Denial::AppOnly)),
        ("Partner Center: not registered there", Target::RegistrationGet, denied(Denial::ApplicationUnregistered)),
        ("Partner Center: no second factor", Target::RegistrationGet, FaultKind::MissingMfa),
        ("Partner Center: role", Target::RegistrationGet, denied(Denial::RoleMissing)),
        ("Partner Center: retired audience", Target::RegistrationGet, denied(Denial::WrongAudience)),
    ] {
        let here = Here::well().await;
        here.test.system.simulator().set_fault(Fault::new(target, kind)).unwrap();
        cases.add(case, &here.seen().await);
    }
    let here = Here::well().await;
    let simulator = here.test.system.simulator();
    simulator.set_fault(Fault::new(Target::List, FaultKind::MissingMfa)).unwrap();
    here.renew("second").await;
    simulator.clear_faults();
    cases.add("mended since renew has seen it", &here.seen().await);
    assert_snapshot!("refusals", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_there_is_named_and_what_rests_on_it_is_left_out() {
    let mut cases = Cases::default();
    let here = Here::well().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&here.test.system.parts().aws);
    let text = json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET }).to_string();
    secrets.put_secret_value().secret_id("partner-alerts/act/local").secret_string(text).send().await.unwrap();
    here.done(&["tenants", "set", TENANT, "--act-secret", "partner-alerts/act/local"]).await;
    let report = here.done(&["doctor"]).await;
    assert!(
        report.contains("act sign-in to Partner Center") && report.contains("alerts, with the act secret"),
        "{report}"
    );
    cases.add("a secret to act with that renew has not looked at", &here.seen().await);
    here.test.system.simulator().set_fault(Fault::new(Target::List, FaultKind::MissingMfa)).unwrap();
    cases.add("a secret to act with that may not read alerts", &here.seen().await);
    here.test.system.simulator().clear_faults();
    here.done(&["tenants", "set", TENANT, "--act-secret", "partner-alerts/act/gone"]).await;
    cases.add("the secret to act with", &here.seen().await);
    here.done(&["tenants", "set", TENANT, "--read-secret", "partner-alerts/read/gone"]).await;
    cases.add("both", &here.seen().await);
    here.done(&["tenants", "set", TENANT, "--read-secret", "partner-alerts/read/local"]).await;
    here.done(&["tenants", "set", TENANT, "--act-secret", "partner-alerts/read/local", "--anyway"]).await;
    cases.add("under a name of the other prefix", &here.seen().await);
    assert_snapshot!("secrets", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixes_of_which_one_begins_with_the_other_are_a_problem() {
    let mut here = Here::well().await;
    here.environment.insert("READ_SECRET_PREFIX".to_owned(), "partner-alerts/".to_owned());
    let seen = here.seen().await;
    assert!(seen.starts_with("problem: configuration, secrets: of partner-alerts/ (read) and"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_without_a_second_factor_is_told_from_one_with_it() {
    for (mfa, expected) in [
        (true, "all is well\n"),
        (false, "problem: tenant, second factor: the person behind the refresh token signed in without one"),
    ] {
        let mut here = Here::well().await;
        let simulator = here.test.system.simulator();
        let person = Person { mfa, ..Person::admin_agent(TENANT) };
        let token = simulator.refresh_token_of(TENANT, person).unwrap();
        let secret =
            json!({
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "client_secret_expires": "2999-12-31", "refresh_token": token,
        })
        .to_string();
        // A Secrets Manager with the secret of one who acts for a person.
        let secrets = Scripted::start(move |_, _| {
            let answer = json!({ "Name": "x", "VersionId": "1", "SecretString": secret });
            http::Response::new(answer.to_string())
        })
        .await;
        let anchors = fs::read_to_string(&here.environment["OUTGOING_TLS_TRUST_ANCHORS_FILE"]).unwrap();
        let both = here.test.folder().join("both.pem");
        fs::write(&both, anchors + secrets.certificate_pem()).unwrap();
        here.environment.insert("OUTGOING_TLS_TRUST_ANCHORS_FILE".to_owned(), both.display().to_string());
        here.environment.insert("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), secrets.url().to_owned());
        let seen = here.seen().await;
        assert!(seen.contains(expected), "{mfa}: {seen}");
        let report = String::from_utf8(here.run(&["doctor"]).await.stdout).unwrap();
        assert!(report.contains("a client secret, for a person (app+user)"), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_leads_elsewhere_is_a_problem() {
    let mut cases = Cases::default();
    let here = Here::well().await;
    let url = &here.environment["LOCAL_CALLBACK_URL"];
    here.done(&["webhook", "register", TENANT, "--url", url, "--event", "test-created"]).await;
    cases.add("without the fraud event", &here.seen().await);
    here.done(&["tenants", "set", TENANT, "--new-path-key"]).await;
    here.done(&["tenants", "set", TENANT, "--drop-path-key", "oldest", "--anyway"]).await;
    cases.add("with a path key of before", &here.seen().await);
    assert_snapshot!("registrations", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_was_not_looked_at_for_long_is_a_problem_and_one_that_never_was_a_warning() {
    let mut cases = Cases::default();
    let here = Here::well().await;
    let ago = |minutes: i64| {
        let moment = here.test.system.parts().clock.now() - SignedDuration::from_mins(minutes);
        Some(moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
    };
    here.state("last_success", ago(12)).await;
    here.state("last_attempt", ago(2)).await;
    cases.add("the last runs failed", &here.seen().await);
    here.state("last_success", ago(40)).await;
    cases.add("runs fail", &here.seen().await);
    here.state("last_attempt", ago(35)).await;
    cases.add("there are none", &here.seen().await);
    here.state("last_success", None).await;
    cases.add("none was complete", &here.seen().await);
    here.state("last_attempt", None).await;
    cases.add("none was ever", &here.seen().await);
    assert_snapshot!("runs", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenant_or_all_are_looked_at_and_an_inactive_one_is_named() {
    let here = Here::well().await;
    let add = ["tenants", "add", OTHER, "--name", "Fabrikam", "--read-secret", "partner-alerts/read/gone", "--anyway"];
    here.done(&add).await;
    let both = here.seen().await;
    assert!(both.contains("Secrets Manager has no such secret") && both.contains("there was no run yet"), "{both}");
    assert_eq!(here.seen_by(&["--tenant", TENANT]).await, "all is well\n");
    here.done(&["tenants", "set", OTHER, "--active", "false"]).await;
    assert_eq!(here.seen().await, "all is well\n");
    let report = here.done(&["doctor", "--tenant", OTHER]).await;
    assert!(report.contains("Fabrikam: inactive, and not looked at") && !report.contains(TENANT), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_fraud_events_is_looked_at_by_those_and_graph_has_no_part_in_it() {
    let here = Here::well().await;
    let simulator = here.test.system.simulator();
    let for_the_application = here.done(&["doctor"]).await;
    assert!(for_the_application.contains("sign-in to Graph"), "{for_the_application}");
    assert!(for_the_application.contains("they can be listed: 0 on the first page"), "{for_the_application}");
    // It takes nobody but people.
    let set = ["tenants", "set", TENANT, "--alert-source", "fraud-events", "--anyway"];
    here.done(&set).await;
    let refused = here.seen().await;
    assert!(
        refused.contains("alerts: app-only-not-allowed: listing fraud events takes app+user credentials"),
        "{refused}"
    );
    let token = simulator.refresh_token(TENANT).unwrap();
    let secret = json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": token }).to_string();
    let secrets = aws_sdk_secretsmanager::Client::new(&here.test.system.parts().aws);
    secrets.put_secret_value().secret_id("partner-alerts/read/local").secret_string(secret).send().await.unwrap();
    let before = simulator.requests();

    let report = here.done(&["doctor"]).await;

    let after = simulator.requests();
    assert!(report.contains("they can be listed by fraudEvents: 0 on the first page"), "{report}");
    assert_eq!(report.matches("sign-in to Partner Center").count(), 1, "{report}");
    assert!(!report.contains("Graph"), "{report}");
    assert_eq!((after.list - before.list, after.fraud_events - before.fraud_events), (0, 1));
    for (target, kind, words) in [
        (Target::FraudEvents, FaultKind::MissingMfa, "alerts: mfa-missing: listing fraud events for tenant"),
        (Target::Token, FaultKind::Denied(Denial::GrantRevoked), "sign-in to Partner Center: refresh-token-revoked: "),
    ] {
        simulator.clear_faults();
        simulator.set_fault(Fault::new(target, kind)).unwrap();
        let seen = here.seen().await;
        assert!(seen.contains(words) && !seen.contains("Graph"), "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tenant_an_unknown_one_and_one_that_can_not_be_read_are_each_said() {
    let mut cases = Cases::default();
    let here = Here::well().await;
    cases.add("unknown", &here.seen_by(&["--tenant", OTHER]).await);
    let client = aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws);
    let put = client.put_item().table_name(&here.environment["TENANTS_TABLE"]);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    put.item("pk", text("tenants")).item("sk", text(OTHER)).item("id", text(OTHER)).send().await.unwrap();
    cases.add("unreadable", &here.seen().await);
    let delete = client.delete_item().table_name(&here.environment["TENANTS_TABLE"]);
    delete.key("pk", text("tenants")).key("sk", text(OTHER)).send().await.unwrap();
    here.done(&["tenants", "remove", TENANT]).await;
    cases.add("none", &here.seen().await);
    assert_snapshot!("tenants", cases.text());
}
