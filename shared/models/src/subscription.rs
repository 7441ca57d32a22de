//! The stages of a cancellation, or of its undoing: the same at whichever of them it was cut off.
//!
//! Promises: pure. What was done already, and is done again because nobody knows so, changes nothing. That Microsoft is about to be told is a stage of its
//! own, so that whatever becomes of the call, what is kept says that it may have been made. Leaves to others: the calls (`partner-center`), and that a stage
//! is written before the next is begun (`store`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long an operation may get no further before people are told: Microsoft says that a cancellation shows after about ten minutes (Partner Center, "Cancel an
/// Azure subscription").
pub const STUCK_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// How long after the last telling Microsoft has to show it, before what it shows counts as a no: longer than any call is tried, and than Microsoft says
/// that a cancellation takes to show.
pub const SHOWS_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// What is wished of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionWish {
    /// That it ends: its resources are deallocated, and its alerts are resolved as fraud.
    Cancel,
    /// That it is active again.
    Reactivate,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStage {
    /// Nothing is done.
    Asked,
    /// The plan that it lives under is known.
    EntitlementFound,
    /// Microsoft is being told, or was: nobody knows yet whether it took the wish.
    Telling,
    /// Microsoft took the wish.
    Posted,
    /// Microsoft was looked at, and does not show it yet.
    Following,
    /// It is so: inactive, or active again.
    Reached,
    /// What alerts it still had are resolved.
    AlertsResolved,
    /// Nothing is left to do.
    Done,
    /// What only a newer release knows.
    #[serde(other)]
    Unknown,
}

/// What brings it further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionEvent {
    /// Its alerts are resolved.
    AlertsResolved,
    /// The entitlement was found under this plan.
    EntitlementFound {
        /// The commerce subscription: an Azure plan.
        plan: String,
    },
    /// All is reported.
    Finished,
    /// Microsoft shows it as it was before, though it was told long ago: a person has to tell it once more.
    NotTaken,
    /// Microsoft took the wish.
    Posted,
    /// Microsoft refused it clearly when it was told.
    Refused,
    /// Microsoft shows it as it was before.
    SeenAsBefore,
    /// Microsoft shows it as it was wished.
    SeenAsWished,
    /// Microsoft is about to be told.
    Telling,
}

/// An event that can't come at this stage: a mistake of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} can't come at the stage {stage:?}")]
pub struct OutOfOrder {
    /// The stage.
    pub stage: SubscriptionStage,
    /// The event.
    pub event: SubscriptionEvent,
}

/// A wish about a subscription on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionProgress {
    /// The wish.
    pub wish: SubscriptionWish,
    /// How far it has come.
    pub stage: SubscriptionStage,
    /// The plan that it lives under, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Since when it is at this stage; where Microsoft is being told, since the last time.
    pub since: Timestamp,
    /// How often Microsoft was told without a clear refusal: as long as it is not zero, Microsoft may have taken it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tellings: u32,
    /// How often Microsoft refused it clearly when it was told: each time after that is another call to it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refusals: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl SubscriptionProgress {
    /// The beginning.
    #[must_use]
    pub fn asked(wish: SubscriptionWish, now: Timestamp) -> Self {
        Self { wish, stage: SubscriptionStage::Asked, plan: None, since: now, tellings: 0, refusals: 0 }
    }

    /// How far it has come after this.
    ///
    /// # Errors
    ///
    /// [`OutOfOrder`]: what comes first has not come.
    pub fn next(&self, event: SubscriptionEvent, now: Timestamp) -> Result<Self, OutOfOrder> {
        use SubscriptionEvent as Event;
        use SubscriptionStage as Stage;
        let stage = match (self.stage, &event) {
            (Stage::Asked, Event::EntitlementFound { .. })
            | (Stage::Telling, Event::NotTaken | Event::Refused)
            | (Stage::EntitlementFound, Event::Refused) => Stage::EntitlementFound,
            (Stage::EntitlementFound | Stage::Telling, Event::Telling) => Stage::Telling,
            // An answer counts whenever it comes, also where it was thought by then that there would be none.
            (Stage::EntitlementFound | Stage::Telling, Event::Posted) => Stage::Posted,
            (Stage::Posted, Event::SeenAsBefore) => Stage::Following,
            // It may have been so from the start.
            (Stage::EntitlementFound | Stage::Telling | Stage::Posted | Stage::Following, Event::SeenAsWished) => {
                Stage::Reached
            }
            (Stage::Reached, Event::AlertsResolved) if self.wish == SubscriptionWish::Cancel => Stage::AlertsResolved,
            (Stage::Reached, Event::Finished) if self.wish == SubscriptionWish::Reactivate => Stage::Done,
            (Stage::AlertsResolved, Event::Finished) => Stage::Done,
            (stage, event) if stage >= self.leads_to(event) => return Ok(self.clone()),
            (stage, _) => return Err(OutOfOrder { stage, event }),
        };
        let (mut tellings, mut refusals) = (self.tellings, self.refusals);
        match event {
            Event::Telling => tellings = tellings.saturating_add(1),
            Event::Refused => (tellings, refusals) = (tellings.saturating_sub(1), refusals.saturating_add(1)),
            _ => {}
        }
        let plan = match event {
            Event::EntitlementFound { plan } => Some(plan),
            _ => self.plan.clone(),
        };
        Ok(Self { stage, plan, since: now, tellings, refusals, ..*self })
    }

    /// Whether Microsoft was told, and has had the time that it takes to show it.
    #[must_use]
    pub fn should_show(&self, now: Timestamp) -> bool {
        self.stage == SubscriptionStage::Telling && now.duration_since(self.since) >= SHOWS_WITHIN
    }

    /// The stage at which an event is news no more.
    fn leads_to(&self, event: &SubscriptionEvent) -> SubscriptionStage {
        match event {
            SubscriptionEvent::EntitlementFound { .. } => SubscriptionStage::EntitlementFound,
            SubscriptionEvent::Telling
            | SubscriptionEvent::NotTaken
            | SubscriptionEvent::Refused
            | SubscriptionEvent::Posted => SubscriptionStage::Posted,
            SubscriptionEvent::SeenAsBefore => SubscriptionStage::Following,
            SubscriptionEvent::SeenAsWished => SubscriptionStage::Reached,
            SubscriptionEvent::AlertsResolved => match self.wish {
                SubscriptionWish::Cancel => SubscriptionStage::AlertsResolved,
                // It resolves none.
                SubscriptionWish::Reactivate => SubscriptionStage::Reached,
            },
            SubscriptionEvent::Finished => SubscriptionStage::Done,
        }
    }
}
