//! The frame of a page, its headers, and what people wrote on it.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Response, StatusCode};
use jiff::SignedDuration;
use maud::html;
use pages::{Frame, PLACES, Page, Pulse, ago, moment, redirect, theirs, way};
use sha2::{Digest as _, Sha256};

fn header<'a>(answer: &'a Response<String>, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[test]
fn a_page_is_kept_framed_and_run_by_nobody() {
    let answer = Page::new(StatusCode::NOT_FOUND, "There <is> none", html! { p { "Words & more" } }).answer();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
    assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    let style = hash_of(answer.body(), "style");
    assert_eq!(
        header(&answer, "content-security-policy"),
        format!("default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src {style}; form-action 'none'")
    );
    assert!(answer.body().contains("<title>There &lt;is&gt; none - Partner Alerts</title>"), "{}", answer.body());
    assert!(answer.body().contains("<h1>There &lt;is&gt; none</h1><p>Words &amp; more</p>"), "{}", answer.body());
}

/// What a policy has to have, so that what stands in this element counts.
fn hash_of(page: &str, element: &str) -> String {
    let (_, behind) = page.split_once(&format!("<{element}>")).unwrap();
    let (text, behind) = behind.split_once(&format!("</{element}>")).unwrap();
    assert!(!behind.contains(&format!("<{element}>")), "one hash is of one element");
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

#[test]
fn a_page_of_somebody_says_who_they_are_leads_to_all_places_and_runs_our_script_alone() {
    let frame = Frame { name: "Eve <b>".to_owned(), place: "/health", pulse: None };
    let page = || Page::new(StatusCode::OK, "Health", html! { p { "Well." } });
    let answer = page().within(frame.clone()).answer();
    let body = answer.body();
    let (style, script) = (hash_of(body, "style"), hash_of(body, "script"));
    assert_eq!(
        header(&answer, "content-security-policy"),
        format!(
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src {style}; script-src {script}; \
             connect-src 'self'; form-action 'self'"
        )
    );
    assert!(body.contains("<bdi>Eve &lt;b&gt;</bdi>"), "{body}");
    for (place, name) in PLACES {
        let current = if place == "/health" { " aria-current=\"page\"" } else { "" };
        assert!(body.contains(&format!("<a href=\"{place}\"{current}>{name}</a>")), "{place}");
    }
    assert!(!body.contains("style=") && !body.contains("onclick"), "what the policy forbids is not there");
    let pulse = Pulse { address: "/api/v1/pulse?a=1&b".to_owned(), mark: "m\"".to_owned(), unresolved: 7 };
    let answer = page().within(Frame { pulse: Some(pulse), ..frame }).answer();
    assert!(answer.body().contains("<title>(7) Health - Partner Alerts</title>"), "{}", answer.body());
    assert!(answer.body().contains("data-pulse=\"/api/v1/pulse?a=1&amp;b\" data-mark=\"m&quot;\""));
}

#[test]
fn moments_and_spans_are_words() {
    assert_eq!(
        moment("2026-03-02T09:05:07.123Z".parse().unwrap()).into_string(),
        "<time datetime=\"2026-03-02T09:05:07Z\">2026-03-02 09:05 UTC</time>"
    );
    let of = |seconds| ago(SignedDuration::from_secs(seconds));
    let spans = [0, 59, 60, 3_599, 3_600, 5_400, 86_400, 90_000, -840].map(of);
    let words = [
        "less than a minute",
        "less than a minute",
        "1 min",
        "59 min",
        "1 h",
        "1 h 30 min",
        "1 d",
        "1 d 1 h",
        "14 min",
    ];
    assert_eq!(spans, words);
}

#[test]
fn forms_go_where_the_page_says() {
    let page = || Page::new(StatusCode::OK, "A form", html! { form method="post" {} });
    let ours = page().with_forms().answer();
    assert!(header(&ours, "content-security-policy").ends_with("; form-action 'self'"));
    assert_eq!(header(&ours, "referrer-policy"), "same-origin", "the browser would say `Origin: null`");
    let on = page().with_forms_leading_to("https://login.example".to_owned()).answer();
    assert!(header(&on, "content-security-policy").ends_with("; form-action 'self' https://login.example"));
    // What can't be a header lets nothing go anywhere.
    let broken = page().with_forms_leading_to("https://login.example\r\nX: y".to_owned()).answer();
    assert_eq!(header(&broken, "content-security-policy"), "default-src 'none'; form-action 'none'");
}

#[test]
fn what_people_wrote_stays_within_itself() {
    let hostile = "<img src=x onerror=alert(1)> \u{202e}evil\u{2066} \u{61c}\u{feff}\r\n\0 \"'&";
    let shown = theirs(hostile).into_string();
    assert_eq!(shown, "<bdi>&lt;img src=x onerror=alert(1)&gt;  evil     \n  &quot;'&amp;</bdi>");
    let titled = Page::new(StatusCode::OK, hostile, html! {}).answer();
    assert_eq!(titled.body().matches(['\u{202e}', '\u{2066}', '\0']).count(), 0, "{}", titled.body());
    // Names in other directions and scripts stay as they are.
    assert_eq!(theirs("שלום 東京 Ünal").into_string(), "<bdi>שלום 東京 Ünal</bdi>");
    assert_eq!(way("/a?b=c&d", "On").into_string(), "<p><a href=\"/a?b=c&amp;d\">On</a></p>");
}

#[test]
fn a_redirect_goes_there_and_says_nothing_else() {
    let answer = redirect("/alerts?tenant=1");
    assert_eq!((answer.status(), header(&answer, "location")), (StatusCode::SEE_OTHER, "/alerts?tenant=1"));
    assert_eq!((answer.body().as_str(), header(&answer, "cache-control")), ("", "no-store"));
    assert!(redirect("/a\r\nSet-Cookie: b").headers().get("location").is_none());
}
