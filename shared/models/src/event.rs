//! Partner Center webhook events, read from the bytes that the signature was verified over.
//!
//! Tolerant where Microsoft's documents disagree (case of member names, stray blanks, null or absent members, unknown event
//! names), strict where it matters: one value for each member, a name, and a date of change, without which a replay could
//! not be told from a new event.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::open::open_enum;

open_enum! {
    /// What happened, as Partner Center names it. The list has grown every year.
    EventName {
        /// Microsoft saw signs of fraud in a customer's subscription: "look now".
        AzureFraudEventDetected = "azure-fraud-event-detected",
        /// Delegated administration was approved.
        DapAdminRelationshipApproved = "dap-admin-relationship-approved",
        /// Delegated administration was ended.
        DapAdminRelationshipTerminated = "dap-admin-relationship-terminated",
        /// Delegated administration was ended by Microsoft after 90 idle days.
        DapAdminRelationshipTerminatedByMicrosoft = "dap-admin-relationship-terminated-by-microsoft",
        /// A granular access assignment became active.
        GranularAdminAccessAssignmentActivated = "granular-admin-access-assignment-activated",
        /// A granular access assignment was made.
        GranularAdminAccessAssignmentCreated = "granular-admin-access-assignment-created",
        /// A granular access assignment was removed.
        GranularAdminAccessAssignmentDeleted = "granular-admin-access-assignment-deleted",
        /// A granular access assignment was changed.
        GranularAdminAccessAssignmentUpdated = "granular-admin-access-assignment-updated",
        /// A granular relationship became active.
        GranularAdminRelationshipActivated = "granular-admin-relationship-activated",
        /// A granular relationship was approved.
        GranularAdminRelationshipApproved = "granular-admin-relationship-approved",
        /// A granular relationship ran out.
        GranularAdminRelationshipExpired = "granular-admin-relationship-expired",
        /// A granular relationship was ended.
        GranularAdminRelationshipTerminated = "granular-admin-relationship-terminated",
        /// A customer accepted an indirect reseller.
        IndirectResellerRelationshipAcceptedByCustomer = "indirect-reseller-relationship-accepted-by-customer",
        /// An invoice is ready.
        InvoiceReady = "invoice-ready",
        /// A migration to new commerce ended well.
        NewCommerceMigrationCompleted = "new-commerce-migration-completed",
        /// A migration to new commerce was started.
        NewCommerceMigrationCreated = "new-commerce-migration-created",
        /// A migration to new commerce failed.
        NewCommerceMigrationFailed = "new-commerce-migration-failed",
        /// A planned migration to new commerce failed.
        NewCommerceMigrationScheduleFailed = "new-commerce-migration-schedule-failed",
        /// A referral was made.
        ReferralCreated = "referral-created",
        /// A referral was changed.
        ReferralUpdated = "referral-updated",
        /// A related referral was made.
        RelatedReferralCreated = "related-referral-created",
        /// A related referral was changed.
        RelatedReferralUpdated = "related-referral-updated",
        /// A customer accepted the reseller.
        ResellerRelationshipAcceptedByCustomer = "reseller-relationship-accepted-by-customer",
        /// A commerce subscription changed.
        SubscriptionUpdated = "subscription-updated",
        /// A test event that the partner asked for.
        TestCreated = "test-created",
        /// An Azure spending budget was passed.
        UsagerecordsThresholdExceeded = "usagerecords-thresholdExceeded",
    }
}

/// One event. Every text is trimmed, and an empty one is the same as an absent one.
///
/// The URIs are the sender's text: no request with a token of ours may ever follow them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub name: EventName,
    /// The resource that it happened to.
    pub resource_uri: Option<String>,
    /// The kind of that resource; its case varies.
    pub resource_name: Option<String>,
    /// The audit record, for events that have one.
    pub audit_uri: Option<String>,
    /// When the resource changed (`ResourceChangeUtcDate`); may lawfully be days old.
    pub changed: Timestamp,
}

