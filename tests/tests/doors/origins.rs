//! A session counts from our own pages alone, wherever something would change.

use sign_in::ROUTES as SIGN_IN;

use crate::support::{Asker, Door, assert_nothing_was_done, doors, signed_in, with_an_alert};

#[tokio::test]
async fn nothing_changes_by_a_session_that_another_page_sends_along() {
    let system = with_an_alert().await;
    let (asker, session) = (Asker::new(&system), signed_in(&system).await);
    let own = asker.origin.as_str();
    let other_port = "http://127.0.0.1:1";
    let foreign: [(&str, &[(&str, &str)]); 11] = [
        ("no origin", &[]),
        ("no origin, and a word that it is ours", &[("sec-fetch-site", "same-origin")]),
        ("another site", &[("origin", "https://evil.example")]),
        ("another site that says it is ours", &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")]),
        ("another port", &[("origin", other_port)]),
        ("a sandbox", &[("origin", "null")]),
        ("two origins", &[("origin", own), ("origin", "https://evil.example")]),
        ("a subdomain", &[("origin", own), ("sec-fetch-site", "same-site")]),
        ("another site's link", &[("origin", own), ("sec-fetch-site", "cross-site")]),
        ("no page at all", &[("origin", own), ("sec-fetch-site", "none")]),
        ("two words", &[("origin", own), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]),
    ];
    let changing = || doors().into_iter().filter(Door::changes_something);
    assert!(changing().count() >= 14, "these are not all");
    for (what, headers) in foreign {
        let headers: Vec<_> = headers.iter().copied().chain([("cookie", session.as_str())]).collect();
        for door in changing() {
            let said = asker.knock(&door, &headers).await;
            let problem = if door.is_page() { "" } else { "foreign-origin" };
            assert_eq!(said, (403, problem.to_owned()), "{what}: {}", door.route);
        }
    }
    assert_nothing_was_done(&system).await;
    // From our own page it counts, and where a browser is too old to say so.
    for headers in [&[("origin", own), ("sec-fetch-site", "same-origin")][..], &[("origin", own)]] {
        let headers: Vec<_> = headers.iter().copied().chain([("cookie", session.as_str())]).collect();
        for door in changing() {
            let (status, told) = asker.knock(&door, &headers).await;
            let is_let_in = status != 401 && told != "foreign-origin";
            assert!(is_let_in, "{}: {status} {told}", door.route);
        }
    }
    assert_eq!(system.microsoft.alerts(tests::TENANT)[0].resolved_reason.as_deref(), Some("fraud"), "all the way");
    // What changes something beside these is the way out, which tests/tests/people tries.
    let others: Vec<_> = SIGN_IN.into_iter().filter(|route| !route.starts_with("GET ")).collect();
    assert_eq!(others, ["POST /sign-out"]);
}
