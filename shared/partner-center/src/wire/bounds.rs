//! How much of an alert is kept: each long member has a bound, so that one strange alert can't make an item that the table refuses.

use std::collections::BTreeMap;

use models::{ActivityEntry, AffectedResource};
use serde_json::Value;

use super::graph::{WireActivity, WireResource};

/// Most bytes of each long member that are kept: together far below DynamoDB's 400 kB an item.
pub(super) const DESCRIPTION_BYTES: usize = 64_000;
const RESOURCES_BYTES: usize = 96_000;
const ACTIVITY_BYTES: usize = 64_000;
const DETAILS_BYTES: usize = 64_000;
pub(super) const NAME_BYTES: usize = 1_000;
/// What an entry of a list weighs beside its values: names, marks and a date. Thousands of empty ones are no less of a burden.
const ENTRY_BYTES: usize = 80;

/// A text of at most this many bytes, cut between characters.
pub(super) fn bounded(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
    text
}

/// A name, cut to 1,000 bytes. One that is empty says no more than none.
pub(crate) fn bounded_name(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).map(|text| bounded(text, NAME_BYTES))
}

/// The first resources, as many as there is room for.
pub(super) fn resources(wire: Vec<WireResource>) -> Vec<AffectedResource> {
    let mut room = Room(RESOURCES_BYTES);
    let known = wire.into_iter().filter_map(|resource| {
        let resource_id = bounded(resource.resource_id?, NAME_BYTES * 2);
        let resource_type = resource.resource_type.map(|text| bounded(text, NAME_BYTES));
        Some(AffectedResource { resource_id, resource_type })
    });
    known
        .take_while(|resource| {
            room.takes(resource.resource_id.len() + resource.resource_type.as_ref().map_or(0, String::len))
        })
        .collect()
}

/// The latest entries, which say where things stand, as many as there is room for.
pub(super) fn activity(wire: Vec<WireActivity>) -> Vec<ActivityEntry> {
    let mut room = Room(ACTIVITY_BYTES);
    let latest = wire.into_iter().rev().map(|entry| ActivityEntry {
        status_from: entry.status_from,
        status_to: entry.status_to,
        updated_by: entry.updated_by.map(|text| bounded(text, NAME_BYTES / 4)),
        updated: entry.updated_date_time,
    });
    let mut kept: Vec<ActivityEntry> = latest
        .take_while(|entry| {
            let statuses = [&entry.status_from, &entry.status_to].into_iter().flatten();
            let bytes: usize = statuses.map(|status| status.as_str().len()).sum();
            room.takes(bytes + entry.updated_by.as_ref().map_or(0, String::len))
        })
        .collect();
    kept.reverse();
    kept
}

/// Room for the entries of a list, in bytes.
struct Room(usize);

impl Room {
    /// Whether one more entry with values of this size fits; it is taken if so.
    fn takes(&mut self, values: usize) -> bool {
        match self.0.checked_sub(ENTRY_BYTES + values) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }
}

pub(super) fn details(details: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let bytes = serde_json::to_string(&details).map_or(0, |json| json.len());
    if bytes <= DETAILS_BYTES {
        return details;
    }
    BTreeMap::from([("partnerAlertsLeftOut".to_owned(), Value::from(format!("{bytes} bytes, too many to keep")))])
}
