//! Where Partner Center sends a tenant's events.

use serde_json::json;
use simulator::{Denial, FaultKind, Target};
use tests::{PATH_KEY, TENANT};

use crate::support::{Here, PUBLIC, callback_url as url};

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_registered_shown_and_tested_until_the_event_has_arrived() {
    let here = Here::new().await;
    let before = here.told(&["webhook", "show", TENANT]).await;
    assert!(before.contains("WARNING: nothing is registered"), "{before}");

    let events = here.json(&["webhook", "events", TENANT]).await;
    assert!(events.as_array().unwrap().contains(&json!("azure-fraud-event-detected")), "{events}");

    let dry = here.told(&["webhook", "register", TENANT, "--url", &url(), "--dry-run"]).await;
    assert!(dry.starts_with("Would be registered (--dry-run):"), "{dry}");
    assert!(here.test.system.simulator().registration(TENANT).is_none());

    // The address comes by standard input, so that its key stands in no history.
    let register = ["webhook", "register", TENANT, "--url", "-"];
    let made = here.run_with(&register, &format!("{}\n", url())).await;
    assert!(made.status.success(), "{made:?}");
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(said.starts_with("Registered:") && said.contains("Its events come here."), "{said}");
    assert!(!said.contains(PATH_KEY), "{said}");

    let shown = here.json(&["webhook", "show", TENANT]).await;
    let expected = json!({
        "registered": true, "url": format!("{PUBLIC}/callbacks/{TENANT}/…"), "events": events, "problem": null,
    });
    assert_eq!(shown, expected);

    let tested = here.told(&["webhook", "test", TENANT, "--every", "0"]).await;
    assert!(tested.contains("attempt 1: ") && tested.contains("OK (taken)"), "{tested}");
    assert!(tested.contains("The test event is completed after 1 attempts."), "{tested}");

    let id = tested.split_whitespace().nth(2).unwrap();
    let status = here.json(&["webhook", "status", TENANT, id]).await;
    assert_eq!((&status["status"], &status["results"][0]["responseCode"]), (&json!("completed"), &json!("OK")));
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_again_replaces_what_was_registered() {
    let here = Here::new().await;
    here.json(&["webhook", "register", TENANT, "--url", &url()]).await;
    let again = here.json(&["webhook", "register", TENANT, "--url", &url(), "--event", "test-created"]).await;
    assert_eq!(again["events"], json!(["test-created"]));
    assert!(again["problem"].as_str().unwrap().contains("the fraud event is not registered"), "{again}");
    let unknown = here.refused(&["webhook", "register", TENANT, "--url", &url(), "--event", "no-such-event"]).await;
    assert!(unknown.contains("no-such-event") && unknown.contains("webhook events"), "{unknown}");
}

#[tokio::test]
async fn an_address_that_does_not_lead_here_is_not_registered() {
    let here = Here::new().await;
    let other_key = "0".repeat(64);
    for (url, words) in [
        ("https://elsewhere.example/callbacks/x/y".to_owned(), "not one of this deployment"),
        (format!("{PUBLIC}/callbacks/{TENANT}"), "has no path key"),
        (format!("{PUBLIC}/callbacks/{TENANT}/short"), "has no path key"),
        (format!("{PUBLIC}/callbacks/{TENANT}/{other_key}"), "path key that is not valid"),
        (format!("{PUBLIC}/callbacks/0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11/{PATH_KEY}"), "another tenant's"),
        (String::new(), "not one of this deployment"),
    ] {
        let refused = here.refused(&["webhook", "register", TENANT, "--url", &url]).await;
        assert!(refused.contains(words), "{url}: {refused}");
        assert!(!refused.contains(PATH_KEY) && !refused.contains(&other_key), "{refused}");
    }
    assert!(here.test.system.simulator().registration(TENANT).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_that_does_not_arrive_says_what_our_endpoint_answered() {
    let here = Here::new().await;
    here.json(&["webhook", "register", TENANT, "--url", &url()]).await;
    // The certificate can't be had, so the webhook can't decide.
    here.fault(FaultKind::CertificateMissing, Target::Certificate);
    let output = here.run_with(&["webhook", "test", TENANT, "--every", "0"], "").await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("ServiceUnavailable (not decided, so Microsoft tries again"), "{said}");
    assert!(said.contains("The test event is failed after 10 attempts."), "{said}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("the test event did not arrive"));
}

#[tokio::test]
async fn each_refusal_of_microsofts_says_what_to_do() {
    for (denial, target, words) in [
        (Denial::RoleMissing, Target::RegistrationGet, "Admin Agent"),
        (Denial::ApplicationUnregistered, Target::RegistrationGet, "app management"),
        (Denial::AppOnly, Target::RegistrationGet, "app+user"),
        (Denial::WrongAudience, Target::RegistrationGet, "tokens are for that very address"),
        (Denial::ConditionalAccess, Target::RegistrationGet, "sign-in log"),
        (Denial::ConditionalAccess, Target::Token, "sign-in log"),
        (Denial::ConsentMissing, Target::Token, "administrator"),
        (Denial::GrantRevoked, Target::Token, "consent again"),
        (Denial::ApplicationUnknown, Target::Token, "client id"),
        (Denial::WrongCloud, Target::Token, "cloud"),
    ] {
        let here = Here::new().await;
        here.fault(FaultKind::Denied(denial), target);
        let refused = here.refused(&["webhook", "show", TENANT]).await;
        assert!(refused.contains("What to do: ") && refused.contains(words), "{denial:?}: {refused}");
    }
}

#[tokio::test]
async fn a_tenant_that_is_not_there_is_said() {
    let here = Here::new().await;
    let refused = here.refused(&["webhook", "show", "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11"]).await;
    assert!(refused.contains("there is no tenant"), "{refused}");
}
