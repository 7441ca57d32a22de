//! What somebody gets who answers in Microsoft's place, or speaks through its answers: no token, no second request, no line in
//! the log that is his.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use http::Response;
use models::AlertId;
use runtime::chain;
use serde_json::{Value, json};
use tests::{Asked, ByHand, CLIENT_SECRET, Lines, Scripted, Setup, TENANT};

const TOKEN: &str = "made-up-secret-token-7f3a";
const LIST: &str = "/beta/security/partner/securityAlerts";

fn answer(status: u16, body: impl Into<String>) -> Response<String> {
    Response::builder().status(status).body(body.into()).unwrap()
}

/// A Microsoft that signs in anybody and answers to requests for alerts with what `list` makes of its own address.
async fn microsoft(list: impl Fn(&str, &Asked) -> Response<String> + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |own, asked| {
        if asked.path.starts_with(LIST) {
            return list(own, asked);
        }
        let token = json!({ "token_type": "Bearer", "expires_in": 3_599, "access_token": TOKEN });
        answer(200, token.to_string())
    })
    .await
}

/// A system that takes this server for Microsoft, and trusts these besides.
async fn system(microsoft: &Scripted, others: &[&Scripted]) -> ByHand {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anchors.pem");
    let anchors = others.iter().map(|other| other.certificate_pem()).chain([microsoft.certificate_pem()]);
    std::fs::write(&file, anchors.collect::<String>()).unwrap();
    let file = file.display().to_string();
    let variables = [
        ("GLOBAL_GRAPH_URL", microsoft.url()),
        ("GLOBAL_LOGIN_URL", microsoft.url()),
        ("OUTGOING_TLS_TRUST_ANCHORS_FILE", file.as_str()),
    ];
    ByHand::with(Setup { variables: &variables, ..Setup::default() }).await
}

fn lists(microsoft: &Scripted) -> Vec<Asked> {
    microsoft.asked().into_iter().filter(|asked| asked.path.starts_with(LIST)).collect()
}

async fn words(system: &ByHand) -> String {
    chain(&system.reconcile().await.unwrap_err())
}

