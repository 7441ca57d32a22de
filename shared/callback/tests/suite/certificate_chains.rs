//! Which chains hold, and for how long.

use callback::{Policy, Refusal, SigningCertificate, UnverifiedCallback};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, NameConstraints, date_time_ymd,
};

use crate::support::authority::{
    Authority, Leaf, WeakKey, intermediate_params, key_pair, root_params, rsa_public_key, verdict_on_leaf as verdict,
};
use crate::support::signing::SignatureKey;
use crate::support::{BODY, at, code, default_locations, default_names, headers, now};

/// The verdict on the valid leaf of an authority that is spoilt.
fn verdict_under(authority: &Authority) -> &'static str {
    code(authority.policy().check_certificate(&authority.issue(&Leaf::valid()), now()))
}

fn chain_detail(outcome: &Result<SigningCertificate, Refusal>) -> &'static str {
    match outcome {
        Err(Refusal::CertificateChain { detail }) => detail,
        Err(other) => other.code(),
        Ok(_) => "accepted",
    }
}

#[test]
fn a_certificate_that_signed_itself_is_refused() {
    let der = Leaf::valid().params.self_signed(&key_pair("signing-2048")).unwrap().der().to_vec();
    assert_eq!(chain_detail(&Authority::new().policy().check_certificate(&der, now())), "no path to a trust anchor");
}

#[test]
fn an_authority_of_the_right_names_and_another_key_is_refused() {
    let stranger = Authority::with(root_params(), "stranger-root", intermediate_params());
    let der = stranger.issue(&Leaf::valid());
    let policy = Authority::new().policy_with_intermediates(&stranger.intermediate.pem());
    assert_eq!(chain_detail(&policy.check_certificate(&der, now())), "a certificate was not signed by its issuer");
}

#[test]
fn a_chain_to_a_public_root_that_is_not_configured_is_refused() {
    let authority = Authority::new();
    let policy = Policy::new(
        default_locations(),
        default_names(),
        callback::BUNDLED_TRUST_ANCHORS_PEM,
        &authority.intermediate.pem(),
    );
    let outcome = policy.unwrap().check_certificate(&authority.issue(&Leaf::valid()), now());
    assert_eq!(chain_detail(&outcome), "no path to a trust anchor");
}

#[test]
fn a_chain_without_its_intermediate_is_refused() {
    let authority = Authority::new();
    let outcome = authority.policy_with_intermediates("").check_certificate(&authority.issue(&Leaf::valid()), now());
    assert_eq!(chain_detail(&outcome), "no path to a trust anchor");
}

#[test]
fn a_leaf_does_not_make_an_authority() {
    let authority = Authority::new();
    let mut middle = Leaf::valid();
    middle.params.distinguished_name.push(DnType::CommonName, "Middle");
    let middle_pem = middle.params.signed_by(&key_pair("signing-2048"), &authority.intermediate).unwrap().pem();
    let middle_issuer = Issuer::from_params(&middle.params, key_pair("signing-2048"));
    let leaf = Leaf::valid().params.signed_by(&rsa_public_key("stranger-2048"), &middle_issuer).unwrap();
    let policy = authority.policy_with_intermediates(&(authority.intermediate.pem() + &middle_pem));
    assert_eq!(chain_detail(&policy.check_certificate(leaf.der(), now())), "an issuer is not an authority");
}

#[test]
fn an_authority_outside_its_name_constraints_is_refused() {
    let mut intermediate = intermediate_params();
    intermediate.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("contoso.example".to_owned())],
        excluded_subtrees: vec![],
    });
    let authority = Authority::with(root_params(), "root", intermediate);
    let outcome = authority.policy().check_certificate(&authority.issue(&Leaf::valid()), now());
    assert_eq!(chain_detail(&outcome), "an issuer may not vouch for this name");
}

#[test]
fn an_authority_beyond_the_allowed_depth_is_refused() {
    let mut root = root_params();
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let mut middle = intermediate_params();
    middle.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    middle.distinguished_name.push(DnType::CommonName, "Middle");
    let authority = Authority::with(root, "root", intermediate_params());
    let middle = Authority::with(root_params(), "root", middle).intermediate;
    let below = intermediate_params().signed_by(&key_pair("intermediate"), &middle).unwrap();
    let leaf = authority.issue(&Leaf::valid());
    let policy = authority.policy_with_intermediates(&(middle.pem() + &below.pem()));
    assert_eq!(
        chain_detail(&policy.check_certificate(&leaf, now())),
        "too many authorities below one that limits them"
    );
}

#[test]
fn an_intermediate_with_a_weak_key_is_refused() {
    let authority = Authority::with_intermediate_key(root_params(), "root", intermediate_params(), WeakKey::new());
    let outcome = authority.policy().check_certificate(&authority.issue(&Leaf::valid()), now());
    assert_eq!(chain_detail(&outcome), "a certificate was not signed by its issuer");
}

