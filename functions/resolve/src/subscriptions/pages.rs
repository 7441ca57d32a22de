//! What a person at a browser sees who signs in for an operation: plain pages without scripts, styles or anything from elsewhere. What has come from
//! somebody is escaped.

use api::Answer;
use http::{HeaderValue, Response, StatusCode, header};

/// Nothing is loaded and nothing runs, and no page of anybody's may frame ours. Forms go where it says.
const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action";

/// What there is to say of an operation.
pub(super) struct Row {
    pub(super) operation: String,
    /// Sentences, each of a line.
    pub(super) words: Vec<String>,
}

/// Where a form of a page goes on.
pub(super) struct Form {
    /// The path, with its query.
    pub(super) action: String,
    pub(super) button: &'static str,
    /// Where the answer to it leads the browser: browsers hold that to the page's policy, too.
    pub(super) leads_to: String,
}

/// A page with this heading, these sentences, and what there is to say of each operation.
pub(super) fn page(status: StatusCode, title: &str, words: &str, rows: &[Row]) -> Answer {
    with_headers(status, body(title, words, rows, ""), "'none'", "no-referrer")
}

/// The same with a form.
pub(super) fn page_with_form(title: &str, words: &str, rows: &[Row], form: &Form) -> Answer {
    let Form { action, button, leads_to } = form;
    let form = format!(
        "<form method=\"post\" action=\"{}\"><button type=\"submit\">{}</button></form>\n",
        escaped(action),
        escaped(button)
    );
    // A browser that sends no referrer sends `Origin: null` with a form, and that is nobody of ours.
    with_headers(StatusCode::OK, body(title, words, rows, &form), &format!("'self' {leads_to}"), "same-origin")
}

fn body(title: &str, words: &str, rows: &[Row], form: &str) -> String {
    let row = |Row { operation, words }: &Row| {
        let words = words.iter().map(|words| escaped(words)).collect::<Vec<_>>().join("<br>\n");
        // A narrow screen breaks the id where it may.
        let id: Vec<_> = operation.as_bytes().chunks(16).map(|part| escaped(&String::from_utf8_lossy(part))).collect();
        format!("<li>{words}<br>\nOperation {}</li>\n", id.join("<wbr>"))
    };
    let rows = rows.iter().map(row).collect::<Vec<_>>().concat();
    let list = if rows.is_empty() { String::new() } else { format!("<ul>\n{rows}</ul>\n") };
    let (title, words) = (escaped(title), escaped(words));
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title} - Partner Alerts</title>\n<h1>{title}</h1>\n\
         <p>{words}</p>\n{list}{form}</html>\n"
    )
}

/// Off to this address.
pub(super) fn redirect(to: &str) -> Answer {
    let mut answer = with_headers(StatusCode::SEE_OTHER, String::new(), "'none'", "no-referrer");
    if let Ok(to) = HeaderValue::from_str(to) {
        answer.headers_mut().insert(header::LOCATION, to);
    }
    answer
}

fn with_headers(status: StatusCode, page: String, forms: &str, referrer: &'static str) -> Answer {
    let mut answer = Response::new(page);
    *answer.status_mut() = status;
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::REFERRER_POLICY, referrer),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // An address of configuration can always be written; without it nothing may be sent anywhere.
    let policy = HeaderValue::from_str(&format!("{POLICY} {forms}"));
    let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'; form-action 'none'"));
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}

/// A text as a part of a page, in an element or an attribute in double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for mark in text.chars() {
        match mark {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            mark if mark.is_control() => escaped.push(' '),
            mark => escaped.push(mark),
        }
    }
    escaped
}
