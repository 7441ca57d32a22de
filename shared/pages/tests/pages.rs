//! The frame of a page, its headers, and what people wrote on it.

use http::{Response, StatusCode};
use maud::html;
use pages::{Page, redirect, theirs, way};

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
    assert_eq!(
        header(&answer, "content-security-policy"),
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
    );
    assert!(answer.body().contains("<title>There &lt;is&gt; none - Partner Alerts</title>"), "{}", answer.body());
    assert!(answer.body().contains("<h1>There &lt;is&gt; none</h1><p>Words &amp; more</p>"), "{}", answer.body());
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
    assert_eq!(shown, "<bdi>&lt;img src=x onerror=alert(1)&gt;  evil        &quot;'&amp;</bdi>");
    // Names in other directions and scripts stay as they are.
    assert_eq!(theirs("שלום 東京 Ünal").into_string(), "<bdi>שלום 東京 Ünal</bdi>");
    assert_eq!(way("/a?b=c&d", "On").into_string(), "<p><a href=\"/a?b=c&amp;d\">On</a></p>");
}

#[test]
fn a_title_has_nothing_that_nobody_sees() {
    let titled = Page::new(StatusCode::OK, "Cancel \u{202e}evil\u{2066}\0", html! {}).answer();
    assert!(titled.body().contains("<title>Cancel  evil   - Partner Alerts</title>"), "{}", titled.body());
    assert!(titled.body().contains("<h1>Cancel  evil  </h1>"), "{}", titled.body());
}

#[test]
fn a_redirect_goes_there_and_says_nothing_else() {
    let answer = redirect("/alerts?tenant=1");
    assert_eq!((answer.status(), header(&answer, "location")), (StatusCode::SEE_OTHER, "/alerts?tenant=1"));
    assert_eq!((answer.body().as_str(), header(&answer, "cache-control")), ("", "no-store"));
    assert!(redirect("/a\r\nSet-Cookie: b").headers().get("location").is_none());
}
