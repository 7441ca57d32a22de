//! What a browser shows, where it may be sent, and what another site can make it do.

use http::{HeaderMap, HeaderValue, Method};
use identity::{
    ABSOLUTE, Cookies, IDLE, MOST_SESSIONS, Origin, Presented, ReturnPath, Session, SessionId, TOUCH_EVERY, Unclear,
    same_origin,
};
use jiff::SignedDuration;

use crate::support::{TENANT, now, person};

const ID: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

fn read<'a>(cookies: &[&str], authorization: &[&'a str]) -> Result<Presented<'a>, Unclear> {
    let authorization: Vec<_> = authorization.iter().map(|value| value.as_bytes()).collect();
    Presented::read(&Cookies::default().and(cookies.iter().copied()), &authorization)
}

#[test]
fn a_cookie_that_is_no_text_costs_no_other_and_what_can_not_be_told_is_unclear() {
    let session = format!("__Host-session={ID}");
    let joined = |parts: &[&[u8]]| {
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_bytes(&parts.join(&b"; "[..])).unwrap());
        headers
    };
    let other = format!("__Host-session={}", "A".repeat(43));
    let many: Vec<String> =
        (b'B'..b'K').map(|mark| format!("__Host-session={}A", char::from(mark).to_string().repeat(42))).collect();
    let many: Vec<&[u8]> = many.iter().map(String::as_bytes).collect();
    for (what, parts, expected, ended) in [
        ("no text beside", &[b"x\xc3\xa9=\xff\xfe".as_slice(), session.as_bytes()][..], "session", 1),
        ("what is no pair beside", &[b"\xff".as_slice(), session.as_bytes(), b""], "session", 1),
        ("a session that is no text", &[b"__Host-session=\xff".as_slice()], "cookie-malformed", 0),
        ("one beside it", &[b"__Host-session=\xff".as_slice(), session.as_bytes()], "repeated-proof", 1),
        ("two sessions", &[other.as_bytes(), session.as_bytes()], "repeated-proof", 2),
        ("a session twice", &[session.as_bytes(), session.as_bytes()], "repeated-proof", 1),
        ("a stranger's many", &many, "repeated-proof", MOST_SESSIONS),
    ] {
        let headers = joined(parts);
        let cookies = Cookies::of(&headers);
        let shown = match Presented::read(&cookies, &[]) {
            Ok(Presented::Session(_)) => "session".to_owned(),
            Ok(other) => format!("{other:?}"),
            Err(unclear) => unclear.to_string(),
        };
        assert_eq!((shown.as_str(), cookies.sessions().len()), (expected, ended), "{what}");
    }
}

#[test]
fn claims_of_a_session_may_have_members_that_this_release_does_not_know() {
    let session = Session::begin(person(TENANT, &["AdminAgent"]), now());
    let stored = session.stored_claims().unwrap();
    assert_eq!(Session::of_stored(&stored, now(), now()).unwrap(), session);
    let later = stored.replacen('{', "{\"acr\":\"1\",", 1);
    assert_eq!(Session::of_stored(&later, now(), now()).unwrap(), session);
    assert!(Session::of_stored(&stored.replace("oid", "sub"), now(), now()).is_err());
}

#[test]
fn a_request_shows_one_proof_or_none() {
    let cookie = format!("__Host-session={ID}");
    let (twice, beside) = (format!("{cookie}; {cookie}"), format!("a=b; {cookie}; __Host-sessions=x"));
    let short = cookie[..cookie.len() - 1].to_owned();
    // The last mark has bits that are not ours: another spelling of the same bytes.
    let respelt = format!("{}F", &cookie[..cookie.len() - 1]);
    let long = format!("Bearer {}", "a".repeat(10_240));
    let shown = |cookies: &[&str], authorization: &[&str]| match read(cookies, authorization) {
        Ok(Presented::Nothing) => "nothing".to_owned(),
        Ok(Presented::Session(id)) => format!("session {}", &id.key().to_string()[..8]),
        Ok(Presented::Bearer(token)) => format!("bearer {token}"),
        Err(unclear) => unclear.to_string(),
    };
    let session = format!("session {}", &SessionId::from_random([1; 32]).key().to_string()[..8]);
    for (cookies, authorization, expected) in [
        (&[][..], &[][..], "nothing"),
        (&["a=b; session=x; x__Host-session=y; __host-session=z"], &[], "nothing"),
        (&[&cookie], &[], &session),
        (&[&beside], &[], &session),
        (&["a=b", &cookie], &[], &session),
        (&[&twice], &[], "repeated-proof"),
        (&[&cookie, &cookie], &[], "repeated-proof"),
        (&[&short], &[], "cookie-malformed"),
        (&[&respelt], &[], "cookie-malformed"),
        (&["__Host-session="], &[], "cookie-malformed"),
        (&["__Host-session=\"x\""], &[], "cookie-malformed"),
        (&[&cookie], &["Bearer a.b.c"], "two-proofs"),
        (&[&cookie], &["Basic eDp5"], "two-proofs"),
        (&[], &["Bearer a.b.c"], "bearer a.b.c"),
        (&[], &["bearer a.b.c"], "bearer a.b.c"),
        (&[], &["Bearer a.b.c", "Bearer a.b.c"], "repeated-proof"),
        (&[], &["Bearer a.b.c,Bearer d.e.f"], "authorization-malformed"),
        (&[], &["Bearer  a.b.c"], "authorization-malformed"),
        (&[], &["Bearer"], "authorization-malformed"),
        (&[], &["Bearer "], "authorization-malformed"),
        (&[], &["Basic eDp5"], "authorization-malformed"),
        (&[], &[""], "authorization-malformed"),
        (&[], &["a.b.c"], "authorization-malformed"),
        (&[], &[&long], "header-too-large"),
    ] {
        assert_eq!(shown(cookies, authorization), expected, "{cookies:?} {authorization:?}");
    }
    assert_eq!(read(&[&long], &[]).unwrap_err(), Unclear::TooLarge);
}

