//! What is wrong with a credential is told apart, and is no other's trouble.

use jiff::SignedDuration;
use models::Purpose;
use serde_json::{Value, json};
use simulator::{Denial, FaultKind, RetryAfter};
use store::WriteTenants as _;
use tests::{Lines, wire::Fault};

use crate::support::{CONTOSO, FABRIKAM, Found, KEY, TAILSPIN, World, app_only};

/// The one line about the read secret of Contoso, at this level.
fn line(lines: &Lines, level: &str) -> Value {
    let about = |line: &Value| line["credential"] == "read" && line["tenant.id"] == CONTOSO && line["level"] == level;
    let mut found: Vec<_> = lines.take_values().into_iter().filter(about).collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[tokio::test]
async fn one_tenants_failure_leaves_the_others_renewed() {
    let world = World::with(&[("RENEWAL_SECONDS", "1")]).await;
    let refused = world.add(CONTOSO).await;
    let slow = world.add(FABRIKAM).await;
    let healthy = world.add(TAILSPIN).await;
    world.microsoft.revoke_grants(CONTOSO);
    world.sign_ins_fail(FABRIKAM, FaultKind::Slow { milliseconds: 60_000 });

    let counts = world.counts().await;

    let found = Found { checked: 6, failed: 2, undecided: 2, renewed: 2, undated: 6, ..Found::TWO_WORK };
    assert_eq!(counts, found.counts());
    for purpose in Purpose::ALL {
        assert_eq!(world.outcome(&refused, purpose).await, "refresh-token-revoked");
        assert_eq!(world.outcome(&slow, purpose).await, "out-of-time");
        assert_eq!(world.outcome(&healthy, purpose).await, "ok");
        assert!(world.secret(&healthy, purpose).await["refresh_token_obtained"].is_string());
    }
}

#[tokio::test]
async fn what_microsoft_refuses_is_noted_and_logged_with_what_to_do() {
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(60) };
    for (kind, outcome, failed) in [
        (FaultKind::Denied(Denial::GrantRevoked), "refresh-token-revoked", true),
        (FaultKind::Denied(Denial::ConsentMissing), "consent-missing", true),
        (FaultKind::Denied(Denial::ConditionalAccess), "conditional-access", true),
        (FaultKind::Denied(Denial::ApplicationUnknown), "application-unknown", true),
        (FaultKind::Denied(Denial::WrongCloud), "wrong-cloud", true),
        (throttled, "throttled", false),
        (FaultKind::Fail { status: 503 }, "unavailable", false),
        (FaultKind::Reset, "unavailable", false),
    ] {
        let world = World::new().await;
        let tenant = world.add(CONTOSO).await;
        let token = world.token(&tenant, Purpose::Read).await;
        world.sign_ins_fail(CONTOSO, kind);
        let lines = Lines::capture("info");

        let counts = world.counts().await;

        let (failures, undecided) = if failed { (2, 0) } else { (0, 2) };
        assert_eq!(counts, Found { failed: failures, undecided, ..Found::TWO_WORK }.counts(), "{outcome}");
        assert_eq!(world.outcome(&tenant, Purpose::Read).await, outcome);
        assert_eq!(world.known(&tenant, Purpose::Read).await.checked, Some(world.now()));
        assert_eq!(world.token(&tenant, Purpose::Read).await, token);
        let line = line(&lines, if failed { "ERROR" } else { "WARN" });
        assert_eq!(line["diagnosis"], outcome, "{line}");
        let diagnosis = partner_center::Diagnosis::ALL.into_iter().find(|known| known.code() == outcome).unwrap();
        assert_eq!(line["advice"], diagnosis.what_to_do());
        let error = line["error"].as_str().unwrap();
        assert!(error.starts_with("the sign-in failed: sign-in (token) for tenant 9f1c7f3e"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_can_not_be_used_is_nobodys_to_mend_and_no_verdict() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    world.sign_ins_fail(CONTOSO, FaultKind::Truncated);
    let lines = Lines::capture("info");
    assert_eq!(world.counts().await, Found { undecided: 2, ..Found::TWO_WORK }.counts());
    assert_eq!(world.outcome(&tenant, Purpose::Read).await, "sign-in-unreadable");
    let error = line(&lines, "WARN")["error"].as_str().unwrap().to_owned();
    assert!(error.ends_with("no access_token and expires_in"), "{error}");
}

#[tokio::test]
async fn a_secret_that_can_not_be_used_or_kept_says_so() {
    let unusable = [
        ("GetSecretValue", "AccessDeniedException", "secret-not-read", true),
        ("GetSecretValue", "ResourceNotFoundException", "secret-not-read", true),
        ("GetSecretValue", "InternalServiceError", "secret-not-read", false),
        ("PutSecretValue", "AccessDeniedException", "refresh-token-not-kept", true),
        ("PutSecretValue", "ThrottlingException", "refresh-token-not-kept", false),
        ("UpdateSecretVersionStage", "AccessDeniedException", "refresh-token-not-kept", true),
    ];
    for (operation, code, outcome, failed) in unusable {
        let world = World::new().await;
        let tenant = world.add(CONTOSO).await;
        let refusal = json!({ "__type": code, "message": "no" }).to_string();
        world.wire.plan_always(operation, Fault::Refused(400, refusal));
        let lines = Lines::capture("info");

        let counts = world.counts().await;

        let (failures, undecided) = if failed { (2, 0) } else { (0, 2) };
        // Of a secret that was never read, no age is known.
        let oldest_days = (operation != "GetSecretValue").then_some(0);
        let found = Found { failed: failures, undecided, oldest_days, ..Found::TWO_WORK };
        assert_eq!(counts, found.counts(), "{operation} {code}");
        assert_eq!(world.outcome(&tenant, Purpose::Read).await, outcome, "{operation} {code}");
        let line = line(&lines, if failed { "ERROR" } else { "WARN" });
        assert!(line["error"].as_str().unwrap().contains(code), "{line}");
        assert_eq!(line["diagnosis"], Value::Null);
    }
}

#[tokio::test]
async fn what_a_malformed_secret_holds_is_not_repeated() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    world.write(&tenant, Purpose::Read, &json!({ "client_id": "marker", "client_secret": ["marker"] })).await;
    let lines = Lines::capture("trace");
    world.tick().await;
    assert_eq!(world.outcome(&tenant, Purpose::Read).await, "secret-malformed");
    assert_eq!(world.outcome(&tenant, Purpose::Act).await, "ok");
    let text = lines.take();
    assert!(text.contains("it is not JSON with client_id"), "{text}");
    assert!(!text.contains("marker"), "{text}");
}

#[tokio::test]
async fn no_secret_is_in_a_log_whatever_happens() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    let lines = Lines::capture("trace");
    let mut tokens = Vec::new();
    for trouble in [None, Some("PutSecretValue"), Some("UpdateSecretVersionStage"), Some("GetSecretValue"), None] {
        world.wire.clear();
        if let Some(operation) = trouble {
            world.wire.plan_always(operation, Fault::access_denied());
        }
        tokens.push(world.token(&tenant, Purpose::Read).await);
        tokens.push(world.token(&tenant, Purpose::Act).await);
        world.tick().await;
        world.clock.advance(SignedDuration::from_hours(24));
    }
    world.wire.clear();
    world.microsoft.revoke_grants(CONTOSO);
    world.tick().await;
    let text = lines.take();
    assert!(text.lines().count() > 10, "{text}");
    let secret = tests::CLIENT_SECRET.to_owned();
    let private = KEY.lines().nth(1).unwrap().to_owned();
    for secret in tokens.into_iter().chain([secret, private, "eyJ".to_owned(), "Bearer".to_owned()]) {
        assert!(!text.contains(&secret), "{secret} is in the log: {text}");
    }
}

#[tokio::test]
async fn a_tenant_that_is_switched_off_is_kept_alive_and_its_failure_is_a_warning_that_counts_nowhere() {
    let world = World::new().await;
    let mut off = world.add(CONTOSO).await;
    off.active = false;
    world.store.put_tenant(&off).await.unwrap();
    let quiet = Found { undated: 0, oldest_days: None, ..Found::TWO_WORK };
    assert_eq!(world.counts().await, Found { renewed: 2, ..quiet }.counts());
    assert!(world.secret(&off, Purpose::Act).await["refresh_token_obtained"].is_string());
    world.microsoft.revoke_grants(CONTOSO);
    world.clock.advance(SignedDuration::from_hours(24 * 100));
    let lines = Lines::capture("info");
    assert_eq!(world.counts().await, quiet.counts());
    assert_eq!(world.outcome(&off, Purpose::Read).await, "refresh-token-revoked");
    assert_eq!(line(&lines, "WARN")["diagnosis"], "refresh-token-revoked");
}

#[tokio::test]
async fn a_tenant_that_can_not_be_read_is_counted_and_no_others_trouble() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    world.spoil(FABRIKAM).await;
    assert_eq!(world.counts().await, Found { renewed: 2, unreadable: 1, ..Found::TWO_WORK }.counts());
    assert_eq!(world.outcome(&tenant, Purpose::Read).await, "ok");
}

