//! What the budgets came to.

use std::fmt::{self, Display};

/// What a figure may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    fn is_met_by(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
        }
    }
}

impl Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(formatter, "at least {least}"),
            Self::AtMost(most) => write!(formatter, "at most {most}"),
        }
    }
}

/// A budget.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) number: u8,
    pub(crate) target: Target,
    /// Behind the target.
    pub(crate) unit: &'static str,
    /// Behind the figure and its unit: what it is of.
    pub(crate) of: &'static str,
}

/// Prints the figures, and remembers whether one is short.
#[derive(Debug, Default)]
pub(crate) struct Report {
    short: bool,
}

impl Report {
    /// A figure, against its budget.
    pub(crate) fn figure(&mut self, budget: &Budget, figure: f64) {
        let Budget { number, target, unit, of } = budget;
        let is_met = target.is_met_by(figure);
        self.short |= !is_met;
        let verdict = if is_met { "ok" } else { "short" };
        // Counts are whole; of a ratio three digits show what two would round away.
        let digits = if figure.fract() == 0.0 { 0 } else { 3 };
        println!("budget {number}: {figure:.digits$}{unit}{of} target {target}{unit} {verdict}");
    }

    pub(crate) fn is_short(&self) -> bool {
        self.short
    }
}

/// Prints a measurement that a figure comes from.
pub(crate) fn detail(line: impl Display) {
    println!("    {line}");
}
