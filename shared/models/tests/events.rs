//! Every documented event is read, and so are the variants on which the documents disagree.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use jiff::Timestamp;
use models::{Event, EventName};

fn bodies() -> Vec<(String, Vec<u8>)> {
    include_str!("data/webhook-events.jsonl")
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            (line["note"].as_str().unwrap().to_owned(), serde_json::to_vec(&line["body"]).unwrap())
        })
        .collect()
}

#[test]
fn every_documented_event_is_read_with_its_name_and_its_date() {
    let changed: Timestamp = "2026-03-02T06:12:09.8312247Z".parse().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for (note, body) in bodies() {
        let event = Event::read(&body).unwrap_or_else(|error| panic!("{note}: {error:?}"));
        assert_eq!(event.changed, changed, "{note}");
        seen.insert(event.name.as_str().to_owned());
    }
    for name in EventName::DOCUMENTED {
        assert!(seen.contains(*name), "no sample of {name}");
    }
    assert!(seen.contains("something-not-yet-known"));
}

#[test]
fn an_unknown_name_is_kept_as_it_came() {
    let (_, body) = bodies().into_iter().find(|(note, _)| note.starts_with("unknown event")).unwrap();
    let event = Event::read(&body).unwrap();
    assert_eq!(event.name, EventName::Unknown("something-not-yet-known".into()));
    assert_eq!(event.resource_name.as_deref(), Some("Mystery"));
}

#[test]
fn stray_blanks_are_trimmed_and_absent_members_are_none() {
    let (_, body) = bodies().into_iter().find(|(note, _)| note.starts_with("no ResourceName")).unwrap();
    let event = Event::read(&body).unwrap();
    assert!(event.is_fraud_signal());
    assert!(event.resource_uri.unwrap().ends_with("92a7c4d0f381"));
    assert_eq!((event.resource_name, event.audit_uri), (None, None));
}

#[test]
fn member_names_are_read_in_any_case() {
    let (_, body) = bodies().into_iter().find(|(note, _)| note.starts_with("camelCase names")).unwrap();
    assert!(Event::read(&body).unwrap().is_fraud_signal());
}

#[test]
fn what_is_not_one_event_is_refused() {
    let date = r#""ResourceChangeUtcDate":"2026-03-02T06:12:09Z""#;
    for (what, body) in [
        ("no object", "[]".to_owned()),
        ("null", "null".to_owned()),
        ("empty", String::new()),
        ("no name", format!("{{{date}}}")),
        ("blank name", format!(r#"{{"EventName":"  ",{date}}}"#)),
        ("no date", r#"{"EventName":"x"}"#.to_owned()),
        ("null date", r#"{"EventName":"x","ResourceChangeUtcDate":null}"#.to_owned()),
        ("date without a zone", r#"{"EventName":"x","ResourceChangeUtcDate":"2026-03-02T06:12:09"}"#.to_owned()),
        ("name twice", format!(r#"{{"EventName":"x","eventname":"y",{date}}}"#)),
        ("name of another type", format!(r#"{{"EventName":1,{date}}}"#)),
        ("text after it", format!(r#"{{"EventName":"x",{date}}} x"#)),
        ("byte order mark", format!("\u{feff}{{\"EventName\":\"x\",{date}}}")),
        ("NaN", format!(r#"{{"EventName":"x",{date},"a":NaN}}"#)),
        ("100,000 brackets", format!(r#"{{"EventName":"x",{date},"a":{}"#, "[".repeat(100_000))),
    ] {
        assert!(Event::read(body.as_bytes()).is_err(), "{what}");
    }
    let utf16: Vec<u8> = format!(r#"{{"EventName":"x",{date}}}"#).encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(Event::read(&utf16).is_err());
    assert!(Event::read(&[b"{\"EventName\":\"\xff\",".as_slice(), date.as_bytes(), b"}"].concat()).is_err());
}

#[test]
fn an_error_says_what_is_wrong_and_repeats_nothing_of_the_body() {
    let date = r#""ResourceChangeUtcDate":"2026-03-02T06:12:09Z""#;
    for (body, problem) in [
        (
            r#"{"EventName":"canary","EventName":"canary"}"#.to_owned(),
            "duplicate field `EventName` at line 1 column 43",
        ),
        (r#"{"EventName":"canary"}"#.to_owned(), "missing field `ResourceChangeUtcDate` at line 1 column 22"),
        (
            r#"{"EventName":"x","ResourceChangeUtcDate":"canary"}"#.to_owned(),
            "ResourceChangeUtcDate is not an RFC 3339 date at line 1 column 50",
        ),
        (r#""canary""#.to_owned(), "a value of another type than it should be at line 1 column 8"),
        (format!(r#"{{"EventName":271828,{date}}}"#), "a value of another type than it should be at line 1 column 19"),
        (r#"{"EventName":"canary"#.to_owned(), "EOF while parsing a string at line 1 column 20"),
    ] {
        let error = Event::read(body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), format!("the body is not a Partner Center event: {problem}"), "{body}");
        let words = format!("{error} {error:?}");
        assert!(!words.contains("canary") && !words.contains("271828"), "{words}");
    }
}
