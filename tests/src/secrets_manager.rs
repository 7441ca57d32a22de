//! What whoever writes a secret depends on in Secrets Manager: the same for the local system's stand-in and for an emulator that
//! we did not write.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use jiff::Timestamp;
use models::{AlertSource, Cloud, Purpose, Tenant};
use partner_center::{KeptSecret, PENDING, SecretsManager, StoredSecret, Written};
use serde_json::{Value, json};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
/// A label of our own.
const MARK: &str = "a-mark";

/// Holds a Secrets Manager to it. Its secrets have names that begin like this.
///
/// Not in it, because the emulator lacks it: `ClientRequestToken`, and that a label leaves the version that had it when another is
/// put with it. `secrets_manager.rs` has that of the stand-in.
pub async fn secrets_behave(client: &Client, prefix: &str) {
    a_secret_is_made_once(client, &format!("{prefix}made")).await;
    a_new_value_is_current_and_the_one_before_previous(client, &format!("{prefix}put")).await;
    a_label_moves_only_from_where_it_is_said_to_be(client, &format!("{prefix}moved")).await;
    what_is_replaced_is_what_was_seen(client, &format!("{prefix}replaced")).await;
}

fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(done: Result<T, SdkError<E>>) -> String {
    done.unwrap_err().code().unwrap().to_owned()
}

/// Makes a secret and gives the version.
async fn make(client: &Client, name: &str) -> String {
    let made = client.create_secret().name(name).secret_string("first").send().await.unwrap();
    made.version_id.unwrap()
}

/// Adds a version, as the current one or with this label, and gives it.
async fn put(client: &Client, name: &str, text: &str, label: Option<&str>) -> String {
    let put = client.put_secret_value().secret_id(name).secret_string(text);
    let put = put.set_version_stages(label.map(|label| vec![label.to_owned()])).send().await.unwrap();
    assert_eq!(put.version_stages(), [label.unwrap_or(CURRENT)]);
    put.version_id.unwrap()
}

/// Which version has which labels.
async fn labels(client: &Client, name: &str) -> BTreeMap<String, Vec<String>> {
    let described = client.describe_secret().secret_id(name).send().await.unwrap();
    let labels = described.version_ids_to_stages.unwrap_or_default().into_iter();
    let sorted = labels.map(|(id, mut stages)| {
        stages.sort();
        (id, stages)
    });
    sorted.collect()
}

fn expected<const N: usize>(labels: [(&String, &[&str]); N]) -> BTreeMap<String, Vec<String>> {
    let owned = |stages: &[&str]| stages.iter().map(|stage| (*stage).to_owned()).collect();
    labels.into_iter().map(|(id, stages)| (id.clone(), owned(stages))).collect()
}

async fn current(client: &Client, name: &str) -> String {
    client.get_secret_value().secret_id(name).send().await.unwrap().secret_string.unwrap()
}

async fn a_secret_is_made_once(client: &Client, name: &str) {
    assert_eq!(refused(client.get_secret_value().secret_id(name).send().await), "ResourceNotFoundException");
    let first = make(client, name).await;
    let other = client.create_secret().name(name).secret_string("other");
    assert_eq!(refused(other.send().await), "ResourceExistsException");
    assert_eq!(current(client, name).await, "first");
    assert_eq!(labels(client, name).await, expected([(&first, &[CURRENT])]));
    let read = client.get_secret_value().secret_id(name).send().await.unwrap();
    assert_eq!(read.version_id(), Some(first.as_str()));
    assert!(read.created_date().is_some());
    let by_arn = client.get_secret_value().secret_id(read.arn().unwrap()).send().await.unwrap();
    assert_eq!(by_arn.secret_string(), Some("first"));
}

async fn a_new_value_is_current_and_the_one_before_previous(client: &Client, name: &str) {
    make(client, name).await;
    let second = put(client, name, "second", None).await;
    let third = put(client, name, "third", None).await;
    assert_eq!(current(client, name).await, "third");
    assert_eq!(labels(client, name).await, expected([(&second, &[PREVIOUS]), (&third, &[CURRENT])]));
    let previous = client.get_secret_value().secret_id(name).version_stage(PREVIOUS).send().await.unwrap();
    assert_eq!((previous.secret_string(), previous.version_id()), (Some("second"), Some(second.as_str())));
    let by_id = client.get_secret_value().secret_id(name).version_id(&second).send().await.unwrap();
    assert_eq!(by_id.secret_string(), Some("second"));
    for nowhere in [
        client.get_secret_value().secret_id(name).version_stage(MARK),
        client.get_secret_value().secret_id(name).version_id("00000000-0000-4000-8000-00000000000f"),
    ] {
        assert_eq!(refused(nowhere.send().await), "ResourceNotFoundException");
    }
}

