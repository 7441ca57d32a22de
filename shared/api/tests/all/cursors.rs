//! A place of a list comes back as it was, from whoever asked, for what they asked, in time.

use std::sync::Arc;

use api::{CURSOR_LIFETIME, Cursors, Kind};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use identity::{How, RoleMap, Sealing};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{caller, somebody};

#[test]
fn a_place_is_for_one_list_one_caller_the_same_filters_and_an_hour() {
    let key = STANDARD.encode([7; 32]);
    let secret = json!({ "current": "first", "keys": { "first": key } }).to_string();
    let sealing = Sealing::read(&secret, Arc::new(|| [9; 32])).unwrap();
    let (me, another) =
        (somebody(How::Bearer), caller("88888888-2222-4333-8444-555555555555", RoleMap::DEFAULT, How::Bearer));
    let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    let place = json!({ "at": [1, 2] });
    let cursors = Cursors::new(&sealing, "alerts", &me, &json!({ "state": "open" }));
    let cursor = cursors.seal(&place, now).unwrap();
    let open = |cursors: &Cursors<'_>, cursor: &str, now| cursors.open::<Value>(cursor, now).map_err(|it| it.kind());
    let late = now + CURSOR_LIFETIME - SignedDuration::from_secs(1);
    assert_eq!(open(&cursors, &cursor, late), Ok(place));
    let refused = Err(Kind::CursorNotAccepted);
    assert_eq!(open(&cursors, &cursor, now + CURSOR_LIFETIME), refused, "an hour is over");
    let of = |list, caller, filters: Value| Cursors::new(&sealing, list, caller, &filters);
    assert_eq!(open(&of("activity", &me, json!({ "state": "open" })), &cursor, now), refused, "another list");
    assert_eq!(open(&of("alerts", &another, json!({ "state": "open" })), &cursor, now), refused, "another caller");
    assert_eq!(open(&of("alerts", &me, json!({ "state": "resolved" })), &cursor, now), refused, "other filters");
    assert_eq!(open(&cursors, &cursor[..cursor.len() - 2], now), refused, "cut");
    assert_eq!(open(&cursors, "", now), refused, "nothing");
}
