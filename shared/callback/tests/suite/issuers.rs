//! Issuers that are missing: which addresses are offered, when, how often, and what becomes of what lies there.

use std::collections::BTreeMap;

use callback::{
    BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, DEFAULT_ISSUER_HOSTS, IssuerHost, MAX_CERTIFICATE_BYTES,
    MAX_ISSUER_REQUESTS, Policy, SigningCertificate, Verdict,
};
use rcgen::{
    CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, KeyPair, NameConstraints,
    SanType, date_time_ymd,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;

use crate::support::authority::{
    Authority, Leaf, dns_name, information_access, intermediate_params, key_pair, root_params, rsa_public_key,
};
use crate::support::{at, code, default_locations, now};

const ISSUER: &str = "http://www.microsoft.com/pkiops/certs/Test%20Intermediate.crt";
const SAME_ELSEWHERE: &str = "http://caissuers.microsoft.com/pkiops/certs/Test%20Intermediate.crt";
const UPPER: &str = "http://cacerts.digicert.com/Upper.crt";

fn hosts() -> Vec<IssuerHost> {
    DEFAULT_ISSUER_HOSTS.map(|host| host.parse().unwrap()).to_vec()
}

/// What lies at which address. An address that is not in here leads nowhere.
type Places = BTreeMap<&'static str, Vec<u8>>;

fn places<const N: usize>(places: [(&'static str, &[u8]); N]) -> Places {
    places.map(|(url, bytes)| (url, bytes.to_vec())).into()
}

/// Searches as a caller does, and tells the outcome and every address that was asked.
fn search(policy: &Policy, leaf: &[u8], places: &Places) -> (&'static str, Vec<String>) {
    let (outcome, asked) = search_at(policy, leaf, places, now());
    (code(outcome), asked)
}

fn search_at(
    policy: &Policy,
    leaf: &[u8],
    places: &Places,
    now: jiff::Timestamp,
) -> (Result<SigningCertificate, callback::Refusal>, Vec<String>) {
    let mut asked = Vec::new();
    let mut verdict = policy.judge_certificate(leaf, now);
    loop {
        let search = match verdict {
            Verdict::Accepted(accepted) => return (Ok(accepted.certificate), asked),
            Verdict::Refused(refusal) => return (Err(refusal), asked),
            Verdict::LacksIssuer(search) => search,
        };
        let url = search.url().to_string();
        let there = places.get(url.as_str());
        asked.push(url);
        verdict = match there {
            Some(bytes) => match search.read(bytes) {
                Some(issuer) => search.found(issuer, now),
                None => search.not_found(),
            },
            None => search.not_found(),
        };
    }
}

/// An authority whose intermediate the policy does not have.
fn without_intermediate(authority: &Authority) -> Policy {
    authority.policy_with_intermediates("").with_issuer_hosts(hosts())
}

fn leaf_naming(places: &[(&str, &str)]) -> Leaf {
    let mut leaf = Leaf::valid();
    leaf.params.custom_extensions.push(information_access(places));
    leaf
}

fn certificate<const N: usize>(pem: &str) -> [Vec<u8>; N] {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).map(|der| der.unwrap().to_vec()).collect();
    all.try_into().unwrap()
}

#[test]
fn a_real_microsoft_leaf_finds_both_of_its_issuers_where_it_says_that_they_lie() {
    let leaf = include_bytes!("../data/microsoft-chain/leaf-microsoft.com.pem");
    let [upper, lower] = certificate(BUNDLED_INTERMEDIATES_PEM);
    let names = vec!["microsoft.com".to_owned()];
    let policy = Policy::new(default_locations(), names, BUNDLED_TRUST_ANCHORS_PEM, "").unwrap();
    let places = places([
        ("http://www.microsoft.com/pkiops/certs/Microsoft%20TLS%20G2%20RSA%20CA%20OCSP%2002.crt", &lower),
        ("http://caissuers.microsoft.com/pkiops/certs/Microsoft%20TLS%20RSA%20Root%20G2%20-%20xsign.crt", &upper),
    ]);
    let (outcome, asked) = search_at(&policy.with_issuer_hosts(hosts()), leaf, &places, at("2026-04-01T00:00:00Z"));
    assert_eq!(outcome.unwrap().valid_until(), at("2026-09-06T18:31:55Z"));
    assert_eq!(
        asked,
        [
            "http://www.microsoft.com/pkiops/certs/Microsoft%20TLS%20G2%20RSA%20CA%20OCSP%2002.crt",
            // Nothing lies at the first of its two places.
            "http://www.microsoft.com/pkiops/certs/Microsoft%20TLS%20RSA%20Root%20G2%20-%20xsign.crt",
            "http://caissuers.microsoft.com/pkiops/certs/Microsoft%20TLS%20RSA%20Root%20G2%20-%20xsign.crt",
        ]
    );
}

#[derive(Deserialize)]
struct Case {
    class: String,
    url: String,
    allowed: bool,
}

#[test]
fn only_certificates_on_listed_hosts_are_asked_for() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../data/issuer-urls.json")).unwrap();
    let authority = Authority::new();
    let policy = without_intermediate(&authority);
    for Case { class, url, allowed } in cases {
        let leaf = authority.issue(&leaf_naming(&[("caIssuers", &url)]));
        let (_, asked) = search(&policy, &leaf, &Places::new());
        assert_eq!(asked, if allowed { vec![url.clone()] } else { vec![] }, "{class}: {url:?}");
    }
}

#[test]
fn a_port_is_allowed_where_it_is_configured() {
    let authority = Authority::new();
    let policy = authority.policy_with_intermediates("").with_issuer_hosts(vec!["localhost:8080".parse().unwrap()]);
    for (url, allowed) in
        [("http://localhost:8080/a.crt", true), ("http://localhost/a.crt", false), ("http://localhost:80/a.crt", false)]
    {
        let (_, asked) = search(&policy, &authority.issue(&leaf_naming(&[("caIssuers", url)])), &Places::new());
        assert_eq!(asked.len(), usize::from(allowed), "{url}");
    }
}

#[test]
fn what_is_no_host_can_not_be_configured() {
    for bad in ["", "*", "*.microsoft.com", "Www.microsoft.com", "http://www.microsoft.com", "a/b", "a:", "a:0", "a@b"]
    {
        assert!(bad.parse::<IssuerHost>().is_err(), "{bad:?}");
    }
}

#[test]
fn places_of_status_and_revocation_are_never_asked() {
    let authority = Authority::new();
    let mut leaf = leaf_naming(&[("ocsp", ISSUER), ("ocsp", "http://169.254.169.254/a.crt")]);
    leaf.params.crl_distribution_points =
        vec![rcgen::CrlDistributionPoint { uris: vec![ISSUER.to_owned(), "http://127.0.0.1/a.crt".to_owned()] }];
    let there = places([(ISSUER, authority.intermediate.der())]);
    let outcome = search(&without_intermediate(&authority), &authority.issue(&leaf), &there);
    assert_eq!(outcome, ("certificate-chain", vec![]));
}

#[test]
fn without_listed_hosts_nothing_is_asked() {
    let authority = Authority::new();
    let leaf = authority.issue(&leaf_naming(&[("caIssuers", ISSUER)]));
    let outcome = search(&authority.policy_with_intermediates(""), &leaf, &Places::new());
    assert_eq!(outcome, ("certificate-chain", vec![]));
}

#[test]
fn a_chain_that_is_complete_asks_for_nothing() {
    let authority = Authority::new();
    let leaf = authority.issue(&leaf_naming(&[("caIssuers", ISSUER)]));
    let outcome = search(&authority.policy().with_issuer_hosts(hosts()), &leaf, &Places::new());
    assert_eq!(outcome, ("accepted", vec![]));
}

/// Spoils a leaf in one place.
type Spoil = fn(&mut Leaf);

#[test]
fn for_a_certificate_that_would_not_do_anyway_nothing_is_asked() {
    let spoilt: [(&str, Spoil); 8] = [
        ("name", |leaf| leaf.params.subject_alt_names = vec![dns_name("microsoft.com")]),
        ("no name", |leaf| leaf.params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())]),
        ("organisation", |leaf| leaf.params.distinguished_name.push(DnType::OrganizationName, "Contoso")),
        ("purpose", |leaf| leaf.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning]),
        ("no purpose", |leaf| leaf.params.extended_key_usages.clear()),
        ("key", |leaf| leaf.key.bytes = vec![0x30, 0]),
        ("expired", |leaf| leaf.params.not_after = date_time_ymd(2026, 11, 15)),
        ("not valid yet", |leaf| leaf.params.not_before = date_time_ymd(2026, 11, 16)),
    ];
    let authority = Authority::new();
    let there = places([(ISSUER, authority.intermediate.der())]);
    for (what, spoil) in spoilt {
        let mut leaf = leaf_naming(&[("caIssuers", ISSUER)]);
        spoil(&mut leaf);
        let (outcome, asked) = search(&without_intermediate(&authority), &authority.issue(&leaf), &there);
        assert_ne!(outcome, "accepted", "{what}");
        assert_eq!(asked, [""; 0], "{what}");
    }
}

