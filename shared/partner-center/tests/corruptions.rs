//! What comes of spoilt alerts, by property, for both sources: no panic, nothing repeated in words, and neighbours that land.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use models::{Alert, AlertId};
use partner_center::{UnreadableAlert, read_alert, read_fraud_event, read_fraud_events, read_graph_page};
use proptest::prelude::*;
use serde_json::{Value, json};

type Read = fn(&[u8]) -> Result<Alert, UnreadableAlert>;

/// A source: how it is read, the name of its id, those of its dates, and samples with every member.
struct Source {
    name: &'static str,
    read: Read,
    id: &'static str,
    dates: &'static [&'static str],
    samples: Vec<Value>,
}

fn sources() -> [Source; 2] {
    let list = |text: &str| serde_json::from_str::<Vec<Value>>(text).unwrap();
    let mut events = list(include_str!("data/fraudevents-list-new-model.json"));
    events.extend(list(include_str!("data/fraudevents-list-old-model.json")));
    let graph = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let mut alerts = vec![graph(include_str!("data/graph-securityalert-get.json"))];
    for page in
        [include_str!("data/graph-securityalerts-page1.json"), include_str!("data/graph-securityalerts-page2.json")]
    {
        alerts.extend(graph(page)["value"].as_array().unwrap().clone());
    }
    [
        Source {
            name: "graph",
            read: read_alert,
            id: "id",
            dates: &["detectedDateTime", "firstObservedDateTime", "lastObservedDateTime"],
            samples: alerts,
        },
        Source {
            name: "fraud-events",
            read: read_fraud_event,
            id: "eventId",
            dates: &["eventTime", "firstObserved", "lastObserved", "firstOccurrence", "lastOccurrence"],
            samples: events,
        },
    ]
}

