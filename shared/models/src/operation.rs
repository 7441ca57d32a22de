//! What somebody asked for, from the moment that it is asked until it is done, so that asking twice does it once.
//!
//! Promises: pure. An operation is written before Microsoft is called, and says at any moment what is left to do; its id follows from who asks and
//! the idempotency key that they chose. Leaves to others: where it is kept (`store`), who carries it on.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Actor, AlertId, CustomerId, MessageId, MicrosoftRefusal, Note, OutOfOrder, STUCK_AFTER, Standing, Status,
    SubscriptionEvent, SubscriptionId, SubscriptionProgress, SubscriptionStage, SubscriptionWish, TenantId, ViewId,
    Words,
    ids::{hex_digest, opaque, text_id},
    text::cut,
};

/// How long an operation is kept after its last change, and with it the memory that an idempotency key was used: longer than anybody goes on
/// repeating a request, and as long as callbacks are kept. The activity log outlives it.
pub const OPERATION_RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a wish about a subscription waits for the person whose own token it takes, from when it was asked for; where Microsoft was told meanwhile, from
/// when it was found that Microsoft had not taken it. After that it is given up: who still wants it asks anew.
pub const LAPSES_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// After how long a wish about an alert that Microsoft gives no answer to is given up. Whoever wants it then decides anew; the next sight of the alert shows
/// what it came to.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// How long a wish about a subscription may stand still at a stage where nobody can say how it stands at Microsoft, or at which its alerts can't be resolved,
/// before it is given up: by then people have been told long ago.
pub const STANDS_STILL_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Most alerts of one operation.
pub const MOST_ALERTS: usize = 100;

text_id! {
    /// An operation: SHA-256 in hexadecimal.
    OperationId, |text| hex_digest("operation id", text)
}
text_id! {
    /// What a caller marks a request by, so that repeating it does it once: 1 to 128 bytes without control characters.
    IdempotencyKey, |text| opaque("idempotency key", text, 128)
}
text_id! {
    /// SHA-256 of a request, in hexadecimal: the same key with another request is a mistake.
    RequestHash, |text| hex_digest("hash of a request", text)
}

impl OperationId {
    /// The id of what this caller asks for under this key.
    #[must_use]
    pub fn of_key(tenant: &TenantId, by: &Actor, key: &IdempotencyKey) -> Self {
        Self(MessageId::of_parts(&["operation", tenant.as_str(), &by.key(), key.as_str()]).into())
    }

    /// The id of what somebody asks for without a key: of a random id, so that nothing repeats it.
    #[must_use]
    pub fn of_random(id: &str) -> Self {
        Self(MessageId::of_parts(&["operation without a key", id]).into())
    }

    /// The id that a call to Microsoft has, however often it is repeated for this operation (`MS-RequestId`: a GUID, by which Partner Center does a call once).
    #[must_use]
    pub fn microsoft_request_id(&self, call: &str) -> String {
        let mut bytes: [u8; 16] = [0; 16];
        bytes.copy_from_slice(&Sha256::digest(format!("{self}#{call}"))[..16]);
        // A GUID whose bits are its maker's own (RFC 9562, version 8).
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = hex::encode(bytes);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

impl RequestHash {
    /// The hash of a request in a form in which equal requests are equal.
    #[must_use]
    pub fn of(request: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(request)))
    }
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Asked {
    /// That alerts stand so.
    Status {
        /// Which.
        alerts: Vec<AlertId>,
        /// How.
        to: Standing,
        /// What was written about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Note>,
    },
    /// Something about a subscription.
    Subscription {
        /// What.
        wish: SubscriptionWish,
        /// The customer.
        customer: CustomerId,
        /// Which.
        subscription: SubscriptionId,
        /// What was written about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Note>,
    },
    /// A change of a saved view.
    View {
        /// Which.
        view: ViewId,
    },
    /// A note, somebody to look after an alert, a snooze.
    Work {
        /// The alert.
        alert: AlertId,
    },
    /// What only a newer release knows.
    #[serde(other)]
    Unknown,
}

/// What came of it for one alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AlertResult {
    /// It stood so already, and Microsoft was told nothing.
    AlreadySo,
    /// It is done.
    Done {
        /// The alert's version since.
        version: u64,
    },
    /// There is no such alert.
    NotFound,
    /// Microsoft was told, or may have been, and something newer was begun or seen meanwhile: that counts.
    Overlapped {
        /// Where it stands.
        now: Standing,
    },
    /// Microsoft refused.
    Refused(MicrosoftRefusal),
    /// Somebody else was quicker.
    Superseded {
        /// Where it stands.
        now: Standing,
    },
    /// What only a newer release knows.
    #[serde(other)]
    Unknown,
}