#[test]
fn the_second_place_is_asked_where_the_first_has_nothing_of_use() {
    let authority = Authority::new();
    let leaf = authority.issue(&leaf_naming(&[("caIssuers", ISSUER), ("caIssuers", SAME_ELSEWHERE)]));
    let intermediate = authority.intermediate.der().as_ref();
    let too_large = [intermediate, &vec![0; MAX_CERTIFICATE_BYTES]].concat();
    let html = b"<!DOCTYPE html><title>Moved</title>";
    for useless in [&b""[..], html, &intermediate[..100], &too_large, authority.root.der(), &leaf] {
        let there = places([(ISSUER, useless), (SAME_ELSEWHERE, intermediate)]);
        let (outcome, asked) = search(&without_intermediate(&authority), &leaf, &there);
        assert_eq!((outcome, asked.len()), ("accepted", 2), "{useless:?}");
    }
}

#[test]
fn an_issuer_is_read_in_the_forms_of_a_signing_certificate() {
    let authority = Authority::new();
    let leaf = authority.issue(&leaf_naming(&[("caIssuers", ISSUER)]));
    for form in [authority.intermediate.der().as_ref(), authority.intermediate.pem().as_bytes()] {
        let (outcome, _) = search(&without_intermediate(&authority), &leaf, &places([(ISSUER, form)]));
        assert_eq!(outcome, "accepted");
    }
}

