//! What every page has in common: its frame, its headers, and how what people wrote is shown.
//!
//! Promises: a page loads nothing from elsewhere, runs nothing, is framed by nobody and kept nowhere, and its forms go to us alone, or to where it says
//! that they lead. What comes from outside is escaped by the templates (`maud`), and can't turn the direction of the words around it. Leaves to others: what
//! stands on a page, and who may see it.

use http::{HeaderValue, Response, StatusCode, header};
use maud::{DOCTYPE, Markup, html};

/// The page that a browser is sent to where nothing better is known.
pub const HOME: &str = "/sign-in/me";

/// Nothing is loaded and nothing runs. Forms go where it says.
const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action";

/// A page.
#[derive(Debug)]
pub struct Page {
    status: StatusCode,
    title: String,
    body: Markup,
    forms: Forms,
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

impl Page {
    /// A page without forms, whose address goes nowhere: it may hold a code.
    pub fn new(status: StatusCode, title: impl Into<String>, body: Markup) -> Self {
        Self { status, title: title.into(), body, forms: Forms::None }
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

    /// The page as an answer.
    #[must_use]
    pub fn answer(self) -> Response<String> {
        let Self { status, title, body, forms } = self;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { (title) " - Partner Alerts" }
                }
                body {
                    h1 { (title) }
                    (body)
                }
            }
        };
        with_headers(status, page.into_string(), &forms)
    }
}

/// See Other: the browser goes there by `GET`. The address is one that we made, or a path that was judged.
#[must_use]
pub fn redirect(to: &str) -> Response<String> {
    let mut answer = with_headers(StatusCode::SEE_OTHER, String::new(), &Forms::None);
    // What is no header sends nobody anywhere.
    if let Ok(to) = HeaderValue::from_str(to) {
        answer.headers_mut().insert(header::LOCATION, to);
    }
    answer
}

/// What somebody wrote: marks that would turn the direction of what stands around it end with it, and control characters are blanks.
#[must_use]
pub fn theirs(text: &str) -> Markup {
    let text: String = text.chars().map(|mark| if is_unseen(mark) { ' ' } else { mark }).collect();
    html! { bdi { (text) } }
}

/// A way on, in a line of its own.
#[must_use]
pub fn way(to: &str, words: &str) -> Markup {
    html! { p { a href=(to) { (words) } } }
}

/// Control characters, and marks that show nothing and change how what is beside them reads (Unicode 16, general category Cf, of bidirectional
/// text and of zero width).
fn is_unseen(mark: char) -> bool {
    mark.is_control()
        || matches!(mark, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn with_headers(status: StatusCode, page: String, forms: &Forms) -> Response<String> {
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
    let policy = match forms {
        Forms::None => format!("{POLICY} 'none'"),
        Forms::Ours => format!("{POLICY} 'self'"),
        Forms::LeadingTo(origin) => format!("{POLICY} 'self' {origin}"),
    };
    // An address of configuration can always be written; without it nothing may be sent anywhere.
    let policy = HeaderValue::from_str(&policy);
    let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'; form-action 'none'"));
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}
