//! The contract with subscribers: what is published has the form that `docs/schemas` describes, the schemas say no more and no
//! less than is so, and `docs/messages.md` mentions all of it and shows what is really sent.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::Timestamp;
use jsonschema::Validator;
use local::Published;
use models::{
    AffectedResource, Alert, AlertNotice, AlertSummary, AlertType, Confidence, DigestNotice, DigestReason, Event,
    EventId, EventMessage, Notice, Publication, Resolution, ResolvedReason, Severity, SignalNotice, SignalReason,
    Status, TenantId, TransitionKind,
};
use proptest::{option, prelude::*};
use serde_json::{Value, json};

const FRAUD: &str = include_str!("../../docs/schemas/fraud.v1.schema.json");
const EVENT: &str = include_str!("../../docs/schemas/event.v1.schema.json");
const DOCUMENT: &str = include_str!("../../docs/messages.md");
/// What SNS takes at most, in bytes: message, subject and attributes together.
const SNS_BYTES: usize = 262_144;

fn schema(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

/// The schema without room for members that it does not describe: what is published today is described in full.
fn strict(text: &str) -> Validator {
    fn close(schema: &mut Value) {
        let is_object = schema.get("type").is_some_and(|kind| kind == "object");
        if let Some(members) = schema.as_object_mut() {
            if is_object {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
            members.values_mut().for_each(close);
        } else if let Some(items) = schema.as_array_mut() {
            items.iter_mut().for_each(close);
        }
    }
    let mut schema = schema(text);
    close(&mut schema);
    validator(&schema)
}

#[track_caller]
fn assert_valid(validator: &Validator, message: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(message).map(|error| format!("{} {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?} in {message:#}");
}

static FRAUD_IN_FULL: LazyLock<Validator> = LazyLock::new(|| strict(FRAUD));
static EVENT_IN_FULL: LazyLock<Validator> = LazyLock::new(|| strict(EVENT));

fn json_of(message: &Published) -> Value {
    serde_json::from_str(&message.json).unwrap()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

// ---- made-up alerts ------------------------------------------------------------------------------------------------------

fn tenant() -> TenantId {
    tests::TENANT.parse().unwrap()
}

/// An alert of which nothing is known that could be left out.
fn bare() -> Alert {
    let detected: Timestamp = "2026-03-02T06:12:09Z".parse().unwrap();
    Alert {
        display_name: "name".to_owned(),
        detected,
        first_observed: detected,
        last_observed: detected,
        ..made_alerts::alert("alert")
    }
}

/// An alert of which everything is known, each text made of this one.
fn full(text: &str) -> Alert {
    let resource = AffectedResource { resource_id: text.to_owned(), resource_type: Some(text.to_owned()) };
    Alert {
        display_name: text.to_owned(),
        description: Some(text.to_owned()),
        alert_type: AlertType(text.to_owned()),
        status: Status::from(text),
        severity: Severity::from(text),
        confidence: Some(Confidence::from(text)),
        customer_id: Some("c".repeat(128).parse().unwrap()),
        subscription_id: Some("s".repeat(128).parse().unwrap()),
        reseller_id: Some(text.to_owned()),
        catalog_offer_id: Some(text.to_owned()),
        resolution: Resolution {
            reason: Some(ResolvedReason::from(text)),
            on: Some(Timestamp::MAX),
            by: Some("canary@partner.example".to_owned()),
        },
        affected_resources: vec![resource; 5_000],
        ..bare()
    }
}

fn about(kind: TransitionKind, alert: &Alert) -> Notice {
    Notice::Alert(AlertNotice { kind, version: 1, alert: Box::new(AlertSummary::from(alert)) })
}

/// A signal of which nothing or everything is known that may be left out.
fn signal(known: bool) -> SignalNotice {
    let moment: Timestamp = "2026-03-02T09:00:00.125Z".parse().unwrap();
    SignalNotice {
        reason: SignalReason::NotFound,
        event_id: EventId::of_body(b"event"),
        received: moment,
        changed: moment,
        customer_known: known,
        customer_id: known.then(|| "c".repeat(128).parse().unwrap()),
        subscription_id: known.then(|| "s".repeat(128).parse().unwrap()),
    }
}

fn published(notice: &Notice) -> Publication {
    notice.publication(&tenant(), "2026-03-02T09:00:00.125Z".parse().unwrap()).unwrap()
}

fn value(publication: &Publication) -> Value {
    serde_json::from_str(&publication.json).unwrap()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        1 => proptest::collection::vec(any::<char>(), 0..600).prop_map(|all| all.into_iter().collect()),
        1 => (prop_oneof!["\u{0}", "\"", "\\\\", "\u{1f4a3}", "a"], 1_usize..5_000).prop_map(|(one, count)| one.repeat(count)),
    ]
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (0_i64..253_402_207_200, 0_i32..1_000_000_000).prop_map(|(second, nano)| Timestamp::new(second, nano).unwrap())
}

fn word(known: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![proptest::sample::select(known).prop_map(str::to_owned), text()]
}

prop_compose! {
    fn alert()(
        id in "[ -~äß]{1,80}",
        (display_name, description, alert_type, reseller) in (text(), option::of(text()), text(), option::of(text())),
        (status, severity) in (word(Status::DOCUMENTED), word(Severity::DOCUMENTED)),
        (confidence, reason) in (option::of(word(Confidence::DOCUMENTED)), option::of(word(ResolvedReason::DOCUMENTED))),
        (customer, subscription) in (option::of("[a-z0-9-]{1,128}"), option::of("[a-z0-9-]{1,128}")),
        (detected, first, last, on) in (moment(), moment(), moment(), option::of(moment())),
        resources in proptest::collection::vec((text(), option::of(text())), 0..25),
    ) -> Alert {
        Alert {
            id: id.parse().unwrap(),
            display_name,
            description,
            alert_type: AlertType(alert_type),
            status: Status::from(status.as_str()),
            severity: Severity::from(severity.as_str()),
            confidence: confidence.as_deref().map(Confidence::from),
            customer_id: customer.map(|id| id.parse().unwrap()),
            subscription_id: subscription.map(|id| id.parse().unwrap()),
            reseller_id: reseller,
            detected,
            first_observed: first,
            last_observed: last,
            resolution: Resolution { reason: reason.as_deref().map(ResolvedReason::from), on, by: None },
            affected_resources: resources
                .into_iter()
                .map(|(resource_id, resource_type)| AffectedResource { resource_id, resource_type })
                .collect(),
            ..bare()
        }
    }
}

fn kind() -> impl Strategy<Value = TransitionKind> {
    use TransitionKind::{Opened, Reopened, Resolved, SeverityRaised};
    proptest::sample::select(vec![Opened, Reopened, Resolved, SeverityRaised])
}

/// What SNS asks of every publication.
fn assert_fit_for_sns(publication: &Publication) {
    let forms = json!({ "default": publication.json, "email": publication.text }).to_string();
    let attributes: usize =
        publication.attributes.iter().map(|(name, value)| name.len() + "String".len() + value.len()).sum();
    let bytes = forms.len() + publication.subject.len() + attributes;
    assert!(bytes <= SNS_BYTES, "{bytes} bytes");
    assert!(publication.attributes.len() <= 10, "SQS takes no more by raw delivery");
    for (name, value) in &publication.attributes {
        assert!(!value.is_empty(), "{name}");
        let refused = value.chars().find(|mark| mark.is_control() || matches!(mark, '\u{fffe}' | '\u{ffff}'));
        assert_eq!(refused, None, "{name}: {value:?}");
    }
    assert!(publication.subject.len() <= 100 && publication.subject.is_ascii());
}

// ---- messages and schemas ------------------------------------------------------------------------------------------------

#[test]
fn the_schemas_are_schemas() {
    for text in [FRAUD, EVENT] {
        jsonschema::meta::validate(&schema(text)).unwrap();
    }
}

#[tokio::test]
async fn every_kind_of_message_has_the_form_that_its_schema_describes_in_full() {
    let (fraud, event) = (&*FRAUD_IN_FULL, &*EVENT_IN_FULL);
    let mut kinds = BTreeSet::new();
    for (_, message) in tests::of_each_kind().await {
        let json = json_of(&message);
        assert_valid(fraud, &json);
        assert!(!event.is_valid(&json));
        kinds.insert(json["kind"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds, texts(&schema(FRAUD)["properties"]["kind"]["enum"]));
    for (_, message) in tests::events().await {
        assert_valid(event, &json_of(&message));
        assert!(!fraud.is_valid(&json_of(&message)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_alert_makes_a_message_of_that_form_that_sns_takes(kind in kind(), alert in alert()) {
        let publication = published(&about(kind, &alert));
        assert_valid(&FRAUD_IN_FULL, &value(&publication));
        assert_fit_for_sns(&publication);
    }

    #[test]
    fn any_alerts_make_a_digest_of_that_form_that_sns_takes(
        alerts in proptest::collection::vec(alert(), 1..8),
        times in 1_usize..30,
        burst in any::<bool>(),
    ) {
        let reason = if burst { DigestReason::Burst } else { DigestReason::Baseline };
        let many = std::iter::repeat_n(&alerts, times).flatten();
        let publication = published(&Notice::Digest(DigestNotice::new(reason, 7, many)));
        assert_valid(&FRAUD_IN_FULL, &value(&publication));
        assert_fit_for_sns(&publication);
        prop_assert_eq!(value(&publication)["digest"]["total"].as_u64(), u64::try_from(alerts.len() * times).ok());
    }

    #[test]
    fn any_event_makes_a_message_of_that_form_that_sns_takes(
        (name, uri, resource, audit) in (text(), option::of(text()), option::of(text()), option::of(text())),
        (changed, received) in (moment(), moment()),
    ) {
        let body = json!({
            "EventName": format!("x{name}"), "ResourceUri": uri, "ResourceName": resource, "AuditUri": audit,
            "ResourceChangeUtcDate": changed.to_string(),
        });
        let body = body.to_string();
        let (id, tenant) = (EventId::of_body(body.as_bytes()), tenant());
        let event = Event::read(body.as_bytes()).unwrap();
        let publication = EventMessage::new(&id, &tenant, received, &event).publication().unwrap();
        assert_valid(&EVENT_IN_FULL, &value(&publication));
        assert_fit_for_sns(&publication);
    }
}

#[test]
fn an_alert_of_monstrous_contents_still_makes_a_message_of_that_form_that_sns_takes() {
    for text in ["\u{0}", "\u{1f4a3}", "\"", "\\", "a", "\u{7f}"].map(|one| one.repeat(20_000)) {
        let alert = full(&text);
        let one = published(&about(TransitionKind::Opened, &alert));
        let digest = published(&Notice::Digest(DigestNotice::new(DigestReason::Burst, 7, vec![&alert; 1_000])));
        for publication in [&one, &digest] {
            assert_valid(&FRAUD_IN_FULL, &value(publication));
            assert_fit_for_sns(publication);
            assert!(!publication.json.contains("canary") && !publication.text.contains("canary"), "personal data");
        }
        assert_eq!(value(&one)["alert"]["affectedResourceCount"], 5_000);
        assert_eq!(value(&digest)["digest"]["total"], 1_000);
    }
}

#[test]
fn a_message_says_at_least_what_is_required_and_at_most_what_is_described() {
    let fraud = schema(FRAUD);
    let least = value(&published(&about(TransitionKind::Opened, &bare())));
    let most = value(&published(&about(TransitionKind::Resolved, &full("x"))));
    let required = &fraud["$defs"]["alert"]["required"];
    assert_eq!(keys(&least["alert"]), texts(required));
    assert_eq!(keys(&most["alert"]), keys(&fraud["$defs"]["alert"]["properties"]));
    let resource = &most["alert"]["affectedResources"][0];
    assert_eq!(keys(resource), keys(&fraud["$defs"]["resource"]["properties"]));

    let always = texts(&fraud["required"]);
    let of_alerts: BTreeSet<_> = always.union(&texts(&fraud["else"]["else"]["required"])).cloned().collect();
    assert_eq!(keys(&least), of_alerts);
    let digest = value(&published(&Notice::Digest(DigestNotice::new(DigestReason::Burst, 7, [&bare()]))));
    let of_digests: BTreeSet<_> = always.union(&texts(&fraud["then"]["required"])).cloned().collect();
    assert_eq!(keys(&digest), of_digests);
    assert_eq!(keys(&digest["digest"]), texts(&fraud["$defs"]["digest"]["required"]));
    assert_eq!(keys(&digest["digest"]), keys(&fraud["$defs"]["digest"]["properties"]));
    let bare_signal = value(&published(&Notice::Signal(signal(false))));
    let of_signals: BTreeSet<_> = always.union(&texts(&fraud["else"]["then"]["required"])).cloned().collect();
    assert_eq!(keys(&bare_signal), of_signals);
    assert_eq!(keys(&bare_signal["signal"]), texts(&fraud["$defs"]["signal"]["required"]));
    let full_signal = value(&published(&Notice::Signal(signal(true))));
    assert_eq!(keys(&full_signal["signal"]), keys(&fraud["$defs"]["signal"]["properties"]));
    let all: BTreeSet<_> = [&least, &digest, &bare_signal].into_iter().flat_map(keys).collect();
    assert_eq!(all, keys(&fraud["properties"]));

    let event = schema(EVENT);
    let read = |body: Value| {
        let body = body.to_string();
        let (id, tenant, event) = (EventId::of_body(body.as_bytes()), tenant(), Event::read(body.as_bytes()).unwrap());
        value(&EventMessage::new(&id, &tenant, Timestamp::UNIX_EPOCH, &event).publication().unwrap())
    };
    let date = "2026-03-02T06:12:09Z";
    let least = read(json!({ "EventName": "test-created", "ResourceChangeUtcDate": date }));
    let most = read(
        json!({ "EventName": "x", "ResourceUri": "x", "ResourceName": "x", "AuditUri": "x", "ResourceChangeUtcDate": date }),
    );
    assert_eq!(keys(&least), texts(&event["required"]));
    assert_eq!(keys(&most), keys(&event["properties"]));
}

#[test]
fn a_message_without_a_required_member_or_with_one_of_another_type_is_not_of_that_form() {
    let validator = validator(&schema(FRAUD));
    let one = value(&published(&about(TransitionKind::Resolved, &full("x"))));
    let digest = value(&published(&Notice::Digest(DigestNotice::new(DigestReason::Burst, 7, [&full("x")]))));
    let unconfirmed = value(&published(&Notice::Signal(signal(true))));
    let required = |name: &str| texts(&schema(FRAUD)["$defs"][name]["required"]);
    let top = |more: &str| {
        let mut all = texts(&schema(FRAUD)["required"]);
        all.extend(texts(&schema(FRAUD).pointer(more).unwrap()["required"]));
        all
    };
    for (message, place, names) in [
        (&one, "", top("/else/else")),
        (&digest, "", top("/then")),
        (&unconfirmed, "", top("/else/then")),
        (&unconfirmed, "/signal", required("signal")),
        (&one, "/alert", required("alert")),
        (&one, "/alert/affectedResources/0", required("resource")),
        (&digest, "/digest", required("digest")),
        (&digest, "/digest/alerts/0", required("alert")),
    ] {
        assert_valid(&validator, message);
        for name in names {
            let mut without = message.clone();
            without.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(&name).unwrap();
            assert!(!validator.is_valid(&without), "without {place}/{name}");
        }
        for name in keys(message.pointer(place).unwrap()) {
            let mut other = message.clone();
            other.pointer_mut(place).unwrap()[&name] = json!([null]);
            assert!(!validator.is_valid(&other), "{place}/{name} of another type");
        }
    }
    for (message, name, from) in [
        (&one, "digest", &digest),
        (&one, "signal", &unconfirmed),
        (&digest, "alert", &one),
        (&digest, "version", &one),
        (&digest, "signal", &unconfirmed),
        (&unconfirmed, "alert", &one),
        (&unconfirmed, "version", &one),
        (&unconfirmed, "digest", &digest),
    ] {
        let mut both = message.clone();
        both[name] = from[name].clone();
        assert!(!validator.is_valid(&both), "{name} besides");
    }
    let mut undated = one.clone();
    undated["recorded"] = json!("yesterday Z");
    assert!(!validator.is_valid(&undated));
}

#[tokio::test]
async fn an_event_message_without_a_required_member_is_not_of_that_form() {
    let validator = validator(&schema(EVENT));
    for (_, message) in tests::events().await {
        let message = json_of(&message);
        for name in texts(&schema(EVENT)["required"]) {
            let mut without = message.clone();
            without.as_object_mut().unwrap().remove(&name).unwrap();
            assert!(!validator.is_valid(&without), "without {name}");
        }
    }
}

#[tokio::test]
async fn a_member_that_comes_later_does_not_break_the_form() {
    let validator = validator(&schema(FRAUD));
    for (_, message) in tests::of_each_kind().await {
        let mut json = json_of(&message);
        json["comesLater"] = json!({ "any": "thing" });
        assert_valid(&validator, &json);
    }
}

// ---- the document --------------------------------------------------------------------------------------------------------

/// Every name of a member that a schema describes, wherever.
fn members(schema: &Value, found: &mut BTreeSet<String>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        found.extend(properties.keys().cloned());
    }
    match schema {
        Value::Object(inner) => inner.values().for_each(|inner| members(inner, found)),
        Value::Array(inner) => inner.iter().for_each(|inner| members(inner, found)),
        _ => {}
    }
}

/// The blocks of this language in the document.
fn blocks(language: &str) -> Vec<&'static str> {
    let (open, close) = (format!("```{language}\n"), "\n```");
    DOCUMENT.split(open.as_str()).skip(1).map(|rest| rest.split(close).next().unwrap()).collect()
}

#[tokio::test]
async fn the_document_names_every_member_every_attribute_and_every_word() {
    let mut names = BTreeSet::new();
    for text in [FRAUD, EVENT] {
        members(&schema(text), &mut names);
    }
    assert!(names.len() > 30, "{names:?}");
    let mut subjects = BTreeSet::new();
    for (_, message) in tests::of_each_kind().await.into_iter().chain(tests::events().await) {
        names.extend(message.attributes.keys().cloned());
        subjects.insert(message.subject);
    }
    let fraud = schema(FRAUD);
    names.extend(texts(&fraud["properties"]["kind"]["enum"]));
    names.extend(texts(&fraud["$defs"]["digest"]["properties"]["reason"]["enum"]));
    names.extend(texts(&fraud["$defs"]["signal"]["properties"]["reason"]["enum"]));
    names.extend(texts(&fraud["$defs"]["alert"]["properties"]["portalType"]["enum"]));
    for name in names {
        assert!(DOCUMENT.contains(&format!("`{name}`")), "the document does not name {name}");
    }
    assert_eq!(subjects.len(), 8);
    for subject in subjects {
        assert!(DOCUMENT.contains(&subject), "the document does not name the subject {subject}");
    }
}

#[tokio::test]
async fn the_documents_examples_are_messages_that_are_really_sent() {
    let mut sent: BTreeMap<&str, Published> = tests::of_each_kind().await.into_iter().collect();
    sent.extend(tests::events().await);
    let examples: Vec<Value> = blocks("json")
        .into_iter()
        .map(|block| serde_json::from_str(block).unwrap())
        .filter(|block: &Value| block.get("schema").is_some())
        .collect();
    let expected: Vec<Value> = ["opened", "resolved", "digest-baseline", "unconfirmed", "event-subscription"]
        .iter()
        .map(|name| json_of(&sent[name]))
        .collect();
    assert_eq!(examples, expected);
    assert_eq!(blocks("text"), ["unconfirmed", "opened", "digest-baseline"].map(|name| sent[name].text.trim_end()));
}

#[tokio::test]
async fn the_documents_filter_policies_ask_for_attributes_that_there_are() {
    let messages = tests::of_each_kind().await;
    let mut attributes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, message) in &messages {
        for (name, value) in &message.attributes {
            attributes.entry(name.clone()).or_default().insert(value.clone());
        }
    }
    let policies: Vec<Value> = blocks("json")
        .into_iter()
        .map(|block| serde_json::from_str(block).unwrap())
        .filter(|block: &Value| block.get("schema").is_none())
        .collect();
    assert_eq!(policies.len(), 2);
    let parts = policies.iter().flat_map(|policy| match policy.get("$or") {
        Some(parts) => parts.as_array().unwrap().clone(),
        None => vec![policy.clone()],
    });
    for part in parts {
        for (name, values) in part.as_object().unwrap() {
            for value in texts(values) {
                assert!(attributes[name].contains(&value), "no message has {name} {value}");
            }
        }
    }
}
