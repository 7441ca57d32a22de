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
const IN_CODE: [(&str, &[&str]); 28] = [
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
    ("credentials: on every route", &["tests/tests/doors/credentials.rs::no_door_opens_for_what_is_no_credential"]),
    (
        "cross-site: acts by a session that another page sends along",
        &[
            "shared/identity/tests/all/browser.rs::only_our_own_pages_change_anything",
            "tests/tests/doors/origins.rs::nothing_changes_by_a_session_that_another_page_sends_along",
            "tests/tests/people/hostile.rs::no_other_site_signs_anybody_out",
            "tests/tests/subscriptions/stepping_up.rs::nobody_is_led_into_it_by_another_site_or_without_session_role_or_an_operation",
        ],
    ),
    (
        "cross-site: acts that come twice, late, or from whoever may only look",
        &[
            "tests/tests/resolve/together.rs::a_request_that_comes_sixteen_times_at_once_is_done_once",
            "tests/tests/resolve/trouble.rs::who_saw_an_older_version_is_told_where_it_stands_and_nothing_is_done",
            "tests/tests/resolve/trouble.rs::a_key_stands_for_one_request_of_one_caller",
            "tests/tests/resolve/tenants.rs::on_no_route_another_tenant_can_be_told_from_one_that_is_not_there_and_who_may_only_see_is_told_so",
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
        "gateway: an address that none can be made of",
        &["shared/runtime/src/gateway.rs::an_address_is_made_of_every_path_and_query_that_a_gateway_may_hand_over"],
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
        "redirect: elsewhere after signing in, by an address or a host",
        &[
            "shared/identity/tests/all/browser.rs::nobody_is_sent_elsewhere",
            "tests/tests/people/hostile.rs::nobody_is_sent_elsewhere_after_signing_in",
            "shared/runtime/src/gateway.rs::no_header_chooses_scheme_or_host",
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
        "tenant: a place in a list of somebody else's",
        &[
            "tests/tests/dashboard/lists.rs::a_place_in_a_list_that_is_forged_old_or_somebody_elses_is_a_problem_of_its_own",
            "tests/tests/dashboard/lists.rs::a_place_in_a_list_shows_nothing_that_its_owner_may_not_see_any_more",
        ],
    ),
    (
        "tenant: another's ids and filters, on every route, and what their answer costs",
        &[
            "tests/tests/dashboard/gates.rs::another_tenant_is_answered_like_one_that_is_not_there_on_every_route",
            "tests/tests/dashboard/gates.rs::for_another_tenant_nothing_is_read",
            "tests/tests/resolve/tenants.rs::on_no_route_another_tenant_can_be_told_from_one_that_is_not_there_and_who_may_only_see_is_told_so",
        ],
    ),
    (
        "tenant: a gateway that says who calls",
        &[
            "shared/identity/tests/all/callers.rs::no_mistake_of_a_gateway_makes_a_caller",
            "shared/identity/tests/all/properties.rs::a_changed_context_is_no_caller_or_one_that_reads_as_it_is_written",
        ],
    ),
    (
        "token: algorithm, key, issuer, audience, tenant, time, version or use that is not ours",
        &[
            "shared/identity/tests/all/tokens.rs::every_token_that_is_spoilt_in_one_place_is_refused_for_that_reason",
            "shared/identity/tests/all/tokens.rs::a_token_holds_from_its_beginning_to_its_end_and_a_minute_more",
            "shared/identity/tests/all/tokens.rs::a_forged_token_is_never_called_expired",
            "tests/tests/people/bearers.rs::a_person_and_a_program_are_let_in_by_tokens_that_the_published_keys_have_signed",
        ],
    ),
    (
        "token: groups that are too many for it",
        &["shared/identity/tests/all/tokens.rs::a_good_token_says_who_it_is_about_and_nothing_of_groups"],
    ),
    (
        "token: sent elsewhere",
        &[
            "tests/tests/hostile_microsoft.rs::the_token_goes_to_graph_and_the_secret_to_the_sign_in_and_neither_to_the_other",
            "tests/tests/hostile_microsoft.rs::a_redirect_is_not_followed",
        ],
    ),
    (
        "token keys: a flood of names, many at once, an issuer that fails, and poison",
        &[
            "shared/identity/tests/all/keys.rs::a_strangers_flood_of_key_names_costs_one_fetch_a_minute",
            "shared/identity/tests/all/keys.rs::many_tokens_at_once_make_one_fetch",
            "shared/identity/tests/all/keys.rs::keys_are_fetched_anew_after_an_hour_and_kept_where_that_fails_but_not_for_ever",
            "shared/identity/tests/all/keys.rs::without_any_keys_nothing_is_decided_and_they_are_asked_for_every_five_seconds",
            "shared/identity/tests/all/keys.rs::only_sound_keys_for_signatures_of_this_issuer_count",
        ],
    ),
    (
        "token keys: rotation",
        &[
            "shared/identity/tests/all/keys.rs::a_new_key_is_found_a_minute_after_the_last_fetch_and_a_withdrawn_one_ends_with_the_hour",
            "tests/tests/people/bearers.rs::a_new_key_is_found_and_while_keys_can_not_be_had_nobody_is_let_in_or_called_anonymous",
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
