//! What the budgets came to.

use std::fmt::Display;

/// A budget: its number, and what its figure may be at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) number: u8,
    pub(crate) most: f64,
    /// Behind the target.
    pub(crate) unit: &'static str,
    /// Behind the figure and its unit: what it is of, where a budget has more than one.
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
        let Budget { number, of, most, unit } = budget;
        let verdict = if figure <= *most { "ok" } else { "short" };
        self.short |= figure > *most;
        println!("budget {number}: {figure:.2}{unit}{of} target {most}{unit} {verdict}");
    }

    pub(crate) fn is_short(&self) -> bool {
        self.short
    }
}

/// Prints a measurement that a figure comes from.
pub(crate) fn detail(line: impl Display) {
    println!("    {line}");
}
