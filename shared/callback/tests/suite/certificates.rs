//! What a certificate has to say of itself. Its chain is valid in every test.

use rcgen::{BasicConstraints, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, SanType};

use crate::support::authority::{dns_name, verdict_on_leaf as verdict};

#[test]
fn a_certificate_as_microsoft_issues_it_is_accepted() {
    assert_eq!(verdict(|_| ()), "accepted");
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
