//! The message on the reconcile queue, and the looks that follow a verified fraud event.
//!
//! Microsoft's list may lag behind its own event, so one look is not enough. Each look is one message, which holds all that the
//! next one needs: nothing is remembered anywhere else. What a message says stems from the event and is not confirmed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{CustomerId, Event, EventId, EventSubject, SubscriptionId, TenantId, TraceContext};

/// When is looked after a verified fraud event, counted from its receipt.
pub const LOOKS: [SignedDuration; 5] = [
    SignedDuration::ZERO,
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(10),
];

/// How long Microsoft's list may take to confirm a fraud event before it counts as unconfirmed: the fourth look.
pub const CONFIRMED_WITHIN: SignedDuration = LOOKS[3];

/// How long a look that can't be judged yet stays away, each time that it comes back. Each is a message that follows from the one before:
/// [`MOST_HOPS`] leaves room for them.
pub const COME_BACKS: [SignedDuration; 4] = [
    SignedDuration::from_secs(15),
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(2),
];

/// A verified fraud event that rang, and which of its looks is due.
///
/// Everything but the event's id may be absent: the release before wrote nothing else, and ignores the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doorbell {
    /// The event that rang.
    pub event: EventId,
    /// When it was received. Absent in a message of the release before: then there is this one look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Timestamp>,
    /// When Microsoft says that the resource changed; may lawfully be days before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Timestamp>,
    /// The customer that the event names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The subscription that the event names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionId>,
    /// Which of the [`LOOKS`] is due, the first being 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub look: usize,
    /// Whether this look came back to be judged once another run is over: then the next one is on the queue already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// How often this look has come back, up to the number of [`COME_BACKS`]. Absent in a message of the release before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub come_backs: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Doorbell {
    /// The first look after this event, which was received now.
    #[must_use]
    pub fn of(id: &EventId, event: &Event, received: Timestamp) -> Self {
        let subject = event.resource_uri.as_deref().and_then(EventSubject::of);
        let (customer, subscription) = subject.map(|subject| (subject.customer, subject.subscription)).unzip();
        Self {
            event: id.clone(),
            received: Some(received),
            changed: Some(event.changed),
            customer: customer.flatten(),
            subscription,
            look: 0,
            again: false,
            come_backs: 0,
        }
    }

    /// The same event as a bell alone: whoever gets it runs, and follows nothing up.
    #[must_use]
    pub fn bare(&self) -> Self {
        self.event.clone().into()
    }

    /// What the event is about, as far as it says so.
    #[must_use]
    pub fn subject(&self) -> Option<EventSubject> {
        let subscription = self.subscription.clone()?;
        Some(EventSubject { customer: self.customer.clone(), subscription })
    }

    /// How long ago the event was received. None for a message of the release before; never negative, whatever clocks say.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        self.received.map(|received| now.duration_since(received).max(SignedDuration::ZERO))
    }

    /// The next look and how long to wait for it. One whose time has passed already is left out; none is left after the last.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<(Self, SignedDuration)> {
        let age = self.age(now).filter(|_| !self.again)?;
        let (look, due) =
            LOOKS.into_iter().enumerate().skip(self.look.saturating_add(1)).find(|(_, due)| *due > age)?;
        // A clock that was set back makes nobody wait longer than from one look to the next.
        let longest = due - LOOKS[self.look];
        Some((Self { look, again: false, come_backs: 0, ..self.clone() }, (due - age).min(longest)))
    }

    /// The same look, to be judged later, and how long to wait for it. None where it has come back as often as it may.
    #[must_use]
    pub fn again(&self) -> Option<(Self, SignedDuration)> {
        let pause = COME_BACKS.get(self.come_backs)?;
        Some((Self { again: true, come_backs: self.come_backs + 1, ..self.clone() }, *pause))
    }

    /// How many messages came before it in its chain, or more: looks whose time has passed are left out.
    #[must_use]
    pub fn hops(&self) -> u32 {
        let before = self.look.min(LOOKS.len() - 1) + self.come_backs.min(COME_BACKS.len());
        u32::try_from(before).unwrap_or(MOST_HOPS)
    }

    /// When this look was due.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let after = LOOKS.get(self.look).or(LOOKS.last()).copied().unwrap_or_default();
        self.received.map(|received| received.saturating_add(after).unwrap_or(received))
    }

    /// Whether an event that is not confirmed by now is to be told.
    #[must_use]
    pub fn is_to_be_judged(&self, now: Timestamp) -> bool {
        let late = LOOKS.get(self.look).is_none_or(|due| *due >= CONFIRMED_WITHIN);
        self.age(now).is_some_and(|age| late || age >= CONFIRMED_WITHIN)
    }
}

impl From<EventId> for Doorbell {
    /// A bell alone.
    fn from(event: EventId) -> Self {
        Self {
            event,
            received: None,
            changed: None,
            customer: None,
            subscription: None,
            look: 0,
            again: false,
            come_backs: 0,
        }
    }
}

