//! Names are in nobody's way: alerts land whatever Partner Center does, and one tenant's trouble is no other's.

use models::Tenant;
use simulator::{ErrorBody, Fault, FaultKind, RetryAfter, Target};
use store::{ReadTenants as _, WriteTenants as _};
use tests::{ByHand, Setup, TENANT};

use crate::support::{ONE_ATTEMPT, asked, customer, deliver, kept, name, raise_of, sent, settle, subscription};

/// What looks like "no such customer", of something in front of Partner Center.
fn in_other_words(status: u16, body: ErrorBody) -> FaultKind {
    FaultKind::Answer { status, body, retry_after: RetryAfter::Absent }
}

#[tokio::test]
async fn alerts_land_while_partner_center_fails_in_every_way_and_their_names_come_later() {
    let variables = [("MICROSOFT_ATTEMPTS", "1"), ("MICROSOFT_TIMEOUT_SECONDS", "1")];
    let system = ByHand::with(Setup { variables: &variables, ..Setup::default() }).await;
    system.baseline().await;
    let troubles = [
        FaultKind::Fail { status: 503 },
        FaultKind::Throttle { retry_after: RetryAfter::Seconds(57) },
        FaultKind::Throttle { retry_after: RetryAfter::Absent },
        FaultKind::Reset,
        FaultKind::Truncated,
        FaultKind::MissingMfa,
        FaultKind::Slow { milliseconds: 1_500 },
        in_other_words(403, ErrorBody::Html),
        in_other_words(404, ErrorBody::Empty),
        in_other_words(404, ErrorBody::Gateway),
        in_other_words(404, ErrorBody::Html),
    ];
    for (number, trouble) in troubles.into_iter().enumerate() {
        system.microsoft.set_fault(Fault::new(Target::Customer, trouble)).unwrap();
        raise_of(&system, &format!("alert-{number}"), &customer(number), &subscription(number));

        system.complete(number + 1, 1).await;
        let again = deliver(&system, &sent(&system)).await;

        assert_eq!((again.len(), again[0].delay), (1, 900), "{trouble:?}");
        let failed = kept(&system, &customer(number)).await.unwrap();
        assert!(failed.name.is_none() && failed.gone.is_none(), "nothing is known of it: {trouble:?}");
        system.microsoft.clear_faults();
        assert_eq!(deliver(&system, &again).await, [], "{trouble:?}");
        assert!(name(&system, &customer(number)).await.is_some(), "{trouble:?}");
    }
}

#[tokio::test]
async fn a_run_of_the_same_tenant_goes_ahead_while_its_names_are_looked_after() {
    let system = ByHand::start().await;
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.complete(1, 1).await;
    let messages = sent(&system);
    let gate = system.tap.hold("BatchGetItem");
    let names = deliver(&system, &messages);
    let runs = async {
        gate.reached().await;
        raise_of(&system, "b", &customer(2), &subscription(2));
        system.complete(2, 1).await;
        gate.open();
    };

    let (left, ()) = tokio::join!(names, runs);

    assert_eq!(system.alerts().await.len(), 2);
    assert!(name(&system, &customer(1)).await.is_some());
    // What the run asked for was seen by whoever looked on.
    deliver(&system, &left).await;
    assert!(name(&system, &customer(2)).await.is_some());
}

#[tokio::test]
async fn a_run_is_complete_though_nobody_can_be_asked_for_names_and_the_days_comparison_asks_again() {
    let system = ByHand::start().await;
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.tap.refuse("SendMessageBatch", "AccessDeniedException");

    system.complete(1, 1).await;

    let counts = runtime::Counts::new().with("NamesFailed", 1);
    assert!(system.counted.take().contains(&counts));
    let _ = sent(&system);
    system.complete(1, 0).await;
    assert_eq!(sent(&system), []);
    system.clock.advance(jiff::SignedDuration::from_hours(24));
    system.complete(1, 0).await;
    settle(&system).await;
    assert!(name(&system, &customer(1)).await.is_some());
}

#[tokio::test]
async fn a_run_that_finds_nothing_new_and_one_that_finds_an_alert_moved_ask_for_no_name() {
    let system = ByHand::start().await;
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.complete(1, 1).await;
    settle(&system).await;
    let (before, _) = (asked(&system), system.tap.take());

    system.complete(1, 0).await;
    assert_eq!(system.tap.take_operations(), ["Query", "UpdateItem", "Query", "UpdateItem"]);

    let moved = simulator::AlertChange { last_observed_date_time: Some(system.now()), ..Default::default() };
    system.change("a", moved);
    system.complete(1, 1).await;
    let operations = system.tap.take_operations();
    assert!(!operations.contains(&"SendMessageBatch".to_owned()), "{operations:?}");
    assert_eq!(asked(&system), before);
}

#[tokio::test]
async fn one_tenants_trouble_with_names_touches_no_other_and_ends_soon() {
    let system = ByHand::with(ONE_ATTEMPT).await;
    let other = "00000000-0000-4000-8000-00000000000a";
    let seed = system.store().tenants().await.unwrap().remove(0);
    let without_secret =
        Tenant { id: other.parse().unwrap(), read_secret: "partner-alerts/read/none".to_owned(), ..seed };
    system.store().put_tenant(&without_secret).await.unwrap();
    for number in 0..20 {
        raise_of(&system, &number.to_string(), &customer(number), &subscription(number));
    }
    system.complete(20, 20).await;
    let own = sent(&system);
    let mut theirs = own.clone();
    theirs[0].body["tenant"] = other.into();

    let mut again = deliver(&system, &theirs).await;
    assert_eq!(deliver(&system, &own).await, []);

    assert_eq!(asked(&system), [20; 3]);
    let failed = runtime::Counts::new().with("NamesRead", 0).with("NamesFailed", 3);
    assert!(system.counted.take().contains(&failed), "after three in a row it is not the customer");
    let all = again[0].body["names"]["of_alerts"]["customers"].as_array().unwrap().len();
    assert_eq!((again.len(), again[0].delay, all), (1, 900, 20));
    for _ in 1..8 {
        again = deliver(&system, &again).await;
    }
    assert_eq!(again, [], "there is an end of it");
}

#[tokio::test]
async fn a_store_that_fails_and_a_tenant_that_is_gone_are_no_dead_letters() {
    let system = ByHand::start().await;
    raise_of(&system, "a", &customer(1), &subscription(1));
    system.complete(1, 1).await;
    let messages = sent(&system);
    for operation in ["Query", "BatchGetItem", "UpdateItem", "TransactWriteItems"] {
        system.tap.refuse(operation, "AccessDeniedException");
        let again = deliver(&system, &messages).await;
        assert_eq!((again.len(), again[0].delay, again[0].body["attempts"].as_u64()), (1, 900, Some(1)), "{operation}");
        system.clock.advance(jiff::SignedDuration::from_mins(2));
    }
    let seed = system.store().tenants().await.unwrap().remove(0);
    system.store().put_tenant(&Tenant { active: false, ..seed }).await.unwrap();
    let before = asked(&system);
    assert_eq!(deliver(&system, &messages).await, []);
    assert_eq!(asked(&system), before);
    assert!(
        system.deliver(&[("m", &format!(r#"{{"tenant":"{TENANT}","cause":"again","names":7}}"#))]).await.is_empty()
    );
}
