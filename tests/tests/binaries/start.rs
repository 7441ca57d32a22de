//! What a start with a bad configuration looks like to Lambda, and to whoever reads the log.

use tests::{
    binaries::FUNCTIONS,
    lambda::{Ended, Failed},
};

use crate::support::{Here, started, with, without};

/// What was left by a process that ended instead of asking for an invocation.
async fn not_started(function: &str, environment: &[(String, String)]) -> Ended {
    match started(function, environment).await {
        Err(Failed::Ended(ended)) => *ended,
        other => panic!("{function} should have ended: {other:?}"),
    }
}

/// The start failed, visibly to Lambda, and one sentence on standard error begins like this.
fn assert_said(ended: &Ended, sentence: &str) {
    assert_eq!(ended.status.code(), Some(1), "{ended}");
    // Nothing was told to the Runtime API: Lambda reports the exit itself.
    assert_eq!(ended.init_error, None);
    let begins = format!("the function can't start: {sentence}");
    assert!(ended.stderr.iter().any(|line| line.starts_with(&begins)), "{begins:?} is not in: {ended}");
    assert_eq!(ended.stdout, [""; 0]);
}

#[tokio::test]
async fn without_a_required_variable_the_start_fails_and_names_it() {
    let here = Here::new().await;
    let required = [
        ("authorize", &["PUBLIC_URL", "SESSIONS_TABLE", "SIGN_IN_CLIENT_ID", "SIGN_IN_TENANTS"][..]),
        ("dashboard", &["ACTIVITY_TABLE", "ALERTS_TABLE", "CURSOR_SECRET", "PUBLIC_URL", "TENANTS_TABLE"]),
        ("notify", &["ALERTS_TABLE", "EVENTS_TOPIC_ARN", "FRAUD_TOPIC_ARN"]),
        ("poll", &["ALERTS_TABLE", "NAMES_QUEUE_URL", "RECONCILE_QUEUE_URL", "TENANTS_TABLE"]),
        ("renew", &["OPERATIONS_TOPIC_ARN", "TENANTS_TABLE"]),
        (
            "resolve",
            &["ACTIVITY_TABLE", "OPERATIONS_QUEUE_URL", "OPERATIONS_TOPIC_ARN", "PUBLIC_URL", "SIGN_IN_SECRET"],
        ),
        ("sign-in", &["PUBLIC_URL", "SEALING_SECRET", "SESSIONS_TABLE", "SIGN_IN_SECRET", "SIGN_IN_TENANTS"]),
        ("webhook", &["EVENTS_TABLE", "RECONCILE_QUEUE_URL", "TENANTS_TABLE"]),
    ];
    for (function, names) in required {
        let environment = here.environment(function).await;
        for name in names {
            for environment in [without(environment.clone(), name), with(environment.clone(), name, "")] {
                assert_said(&not_started(function, &environment).await, &format!("{name} is not set: "));
            }
        }
    }
}

#[tokio::test]
async fn with_a_malformed_variable_the_start_fails_and_names_it() {
    let here = Here::new().await;
    let own = [
        ("authorize", "ROLE_MAP", "{}"),
        ("dashboard", "PUBLIC_URL", "http://alerts.example"),
        ("notify", "SWEEP_AFTER_SECONDS", "0"),
        ("poll", "FRAUD_SEVERITY", "higher"),
        ("poll", "GLOBAL_GRAPH_URL", "http://graph.example"),
        ("poll", "RUN_SECONDS", "880"),
        ("renew", "GLOBAL_LOGIN_URL", "http://login.example"),
        ("renew", "RENEWAL_SECONDS", "900"),
        ("resolve", "REQUEST_SECONDS", "29"),
        ("sign-in", "SIGN_IN_TENANTS", "contoso.onmicrosoft.com"),
        ("webhook", "CALLBACK_MAX_BYTES", "many"),
        ("webhook", "CERTIFICATE_LOCATIONS", "http://certificates.example/"),
        ("webhook", "SIGNATURE_TRUST_ANCHORS_FILE", "/nowhere/at/all"),
    ];
    let shared = FUNCTIONS.into_iter().flat_map(|function| {
        [(function, "LOG_LEVEL", "loud"), (function, "OUTGOING_TLS_TRUST_ANCHORS_FILE", "/nowhere/at/all")]
    });
    for (function, name, value) in own.into_iter().chain(shared) {
        let environment = with(here.environment(function).await, name, value);
        assert_said(&not_started(function, &environment).await, &format!("{name} can't be used: "));
    }
}
