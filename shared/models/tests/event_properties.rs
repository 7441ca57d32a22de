//! Bodies of all kinds: what is read says what was sent, and what is doubtful is not read.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod event_rules;

use std::cell::Cell;

use jiff::Timestamp;
use models::{Event, EventName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

const KNOWN: [&str; 5] = ["EventName", "ResourceUri", "ResourceName", "AuditUri", "ResourceChangeUtcDate"];

/// The members of a body, in their order.
type Members = Vec<(String, Value)>;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

fn text_of(members: &Members) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", members.join(","))
}

/// A member's name with some of its letters in another case.
fn any_case(name: &'static str) -> impl Strategy<Value = String> {
    vec(any::<bool>(), name.len()).prop_map(|flips| {
        let letters = name.chars().zip(flips);
        letters.map(|(letter, up)| if up { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }).collect()
    })
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z-]{1,20}", "\\PC{1,20}", " {0,3}https://[a-z./]{1,20} {0,3}", "[\u{202e}\"\\\\{}\t\n]{1,5}"]
}

fn unknown_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((words(), inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn date() -> impl Strategy<Value = Timestamp> {
    (0..4_000_000_000_i64, 0..10_000_000_i32)
        .prop_map(|(seconds, fraction)| Timestamp::new(seconds, fraction * 100).unwrap())
}

/// A body that is an event, in any order, and what it says.
fn documents() -> impl Strategy<Value = (Members, Event)> {
    let names = (any_case(KNOWN[0]), any_case(KNOWN[1]), any_case(KNOWN[2]), any_case(KNOWN[3]), any_case(KNOWN[4]));
    let name =
        prop_oneof!["[a-z-]{1,30}", "[a-z\u{e4}]{250,260}", select(EventName::DOCUMENTED).prop_flat_map(any_case)];
    let texts = (name, prop::option::of(words()), prop::option::of(words()), prop::option::of(words()), date());
    let unknown = vec(("x[A-Za-z_]{0,12}", unknown_value()), 0..4);
    (names, texts, unknown).prop_flat_map(|(names, (name, uri, resource, audit, changed), unknown)| {
        let text =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let event = Event {
            name: name.as_str().into(),
            resource_uri: text(&uri),
            resource_name: text(&resource),
            audit_uri: text(&audit),
            changed,
        };
        let mut members = vec![
            (names.0, json!(name)),
            (names.1, json!(uri)),
            (names.2, json!(resource)),
            (names.3, json!(audit)),
            (names.4, json!(changed.to_string())),
        ];
        members.extend(unknown);
        (Just(members).prop_shuffle(), Just(event))
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_body_is_read_as_it_was_written((members, event) in documents()) {
        let text = text_of(&members);
        prop_assert_eq!(Event::read(text.as_bytes()), Ok(event));
        prop_assert!(event_rules::body(text.as_bytes()));
    }

    #[test]
    fn a_known_member_that_comes_twice_is_refused(
        (mut members, _) in documents(),
        place in any::<Index>(),
        again in select(&KNOWN[..]).prop_flat_map(any_case),
        same in any::<bool>(),
        other in words(),
    ) {
        let value = members.iter().find(|(name, _)| name.eq_ignore_ascii_case(&again)).unwrap().1.clone();
        members.insert(place.index(members.len() + 1), (again, if same { value } else { json!(other) }));
        prop_assert!(Event::read(text_of(&members).as_bytes()).is_err());
    }

    #[test]
    fn an_unknown_member_may_be_nested_to_any_depth((mut members, event) in documents(), depth in 0..60_000_usize) {
        members.retain(|(name, _)| KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known)));
        let known = text_of(&members);
        let nested = ["[".repeat(depth), "]".repeat(depth)].concat();
        let text = format!("{},\"x\":[{nested}]}}", &known[..known.len() - 1]);
        prop_assert_eq!(Event::read(text.as_bytes()), Ok(event));
    }
}

#[test]
fn a_changed_body_is_read_for_what_it_says_or_not_at_all() {
    let (read, refused) = (Cell::new(0), Cell::new(0));
    let change = (any::<Index>(), select(b"\"\\{}[],: \x00\xff0aE".to_vec()), any::<bool>());
    let tried = TestRunner::new(ProptestConfig { cases: 2_000, ..config() }).run(
        &(documents(), vec(change, 0..3)),
        |((members, _), changes)| {
            let mut body = text_of(&members).into_bytes();
            for (place, byte, replaced) in changes {
                let place = place.index(body.len());
                body.splice(place..place + usize::from(replaced), [byte]);
            }
            let count = if event_rules::body(&body) { &read } else { &refused };
            count.set(count.get() + 1);
            Ok(())
        },
    );
    if let Err(failure) = tried {
        panic!("{failure}");
    }
    assert!(read.get() > 100 && refused.get() > 100, "{} read, {} refused", read.get(), refused.get());
}
