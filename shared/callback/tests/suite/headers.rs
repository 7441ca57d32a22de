//! How the headers of a callback are read. The table is `tests/data/headers.json`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use callback::{MAX_BODY_BYTES, RefusalKind, UnverifiedCallback};
use http::HeaderMap;
use serde::Deserialize;

use crate::support::{BODY, URL, World, code, header_map, headers};

/// A callback that is valid but for what `set` says.
#[derive(Deserialize)]
struct Case {
    why: String,
    set: BTreeMap<String, Vec<String>>,
    expected: String,
}

impl Case {
    /// The headers as a REST API hands them over, a line for each value.
    fn lines(&self, fill: &Fill) -> HeaderMap {
        self.headers(|values| values.iter().map(|value| fill.fill(value)).collect())
    }

    /// The headers as an HTTP API hands them over, with the values of a name in one line.
    fn joined(&self, fill: &Fill, comma: &str) -> HeaderMap {
        self.headers(|values| match values {
            [] => vec![],
            values => vec![values.iter().map(|value| fill.fill(value)).collect::<Vec<_>>().join(comma)],
        })
    }

    fn headers(&self, values: impl Fn(&[String]) -> Vec<String>) -> HeaderMap {
        let mut lines: BTreeMap<&str, Vec<String>> = BTreeMap::from([
            ("authorization", values(&["Signature {signature}".to_owned()])),
            ("x-ms-certificate-url", values(&["{url}".to_owned()])),
            ("x-ms-signature-algorithm", values(&["rsa-sha256".to_owned()])),
        ]);
        for (name, spoilt) in &self.set {
            lines.insert(name, values(spoilt));
        }
        header_map(lines.iter().flat_map(|(name, values)| values.iter().map(move |value| (*name, value.as_str()))))
    }
}

/// What the names in braces stand for.
struct Fill(Vec<(&'static str, String)>);

impl Fill {
    fn new(world: &World) -> Self {
        let signature = world.key.sign(BODY);
        let right = STANDARD.encode(&signature);
        let bytes = |length: usize| STANDARD.encode(signature.iter().copied().cycle().take(length).collect::<Vec<_>>());
        // The last digit before the padding carries four bits of nothing, which have to be zero.
        let last = right.as_bytes()[341];
        let non_canonical = format!("{}{}==", &right[..341], char::from(last + 1));
        let padded = format!("{right}====");
        Self(vec![
            ("{signature}", right.clone()),
            ("{other-signature}", world.key.sign_base64(b"another body")),
            ("{url}", URL.to_owned()),
            ("{signature-without-padding}", STANDARD_NO_PAD.encode(&signature)),
            ("{signature-with-more-padding}", padded),
            ("{signature-url-safe}", URL_SAFE.encode(&signature)),
            ("{signature-non-canonical}", non_canonical),
            ("{signature-with-blank-inside}", format!("{} {}", &right[..76], &right[76..])),
            ("{signature-with-blank-before-padding}", right.replacen("==", " ==", 1)),
            (
                "{signature-in-two-pieces}",
                format!("{}{}", STANDARD.encode(&signature[..128]), STANDARD.encode(&signature[128..])),
            ),
            ("{signature-255-bytes}", bytes(255)),
            ("{signature-257-bytes}", bytes(257)),
            ("{signature-512-bytes}", bytes(512)),
            ("{signature-513-bytes}", bytes(513)),
            ("{signature-megabyte}", bytes(1024 * 1024)),
        ])
    }

    fn fill(&self, text: &str) -> String {
        let filled = self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        assert!(!filled.contains('{'), "an unknown name in braces: {text}");
        filled
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../data/headers.json")).unwrap()
}

#[test]
fn headers_are_read_as_the_table_says() {
    let world = World::new();
    let fill = Fill::new(&world);
    for case in cases() {
        let verdict = world.verdict(&case.lines(&fill), BODY);
        assert_eq!(verdict, case.expected, "{}: {:?}", case.why, case.set);
    }
}

#[test]
fn joined_values_have_the_verdict_of_separate_lines() {
    let world = World::new();
    let fill = Fill::new(&world);
    for case in cases() {
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