#[test]
fn a_leaf_signed_with_sha1_or_md5_is_refused() {
    const SHA256_WITH_RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
    let authority =
        Authority::with_intermediate_key(root_params(), "root", intermediate_params(), key_pair("signing-4096"));
    let der = authority.issue(&Leaf::valid());
    assert_eq!(code(authority.policy().check_certificate(&der, now())), "accepted");
    for last_arc in [4, 5] {
        let mut weak = der.clone();
        let places: Vec<usize> =
            (0..weak.len() - 9).filter(|&place| weak[place..].starts_with(&SHA256_WITH_RSA)).collect();
        assert_eq!(places.len(), 2, "the algorithm stands inside and outside the signed part");
        for place in places {
            weak[place + 8] = last_arc;
        }
        let outcome = authority.policy().check_certificate(&weak, now());
        assert_eq!(chain_detail(&outcome), "signature algorithm is not accepted");
    }
}

#[test]
fn an_unknown_critical_extension_is_refused() {
    let code = verdict(|params| {
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    assert_eq!(code, "certificate-chain");
}

// Time.

#[test]
fn validity_ends_with_the_second_it_names_and_has_no_grace() {
    let authority = Authority::new();
    let der = authority.issue(&Leaf::valid());
    for (time, expected) in [
        ("1969-12-31T23:59:59Z", "certificate-not-yet-valid"),
        ("2026-05-31T23:50:00Z", "certificate-not-yet-valid"),
        ("2026-05-31T23:59:59Z", "certificate-not-yet-valid"),
        ("2026-06-01T00:00:00Z", "accepted"),
        ("2027-06-01T00:00:00Z", "accepted"),
        ("2027-06-01T00:00:01Z", "certificate-expired"),
        ("2027-06-01T00:10:00Z", "certificate-expired"),
    ] {
        assert_eq!(code(authority.policy().check_certificate(&der, at(time))), expected, "{time}");
    }
}

#[test]
fn a_verdict_is_not_believed_outside_its_validity() {
    let authority = Authority::new();
    let policy = authority.policy();
    let certificate = policy.check_certificate(&authority.issue(&Leaf::valid()), now()).unwrap();
    let signature = SignatureKey::new("signing-2048").sign_base64(BODY);
    let callback = UnverifiedCallback::read(&headers(&signature), BODY, &policy).unwrap();
    for (time, expected) in [
        ("2026-05-31T23:59:59Z", "certificate-not-yet-valid"),
        ("2026-06-01T00:00:00Z", "accepted"),
        ("2027-06-01T00:00:00Z", "accepted"),
        ("2027-06-01T00:00:01Z", "certificate-expired"),
    ] {
        assert_eq!(code(callback.verify(&certificate, at(time))), expected, "{time}");
    }
}

#[test]
fn a_verdict_outlives_no_certificate_of_its_path() {
    let mut short_root = root_params();
    short_root.not_after = date_time_ymd(2026, 12, 1);
    let mut short_intermediate = intermediate_params();
    short_intermediate.not_after = date_time_ymd(2026, 12, 1);
    for authority in [
        Authority::with(short_root, "root", intermediate_params()),
        Authority::with(root_params(), "root", short_intermediate),
    ] {
        let policy = authority.policy();
        let certificate = policy.check_certificate(&authority.issue(&Leaf::valid()), now()).unwrap();
        assert_eq!(certificate.valid_until(), at("2026-12-01T00:00:00Z"));
        let signature = SignatureKey::new("signing-2048").sign_base64(BODY);
        let callback = UnverifiedCallback::read(&headers(&signature), BODY, &policy).unwrap();
        assert_eq!(code(callback.verify(&certificate, at("2026-12-01T00:00:01Z"))), "certificate-expired");
    }
}

#[test]
fn an_intermediate_outside_its_validity_breaks_the_chain() {
    for (from, until) in [(2022, 2026), (2027, 2030)] {
        let mut intermediate = intermediate_params();
        intermediate.not_before = date_time_ymd(from, 1, 1);
        intermediate.not_after = date_time_ymd(until, 1, 1);
        let authority = Authority::with(root_params(), "root", intermediate);
        let outcome = authority.policy().check_certificate(&authority.issue(&Leaf::valid()), now());
        assert_eq!(chain_detail(&outcome), "an issuer is outside its validity");
    }
}

#[test]
fn a_root_outside_its_validity_breaks_the_chain() {
    for (from, until) in [(2020, 2026), (2027, 2040)] {
        let mut root = root_params();
        root.not_before = date_time_ymd(from, 1, 1);
        root.not_after = date_time_ymd(until, 1, 1);
        assert_eq!(verdict_under(&Authority::with(root, "root", intermediate_params())), "certificate-chain");
    }
}

#[test]
fn a_certificate_without_an_end_is_valid_until_the_end_of_time() {
    let end_of_time = |mut params: CertificateParams| {
        params.not_after = date_time_ymd(9999, 12, 31);
        params
    };
    let authority = Authority::with(end_of_time(root_params()), "root", end_of_time(intermediate_params()));
    let leaf = Leaf { params: end_of_time(Leaf::valid().params), ..Leaf::valid() };
    let certificate = authority.policy().check_certificate(&authority.issue(&leaf), now()).unwrap();
    assert_eq!(certificate.valid_until(), jiff::Timestamp::MAX);
}

#[test]
fn an_intermediate_of_another_purpose_breaks_the_chain() {
    let mut intermediate = intermediate_params();
    intermediate.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    let authority = Authority::with(root_params(), "root", intermediate);
    let outcome = authority.policy().check_certificate(&authority.issue(&Leaf::valid()), now());
    assert_eq!(chain_detail(&outcome), "an issuer is for another purpose");
}
