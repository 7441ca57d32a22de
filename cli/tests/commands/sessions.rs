//! Other people's sessions: seen, and ended.

use aws_sdk_dynamodb::types::AttributeValue;
use identity::{Claims, Kind, Session, SessionId, UnverifiedPerson};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::{KeepSessions as _, ReadSessions as _, Store};
use tests::TENANT;

use crate::support::{Here, OTHER};

const ADA: &str = "77777777-2222-4333-8444-555555555555";
const BOB: &str = "88888888-2222-4333-8444-555555555555";

fn client(here: &Here) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws)
}

fn store(here: &Here) -> Store {
    Store::new(client(here), here.test.system.tables().clone())
}

/// Ada in two tenants, Bob in one, and one that nobody can read.
async fn signed_in() -> Here {
    let here = Here::new().await;
    let now = here.test.system.parts().clock.now();
    for (byte, oid, tid, minutes) in [(1, ADA, TENANT, 30), (2, ADA, OTHER, 20), (3, BOB, TENANT, 600)] {
        let person = UnverifiedPerson { oid, tid, name: "ada@contoso.example", roles: &[], wids: &[] };
        let claims = Claims::of_verified(&person, Kind::Person).unwrap();
        let session = Session::begin(claims, now - SignedDuration::from_mins(minutes));
        store(&here).put_session(&SessionId::from_random([byte; 32]).key(), &session).await.unwrap();
    }
    let odd = client(&here).put_item().table_name(&here.test.system.tables().sessions);
    let odd = odd.item("pk", AttributeValue::S("odd".into())).item("claims", AttributeValue::S("{}".into()));
    odd.send().await.unwrap();
    here
}

/// Which of the four are there.
async fn left(here: &Here) -> Vec<&'static str> {
    let store = store(here);
    let mut left = Vec::new();
    for (byte, name) in [(1, "ada"), (2, "ada elsewhere"), (3, "bob")] {
        let key = SessionId::from_random([byte; 32]).key();
        left.extend(store.session(&key).await.unwrap().map(|_| name));
    }
    let odd = client(here).get_item().table_name(&here.test.system.tables().sessions);
    left.extend(odd.key("pk", AttributeValue::S("odd".into())).send().await.unwrap().item.map(|_| "odd"));
    left
}

fn people(sessions: &Value) -> Vec<(Value, Value, bool)> {
    let row = |shown: &Value| (shown["person"].clone(), shown["tenant"].clone(), shown["alive"] == true);
    sessions.as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn who_is_signed_in_is_listed_by_their_ids_and_by_nothing_that_lets_anybody_in() {
    let here = signed_in().await;
    let listed = here.json(&["sessions", "list"]).await;
    let expected = [
        (json!(ADA), json!(OTHER), true),
        (json!(ADA), json!(TENANT), true),
        (json!(BOB), json!(TENANT), false),
        (Value::Null, Value::Null, false),
    ];
    assert_eq!(people(&listed), expected);
    let told = here.told(&["sessions", "list"]).await;
    assert!(told.contains(ADA) && told.contains("unreadable") && !told.contains('@'), "{told}");
    let key = SessionId::from_random([1; 32]).key().to_string();
    assert!(!told.contains(&key) && !listed.to_string().contains(&key), "{told}");
}

#[tokio::test]
async fn a_persons_sessions_end_in_one_tenant_or_in_all_and_nobody_elses_with_them() {
    let here = signed_in().await;
    let all = ["ada", "ada elsewhere", "bob", "odd"];
    let would = here.told(&["sessions", "end", "--all", "--dry-run"]).await;
    assert!(would.starts_with("Would end (--dry-run):") && would.contains(BOB), "{would}");
    assert_eq!(left(&here).await, all);
    let ended = here.json(&["sessions", "end", "--person", ADA, "--tenant", OTHER]).await;
    assert_eq!(
        (people(&ended["sessions"]), &ended["dry_run"]),
        (vec![(json!(ADA), json!(OTHER), true)], &json!(false))
    );
    assert_eq!(left(&here).await, ["ada", "bob", "odd"]);
    let ended = here.told(&["sessions", "end", "--person", ADA]).await;
    assert!(ended.starts_with("Ended:") && ended.contains(ADA) && !ended.contains(BOB), "{ended}");
    assert_eq!(left(&here).await, ["bob", "odd"]);
    assert_eq!(here.told(&["sessions", "end", "--person", ADA]).await, "There is no such session.\n");
    here.told(&["sessions", "end", "--all"]).await;
    assert!(left(&here).await.is_empty());
    assert_eq!(here.told(&["sessions", "list"]).await, "Nobody is signed in by a browser.\n");
}

#[tokio::test]
async fn whose_sessions_are_to_end_has_to_be_said() {
    let here = Here::new().await;
    for arguments in [
        &["sessions", "end"][..],
        &["sessions", "end", "--tenant", TENANT],
        &["sessions", "end", "--all", "--person", ADA],
    ] {
        assert_eq!(here.run(arguments).await.status.code(), Some(2), "{arguments:?}");
    }
}
