//! Every threat, and where it is held: so many rows of the tables at least, or tests that take code.

use std::{collections::BTreeMap, fs};

use attacks::{certificate_cases, header_cases, repository, url_cases};

use crate::{bodies, certificates, downloads, scenarios, signatures};

/// Threats that are rows of tables, and how many each has at least.
const IN_TABLES: [(&str, usize); 72] = [
    ("address: another name in the same directory", 4),
    ("address: confusion", 15),
    ("address: inside address", 21),
    ("address: letter case", 6),
    ("address: other accounts and clouds", 12),
    ("address: path", 49),
    ("address: port", 7),
    ("address: published", 2),
    ("address: query and fragment", 11),
    ("address: scheme", 17),
    ("address: suffix and prefix of the host", 7),
    ("address: unicode and control characters", 23),
    ("address: user information", 9),
    ("body: a member that is there twice", 6),
    ("body: addresses that must never be followed", 16),
    ("body: costly to read", 9),
    ("body: forms that Microsoft is known to send", 9),
    ("body: not one JSON object of an event", 30),
    ("body: not the encoding of JSON", 10),
    ("body: older or newer than is believed", 11),
    ("body: size", 5),
    ("body: text that means something to somebody else", 19),
    ("certificate cache: never past the certificate's end, nor a day", 3),
    ("certificate cache: poison", 16),
    ("certificate cache: the host fails", 6),
    ("certificate rotation: under the same address", 9),
    ("certificate: addresses inside it that want to be followed", 4),
    ("certificate: authority and leaf in each other's place", 5),
    ("certificate: costly to read", 9),
    ("certificate: form that is read in more than one way", 22),
    ("certificate: issued for another purpose", 9),
    ("certificate: key that is weak, strange or costly", 37),
    ("certificate: name that only looks like Partner Center's", 20),
    ("certificate: nobody that we trust vouches for it", 6),
    ("certificate: organisation that only looks like Microsoft's", 22),
    ("certificate: outside its validity", 12),
    ("certificate: way to a root that is costly to find", 4),
    ("certificate: weakly signed by its issuer", 6),
    ("download: a host that is not the one", 4),
    ("download: answers that bring no certificate", 18),
    ("download: form and description", 4),
    ("download: redirects", 9),
    ("download: size and time", 5),
    ("genuine certificates are taken", 15),
    ("headers: address of the certificate", 3),
    ("headers: algorithm", 28),
    ("headers: encoding of the body", 7),
    ("headers: form of the signature", 27),
    ("headers: kind of the body", 6),
    ("headers: nothing wrong", 2),
    ("headers: two values where one decides", 13),
    ("headers: where the signature stands", 32),
    ("missing issuer: addresses that are never asked", 12),
    ("missing issuer: certificates that would not do with one", 8),
    ("missing issuer: more work than it is worth", 4),
    ("missing issuer: what lies there is of no use", 8),
    ("missing issuer: where it is looked for", 5),
    ("mistake of others: a good certificate is taken for a good signature", 2),
    ("mistake of others: issuers are fetched from wherever a certificate says", 1),
    ("mistake of others: no signature is asked for, or one in another place", 4),
    ("mistake of others: the body is decoded and written anew", 2),
    ("mistake of others: the issuer's name is believed, and found as a piece of text", 2),
    ("mistake of others: the printed name is searched", 8),
    ("mistake of others: whoever rents a certificate for code below Microsoft's name may sign", 3),
    ("replay: different events that look alike", 2),
    ("replay: old, and after the record has gone", 8),
    ("replay: the same bytes again", 6),
    ("signature: another hash or padding by the right key", 20),
    ("signature: length", 10),
    ("signature: made over other bytes", 10),
    ("signature: numbers that need no key", 5),
    ("signature: of a key that the certificate does not hold", 5),
];

