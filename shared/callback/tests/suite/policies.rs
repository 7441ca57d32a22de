//! What a policy can't be made of.

use callback::{
    BUNDLED_INTERMEDIATES_PEM, BUNDLED_TRUST_ANCHORS_PEM, CertificateLocation, LocationError, Policy, PolicyError,
};

use crate::support::{default_locations, default_names};

#[test]
fn the_defaults_make_a_policy() {
    Policy::new(default_locations(), default_names(), BUNDLED_TRUST_ANCHORS_PEM, BUNDLED_INTERMEDIATES_PEM).unwrap();
}

#[test]
fn a_policy_without_locations_is_refused_and_says_what_to_do() {
    let error = Policy::new(vec![], default_names(), BUNDLED_TRUST_ANCHORS_PEM, "").unwrap_err();
    assert_eq!(error, PolicyError::NoLocations);
    assert!(error.to_string().contains("name at least one"));
}

#[test]
fn a_policy_without_names_is_refused() {
    let error = Policy::new(default_locations(), vec![], BUNDLED_TRUST_ANCHORS_PEM, "").unwrap_err();
    assert_eq!(error, PolicyError::NoNames);
}

#[test]
fn a_policy_without_trust_anchors_is_refused() {
    for pem in ["", "\n", "# a comment\n", "/etc/ssl/roots.pem"] {
        let error = Policy::new(default_locations(), default_names(), pem, "").unwrap_err();
        assert_eq!(error, PolicyError::NoTrustAnchors, "{pem:?}");
    }
}

#[test]
fn damaged_trust_anchors_are_refused_rather_than_left_out() {
    let damaged = BUNDLED_TRUST_ANCHORS_PEM.replacen("\nMII", "\nMIJ", 1);
    let error = Policy::new(default_locations(), default_names(), &damaged, "").unwrap_err();
    assert_eq!(error, PolicyError::UnreadableTrustAnchors);
}

#[test]
fn damaged_intermediates_are_refused_rather_than_left_out() {
    let damaged = BUNDLED_INTERMEDIATES_PEM.replacen("\nMII", "\nMIJ", 1);
    for pem in [damaged.as_str(), "/etc/ssl/intermediates.pem"] {
        let error = Policy::new(default_locations(), default_names(), BUNDLED_TRUST_ANCHORS_PEM, pem).unwrap_err();
        assert_eq!(error, PolicyError::UnreadableIntermediates, "{pem:?}");
    }
}

#[test]
fn a_name_that_is_not_one_exact_name_is_refused() {
    for name in ["", "*.microsoft.com", "*", ".microsoft.com", "microsoft.com.", "a b", "microsoft.com/"] {
        let error = Policy::new(default_locations(), vec![name.to_owned()], BUNDLED_TRUST_ANCHORS_PEM, "").unwrap_err();
        assert_eq!(error, PolicyError::Name { name: name.to_owned() });
    }
}

#[test]
fn a_location_is_an_exact_prefix() {
    for text in [
        CertificateLocation::DEFAULT,
        "https://localhost:8443/cert/",
        "https://127.0.0.1:1/",
        "https://h.cn/a/b_c-d.e/",
    ] {
        let location: CertificateLocation = text.parse().unwrap();
        assert_eq!(location.to_string(), text);
    }
}

#[test]
fn a_location_that_could_be_understood_in_two_ways_is_refused() {
    use LocationError::{Directory, Host, Port, Scheme};
    for (text, expected) in [
        ("", Scheme),
        ("http://host/cert/", Scheme),
        ("HTTPS://host/cert/", Scheme),
        (" https://host/cert/", Scheme),
        ("https://", Directory),
        ("https://host", Directory),
        ("https://host/cert", Directory),
        ("https://host/cert//", Directory),
        ("https://host//", Directory),
        ("https://host/../cert/", Directory),
        ("https://host/./cert/", Directory),
        ("https://host/%63ert/", Directory),
        ("https://host/cert/?x=/", Directory),
        ("https://host/cert/#/", Directory),
        ("https:///cert/", Host),
        ("https://HOST/cert/", Host),
        ("https://user@host/cert/", Host),
        ("https://host./cert/", Host),
        ("https://.host/cert/", Host),
        ("https://-host/cert/", Host),
        ("https://host-/cert/", Host),
        ("https://host_name/cert/", Host),
        (format!("https://{}/cert/", ["a"; 128].join(".")).as_str(), Host),
        ("https://*.host/cert/", Host),
        ("https://h\u{43e}st/cert/", Host),
        ("https://[::1]/cert/", Host),
        ("https://1/cert/", Host),
        ("https://127.1/cert/", Host),
        ("https://2130706433/cert/", Host),
        ("https://0x7f.1/cert/", Host),
        ("https://0x7f000001/cert/", Host),
        ("https://127.0.0.01/cert/", Host),
        ("https://127.0.0.256/cert/", Host),
        ("https://host.0x/cert/", Host),
        ("https://host:/cert/", Port),
        ("https://host:0/cert/", Port),
        ("https://host:0443/cert/", Port),
        ("https://host:+443/cert/", Port),
        ("https://host:65536/cert/", Port),
        ("https://host:443:443/cert/", Port),
        ("https://user:password@host/cert/", Port),
    ] {
        assert_eq!(text.parse::<CertificateLocation>(), Err(expected), "{text:?}");
    }
}

#[test]
fn debugging_a_policy_shows_what_it_is_made_of_in_brief() {
    let policy =
        Policy::new(default_locations(), default_names(), BUNDLED_TRUST_ANCHORS_PEM, BUNDLED_INTERMEDIATES_PEM);
    let text = format!("{:?}", policy.unwrap());
    assert!(text.contains("anchors: 5") && text.contains("intermediates: 2"), "{text}");
    assert!(text.len() < 400, "{text}");
}
