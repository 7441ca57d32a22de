//! What was done about an alert, or about a tenant as a whole: one line for each act, in a chain.
//!
//! Promises: a line is written once, as text, and what it is hashed by is exactly that text, which holds its number and the hash of the line
//! before. So a release can verify lines that it can't read ([`verify`](crate::verify())). A line is below 4 kB whatever is in it. It holds personal
//! data (who acted, what they wrote) and never a token or a body. Leaves to others: that a line and the head of its chain are written
//! in one transaction (`store`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Actor, Alert, AlertId, CustomerId, Label, MicrosoftRefusal, Note, OperationId, Person, ResolvedReason, ShortText,
    Status, SubscriptionId, SubscriptionStage, SubscriptionWish, TenantId, ViewId,
    ids::{guid, hex_digest, opaque, text_id},
    text::cut,
};

text_id! {
    /// A line of the activity log: a random GUID.
    ActivityId, |text| guid("activity id", text)
}
text_id! {
    /// SHA-256 of a line's text, in hexadecimal.
    LineHash, |text| hex_digest("hash of a line", text)
}

impl LineHash {
    /// The hash of this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(hex::encode(Sha256::digest(text)))
    }

    /// What stands in the first line of a chain as the hash of the one before.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self("0".repeat(64))
    }
}

/// What a chain of lines is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Chain {
    /// The tenant.
    pub tenant: TenantId,
    /// The alert; none where it is about the tenant as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
}

/// The end of a chain: how many lines there are, and the hash of the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many lines.
    pub count: u64,
    /// The hash of the last; of a chain without lines, sixty-four zeros.
    pub hash: LineHash,
    /// Whether it was found by the lines, since what should have said so was gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub regained: bool,
}

impl Default for Head {
    fn default() -> Self {
        Self { count: 0, hash: LineHash::of_nothing(), regained: false }
    }
}

/// Where an alert stands. Names that are not documented are cut to 32 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its status.
    pub status: Status,
    /// Why it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ResolvedReason>,
}

impl Standing {
    /// One of this status and for this reason.
    #[must_use]
    pub fn new(status: &Status, reason: Option<&ResolvedReason>) -> Self {
        let short = |text: &str| cut(text, 32);
        let reason = reason.map(|reason| ResolvedReason::from(short(reason.as_str()).as_str()));
        Self { status: Status::from(short(status.as_str()).as_str()), reason }
    }