#[test]
fn a_sessions_cookie_goes_to_this_host_over_tls_and_to_no_script() {
    let id = SessionId::from_random([1; 32]);
    assert_eq!(id.set_cookie(), format!("__Host-session={ID}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=28800"));
    assert_eq!(SessionId::unset_cookie(), "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    assert!(!format!("{id:?}").contains("AQEB"));
    // As `sha256sum` says: what lies in the table is not what lies in the browser.
    assert_eq!(id.key().to_string(), "72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793");
}

#[test]
fn a_session_ends_an_hour_after_its_last_use_and_eight_after_its_beginning() {
    let second = SignedDuration::from_secs(1);
    let session = Session::begin(person(TENANT, &[]), now());
    assert!(session.is_alive(now()) && session.is_alive(now() + IDLE - second));
    assert!(!session.is_alive(now() + IDLE));
    let used = Session { seen: now() + ABSOLUTE - second, ..session.clone() };
    assert!(used.is_alive(now() + ABSOLUTE - second));
    assert!(!used.is_alive(now() + ABSOLUTE));
    assert!(!session.is_alive(now() - TOUCH_EVERY), "from the future");
    assert!(!session.is_to_be_touched(now() + TOUCH_EVERY - second));
    assert!(session.is_to_be_touched(now() + TOUCH_EVERY));
}

#[test]
fn nobody_is_sent_elsewhere() {
    for own in ["/", "/alerts", "/alerts?state=open&tenant=a%2Fb", "/alerts/x#note", "/a:b@c", "/sign-in/me"] {
        assert_eq!(ReturnPath::read(own, "/sign-in/me").as_str(), own);
    }
    let long = format!("/{}", "a".repeat(1_024));
    for hostile in [
        "",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " /alerts",
        "/ alerts",
        "/alerts\r\nSet-Cookie: a=b",
        "/alerts\0",
        "/ä",
        "/\u{2044}evil.example",
        "alerts",
        "./alerts",
        "?a=b",
        "@evil.example",
        "/a//evil.example",
        "/alerts\\..",
        "/sign-in",
        "/sign-in?return=/sign-in",
        "/sign-out",
        "/sign-in/callback?code=x",
        &long,
    ] {
        assert_eq!(ReturnPath::read(hostile, "/sign-in/me").as_str(), "/sign-in/me", "{hostile:?}");
    }
}

#[test]
fn an_origin_is_written_as_browsers_write_it() {
    for good in [
        "https://alerts.example",
        "https://a.example:8443",
        "http://localhost:8080",
        "http://127.0.0.1:1",
        "http://[::1]:8080",
    ] {
        assert_eq!(good.parse::<Origin>().unwrap().as_str(), good);
    }
    for bad in [
        "",
        "alerts.example",
        "http://alerts.example",
        "https://alerts.example/",
        "https://alerts.example/x",
        "https://alerts.example:443",
        "https://Alerts.example",
        "https://u@alerts.example",
        "https://",
        "https://alerts.example?x",
        "http://localhost:80",
        "null",
        "ftp://alerts.example",
        "http://localhost.evil.example",
    ] {
        assert!(bad.parse::<Origin>().is_err(), "{bad}");
    }
}

#[test]
fn only_our_own_pages_change_anything() {
    let own: Origin = "https://alerts.example".parse().unwrap();
    let judged = |method: Method, sent: &[(&'static str, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_static(value));
        }
        same_origin(&own, &method, &headers).map_err(|error| error.to_string())
    };
    let refused = |reason: &str| Err(reason.to_owned());
    let origin = ("origin", "https://alerts.example");
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::from_bytes(b"ODD").unwrap()] {
        assert_eq!(judged(method.clone(), &[origin]), Ok(()));
        assert_eq!(judged(method.clone(), &[origin, ("sec-fetch-site", "same-origin")]), Ok(()));
        for (sent, reason) in [
            (&[][..], "origin-missing"),
            (&[("host", "alerts.example")], "origin-missing"),
            (&[("referer", "https://alerts.example/x")], "origin-missing"),
            (&[("origin", "null")], "origin-foreign"),
            (&[("origin", "https://evil.example"), ("host", "evil.example")], "origin-foreign"),
            (&[("origin", "https://alerts.example.evil.example")], "origin-foreign"),
            (&[("origin", "http://alerts.example")], "origin-foreign"),
            (&[("origin", "https://alerts.example:8443")], "origin-foreign"),
            (&[("origin", "https://alerts.example,https://evil.example")], "origin-foreign"),
            (&[origin, ("origin", "https://evil.example")], "origin-repeated"),
            (&[origin, ("sec-fetch-site", "cross-site")], "fetch-site-foreign"),
            (&[origin, ("sec-fetch-site", "same-site")], "fetch-site-foreign"),
            (&[origin, ("sec-fetch-site", "none")], "fetch-site-foreign"),
            (&[origin, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], "origin-repeated"),
        ] {
            assert_eq!(judged(method.clone(), sent), refused(reason), "{method} {sent:?}");
        }
    }
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        assert_eq!(judged(method, &[("origin", "https://evil.example")]), Ok(()));
    }
}
