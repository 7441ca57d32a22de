//! Certificates and authorities made to cost work. Each has its verdict; where work is bounded by counting it, webpki's own
//! budget is what says so.

use callback::{MAX_CERTIFICATE_BYTES, Policy, Refusal};
use rcgen::{CertificateParams, CustomExtension, DnType, GeneralSubtree, Issuer, KeyPair, NameConstraints};

use crate::support::authority::{Authority, Leaf, dns_name, intermediate_params, key_pair, root_params};
use crate::support::{code, now};

/// The verdict on a leaf, with the words on its chain.
fn verdict(policy: &Policy, der: &[u8]) -> &'static str {
    match policy.check_certificate(der, now()) {
        Err(Refusal::CertificateChain { detail }) => detail,
        other => code(other),
    }
}

/// `levels` of the same tag, each around the next, with lengths as DER wants them.
fn nested(tag: u8, levels: usize) -> Vec<u8> {
    let mut reversed = Vec::new();
    for _ in 0..levels {
        let length = reversed.len();
        let bytes = length.to_le_bytes();
        match length {
            ..0x80 => reversed.push(bytes[0]),
            0x80..0x100 => reversed.extend([bytes[0], 0x81]),
            0x100..0x1_0000 => reversed.extend([bytes[0], bytes[1], 0x82]),
            _ => reversed.extend([bytes[0], bytes[1], bytes[2], 0x83]),
        }
        reversed.push(tag);
    }
    reversed.reverse();
    reversed
}

#[test]
fn nesting_is_never_followed_down() {
    let policy = Authority::new().policy();
    for tag in [0x30, 0x31, 0xa0, 0xa3] {
        assert_eq!(verdict(&policy, &nested(tag, 100_000)), "certificate-too-large");
        let deepest = nested(tag, 16_000);
        assert!((60_000..=MAX_CERTIFICATE_BYTES).contains(&deepest.len()));
        assert_eq!(verdict(&policy, &deepest), "certificate-unreadable");
        assert_eq!(verdict(&policy, &[tag, 0x80].repeat(MAX_CERTIFICATE_BYTES / 2)), "certificate-unreadable");
    }
}

/// The authority signed it, so that only its shape can be the reason.
#[test]
fn nesting_inside_an_extension_is_not_followed_either() {
    const UNKNOWN: &[u64] = &[1, 3, 6, 1, 4, 1, 99999, 1];
    const SUBJECT_ALTERNATIVE_NAME: &[u64] = &[2, 5, 29, 17];
    const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
    const BASIC_CONSTRAINTS: &[u64] = &[2, 5, 29, 19];
    let authority = Authority::new();
    for (extension, expected) in [
        (UNKNOWN, "accepted"),
        (SUBJECT_ALTERNATIVE_NAME, "certificate-name"),
        (EXTENDED_KEY_USAGE, "not acceptable"),
        (BASIC_CONSTRAINTS, "not acceptable"),
    ] {
        let mut leaf = Leaf::valid();
        if extension == SUBJECT_ALTERNATIVE_NAME {
            leaf.params.subject_alt_names.clear();
        }
        if extension == EXTENDED_KEY_USAGE {
            leaf.params.extended_key_usages.clear();
        }
        leaf.params.custom_extensions.push(CustomExtension::from_oid_content(extension, nested(0x30, 15_000)));
        assert_eq!(verdict(&authority.policy(), &authority.issue(&leaf)), expected, "{extension:?}");
    }
}

#[test]
fn ten_thousand_names_are_too_large() {
    let authority = Authority::new();
    let mut leaf = Leaf::valid();
    leaf.params.subject_alt_names.extend((0..10_000).map(|number| dns_name(&format!("n{number}.microsoft.com"))));
    assert_eq!(verdict(&authority.policy(), &authority.issue(&leaf)), "certificate-too-large");
}