/// Why a tenant is to be reconciled. It changes nothing about how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReconcileCause {
    /// Something asked while a run was under way or just over.
    Again,
    /// A verified fraud callback.
    Callback(Doorbell),
    /// The schedule.
    Schedule,
}

/// How many messages of ours may follow the first of a chain, each sent by whoever handled the one before. AWS ends a chain of about 16
/// ("Recursive loop detection" in Lambda's guide), whichever of a function's queues they come by: looks, come-backs, runs and names.
pub const MOST_HOPS: u32 = 14;

/// The hops of a message that is sent because of one with so many. None where the chain is long enough.
#[must_use]
pub fn next_hop(hops: u32) -> Option<u32> {
    (hops < MOST_HOPS).then(|| hops + 1)
}

/// The same of a message that asks for a run: it leaves a place for the names that the run asks for.
#[must_use]
pub fn next_run_hop(hops: u32) -> Option<u32> {
    next_hop(hops).filter(|next| *next < MOST_HOPS)
}

/// "Look at this tenant".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileRequest {
    /// The tenant to look at.
    pub tenant: TenantId,
    /// Why.
    pub cause: ReconcileCause,
    /// Where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "TraceContext::lenient")]
    pub trace: Option<TraceContext>,
}

/// The message on the reconcile queue: a request, and how it came to be there.
///
/// The release before ignores what is said beside the request, and says nothing itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// What is asked for.
    #[serde(flatten)]
    pub request: ReconcileRequest,
    /// When the schedule asked. Absent where nobody asks again soon: such a message stays good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// How many messages came before it in its chain: at most [`MOST_HOPS`].
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub hops: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(crate) fn is_none_yet(hops: &u32) -> bool {
    *hops == 0
}

impl Queued {
    /// Whether it was asked for longer ago than this. One from the future, of a clock that was set back, counts as fresh.
    #[must_use]
    pub fn is_older_than(&self, period: SignedDuration, now: Timestamp) -> bool {
        self.asked.is_some_and(|asked| now.duration_since(asked) > period)
    }
}