#[test]
fn what_is_found_is_tried_and_not_trusted() {
    // Everything as it should be, but for the root.
    let stranger = Authority::with(root_params(), "stranger-root", intermediate_params());
    let leaf = stranger.issue(&leaf_naming(&[("caIssuers", ISSUER), ("caIssuers", SAME_ELSEWHERE)]));
    let there = places([(ISSUER, stranger.intermediate.der()), (SAME_ELSEWHERE, stranger.root.der())]);
    let (outcome, _) = search(&without_intermediate(&Authority::new()), &leaf, &there);
    assert_eq!(outcome, "certificate-chain");
}

#[test]
fn an_issuer_that_was_found_is_judged_like_any_other() {
    let mut outside = intermediate_params();
    outside.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("contoso.example".to_owned())],
        excluded_subtrees: vec![],
    });
    let mut expired = intermediate_params();
    expired.not_after = date_time_ymd(2026, 1, 1);
    for params in [outside, expired] {
        let authority = Authority::with(root_params(), "root", params);
        let leaf = authority.issue(&leaf_naming(&[("caIssuers", ISSUER)]));
        let there = places([(ISSUER, authority.intermediate.der())]);
        let (outcome, asked) = search(&without_intermediate(&authority), &leaf, &there);
        assert_eq!((outcome, asked.len()), ("certificate-chain", 1));
    }
}

#[test]
fn an_authority_that_was_renewed_with_another_key_is_found_although_its_old_certificate_is_bundled() {
    let old = Authority::new();
    let renewed =
        Authority::with_intermediate_key(root_params(), "root", intermediate_params(), key_pair("stranger-root"));
    let leaf = renewed.issue(&leaf_naming(&[("caIssuers", ISSUER)]));
    let there = places([(ISSUER, renewed.intermediate.der())]);
    let (outcome, asked) = search(&old.policy().with_issuer_hosts(hosts()), &leaf, &there);
    assert_eq!((outcome, asked.len()), ("accepted", 1));
}

/// An issuer below the root, and one below that for each further name. Each names places of its own issuer.
fn storeys(names: &[(&str, &str)]) -> (Authority, Vec<CertifiedIssuer<'static, KeyPair>>) {
    let authority = Authority::new();
    let mut below: Vec<CertifiedIssuer<'static, KeyPair>> = Vec::new();
    for (name, place) in names {
        let params = named(name, place);
        let issuer = match below.last() {
            Some(above) => CertifiedIssuer::signed_by(params, key_pair("intermediate"), above),
            None => CertifiedIssuer::signed_by(params, key_pair("intermediate"), &authority.root),
        };
        below.push(issuer.unwrap());
    }
    (authority, below)
}

fn named(name: &str, place: &str) -> CertificateParams {
    let mut params = intermediate_params();
    params.distinguished_name.push(DnType::CommonName, name);
    params.custom_extensions.push(information_access(&[("caIssuers", place)]));
    params
}

