//! Words and moments, as pages show them.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use maud::{Markup, html};

/// What somebody wrote: marks that would turn the direction of what stands around it end with it, and control characters are blanks.
#[must_use]
pub fn theirs(text: &str) -> Markup {
    html! { bdi { (seen(text)) } }
}

/// The same as a text: for the title of a page, and for attributes.
#[must_use]
pub fn seen(text: &str) -> String {
    text.chars().map(|mark| if is_unseen(mark) { ' ' } else { mark }).collect()
}

/// A way on, in a line of its own.
#[must_use]
pub fn way(to: &str, words: &str) -> Markup {
    html! { p { a href=(to) { (words) } } }
}

/// A moment: in UTC as it stands, and in the viewer's zone where scripts run, with UTC on hover.
#[must_use]
pub fn moment(at: Timestamp) -> Markup {
    let utc = TimeZone::UTC.to_datetime(at);
    let (date, time) = (utc.date(), utc.time());
    let words = format!("{date} {:02}:{:02} UTC", time.hour(), time.minute());
    html! { time datetime=(format!("{at:.0}")) { (words) } }
}

/// A span in the words of people, of its two largest parts: `2 d 3 h`, `14 min`.
#[must_use]
pub fn ago(span: SignedDuration) -> String {
    let seconds = span.as_secs().unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Control characters but those that end lines, and marks that show nothing and change how what is beside them reads (Unicode 16, general category Cf, of
/// bidirectional text and of zero width).
fn is_unseen(mark: char) -> bool {
    (mark.is_control() && mark != '\n')
        || matches!(mark, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