#[tokio::test]
async fn a_secret_that_a_tenant_does_not_have_is_left_alone() {
    let world = World::new().await;
    let mut read_only = world.add(FABRIKAM).await;
    read_only.act_secret = None;
    world.store.put_tenant(&read_only).await.unwrap();
    world.write(&read_only, Purpose::Read, &app_only(&read_only)).await;
    let found = Found { checked: 1, undated: 1, oldest_days: None, ..Found::TWO_WORK };
    assert_eq!(world.counts().await, found.counts());
    assert_eq!(world.microsoft.requests().token, 2, "for Graph and for Partner Center");
    assert_eq!(world.known(&read_only, Purpose::Act).await.checked, None);
}

#[tokio::test]
async fn where_the_tenants_can_not_be_read_the_invocation_fails_and_counts_nothing() {
    let world = World::new().await;
    world.wire.plan_always("Query", Fault::access_denied());
    let invocation = serde_json::from_value(json!({ "task": "renew" })).unwrap();
    let error = world.another().handle(invocation, "a-run").await.unwrap_err();
    let words = runtime::chain(&error);
    let expected = "the tenants could not be read: Query on the tenants table failed (AccessDeniedException)";
    assert!(words.starts_with(expected), "{words}");
    assert_eq!(world.counted.take(), [], "the alarm on missing counts tells");
}

#[tokio::test]
async fn where_the_store_takes_no_notes_a_credential_is_undecided_and_untouched() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    let token = world.token(&tenant, Purpose::Read).await;
    world.wire.plan_always("UpdateItem", Fault::access_denied());
    let found = Found { undecided: 2, oldest_days: None, ..Found::TWO_WORK };
    assert_eq!(world.counts().await, found.counts());
    assert_eq!(world.token(&tenant, Purpose::Read).await, token, "without the lease nobody writes");
    assert_eq!(world.microsoft.requests().token, 0);
}
