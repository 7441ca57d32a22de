//! Reading members as they may come: one that is odd counts as absent, so that it hides no alert.
//!
//! Nearly all alerts are as documented, and they are read by the thousand: a member is made straight from its JSON, and only a list
//! that holds something odd is taken apart.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// From here on a moment means "never": the year 9999.
const NEVER: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// A member of any kind: of another kind than documented, it counts as absent, so that one odd member does not hide the rest.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// A text, or a word: anything else counts as absent.
pub(super) fn text<'de, D: Deserializer<'de>, T: for<'a> From<&'a str>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Any(|member: Member<'_>| member.text().map(T::from)))
}

/// An id: one that is malformed counts as absent, since an alert without its customer is better than none.
pub(super) fn id<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Any(|member: Member<'_>| member.text()?.trim().parse().ok()))
}

/// A moment: RFC 3339, or without a zone, which means UTC (as in fraudEvents). Anything else counts as absent, the sentinel
/// `9999-12-31T23:59:59.997` for "never" included.
pub(super) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    deserializer.deserialize_any(Any(|member: Member<'_>| moment_of(member.text()?)))
}

/// The moment that a text is, if it is one.
pub(super) fn moment_of(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let without_zone = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let moment = text.parse().ok().or_else(without_zone);
    moment.filter(|moment| *moment < NEVER)
}

/// A boolean, or its name as text (early pages). Anything else counts as no test: a strange alert must not be the silent one.
pub(super) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    deserializer.deserialize_any(Any(|member: Member<'_>| member.is_true()))
}

/// The same, where it tells whether the member is there: null is not.
pub(super) fn truth_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    deserializer.deserialize_any(Any(|member: Member<'_>| (!matches!(member, Member::Null)).then(|| member.is_true())))
}

/// A list, without the entries that are of another type than documented. Anything else counts as an empty one.
pub(crate) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(entries(<&RawValue>::deserialize(deserializer)?.get()))
}

/// A list, or the JSON of one as text (fraudEvents' change logs come as either), without the entries that are of another type
/// than documented.
pub(super) fn list_or_text<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let json = <&RawValue>::deserialize(deserializer)?.get();
    Ok(match serde_json::from_str::<String>(json) {
        Ok(text) => entries(&text),
        Err(_) => entries(json),
    })
}

fn entries<T: DeserializeOwned>(json: &str) -> Vec<T> {
    // What a tree of values forgives that the type does not, a doubled name for one, an odd entry is forgiven, too.
    let entry = |entry: &RawValue| serde_json::from_value(serde_json::from_str(entry.get()).ok()?).ok();
    let one_by_one =
        |_| serde_json::from_str::<Vec<&RawValue>>(json).unwrap_or_default().into_iter().filter_map(entry).collect();
    serde_json::from_str(json).unwrap_or_else(one_by_one)
}

/// An object with members of any kind: anything else counts as absent.
pub(super) fn bag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BTreeMap<String, Value>>, D::Error> {
    deserializer.deserialize_any(Any(Bag))
}

/// What a member came as.
enum Member<'a> {
    Null,
    Other,
    Text(&'a str),
    Truth(bool),
}

impl<'a> Member<'a> {
    fn text(self) -> Option<&'a str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn is_true(&self) -> bool {
        match self {
            Self::Truth(truth) => *truth,
            Self::Text(text) => text.trim().eq_ignore_ascii_case("true"),
            Self::Null | Self::Other => false,
        }
    }
}

/// Makes something of a member, whatever it came as.
trait Make<'de>: Sized {
    type Made;

    fn of(self, member: Member<'_>) -> Self::Made;

    fn of_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Made, A::Error> {
        IgnoredAny.visit_map(map)?;
        Ok(self.of(Member::Other))
    }
}

impl<T, F: FnOnce(Member<'_>) -> T> Make<'_> for F {
    type Made = T;

    fn of(self, member: Member<'_>) -> T {
        self(member)
    }
}

struct Bag;

impl<'de> Make<'de> for Bag {
    type Made = Option<BTreeMap<String, Value>>;

    fn of(self, _: Member<'_>) -> Self::Made {
        None
    }

    fn of_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Made, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            members.insert(name, value);
        }
        Ok(Some(members))
    }
}

/// Takes a member of any kind.
struct Any<M>(M);

impl<'de, M: Make<'de>> Visitor<'de> for Any<M> {
    type Value = M::Made;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<M::Made, E> {
        Ok(self.0.of(Member::Truth(truth)))
    }

    fn visit_str<E>(self, text: &str) -> Result<M::Made, E> {
        Ok(self.0.of(Member::Text(text)))
    }

    fn visit_unit<E>(self) -> Result<M::Made, E> {
        Ok(self.0.of(Member::Null))
    }

    fn visit_i64<E>(self, _: i64) -> Result<M::Made, E> {
        Ok(self.0.of(Member::Other))
    }

    fn visit_u64<E>(self, _: u64) -> Result<M::Made, E> {
        Ok(self.0.of(Member::Other))
    }

    fn visit_f64<E>(self, _: f64) -> Result<M::Made, E> {
        Ok(self.0.of(Member::Other))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<M::Made, A::Error> {
        IgnoredAny.visit_seq(sequence)?;
        Ok(self.0.of(Member::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<M::Made, A::Error> {
        self.0.of_map(map)
    }
}