/// Where an operation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OperationState {
    /// It is written down, and nothing is known to be done.
    Asked,
    /// All of it is done, or will never be: its results say which.
    Done,
    /// Some of it is done.
    InProgress,
    /// It was given up, and nothing is known to be done: the person whose own token it takes did not sign in for it in time, or nobody could say for days how
    /// it stands.
    Lapsed,
    /// Microsoft refused all of it.
    Refused {
        /// How.
        refusal: MicrosoftRefusal,
        /// Their words, cut to 1,024 characters. Empty where they gave none.
        description: String,
    },
    /// It got no further, and people were told; it goes on where it can.
    Stuck {
        /// When they were told.
        since: Timestamp,
    },
    /// What only a newer release knows.
    #[serde(other)]
    Unknown,
}

/// A wish about an alert that was on its way when a newer one took its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupersededWish {
    /// The operation whose wish it was.
    pub operation: OperationId,
    /// Where the alert stood then, as far as we know. It stands so still where the newer wish is refused, and Microsoft was told of neither.
    pub now: Standing,
    /// Whether Microsoft may have been told of it.
    #[serde(default)]
    pub told: bool,
}

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// The tenant.
    pub tenant: TenantId,
    /// Who asked.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// The hash of their request.
    pub request: RequestHash,
    /// What they asked for.
    pub asked: Asked,
    /// Where it is.
    pub state: OperationState,
    /// How far a wish about a subscription has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<SubscriptionProgress>,
    /// Who else wanted the same of a subscription while it was under way, and may go on with it: the last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_on_by: Option<Actor>,
    /// What this person was given in its place: an operation of somebody else's, which they took on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<OperationId>,
    /// How Microsoft refused it last, in a way that another sign-in may mend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<MicrosoftRefusal>,
    /// When Microsoft was told of an alert, or may have been, and gave no answer that says what it did, by alert. Of an alert of a subscription that is
    /// cancelled: when it could not be resolved last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unanswered: BTreeMap<AlertId, Timestamp>,
    /// The alerts of which it is not written yet that somebody wants something of them, each at the version that they saw.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unwritten: BTreeMap<AlertId, u64>,
    /// The alerts that Microsoft held up, who come after the others: the one that has waited longest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_up: Vec<AlertId>,
    /// The wishes that were on their way when this one took their place, by alert. None of them is taken up again, whatever comes of this one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub superseded: BTreeMap<AlertId, SupersededWish>,
    /// What came of it so far, by alert.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub results: BTreeMap<AlertId, AlertResult>,
    /// Its version: grows by one with each write.
    pub revision: u64,
    /// When it changed last.
    pub changed: Timestamp,
}

/// What a request is that somebody made before, under the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// Another one: the key was used for something else.
    Another,
    /// The same, and nothing is left to do.
    Finished,
    /// The same, and something is left to do: it is to be carried on.
    Unfinished,
}

impl Operation {
    /// What is written down before anything is done.
    #[must_use]
    pub fn asked(
        id: OperationId,
        tenant: TenantId,
        by: Actor,
        request: RequestHash,
        asked: Asked,
        now: Timestamp,
    ) -> Self {
        let progress = match &asked {
            Asked::Subscription { wish, .. } => Some(SubscriptionProgress::asked(*wish, now)),
            Asked::Status { .. } | Asked::View { .. } | Asked::Work { .. } | Asked::Unknown => None,
        };
        Self {
            id,
            tenant,
            by,
            at: now,
            request,
            asked,
            state: OperationState::Asked,
            progress,
            taken_on_by: None,
            instead: None,
            refusal: None,
            unanswered: BTreeMap::new(),
            unwritten: BTreeMap::new(),
            held_up: Vec::new(),
            superseded: BTreeMap::new(),
            results: BTreeMap::new(),
            revision: 1,
            changed: now,
        }
    }

    /// What a request is that comes under the same id.
    #[must_use]
    pub fn repeated_by(&self, request: &RequestHash) -> Repeated {
        match &self.state {
            _ if self.request != *request => Repeated::Another,
            OperationState::Asked | OperationState::InProgress | OperationState::Stuck { .. } => Repeated::Unfinished,
            // One that only a newer release knows is carried on by whoever knows it.
            OperationState::Done
            | OperationState::Lapsed
            | OperationState::Refused { .. }
            | OperationState::Unknown => Repeated::Finished,
        }
    }

