//! What holds of whatever is let through, said by the input and the outcome alone. The properties beside this file try it with
//! random input, the fuzz targets in `fuzz/` with input that is bred for new paths.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callback::{
    CertificateLocation, DEFAULT_ISSUER_HOSTS, MAX_BODY_BYTES, MAX_ISSUER_REQUESTS, Policy, Refusal,
    SigningCertificate, UnverifiedCallback, Verdict,
};
use http::HeaderMap;
use jiff::Timestamp;
use url::Url;

/// Whether an address is allowed in a policy of the default location, and if so, that nobody can take it for another.
pub(crate) fn address(policy: &Policy, unverified: &[u8]) -> bool {
    let url = match policy.certificate_url(unverified) {
        Ok(url) => url,
        Err(refusal) => return refused(refusal, &["certificate-url-not-allowed"]),
    };
    let text = url.as_str();
    assert_eq!(text.as_bytes(), unverified, "an address stays as it was received");
    assert_eq!(policy.certificate_url(text.as_bytes()).as_ref(), Ok(&url), "what was allowed is allowed again");

    let name = text.strip_prefix(CertificateLocation::DEFAULT).and_then(|file| file.strip_suffix(".cer")).unwrap();
    assert!((1..=100).contains(&name.len()), "{text}");
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)), "{text}");
    assert!(!name.starts_with('.') && !text.contains(".."), "{text}");

    let parsed = Url::parse(text).unwrap();
    assert_eq!(parsed.as_str(), text, "a parser changes nothing");
    assert_eq!((parsed.scheme(), parsed.host_str()), ("https", Some("3psostorageacct.blob.core.windows.net")));
    assert_eq!((parsed.username(), parsed.password(), parsed.port()), ("", None, None));
    assert_eq!((parsed.query(), parsed.fragment()), (None, None));
    assert_eq!(parsed.path_segments().unwrap().collect::<Vec<_>>(), ["cert", &format!("{name}.cer")]);
    true
}

/// Whether headers are read under a policy of the default location, and if so, that each says one thing only.
pub(crate) fn headers(policy: &Policy, headers: &HeaderMap, body: &[u8]) -> bool {
    let outcome = UnverifiedCallback::read(headers, body, policy);
    let again = UnverifiedCallback::read(headers, body, policy);
    assert_eq!(outcome.as_ref().err(), again.as_ref().err(), "the same headers have the same verdict");
    let callback = match outcome {
        Ok(callback) => callback,
        Err(refusal) => return refused(refusal, HEADER_REFUSALS),
    };
    assert!(body.len() <= MAX_BODY_BYTES);
    let only = |name: &str| {
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect();
        assert!(values.len() <= 1 && values.iter().all(|value| !value.contains(&b',')), "{name}: {values:?}");
        values.first().copied()
    };
    assert!(only("content-encoding").is_none_or(|coding| coding.eq_ignore_ascii_case(b"identity")));
    assert!(only("x-ms-signature-algorithm").unwrap().eq_ignore_ascii_case(b"rsa-sha256"));
    let url = only("x-ms-certificate-url").unwrap();
    assert_eq!(callback.certificate_url().as_str().as_bytes(), url);
    assert!(address(policy, url));

    let authorization = only("authorization").filter(|value| has_scheme(value)).map(|value| &value[10..]);
    let other = only("x-ms-signature").map(|value| if has_scheme(value) { &value[10..] } else { value });
    let text = authorization.or(other).unwrap();
    assert!(authorization.is_none() || other.is_none_or(|other| other == text), "both headers hold one signature");
    let signature = STANDARD.decode(text).unwrap();
    assert!((256..=512).contains(&signature.len()));
    assert_eq!(STANDARD.encode(&signature).as_bytes(), text, "a signature has one text");
    true
}

fn has_scheme(value: &[u8]) -> bool {
    value.get(..10).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Signature "))
}

/// Whether a certificate is accepted, and if so, that it is the known one in another form.
pub(crate) fn certificate(policy: &Policy, known: &SigningCertificate, unverified: &[u8], now: Timestamp) -> bool {
    match policy.check_certificate(unverified, now) {
        Ok(certificate) => {
            assert!(certificate.has_key_of(known));
            assert_eq!(certificate.valid_from(), known.valid_from());
            assert_eq!(certificate.valid_until(), known.valid_until());
            true
        }
        Err(refusal) => refused(refusal, UNPROVEN_REFUSALS),
    }
}

/// Whether a certificate has us look for an issuer, and if so, that every address can be taken for no other, is asked once and
/// soon is the last. The policy has no issuers of its own, and the default hosts. What is found there is the certificate itself.
pub(crate) fn search(policy: &Policy, unverified: &[u8], now: Timestamp) -> bool {
    let mut asked = Vec::new();
    let mut verdict = policy.judge_certificate(unverified, now);
    loop {
        let search = match verdict {
            Verdict::Accepted(_) => panic!("there is no path without an issuer"),
            Verdict::Refused(refusal) => {
                refused(refusal, UNPROVEN_REFUSALS);
                return !asked.is_empty();
            }
            Verdict::LacksIssuer(search) => search,
        };
        let text = search.url().as_str().to_owned();
        let parsed = Url::parse(&text).unwrap();
        assert_eq!(parsed.as_str(), text, "a parser changes nothing");
        assert!(["http", "https"].contains(&parsed.scheme()), "{text}");
        assert!(DEFAULT_ISSUER_HOSTS.contains(&parsed.host_str().unwrap()), "{text}");
        assert_eq!((parsed.username(), parsed.password(), parsed.port()), ("", None, None));
        assert_eq!((parsed.query(), parsed.fragment()), (None, None));
        assert!([".crt", ".cer"].contains(&&text[text.len() - 4..]), "{text}");
        assert!(!asked.contains(&text), "{text}");
        asked.push(text);
        assert!(asked.len() <= MAX_ISSUER_REQUESTS, "{asked:?}");
        verdict = match search.read(unverified) {
            Some(issuer) => search.found(issuer, now),
            None => search.not_found(),
        };
    }
}

/// Nothing of the sender's may come out with a refusal, so it is one of a few, and short.
fn refused(refusal: Refusal, possible: &[&str]) -> bool {
    assert!(possible.contains(&refusal.code()), "{refusal:?}");
    assert!(refusal.to_string().len() < 120, "{refusal}");
    false
}

const HEADER_REFUSALS: &[&str] = &[
    "authorization-scheme",
    "body-too-large",
    "certificate-url-not-allowed",
    "conflicting-signatures",
    "content-encoding",
    "malformed-algorithm",
    "malformed-signature",
    "missing-algorithm",
    "missing-certificate-url",
    "missing-signature",
    "repeated-header",
    "signature-length",
    "unsupported-algorithm",
];

/// How a certificate can fail that no authority of ours has signed.
const UNPROVEN_REFUSALS: &[&str] = &[
    "certificate-chain",
    "certificate-expired",
    "certificate-not-yet-valid",
    "certificate-purpose",
    "certificate-too-large",
    "certificate-unreadable",
];