/// Threats that take code, with the file and the name of each test.
const IN_CODE: [(&str, &[&str]); 16] = [
    (
        "address: ten thousand that are allowed",
        &[
            "tests/tests/webhook/certificates.rs::ten_thousand_names_make_five_downloads_at_once",
            "tests/tests/webhook/certificates.rs::many_names_do_not_push_out_the_good_certificate",
            "functions/webhook/src/certificates/mod.rs::ten_thousand_addresses_leave_sixteen_entries",
            "functions/webhook/src/certificates/budget.rs::the_budget_is_a_burst_and_then_one_a_second",
            "functions/webhook/src/certificates/mod.rs::an_address_that_once_was_good_is_never_starved_by_made_up_ones",
        ],
    ),
    (
        "address: anything at all",
        &["shared/callback/tests/suite/properties/mod.rs::an_allowed_address_can_be_taken_for_no_other"],
    ),
    (
        "body: published examples",
        &[
            "tests/tests/threats/bodies.rs::every_published_event_is_kept",
            "tests/tests/threats/bodies.rs::the_published_callback_is_genuine_and_too_old",
        ],
    ),
    (
        "certificate: cut off or changed anywhere",
        &[
            "shared/callback/tests/suite/certificate_bytes.rs::a_certificate_cut_at_any_place_is_unreadable",
            "shared/callback/tests/suite/certificate_bytes.rs::no_byte_of_microsofts_certificate_can_have_another_value",
            "shared/callback/tests/suite/certificate_bytes.rs::no_byte_can_be_left_out_of_a_certificate_or_put_in",
        ],
    ),
    (
        "certificate: an issuer ends before it does",
        &["shared/callback/tests/suite/certificate_chains.rs::a_verdict_outlives_no_certificate_of_its_path"],
    ),
    (
        "certificate cache: sixty-four first requests",
        &[
            "tests/tests/webhook/certificates.rs::sixty_four_first_requests_make_one_download",
            "tests/tests/webhook/certificates.rs::sixty_four_first_requests_to_a_host_that_fails_make_one_download",
            "tests/tests/webhook/certificates.rs::sixty_four_requests_after_a_renewal_make_one_more_download",
        ],
    ),
    (
        "download: a name that leads into a private network",
        &[
            "shared/runtime/src/addresses.rs::private_and_special_addresses_are_not_public",
            "shared/runtime/src/addresses.rs::a_client_connects_to_nothing_private_whatever_a_name_resolves_to",
        ],
    ),
    (
        "download: a host that sends nothing for too long",
        &[
            "tests/tests/webhook/certificates.rs::a_download_that_takes_too_long_is_503",
            "tests/tests/webhook/certificates.rs::a_download_that_breaks_off_is_503",
        ],
    ),
    (
        "foreign customers: a flood",
        &[
            "tests/tests/threats/foreign_customers.rs::a_flood_of_genuine_events_about_others_is_one_look_in_fifteen_seconds_and_alarms_nobody",
        ],
    ),
    (
        "path key: guessed, removed, of another tenant",
        &[
            "tests/tests/webhook/path_keys.rs::a_thousand_wrong_keys_within_a_minute_cost_one_query",
            "tests/tests/webhook/path_keys.rs::during_a_rotation_both_keys_are_valid_and_a_removed_one_is_refused_after_the_refresh",
            "tests/tests/webhook/refusing.rs::whatever_is_spoilt_is_refused_for_its_own_reason_and_kept_nowhere",
        ],
    ),
    (
        "replay: at once, at two processes",
        &[
            "tests/tests/webhook/keeping.rs::sixty_four_copies_at_once_are_kept_once",
            "tests/tests/webhook/keeping.rs::copies_at_two_processes_at_once_are_kept_once",
        ],
    ),
    (
        "replay: after the process was killed",
        &["local/tests/program.rs::killed_between_kept_and_reconciled_the_alert_is_still_published"],
    ),
    (
        "replay: the record outlives the age",
        &["tests/tests/webhook/keeping.rs::the_record_of_a_callback_outlives_the_age_at_which_it_is_still_accepted"],
    ),
    (
        "signature: one bit of whatever decides",
        &[
            "tests/tests/threats/signatures.rs::one_bit_of_whatever_decides_makes_a_difference",
            "shared/callback/tests/suite/signatures.rs::one_bit_of_the_signature_makes_a_difference",
        ],
    ),
    (
        "signature: the vectors of others",
        &[
            "shared/callback/tests/suite/vectors/nist.rs::signatures_of_nist_have_its_verdict_but_for_the_listed_differences",
            "shared/callback/tests/suite/vectors/wycheproof.rs::signatures_of_wycheproof_have_its_verdict_but_for_the_listed_differences",
        ],
    ),
    (
        "token: sent elsewhere",
        &[
            "tests/tests/hostile_microsoft.rs::the_token_goes_to_graph_and_the_secret_to_the_sign_in_and_neither_to_the_other",
            "tests/tests/hostile_microsoft.rs::a_redirect_is_not_followed",
        ],
    ),
];

#[test]
fn no_threat_of_the_tables_has_lost_a_row() {
    let addresses = url_cases().into_iter().map(|case| format!("address: {}", case.class));
    let headers = header_cases().into_iter().map(|case| case.threat);
    let certificates = certificate_cases().into_iter().chain(certificates::issuer_cases()).map(|case| case.threat);
    let bodies = bodies::cases().into_iter().map(|case| case.threat);
    let downloads = downloads::cases().into_iter().map(|case| case.threat);
    let scenarios = scenarios::scenarios().into_iter().map(|scenario| scenario.threat);
    let signatures = signatures::cases().into_iter().map(|case| case.threat);
    let callbacks = addresses.chain(headers).chain(bodies).chain(signatures);
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    for threat in callbacks.chain(certificates).chain(downloads).chain(scenarios) {
        *rows.entry(threat).or_default() += 1;
    }
    for (threat, least) in IN_TABLES {
        let found = rows.remove(threat).unwrap_or_default();
        assert!(found >= least, "{threat}: {found} rows of {least}");
    }
    assert!(rows.is_empty(), "not in the register: {rows:?}");
}

#[test]
fn every_test_that_the_register_names_exists() {
    for (threat, tests) in IN_CODE {
        assert!(!tests.is_empty(), "{threat}");
        for test in tests {
            let (path, name) = test.split_once("::").unwrap();
            let source = fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            let (before, _) = source.split_once(&format!("fn {name}(")).unwrap_or_else(|| panic!("{threat}: {test}"));
            let attributes = before.rsplit("\n\n").next().unwrap();
            let is_run = ["#[test]", "#[tokio::test"].iter().any(|mark| attributes.contains(mark));
            assert!(is_run && !attributes.contains("#[ignore"), "{threat}: {test} is no test that is run");
        }
    }
}
