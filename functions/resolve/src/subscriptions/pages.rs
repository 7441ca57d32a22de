//! What a person at a browser sees who signs in for an operation.

use api::Answer;
use http::StatusCode;
use maud::{Markup, html};
use pages::{HOME, Page, way};

/// What there is to say of an operation.
pub(super) struct Row {
    pub(super) operation: String,
    /// Sentences, each of a line.
    pub(super) words: Vec<Markup>,
}

/// Where a form of a page goes on.
pub(super) struct Form {
    /// The path, with its query.
    pub(super) action: String,
    pub(super) button: &'static str,
    /// Where the answer to it leads the browser.
    pub(super) leads_to: String,
}

/// A page with this heading, these sentences, and what there is to say of each operation.
pub(super) fn page(status: StatusCode, title: &str, words: &Markup, rows: &[Row]) -> Answer {
    let body = html! { (said(words, rows)) (way(HOME, "Back to Partner Alerts")) };
    Page::new(status, title, body).answer()
}

/// The same with a form.
pub(super) fn page_with_form(title: &str, words: &Markup, rows: &[Row], form: Form) -> Answer {
    let Form { action, button, leads_to } = form;
    let body = html! {
        (said(words, rows))
        form method="post" action=(action) { button type="submit" { (button) } }
        (way(HOME, "Leave it, and go back to Partner Alerts"))
    };
    Page::new(StatusCode::OK, title, body).with_forms_leading_to(leads_to).answer()
}

/// That it goes no further, and the way on: to sign in anew, to the same page again, or back.
pub(super) fn dead_end(status: StatusCode, words: &str, (to, way_on): (&str, &str)) -> Answer {
    Page::new(status, "This sign-in goes no further", html! { p { (words) } (way(to, way_on)) }).answer()
}

fn said(words: &Markup, rows: &[Row]) -> Markup {
    html! {
        p { (words) }
        @if !rows.is_empty() {
            ul { @for Row { operation, words } in rows {
                li {
                    @for words in words { (words) br; }
                    "Operation "
                    // A narrow screen breaks the id where it may.
                    @for part in operation.as_bytes().chunks(16) { (String::from_utf8_lossy(part)) wbr; }
                }
            } }
        }
    }
}
