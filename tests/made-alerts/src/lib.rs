//! The alert that tests begin with: what matters to a test is said there, over this.
//!
//! A crate of its own, so that the tests of `models` can use it, on which everything else depends.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use models::{Alert, AlertType, Resolution, Severity, Status};

/// When it was detected and observed: 2 March 2026, 09:00 UTC.
pub const DETECTED: Timestamp = Timestamp::constant(1_772_442_000, 0);

/// An open alert of high severity under this id, of which nothing is known that could be left out.
#[must_use]
pub fn alert(id: &str) -> Alert {
    Alert {
        id: id.parse().unwrap(),
        display_name: "Connections to known mining pools".to_owned(),
        description: None,
        alert_type: AlertType("CryptoMining".to_owned()),
        status: Status::Active,
        severity: Severity::High,
        confidence: None,
        customer_id: None,
        subscription_id: None,
        reseller_id: None,
        catalog_offer_id: None,
        detected: DETECTED,
        first_observed: DETECTED,
        last_observed: DETECTED,
        resolution: Resolution::default(),
        is_test: false,
        affected_resources: Vec::new(),
        activity: Vec::new(),
        additional_details: BTreeMap::new(),
    }
}
