//! Findings, as they are said.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::finding::{Finding, State, counted};
use crate::output::printable;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    problems: u64,
    warnings: u64,
    unknown: u64,
    ok: u64,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(findings: Vec<Finding>) -> Self {
        let count = |state| {
            let these = findings.iter().filter(|finding| finding.state == state).count();
            u64::try_from(these).unwrap_or(u64::MAX)
        };
        Self {
            problems: count(State::Problem),
            warnings: count(State::Warning),
            unknown: count(State::Unknown),
            ok: count(State::Ok),
            findings,
        }
    }

    /// For people: the lines of one part alone, without heading and sum.
    pub(super) fn lines(findings: &[Finding]) -> String {
        let width = findings.iter().map(|finding| width(&finding.subject)).max().unwrap_or_default();
        let mut text = String::new();
        for finding in findings {
            write(&mut text, finding, width);
        }
        text
    }

    /// Whether something is wrong, or so little could be seen that nobody knows: not even which tenants there are.
    pub(super) fn fails(&self) -> bool {
        let blind = |finding: &Finding| finding.area == "tenants" && finding.state == State::Unknown;
        self.problems > 0 || self.findings.iter().any(blind)
    }

    /// For people: by part, each with what to do below it, and the sum.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut before = None;
        let width = self.findings.iter().map(|finding| width(&finding.subject)).max().unwrap_or_default();
        for finding in &self.findings {
            let part = (finding.area, finding.tenant.as_ref());
            if before != Some(part) {
                let bold = Style::new().bold();
                let gap = if before.is_some() { "\n" } else { "" };
                let tenant = finding.tenant.as_ref().map_or(String::new(), |tenant| format!(" {tenant}"));
                let _ = writeln!(text, "{gap}{bold}{}{tenant}{bold:#}", finding.area);
                before = Some(part);
            }
            write(&mut text, finding, width);
        }
        let Self { problems, warnings, unknown, ok, .. } = self;
        let (problems, warnings) = (counted(*problems, "problem"), counted(*warnings, "warning"));
        let _ = write!(text, "\n{problems}, {warnings}, {unknown} unknown, {ok} ok");
        text
    }
}

/// Addresses stand alone, so that they push nothing else aside.
const WIDEST: usize = 28;

fn width(subject: &str) -> usize {
    Some(subject.chars().count()).filter(|width| *width <= WIDEST).unwrap_or_default()
}

fn write(text: &mut String, finding: &Finding, width: usize) {
    let style = style(finding.state);
    let state = finding.state.as_str();
    let (subject, words) = (printable(&finding.subject), printable(&finding.words));
    // To a string nothing can fail to be written.
    let _ = writeln!(text, "  {style}{state:<7}{style:#}  {subject:<width$}  {words}");
    if let Some(advice) = &finding.advice {
        let _ = writeln!(text, "           {:<width$}  What to do: {}", "", printable(advice));
    }
}

fn style(state: State) -> Style {
    let colour = match state {
        State::Ok => AnsiColor::Green,
        State::Unknown => AnsiColor::Cyan,
        State::Warning => AnsiColor::Yellow,
        State::Problem => AnsiColor::Red,
    };
    colour.on_default()
}
