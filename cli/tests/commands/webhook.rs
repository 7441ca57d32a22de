//! Where Partner Center sends a tenant's events, and what it has kept of who did what.

use std::{collections::BTreeSet, net::TcpListener};

use partner_center::Diagnosis;
use serde_json::json;
use simulator::{AuditRecord, CustomizedData, Denial, Fault, FaultKind, NewAuditRecord, RetryAfter, Target};
use tests::{PATH_KEY, Scripted, TENANT};

use crate::support::{Here, PUBLIC, callback_url as url};

impl Here {
    /// Partner Center keeps a record of something.
    fn audit_record(&self) -> AuditRecord {
        let data = CustomizedData { key: "SubscriptionId".to_owned(), value: "6c2e9a47".to_owned() };
        let new = NewAuditRecord { customized_data: vec![data], ..NewAuditRecord::default() };
        self.test.system.simulator().write_audit_record(new).unwrap()
    }

    /// Trusts this server, too.
    async fn trust(&mut self, other: &Scripted) {
        let anchors = self.test.system.simulator().trust_anchors_pem().to_owned() + other.certificate_pem();
        let file = self.test.folder().join("anchors.pem");
        tokio::fs::write(&file, anchors).await.unwrap();
        self.environment.retain(|(name, _)| name != "OUTGOING_TLS_TRUST_ANCHORS_FILE");
        self.environment.push(("OUTGOING_TLS_TRUST_ANCHORS_FILE".to_owned(), file.display().to_string()));
    }

