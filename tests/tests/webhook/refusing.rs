//! What is refused, by which status, and in which order.

use bytes::Bytes;
use http::{HeaderValue, Request, header};

use crate::support::Fixture;

const LARGEST: usize = 256 * 1024;

/// Spoils a genuine callback in one place.
type Spoil = fn(&mut Request<Bytes>);

fn set(request: &mut Request<Bytes>, name: &'static str, value: &str) {
    request.headers_mut().insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
}

fn at_path(request: &mut Request<Bytes>, path: &str) {
    *request.uri_mut() = path.parse().unwrap();
}

fn replaced(request: &mut Request<Bytes>, from: &str, to: &str) {
    let path = request.uri().path().replacen(from, to, 1);
    at_path(request, &path);
}

const SPOILT: [(&str, u16, Spoil); 9] = [
    ("signature-mismatch", 401, |request| {
        let body = [request.body().as_ref(), b"\n"].concat();
        *request.body_mut() = body.into();
    }),
    ("unknown-path", 404, |request| at_path(request, "/")),
    ("unknown-path", 404, |request| replaced(request, "/callbacks/", "/callback/")),
    ("unknown-path", 404, |request| replaced(request, "/callbacks/", "/a/b/callbacks/")),
    ("unknown-path", 404, |request| {
        let path = format!("{}/", request.uri().path());
        at_path(request, &path);
    }),
    // Another tenant's id before a valid key.
    ("unknown-path", 404, |request| replaced(request, "9f1c7f3e", "9f1c7f3f")),
    ("unknown-path", 404, |request| {
        let path = request.uri().path();
        let wrong = format!("{}{}", &path[..path.len() - 1], if path.ends_with('0') { '1' } else { '0' });
        at_path(request, &wrong);
    }),
    ("unknown-path", 404, |request| {
        let path = request.uri().path();
        let no_key = path[..path.rfind('/').unwrap()].to_owned();
        at_path(request, &no_key);
    }),
    ("body-too-large", 413, |request| *request.body_mut() = vec![b' '; LARGEST + 1].into()),
];

/// The constant text of each status: it tells a stranger nothing.
fn text_of(status: u16) -> &'static str {
    match status {
        400 => "malformed",
        401 => "not authentic",
        404 => "not found",
        413 => "too large",
        503 => "try again",
        other => panic!("no refusal has status {other}"),
    }
}

/// The request is refused so, twice, and the answer is that of its status.
async fn assert_refused(here: &Fixture, request: &Request<Bytes>, reason: &str, status: u16) {
    assert_eq!(here.told(request).await, (reason, status));
    let answer = here.webhook.answer(request.clone()).await;
    assert_eq!((answer.status().as_u16(), *answer.body()), (status, text_of(status)), "{reason}");
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers().len(), 2);
}

#[tokio::test]
async fn whatever_is_spoilt_is_refused_for_its_own_reason_and_kept_nowhere() {
    let here = Fixture::new().await;
    let genuine = here.genuine(&here.fraud_body(0));
    for (reason, status, spoil) in SPOILT {
        let mut request = genuine.clone();
        spoil(&mut request);
        assert_refused(&here, &request, reason, status).await;
    }
    assert_eq!(here.wire.operations(), ["Query"]);
    assert_eq!(here.events().await, []);
    assert_eq!(here.downloads(), 1, "only the body with one byte more is worth a certificate");
    assert_eq!(here.told(&genuine).await, ("kept", 200));
}

#[tokio::test]
async fn size_is_looked_at_before_the_path() {
    let here = Fixture::new().await;
    let mut request = here.genuine(&here.fraud_body(0));
    *request.body_mut() = vec![b' '; LARGEST + 1].into();
    at_path(&mut request, "/nowhere");
    request.headers_mut().clear();
    assert_eq!(here.told(&request).await, ("body-too-large", 413));
    assert_eq!(here.wire.operations(), [""; 0]);
}

#[tokio::test]
async fn the_path_is_looked_at_before_the_headers() {
    let here = Fixture::new().await;
    let mut request = here.genuine(&here.fraud_body(0));
    replaced(&mut request, "9f1c7f3e", "9f1c7f3f");
    request.headers_mut().clear();
    assert_eq!(here.told(&request).await, ("unknown-path", 404));
}

#[tokio::test]
async fn the_headers_are_looked_at_before_the_address_of_the_certificate() {
    let here = Fixture::new().await;
    let mut request = here.genuine(&here.fraud_body(0));
    set(&mut request, "x-ms-certificate-url", "https://evil.example/cert/a.cer");
    set(&mut request, "authorization", "Signature AAAA");
    assert_eq!(here.told(&request).await, ("signature-length", 400));
    assert_eq!(here.downloads(), 0);
}

#[tokio::test]
async fn a_smaller_limit_is_one_that_configuration_may_set() {
    let here = Fixture::with(&[("CALLBACK_MAX_BYTES", "1024")]).await;
    for (bytes, expected) in [(1025, ("body-too-large", 413)), (1024, ("kept", 200))] {
        let mut body = here.fraud_body(0);
        body.resize(bytes, b' ');
        assert_eq!(here.told(&here.genuine(&body)).await, expected);
    }
}
