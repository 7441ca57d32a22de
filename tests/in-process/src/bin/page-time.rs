//! How long it takes to read a page of alerts and to find each one known, and how long a bare parse of the same page takes in the
//! same moment.
//!
//! What counts is the thread's own time on the processor. Of each measurement the yardstick is the mean of two, right before and
//! right after it.
#![expect(clippy::unwrap_used, reason = "a measurement that can't be made has to fail loudly")]

use std::hint::black_box;

use in_process::{PAGES, bare_page, each, page};
use models::Alert;
use partner_center::read_graph_page;
use serde_json::json;
use store::{AlertFingerprint, KnownAlerts};

const ROUNDS: usize = 301;

fn read(json: &[u8]) -> Vec<Alert> {
    let page = read_graph_page(json).unwrap();
    assert_eq!(page.unreadable.len(), 0);
    page.alerts
}

fn main() {
    for (alerts, kind) in PAGES {
        let json = page(alerts);
        let bare = || each([&json], |json| assert_eq!(bare_page(json), alerts));
        let mut known = KnownAlerts::default();
        for alert in read(&json) {
            known.note(&alert.id, AlertFingerprint::of(&alert));
        }
        let is_known = |alert: &&Alert| known.knows(&alert.id, AlertFingerprint::of(alert));
        let only_read = || each([&json], |json| assert_eq!(black_box(read(json)).len(), alerts));
        let compare = || each([&json], |json| assert_eq!(read(json).iter().filter(is_known).count(), alerts));
        let mut yardstick = bare();
        let mut record = |what: &str, took: f64| {
            let after = bare();
            println!(
                "{}",
                json!({ "what": what, "kind": kind, "took_ns": took, "bare_ns": f64::midpoint(yardstick, after) })
            );
            yardstick = after;
        };
        for _ in 0..ROUNDS {
            record("read", only_read());
            record("read and compared", compare());
        }
    }
}
