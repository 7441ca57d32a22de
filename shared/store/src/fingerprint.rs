//! A hash of what Microsoft says of an alert, by which one that has not changed is known without reading what is kept of it.
//!
//! Promises: two alerts that differ in any field have different fingerprints, and nobody can make two that don't (SHA-256, of which
//! 16 bytes count). The fields are hashed as they are, each with its length, and no JSON is made of them for it: a thousand alerts a
//! run are hashed to find that nothing has changed.

use jiff::Timestamp;
use models::{ActivityEntry, AffectedResource, Alert, Resolution};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// How many bytes a fingerprint has.
pub(crate) const CONTENT_BYTES: usize = 16;
/// Counts up when the formula changes: no fingerprint of before is then known, and every alert is compared in full once.
const FORMULA: u8 = 2;
/// An alert of the samples' size has half as many bytes.
const ROOM: usize = 2_048;
/// What the fingerprint of an alert that can't be read begins with.
const UNREADABLE: [u8; 4] = *b"raw:";

/// A hash of what Microsoft says of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertFingerprint(pub(crate) [u8; CONTENT_BYTES]);

impl AlertFingerprint {
    /// That of an alert which no list has shown: it differs from every other.
    pub const UNLISTED: Self = Self([0; CONTENT_BYTES]);

    /// The fingerprint of an alert.
    #[must_use]
    pub fn of(alert: &Alert) -> Self {
        let mut fields = Fields(Vec::with_capacity(ROOM));
        fields.alert(alert);
        Self(crate::digests::first_bytes(&Sha256::digest(fields.0)))
    }

    /// The fingerprint of an alert that can't be read, by its bytes. It says so itself: what is known thereby tells who is to be
    /// looked for among those that are kept aside once they can be read.
    #[must_use]
    pub fn of_unreadable(body: &[u8]) -> Self {
        let mut bytes = crate::digests::first_bytes(&Sha256::digest(body));
        bytes[..UNREADABLE.len()].copy_from_slice(&UNREADABLE);
        Self(bytes)
    }

    /// Whether this is of an alert that can't be read. Of the others one in four billion looks like one, too.
    pub(crate) fn is_of_unreadable(&self) -> bool {
        self.0.starts_with(&UNREADABLE)
    }
}

/// The fields of an alert in bytes, so that no two lists of fields are alike.
struct Fields(Vec<u8>);

impl Fields {
    fn alert(&mut self, alert: &Alert) {
        // Named one by one: a field that comes later and is forgotten here does not compile.
        let Alert {
            id,
            display_name,
            description,
            alert_type,
            status,
            severity,
            confidence,
            customer_id,
            subscription_id,
            reseller_id,
            catalog_offer_id,
            detected,
            first_observed,
            last_observed,
            resolution: Resolution { reason, on, by },
            is_test,
            affected_resources,
            activity,
            additional_details,
        } = alert;
        self.0.push(FORMULA);
        for text in [id.as_str(), display_name, &alert_type.0, status.as_str(), severity.as_str()] {
            self.text(text);
        }
        for text in [
            description.as_deref(),
            confidence.as_ref().map(models::Confidence::as_str),
            customer_id.as_ref().map(models::CustomerId::as_str),
            subscription_id.as_ref().map(models::SubscriptionId::as_str),
            reseller_id.as_deref(),
            catalog_offer_id.as_deref(),
            reason.as_ref().map(models::ResolvedReason::as_str),
            by.as_deref(),
        ] {
            self.text_if_any(text);
        }
        for moment in [Some(*detected), Some(*first_observed), Some(*last_observed), *on] {
            self.moment_if_any(moment);
        }
        self.0.push((*is_test).into());
        self.length(affected_resources.len());
        for AffectedResource { resource_id, resource_type } in affected_resources {
            self.text(resource_id);
            self.text_if_any(resource_type.as_deref());
        }
        self.length(activity.len());
        for ActivityEntry { status_from, status_to, updated_by, updated } in activity {
            self.text_if_any(status_from.as_ref().map(models::Status::as_str));
            self.text_if_any(status_to.as_ref().map(models::Status::as_str));
            self.text_if_any(updated_by.as_deref());
            self.moment_if_any(*updated);
        }
        self.members(additional_details);
    }

    fn length(&mut self, length: usize) {
        // No answer of Microsoft's is as long as four bytes can say: 16 MiB are too many.
        self.0.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn text_if_any(&mut self, text: Option<&str>) {
        self.0.push(text.is_some().into());
        self.text(text.unwrap_or_default());
    }

    fn moment_if_any(&mut self, moment: Option<Timestamp>) {
        self.0.push(moment.is_some().into());
        let moment = moment.unwrap_or_default();
        self.0.extend_from_slice(&moment.as_second().to_le_bytes());
        self.0.extend_from_slice(&moment.subsec_nanosecond().to_le_bytes());
    }

    fn members<'a>(&mut self, members: impl IntoIterator<Item = (&'a String, &'a Value), IntoIter: ExactSizeIterator>) {
        let members = members.into_iter();
        self.length(members.len());
        for (name, value) in members {
            self.text(name);
            self.value(value);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push(0),
            Value::Bool(truth) => self.0.extend_from_slice(&[1, (*truth).into()]),
            Value::Number(number) => {
                self.0.push(2);
                self.text(&number.to_string());
            }
            Value::String(text) => {
                self.0.push(3);
                self.text(text);
            }
            Value::Array(values) => {
                self.0.push(4);
                self.length(values.len());
                for value in values {
                    self.value(value);
                }
            }
            Value::Object(members) => {
                self.0.push(5);
                self.members(members);
            }
        }
    }
}
