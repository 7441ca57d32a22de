//! The activity log: what is written is found unchanged, what is changed is found out, and what is shown of it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use jiff::{SignedDuration, Timestamp};
use models::{
    Act, ActivityEntry, ActivityLine, Actor, Alert, AlertType, Chain, Entry, Finding, Happened, Head, KeptLine,
    LineHash, MicrosoftRefusal, OperationId, Person, Resolution, Severity, Standing, Status, SubscriptionStage,
    SubscriptionWish, follow, history, verify,
};
use proptest::prelude::*;

const TENANT: &str = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a10";
const NOW: Timestamp = Timestamp::constant(1_772_442_000, 0);

fn chain(alert: &str) -> Chain {
    Chain { tenant: TENANT.parse().unwrap(), alert: Some(alert.parse().unwrap()) }
}

fn person(name: &str) -> Actor {
    Actor::Person(Person::new(TENANT.parse().unwrap(), TENANT.parse().unwrap(), name))
}

fn entry(number: u64, act: Act) -> Entry {
    let id = format!("00000000-0000-4000-8000-{number:012}").parse().unwrap();
    Entry::new(id, NOW + SignedDuration::from_secs(number.cast_signed()), person("someone@contoso.example"), act)
}

/// A chain of so many lines, and its head.
fn written(alert: &str, count: u64) -> (Vec<KeptLine>, Head) {
    let entries: Vec<Entry> = (1..=count).map(|number| entry(number, Act::Noted)).collect();
    follow(&chain(alert), &Head::default(), &entries).unwrap()
}

/// The same line with another text, and the hash that belongs to it.
fn forged(line: &KeptLine) -> KeptLine {
    let text = line.text.replace("someone@", "nobody@");
    assert_ne!(text, line.text);
    KeptLine { hash: LineHash::of(&text).to_string(), text, ..line.clone() }
}

/// What is done to the lines of a chain; the others are of another.
type Tamper = fn(&mut Vec<KeptLine>, &[KeptLine]);

#[test]
fn each_way_to_tamper_with_a_chain_is_found_and_said_where() {
    let sound = written("a", 5);
    let (foreign, _) = written("b", 5);
    let table: [(Tamper, &[Finding]); 13] = [
        (|_, _| {}, &[]),
        (|lines, _| lines[2].text.push(' '), &[Finding::Changed { line: 3 }]),
        (|lines, _| lines[2] = forged(&lines[2]), &[Finding::Changed { line: 3 }]),
        (|lines, _| lines[4] = forged(&lines[4]), &[Finding::Changed { line: 5 }]),
        (|lines, _| lines[0] = forged(&lines[0]), &[Finding::Changed { line: 1 }]),
        (|lines, _| lines[1].hash = "0".repeat(64), &[Finding::Changed { line: 2 }]),
        (|lines, _| drop(lines.drain(1..3)), &[Finding::Missing { from: 2, to: 3 }]),
        (|lines, _| drop(lines.remove(0)), &[Finding::Missing { from: 1, to: 1 }]),
        (|lines, _| lines.truncate(3), &[Finding::Cut { from: 4, to: 5 }]),
        (|lines, _| lines.clear(), &[Finding::Cut { from: 1, to: 5 }]),
        (|lines, _| lines.push(forged(&lines[3])), &[Finding::Doubled { line: 4 }]),
        (
            |lines, foreign| lines[1] = foreign[1].clone(),
            &[Finding::Foreign { line: 2 }, Finding::Missing { from: 2, to: 2 }],
        ),
        (|lines, _| lines[3].text = "no JSON".to_owned(), &[Finding::Changed { line: 4 }]),
    ];
    for (place, (tamper, expected)) in table.into_iter().enumerate() {
        let (mut lines, head) = sound.clone();
        tamper(&mut lines, &foreign);
        lines.reverse();
        assert_eq!(verify(&chain("a"), &lines, Some(&head)), expected, "row {place}");
    }
}

#[test]
fn two_lines_that_changed_places_are_both_found() {
    let (mut lines, head) = written("a", 5);
    let (second, fourth) = (lines[1].clone(), lines[3].clone());
    lines[1] = KeptLine { number: Some(2), ..fourth };
    lines[3] = KeptLine { number: Some(4), ..second };
    assert_eq!(verify(&chain("a"), &lines, Some(&head)), [Finding::Changed { line: 2 }, Finding::Changed { line: 4 }]);
}

