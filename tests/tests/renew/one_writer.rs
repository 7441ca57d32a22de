//! Whoever writes a secret takes nothing away that somebody else wrote, whenever who of them is interrupted.

use jiff::SignedDuration;
use models::Purpose;
use serde_json::json;
use tests::wire::Fault;

use crate::support::{CONTOSO, Found, TICK, World, app_only};

#[tokio::test]
async fn the_new_token_is_current_the_old_one_previous_and_what_people_wrote_beside_it_stays() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    let mut secret = world.secret(&tenant, Purpose::Read).await;
    secret["owner"] = json!("the night shift");
    world.write(&tenant, Purpose::Read, &secret).await;

    world.tick().await;

    let mut renewed = world.secret(&tenant, Purpose::Read).await;
    assert_ne!(renewed["refresh_token"], secret["refresh_token"]);
    assert_eq!(renewed["refresh_token_obtained"], json!(world.now()));
    assert_eq!(world.labelled(&tenant, Purpose::Read, "AWSPREVIOUS").await, secret);
    let members = renewed.as_object_mut().unwrap();
    members.remove("refresh_token_obtained");
    members.insert("refresh_token".to_owned(), secret["refresh_token"].clone());
    assert_eq!(renewed, secret);
}

#[tokio::test]
async fn what_a_person_writes_between_reading_and_writing_stays() {
    for held in ["PutSecretValue", "UpdateSecretVersionStage"] {
        let world = World::new().await;
        let tenant = world.add(CONTOSO).await;
        let gate = world.tap.hold(held);
        let meanwhile = async {
            gate.reached().await;
            let token = world.consent(&tenant, Purpose::Read).await;
            gate.open();
            token
        };
        let ((), token) = tokio::join!(world.tick(), meanwhile);
        assert_eq!(world.token(&tenant, Purpose::Read).await, token, "{held}");
        assert_eq!(world.outcome(&tenant, Purpose::Read).await, "ok", "{held}");

        // What they wrote is looked at in its turn.
        world.clock.advance(TICK);
        world.tick().await;
        assert_ne!(world.token(&tenant, Purpose::Read).await, token, "{held}: nobody said how old it was");
        let previous = world.labelled(&tenant, Purpose::Read, "AWSPREVIOUS").await;
        assert_eq!(previous["refresh_token"], json!(token), "{held}");
    }
}

#[tokio::test]
async fn who_dies_between_putting_a_version_and_making_it_current_leaves_the_old_one_and_the_next_goes_on() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    let token = world.token(&tenant, Purpose::Read).await;
    let gate = world.tap.hold("UpdateSecretVersionStage");
    tokio::select! {
        () = world.tick() => panic!("it should have been held up"),
        () = gate.reached() => {}
    }
    assert_eq!(world.token(&tenant, Purpose::Read).await, token);

    // The lease of the dead has run out by then.
    world.clock.advance(TICK);
    world.tick().await;
    assert_eq!(world.outcome(&tenant, Purpose::Read).await, "ok");
    assert_ne!(world.token(&tenant, Purpose::Read).await, token);
    assert_eq!(world.labelled(&tenant, Purpose::Read, "AWSPREVIOUS").await["refresh_token"], json!(token));
}

#[tokio::test]
async fn of_two_runs_at_the_same_time_one_writes_and_the_other_leaves_it_to_that() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    let gate = world.tap.hold("PutSecretValue");
    let another = world.another();
    let meanwhile = async {
        gate.reached().await;
        world.tick_of(&another).await;
        gate.open();
    };
    tokio::join!(world.tick(), meanwhile);
    assert_eq!(world.wire.count("PutSecretValue"), 2, "one for each secret");
    let [of_another, of_first] = &world.counted.take()[..] else { panic!("two runs") };
    // The one that came second found the one secret taken, and renewed the other.
    let second = Found { checked: 1, renewed: 1, ..Found::TWO_WORK };
    assert_eq!(*of_another, second.counts());
    assert_eq!(*of_first, Found { renewed: 1, ..Found::TWO_WORK }.counts());
    for purpose in Purpose::ALL {
        assert_eq!(world.outcome(&tenant, purpose).await, "ok");
    }
}

#[tokio::test]
async fn who_was_paused_past_their_lease_changes_nothing_any_more() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    let gate = world.tap.hold("UpdateSecretVersionStage");
    let another = world.another();
    let meanwhile = async {
        gate.reached().await;
        world.clock.advance(SignedDuration::from_mins(10));
        world.tick_of(&another).await;
        let written = world.token(&tenant, Purpose::Read).await;
        let known = world.known(&tenant, Purpose::Read).await;
        gate.open();
        (written, known)
    };
    let ((), (written, known)) = tokio::join!(world.tick(), meanwhile);
    assert_eq!(world.token(&tenant, Purpose::Read).await, written);
    assert_eq!(world.known(&tenant, Purpose::Read).await, known);
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_neither_a_second_version_nor_a_failure() {
    for lost in ["PutSecretValue", "UpdateSecretVersionStage", "UpdateItem", "GetSecretValue"] {
        let world = World::new().await;
        let tenant = world.add(CONTOSO).await;
        let token = world.token(&tenant, Purpose::Read).await;
        world.wire.plan(lost, 1, Fault::AnswerLost);
        assert_eq!(world.counts().await, Found { renewed: 2, ..Found::TWO_WORK }.counts(), "{lost}");
        assert_eq!(world.labelled(&tenant, Purpose::Read, "AWSPREVIOUS").await["refresh_token"], json!(token));
        let name = Purpose::Read.secret_of(&tenant).unwrap();
        let described = world.secrets.describe_secret().secret_id(name).send().await.unwrap();
        assert_eq!(described.version_ids_to_stages().unwrap().len(), 2, "{lost}");
    }
}

#[tokio::test]
async fn an_application_for_itself_is_proved_and_never_written() {
    let world = World::new().await;
    let tenant = world.add(CONTOSO).await;
    for purpose in Purpose::ALL {
        world.write(&tenant, purpose, &app_only(&tenant)).await;
    }
    let before = world.microsoft.requests().token;
    assert_eq!(world.counts().await, Found { oldest_days: None, ..Found::TWO_WORK }.counts());
    assert_eq!(world.microsoft.requests().token - before, 3, "for Graph with each, for Partner Center with read");
    assert_eq!(world.wire.count("PutSecretValue"), 0);
    assert_eq!(world.secret(&tenant, Purpose::Act).await, app_only(&tenant));
}
