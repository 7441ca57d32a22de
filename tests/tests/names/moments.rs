//! When the schedule asks for what is old.

use jiff::SignedDuration;
use models::{NamesRequest, Tenant, WantedNames};
use store::{KeepNames as _, ReadTenants as _, WriteTenants as _};
use tests::ByHand;

use crate::support::{asked, customer, deliver, old, raise_of, sent, settle, subscription};

#[tokio::test]
async fn each_day_the_schedule_asks_for_each_tenants_old_names_in_a_quarter_of_an_hour_of_its_own() {
    let system = ByHand::start().await;
    let seed = system.store().tenants().await.unwrap().remove(0);
    for number in 0..20 {
        let id = format!("00000000-0000-4000-8000-{number:012}").parse().unwrap();
        system.store().put_tenant(&Tenant { id, active: number > 0, ..seed.clone() }).await.unwrap();
    }
    let mut at = std::collections::BTreeMap::<_, Vec<_>>::new();
    for tick in 0..288 {
        system.tick().await.unwrap();
        for message in sent(&system) {
            let request: NamesRequest = serde_json::from_value(message.body).unwrap();
            assert_eq!((message.delay, request.names), (0, WantedNames::Old { again: false }));
            at.entry(request.tenant).or_default().push(tick);
        }
        system.clock.advance(SignedDuration::from_mins(5));
    }
    assert_eq!(at.len(), 20, "each active one");
    assert!(at.values().all(|ticks| ticks.len() == 3), "{at:?}");
    let first: std::collections::BTreeSet<_> = at.values().map(|ticks| ticks[0]).collect();
    assert!(first.len() > 10, "not all at once: {first:?}");
}

#[tokio::test]
async fn what_is_old_is_looked_for_once_a_day_however_often_it_is_asked_for() {
    let system = ByHand::start().await;
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.complete(1, 1).await;
    settle(&system).await;
    let _ = system.tap.take();

    assert_eq!(system.deliver(&[("m", &old().body.to_string())]).await, Vec::<String>::new());
    // The tenants, the day, and all names: nothing is old.
    assert_eq!(system.tap.take_operations(), ["Query", "UpdateItem", "Query"]);
    system.deliver(&[("m", &old().body.to_string())]).await;
    assert_eq!(system.tap.take_operations(), ["Query", "UpdateItem"]);
    assert_eq!(asked(&system), [1; 3]);

    system.clock.advance(SignedDuration::from_hours(8 * 24));
    assert_eq!(deliver(&system, &[old()]).await, []);
    assert_eq!(asked(&system), [2; 3]);
}

#[tokio::test]
async fn more_old_names_than_there_is_room_for_are_gone_on_with_a_minute_later() {
    let system = ByHand::start().await;
    for number in 0..90 {
        raise_of(&system, &number.to_string(), &customer(number), &subscription(number));
    }
    system.complete(90, 90).await;
    settle(&system).await;
    assert_eq!(asked(&system), [90; 3]);
    system.clock.advance(SignedDuration::from_hours(8 * 24));

    let again = deliver(&system, &[old()]).await;

    let asked_for: u64 = asked(&system).iter().sum::<u64>() - 270;
    assert!((200..=203).contains(&asked_for), "{asked_for}");
    let request: NamesRequest = serde_json::from_value(again[0].body.clone()).unwrap();
    assert_eq!((again.len(), again[0].delay, request.names), (1, 60, WantedNames::Old { again: true }));
    assert_eq!(deliver(&system, &again).await, []);
    assert_eq!(asked(&system), [180; 3], "each once");
}

#[tokio::test]
async fn a_look_at_what_is_old_that_finds_somebody_else_at_work_is_made_later() {
    let system = ByHand::start().await;
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.complete(1, 1).await;
    settle(&system).await;
    system.clock.advance(SignedDuration::from_hours(8 * 24));
    assert!(
        system
            .store()
            .claim_names(&system.tenant, system.now() + SignedDuration::from_secs(60), system.now())
            .await
            .unwrap()
    );

    let again = deliver(&system, &[old()]).await;

    assert_eq!((again.len(), again[0].delay, asked(&system)), (1, 60, [1; 3]));
    assert_eq!(deliver(&system, &again).await, []);
    assert_eq!(asked(&system), [2; 3]);
}

#[tokio::test]
async fn a_chain_of_messages_about_names_has_an_end_and_another_days_look_begins_a_new_one() {
    let system = ByHand::with(crate::support::ONE_ATTEMPT).await;
    for number in 0..90 {
        raise_of(&system, &number.to_string(), &customer(number), &subscription(number));
    }
    system.complete(90, 90).await;
    let first = sent(&system);
    assert!(first.iter().all(|message| message.body["hops"] == 1), "after that of the run: {first:?}");
    let rest = deliver(&system, &first).await;
    assert_eq!(deliver(&system, &rest).await, []);
    // More than there is room for; somebody else at work; a store that fails: each would be gone on with.
    system.clock.advance(SignedDuration::from_hours(8 * 24));
    let of = |hops: u32| {
        let mut message = old();
        message.body["hops"] = hops.into();
        message.body["names"]["old"]["again"] = true.into();
        message
    };
    let before: u64 = asked(&system).iter().sum();
    assert_eq!(deliver(&system, &[of(14)]).await, []);
    assert_eq!(deliver(&system, &[of(14)]).await, []);
    system.tap.refuse("Query", "AccessDeniedException");
    assert_eq!(deliver(&system, &[of(14)]).await, []);
    let again = deliver(&system, &[of(13)]).await;
    assert_eq!((again.len(), again[0].body["hops"].as_u64()), (1, Some(14)));
    let so_far = asked(&system).iter().sum::<u64>() - before;
    assert!((200..=203).contains(&so_far), "{so_far}");

    system.clock.advance(SignedDuration::from_hours(24));
    let again = deliver(&system, &[old()]).await;
    assert_eq!(again, []);
    assert_eq!(asked(&system), [180; 3], "what was left");
}

#[tokio::test]
async fn a_schedule_that_cannot_ask_for_names_has_asked_for_runs() {
    let system = ByHand::start().await;
    let batches = async || {
        system.tick().await.unwrap();
        system.clock.advance(SignedDuration::from_mins(5));
        system.tap.take_bodies("SendMessageBatch").len()
    };
    for _ in 0..288 {
        if batches().await == 2 {
            break;
        }
    }
    // The quarter has three ticks.
    system.tap.pass("SendMessageBatch");
    system.tap.refuse("SendMessageBatch", "AccessDeniedException");
    assert_eq!(batches().await, 2);
    let failed = runtime::Counts::new().with("NamesFailed", 1);
    assert!(system.counted.take().contains(&failed));
}