#[tokio::test]
async fn the_token_goes_to_graph_and_the_secret_to_the_sign_in_and_neither_to_the_other() {
    let microsoft = microsoft(|_, _| answer(200, r#"{"value":[]}"#)).await;
    let system = system(&microsoft, &[]).await;

    system.complete(0, 0).await;

    let asked = microsoft.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].path, format!("/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(asked[0].authorization, None);
    assert!(asked[0].body.contains(CLIENT_SECRET));
    assert_eq!(asked[1].path, LIST);
    assert_eq!(asked[1].authorization, Some(format!("Bearer {TOKEN}")));
    assert_eq!(asked[1].body, "");
}

/// What stands before the id that we gave the request: who answers without one of their own is told by that.
fn before_our_id(words: &str) -> &str {
    let (told, id) = words.rsplit_once(" (client-request-id ").unwrap();
    assert_eq!(id.len(), "00000000-0000-4000-8000-000000000000)".len(), "{words}");
    told
}

#[tokio::test]
async fn a_next_link_that_leaves_graphs_host_is_an_error_and_nobody_is_asked() {
    let attacker = Scripted::start(|_, _| answer(200, r#"{"value":[]}"#)).await;
    let elsewhere = attacker.url().to_owned();
    let port = |url: &str| url.rsplit_once(':').unwrap().1.to_owned();
    let links: [fn(&str, &str, &str) -> String; 9] = [
        |elsewhere, _, _| format!("{elsewhere}{LIST}"),
        |_, own, _| format!("{}{LIST}", own.replace("https:", "http:")),
        |_, _, port| format!("https://localhost:{port}{LIST}"),
        |_, own, _| format!("{}{LIST}", own.replace("https://", "https://somebody@")),
        |elsewhere, own, _| format!("{own}@{}{LIST}", elsewhere.trim_start_matches("https://")),
        |_, own, _| format!("{own}.attacker.example{LIST}"),
        |_, _, _| LIST.to_owned(),
        |elsewhere, _, _| format!("//{}{LIST}", elsewhere.trim_start_matches("https://")),
        |_, _, _| String::new(),
    ];
    for (place, link) in links.into_iter().enumerate() {
        let elsewhere = elsewhere.clone();
        let microsoft = microsoft(move |own, _| {
            let page = json!({ "value": [], "@odata.nextLink": link(&elsewhere, own, &port(own)) });
            answer(200, page.to_string())
        })
        .await;
        let system = system(&microsoft, &[&attacker]).await;

        let error = system.reconcile().await.unwrap_err();

        let words = chain(&error);
        assert!(
            before_our_id(&words).ends_with("gave an answer that can't be used: a next link that leaves Graph's host"),
            "{place}: {words}"
        );
        assert!(error.what_to_do().starts_with("look who answers for Graph"), "{}", error.what_to_do());
        assert_eq!(lists(&microsoft).len(), 1, "{place}");
    }
    assert_eq!(attacker.asked(), []);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let attacker = Scripted::start(|_, _| answer(200, r#"{"value":[]}"#)).await;
    let elsewhere = format!("{}{LIST}", attacker.url());
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = elsewhere.clone();
        let microsoft = microsoft(move |_, _| {
            Response::builder().status(status).header("location", &elsewhere).body(String::new()).unwrap()
        })
        .await;
        let system = system(&microsoft, &[&attacker]).await;

        let words = words(&system).await;

        assert!(words.contains(&format!("was refused with status {status} and code none")), "{words}");
        assert_eq!(lists(&microsoft).len(), 1);
    }
    assert_eq!(attacker.asked(), []);
}

#[tokio::test]
async fn a_refusal_that_no_service_of_microsofts_has_made_says_what_came_and_where_to_look() {
    let in_place = "look for a proxy or an address that is not Microsoft's";
    for (status, body, came, advice) in [
        (404, "<!DOCTYPE html><html>canary</html>", "a web page, and no error in Microsoft's form", in_place),
        (403, "<html>canary</html>", "a web page, and no error in Microsoft's form", in_place),
        (503, "<html>canary</html>", "a web page, and no error in Microsoft's form", in_place),
        (403, "", "an empty body, and no error in Microsoft's form", in_place),
        (404, "canary", "no error in Microsoft's form", in_place),
        (503, "", "an empty body, and no error in Microsoft's form", "Microsoft's service health"),
    ] {
        let microsoft = microsoft(move |_, _| answer(status, body)).await;
        let system = system(&microsoft, &[]).await;

        let error = system.reconcile().await.unwrap_err();

        let words = chain(&error);
        assert!(words.contains(&format!("was refused with status {status} and code none ({came}) after ")), "{words}");
        assert!(!words.contains("canary"), "{words}");
        assert!(error.what_to_do().contains(advice), "{status}: {}", error.what_to_do());
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_asked_nothing() {
    let trusted = microsoft(|_, _| answer(200, r#"{"value":[]}"#)).await;
    let stranger = microsoft(|_, _| answer(200, r#"{"value":[]}"#)).await;
    let system = system(&trusted, &[]).await;
    let parts = runtime::Parts {
        variables: system.parts.variables.clone().with(
            &runtime::Variable { name: "GLOBAL_LOGIN_URL", meaning: "", default: None },
            stranger.url().to_owned(),
        ),
        ..system.parts.clone()
    };
    let poll = poll::wire(&parts).unwrap();
    system.clock.advance(jiff::SignedDuration::from_mins(1));
    let request = models::ReconcileRequest {
        tenant: system.tenant.clone(),
        cause: models::ReconcileCause::Schedule,
        trace: None,
    };

    let words = chain(&poll.reconcile(&request, None).await.unwrap_err());

    assert!(words.contains("sign-in (token) for tenant") && words.contains("invalid peer certificate"), "{words}");
    assert_eq!(stranger.asked(), []);
    assert_eq!(trusted.asked(), []);
}

#[tokio::test]
async fn pages_that_lead_round_in_a_circle_end() {
    let microsoft = microsoft(|own, asked| {
        let next = if asked.path.ends_with('1') { 2 } else { 1 };
        let page = json!({ "value": [], "@odata.nextLink": format!("{own}{LIST}?$skiptoken={next}") });
        answer(200, page.to_string())
    })
    .await;
    let system = system(&microsoft, &[]).await;

    let words = words(&system).await;

    assert!(before_our_id(&words).ends_with("its pages lead back to one that was read"), "{words}");
    let paths: Vec<String> = lists(&microsoft).into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, [LIST.to_owned(), format!("{LIST}?$skiptoken=1"), format!("{LIST}?$skiptoken=2")]);
}

#[tokio::test]
async fn pages_without_end_end_at_the_bound() {
    let count = std::sync::atomic::AtomicU32::new(0);
    let microsoft = microsoft(move |own, _| {
        let next = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let page = json!({ "value": [], "@odata.nextLink": format!("{own}{LIST}?$skiptoken={next}") });
        answer(200, page.to_string())
    })
    .await;
    let system = system(&microsoft, &[]).await;

    let words = words(&system).await;

    assert!(before_our_id(&words).ends_with("gave an answer that can't be used: more than 1000 pages"), "{words}");
    assert_eq!(lists(&microsoft).len(), 1_000);
}

#[tokio::test]
async fn an_answer_without_end_is_dropped_at_its_bound() {
    let microsoft = microsoft(|_, _| answer(200, " ".repeat((16 << 20) + 1))).await;
    let system = system(&microsoft, &[]).await;

    let words = words(&system).await;

    let told = before_our_id(&words);
    assert!(told.ends_with("gave an answer that can't be used: more than 16777216 bytes"), "{words}");
    assert_eq!(lists(&microsoft).len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_no_page_is_an_error_that_repeats_nothing_of_it() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"value":null}"#,
        r#"{"value":{"canary-value":1}}"#,
        r#"{"value":[],"@odata.nextLink":7}"#,
        r#"{"value":"canary-value"}"#,
        "<html>canary-value</html>",
    ] {
        let microsoft = microsoft(move |_, _| answer(200, body)).await;
        let system = system(&microsoft, &[]).await;

        let words = words(&system).await;

        assert!(words.contains("gave an answer that can't be used: no page of alerts ("), "{body}: {words}");
        assert!(!words.contains("canary"), "{words}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_keeps_no_alert_from_landing_and_is_named_in_the_log() {
    let mut alerts: Vec<Value> = (0..20)
        .map(|number| json!({ "id": format!("alert-{number:02}"), "detectedDateTime": "2026-03-02T06:00:00Z" }))
        .collect();
    alerts.insert(7, json!({ "id": "dateless", "displayName": "canary" }));
    alerts.insert(11, json!({ "detectedDateTime": "2026-03-02T06:00:00Z", "displayName": "canary" }));
    alerts.push(json!("canary"));
    let page = json!({ "value": alerts }).to_string();
    let by_bytes = |place: usize| AlertId::of_bytes(alerts[place].to_string().as_bytes()).to_string();
    let microsoft = microsoft(move |_, _| answer(200, page.clone())).await;
    let system = system(&microsoft, &[]).await;
    let lines = Lines::capture("info");

    system.complete(20, 20).await;

    assert_eq!(system.alerts().await.len(), 20);
    let named: Vec<(String, String)> = lines
        .take_values()
        .iter()
        .filter(|line| line["level"] == "ERROR")
        .map(|line| {
            assert_eq!(line["message"], "Microsoft lists an alert that can't be read: it is kept aside");
            assert_eq!(line["tenant.id"], TENANT);
            (line["alert.id"].as_str().unwrap().to_owned(), line["error"].as_str().unwrap().to_owned())
        })
        .collect();
    let expected = [
        ("dateless".to_owned(), "it has no date"),
        (by_bytes(11), "Data error at line 1, column 66"),
        (by_bytes(22), "Data error at line 1, column 8"),
    ];
    assert_eq!(named, expected.map(|(id, problem)| (id, problem.to_owned())));
}

#[tokio::test]
async fn alerts_that_are_built_to_break_an_item_land_cut_and_keep_no_other_from_landing() {
    let alert = |id: &str, more: Value| {
        let mut alert =
            json!({ "id": id, "severity": "high", "status": "active", "detectedDateTime": "2026-03-02T06:00:00Z" });
        alert.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        alert
    };
    let long = "\u{1f4a3}".repeat(300);
    let entry =
        json!({ "statusFrom": long, "statusTo": long, "updatedBy": long, "updatedDateTime": "2026-03-02T06:00:00Z" });
    let escaped = "\u{1}".repeat(4_000);
    let alerts = vec![
        alert("ordinary", json!({})),
        alert("activity", json!({ "activityLogs": vec![entry; 1_000] })),
        alert("empty-resources", json!({ "affectedResources": vec![json!({ "resourceId": "" }); 60_000] })),
        alert(
            "short-resources",
            json!({ "affectedResources": vec![json!({ "resourceId": "r", "resourceType": "" }); 60_000] }),
        ),
        alert(
            "everything",
            json!({
                "displayName": escaped, "description": escaped.repeat(20), "alertType": escaped, "status": escaped,
                "severity": escaped, "confidenceLevel": escaped, "valueAddedResellerTenantId": escaped,
                "catalogOfferId": escaped, "resolvedReason": escaped, "resolvedBy": escaped,
                "affectedResources": vec![json!({ "resourceId": escaped, "resourceType": escaped }); 30],
                "activityLogs": vec![json!({ "statusFrom": escaped, "statusTo": escaped, "updatedBy": escaped }); 10],
                "additionalDetails": { "a": escaped.repeat(2) },
            }),
        ),
        alert("behind", json!({})),
    ];
    let page = json!({ "value": alerts }).to_string();
    let microsoft = microsoft(move |_, _| answer(200, page.clone())).await;
    let system = system(&microsoft, &[]).await;

    system.complete(6, 6).await;

    let mut landed: Vec<String> = system.alerts().await.into_iter().map(|(id, _)| id).collect();
    landed.sort();
    assert_eq!(landed, ["activity", "behind", "empty-resources", "everything", "ordinary", "short-resources"]);
    system.complete(6, 0).await;
}

#[tokio::test]
async fn a_digest_of_alerts_that_swell_in_json_is_written_and_published() {
    let escaped = "\u{1}".repeat(300);
    let alert = |number: u32| {
        json!({
            "id": format!("alert-{number:02}"), "severity": escaped, "status": escaped, "confidenceLevel": escaped,
            "displayName": escaped, "alertType": escaped, "valueAddedResellerTenantId": escaped,
            "detectedDateTime": "2026-03-02T06:00:00Z",
        })
    };
    let page = json!({ "value": (0..60).map(alert).collect::<Vec<_>>() }).to_string();
    let microsoft = microsoft(move |_, _| answer(200, page.clone())).await;
    let system = system(&microsoft, &[]).await;

    system.complete(60, 60).await;
    system.clock.advance(jiff::SignedDuration::from_mins(2));
    system.sweep().await.unwrap();

    let published = system.test.messages.fraud();
    assert_eq!(published.len(), 1);
    let json: Value = serde_json::from_str(&published[0].json).unwrap();
    assert_eq!((json["digest"]["total"].as_u64(), json["digest"]["reason"].as_str()), (Some(60), Some("baseline")));
    assert!(json["digest"]["alerts"].as_array().unwrap().len() >= 10);
}

#[tokio::test]
async fn nothing_of_a_secret_or_of_what_microsoft_says_stands_in_the_log_at_any_level() {
    let hostile = json!({
        "error": { "code": "canary-code\n{\"level\":\"ERROR\"}", "message": "canary-message" }
    });
    let alerts: [Value; 4] = [
        json!({ "id": "canary-id", "detectedDateTime": "canary-date" }),
        json!({ "id": "good-id", "displayName": "canary-name", "description": "canary-description",
                "resolvedBy": "canary-person@partner.example", "detectedDateTime": "2026-03-02T06:00:00Z" }),
        json!({ "id": ["canary-list"] }),
        json!("canary-text"),
    ];
    let answers = std::sync::Mutex::new(vec![
        answer(200, json!({ "value": alerts }).to_string()),
        answer(200, r#"{"value":["canary-cut-off"#),
        answer(400, hostile.to_string()),
        answer(401, hostile.to_string()),
        answer(401, hostile.to_string()),
    ]);
    let microsoft = microsoft(move |_, _| {
        let mut answers = answers.lock().unwrap();
        answers.remove(0)
    })
    .await;
    let system = system(&microsoft, &[]).await;
    let lines = Lines::capture("trace");

    let message = json!({ "tenant": TENANT, "cause": { "callback": { "event": "e".repeat(64) } } }).to_string();
    let failed: Vec<usize> = {
        let mut failed = Vec::new();
        for run in 0..4 {
            system.clock.advance(jiff::SignedDuration::from_mins(1));
            if !system.deliver(&[("m-1", &message)]).await.is_empty() {
                failed.push(run);
            }
        }
        failed
    };
    assert_eq!(failed, [1, 2, 3]);

    let log = lines.take();
    assert!(log.lines().count() >= 6, "{log}");
    for secret in [TOKEN, "Bearer", CLIENT_SECRET] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    // An id that can be read names the alert, and a code, cut to harmless letters, the refusal: nothing else.
    let allowed = ["canary-id", "canary-codelevelERROR"];
    let rest = allowed.iter().fold(log.clone(), |log, text| log.replace(text, ""));
    assert!(!rest.contains("canary"), "{rest}");
    assert!(log.contains("canary-id") && log.contains("canary-codelevelERROR"), "{log}");
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}
