//! An alert that can't be read: kept aside with its bytes, and nothing else is the worse for it.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use models::AlertSource;
use runtime::Counts;
use serde_json::{Value, json};
use simulator::{AlertChange, FaultKind};
use tests::{ByHand, Item, Lines, Setup, TENANT, number, text};

use crate::support::{fault, id_of, list_of, of_s, of_source, raise_of_s, severity, to_be_published, turn_to};

/// What is kept aside of the seed tenant: the id, and the item.
async fn aside(system: &ByHand) -> Vec<(String, Item)> {
    let items = system.items(&system.test.system.tables().alerts).await;
    let of_tenant = items.into_iter().filter(|item| text(item, "pk") == TENANT);
    of_tenant.filter_map(|item| Some((text(&item, "sk").strip_prefix("unreadable#")?.to_owned(), item))).collect()
}

fn body(item: &Item) -> Value {
    let AttributeValue::B(bytes) = &item["body"] else { panic!("{item:?}") };
    serde_json::from_slice(bytes.as_ref()).unwrap()
}

#[tokio::test]
async fn the_bytes_are_kept_the_neighbours_land_and_the_log_has_the_id_alone() {
    for source in AlertSource::ALL {
        let system = of_source(source, Setup::default()).await;
        system.baseline().await;
        system.raise_as(simulator::NewAlert { description: Some("canary-value".to_owned()), ..of_s("bad") });
        raise_of_s(&system, 20);
        fault(&system, list_of(source), FaultKind::UnreadableAlert);
        let lines = Lines::capture("debug");

        system.complete(20, 20).await;

        assert_eq!(system.alerts().await.len(), 20, "{source:?}");
        assert_eq!(to_be_published(&system).await.len(), 20, "{source:?}");
        let kept = aside(&system).await;
        let [(id, item)] = kept.as_slice() else { panic!("{source:?}: {kept:?}") };
        assert_eq!(*id, id_of(source, "bad"));
        assert!(body(item).to_string().contains("canary-value"), "{source:?}");
        assert_eq!(text(item, "problem"), "it has no date");
        let log = lines.take();
        assert!(!log.contains("canary"), "{log}");
        let line = log.lines().find(|line| line.contains("can't be read: it is kept aside")).unwrap();
        assert!(line.contains(&format!(r#""alert.id":"{id}""#)), "{line}");
        let counted = Counts::new()
            .with("TenantsPolled", 1)
            .with("AlertsListed", 20)
            .with("AlertsUnreadable", 1)
            .with("AlertsBroken", 0)
            .with("AlertsChanged", 20)
            .with("AlertsVanished", 0)
            .with("DecisionsNotAccepted", 0)
            .with("AlertsFoundWithoutCallback", 20)
            .with("StatisticsRejected", 0);
        assert_eq!(system.counted.take().last(), Some(&counted), "{source:?}");
    }
}

#[tokio::test]
async fn seen_again_as_it_was_it_is_not_written_again_and_changed_it_is_kept_as_it_came_last() {
    let system = of_source(AlertSource::Graph, Setup::default()).await;
    system.raise_as(of_s("bad"));
    system.raise_as(of_s("good"));
    fault(&system, list_of(AlertSource::Graph), FaultKind::UnreadableAlert);
    system.complete(1, 1).await;
    let first = aside(&system).await.remove(0).1;
    let _ = system.tap.take();

    system.complete(1, 0).await;

    assert_eq!(
        system.tap.take_operations(),
        ["Query", "UpdateItem", "Query", "UpdateItem"],
        "tenants, lease, hint, lease"
    );
    assert_eq!(aside(&system).await.remove(0).1, first);

    system.change("bad", AlertChange { description: Some("changed".to_owned()), ..AlertChange::default() });
    system.complete(1, 0).await;
    let second = aside(&system).await.remove(0).1;
    assert_eq!(body(&second)["description"], "changed");
    assert_eq!(text(&second, "first_seen"), text(&first, "first_seen"));
    assert!(text(&second, "last_seen") > text(&first, "last_seen"));

    // After a day everything is looked at in full, which keeps it from expiring for as long as Microsoft lists it.
    system.clock.advance(SignedDuration::from_hours(25));
    system.complete(1, 0).await;
    let third = aside(&system).await.remove(0).1;
    assert_eq!(number(&third, "expires_at"), system.now().as_second() + 30 * 86_400);
    assert!(number(&third, "expires_at") > number(&second, "expires_at"));
}

#[tokio::test]
async fn once_it_can_be_read_it_lands_and_what_was_kept_aside_says_so() {
    for source in AlertSource::ALL {
        let system = of_source(source, Setup::default()).await;
        system.baseline().await;
        system.raise_as(of_s("bad"));
        fault(&system, list_of(source), FaultKind::UnreadableAlert);
        system.complete(0, 0).await;
        system.microsoft.clear_faults();

        system.complete(1, 1).await;

        assert_eq!(system.alerts().await, [(id_of(source, "bad"), 1)]);
        assert_eq!(to_be_published(&system).await.len(), 1, "{source:?}");
        let readable = text(&aside(&system).await[0].1, "readable_since");
        assert_eq!(readable, "2026-03-02T09:03:00.000Z");
        let _ = system.tap.take();
        system.complete(1, 0).await;
        assert_eq!(system.tap.take_operations(), ["Query", "UpdateItem", "Query", "UpdateItem"], "once is enough");

        // And when it can't be read once more, the alert stays as it was, and is kept aside anew.
        fault(&system, list_of(source), FaultKind::UnreadableAlert);
        system.complete(0, 0).await;
        assert_eq!(text(&aside(&system).await[0].1, "readable_since"), "");
        assert_eq!(system.alerts().await, [(id_of(source, "bad"), 1)]);
        system.microsoft.clear_faults();
        system.complete(1, 0).await;
        assert_ne!(text(&aside(&system).await[0].1, "readable_since"), "");
    }
}

#[tokio::test]
async fn a_table_that_refuses_it_keeps_no_neighbour_from_landing_and_the_next_run_tries_again() {
    let system = of_source(AlertSource::Graph, Setup::default()).await;
    system.baseline().await;
    system.raise_as(of_s("bad"));
    system.raise_as(of_s("good"));
    fault(&system, list_of(AlertSource::Graph), FaultKind::UnreadableAlert);
    // The lease, then what is to be kept aside.
    system.tap.pass("UpdateItem");
    system.tap.refuse("UpdateItem", "ValidationException");
    let lines = Lines::capture("info");

    system.complete(1, 1).await;

    assert_eq!(aside(&system).await.len(), 0);
    assert!(lines.take().contains("an alert that can't be read could not be kept aside"));
    system.change("good", severity("low"));
    system.complete(1, 1).await;
    assert_eq!(aside(&system).await.len(), 1);
}

#[tokio::test]
async fn of_two_without_an_id_each_is_kept_under_the_hash_of_its_bytes() {
    let page = json!({ "value": [{ "displayName": "one" }, { "displayName": "two" }, { "id": 7 }] }).to_string();
    let microsoft = tests::Scripted::start(move |_, asked| {
        let token = json!({ "token_type": "Bearer", "expires_in": 3_599, "access_token": "token" }).to_string();
        let body = if asked.path.contains("securityAlerts") { page.clone() } else { token };
        http::Response::builder().status(200).body(body).unwrap()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anchors.pem");
    std::fs::write(&file, microsoft.certificate_pem()).unwrap();
    let variables = [
        ("GLOBAL_GRAPH_URL", microsoft.url()),
        ("GLOBAL_LOGIN_URL", microsoft.url()),
        ("OUTGOING_TLS_TRUST_ANCHORS_FILE", &file.display().to_string()),
    ];
    let system = ByHand::with(Setup { variables: &variables, ..Setup::default() }).await;

    system.complete(0, 0).await;
    system.complete(0, 0).await;

    let kept = aside(&system).await;
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|(id, _)| id.starts_with("sha256:") && id.len() == 39), "{kept:?}");
}

#[tokio::test]
async fn one_byte_that_is_no_text_costs_its_alert_alone_and_neither_its_page_nor_the_next() {
    const BAD: &[u8] = b"{\"id\":\"bad\",\"eventId\":\"bad\",\"displayName\":\"Jos\xe9\"}";
    let microsoft = tests::Scripted::start(move |own, asked| {
        let good = |id: &str| {
            let at = "2026-03-02T06:00:00Z";
            json!({ "id": id, "eventId": id, "detectedDateTime": at, "eventTime": at }).to_string().into_bytes()
        };
        let list = |alerts: &[&[u8]]| [b"[".as_slice(), &alerts.join(&b','), b"]"].concat();
        let first = list(&[&good("before"), BAD, &good("behind")]);
        let body = match asked.path.as_str() {
            path if path.starts_with("/v1/fraudEvents") => match path.rsplit_once('=').unwrap().1 {
                "1" => first,
                "2" => list(&[&good("next-page")]),
                _ => list(&[]),
            },
            "/beta/security/partner/securityAlerts" => {
                let link = format!(r#","@odata.nextLink":"{own}/beta/security/partner/securityAlerts?page=2"}}"#);
                [b"{\"value\":", first.as_slice(), link.as_bytes()].concat()
            }
            path if path.contains("securityAlerts") => {
                [b"{\"value\":", list(&[&good("next-page")]).as_slice(), b"}"].concat()
            }
            _ => {
                json!({ "token_type": "Bearer", "expires_in": 3_599, "access_token": "token" }).to_string().into_bytes()
            }
        };
        http::Response::builder().status(200).body(body).unwrap()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anchors.pem");
    std::fs::write(&file, microsoft.certificate_pem()).unwrap();
    let variables = [
        ("GLOBAL_GRAPH_URL", microsoft.url()),
        ("GLOBAL_PARTNER_CENTER_URL", microsoft.url()),
        ("GLOBAL_LOGIN_URL", microsoft.url()),
        ("OUTGOING_TLS_TRUST_ANCHORS_FILE", &file.display().to_string()),
    ];
    for source in AlertSource::ALL {
        let system = ByHand::with(Setup { variables: &variables, ..Setup::default() }).await;
        turn_to(&system, source).await;

        system.complete(3, 3).await;

        let landed: Vec<_> = system.alerts().await.into_iter().map(|(id, _)| id).collect();
        assert_eq!(landed, ["before", "behind", "next-page"], "{source:?}");
        let kept = aside(&system).await;
        let [(id, item)] = kept.as_slice() else { panic!("{source:?}: {kept:?}") };
        assert_eq!(id, "bad");
        let AttributeValue::B(bytes) = &item["body"] else { panic!("{item:?}") };
        assert_eq!(bytes.as_ref(), BAD, "{source:?}: as it came");
    }
}
