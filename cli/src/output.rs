//! What a command says: tables and sentences for people, JSON for programs.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use serde::Serialize;

/// Where a command says what it has to say.
#[derive(Debug)]
pub struct Output<W> {
    out: W,
    json: bool,
}

impl<W: Write> Output<W> {
    /// For people, or as JSON.
    pub fn new(out: W, json: bool) -> Self {
        Self { out, json }
    }

    /// Whether what is said is for people.
    #[must_use]
    pub fn is_for_people(&self) -> bool {
        !self.json
    }

    /// Says how long work goes on: for people alone.
    ///
    /// # Errors
    ///
    /// Writing failed.
    pub fn progress(&mut self, line: &str) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    /// Asks the person for something: also where programs read what is said, since only a person can do it.
    ///
    /// # Errors
    ///
    /// Writing failed.
    pub fn ask(&mut self, line: &str) -> io::Result<()> {
        self.out.flush()?;
        writeln!(io::stderr().lock(), "{line}")
    }

    /// Says one value: as JSON, or in the words of `told`.
    ///
    /// # Errors
    ///
    /// Writing failed.
    pub fn say<T: Serialize>(&mut self, value: &T, told: impl FnOnce(&T) -> String) -> io::Result<()> {
        if self.json {
            serde_json::to_writer_pretty(&mut self.out, value)?;
            writeln!(self.out)
        } else {
            writeln!(self.out, "{}", told(value).trim_end())
        }
    }
}

/// A table without lines, whose first row says what stands in its columns.
#[must_use]
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)).collect::<Vec<_>>());
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// A text without what would steer a terminal, or turn what stands beside it around.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|mark| if mark.is_control() || turns(mark) { '\u{fffd}' } else { mark }).collect()
}

/// Whether a mark changes the direction of text (Unicode Standard Annex 9).
fn turns(mark: char) -> bool {
    matches!(mark, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_nothing_steers_the_terminal() {
        let rows =
            [vec!["a".to_owned(), "long name".to_owned()], vec!["\u{1b}[2Jb".to_owned(), "c\u{202e}d".to_owned()]];
        let text = table(&["id", "name"], rows);
        assert_eq!(text, " id     name\n a      long name\n \u{fffd}[2Jb  c\u{fffd}d\n");
    }

    #[test]
    fn a_value_is_said_in_words_or_as_json() {
        for (json, expected) in [(false, "two\n"), (true, "2\n")] {
            let mut out = Vec::new();
            Output::new(&mut out, json).say(&2, |_| "two".to_owned()).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