#[test]
fn a_head_that_was_set_back_or_is_gone_is_found() {
    let (lines, head) = written("a", 3);
    let back = Head { count: 2, hash: lines[1].hash.parse().unwrap(), regained: false };
    assert_eq!(verify(&chain("a"), &lines, Some(&back)), [Finding::Added { line: 3 }]);
    assert_eq!(verify(&chain("a"), &lines, None), [Finding::HeadLost { line: 3 }]);
    assert_eq!(verify(&chain("a"), &[], None), []);

    // The chain goes on from what was found, and says so for good.
    let regained = Head { regained: true, ..head };
    let (more, head) = follow(&chain("a"), &regained, &[entry(4, Act::Noted), entry(5, Act::Noted)]).unwrap();
    let all = [lines, more].concat();
    assert_eq!(verify(&chain("a"), &all, Some(&head)), [Finding::HeadLost { line: 4 }]);
}

#[test]
fn lines_that_only_another_release_can_read_are_verified() {
    let (lines, head) = written("a", 2);
    let text = lines[1].text.replace(r#"{"kind":"noted"}"#, r#"{"kind":"blessed","by":["a",1]}"#);
    let text = text.replace("\"at\":", "\"weather\":{\"rain\":true},\"at\":");
    assert_ne!(text, lines[1].text);
    let newer = KeptLine { hash: LineHash::of(&text).to_string(), text, ..lines[1].clone() };
    let head = Head { hash: newer.hash.parse().unwrap(), ..head };
    assert_eq!(newer.read().unwrap().entry.act, Act::Unknown);
    let mut lines = vec![lines[0].clone(), newer];
    assert_eq!(verify(&chain("a"), &lines, Some(&head)), []);
    lines[1].text = lines[1].text.replace("true", "false");
    assert_eq!(verify(&chain("a"), &lines, Some(&head)), [Finding::Changed { line: 2 }]);
}

/// What somebody does to the lines that are kept.
#[derive(Clone, Debug)]
enum Mutation {
    Mark { line: usize, at: usize, to: char },
    Delete { line: usize },
    Forge { line: usize },
    Hash { line: usize, at: usize },
    Move { line: usize, to: u64 },
    Repeat { line: usize },
    Swap { line: usize, other: usize },
}

fn any_mutation() -> impl Strategy<Value = Mutation> {
    let (line, at) = (any::<usize>, any::<usize>);
    prop_oneof![
        (line(), at(), any::<char>()).prop_map(|(line, at, to)| Mutation::Mark { line, at, to }),
        line().prop_map(|line| Mutation::Delete { line }),
        line().prop_map(|line| Mutation::Forge { line }),
        (line(), at()).prop_map(|(line, at)| Mutation::Hash { line, at }),
        (line(), 0_u64..30).prop_map(|(line, to)| Mutation::Move { line, to }),
        line().prop_map(|line| Mutation::Repeat { line }),
        (line(), line()).prop_map(|(line, other)| Mutation::Swap { line, other }),
    ]
}

fn mutate(lines: &mut Vec<KeptLine>, mutation: &Mutation) {
    let count = lines.len();
    match mutation {
        Mutation::Mark { line, at, to } => {
            let line = &mut lines[line % count];
            let mut marks: Vec<char> = line.text.chars().collect();
            let at = at % marks.len();
            marks[at] = *to;
            line.text = marks.into_iter().collect();
        }
        Mutation::Delete { line } => drop(lines.remove(line % count)),
        Mutation::Forge { line } => lines[line % count] = forged(&lines[line % count]),
        Mutation::Hash { line, at } => {
            let hash = &mut lines[line % count].hash;
            let at = at % hash.len();
            let other = if hash.as_bytes()[at] == b'0' { "1" } else { "0" };
            hash.replace_range(at..=at, other);
        }
        Mutation::Move { line, to } => lines[line % count].number = Some(*to),
        Mutation::Repeat { line } => lines.push(lines[line % count].clone()),
        Mutation::Swap { line, other } => {
            let (line, other) = (line % count, other % count);
            let numbers = (lines[line].number, lines[other].number);
            lines.swap(line, other);
            (lines[line].number, lines[other].number) = numbers;
        }
    }
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let acts = prop_oneof![
        Just(Act::Noted),
        Just(Act::StatusAsked),
        Just(Act::StatusDone),
        Just(Act::Unassigned),
        "[a-z]{1,8}".prop_map(|code| Act::StatusRefused(MicrosoftRefusal::new(&code, None, Some("b")))),
        "[ -~]{1,80}".prop_filter_map("blank", |why| { Some(Act::Snoozed { until: NOW, why: why.parse().ok()? }) }),
    ];
    let standing = || proptest::option::of(Just(Standing::new(&Status::Resolved, None)));
    (acts, standing(), standing(), proptest::option::of("\\PC{1,200}"), 0_u64..1_000_000).prop_map(
        |(act, from, to, note, number)| {
            let note = note.and_then(|note| note.parse().ok());
            Entry { from, to, note, ..entry(number, act) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_is_done_to_stored_lines_is_found_and_nothing_is_where_nothing_was_done(
        entries in proptest::collection::vec(any_entry(), 1..12),
        cut in any::<usize>(),
        mutation in any_mutation(),
    ) {
        // Written in two goes, as acts are.
        let cut = cut % entries.len();
        let (mut lines, head) = follow(&chain("a"), &Head::default(), &entries[..cut]).unwrap();
        let (more, head) = follow(&chain("a"), &head, &entries[cut..]).unwrap();
        lines.extend(more);
        prop_assert_eq!(verify(&chain("a"), &lines, Some(&head)), []);
        for (line, entry) in lines.iter().zip(&entries) {
            prop_assert_eq!(&line.read().unwrap().entry, entry);
        }

        let mut tampered = lines.clone();
        mutate(&mut tampered, &mutation);
        let is_found = !verify(&chain("a"), &tampered, Some(&head)).is_empty();
        prop_assert_eq!(is_found, tampered != lines, "{:?}", mutation);
    }
}

#[test]
fn a_line_is_below_4_kb_whatever_is_in_it() {
    // Everything at its bound, and of what takes most room.
    let alert = "\"".repeat(256);
    let chain = Chain { tenant: TENANT.parse().unwrap(), alert: Some(alert.parse().unwrap()) };
    let named =
        |mark: char| Person::new(TENANT.parse().unwrap(), TENANT.parse().unwrap(), &String::from(mark).repeat(999));
    let unknown = Standing::new(&Status::Unknown("😀".repeat(99)), Some(&"😀".repeat(99).as_str().into()));
    let long = "€".repeat(999);
    let refusal = MicrosoftRefusal::new(&"\"".repeat(999), Some(&"\"".repeat(999)), Some(&"\"".repeat(999)));
    assert_eq!(MicrosoftRefusal::new(&long, None, None).code, "");
    let acts = [
        Act::Assigned { to: named('"') },
        Act::StatusRefused(refusal.clone()),
        Act::SubscriptionAsked {
            wish: SubscriptionWish::Reactivate,
            customer: "\"".repeat(128).parse().unwrap(),
            subscription: "\"".repeat(128).parse().unwrap(),
        },
        Act::SubscriptionRefused { subscription: "\"".repeat(128).parse().unwrap(), refusal },
        Act::SubscriptionStuck {
            subscription: "\"".repeat(128).parse().unwrap(),
            at: SubscriptionStage::EntitlementFound,
        },
        Act::SubscriptionTelling { subscription: "\"".repeat(128).parse().unwrap(), known_as: Some(named('"')) },
        Act::SubscriptionAlertsLeft { subscription: "\"".repeat(128).parse().unwrap(), alerts: u64::MAX },
        Act::Snoozed { until: NOW, why: "\"".repeat(150).parse().unwrap() },
        Act::ViewSaved { view: TENANT.parse().unwrap(), name: "\"".repeat(50).parse().unwrap() },
    ];
    for act in acts {
        let full = Entry {
            actor: Actor::Person(named('"')),
            from: Some(unknown.clone()),
            to: Some(unknown.clone()),
            note: Some("\"".repeat(600).parse().unwrap()),
            operation: Some("a".repeat(64).parse().unwrap()),
            request: Some("\"".repeat(64).parse().unwrap()),
            ..entry(1, act)
        };
        let (lines, _) = follow(&chain, &Head { count: u64::MAX - 1, ..Head::default() }, &[full]).unwrap();
        assert!(lines[0].text.len() < 4_096, "{}: {}", lines[0].text.len(), lines[0].text);
    }
}

#[test]
fn nobody_s_name_shows_where_a_line_is_printed_for_debugging() {
    let entry = Entry { note: Some("a secret note".parse().unwrap()), ..entry(1, Act::Noted) };
    let shown = format!("{entry:?}");
    assert!(!shown.contains("contoso") && !shown.contains("secret"), "{shown}");
    assert!(shown.contains(TENANT));
}

// ---- history -------------------------------------------------------------------------------------------------------------

fn alert(activity: Vec<ActivityEntry>) -> Alert {
    Alert {
        id: "a".parse().unwrap(),
        display_name: "An alert".to_owned(),
        description: None,
        alert_type: AlertType("CryptoMining".to_owned()),
        status: Status::Active,
        severity: Severity::High,
        confidence: None,
        customer_id: None,
        subscription_id: None,
        reseller_id: None,
        catalog_offer_id: None,
        detected: NOW,
        first_observed: NOW,
        last_observed: NOW,
        resolution: Resolution::default(),
        is_test: false,
        affected_resources: Vec::new(),
        activity,
        additional_details: std::collections::BTreeMap::new(),
    }
}

fn at_microsoft(to: Status, by: &str, seconds: Option<i64>) -> ActivityEntry {
    ActivityEntry {
        status_from: Some(Status::Active),
        status_to: Some(to),
        updated_by: Some(by.to_owned()),
        updated: seconds.map(|seconds| NOW + SignedDuration::from_secs(seconds)),
    }
}

/// Our line that asks for a status, and the one that says what came of it so many seconds later.
fn resolved_here(asked: i64, ended: i64, end: Act) -> [ActivityLine; 2] {
    let operation = OperationId::of_random(&asked.to_string());
    [(Act::StatusAsked, asked), (end, ended)].map(|(act, seconds)| {
        let (to, at) = (Some(Standing::new(&Status::Resolved, None)), NOW + SignedDuration::from_secs(seconds));
        let entry = Entry { to, at, operation: Some(operation.clone()), ..entry(1, act) };
        let (chain, previous) = (chain("a"), LineHash::of_nothing());
        let number = u64::try_from(seconds).unwrap() + 1;
        ActivityLine { chain, number, previous, head_was_gone: false, entry }
    })
}

/// What is left of these entries of Microsoft's beside these lines.
fn left_beside(lines: &[ActivityLine], entries: &[ActivityEntry]) -> Vec<ActivityEntry> {
    let alert = alert(entries.to_vec());
    let left = history(lines, lines, &alert).into_iter().filter_map(|happened| match happened {
        Happened::AtMicrosoft(entry) => Some(entry.clone()),
        Happened::Here(_) => None,
    });
    left.collect()
}

#[test]
fn what_microsoft_recorded_of_our_own_act_is_not_shown_twice_in_whatever_name_and_however_late() {
    let lines = resolved_here(1_000, 3_000, Act::StatusDone);
    let left_of = |entries: &[ActivityEntry]| left_beside(&lines, entries);
    // Microsoft names the user whose credential it is, or an application.
    let same = |seconds| at_microsoft(Status::Resolved, "the.credential@contoso.example", Some(seconds));
    for seconds in [700, 1_000, 2_000, 3_000, 3_300] {
        assert_eq!(left_of(&[same(seconds)]), [], "{seconds}");
    }
    assert_eq!(left_of(&[ActivityEntry { updated_by: None, ..same(1_000) }]), []);
    let others = [
        same(699),
        same(3_301),
        at_microsoft(Status::Investigating, "the.credential@contoso.example", Some(1_000)),
        at_microsoft(Status::Resolved, "the.credential@contoso.example", None),
    ];
    for other in others {
        assert_eq!(left_of(std::slice::from_ref(&other)), [other]);
    }
    assert_eq!(left_of(&[same(1_100), same(1_110)]), [same(1_110)], "one of ours accounts for one");
    let twice = [lines.clone(), resolved_here(3_400, 3_500, Act::StatusDone)].concat();
    assert_eq!(left_beside(&twice, &[same(3_100), same(3_450)]), [], "each of ours for its own");
}

#[test]
fn only_what_microsoft_may_have_been_told_of_accounts_for_what_it_recorded() {
    let theirs = [at_microsoft(Status::Resolved, "somebody@contoso.example", Some(1_100))];
    let refusal = MicrosoftRefusal::new("BadRequest", None, None);
    for (end, is_ours) in [
        (Act::StatusDone, true),
        (Act::StatusOverlapped, true),
        (Act::StatusRefused(MicrosoftRefusal::no_answer()), true),
        (Act::StatusRefused(MicrosoftRefusal::not_told()), false),
        (Act::StatusAlreadySo, false),
        (Act::StatusRefused(refusal), false),
        (Act::StatusSuperseded, false),
    ] {
        let lines = resolved_here(1_000, 1_200, end.clone());
        assert_eq!(left_beside(&lines, &theirs).is_empty(), is_ours, "{end:?}");
    }
    let [asked, _] = resolved_here(1_000, 1_200, Act::StatusDone);
    assert_eq!(left_beside(&[asked], &theirs), [], "it is on its way still");
}

#[test]
fn both_are_shown_in_the_order_of_time_and_lines_of_a_later_page_account_too() {
    let other = |seconds| at_microsoft(Status::Active, "other@contoso.example", seconds);
    let ours = at_microsoft(Status::Resolved, "the.credential@contoso.example", Some(1_000));
    let alert = alert(vec![other(None), other(Some(50)), other(None), other(Some(150)), ours]);
    let (lines, more) = (resolved_here(100, 100, Act::StatusSuperseded), resolved_here(1_000, 1_001, Act::StatusDone));
    let entries: Vec<_> = alert.activity.iter().map(Happened::AtMicrosoft).collect();
    let expected =
        [entries[0], entries[1], entries[2], Happened::Here(&lines[0]), Happened::Here(&lines[1]), entries[3]];
    assert_eq!(history(&lines, &[lines.clone(), more].concat(), &alert), expected);
}