/// A source and one of its samples.
fn sample() -> impl Strategy<Value = (usize, usize)> {
    (0..2_usize).prop_flat_map(|source| (Just(source), 0..sources()[source].samples.len()))
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][01][0-9]:00)?"
            .prop_map(Value::from),
        Just(json!("canary-value".repeat(10_000))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

/// What must hold of whatever is made of an alert.
fn check(source: &Source, json: &[u8]) -> Result<Option<Alert>, TestCaseError> {
    match (source.read)(json) {
        Ok(alert) => {
            // What lands fits an item, with room to spare.
            let size = serde_json::to_vec(&alert).unwrap().len();
            prop_assert!(size < 390_000, "{}: {size} bytes", source.name);
            Ok(Some(alert))
        }
        Err(unreadable) => {
            prop_assert_eq!(unreadable.body.bytes(), &json[..json.len().min(64_000)]);
            prop_assert_eq!(unreadable.body.whole(), json.len());
            // The id apart, which is for people to find it by, nothing that came is repeated.
            prop_assert!(!unreadable.problem.contains("canary"), "{}", unreadable.problem);
            let shown = format!("{:?}", unreadable.body);
            prop_assert!(!shown.contains("canary"), "{}", shown);
            Ok(None)
        }
    }
}

proptest! {
    #[test]
    fn any_member_may_be_anything_and_only_an_id_or_all_dates_can_cost_the_alert(
        (source, sample) in sample(),
        member in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let source = &sources()[source];
        let mut alert = source.samples[sample].clone();
        let names: Vec<String> = alert.as_object().unwrap().keys().cloned().collect();
        let name = member.get(&names);
        alert[name] = value;
        let read = check(source, alert.to_string().as_bytes())?;
        if name != source.id {
            let expected = source.samples[sample][source.id].as_str();
            prop_assert_eq!(read.as_ref().map(|alert| alert.id.as_str()), expected, "{} {}", source.name, name);
        }
    }

    #[test]
    fn any_members_may_be_missing(
        (source, sample) in sample(),
        kept in prop::collection::vec(any::<bool>(), 64),
    ) {
        let source = &sources()[source];
        let mut alert = source.samples[sample].clone();
        let mut keep = kept.into_iter();
        alert.as_object_mut().unwrap().retain(|_, _| keep.next().unwrap_or(true));
        let members = alert.as_object().unwrap();
        let readable = members.contains_key(source.id) && source.dates.iter().any(|date| members.contains_key(*date));
        let read = check(source, alert.to_string().as_bytes())?;
        prop_assert_eq!(read.is_some(), readable, "{} {}", source.name, alert);
    }

    #[test]
    fn a_page_reads_as_its_alerts_do_one_by_one(
        samples in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        spoilt in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any_json()), 0..3),
    ) {
        let graph = &sources()[0];
        let mut alerts: Vec<Value> = samples.iter().map(|sample| sample.get(&graph.samples).clone()).collect();
        for (alert, member, value) in spoilt.into_iter().filter(|_| !samples.is_empty()) {
            let alert = alert.index(alerts.len());
            // The first is the one that costs an alert most often.
            let names: Vec<String> = ["id".to_owned()].into_iter().chain(alerts[alert].as_object().unwrap().keys().cloned()).collect();
            alerts[alert][member.get(&names)] = value;
        }
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        for alert in &alerts {
            match read_alert(alert.to_string().as_bytes()) {
                Ok(alert) => readable.push(alert),
                Err(error) => unreadable.push((error.id, error.body.bytes().to_vec())),
            }
        }
        let json = json!({ "value": alerts, "@odata.nextLink": "next" }).to_string();
        let page = read_graph_page(json.as_bytes()).unwrap();
        prop_assert_eq!(page.alerts, readable);
        let kept: Vec<_> = page.unreadable.iter().map(|error| (error.id.clone(), error.body.bytes().to_vec())).collect();
        prop_assert_eq!(kept, unreadable);
        prop_assert_eq!(page.next_link.as_deref(), Some("next"));
    }

    #[test]
    fn bytes_that_no_text_may_hold_cost_no_other_alert_and_no_page_behind_it(
        source in 0..2_usize,
        samples in prop::collection::vec(any::<prop::sample::Index>(), 3),
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 1..6),
            prop::sample::select(vec![&b"\xff"[..], b"\xc3", b"\0", b"\n", br"\x", br"\ud800"]).prop_map(<[u8]>::to_vec),
        ],
    ) {
        // These end a text, or make it one that ends elsewhere.
        prop_assume!(!bytes.contains(&b'"') && bytes.last() != Some(&b'\\'));
        let source = &sources()[source];
        let mut alerts: Vec<Vec<u8>> = samples.iter().map(|sample| sample.get(&source.samples).to_string().into()).collect();
        let name = alerts[1].windows(3).position(|three| three == b"\":\"").unwrap() + 3;
        alerts[1].splice(name..name, bytes);
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        for alert in &alerts {
            match (source.read)(alert) {
                Ok(alert) => readable.push(alert),
                Err(error) => unreadable.push((error.id, error.problem, error.body)),
            }
        }
        let list = [b"[\n".as_slice(), &alerts.join(&b", "[..]), b" ]"].concat();
        let (alerts, kept) = if source.name == "graph" {
            let page = [b"{\"value\": ".as_slice(), &list, br#","@odata.nextLink":"\u006eext"}"#].concat();
            let page = read_graph_page(&page).unwrap();
            prop_assert_eq!(page.next_link.as_deref(), Some("next"));
            (page.alerts, page.unreadable)
        } else {
            read_fraud_events(&list).unwrap()
        };
        prop_assert_eq!(alerts, readable);
        let kept: Vec<_> = kept.into_iter().map(|error| (error.id, error.problem, error.body)).collect();
        prop_assert_eq!(kept, unreadable);
    }

    #[test]
    fn an_alert_that_breaks_off_anywhere_is_unreadable_and_has_an_id_of_its_bytes(
        (source, sample) in sample(),
        end in any::<prop::sample::Index>(),
    ) {
        let source = &sources()[source];
        let whole = source.samples[sample].to_string();
        let cut = &whole.as_bytes()[..end.index(whole.len())];
        let unreadable = (source.read)(cut).unwrap_err();
        prop_assert_eq!(unreadable.id, AlertId::of_bytes(cut));
        prop_assert_eq!(unreadable.body.bytes(), cut);
    }

    #[test]
    fn any_bytes_at_all_are_read_or_kept(source in 0..2_usize, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&sources()[source], &bytes)?;
    }

    #[test]
    fn a_doubled_member_costs_no_more_than_the_alert_itself(
        (source, sample) in sample(),
        member in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let source = &sources()[source];
        let alert = &source.samples[sample];
        let names: Vec<&String> = alert.as_object().unwrap().keys().collect();
        let name = member.get(&names);
        let doubled = format!("{{{}:{value},{}", json!(name), &alert.to_string()[1..]);
        check(source, doubled.as_bytes())?;
    }
}