    /// The path of each request for an audit record.
    fn asked_for_records(&self) -> Vec<String> {
        let recorded = self.test.system.simulator().recorded().into_iter().map(|request| request.path);
        recorded.filter(|path| path.contains("auditrecords")).collect()
    }
}

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
    assert_eq!(status["callbackUrl"], format!("{PUBLIC}/callbacks/{TENANT}/…"));
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
async fn what_is_tried_again_is_the_same_work_by_another_name() {
    let here = Here::new().await;
    for kind in [FaultKind::Fail { status: 503 }, FaultKind::ExpiredToken] {
        let fault = Fault::new(Target::RegistrationPost, kind).times(1);
        here.test.system.simulator().set_fault(fault).unwrap();
    }

    here.json(&["webhook", "register", TENANT, "--url", &url()]).await;

    let recorded = here.test.system.simulator().recorded();
    let posts: Vec<_> =
        recorded.iter().filter(|request| request.method == "POST" && request.path.ends_with("/registration")).collect();
    assert_eq!(posts.len(), 3, "{recorded:#?}");
    let distinct = |ids: Vec<&Option<String>>| {
        assert!(ids.iter().all(|id| id.as_ref().is_some_and(|id| id.len() == 36)), "{ids:?}");
        ids.into_iter().collect::<BTreeSet<_>>().len()
    };
    assert_eq!(distinct(posts.iter().map(|post| &post.request_id).collect()), 1);
    assert_eq!(distinct(posts.iter().map(|post| &post.correlation_id).collect()), 3);
    // Another call is other work.
    let others = recorded.iter().filter(|request| request.method == "GET").map(|get| &get.request_id);
    assert_eq!(
        distinct(others.chain([&posts[0].request_id]).collect()),
        4,
        "the events, what is registered, that again, the POST"
    );
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
async fn another_programs_registration_is_not_taken_away_without_a_word() {
    let mut here = Here::new().await;
    here.json(&["webhook", "register", TENANT, "--url", &url()]).await;
    // Another deployment takes the registration over.
    let elsewhere = "https://other.example/hooks/";
    here.set("CALLBACK_BASE_URL", elsewhere);
    let theirs = format!("{elsewhere}{TENANT}/{PATH_KEY}");
    let register = ["webhook", "register", TENANT, "--url", &theirs];
    for arguments in [&register[..], &[&register[..], &["--dry-run"]].concat()] {
        let refused = here.refused(arguments).await;
        assert!(refused.contains(&format!("{PUBLIC}/callbacks/{TENANT}/… is registered")), "{refused}");
        assert!(refused.contains("--replace"), "{refused}");
    }
    assert!(
        here.told(&["webhook", "show", TENANT]).await.contains("WARNING: the address is not one of this deployment")
    );
    here.told(&[&register[..], &["--replace"]].concat()).await;
    assert!(here.told(&["webhook", "show", TENANT]).await.contains("Its events come here."));

    here.set("CALLBACK_BASE_URL", &format!("{PUBLIC}/callbacks/"));
    let tested = here.run(&["webhook", "test", TENANT, "--every", "0", "--patience", "1"]).await;
    let said = String::from_utf8(tested.stdout).unwrap();
    assert!(said.starts_with("WARNING: the address is not one of this deployment"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_is_asked_for_again_when_microsoft_has_had_enough_and_followed_through_trouble() {
    let here = Here::new().await;
    here.json(&["webhook", "register", TENANT, "--url", &url()]).await;
    let throttled = FaultKind::Throttle { retry_after: RetryAfter::Seconds(57) };
    here.simulator().set_fault(Fault::new(Target::TestEvent, throttled).times(2)).unwrap();
    here.simulator().set_fault(Fault::new(Target::TestEventStatus, FaultKind::Fail { status: 503 }).times(4)).unwrap();
    let tested = here.told(&["webhook", "test", TENANT, "--every", "0"]).await;
    assert_eq!(tested.matches("Microsoft sends two a minute at most: trying again").count(), 2, "{tested}");
    assert_eq!(tested.matches("Microsoft did not say how it fares").count(), 1, "{tested}");
    assert!(tested.contains("The test event is completed after 1 attempts."), "{tested}");
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
    for (denial, target, diagnosis) in [
        (Denial::RoleMissing, Target::RegistrationGet, Diagnosis::RoleLacking),
        (Denial::ApplicationUnregistered, Target::RegistrationGet, Diagnosis::NotInPartnerCenter),
        (Denial::AppOnly, Target::RegistrationGet, Diagnosis::AppOnlyNotAllowed),
        (Denial::WrongAudience, Target::RegistrationGet, Diagnosis::AudienceRetired),
        (Denial::ConditionalAccess, Target::RegistrationGet, Diagnosis::ConditionalAccess),
        (Denial::ConditionalAccess, Target::Token, Diagnosis::ConditionalAccess),
        (Denial::ConsentMissing, Target::Token, Diagnosis::ConsentMissing),
        (Denial::GrantRevoked, Target::Token, Diagnosis::RefreshTokenRevoked),
        (Denial::ApplicationUnknown, Target::Token, Diagnosis::ApplicationUnknown),
        (Denial::WrongCloud, Target::Token, Diagnosis::WrongCloud),
    ] {
        let here = Here::new().await;
        here.fault(FaultKind::Denied(denial), target);
        let refused = here.refused(&["webhook", "show", TENANT]).await;
        let advice = format!("What to do: {}\n", diagnosis.what_to_do());
        assert!(refused.ends_with(&advice), "{denial:?}: {refused}");
    }
}

#[tokio::test]
async fn a_tenant_that_is_not_there_is_said() {
    let here = Here::new().await;
    let refused = here.refused(&["webhook", "show", "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11"]).await;
    assert!(refused.contains("there is no tenant"), "{refused}");
}

#[tokio::test]
async fn an_audit_record_is_shown_by_its_main_members_or_as_it_is() {
    let here = Here::new().await;
    let record = here.audit_record();
    let told = here.told(&["webhook", "audit", TENANT, &record.id]).await;
    let lines: Vec<_> = told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        format!("record {}", record.id),
        format!("when {}", record.operation_date),
        "what azure_fraud_event_detected (succeeded)".to_owned(),
        "of subscription".to_owned(),
        "who adele@fabrikam.example (Partner Center Native App)".to_owned(),
        format!("customer Contoso Ltd ({})", record.customer_id),
        "with SubscriptionId 6c2e9a47".to_owned(),
    ];
    assert_eq!(lines, expected);

    let whole = here.json(&["webhook", "audit", TENANT, &record.id]).await;
    assert_eq!(whole, serde_json::to_value(&record).unwrap());
}

#[tokio::test]
async fn the_token_for_an_audit_record_goes_to_partner_center_whatever_host_its_address_names() {
    let mut here = Here::new().await;
    let elsewhere = Scripted::start(|_, _| http::Response::new("{}")).await;
    here.trust(&elsewhere).await;
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    plain.set_nonblocking(true).unwrap();
    let AuditRecord { id, .. } = here.audit_record();
    let host = elsewhere.url().trim_start_matches("https://");
    let own = here.test.system.simulator().partner_center_url();

    let named = [
        format!("{own}/auditactivity/v1/auditrecords/{id}"),
        format!("{own}/v1/auditrecords/{id}"),
        format!("https://{host}/auditactivity/v1/auditrecords/{id}"),
        format!("https://{host}/v1/auditrecords/{id}"),
        format!("https://somebody:word@{host}/v1/auditrecords/{id}"),
        format!("{own}@{host}/v1/auditrecords/{id}"),
        format!("https://{host}/x/../v1/auditrecords/{id}?next=https://{host}/#{host}"),
        format!("http://{}/v1/auditrecords/{id}", plain.local_addr().unwrap()),
    ];
    for uri in &named {
        assert_eq!(here.json(&["webhook", "audit", TENANT, uri]).await["id"], id.as_str(), "{uri}");
    }
    for uri in [
        format!("https://{host}/v1/auditrecords/../{id}"),
        format!("https://{host}/v1/auditrecords/{id}/.."),
        format!("https://{host}/v1/auditrecords/{id}%2f..%2f..%2fcustomers"),
        format!("https://{host}/v1/customers/{id}"),
        format!("{id}/../../customers"),
        format!("//{host}/v1/auditrecords/{id}"),
    ] {
        let output = here.run_with(&["webhook", "audit", TENANT, &uri], "").await;
        assert_eq!(output.status.code(), Some(2), "{uri}: {output:?}");
    }

    assert_eq!(elsewhere.asked(), []);
    assert_eq!(plain.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(here.asked_for_records(), vec![format!("/auditactivity/v1/auditrecords/{id}"); named.len()]);
}

#[tokio::test]
async fn an_audit_record_of_another_tenant_is_not_asked_for() {
    let here = Here::new().await;
    let id = here.audit_record().id.replace(TENANT, "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11");
    let refused = here.refused(&["webhook", "audit", TENANT, &id]).await;
    assert!(refused.contains("is one of tenant 0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11"), "{refused}");
    assert_eq!(here.asked_for_records(), [""; 0]);
}

#[tokio::test]
async fn an_audit_record_that_is_refused_says_why_and_what_support_asks_for() {
    let here = Here::new().await;
    let AuditRecord { id, .. } = here.audit_record();
    let unknown = id.replace("azurefraudeventdetected", "nothingofthekind");
    let gone = here.refused(&["webhook", "audit", TENANT, &unknown]).await;
    assert!(gone.contains("keeps one for 90 days: reading an audit record for tenant"), "{gone}");
    for name in ["MS-RequestId", "MS-CorrelationId", "MS-CV"] {
        assert!(gone.contains(&format!("{name} ")), "{gone}");
    }
    // The ids are those that we gave the call, which Partner Center repeats.
    let recorded = here.test.system.simulator().recorded();
    let asked = recorded.iter().find(|request| request.path.contains("auditrecords")).unwrap();
    assert!(gone.contains(&format!("MS-RequestId {}", asked.request_id.as_ref().unwrap())), "{gone}");

    here.fault(FaultKind::Denied(Denial::RoleMissing), Target::AuditRecord);
    let refused = here.refused(&["webhook", "audit", TENANT, &id]).await;
    assert!(refused.contains("What to do: ") && refused.contains("Admin Agent"), "{refused}");
}