    /// Whether something of it only a newer release knows: written back, that would be lost.
    #[must_use]
    pub fn holds_unknown(&self) -> bool {
        let stage = self.progress.as_ref().map(|progress| progress.stage);
        matches!(self.asked, Asked::Unknown)
            || matches!(self.state, OperationState::Unknown)
            || stage == Some(SubscriptionStage::Unknown)
            || self.results.values().any(|result| matches!(result, AlertResult::Unknown))
    }

    /// The alerts of which nothing is known yet, in the order in which they are to be tried.
    pub fn left(&self) -> impl Iterator<Item = &AlertId> {
        let alerts: &[AlertId] = match &self.asked {
            Asked::Status { alerts, .. } => alerts,
            Asked::Work { alert } => std::slice::from_ref(alert),
            Asked::Subscription { .. } | Asked::View { .. } | Asked::Unknown => &[],
        };
        let others = alerts.iter().filter(|alert| !self.held_up.contains(alert));
        others.chain(&self.held_up).filter(|alert| !self.results.contains_key(alert))
    }

    /// The same once Microsoft has held up an alert: the others come first.
    #[must_use]
    pub fn with_held_up(&self, alert: &AlertId, now: Timestamp) -> Self {
        let mut after = self.moved(self.state.clone(), now);
        after.held_up.retain(|held_up| held_up != alert);
        after.held_up.push(alert.clone());
        after
    }

    /// The same before Microsoft is told of an alert: whatever becomes of the call, it may have been.
    #[must_use]
    pub fn with_telling(&self, alert: &AlertId, now: Timestamp) -> Self {
        let mut after = self.moved(self.state.clone(), now);
        after.unanswered.insert(alert.clone(), now);
        after
    }

    /// The same once Microsoft has turned the call away: it was not told.
    #[must_use]
    pub fn with_not_told(&self, alert: &AlertId, now: Timestamp) -> Self {
        let mut after = self.moved(self.state.clone(), now);
        after.unanswered.remove(alert);
        after
    }

    /// Whether Microsoft was told of an alert, or may have been, and gave no answer that says what it did.
    #[must_use]
    pub fn may_be_told(&self, alert: &AlertId) -> bool {
        self.unanswered.contains_key(alert)
    }

    /// The same once it is written that something is wanted of an alert.
    #[must_use]
    pub fn with_written(&self, alert: &AlertId, now: Timestamp) -> Self {
        let mut after = self.moved(OperationState::InProgress, now);
        after.unwritten.remove(alert);
        after
    }

    /// The same once it is known what came of it for an alert. What was known before stays.
    #[must_use]
    pub fn with_result(&self, alert: AlertId, result: AlertResult, now: Timestamp) -> Self {
        // A result brings a wish about a subscription no further: one that people were told of stays so.
        let state = if self.progress.is_some() { self.state.clone() } else { OperationState::InProgress };
        let mut after = self.moved(state, now);
        after.unwritten.remove(&alert);
        after.unanswered.remove(&alert);
        after.held_up.retain(|held_up| *held_up != alert);
        after.results.entry(alert).or_insert(result);
        if after.progress.is_none() && after.left().next().is_none() {
            after.state = OperationState::Done;
        }
        after
    }

    /// The same once an alert of the subscription got no answer in time, or could not be resolved: it comes after the others.
    #[must_use]
    pub fn with_no_answer(&self, alert: AlertId, now: Timestamp) -> Self {
        let mut after = self.moved(self.state.clone(), now);
        after.unanswered.insert(alert, now);
        after
    }

    /// The same once somebody else wants it, too, and may go on with it.
    #[must_use]
    pub fn taken_on(&self, by: Actor, now: Timestamp) -> Self {
        Self { taken_on_by: Some(by), ..self.moved(self.state.clone(), now) }
    }

    /// Whether this is who asked for it, or took it on, whatever they are called by now.
    #[must_use]
    pub fn is_wanted_by(&self, who: &Actor) -> bool {
        self.by.key() == who.key() || self.taken_on_by.as_ref().is_some_and(|other| other.key() == who.key())
    }

    /// The same once a wish about a subscription has got further.
    ///
    /// # Errors
    ///
    /// [`OutOfOrder`]. Also of an operation about something else.
    pub fn advanced(&self, event: SubscriptionEvent, now: Timestamp) -> Result<Self, OutOfOrder> {
        let Some(progress) = &self.progress else {
            return Err(OutOfOrder { stage: SubscriptionStage::Asked, event });
        };
        let next = progress.next(event, now)?;
        let is_done = next.stage == SubscriptionStage::Done;
        let state = if is_done { OperationState::Done } else { OperationState::InProgress };
        // One that people were told of stays so until it moves.
        let state = if next == *progress { self.state.clone() } else { state };
        let refusal = self.refusal.clone().filter(|_| next.stage < SubscriptionStage::Posted);
        Ok(Self { progress: Some(next), refusal, ..self.moved(state, now) })
    }