    /// Where this alert stands.
    #[must_use]
    pub fn of(alert: &Alert) -> Self {
        Self::new(&alert.status, alert.resolution.reason.as_ref())
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Act {
    /// The alert was given to a person.
    Assigned {
        /// To whom.
        to: Person,
    },
    /// A note was written, which is the line's.
    Noted,
    /// The alert was set aside for a time.
    Snoozed {
        /// Until when.
        until: Timestamp,
        /// Why.
        why: ShortText,
    },
    /// Somebody wants the alert to stand as the line says: written before Microsoft is called.
    StatusAsked,
    /// The alert stands so by now, and Microsoft was told nothing: somebody else did the same.
    StatusAlreadySo,
    /// Microsoft took it, and our copy has it.
    StatusDone,
    /// What Microsoft refused had taken the place of an older wish, and that is not taken up again either: the alert stands as the line says.
    StatusNotResumed {
        /// The operation whose wish it was.
        superseded: OperationId,
    },
    /// Microsoft took it, or may have, and something newer was begun or seen meanwhile: our copy is left as that has it, and stands as the line says. What
    /// Microsoft has of both, the next sight tells.
    StatusOverlapped,
    /// Microsoft refused it.
    StatusRefused(MicrosoftRefusal),
    /// Somebody else was quicker: the alert stands as the line says, and Microsoft is told no more.
    StatusSuperseded,
    /// Somebody wants a subscription cancelled, or active again: written before Microsoft is called.
    SubscriptionAsked {
        /// Which it is.
        wish: SubscriptionWish,
        /// The customer.
        customer: CustomerId,
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// Alerts of a subscription that is cancelled stay open, since they can't be resolved: people were told.
    SubscriptionAlertsLeft {
        /// The subscription.
        subscription: SubscriptionId,
        /// How many.
        alerts: u64,
    },
    /// Nobody could say for days how it stands, and it was given up: people were told.
    SubscriptionGivenUp {
        /// The subscription.
        subscription: SubscriptionId,
        /// How far it had come.
        at: SubscriptionStage,
    },
    /// Nobody signed in for it in time, and it was given up.
    SubscriptionLapsed {
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// Microsoft was told, and does not show it though it has had the time: it takes a person's token again.
    SubscriptionNotTaken {
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// Microsoft refused it.
    SubscriptionRefused {
        /// The subscription.
        subscription: SubscriptionId,
        /// How.
        refusal: MicrosoftRefusal,
    },
    /// It got no further for so long that people were told.
    SubscriptionStuck {
        /// The subscription.
        subscription: SubscriptionId,
        /// How far it had come.
        at: SubscriptionStage,
    },
    /// It got further.
    SubscriptionReached {
        /// The subscription.
        subscription: SubscriptionId,
        /// How far.
        stage: SubscriptionStage,
    },
    /// Microsoft is about to be told: written before the call.
    SubscriptionTelling {
        /// The subscription.
        subscription: SubscriptionId,
        /// Whose token it is, where whoever does it is of another tenant, and known in the partner tenant by another id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known_as: Option<Person>,
    },
    /// The alert is nobody's any more.
    Unassigned,
    /// A saved view was removed.
    ViewRemoved {
        /// Which.
        view: ViewId,
    },
    /// A view was saved.
    ViewSaved {
        /// Which.
        view: ViewId,
        /// What it is called.
        name: Label,
    },
    /// A snooze was ended before its time.
    Woken,
    /// What only a newer release knows.
    #[serde(other)]
    Unknown,
}

/// What is to be written as a line, wherever in its chain it comes to stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: ActivityId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub act: Act,
    /// Where the alert stood before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Standing>,
    /// Where it stands from now on, or is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Standing>,
    /// What they wrote about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The operation that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// The request to us by which it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
}

text_id! {
    /// A request, as whoever made it or took it names it: 1 to 64 bytes without control characters.
    RequestId, |text| opaque("request id", text, 64)
}

impl Entry {
    /// Something that was done, and nothing more about it.
    #[must_use]
    pub fn new(id: ActivityId, at: Timestamp, actor: Actor, act: Act) -> Self {
        Self { id, at, actor, act, from: None, to: None, note: None, operation: None, request: None }
    }
}

/// A line of the activity log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityLine {
    /// What its chain is about.
    pub chain: Chain,
    /// Its number in the chain, from 1 on.
    pub number: u64,
    /// The hash of the line before.
    pub previous: LineHash,
    /// Whether the head of the chain was gone when it was written: what was cut off before it can't be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub head_was_gone: bool,
    /// What was done.
    #[serde(flatten)]
    pub entry: Entry,
}

/// A line as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLine {
    /// Its number by its place; none where that is no place of a line.
    pub number: Option<u64>,
    /// The line as JSON, to the byte.
    pub text: String,
    /// The hash that is kept beside it.
    pub hash: String,
}

impl KeptLine {
    /// The line, where this release can read it.
    ///
    /// # Errors
    ///
    /// It is of another form.
    pub fn read(&self) -> Result<ActivityLine, serde_json::Error> {
        serde_json::from_str(&self.text)
    }
}

/// Puts what was done at the end of a chain: the lines as they are to be kept, and the end of the chain after them.
///
/// # Errors
///
/// A line can't be written as JSON, which no line of ours is known to do.
pub fn follow(chain: &Chain, head: &Head, entries: &[Entry]) -> Result<(Vec<KeptLine>, Head), serde_json::Error> {
    let mut head = head.clone();
    let mut lines = Vec::with_capacity(entries.len());
    for entry in entries {
        let line = ActivityLine {
            chain: chain.clone(),
            number: head.count + 1,
            previous: head.hash,
            head_was_gone: head.regained,
            entry: entry.clone(),
        };
        let text = serde_json::to_string(&line)?;
        let hash = LineHash::of(&text);
        lines.push(KeptLine { number: Some(line.number), text, hash: hash.to_string() });
        head = Head { count: line.number, hash, regained: false };
    }
    Ok((lines, head))
}
