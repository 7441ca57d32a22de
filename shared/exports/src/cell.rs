//! Cells that stay text (CWE-1236). Whoever writes an alert's or a customer's name must not have a spreadsheet of ours calculate.
//!
//! A spreadsheet takes what begins with `=`, `+`, `-` or `@` for a formula, some of them also behind blanks, quotes and what can't be seen, and their
//! full-width forms as well; a tab, or the end of a line, may begin a new cell. What looks like a number becomes one, and a long id loses its last digits. An apostrophe in front
//! makes text of all of these. A tab would be hidden from sight, and is refused for that; `="…"` would be a formula itself.
//!
//! One apostrophe is all that is ever added, so what was written can be had back: see [`unguarded`].

use std::borrow::Cow;

/// What is put in front.
const GUARD: char = '\'';

/// A text as a cell has it: with an apostrophe in front where a spreadsheet could take it for a formula or a number.
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    if needs_guard(text) { Cow::Owned(format!("{GUARD}{text}")) } else { Cow::Borrowed(text) }
}

/// The text that a cell was made of.
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    // An apostrophe of the text's own changes nothing of what it needs, so one that is in front of such a text is ours.
    cell.strip_prefix(GUARD).filter(|text| needs_guard(text)).unwrap_or(cell)
}

fn needs_guard(text: &str) -> bool {
    let rest = text.trim_start_matches(is_passed_over);
    let passed_over = &text[..text.len() - rest.len()];
    passed_over.contains(char::is_control) || rest.starts_with(begins_formula) || is_like_a_number(rest)
}

/// Blanks, what can't be seen, and quotes: what programs pass over, or take away.
fn is_passed_over(mark: char) -> bool {
    mark.is_whitespace()
        || mark.is_control()
        || matches!(mark, '\'' | '"' | '`' | '´' | '«' | '»' | '‹' | '›' | '＂' | '＇' | '｀' | '\u{2018}'..='\u{201f}' | '\u{2032}'..='\u{2037}')
        || matches!(mark, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The marks that begin formulas, with their full-width and small forms, and the minus of mathematics.
fn begins_formula(mark: char) -> bool {
    matches!(mark, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '﹦' | '﹢' | '﹣' | '﹫' | '−')
}

/// Whether nothing but digits stands there, and what numbers, days and times are written with.
fn is_like_a_number(text: &str) -> bool {
    let is_of_numbers = |mark: char| {
        mark.is_numeric()
            || matches!(mark, '.' | ',' | ':' | '/' | '-' | '+' | '%' | 'e' | 'E' | ' ' | '\u{a0}' | '\u{202f}')
    };
    text.starts_with(|mark: char| mark.is_numeric() || mark == '.' || mark == ',')
        && text.contains(char::is_numeric)
        // A day has two hyphens; a GUID, which may have digits alone, has four.
        && text.matches('-').count() <= 2
        && text.trim_end().chars().all(is_of_numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_could_take_for_a_formula_or_a_number_gets_an_apostrophe() {
        for text in [
            "=cmd|'/c calc'!A1",
            "=HYPERLINK(\"https://evil.example\")",
            "@SUM(1+1)*cmd|' /C calc'!A0",
            "-1+1",
            "+1",
            "-",
            "\t=1",
            "\tplain",
            "\rplain",
            "\nplain",
            "\0plain",
            "   =1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\u{200b}\u{202e}=1",
            "\"=1",
            "'=1",
            "''''=1",
            "\u{201c}=1",
            "＝1+1",
            "＋1",
            "－1",
            "＠SUM",
            "−1",
            "1234567890123456789",
            "00017",
            "12E5",
            "1.5",
            "3-4",
            "2026/03/02",
            "'17",
            " 17 ",
        ] {
            let cell = guarded(text);
            assert_eq!((cell.chars().next(), &cell[1..]), (Some('\''), text), "{text:?}");
            assert_eq!(unguarded(&cell), text);
        }
    }

    #[test]
    fn what_is_plainly_text_stays_as_it_is() {
        for text in [
            "",
            "Contoso",
            "a=b",
            "O'Hara",
            "'quoted'",
            "\"quoted\"",
            "8ab0d1c2-7e11-4c57-9f0e-3b1d2c4a5e6f",
            "77777777-2222-4333-8444-555555555555",
            "2026-03-02T09:00:00Z",
            "3Com",
            "{\"a\":1}",
            "\u{a0}",
            "<script>alert(1)</script>",
        ] {
            assert_eq!(guarded(text), text);
            assert_eq!(unguarded(text), text);
        }
    }
}