#[test]
fn thousands_of_extensions_are_read_once() {
    let authority = Authority::new();
    let mut leaf = Leaf::valid();
    let extensions =
        (0..4_000).map(|number| CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, number], vec![5, 0]));
    leaf.params.custom_extensions.extend(extensions);
    let der = authority.issue(&leaf);
    assert!((50_000..=MAX_CERTIFICATE_BYTES).contains(&der.len()), "{}", der.len());
    assert_eq!(verdict(&authority.policy(), &der), "accepted");
}

#[test]
fn an_extension_that_comes_twice_is_unreadable() {
    let authority = Authority::new();
    let mut leaf = Leaf::valid();
    let names = [&[0x30, 11, 0x82, 9], b"localhost".as_slice()].concat();
    leaf.params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 17], names));
    assert_eq!(verdict(&authority.policy(), &authority.issue(&leaf)), "certificate-unreadable");
}

#[test]
fn names_times_constraints_are_bounded() {
    let mut intermediate = intermediate_params();
    let subtrees =
        |kind: &str| (0..500).map(|number| GeneralSubtree::DnsName(format!("{kind}{number}.example"))).collect();
    intermediate.name_constraints =
        Some(NameConstraints { permitted_subtrees: vec![], excluded_subtrees: subtrees("excluded") });
    let authority = Authority::with(root_params(), "root", intermediate);
    assert_eq!(verdict(&authority.policy(), &authority.issue(&Leaf::valid())), "accepted");

    let mut leaf = Leaf::valid();
    leaf.params.subject_alt_names.extend((0..2_000).map(|number| dns_name(&format!("n{number}.microsoft.com"))));
    assert_eq!(verdict(&authority.policy(), &authority.issue(&leaf)), "too much work to judge");
}

fn named(name: &str, serial: usize) -> CertificateParams {
    let mut params = intermediate_params();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some((serial as u64).into());
    params
}

/// A hundred intermediates in five layers: any of the twenty certificates of a layer may stand below any of the next, so
/// that there are 20^5 paths from the leaf of the first to the issuer of the last.
fn bomb(last_issuer: &Issuer<'_, KeyPair>) -> String {
    let certificate = |layer: usize, copy: usize| {
        let (params, key) = (named(&format!("Layer {layer}"), 100 * layer + copy), key_pair("intermediate"));
        let above = Issuer::new(named(&format!("Layer {}", layer + 1), 0), key_pair("intermediate"));
        params.signed_by(&key, if layer == 5 { last_issuer } else { &above }).unwrap().pem()
    };
    (1..=5)
        .flat_map(|layer| (1..=20).map(move |copy| (layer, copy)))
        .map(|(layer, copy)| certificate(layer, copy))
        .collect()
}

fn leaf_of_the_first_layer() -> Vec<u8> {
    let issuer = Issuer::new(named("Layer 1", 0), key_pair("intermediate"));
    let leaf = Leaf::valid();
    leaf.params.signed_by(&leaf.key, &issuer).unwrap().der().to_vec()
}

/// webpki counts 200,000 steps before it gives up, and reads all intermediates again at each: the slowest verdict there is.
#[test]
fn millions_of_paths_that_lead_nowhere_are_given_up() {
    let nobody = Issuer::new(named("Nobody", 0), key_pair("stranger-root"));
    let policy = Authority::new().policy_with_intermediates(&bomb(&nobody));
    assert_eq!(verdict(&policy, &leaf_of_the_first_layer()), "too much work to judge");
}

#[test]
fn millions_of_paths_that_each_ask_for_signatures_are_given_up() {
    let root_by_name = Issuer::new(root_params(), key_pair("stranger-root"));
    let policy = Authority::new().policy_with_intermediates(&bomb(&root_by_name));
    assert_eq!(verdict(&policy, &leaf_of_the_first_layer()), "too much work to judge");
}

#[test]
fn a_path_among_millions_that_holds_is_found() {
    let authority = Authority::new();
    let policy = authority.policy_with_intermediates(&bomb(&authority.root));
    assert_eq!(verdict(&policy, &leaf_of_the_first_layer()), "accepted");
}
