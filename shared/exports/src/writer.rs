//! The text of an export, part by part.

use std::{fmt, mem, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    exported::{COLUMNS, Cell, Exported},
    guarded,
};

/// What spreadsheets know UTF-8 by.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values (RFC 4180): UTF-8 with a byte-order mark, lines that end with CR LF, the first of them the names of the columns, and cells that
    /// stay text.
    Csv,
    /// One array of JSON, an alert a line.
    Json,
}

impl Format {
    /// Its content type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }

    /// The name of a file of it, whatever is in it.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Csv => "partner-alerts.csv",
            Self::Json => "partner-alerts.json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Csv => "csv",
            Self::Json => "json",
        })
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Csv, Self::Json].into_iter().find(|format| format.to_string() == text);
        known.ok_or_else(|| "one of csv, json".to_owned())
    }
}

/// Why a record can't be written. Nothing that we know of does.
pub(crate) type Unwritable = Box<dyn std::error::Error + Send + Sync>;

/// Writes records.
#[derive(Debug)]
pub(crate) struct Writer {
    format: Format,
    written: Written,
}

/// What a writer has written, as far as what comes next depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    has_begun: bool,
    has_rows: bool,
}

impl Writer {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, written: Written::default() }
    }

    /// The same behind this.
    pub(crate) fn behind(self, written: Written) -> Self {
        Self { written, ..self }
    }

    pub(crate) fn written(&self) -> Written {
        self.written
    }

    /// The text of these records, behind that of those before.
    pub(crate) fn rows<'a>(&mut self, rows: impl Iterator<Item = Exported<'a>>) -> Result<Vec<u8>, Unwritable> {
        let part = self.beginning()?;
        match self.format {
            Format::Csv => {
                let mut lines = lines(part);
                for row in rows {
                    for (_, cell) in COLUMNS {
                        match cell(&row) {
                            Cell::Number(number) => lines.write_field(number.to_string())?,
                            Cell::Text(text) => lines.write_field(guarded(&text).as_bytes())?,
                        }
                    }
                    lines.write_record(None::<&[u8]>)?;
                }
                Ok(lines.into_inner().map_err(|error| error.to_string())?)
            }
            Format::Json => {
                let mut part = part;
                for row in rows {
                    part.extend_from_slice(if mem::replace(&mut self.written.has_rows, true) { b",\n" } else { b"\n" });
                    serde_json::to_writer(&mut part, &row)?;
                }
                Ok(part)
            }
        }
    }

    /// What stands behind all records.
    pub(crate) fn end(&mut self) -> Result<Vec<u8>, Unwritable> {
        let mut part = self.beginning()?;
        if self.format == Format::Json {
            part.extend_from_slice(b"\n]\n");
        }
        Ok(part)
    }

    /// What stands before all records, once.
    fn beginning(&mut self) -> Result<Vec<u8>, Unwritable> {
        if mem::replace(&mut self.written.has_begun, true) {
            return Ok(Vec::new());
        }
        match self.format {
            Format::Csv => {
                let mut lines = lines(BYTE_ORDER_MARK.as_bytes().to_vec());
                lines.write_record(COLUMNS.iter().map(|(name, _)| name))?;
                Ok(lines.into_inner().map_err(|error| error.to_string())?)
            }
            Format::Json => Ok(b"[".to_vec()),
        }
    }
}

/// Lines of CSV behind this.
fn lines(before: Vec<u8>) -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(before)
}