/// Why an authentic body could not be read. Names members, never a value of the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a Partner Center event: {0}")]
pub struct UnreadableEvent(String);

/// How the words of [`EventVisitor`] begin.
const OUR_WORDS: [&str; 3] = ["missing field ", "duplicate field ", "ResourceChangeUtcDate is not "];

impl From<serde_json::Error> for UnreadableEvent {
    fn from(error: serde_json::Error) -> Self {
        let words = error.to_string();
        // Where a value is of another type than it should be, the parser repeats it.
        if error.is_data() && !OUR_WORDS.iter().any(|ours| words.starts_with(ours)) {
            let (line, column) = (error.line(), error.column());
            return Self(format!("a value of another type than it should be at line {line} column {column}"));
        }
        Self(words)
    }
}

impl Event {
    /// Reads an event from its raw body.
    ///
    /// # Errors
    ///
    /// [`UnreadableEvent`] where the bytes are not one JSON object in UTF-8 with an `EventName` and a
    /// `ResourceChangeUtcDate`, or where one of our members occurs twice.
    pub fn read(body: &[u8]) -> Result<Self, UnreadableEvent> {
        Ok(serde_json::from_slice(body)?)
    }

    /// Whether the event asks to look for fraud alerts at once.
    #[must_use]
    pub fn is_fraud_signal(&self) -> bool {
        self.name == EventName::AzureFraudEventDetected
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Event, A::Error> {
        let (mut name, mut uri, mut resource_name, mut audit, mut changed) = (None, None, None, None, None);
        while let Some(member) = members.next_key()? {
            match member {
                Member::EventName => once("EventName", &mut name, members.next_value()?)?,
                Member::ResourceUri => once("ResourceUri", &mut uri, members.next_value()?)?,
                Member::ResourceName => once("ResourceName", &mut resource_name, members.next_value()?)?,
                Member::AuditUri => once("AuditUri", &mut audit, members.next_value()?)?,
                Member::ResourceChangeUtcDate => once("ResourceChangeUtcDate", &mut changed, members.next_value()?)?,
                // Unknown members stay in the raw body, which is kept.
                Member::Unknown => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        let name = name.and_then(trimmed).ok_or_else(|| A::Error::missing_field("EventName"))?;
        let changed = changed.and_then(trimmed).ok_or_else(|| A::Error::missing_field("ResourceChangeUtcDate"))?;
        Ok(Event {
            name: EventName::from(name.as_str()),
            resource_uri: uri.and_then(trimmed),
            resource_name: resource_name.and_then(trimmed),
            audit_uri: audit.and_then(trimmed),
            changed: changed.parse().map_err(|_| A::Error::custom("ResourceChangeUtcDate is not an RFC 3339 date"))?,
        })
    }
}

/// A member of an event, in whatever case it is written.
enum Member {
    AuditUri,
    EventName,
    ResourceChangeUtcDate,
    ResourceName,
    ResourceUri,
    Unknown,
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(MemberVisitor)
    }
}

/// Looks at a member's name where it stands: none is copied.
struct MemberVisitor;

impl Visitor<'_> for MemberVisitor {
    type Value = Member;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Member, E> {
        let known = [
            ("EventName", Member::EventName),
            ("ResourceUri", Member::ResourceUri),
            ("ResourceName", Member::ResourceName),
            ("AuditUri", Member::AuditUri),
            ("ResourceChangeUtcDate", Member::ResourceChangeUtcDate),
        ];
        let named = known.into_iter().find(|(member, _)| name.eq_ignore_ascii_case(member));
        Ok(named.map_or(Member::Unknown, |(_, member)| member))
    }
}

fn once<E: serde::de::Error, T>(member: &'static str, slot: &mut Option<T>, value: T) -> Result<(), E> {
    if slot.replace(value).is_some() { Err(E::duplicate_field(member)) } else { Ok(()) }
}

fn trimmed(text: Option<String>) -> Option<String> {
    let text = text?;
    match text.trim() {
        "" => None,
        same if same.len() == text.len() => Some(text),
        shorter => Some(shorter.to_owned()),
    }
}
