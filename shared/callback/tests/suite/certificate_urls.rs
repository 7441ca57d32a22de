//! Which addresses a certificate may have. The table is `tests/data/certificate-urls.json`.

use attacks::{UrlCase, url_cases};
use callback::{Policy, UnverifiedCallback};
use http::HeaderValue;

use crate::support::authority::Authority;
use crate::support::{BODY, World, code, default_names, headers};

#[test]
fn only_files_of_the_configured_location_are_allowed() {
    let policy = Authority::new().policy();
    for UrlCase { class, url, expected, .. } in url_cases() {
        assert_eq!(code(policy.certificate_url(url.as_bytes())), expected, "{class}: {url:?}");
    }
}

#[test]
fn an_allowed_address_stays_as_it_was_received() {
    let policy = Authority::new().policy();
    for UrlCase { url, .. } in url_cases().iter().filter(|case| case.expected == "accepted") {
        let allowed = policy.certificate_url(url.as_bytes()).unwrap();
        assert_eq!(allowed.as_str(), url);
        assert_eq!(allowed.to_string(), *url);
    }
}

#[test]
fn a_callback_with_an_address_that_is_not_allowed_is_never_read() {
    let world = World::new();
    let signature = world.key.sign_base64(BODY);
    for UrlCase { class, url, expected, in_header, .. } in url_cases() {
        let expected = in_header.unwrap_or(expected);
        let Ok(value) = HeaderValue::from_bytes(url.as_bytes()) else {
            assert_eq!(expected, "no header", "{class}: {url:?}");
            continue;
        };
        let mut headers = headers(&signature);
        headers.insert("x-ms-certificate-url", value);
        let outcome = UnverifiedCallback::read(&headers, BODY, &world.policy);
        assert_eq!(code(outcome), expected, "{class}: {url:?}");
    }
}

#[test]
fn a_callback_shows_the_address_that_it_names() {
    let world = World::new();
    let headers = headers(&world.key.sign_base64(BODY));
    let callback = UnverifiedCallback::read(&headers, BODY, &world.policy).unwrap();
    assert_eq!(callback.certificate_url().as_str(), headers["x-ms-certificate-url"]);
}

#[test]
fn each_configured_location_is_an_exact_prefix() {
    let locations = ["https://localhost:8443/", "https://certificates.example/a/b/"];
    let locations = locations.map(|location| location.parse().unwrap()).to_vec();
    let anchors = callback::BUNDLED_TRUST_ANCHORS_PEM;
    let policy = Policy::new(locations, default_names(), anchors, "").unwrap();
    for (url, allowed) in [
        ("https://localhost:8443/a.cer", true),
        ("https://certificates.example/a/b/a.cer", true),
        ("https://localhost/a.cer", false),
        ("https://localhost:84430/a.cer", false),
        ("https://certificates.example/a/a.cer", false),
        ("https://certificates.example:8443/a/b/a.cer", false),
        (crate::support::URL, false),
    ] {
        assert_eq!(policy.certificate_url(url.as_bytes()).is_ok(), allowed, "{url}");
    }
}
