//! What is wrong with what people sign in with, and what they can't do.

use insta::assert_snapshot;
use jiff::SignedDuration;
use runtime::{Clock as _, SystemClock};
use serde_json::json;
use tests::{CLIENT_ID, CLIENT_SECRET, TENANT};

use crate::support::{Cases, Here};

const NAME: &str = "partner-alerts/sign-in/client";

#[tokio::test(flavor = "multi_thread")]
async fn the_client_secret_of_the_sign_in_is_counted_down_and_a_tenant_without_an_act_secret_is_named() {
    let mut cases = Cases::default();
    let mut here = Here::well().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&here.test.system.parts().aws);
    here.environment.insert("SIGN_IN_CLIENT_ID".to_owned(), CLIENT_ID.to_owned());
    cases.add("people sign in, and the tenant has no secret to act with", &here.seen().await);
    here.done(&["tenants", "set", TENANT, "--act-secret", "partner-alerts/act/local"]).await;
    here.renew("second").await;
    cases.add("it has one", &here.seen().await);

    let written = async |text: String| {
        secrets.put_secret_value().secret_id(NAME).secret_string(text).send().await.unwrap();
    };
    let ends = |end: &str| json!({ "client_secret": CLIENT_SECRET, "client_secret_expires": end }).to_string();
    written(json!({ "client_secret": CLIENT_SECRET }).to_string()).await;
    cases.add("nobody has said when the client secret ends", &here.seen().await);
    written(ends(&(SystemClock.now() + SignedDuration::from_hours(29 * 24 + 12)).to_string())).await;
    cases.add("it ends soon", &here.seen().await);
    written(ends(&(SystemClock.now() - SignedDuration::from_hours(36)).to_string())).await;
    cases.add("it has ended", &here.seen().await);
    written(CLIENT_SECRET.to_owned()).await;
    let seen = here.seen().await;
    assert!(!seen.contains(CLIENT_SECRET), "{seen}");
    cases.add("it stands there alone", &seen);

    here.environment.insert("SIGN_IN_SECRET".to_owned(), "partner-alerts/sign-in/gone".to_owned());
    cases.add("there is none", &here.seen().await);
    here.test.system.account().deny("secretsmanager:GetSecretValue");
    let seen = here.seen().await;
    assert!(seen.contains("unknown: people, client secret: AWS does not let you look"), "{seen}");
    assert_snapshot!("people", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_functions_for_people_is_not_called_as_a_tenants() {
    for (variable, parameter, name, prefix) in [
        ("SIGN_IN_SECRET", "SignInSecret", "partner-alerts/read/client", "ReadSecretPrefix"),
        ("SEALING_SECRET", "SealingSecret", "partner-alerts/act/sealing", "ActSecretPrefix"),
        ("CURSOR_SECRET", "CursorSecret", "partner-alerts/read/cursors", "ReadSecretPrefix"),
    ] {
        let mut here = Here::well().await;
        here.environment.insert(variable.to_owned(), name.to_owned());
        let seen = here.seen().await;
        let expected = format!("problem: configuration, secrets: {parameter} is {name}, which begins as {prefix} says");
        assert!(seen.starts_with(&expected), "{seen}");
    }
}