    /// The same, done.
    #[must_use]
    pub fn done(&self, now: Timestamp) -> Self {
        self.moved(OperationState::Done, now)
    }

    /// The same, refused by Microsoft for good.
    #[must_use]
    pub fn refused(&self, refusal: MicrosoftRefusal, now: Timestamp) -> Self {
        let description = refusal.description.as_ref().map(Words::as_str).unwrap_or_default();
        let description = cut(description, 1_024);
        self.moved(OperationState::Refused { refusal, description }, now)
    }

    /// The same, refused by Microsoft in a way that another sign-in may mend: it goes on waiting.
    #[must_use]
    pub fn refused_for_now(&self, refusal: MicrosoftRefusal, now: Timestamp) -> Self {
        Self { refusal: Some(refusal), ..self.moved(self.state.clone(), now) }
    }

    /// Whether a person's own token may be used for it: Microsoft is not known to have taken it.
    #[must_use]
    pub fn takes_person(&self) -> bool {
        self.is_before(SubscriptionStage::Posted)
    }

    /// Whether it goes on only by a person's own token. Where Microsoft has just been told, it is looked at first.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        self.is_before(SubscriptionStage::Telling)
    }

    fn is_before(&self, stage: SubscriptionStage) -> bool {
        let is_open = self.repeated_by(&self.request) == Repeated::Unfinished;
        is_open && self.progress.as_ref().is_some_and(|progress| progress.stage < stage)
    }

    /// The same, given up, if it has waited for a person's token for too long. What Microsoft was told of, and may have taken, is given up only by whoever has
    /// just seen that Microsoft shows it as it was before (`is_seen_as_before`); all else by the clock.
    #[must_use]
    pub fn lapsed(&self, is_seen_as_before: bool, now: Timestamp) -> Option<Self> {
        let progress = self.progress.as_ref().filter(|_| self.needs_person())?;
        let is_late = match progress.tellings {
            0 => now.duration_since(self.at) >= LAPSES_AFTER,
            _ => is_seen_as_before && now.duration_since(progress.since) >= LAPSES_AFTER,
        };
        is_late.then(|| self.moved(OperationState::Lapsed, now))
    }

    /// Whether a wish about a subscription has stood still for so long that nobody goes on with it.
    #[must_use]
    pub fn is_hopeless(&self, now: Timestamp) -> bool {
        let is_open = self.repeated_by(&self.request) == Repeated::Unfinished;
        is_open && self.progress.as_ref().is_some_and(|it| now.duration_since(it.since) >= STANDS_STILL_FOR)
    }

    /// The same, given up.
    #[must_use]
    pub fn given_up(&self, now: Timestamp) -> Self {
        self.moved(OperationState::Lapsed, now)
    }

    /// How many alerts of the subscription are left open for good: Microsoft refused each, or somebody else left it so.
    #[must_use]
    pub fn left_open(&self) -> usize {
        let is_open = |result: &&AlertResult| match result {
            AlertResult::Refused(_) => true,
            AlertResult::Superseded { now } | AlertResult::Overlapped { now } => now.status != Status::Resolved,
            AlertResult::AlreadySo | AlertResult::Done { .. } | AlertResult::NotFound | AlertResult::Unknown => false,
        };
        self.results.values().filter(is_open).count()
    }

    /// Whether something is left to do, and has been for so long that somebody has to look at it: of a subscription since its last stage, of alerts since it
    /// was asked for.
    #[must_use]
    pub fn is_stuck(&self, now: Timestamp) -> bool {
        // Alerts take minutes at the most, so what is left of them after that waits for Microsoft, whatever was tried meanwhile.
        let since = self.progress.as_ref().map_or(self.at, |progress| progress.since);
        self.repeated_by(&self.request) == Repeated::Unfinished && now.duration_since(since) >= STUCK_AFTER
    }

    /// The same once people are told that it gets no further; none where they need not be, or were. Of a wish about a subscription alone: alerts that Microsoft
    /// can't be told of are given up by themselves.
    #[must_use]
    pub fn raised(&self, now: Timestamp) -> Option<Self> {
        let is_open = matches!(self.state, OperationState::Asked | OperationState::InProgress);
        let is_raised = self.progress.is_some() && is_open && self.is_stuck(now);
        is_raised.then(|| self.moved(OperationState::Stuck { since: now }, now))
    }

    fn moved(&self, state: OperationState, now: Timestamp) -> Self {
        Self { state, revision: self.revision + 1, changed: now, ..self.clone() }
    }
}