fn leaf_below(issuer: &CertifiedIssuer<'static, KeyPair>, places: &[(&str, &str)]) -> Vec<u8> {
    leaf_naming(places).params.signed_by(&rsa_public_key("signing-2048"), issuer).unwrap().der().to_vec()
}

#[test]
fn an_issuers_own_issuer_is_looked_for_before_another_place_of_the_same() {
    let (authority, issuers) = storeys(&[("Upper", "http://cacerts.digicert.com/Root.crt"), ("Lower", UPPER)]);
    let leaf = leaf_below(&issuers[1], &[("caIssuers", ISSUER), ("caIssuers", SAME_ELSEWHERE)]);
    let there = places([(ISSUER, issuers[1].der()), (UPPER, issuers[0].der())]);
    let outcome = search(&without_intermediate(&authority), &leaf, &there);
    assert_eq!(outcome, ("accepted", vec![ISSUER.to_owned(), UPPER.to_owned()]));
}

#[test]
fn no_certificate_makes_us_ask_more_than_a_few_places_and_none_twice() {
    let authority = Authority::new();
    let urls: Vec<String> = (0..1000).map(|number| format!("http://www.microsoft.com/{number}.crt")).collect();
    let many: Vec<_> = urls.iter().map(|url| ("caIssuers", url.as_str())).collect();
    let (outcome, asked) =
        search(&without_intermediate(&authority), &authority.issue(&leaf_naming(&many)), &Places::new());
    assert_eq!((outcome, asked.as_slice()), ("certificate-chain", &urls[..MAX_ISSUER_REQUESTS]));

    let same = [("caIssuers", ISSUER); 10];
    let (_, asked) = search(&without_intermediate(&authority), &authority.issue(&leaf_naming(&same)), &Places::new());
    assert_eq!(asked, [ISSUER]);
}

#[test]
fn issuers_that_name_each_other_in_a_circle_come_to_an_end() {
    let stranger = Authority::with(root_params(), "stranger-root", named("Round", UPPER));
    let leaf = stranger.issue(&leaf_naming(&[("caIssuers", ISSUER)]));
    let there = places([(ISSUER, stranger.intermediate.der()), (UPPER, stranger.intermediate.der())]);
    let outcome = search(&without_intermediate(&Authority::new()), &leaf, &there);
    assert_eq!(outcome, ("certificate-chain", vec![ISSUER.to_owned(), UPPER.to_owned()]));
}

#[test]
fn a_chain_that_is_longer_than_anybodys_is_not_followed_to_its_end() {
    let place = |number: usize| -> &'static str { format!("http://www.microsoft.com/{number}.crt").leak() };
    let names: Vec<(&str, &str)> = ["0", "1", "2", "3", "4"].into_iter().zip((0..5).map(|n| place(n + 10))).collect();
    let (authority, issuers) = storeys(&names);
    // The place that each certificate names holds the one above it.
    let there: Places = (1..5)
        .map(|n| (names[n].1, issuers[n - 1].der().to_vec()))
        .chain([(ISSUER, issuers[4].der().to_vec())])
        .collect();
    let leaf = leaf_below(&issuers[4], &[("caIssuers", ISSUER)]);
    let (outcome, asked) = search(&without_intermediate(&authority), &leaf, &there);
    assert_eq!((outcome, asked.len()), ("certificate-chain", MAX_ISSUER_REQUESTS));

    let leaf = leaf_below(&issuers[3], &[("caIssuers", names[4].1)]);
    let (outcome, asked) = search(&without_intermediate(&authority), &leaf, &there);
    assert_eq!((outcome, asked.len()), ("accepted", 4), "one less is within reach");
}

#[test]
fn a_damaged_list_of_places_names_none() {
    let authority = Authority::new();
    let mut leaf = Leaf::valid();
    let damaged = rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], vec![0x30, 0x80, 1, 2]);
    leaf.params.custom_extensions.push(damaged);
    let outcome = search(&without_intermediate(&authority), &authority.issue(&leaf), &Places::new());
    assert_eq!(outcome, ("certificate-chain", vec![]));
}

#[test]
fn without_a_search_the_verdict_is_the_refusal_that_a_search_begins_with() {
    let authority = Authority::new();
    let leaf = authority.issue(&leaf_naming(&[("caIssuers", ISSUER)]));
    let policy = without_intermediate(&authority);
    let Verdict::LacksIssuer(search) = policy.judge_certificate(&leaf, now()) else { panic!("it lacks an issuer") };
    assert_eq!(policy.check_certificate(&leaf, now()).unwrap_err(), search.refusal());
}