async fn a_label_moves_only_from_where_it_is_said_to_be(client: &Client, name: &str) {
    let first = make(client, name).await;
    let second = put(client, name, "second", Some("another-mark")).await;
    let third = put(client, name, "third", Some(MARK)).await;
    let promote = |from: Option<&String>| {
        let request = client.update_secret_version_stage().secret_id(name).version_stage(CURRENT);
        request.move_to_version_id(&third).set_remove_from_version_id(from.cloned()).send()
    };
    for wrong in [Some(&second), None] {
        assert_eq!(refused(promote(wrong).await), "InvalidParameterException", "{wrong:?}");
        assert_eq!(current(client, name).await, "first");
    }
    promote(Some(&first)).await.unwrap();
    assert_eq!(current(client, name).await, "third");
    let all = expected([(&first, &[PREVIOUS]), (&second, &["another-mark"]), (&third, &[CURRENT, MARK])]);
    assert_eq!(labels(client, name).await, all);
    assert_eq!(refused(promote(Some(&first)).await), "InvalidParameterException", "it has gone already");
}

fn tenant(secret: &str) -> Tenant {
    Tenant {
        id: crate::TENANT.parse().unwrap(),
        display_name: "Contoso".to_owned(),
        cloud: Cloud::Global,
        alert_source: AlertSource::Graph,
        path_key_hashes: Vec::new(),
        read_secret: secret.to_owned(),
        act_secret: None,
        active: true,
    }
}

async fn what_is_replaced_is_what_was_seen(client: &Client, name: &str) {
    let now: Timestamp = crate::START.parse().unwrap();
    let (secrets, tenant) = (SecretsManager::new(client.clone(), Purpose::Read), tenant(name));
    let first = StoredSecret::with_client_secret("a".to_owned(), "s".into(), None);
    assert_eq!(secrets.create(&tenant, &first).await.unwrap(), Written::Yes);
    assert_eq!(secrets.create(&tenant, &first).await.unwrap(), Written::SomebodyWasQuicker);

    let seen = secrets.fetch(&tenant).await.unwrap();
    let renewed = |token: &str| seen.secret.clone().with_refresh_token(token.into(), now);
    // Left by somebody who died before it was current.
    let left = client.put_secret_value().secret_id(name).secret_string("left").version_stages(PENDING);
    left.send().await.unwrap();
    assert_eq!(secrets.replace(&tenant, &seen.version, &renewed("one")).await.unwrap(), Written::Yes);
    assert_eq!(stored_token(client, name, CURRENT).await, json!("one"));
    assert_eq!(stored_token(client, name, PREVIOUS).await, Value::Null, "the first is still there");

    assert_eq!(secrets.replace(&tenant, &seen.version, &renewed("two")).await.unwrap(), Written::SomebodyWasQuicker);
    assert_eq!(stored_token(client, name, CURRENT).await, json!("one"), "what was written first stays");

    let seen: KeptSecret = secrets.fetch(&tenant).await.unwrap();
    assert!(seen.written.is_some());
    assert_eq!(seen.secret.refresh_token_obtained(), Some(now));
    let third = seen.secret.clone().with_refresh_token("three".into(), now);
    assert_eq!(secrets.replace(&tenant, &seen.version, &third).await.unwrap(), Written::Yes);
    assert_eq!(stored_token(client, name, CURRENT).await, json!("three"));
    assert_eq!(stored_token(client, name, PREVIOUS).await, json!("one"));
}

async fn stored_token(client: &Client, name: &str, stage: &str) -> Value {
    let read = client.get_secret_value().secret_id(name).version_stage(stage).send().await.unwrap();
    serde_json::from_str::<Value>(read.secret_string().unwrap()).unwrap()["refresh_token"].clone()
}
