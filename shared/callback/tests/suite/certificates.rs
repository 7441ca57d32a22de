//! Which certificates may sign callbacks.

use callback::{Policy, Refusal, SigningCertificate, UnverifiedCallback};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, DnValue, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, Issuer, NameConstraints, SanType, date_time_ymd,
};

use crate::support::authority::{
    Authority, Leaf, WeakKey, dns_name, intermediate_params, key_pair, root_params, rsa_public_key,
};
use crate::support::signing::SignatureKey;
use crate::support::{BODY, at, code, default_locations, default_names, headers, now};

/// Issues the valid leaf with one thing spoilt, and returns the verdict on it.
fn verdict(spoil: impl FnOnce(&mut CertificateParams)) -> &'static str {
    let authority = Authority::new();
    let mut leaf = Leaf::valid();
    spoil(&mut leaf.params);
    code(authority.policy().check_certificate(&authority.issue(&leaf), now()))
}

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
fn a_certificate_as_microsoft_issues_it_is_accepted() {
    assert_eq!(verdict(|_| ()), "accepted");
}

// Chain.

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

// Purpose.

#[test]
fn purposes_other_than_server_authentication_are_refused() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, EmailProtection, OcspSigning, TimeStamping};
    for purpose in [Any, ClientAuth, CodeSigning, EmailProtection, OcspSigning, TimeStamping] {
        let code = verdict(|params| params.extended_key_usages = vec![purpose.clone()]);
        assert_eq!(code, "certificate-purpose", "{purpose:?}");
    }
}

#[test]
fn a_certificate_without_a_purpose_is_refused() {
    assert_eq!(verdict(|params| params.extended_key_usages.clear()), "certificate-purpose");
}

#[test]
fn server_authentication_beside_another_purpose_is_accepted() {
    use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
    assert_eq!(verdict(|params| params.extended_key_usages = vec![ClientAuth, ServerAuth]), "accepted");
}

#[test]
fn the_certificate_of_an_authority_is_refused_as_leaf() {
    let code = verdict(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    assert_eq!(code, "certificate-purpose");
}

#[test]
fn an_intermediate_of_another_purpose_breaks_the_chain() {
    let mut intermediate = intermediate_params();
    intermediate.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    let authority = Authority::with(root_params(), "root", intermediate);
    let outcome = authority.policy().check_certificate(&authority.issue(&Leaf::valid()), now());
    assert_eq!(chain_detail(&outcome), "an issuer is for another purpose");
}

// Organisation.

#[test]
fn the_organisation_is_compared_byte_for_byte() {
    for organisation in [
        "",
        "Microsoft",
        "Microsoft Corp",
        "Microsoft Corporation ",
        " Microsoft Corporation",
        "Microsoft  Corporation",
        "MICROSOFT CORPORATION",
        "Microsoft Corporation Evil",
        "Microsoft Corporation\0",
        "Microsoft C\u{43e}rporation",
    ] {
        let code = verdict(|params| params.distinguished_name.push(DnType::OrganizationName, organisation));
        assert_eq!(code, "certificate-organisation", "{organisation:?}");
    }
}

#[test]
fn the_organisation_may_be_a_printable_string() {
    let value = DnValue::PrintableString("Microsoft Corporation".try_into().unwrap());
    assert_eq!(verdict(|params| params.distinguished_name.push(DnType::OrganizationName, value)), "accepted");
}

#[test]
fn the_organisation_in_another_string_type_is_refused() {
    let name = "Microsoft Corporation";
    for (value, expected) in [
        (DnValue::BmpString(name.try_into().unwrap()), "certificate-organisation"),
        (DnValue::Ia5String(name.try_into().unwrap()), "certificate-organisation"),
        (DnValue::TeletexString(name.try_into().unwrap()), "certificate-organisation"),
        // A type that nobody uses, and the parser does not know.
        (DnValue::UniversalString(name.try_into().unwrap()), "certificate-unreadable"),
    ] {
        let code = verdict(|params| params.distinguished_name.push(DnType::OrganizationName, value.clone()));
        assert_eq!(code, expected, "{value:?}");
    }
}

#[test]
fn a_subject_without_organisation_is_refused_whatever_its_common_name_says() {
    for name in ["O=Microsoft Corporation", "x, O=Microsoft Corporation, y", "x/O=Microsoft Corporation"] {
        let code = verdict(|params| {
            params.distinguished_name.remove(DnType::OrganizationName);
            params.distinguished_name.push(DnType::CommonName, name);
        });
        assert_eq!(code, "certificate-organisation", "{name}");
    }
}

#[test]
fn two_organisations_are_refused_even_if_both_are_microsoft() {
    for second in ["Contoso", "Microsoft Corporation"] {
        let code = verdict(|params| params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 10]), second));
        assert_eq!(code, "certificate-organisation", "{second}");
    }
}

// Name.

#[test]
fn either_published_name_is_accepted_in_any_case_and_among_others() {
    for name in ["pcnotifications.microsoft.com", "PCNotifications-Dispatch.Microsoft.com"] {
        let names = vec![dns_name("microsoft.com"), dns_name(name)];
        assert_eq!(verdict(|params| params.subject_alt_names = names), "accepted", "{name}");
    }
}

#[test]
fn names_that_are_not_exactly_ours_are_refused() {
    for name in [
        "microsoft.com",
        "*.microsoft.com",
        "a.pcnotifications.microsoft.com",
        "apcnotifications.microsoft.com",
        "pcnotifications.microsoft.com.attacker.example",
        "pcnotifications.microsoft.com.",
        "pcnotifications.microsoft.com\0",
        " pcnotifications.microsoft.com",
    ] {
        let code = verdict(|params| params.subject_alt_names = vec![dns_name(name)]);
        assert_eq!(code, "certificate-name", "{name:?}");
    }
}

#[test]
fn a_name_that_only_the_common_name_holds_is_refused() {
    assert_eq!(verdict(|params| params.subject_alt_names.clear()), "certificate-name");
}

#[test]
fn our_name_in_another_kind_of_alternative_name_is_refused() {
    let ours = || "pcnotifications.microsoft.com".try_into().unwrap();
    for name in [SanType::Rfc822Name(ours()), SanType::URI(ours())] {
        let code = verdict(|params| params.subject_alt_names = vec![name.clone()]);
        assert_eq!(code, "certificate-name", "{name:?}");
    }
}
