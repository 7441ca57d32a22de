//! The reasons that logs use are those that the documents list.

use identity::{CrossOrigin, OpenError, Refusal, Unclear};
use sign_in::Problem;

const SECURITY: &str = include_str!("../../../docs/security.md");

#[test]
fn no_route_is_one_of_two_functions() {
    let of_sign_in = [&sign_in::ROUTES[..], &resolve::PAGES[..]].concat();
    let of_dashboard = [&dashboard::ROUTES[..], &dashboard::PAGES[..]].concat();
    let all = [&of_sign_in[..], &of_dashboard[..], &resolve::ROUTES[..]].concat();
    let different: std::collections::BTreeSet<_> = all.iter().collect();
    assert!(different.len() == all.len() && all.len() > 25, "{all:?}");
}

#[test]
fn every_reason_is_documented() {
    let refusals = Refusal::ALL.map(|refusal| refusal.to_string());
    let unclear = [Unclear::Authorization, Unclear::Both, Unclear::Cookie, Unclear::Repeated, Unclear::TooLarge]
        .map(|it| it.to_string());
    let origin =
        [CrossOrigin::Foreign, CrossOrigin::Missing, CrossOrigin::Repeated, CrossOrigin::Site].map(|it| it.to_string());
    let sealed =
        [OpenError::Expired, OpenError::Forged, OpenError::KeyUnknown, OpenError::Malformed].map(|it| it.to_string());
    let problems = [
        Problem::ApplicationRefused(String::new()),
        Problem::Denied,
        Problem::IdToken(String::new()),
        Problem::Method,
        Problem::NoSuchPage,
        Problem::NoTrip,
        Problem::NotReached(String::new()),
        Problem::Proof,
        Problem::Refused,
        Problem::State,
        Problem::Tenant,
        Problem::Unavailable,
        Problem::Unclear(Unclear::Repeated),
        Problem::Unreadable,
    ]
    .map(|problem| problem.reason());
    let own = [
        "request-unreadable",
        "session-gone",
        "session-over",
        "session-tenant",
        "secrets-not-read",
        "sessions-not-written",
    ];
    let all = refusals.iter().chain(&unclear).chain(&origin).chain(&sealed).chain(&problems).map(String::as_str);
    for reason in all.chain(own) {
        assert!(SECURITY.contains(&format!("`{reason}`")), "{reason} is not documented");
    }
}
