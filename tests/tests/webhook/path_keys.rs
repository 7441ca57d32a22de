//! Path keys: which are valid, and how often they are read.

use bytes::Bytes;
use http::Request;
use models::PathKey;
use tests::wire::Fault;

use crate::support::{Fixture, other_key};

const REFRESH_SECONDS: i64 = 60;

/// The same request with another key.
fn with_key(request: &Request<Bytes>, key: &PathKey) -> Request<Bytes> {
    let path = request.uri().path();
    let mut other = request.clone();
    *other.uri_mut() = format!("{}/{}", &path[..path.rfind('/').unwrap()], key.expose()).parse().unwrap();
    other
}

#[tokio::test]
async fn during_a_rotation_both_keys_are_valid_and_a_removed_one_is_refused_after_the_refresh() {
    let here = Fixture::new().await;
    here.change_tenant(|tenant| tenant.path_key_hashes.push(other_key(7).hash())).await;
    let old = here.genuine(&here.fraud_body(0));
    let new = with_key(&old, &other_key(7));
    assert_eq!(here.told(&old).await, ("kept", 200));
    assert_eq!(here.told(&new).await, ("duplicate", 200));

    here.change_tenant(|tenant| tenant.path_key_hashes = vec![other_key(7).hash()]).await;
    here.advance(REFRESH_SECONDS - 1);
    assert_eq!(here.told(&old).await, ("duplicate", 200));
    here.advance(1);
    assert_eq!(here.told(&old).await, ("unknown-path", 404));
    assert_eq!(here.told(&new).await, ("duplicate", 200));
    assert_eq!(here.wire.count("Query"), 2);
}

#[tokio::test]
async fn a_tenant_that_is_switched_off_is_not_there() {
    let here = Fixture::new().await;
    here.change_tenant(|tenant| tenant.active = false).await;
    let request = here.genuine(&here.fraud_body(0));
    assert_eq!(here.told(&request).await, ("unknown-path", 404));
    here.change_tenant(|tenant| tenant.active = true).await;
    here.advance(REFRESH_SECONDS);
    assert_eq!(here.told(&request).await, ("kept", 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_wrong_keys_within_a_minute_cost_one_query() {
    let here = Fixture::new().await;
    let genuine = here.genuine(&here.fraud_body(0));
    let wrong = |number: u16| {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        with_key(&genuine, &PathKey::from_bytes(bytes))
    };
    let told = here.told_of_all((0..500).map(wrong)).await;
    assert_eq!(told, [(("unknown-path", 404), 500)].into());
    here.advance(REFRESH_SECONDS - 1);
    let told = here.told_of_all((500..1_000).map(wrong)).await;
    assert_eq!(told, [(("unknown-path", 404), 500)].into());
    assert_eq!(here.wire.operations(), ["Query"]);
    assert_eq!(here.downloads(), 0);
}

#[tokio::test]
async fn paths_of_another_shape_cost_no_query() {
    let here = Fixture::new().await;
    let mut request = here.genuine(&here.fraud_body(0));
    for path in
        ["/", "/callbacks", "/callbacks/x/y", "/wp-login.php", "/callbacks/9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10/"]
    {
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(here.told(&request).await, ("unknown-path", 404));
    }
    assert_eq!(here.wire.operations(), [""; 0]);
}

#[tokio::test]
async fn without_keys_and_store_it_is_503_and_they_are_asked_for_again_after_a_second() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    here.wire.plan("Query", 1, Fault::access_denied());
    assert_eq!(here.told(&request).await, ("path-keys-not-read", 503));
    for _ in 0..10 {
        assert_eq!(here.told(&request).await, ("path-keys-awaited", 503));
    }
    assert_eq!(here.wire.count("Query"), 1);
    here.advance(1);
    assert_eq!(here.told(&request).await, ("kept", 200));
    assert_eq!(here.wire.count("Query"), 2);
}

#[tokio::test]
async fn a_store_that_can_t_be_reached_is_503() {
    let here = Fixture::new().await;
    here.wire.plan_always("Query", Fault::NotReached);
    let answer = here.webhook.answer(here.genuine(&here.fraud_body(0))).await;
    assert_eq!((answer.status().as_u16(), *answer.body()), (503, "try again"));
    assert_eq!(here.downloads(), 0);
}

#[tokio::test]
async fn the_keys_of_before_are_used_while_the_store_fails_and_are_asked_for_once_a_minute() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    assert_eq!(here.told(&request).await, ("kept", 200));
    here.wire.plan_always("Query", Fault::access_denied());
    for minute in 2..5 {
        here.advance(REFRESH_SECONDS);
        for _ in 0..10 {
            assert_eq!(here.told(&request).await, ("duplicate", 200));
            assert_eq!(here.told(&with_key(&request, &other_key(9))).await, ("unknown-path", 404));
        }
        assert_eq!(here.wire.count("Query"), minute);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_first_requests_make_one_query() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    here.told_of_all(vec![request; 64]).await;
    assert_eq!(here.wire.count("Query"), 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_keep_the_keys_from_being_read() {
    let here = Fixture::new().await;
    let request = here.genuine(&here.fraud_body(0));
    assert_eq!(here.told(&request).await, ("kept", 200));
    here.change_tenant(|tenant| tenant.path_key_hashes.clear()).await;
    here.advance(-3600);
    assert_eq!(here.told(&request).await, ("unknown-path", 404));
}

#[tokio::test]
async fn a_key_that_two_tenants_share_opens_the_address_of_each() {
    let here = Fixture::new().await;
    let theirs = "00000000-1111-4222-8333-444444444444";
    here.change_tenant(|tenant| tenant.id = theirs.parse().unwrap()).await;
    let request = here.genuine(&here.fraud_body(0));
    assert_eq!(here.told(&request).await, ("kept", 200));
    let mut other = request.clone();
    *other.uri_mut() = request.uri().path().replace(&here.tenant().to_string(), theirs).parse().unwrap();
    assert_eq!(here.told(&other).await, ("kept", 200));
}
