//! Places that are none, or none any more: the token goes nowhere for them, and the list is read anew.

use http::Response;
use models::AlertSource;
use partner_center::{Limits, ListAlerts as _, MicrosoftError, Place, Walk};
use simulator::{Denial, ErrorBody, FaultKind, RetryAfter};
use tests::Scripted;

use crate::support::{MANY, World, all, ids, page, rest, tenant};

#[tokio::test]
async fn a_place_that_its_source_has_not_given_leads_nowhere() {
    let attacker = Scripted::start(|_, _| Response::new(r#"{"value":[]}"#)).await;
    let evil = attacker.url().trim_start_matches("https://").to_owned();
    let world = World::with(2, 1).await;
    let client = world.client_trusting(Limits::default(), attacker.certificate_pem());
    let mut given = Vec::new();
    for source in AlertSource::ALL {
        let mut walk = Walk::new(MANY);
        page(&mut walk, &client, source).await.unwrap();
        given.push((source, walk.place().unwrap().0.as_str().to_owned()));
    }
    let before = world.microsoft.requests();
    let (long, longer) = ("0".repeat(9_000), "9".repeat(40));
    let forged = [
        String::new(),
        format!("https://{evil}/"),
        format!("@{evil}/"),
        format!("//{evil}/"),
        format!("\\\\{evil}/"),
        format!(".{evil}/"),
        format!(":1@{evil}/"),
        format!(":{}/", evil.rsplit(':').next().unwrap()),
        "beta/security/partner/securityAlerts".to_owned(),
        format!("/\r\nHost: {evil}\r\n"),
        format!("\t//{evil}"),
        "/with a space".to_owned(),
        "/ä".to_owned(),
        format!("/?{long}"),
        "0.1.ids".to_owned(),
        "1.1".to_owned(),
        "-1.1.ids".to_owned(),
        format!("{longer}.1.ids"),
        format!("{}.1.ids", usize::MAX),
        "1.x.ids".to_owned(),
        format!("1.1.{long}"),
    ];
    for (source, others) in
        AlertSource::ALL.into_iter().flat_map(|source| given.iter().map(move |other| (source, other)))
    {
        let of_the_other = (others.0 != source).then(|| others.1.clone());
        for text in forged.iter().chain(&of_the_other) {
            let place = Place::from(text.clone());
            let error = client.page(&tenant(source), Some(&place)).await.unwrap_err();
            assert!(
                matches!(error, MicrosoftError::PlaceRefused { source: None, .. }),
                "{source:?}, {text:?}: {error:?}"
            );
            assert!(error.is_about_the_place(), "{text:?}");
        }
    }
    assert_eq!(world.microsoft.requests(), before, "nobody was asked");
    assert_eq!(attacker.asked(), []);
}

#[tokio::test]
async fn a_place_on_graphs_host_that_is_none_of_its_list_is_refused_there() {
    let attacker = Scripted::start(|_, _| Response::new(r#"{"value":[]}"#)).await;
    let evil = attacker.url().trim_start_matches("https://").to_owned();
    let world = World::with(2, 1).await;
    let client = world.client_trusting(Limits::default(), attacker.certificate_pem());
    for text in [format!("/\\{evil}/"), format!("/..//{evil}/"), format!("/{evil}"), "/?$skiptoken=made-up".to_owned()]
    {
        let error = client.page(&tenant(AlertSource::Graph), Some(&Place::from(text.clone()))).await.unwrap_err();
        assert!(error.is_about_the_place(), "{text:?}: {error:?}");
    }
    assert_eq!(attacker.asked(), []);
}

fn answer(status: u16, body: ErrorBody) -> FaultKind {
    FaultKind::Answer { status, body, retry_after: RetryAfter::Absent }
}

#[tokio::test]
async fn a_place_that_microsoft_finds_fault_with_is_told_from_trouble_and_the_list_can_be_read_anew() {
    let world = World::with(6, 2).await;
    for source in AlertSource::ALL {
        let client = world.client();
        let mut refused =
            vec![answer(410, ErrorBody::Graph), answer(400, ErrorBody::Html), answer(404, ErrorBody::Empty)];
        if source == AlertSource::Graph {
            refused.extend([FaultKind::ExpiredNextLink, answer(404, ErrorBody::Graph)]);
        }
        for kind in refused {
            let mut walk = Walk::new(MANY);
            page(&mut walk, &client, source).await.unwrap();
            assert!(walk.place().is_some());
            world.fault_after(source, 0, kind);
            let before = world.listed(source);

            let (_, error) = rest(&mut walk, &client, source).await;

            let error = error.unwrap();
            assert!(
                matches!(error, MicrosoftError::PlaceRefused { source: Some(_), .. }),
                "{source:?}, {kind:?}: {error:?}"
            );
            assert!(error.is_about_the_place());
            assert_eq!(world.listed(source) - before, 1, "{source:?}, {kind:?}: it is not asked again");
            assert_eq!(walk.place(), None, "{source:?}, {kind:?}");
            world.microsoft.clear_faults();
            assert_eq!(all(&mut Walk::new(MANY), &client, source).await, ids(source, 0..6), "{source:?}, {kind:?}");
        }
    }
}

#[tokio::test]
async fn trouble_on_the_way_says_nothing_of_the_place_nor_does_a_list_that_is_refused_from_its_start() {
    let world = World::with(6, 2).await;
    for source in AlertSource::ALL {
        let client = world.client();
        let mut trouble = vec![
            FaultKind::ExpiredToken,
            FaultKind::HangUp,
            FaultKind::MissingMfa,
            answer(403, ErrorBody::Graph),
            answer(429, ErrorBody::Gateway),
            answer(500, ErrorBody::PartnerCenter),
        ];
        if source == AlertSource::FraudEvents {
            trouble.push(FaultKind::Denied(Denial::ConditionalAccess));
        }
        for kind in trouble {
            let mut walk = Walk::new(MANY);
            page(&mut walk, &client, source).await.unwrap();
            world.fault_after(source, 0, kind);
            let error = page(&mut walk, &client, source).await.unwrap_err();
            assert!(!error.is_about_the_place(), "{source:?}, {kind:?}: {error:?}");
            assert_eq!(walk.place().map(|(_, pages)| pages), Some(1), "{source:?}, {kind:?}");
            world.microsoft.clear_faults();
        }
        for status in [400, 404, 410] {
            world.fault_after(source, 0, answer(status, ErrorBody::Html));
            let error = client.page(&tenant(source), None).await.unwrap_err();
            assert!(!error.is_about_the_place(), "{source:?}, {status}: {error:?}");
            world.microsoft.clear_faults();
        }
    }
}
