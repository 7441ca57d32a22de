//! How the headers of a callback are read. The table is `tests/data/headers.json`.

use attacks::{Fill, Key, header_cases};
use callback::{MAX_BODY_BYTES, RefusalKind, UnverifiedCallback};
use http::HeaderMap;

use crate::support::{BODY, URL, World, code, header_map, headers};

fn fill() -> Fill {
    Fill::new(&Key::named("signing-2048"), BODY, URL)
}

#[test]
fn headers_are_read_as_the_table_says() {
    let world = World::new();
    let fill = fill();
    for case in header_cases() {
        let verdict = world.verdict(&case.lines(&fill), BODY);
        assert_eq!(verdict, case.expected, "{}: {:?}", case.why, case.set);
    }
}

#[test]
fn joined_values_have_the_verdict_of_separate_lines() {
    let world = World::new();
    let fill = fill();
    for case in header_cases() {
        for comma in [",", ", "] {
            let verdict = world.verdict(&case.joined(&fill, comma), BODY);
            assert_eq!(verdict, case.expected, "{}: {:?}", case.why, case.set);
        }
    }
}

#[test]
fn the_case_of_header_names_is_free() {
    let world = World::new();
    let signature = world.key.sign_base64(BODY);
    for change_case in [str::to_uppercase, str::to_lowercase] {
        let headers = header_map([
            (change_case("Authorization").as_str(), format!("Signature {signature}").as_str()),
            (change_case("X-MS-Certificate-Url").as_str(), URL),
            (change_case("X-MS-Signature-Algorithm").as_str(), "rsa-sha256"),
        ]);
        assert_eq!(world.verdict(&headers, BODY), "accepted");
    }
}

#[test]
fn a_body_over_the_limit_is_refused_before_its_headers_are_read() {
    let world = World::new();
    let body = vec![b' '; MAX_BODY_BYTES + 1];
    for headers in [headers(&world.key.sign_base64(&body)), HeaderMap::new()] {
        let refusal = UnverifiedCallback::read(&headers, &body, &world.policy).unwrap_err();
        assert_eq!((refusal.code(), refusal.kind()), ("body-too-large", RefusalKind::TooLarge));
    }
}

#[test]
fn bodies_up_to_the_limit_are_verified_whatever_they_hold() {
    let world = World::new();
    for body in [&b""[..], b"x", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0", b"\xff", &vec![0; MAX_BODY_BYTES]] {
        assert_eq!(world.verdict(&headers(&world.key.sign_base64(body)), body), "accepted");
    }
}

#[test]
fn checks_come_in_the_order_headers_algorithm_signature_address() {
    let world = World::new();
    let everything_wrong = [
        ("content-encoding", "gzip", "content-encoding"),
        ("x-ms-signature-algorithm", "none", "unsupported-algorithm"),
        ("authorization", "Signature AAAA", "signature-length"),
        ("x-ms-certificate-url", "https://evil.example/a.cer", "certificate-url-not-allowed"),
    ];
    let mut headers = header_map(everything_wrong.map(|(name, value, _)| (name, value)));
    let valid = self::headers(&world.key.sign_base64(BODY));
    for (name, _, expected) in everything_wrong {
        assert_eq!(code(UnverifiedCallback::read(&headers, BODY, &world.policy)), expected);
        headers.remove(name);
        if let Some(value) = valid.get(name) {
            headers.insert(name, value.clone());
        }
    }
    assert_eq!(world.verdict(&headers, BODY), "accepted");
}

#[test]
fn debugging_a_callback_shows_neither_body_nor_signature() {
    let world = World::new();
    let signature = world.key.sign_base64(BODY);
    let callback = UnverifiedCallback::read(&headers(&signature), BODY, &world.policy).unwrap();
    let verified = callback.verify(&world.certificate, crate::support::now()).unwrap();
    let text = format!("{callback:?} {verified:?} {:?}", world.certificate);
    assert!(text.len() < 500, "{text}");
    assert!(!text.contains("fraud") && !text.contains(&signature[..16]), "{text}");
}
