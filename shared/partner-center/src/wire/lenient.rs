//! Reading members as they may come: one that is odd counts as absent, so that it hides no alert.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize as _, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// From here on a moment means "never": the year 9999.
const NEVER: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// An id that is malformed counts as absent: an alert without its customer is better than none.
pub(super) fn parsed<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text.map(str::trim).filter(|text| !text.is_empty())?.parse().ok()
}

/// An optional member: of another type than documented, it counts as absent, so that one odd member does not hide an alert.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// A list, without the entries that are of another type than documented.
pub(crate) fn lenient_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(entries(Value::deserialize(deserializer)?))
}

/// A list, or the JSON of one as text (fraudEvents' change logs come as either), without the entries that are of another type
/// than documented.
pub(super) fn lenient_list_or_text<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(entries(match Value::deserialize(deserializer)? {
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        other => other,
    }))
}

fn entries<T: DeserializeOwned>(list: Value) -> Vec<T> {
    let Value::Array(entries) = list else { return Vec::new() };
    entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect()
}

/// A moment: RFC 3339, or without a zone, which means UTC (as in fraudEvents). Anything else counts as absent, the sentinel
/// `9999-12-31T23:59:59.997` for "never" included.
pub(super) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(moment_of(&Value::deserialize(deserializer)?))
}

/// The moment that a value is, if it is one.
pub(super) fn moment_of(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?.trim();
    let without_zone = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let moment = text.parse().ok().or_else(without_zone);
    moment.filter(|moment| *moment < NEVER)
}

/// A boolean, or its name as text (early pages). Anything else counts as no test: a strange alert must not be the silent one.
pub(super) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(is_true(&Value::deserialize(deserializer)?))
}

/// Whether a value is `true`, or its name as text.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::String(text) => text.trim().eq_ignore_ascii_case("true"),
        _ => false,
    }
}
