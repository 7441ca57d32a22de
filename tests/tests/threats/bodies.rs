//! Bodies: the signature is judged before they are read, and what is authentic is kept as the bytes that were signed.

use std::{collections::BTreeMap, fs};

use attacks::{Key, PUBLISHED_URL, Pieces, bytes, repository, table};
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use serde_json::Value;
use tests::WAYS;

use crate::place::{Function, Place, by_way, callback, genuine, request, signed};

/// A body that Microsoft signed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) threat: String,
    why: String,
    body: Pieces,
    reason: String,
    status: u16,
    /// Whether `poll` is asked to look.
    #[serde(default)]
    rings: bool,
}

pub(crate) fn cases() -> Vec<Case> {
    table("tests/tests/data/threats/bodies.json")
}

#[tokio::test]
async fn every_body_of_the_table_has_its_outcome_and_is_kept_as_it_was_signed_or_not_at_all() {
    let place = Place::new().await;
    let (function, shelf) = place.usual();
    for case in cases() {
        let body = bytes(&case.body, place.now(), &BTreeMap::new());
        let row = format!("{}: {}", case.threat, case.why);
        assert_held(&place, &function, &body, &case, &row).await;
    }
    assert_eq!(shelf.asked(), [PUBLISHED_URL]);
}

async fn assert_held(place: &Place, function: &Function, body: &[u8], case: &Case, row: &str) {
    let rings = place.wire.count("SendMessage");
    let forged = callback(signed(&Key::named("stranger-2048").sign(body), PUBLISHED_URL), body);
    let told = place.tell(function, request(&forged)).await;
    let verdict = if case.status == 413 { ("body-too-large", 413) } else { ("signature-mismatch", 401) };
    assert_eq!(told.outcome(), verdict, "{row}");
    assert_eq!(place.event(body).await, None, "{row}");

    let sent = genuine("signing-2048", body);
    let textual = std::str::from_utf8(body).is_ok();
    for (number, way) in WAYS.into_iter().filter(|way| textual || way.base64).enumerate() {
        let told = place.tell(function, by_way(way, &sent).unwrap()).await;
        let again = number > 0 && case.reason == "kept";
        let expected = (if again { "duplicate" } else { &case.reason }, case.status);
        assert_eq!(told.outcome(), expected, "{row}, {way:?}");
    }

    let kept = place.event(body).await;
    let aside = case.reason == "unreadable-event";
    assert_eq!(kept.is_some(), aside || case.reason == "kept", "{row}");
    if let Some(kept) = kept {
        assert!(kept["body"].as_b().unwrap().as_ref() == body, "{row}: other bytes are kept");
        assert_eq!(kept.get("unreadable"), aside.then_some(&AttributeValue::Bool(true)), "{row}");
    }
    assert_eq!(place.wire.count("SendMessage"), rings + usize::from(case.rings), "{row}");
}

#[tokio::test]
async fn every_published_event_is_kept() {
    let place = Place::new().await;
    let (function, _) = place.usual();
    let lines = fs::read_to_string(repository().join("shared/models/tests/data/webhook-events.jsonl")).unwrap();
    let mut kept = 0;
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let body = serde_json::to_vec(&line["body"]).unwrap();
        let told = place.tell(&function, request(&genuine("signing-2048", &body))).await;
        assert_eq!(told.outcome(), ("kept", 200), "{line}");
        kept += 1;
    }
    assert!(kept >= 33, "{kept}");
    assert_eq!(place.events().await.len(), kept);
}

#[tokio::test]
async fn the_published_callback_is_genuine_and_too_old() {
    let place = Place::new().await;
    let (function, _) = place.usual();
    let body = fs::read(repository().join("shared/models/tests/data/webhook-callback-body.json")).unwrap();
    let told = place.tell(&function, request(&genuine("signing-2048", &body))).await;
    assert_eq!(told.outcome(), ("out-of-time", 401));
    assert!(place.events().await.is_empty());
}
