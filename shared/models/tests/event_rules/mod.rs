//! What holds of whatever body is read, said by its bytes and the event alone. The properties in `event_properties.rs` try it
//! with random bodies, the fuzz target `body` with bodies that are bred for new paths.

use models::{Event, EventName};
use serde_json::Value;

/// Whether a body is read, and if so, that the event says what the body says.
pub(crate) fn body(bytes: &[u8]) -> bool {
    let outcome = Event::read(bytes);
    assert_eq!(outcome, Event::read(bytes), "the same body is the same event");
    let event = match outcome {
        Ok(event) => event,
        Err(error) => {
            let words = error.to_string();
            assert!(words.len() < 200 && words.is_ascii(), "an error in our own words: {words}");
            return false;
        }
    };
    let cut = bytes.trim_ascii_end();
    assert!(Event::read(&cut[..cut.len() - 1]).is_err(), "a body that is cut is no event");
    // Deeper nesting than that of a generic parser's limit is skipped by ours, and not compared.
    if let Ok(document) = serde_json::from_slice(bytes) {
        compare(&event, &document);
    }
    true
}

fn compare(event: &Event, document: &Value) {
    assert_name(event.name.as_str(), member(document, "EventName").unwrap());
    assert_eq!(event.resource_uri.as_deref(), member(document, "ResourceUri"));
    assert_eq!(event.resource_name.as_deref(), member(document, "ResourceName"));
    assert_eq!(event.audit_uri.as_deref(), member(document, "AuditUri"));
    let changed = member(document, "ResourceChangeUtcDate").and_then(|date| date.parse().ok());
    assert_eq!(changed, Some(event.changed));
}

/// A documented name comes out as documented, whatever its case; any other one as it came, up to a length.
fn assert_name(name: &str, sent: &str) {
    match EventName::DOCUMENTED.iter().find(|documented| documented.eq_ignore_ascii_case(sent)) {
        Some(documented) => assert_eq!(name, *documented),
        None if sent.chars().count() <= 256 => assert_eq!(name, sent),
        None => assert!(name.chars().count() == 256 && sent.starts_with(name.trim_end_matches('…')), "{name}"),
    }
}

/// The text of the only member of this name, in whatever case; none if it is blank, null or absent.
fn member<'d>(document: &'d Value, name: &str) -> Option<&'d str> {
    let members = document.as_object().unwrap();
    let values: Vec<&Value> =
        members.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect();
    assert!(values.len() <= 1, "{name} occurs once: {values:?}");
    let value = *values.first()?;
    assert!(value.is_string() || value.is_null(), "{name} is a text: {value}");
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}
