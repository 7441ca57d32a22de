//! The local system's Secrets Manager does what AWS documents, keeps what it has over a restart, and keeps it to its owner.
//!
//! `ministack.rs` holds an emulator that we did not write to the same.

use std::{fs, sync::Arc};

use aws_sdk_secretsmanager::Client;
use jiff::SignedDuration;
use runtime::FixedClock;
use tests::{BY_HAND, START, TestSystem, secrets_behave};

fn client(test: &TestSystem) -> Client {
    Client::new(&test.system.parts().aws)
}

#[tokio::test]
async fn versions_and_labels_are_what_aws_says_that_they_are() {
    let test = TestSystem::start(&BY_HAND).await.unwrap();
    secrets_behave(&client(&test), "partner-alerts/read/").await;
}

#[tokio::test]
async fn a_request_that_is_repeated_is_done_once_and_a_version_never_changes() {
    let test = TestSystem::start(&BY_HAND).await.unwrap();
    let client = client(&test);
    let (first, second) = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002");
    let create = |text: &str| client.create_secret().name("a").secret_string(text).client_request_token(first).send();
    for _ in 0..2 {
        assert_eq!(create("first").await.unwrap().version_id(), Some(first));
    }
    let error = create("another").await.unwrap_err().into_service_error();
    assert!(error.is_resource_exists_exception(), "{error}");

    let put = |text: &str| {
        let put = client.put_secret_value().secret_id("a").secret_string(text).client_request_token(second);
        put.version_stages("mark").send()
    };
    for _ in 0..2 {
        let done = put("second").await.unwrap();
        assert_eq!((done.version_id(), done.version_stages()), (Some(second), ["mark".to_owned()].as_slice()));
    }
    let error = put("another").await.unwrap_err().into_service_error();
    assert!(error.is_resource_exists_exception(), "{error}");
    let read = client.get_secret_value().secret_id("a").version_id(second).send().await.unwrap();
    assert_eq!(read.secret_string(), Some("second"));
}

#[tokio::test]
async fn a_label_goes_along_with_the_version_that_is_put_with_it() {
    let test = TestSystem::start(&BY_HAND).await.unwrap();
    let client = client(&test);
    client.create_secret().name("a").secret_string("first").send().await.unwrap();
    let put = |text| client.put_secret_value().secret_id("a").secret_string(text).version_stages("mark").send();
    put("second").await.unwrap();
    let third = put("third").await.unwrap().version_id.unwrap();
    let described = client.describe_secret().secret_id("a").send().await.unwrap();
    let labelled = described.version_ids_to_stages.unwrap();
    assert_eq!((labelled.len(), &labelled[&third]), (2, &vec!["mark".to_owned()]));
}

#[tokio::test]
async fn a_version_is_dated_by_the_clock_that_was_given() {
    let clock = Arc::new(FixedClock::at(START.parse().unwrap()));
    let test = TestSystem::start_by(clock.clone(), &BY_HAND).await.unwrap();
    clock.advance(SignedDuration::from_hours(30 * 24));
    client(&test).create_secret().name("a").secret_string("x").send().await.unwrap();
    let read = client(&test).get_secret_value().secret_id("a").send().await.unwrap();
    assert_eq!(read.created_date().unwrap().to_string(), "2026-04-01T09:00:00Z");
}

#[cfg(unix)]
#[tokio::test]
async fn secrets_survive_a_restart_in_a_file_that_only_its_owner_can_read() {
    use std::os::unix::fs::PermissionsExt as _;

    let test = TestSystem::start(&BY_HAND).await.unwrap();
    let put = client(&test).put_secret_value().secret_id("partner-alerts/read/local").secret_string("mine");
    let version = put.send().await.unwrap().version_id;
    let file = test.folder().join("state/secrets.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let test = test.restart(&BY_HAND).await.unwrap();
    let read = client(&test).get_secret_value().secret_id("partner-alerts/read/local").send().await.unwrap();
    assert_eq!(read.secret_string(), Some("mine"), "a start makes the secret only where there is none");
    assert_eq!(read.version_id, version);
    let described = client(&test).describe_secret().secret_id("partner-alerts/read/local").send().await.unwrap();
    assert_eq!(described.version_ids_to_stages().unwrap().len(), 2);
}
