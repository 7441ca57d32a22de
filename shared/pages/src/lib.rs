//! What every page has in common: its frame, its headers, and how what people wrote is shown.
//!
//! Promises: a page loads nothing from elsewhere, is framed by nobody and kept nowhere, and its forms go to us alone, or to where it says that they lead. Its
//! style, and the one script that some have, stand in the page itself and are allowed by their hashes, so that one round trip brings all of it and nothing else
//! runs. What comes from outside is escaped by the templates (`maud`), and can't turn the direction of the words around it. Leaves to others: what stands on a
//! page, and who may see it.

mod words;

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Response, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

pub use words::{ago, moment, seen, theirs, way};

/// The page that a browser is sent to where nothing better is known.
pub const HOME: &str = "/";

/// How pages look: dark and light, wide and narrow.
const STYLE: &str = include_str!("style.css");
/// What pages can do better with a script. No value ever stands in it.
const SCRIPT: &str = include_str!("script.js");

/// Nothing is loaded, and nothing runs or looks in another way than ours. Forms go where the page says.
static POLICY: LazyLock<String> =
    LazyLock::new(|| format!("default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src {}", hash(STYLE)));
/// The same with the script, which asks us alone.
static POLICY_WITH_SCRIPT: LazyLock<String> =
    LazyLock::new(|| format!("{}; script-src {}; connect-src 'self'", *POLICY, hash(SCRIPT)));

/// A page.
#[derive(Debug)]
pub struct Page {
    status: StatusCode,
    title: String,
    body: Markup,
    forms: Forms,
    frame: Option<Frame>,
}

/// Where the forms of a page go.
#[derive(Debug)]
enum Forms {
    /// There are none.
    None,
    /// To us.
    Ours,
    /// To us, and from there on to this origin.
    LeadingTo(String),
}

/// What stands around the pages of somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Who is signed in, as others know them.
    pub name: String,
    /// The place among [`PLACES`] that the page belongs to.
    pub place: &'static str,
    /// What tells that there is something new; none on pages that show nothing that changes.
    pub pulse: Option<Pulse>,
}

/// What tells that there is something new.
#[derive(Clone, Debug)]
pub struct Pulse {
    /// Where to ask.
    pub address: String,
    /// What the page shows.
    pub mark: String,
    /// How many alerts need somebody.
    pub unresolved: i64,
}

/// The places that every page leads to.
pub const PLACES: [(&str, &str); 3] = [(HOME, "Alerts"), ("/health", "Health"), ("/events", "Events")];

impl Page {
    /// A page without forms, whose address goes nowhere: it may hold a code. What people wrote may stand in the title.
    pub fn new(status: StatusCode, title: impl AsRef<str>, body: Markup) -> Self {
        Self { status, title: seen(title.as_ref()), body, forms: Forms::None, frame: None }
    }

    /// The same with forms that go to us.
    #[must_use]
    pub fn with_forms(self) -> Self {
        Self { forms: Forms::Ours, ..self }
    }

    /// The same with forms whose answer leads the browser to this origin: browsers hold that to the page's policy, too.
    #[must_use]
    pub fn with_forms_leading_to(self, origin: String) -> Self {
        Self { forms: Forms::LeadingTo(origin), ..self }
    }

    /// The same for somebody who is signed in: with the way to all places and out, which is a form.
    #[must_use]
    pub fn within(self, frame: Frame) -> Self {
        Self { frame: Some(frame), ..self }.with_forms()
    }

    /// The page as an answer.
    #[must_use]
    pub fn answer(self) -> Response<String> {
        let Self { status, title, body, forms, frame } = self;
        let unresolved = frame.as_ref().and_then(|frame| frame.pulse.as_ref()).map(|pulse| pulse.unresolved);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { @if let Some(unresolved) = unresolved { "(" (unresolved) ") " } (title) " - Partner Alerts" }
                    style { (PreEscaped(STYLE)) }
                }
                body class=[frame.is_none().then_some("plain")] {
                    @if let Some(frame) = &frame { (top(frame)) }
                    main id="main" { h1 { (title) } (body) }
                    @if frame.is_some() { script { (PreEscaped(SCRIPT)) } }
                }
            }
        };
        with_headers(status, page.into_string(), &forms, frame.is_some())
    }
}

fn top(frame: &Frame) -> Markup {
    html! {
        a class="skip" href="#main" { "To the content" }
        header class="top" {
            strong { "Partner Alerts" }
            nav aria-label="Places" { @for (place, name) in PLACES {
                a href=(place) aria-current=[(place == frame.place).then_some("page")] { (name) }
            } }
            a href="/sign-in/me" { (theirs(&frame.name)) }
            form method="post" action="/sign-out" { button { "Sign out" } }
        }
        @if let Some(Pulse { address, mark, .. }) = &frame.pulse {
            p class="panel notice" role="status" data-pulse=(address) data-mark=(mark) hidden {
                "Something is new: reload the page to see it."
            }
        }
    }
}

/// See Other: the browser goes there by `GET`. The address is one that we made, or a path that was judged.
#[must_use]
pub fn redirect(to: &str) -> Response<String> {
    let mut answer = with_headers(StatusCode::SEE_OTHER, String::new(), &Forms::None, false);
    // What is no header sends nobody anywhere.
    if let Ok(to) = HeaderValue::from_str(to) {
        answer.headers_mut().insert(header::LOCATION, to);
    }
    answer
}

/// Off to sign in, and back to this path of ours.
#[must_use]
pub fn to_sign_in(asked: &str) -> Response<String> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("return", asked).finish();
    redirect(&format!("/sign-in?{query}"))
}

fn with_headers(status: StatusCode, page: String, forms: &Forms, has_script: bool) -> Response<String> {
    let mut answer = Response::new(page);
    *answer.status_mut() = status;
    // A browser that sends no referrer sends `Origin: null` with a form, and that is nobody of ours. No other site hears of the address either way.
    let referrer = if matches!(forms, Forms::None) { "no-referrer" } else { "same-origin" };
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::REFERRER_POLICY, referrer),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let policy = if has_script { &*POLICY_WITH_SCRIPT } else { &*POLICY };
    let policy = match forms {
        Forms::None => format!("{policy}; form-action 'none'"),
        Forms::Ours => format!("{policy}; form-action 'self'"),
        Forms::LeadingTo(origin) => format!("{policy}; form-action 'self' {origin}"),
    };
    // An address of configuration can always be written; without it nothing may be sent anywhere.
    let policy = HeaderValue::from_str(&policy);
    let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'; form-action 'none'"));
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}

/// What a policy allows a text in a page by (CSP level 3, hash sources).
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}