impl From<ReconcileRequest> for Queued {
    /// The first message of a chain, which stays good.
    fn from(request: ReconcileRequest) -> Self {
        Self { request, asked: None, hops: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received() -> Timestamp {
        "2026-03-02T09:59:50Z".parse().unwrap()
    }

    fn bell(look: usize) -> Doorbell {
        let body = br#"{"EventName":"azure-fraud-event-detected","ResourceChangeUtcDate":"2026-03-02T09:00:00Z",
            "ResourceUri":"https://api.partnercenter.microsoft.com/v1/customers/4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3/subscriptions/6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381 "}"#;
        Doorbell { look, ..Doorbell::of(&EventId::of_body(body), &Event::read(body).unwrap(), received()) }
    }

    fn after(seconds: i64) -> Timestamp {
        received() + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn each_look_is_followed_by_the_next_whose_time_has_not_passed() {
        for (look, age, next) in [
            (0, 0, Some((1, 30))),
            (0, 5, Some((1, 25))),
            (0, 30, Some((2, 90))),
            (0, 300, Some((4, 300))),
            (0, 599, Some((4, 1))),
            (0, 600, None),
            (1, 31, Some((2, 89))),
            (2, 120, Some((3, 180))),
            (3, 300, Some((4, 300))),
            (4, 600, None),
            (4, 0, None),
            (usize::MAX, 0, None),
            // A clock that was set back.
            (0, -3_600, Some((1, 30))),
            (2, -3_600, Some((3, 180))),
            (3, 0, Some((4, 300))),
        ] {
            let found = bell(look).next(after(age)).map(|(bell, delay)| (bell.look, delay.as_secs()));
            assert_eq!(found, next, "look {look} at {age} s");
        }
        assert_eq!(bell(0).bare().next(after(0)), None);
        assert_eq!(bell(3).again().unwrap().0.next(after(300)), None, "its next look is on the queue already");
    }

    #[test]
    fn a_look_comes_back_four_times_at_most_and_waits_longer_each_time() {
        let chain = std::iter::successors(bell(3).again(), |(bell, _)| bell.again());
        let found: Vec<_> =
            chain.map(|(bell, pause)| (bell.look, bell.again, bell.come_backs, pause.as_secs())).collect();
        assert_eq!(found, [(3, true, 1, 15), (3, true, 2, 30), (3, true, 3, 60), (3, true, 4, 120)]);
        let unsound = Doorbell { come_backs: usize::MAX, ..bell(3) };
        assert_eq!(unsound.again(), None);
        // The release before did not count.
        let before = serde_json::json!({ "event": bell(0).event, "received": received(), "look": 3, "again": true });
        let before: Doorbell = serde_json::from_value(before).unwrap();
        assert_eq!(before.again().map(|(bell, pause)| (bell.come_backs, pause.as_secs())), Some((1, 15)));
    }

    #[test]
    fn an_event_is_judged_from_the_look_at_five_minutes_on_or_when_as_much_time_has_passed() {
        for (look, age, judged) in [
            (0, 0, false),
            (0, 299, false),
            (0, 300, true),
            (2, 120, false),
            (3, 300, true),
            (3, -3_600, true),
            (4, 600, true),
            (9, 0, true),
        ] {
            assert_eq!(bell(look).is_to_be_judged(after(age)), judged, "look {look} at {age} s");
        }
        assert!(!bell(0).bare().is_to_be_judged(after(86_400)));
    }

    /// The message as the release before this one had it.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct BeforeRequest {
        tenant: TenantId,
        cause: BeforeCause,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum BeforeCause {
        Again,
        Callback { event: EventId },
        Schedule,
    }

    #[test]
    fn the_release_before_reads_our_messages_and_we_read_its() {
        let tenant: TenantId = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        let event = bell(0).event;
        for (before, cause, back) in [
            (BeforeCause::Again, ReconcileCause::Again, ReconcileCause::Again),
            (BeforeCause::Schedule, ReconcileCause::Schedule, ReconcileCause::Schedule),
            (
                BeforeCause::Callback { event },
                ReconcileCause::Callback(bell(3)),
                ReconcileCause::Callback(bell(3).bare()),
            ),
        ] {
            let before = BeforeRequest { tenant: tenant.clone(), cause: before };
            let ours = ReconcileRequest { tenant: tenant.clone(), cause, trace: None };
            let text = serde_json::to_string(&ours).unwrap();
            assert_eq!(serde_json::from_str::<BeforeRequest>(&text).unwrap(), before);
            assert_eq!(serde_json::from_str::<ReconcileRequest>(&text).unwrap(), ours);
            let queued = Queued { asked: Some(received()), hops: 3, ..ours.clone().into() };
            let text = serde_json::to_string(&queued).unwrap();
            assert_eq!(serde_json::from_str::<BeforeRequest>(&text).unwrap(), before);
            assert_eq!(serde_json::from_str::<Queued>(&text).unwrap(), queued);
            let text = serde_json::to_string(&Queued::from(ours.clone())).unwrap();
            assert_eq!(text, serde_json::to_string(&ours).unwrap());
            let text = serde_json::to_string(&before).unwrap();
            assert_eq!(serde_json::from_str::<Queued>(&text).unwrap().request.cause, back);
            assert_eq!(serde_json::from_str::<ReconcileRequest>(&text).unwrap().cause, back);
        }
    }

    #[test]
    fn a_message_is_old_after_the_period_and_never_where_it_does_not_say_when_it_was_asked_for() {
        let tenant: TenantId = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        let request = ReconcileRequest { tenant, cause: ReconcileCause::Schedule, trace: None };
        let period = SignedDuration::from_mins(5);
        for (asked, old) in
            [(Some(0), false), (Some(300), false), (Some(301), true), (Some(-3_600), false), (None, false)]
        {
            let asked = asked.map(|ago: i64| after(-ago));
            let queued = Queued { asked, ..request.clone().into() };
            assert_eq!(queued.is_older_than(period, received()), old, "{asked:?}");
        }
    }

    #[test]
    fn a_chain_of_messages_ends_whatever_they_say() {
        let chain = |next: fn(u32) -> Option<u32>| std::iter::successors(Some(0), |hops| next(*hops)).count();
        assert_eq!((chain(next_hop), chain(next_run_hop)), (15, 14));
        assert_eq!((next_hop(u32::MAX), next_run_hop(u32::MAX)), (None, None));
    }

    #[test]
    fn the_longest_chain_of_all_has_fifteen_messages() {
        // Every look; the last comes back as often as it may, and is judged by a run that others ring during.
        let next = |bell: &Doorbell| Some(bell.next(received())?.0);
        let looks: Vec<_> = std::iter::successors(Some(bell(0)), next).collect();
        let come_backs = std::iter::successors(looks.last().cloned(), |bell| Some(bell.again()?.0)).skip(1);
        let followed_up: Vec<_> = looks.iter().cloned().chain(come_backs).collect();
        let places: Vec<u32> = followed_up.iter().map(Doorbell::hops).collect();
        assert_eq!(places, (0..9).collect::<Vec<_>>());
        // Its last run asks for names, and those for more of them.
        let runs: Vec<u32> =
            std::iter::successors(places.last().copied(), |hops| next_run_hop(*hops)).skip(1).collect();
        let names = std::iter::successors(runs.last().copied(), |hops| next_hop(*hops)).skip(1).count();
        assert_eq!(followed_up.len() + runs.len() + names, 15);
        let unsound = Doorbell { look: usize::MAX, come_backs: usize::MAX, ..bell(0) };
        assert_eq!(unsound.hops(), 8);
    }

    #[test]
    fn a_message_holds_what_the_event_names_and_no_member_that_says_nothing() {
        let whole = serde_json::json!({
            "event": bell(0).event, "received": "2026-03-02T09:59:50Z", "changed": "2026-03-02T09:00:00Z",
            "customer": "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3", "subscription": "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381",
            "look": 2,
        });
        assert_eq!(serde_json::to_value(bell(2)).unwrap(), whole);
        assert_eq!(serde_json::to_value(bell(2).bare()).unwrap(), serde_json::json!({ "event": bell(0).event }));
    }
}
