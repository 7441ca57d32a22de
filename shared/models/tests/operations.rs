//! Operations, the stages of a cancellation, and what people write on an alert.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use jiff::{SignedDuration, Timestamp};
use models::{
    Act, ActivityId, Actor, AlertId, AlertResult, Asked, IdempotencyKey, LAPSES_AFTER, LONGEST_SNOOZE, MOST_NOTES,
    Marks, MicrosoftRefusal, NOTES_BYTES, Operation, OperationId, OperationState, Person, Repeated, RequestHash,
    SHOWS_WITHIN, STANDS_STILL_FOR, STUCK_AFTER, SeenAsSnoozed, Severity, ShortText, Standing, Status,
    SubscriptionEvent, SubscriptionProgress, SubscriptionStage, SubscriptionWish, TenantId, Turned, View, Words, Work,
    WorkChange, WorkError, WrittenError,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::constant(1_772_442_000, 0);

fn tenant() -> TenantId {
    "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap()
}

fn person(number: u8) -> Person {
    let id = format!("00000000-0000-4000-8000-{number:012}").parse().unwrap();
    Person::new(tenant(), id, "someone@contoso.example")
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

// ---- operations ----------------------------------------------------------------------------------------------------------

fn resolving(alerts: &[&str]) -> Operation {
    let alerts = alerts.iter().map(|id| id.parse().unwrap()).collect();
    let asked = Asked::Status { alerts, to: Standing::new(&Status::Resolved, None), note: None };
    let id = OperationId::of_random("one");
    Operation::asked(id, tenant(), Actor::Person(person(1)), RequestHash::of(b"one"), asked, NOW)
}

fn cancelling(wish: SubscriptionWish) -> Operation {
    let (customer, subscription) = ("customer".parse().unwrap(), "subscription".parse().unwrap());
    let asked = Asked::Subscription { wish, customer, subscription, note: None };
    let id = OperationId::of_random("one");
    Operation::asked(id, tenant(), Actor::Person(person(1)), RequestHash::of(b"one"), asked, NOW)
}

#[test]
fn an_operation_s_id_follows_from_who_asks_in_which_tenant_by_which_key() {
    let key = |text: &str| text.parse::<IdempotencyKey>().unwrap();
    let other: TenantId = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11".parse().unwrap();
    let application = Actor::Application { tenant: tenant(), id: person(1).id };
    let one = OperationId::of_key(&tenant(), &Actor::Person(person(1)), &key("k"));
    let renamed = Person { name: "other@contoso.example".to_owned(), ..person(1) };
    assert_eq!(OperationId::of_key(&tenant(), &Actor::Person(renamed), &key("k")), one, "names change");
    for another in [
        OperationId::of_key(&other, &Actor::Person(person(1)), &key("k")),
        OperationId::of_key(&tenant(), &Actor::Person(person(2)), &key("k")),
        OperationId::of_key(&tenant(), &application, &key("k")),
        OperationId::of_key(&tenant(), &Actor::Person(person(1)), &key("l")),
        OperationId::of_random("k"),
    ] {
        assert_ne!(another, one);
    }
    for bad in ["", "a\nb", &"a".repeat(129)] {
        assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad:?}");
    }
}

#[test]
fn a_call_to_microsoft_has_the_same_guid_however_often_it_is_repeated() {
    let id = OperationId::of_random("one");
    let request = id.microsoft_request_id("cancel");
    assert_eq!(request, id.microsoft_request_id("cancel"));
    assert_ne!(request, id.microsoft_request_id("reactivate"));
    assert_ne!(request, OperationId::of_random("two").microsoft_request_id("cancel"));
    assert!(request.parse::<TenantId>().is_ok(), "a GUID: {request}");
    assert_eq!((&request[14..15], matches!(&request[19..20], "8" | "9" | "a" | "b")), ("8", true));
}

#[test]
fn a_repeated_request_is_carried_on_or_answered_and_another_under_its_key_is_a_mistake() {
    let asked = resolving(&["a", "b"]);
    let (same, another) = (RequestHash::of(b"one"), RequestHash::of(b"two"));
    let half = asked.with_result("a".parse().unwrap(), AlertResult::Done { version: 2 }, NOW);
    let all = half.with_result("b".parse().unwrap(), AlertResult::NotFound, NOW);
    let refused =
        asked.refused(MicrosoftRefusal::new("900150", None, None).described(Words::of(&"x".repeat(2_000))), NOW);
    let rows = [
        (&asked, Repeated::Unfinished, 1),
        (&half, Repeated::Unfinished, 2),
        (&all, Repeated::Finished, 3),
        (&refused, Repeated::Finished, 2),
    ];
    for (operation, expected, revision) in rows {
        assert_eq!(operation.repeated_by(&same), expected, "{:?}", operation.state);
        assert_eq!(operation.repeated_by(&another), Repeated::Another, "{:?}", operation.state);
        assert_eq!(operation.revision, revision);
    }
    let left = |operation: &Operation| operation.left().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((left(&asked), left(&half), left(&all)), (vec!["a".into(), "b".into()], vec!["b".into()], vec![]));
    let OperationState::Refused { description, .. } = refused.state else { panic!() };
    assert_eq!(description.chars().count(), 1_024);
}

#[test]
fn what_came_of_an_alert_is_not_overwritten() {
    let done = resolving(&["a", "b"]).with_result("a".parse().unwrap(), AlertResult::Done { version: 2 }, NOW);
    let again = done.with_result("a".parse().unwrap(), AlertResult::AlreadySo, NOW);
    assert_eq!(again.results, done.results);
}

// ---- subscriptions -------------------------------------------------------------------------------------------------------

fn found() -> SubscriptionEvent {
    SubscriptionEvent::EntitlementFound { plan: "plan".to_owned() }
}

#[test]
fn a_cancellation_goes_through_its_stages_and_each_event_again_changes_nothing() {
    use SubscriptionEvent as Event;
    use SubscriptionStage as Stage;
    let mut operation = cancelling(SubscriptionWish::Cancel);
    let way = [
        (found(), Stage::EntitlementFound),
        (Event::Telling, Stage::Telling),
        (Event::Posted, Stage::Posted),
        (Event::SeenAsBefore, Stage::Following),
        (Event::SeenAsWished, Stage::Reached),
        (Event::AlertsResolved, Stage::AlertsResolved),
        (Event::Finished, Stage::Done),
    ];
    for (place, (event, stage)) in way.iter().enumerate() {
        // What comes later can't come now.
        let skipped = way[place + 1..].iter().filter(|(event, _)| *event != Event::SeenAsWished);
        // An answer counts, whatever was thought to have become of the call.
        let skipped = skipped.filter(|(event, _)| (place, event) != (1, &Event::Posted));
        for (later, _) in skipped {
            assert!(operation.advanced(later.clone(), NOW).is_err(), "{stage:?} {later:?}");
        }
        let now = NOW + minutes(i64::try_from(place).unwrap());
        operation = operation.advanced(event.clone(), now).unwrap();
        let progress = operation.progress.clone().unwrap();
        assert_eq!((progress.stage, progress.since, progress.plan.as_deref()), (*stage, now, Some("plan")));
        // Each telling is news.
        let earlier = way[..=place].iter().filter(|(event, _)| (*stage, event) != (Stage::Telling, &Event::Telling));
        for (earlier, _) in earlier {
            let again = operation.advanced(earlier.clone(), now + minutes(1)).unwrap();
            assert_eq!(again.progress, operation.progress, "{stage:?} {earlier:?}");
            assert_eq!(again.state, operation.state, "{stage:?} {earlier:?}");
        }
    }
    assert_eq!(operation.state, OperationState::Done);
    assert!(resolving(&["a"]).advanced(Event::Finished, NOW).is_err(), "it is about no subscription");
}

#[test]
fn what_was_so_already_is_not_waited_for_and_a_reactivation_resolves_nothing() {
    use SubscriptionEvent as Event;
    for events in [vec![found()], vec![found(), Event::Posted], vec![found(), Event::Posted, Event::SeenAsBefore]] {
        let mut progress = SubscriptionProgress::asked(SubscriptionWish::Reactivate, NOW);
        for event in events {
            progress = progress.next(event, NOW).unwrap();
        }
        progress = progress.next(Event::SeenAsWished, NOW).unwrap();
        assert_eq!(progress.next(Event::AlertsResolved, NOW).unwrap(), progress);
        assert_eq!(progress.next(Event::Finished, NOW).unwrap().stage, SubscriptionStage::Done);
    }
    let reached = SubscriptionProgress {
        stage: SubscriptionStage::Reached,
        ..SubscriptionProgress::asked(SubscriptionWish::Cancel, NOW)
    };
    assert!(reached.next(Event::Finished, NOW).is_err(), "its alerts come first");
}

#[test]
fn people_are_told_once_of_what_has_stood_still_for_a_quarter_of_an_hour_and_it_goes_on() {
    use SubscriptionEvent as Event;
    let posted = cancelling(SubscriptionWish::Cancel).advanced(found(), NOW).unwrap();
    let posted = posted.advanced(Event::Posted, NOW + minutes(1)).unwrap();
    let following = posted.advanced(Event::SeenAsBefore, NOW + minutes(2)).unwrap();
    let still = following.advanced(Event::SeenAsBefore, NOW + minutes(16)).unwrap();
    let late = NOW + minutes(2) + STUCK_AFTER;
    assert_eq!(still.raised(late - SignedDuration::from_nanos(1)), None);
    let stuck = still.raised(late).unwrap();
    assert_eq!(stuck.state, OperationState::Stuck { since: late });
    assert_eq!(stuck.raised(late + minutes(60)), None);
    assert_eq!(stuck.repeated_by(&stuck.request), Repeated::Unfinished);
    let unmoved = stuck.advanced(Event::SeenAsBefore, late + minutes(1)).unwrap();
    assert_eq!(unmoved.raised(late + minutes(60)), None, "still told");
    let moved = unmoved.advanced(Event::SeenAsWished, late + minutes(2)).unwrap();
    assert_eq!(moved.state, OperationState::InProgress);
    assert!(moved.raised(late + minutes(20)).is_some(), "and told again where it sticks again");
    assert_eq!(resolving(&["a"]).raised(late), None);
    let more = stuck.with_result("a".parse().unwrap(), AlertResult::AlreadySo, late + minutes(1));
    assert_eq!(
        (more.state.clone(), more.raised(late + minutes(60))),
        (stuck.state.clone(), None),
        "a result is no stage"
    );
}

#[test]
fn what_has_got_no_further_for_a_quarter_of_an_hour_is_stuck_until_it_moves_or_ends() {
    let (before, late) = (NOW + STUCK_AFTER - SignedDuration::from_nanos(1), NOW + STUCK_AFTER);
    let (cancelling, resolving) = (cancelling(SubscriptionWish::Cancel), resolving(&["a", "b"]));
    for operation in [&cancelling, &resolving, &cancelling.raised(late).unwrap()] {
        assert_eq!((operation.is_stuck(before), operation.is_stuck(late)), (false, true), "{operation:?}");
    }
    assert!(!cancelling.advanced(found(), late).unwrap().is_stuck(late));
    let half = resolving.with_result("a".parse().unwrap(), AlertResult::AlreadySo, late);
    assert!(half.is_stuck(late), "what is left of alerts counts from when it was asked for");
    for over in [half.done(late), cancelling.lapsed(false, NOW + LAPSES_AFTER).unwrap()] {
        assert!(!over.is_stuck(late + minutes(120)));
    }
}

#[test]
fn what_nobody_signs_in_for_is_given_up_after_an_hour_and_what_microsoft_took_never_is() {
    use SubscriptionEvent as Event;
    let asked = cancelling(SubscriptionWish::Cancel);
    let found = asked.advanced(found(), NOW).unwrap();
    let late = NOW + LAPSES_AFTER;
    for waiting in [&asked, &found, &found.raised(NOW + STUCK_AFTER).unwrap()] {
        assert!(waiting.needs_person());
        assert_eq!(waiting.lapsed(false, late - SignedDuration::from_nanos(1)), None);
        let lapsed = waiting.lapsed(false, late).unwrap();
        assert_eq!((lapsed.state.clone(), lapsed.revision), (OperationState::Lapsed, waiting.revision + 1));
        assert_eq!(lapsed.repeated_by(&lapsed.request), Repeated::Finished);
        assert!(!lapsed.needs_person());
        assert_eq!(lapsed.lapsed(true, late), None);
        assert_eq!(lapsed.raised(late), None);
    }
    let posted = found.advanced(Event::Posted, NOW).unwrap();
    assert!(!posted.needs_person());
    assert_eq!(posted.lapsed(true, late), None);
    assert_eq!(resolving(&["a"]).lapsed(true, late), None);
}

#[test]
fn what_microsoft_was_told_of_is_given_up_by_no_clock_but_by_whoever_sees_that_it_was_not_taken() {
    use SubscriptionEvent as Event;
    let found = cancelling(SubscriptionWish::Cancel).advanced(found(), NOW).unwrap();
    let told = NOW + minutes(54);
    let telling = found.advanced(Event::Telling, told).unwrap();
    assert!(telling.takes_person() && !telling.needs_person(), "it is looked at first");
    assert_eq!(telling.lapsed(true, told + LAPSES_AFTER), None);
    let progress = telling.progress.clone().unwrap();
    let late = told + SHOWS_WITHIN;
    assert!(!progress.should_show(late - SignedDuration::from_nanos(1)) && progress.should_show(late));
    let again = telling.advanced(Event::Telling, late).unwrap();
    assert!(!again.progress.as_ref().unwrap().should_show(late), "from the last telling on");

    let not_taken = telling.advanced(Event::NotTaken, late).unwrap();
    assert!(not_taken.needs_person());
    let later = late + LAPSES_AFTER;
    assert_eq!(not_taken.lapsed(true, later - SignedDuration::from_nanos(1)), None);
    assert_eq!(not_taken.lapsed(false, later + minutes(600)), None, "nobody has seen how it stands");
    let lapsed = not_taken.lapsed(true, later).unwrap();
    // An answer that comes after all has it go on.
    for given_up in [lapsed, not_taken] {
        let posted = given_up.advanced(Event::Posted, later).unwrap();
        assert_eq!(
            (posted.state, posted.progress.unwrap().stage),
            (OperationState::InProgress, SubscriptionStage::Posted)
        );
    }
    let refused = telling.advanced(Event::Refused, late).unwrap();
    let progress = refused.progress.clone().unwrap();
    assert_eq!((progress.tellings, progress.refusals, progress.stage), (0, 1, SubscriptionStage::EntitlementFound));
    assert!(refused.lapsed(false, NOW + LAPSES_AFTER + minutes(10)).is_some(), "nothing can have been taken");
}

#[test]
fn people_are_told_of_a_stage_once_however_many_of_its_alerts_are_resolved() {
    use SubscriptionEvent as Event;
    let mut operation = cancelling(SubscriptionWish::Cancel);
    for event in [found(), Event::Telling, Event::Posted, Event::SeenAsWished] {
        operation = operation.advanced(event, NOW).unwrap();
    }
    let stuck = operation.raised(NOW + STUCK_AFTER).unwrap();
    let resolved = stuck.with_result("a".parse().unwrap(), AlertResult::AlreadySo, NOW + minutes(16));
    assert_eq!((resolved.raised(NOW + minutes(60)), &resolved.state), (None, &stuck.state));
    let unanswered = stuck.with_no_answer("b".parse().unwrap(), NOW + minutes(17));
    assert_eq!(unanswered.raised(NOW + minutes(60)), None);
    let after = unanswered.with_result("b".parse().unwrap(), AlertResult::NotFound, NOW + minutes(18));
    assert!(after.unanswered.is_empty());
    assert!(!stuck.is_hopeless(NOW + STANDS_STILL_FOR - SignedDuration::from_nanos(1)));
    assert!(stuck.is_hopeless(NOW + STANDS_STILL_FOR));
}

#[test]
fn microsofts_words_are_bounded_bytes_without_control_characters_and_do_not_print() {
    let words = Words::of(" a\u{1b}[31m\nb\u{85} ").unwrap();
    assert_eq!(words.as_str(), "a [31m b");
    assert_eq!(Words::of(" \n\0 "), None);
    let long = Words::of(&format!("x{}", "€".repeat(999))).unwrap();
    assert!(long.as_str().len() <= Words::MOST_BYTES && long.as_str().len() > Words::MOST_BYTES - 3);
    let refusal = MicrosoftRefusal::new("1", None, None).described(Some(words));
    assert!(!format!("{refusal:?}").contains("31m"));
    assert_eq!(refusal.for_log().description, None);
}

// ---- work ----------------------------------------------------------------------------------------------------------------

fn id(number: usize) -> ActivityId {
    format!("00000000-0000-4000-8000-{number:012}").parse().unwrap()
}

/// The alert in its third version.
fn as_seen() -> SeenAsSnoozed {
    SeenAsSnoozed { version: 3, severity: Severity::Medium }
}

fn is_snoozed(work: &Work, severity: &Severity, reopened: Option<u64>, now: Timestamp) -> bool {
    work.marks.snoozed(severity, Turned { last: reopened, reopened }, now).is_some()
}

fn try_with(work: &Work, change: WorkChange) -> Result<Option<models::ChangedWork>, WorkError> {
    work.with(change, &id(1), &Actor::Person(person(1)), as_seen(), NOW)
}

fn with(work: &Work, change: WorkChange) -> Work {
    try_with(work, change).unwrap().unwrap().work
}

fn snooze(until: Timestamp) -> WorkChange {
    WorkChange::Snooze { until, why: "The customer is asked.".parse().unwrap() }
}

#[test]
fn each_change_of_work_says_what_was_done_and_what_is_so_already_is_no_change() {
    let until = NOW + minutes(60);
    let none = Work::default();
    let assigned = with(&none, WorkChange::Assign(person(2)));
    assert_eq!(assigned.marks.assignee, Some(person(2)));
    let snoozed = with(&assigned, snooze(until));
    let is_snoozed = |now| is_snoozed(&snoozed, &Severity::Medium, None, now);
    assert!(is_snoozed(NOW) && !is_snoozed(until));
    let noted = with(&snoozed, WorkChange::Note("Called them.".parse().unwrap()));
    assert_eq!((noted.notes[0].text.as_str(), noted.marks.notes), ("Called them.", 1));
    let woken = with(&noted, WorkChange::Wake);
    assert_eq!((&woken.marks.assignee, &woken.notes), (&assigned.marks.assignee, &noted.notes));
    let free = with(&woken, WorkChange::Unassign);
    assert_eq!((free.marks.assignee, free.marks.snooze), (None, None));

    let act = |work: &Work, change| try_with(work, change).unwrap().map(|changed| changed.act);
    assert_eq!(act(&none, WorkChange::Assign(person(2))), Some(Act::Assigned { to: person(2) }));
    assert_eq!(act(&assigned, WorkChange::Assign(person(2))), None);
    assert_eq!(act(&assigned, WorkChange::Assign(person(3))), Some(Act::Assigned { to: person(3) }));
    assert_eq!((act(&none, WorkChange::Unassign), act(&none, WorkChange::Wake)), (None, None));
    let over = with(&none, snooze(NOW + SignedDuration::from_nanos(1)));
    let later = over.with(WorkChange::Wake, &id(1), &Actor::System, as_seen(), NOW + minutes(1)).unwrap();
    assert_eq!(later, None, "it is over by itself");
}

#[test]
fn a_snooze_ends_in_the_future_and_within_seven_days() {
    let none = Work::default();
    let nanosecond = SignedDuration::from_nanos(1);
    for (until, expected) in [
        (NOW, Some(WorkError::SnoozeIsOver)),
        (NOW + nanosecond, None),
        (NOW + LONGEST_SNOOZE, None),
        (NOW + LONGEST_SNOOZE + nanosecond, Some(WorkError::SnoozeTooLong)),
    ] {
        assert_eq!(try_with(&none, snooze(until)).err(), expected, "{until}");
    }
    assert!(WorkError::SnoozeTooLong.to_string().contains("seven days") && LONGEST_SNOOZE == minutes(7 * 24 * 60));
}

#[test]
fn what_was_set_aside_is_awake_once_it_is_more_severe_or_open_again() {
    let snoozed = with(&Work::default(), snooze(NOW + minutes(60)));
    let high_and_new = [Severity::High, Severity::from("critical")];
    for (severities, reopened, expected) in [
        (&[Severity::Low, Severity::Medium][..], None, true),
        (&[Severity::Medium], Some(3), true),
        (&[Severity::Medium], Some(4), false),
        (&high_and_new, None, false),
    ] {
        for severity in severities {
            assert_eq!(is_snoozed(&snoozed, severity, reopened, NOW), expected, "{severity:?} {reopened:?}");
        }
    }
    let woken = with(&snoozed, WorkChange::Wake);
    assert_eq!(woken.marks.snooze, None, "whoever wakes it takes the mark away, whatever it is worth");
    let mut of_a_former_release = snoozed;
    of_a_former_release.marks.snooze.as_mut().unwrap().seen = None;
    assert!(is_snoozed(&of_a_former_release, &Severity::High, Some(9), NOW));
}

#[test]
fn of_notes_the_latest_are_kept_as_many_as_there_is_room_for() {
    for (text, most) in [("short".to_owned(), MOST_NOTES), ("\"".repeat(600), 35)] {
        let mut work = Work::default();
        for number in 0..MOST_NOTES + 2 {
            // Each is told from the others by its first letters.
            let note = format!("{number:02}{}", &text[2..]);
            work = with(&work, WorkChange::Note(note.parse().unwrap()));
            assert!(work.notes.last().unwrap().text.as_str().starts_with(&format!("{number:02}")));
        }
        assert!((20..=most).contains(&work.notes.len()), "{}", work.notes.len());
        assert_eq!(work.marks.notes, work.notes.len());
        assert!(serde_json::to_string(&work.notes).unwrap().len() <= NOTES_BYTES);
    }
}

#[test]
fn what_only_a_newer_release_knows_of_an_operation_is_read_and_left_to_it() {
    let known = resolving(&["a", "b"]).with_result("a".parse().unwrap(), AlertResult::NotFound, NOW);
    assert!(!known.holds_unknown());
    let novel = serde_json::json!({ "kind": "novel", "more": [1] });
    for (place, is_finished) in [("/asked", false), ("/state", true), ("/results/a", false)] {
        let mut json = serde_json::to_value(&known).unwrap();
        *json.pointer_mut(place).unwrap() = novel.clone();
        let read: Operation = serde_json::from_value(json).unwrap();
        assert!(read.holds_unknown(), "{place}");
        let expected = if is_finished { Repeated::Finished } else { Repeated::Unfinished };
        assert_eq!(read.repeated_by(&known.request), expected, "{place}");
    }
    let stage: SubscriptionStage = serde_json::from_str("\"novel\"").unwrap();
    assert_eq!(stage, SubscriptionStage::Unknown);
}

#[test]
fn what_microsoft_held_up_comes_after_the_others_and_what_waited_longest_before_what_waits_since() {
    let left = |operation: &Operation| operation.left().map(ToString::to_string).collect::<Vec<_>>();
    let all = resolving(&["a", "b", "c"]);
    let once = all.with_held_up(&"a".parse().unwrap(), NOW).with_held_up(&"b".parse().unwrap(), NOW);
    assert_eq!(left(&once), ["c", "a", "b"]);
    let twice = once.with_held_up(&"a".parse().unwrap(), NOW);
    assert_eq!((left(&twice), twice.revision), (vec!["c".to_owned(), "b".into(), "a".into()], all.revision + 3));
    assert_eq!(left(&twice.with_result("b".parse().unwrap(), AlertResult::NotFound, NOW)), ["c", "a"]);
}

#[test]
fn what_microsoft_is_about_to_be_told_of_may_be_told_until_it_turned_the_call_away_or_a_result_is_known() {
    let (a, b): (AlertId, AlertId) = ("a".parse().unwrap(), "b".parse().unwrap());
    let told = |operation: &Operation| [&a, &b].map(|alert| operation.may_be_told(alert));
    let all = resolving(&["a", "b"]);
    let telling = all.with_telling(&a, NOW).with_telling(&b, NOW);
    assert_eq!((told(&all), told(&telling), telling.revision), ([false; 2], [true; 2], all.revision + 2));
    assert_eq!(told(&telling.with_held_up(&a, NOW)), [true; 2]);
    assert_eq!(told(&telling.with_not_told(&a, NOW)), [false, true]);
    assert_eq!(told(&telling.with_result(b.clone(), AlertResult::NotFound, NOW)), [true, false]);
}

#[test]
fn text_of_people_is_bounded_by_the_room_that_it_takes() {
    let parse = |text: &str| text.parse::<ShortText>();
    assert_eq!(parse(" a\r\nb\t ").unwrap().as_str(), "a\nb");
    for blank in ["", " \n\t "] {
        assert_eq!(parse(blank), Err(WrittenError::Blank));
    }
    for control in ["a\0b", "a\u{1b}[31m", "a\rb", "a\u{85}b"] {
        assert_eq!(parse(control), Err(WrittenError::Control), "{control:?}");
    }
    assert!(parse(&"a".repeat(300)).is_ok() && parse(&"\"".repeat(150)).is_ok() && parse(&"€".repeat(100)).is_ok());
    assert_eq!(parse(&"a".repeat(301)), Err(WrittenError::TooLong { bytes: 301, limit: 300 }));
    assert_eq!(parse(&"\\".repeat(151)), Err(WrittenError::TooLong { bytes: 302, limit: 300 }));
}

proptest! {
    #[test]
    fn no_text_that_is_taken_takes_more_room_than_it_may(text in "\\PC{0,120}[\"\\\\\n\t]{0,120}\\PC{0,120}") {
        if let Ok(text) = text.parse::<ShortText>() {
            prop_assert!(serde_json::to_string(&text).unwrap().len() <= 300 + 2);
        }
    }
}

#[test]
fn what_a_newer_release_keeps_on_an_alert_is_kept_on() {
    let json = serde_json::json!({ "snooze": { "until": NOW, "why": "x", "by": { "kind": "system" }, "loud": [1] }, "flag": { "a": 2 } });
    let marks: Marks = serde_json::from_value(json).unwrap();
    assert_eq!(marks.notes, 0);
    let changed = with(&Work { marks, notes: Vec::new() }, WorkChange::Assign(person(1)));
    let json = serde_json::to_value(&changed.marks).unwrap();
    assert_eq!((&json["flag"]["a"], &json["snooze"]["loud"][0]), (&2.into(), &1.into()));
}

#[test]
fn a_view_is_its_owner_s_or_everybody_s() {
    let (name, query) = ("Mine".parse().unwrap(), "status=open".parse().unwrap());
    let id = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    let view = View { id, name, query, owner: person(1), is_shared: false, revision: 1 };
    let renamed = Person { name: "married@contoso.example".to_owned(), ..person(1) };
    assert!(view.is_for(&renamed) && !view.is_for(&person(2)));
    assert!(View { is_shared: true, ..view }.is_for(&person(2)));
}
