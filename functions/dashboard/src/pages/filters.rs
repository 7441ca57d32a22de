//! The form above the table: every filter of the list, the search, and which columns are shown. It goes to the page itself, so its answer can be kept.

use maud::{Markup, html};
use models::Tenant;
use pages::theirs;

use super::{columns::Column, view::View};

/// Choices of one value, with the words for each; the first is what the list is without the filter.
const STATES: [(&str, &str); 3] = [("open", "Unresolved"), ("resolved", "Resolved"), ("all", "All")];
const STATUSES: [(&str, &str); 4] =
    [("", "Any"), ("active", "Active"), ("investigating", "Investigating"), ("resolved", "Resolved")];
const SEVERITIES: [(&str, &str); 6] = [
    ("", "Any"),
    ("high,medium", "High and medium"),
    ("high", "High"),
    ("medium", "Medium"),
    ("low", "Low"),
    ("informational", "Informational"),
];
const REASONS: [(&str, &str); 4] =
    [("", "Any"), ("fraud", "Fraud"), ("legitimate", "Legitimate"), ("ignore", "Ignore")];
const ASSIGNEES: [(&str, &str); 3] = [("", "Anybody"), ("me", "Me"), ("nobody", "Nobody")];
const TESTS: [(&str, &str); 3] =
    [("", "With test alerts"), ("false", "Without test alerts"), ("true", "Test alerts alone")];
const SNOOZED: [(&str, &str); 3] = [("", "With snoozed"), ("false", "Without snoozed"), ("true", "Snoozed alone")];

/// The form.
pub(super) fn panel(view: &View, tenants: &[Tenant]) -> Markup {
    html! {
        form class="panel filters" method="get" action=(::pages::HOME) role="search" {
            label class="wide" {
                "Search: subscription ID, alert ID or beginning of a customer's name"
                input type="search" name="q" value=[view.get("q")] maxlength="200";
            }
            (choice(view, "state", "State", &STATES))
            (choice(view, "severity", "Severity", &SEVERITIES))
            (choice(view, "assignee", "Assignee", &ASSIGNEES))
            @if tenants.len() > 1 {
                label { "Partner tenant"
                    select name="tenant" {
                        option value="" { "All" }
                        @for tenant in tenants {
                            @let id = tenant.id.to_string();
                            option value=(id) selected[view.get("tenant") == Some(&id)] { (theirs(&tenant.display_name)) }
                        }
                    }
                }
            }
            @else if let Some(tenant) = view.get("tenant") { input type="hidden" name="tenant" value=(tenant); }
            details open[has_more(view)] {
                summary { "More filters" }
                div class="filters" {
                    (choice(view, "status", "Status", &STATUSES))
                    (choice(view, "reason", "Reason", &REASONS))
                    (text(view, "type", "Exact alert type"))
                    (text(view, "customer", "Customer ID"))
                    (text(view, "subscription", "Subscription ID"))
                    (day(view, "since", "From (UTC)"))
                    (day(view, "until", "To (UTC)"))
                    (choice(view, "test", "Test alerts", &TESTS))
                    (choice(view, "snoozed", "Snoozed", &SNOOZED))
                }
            }
            details open[view.get("columns").is_some()] {
                summary { "Columns" }
                div class="filters" {
                    @for (column, name, words) in Column::ALL {
                        @if column != Column::Name {
                            label class="check" {
                                input type="checkbox" name="columns" value=(name) checked[view.has("columns", name)];
                                (words)
                            }
                        }
                    }
                }
                p class="dim small" { "With none ticked all are shown." }
            }
            @for name in ["direction", "order", "size"] {
                @if let Some(value) = view.get(name) { input type="hidden" name=(name) value=(value); }
            }
            button class="main" { "Show" }
            @if view.is_narrowed() { a class="button" href=(::pages::HOME) { "Show all" } }
        }
    }
}

fn has_more(view: &View) -> bool {
    ["customer", "reason", "since", "snoozed", "status", "subscription", "test", "type", "until"]
        .into_iter()
        .any(|name| view.get(name).is_some())
}

fn choice(view: &View, name: &str, words: &str, choices: &[(&str, &str)]) -> Markup {
    let chosen = view.get(name).or(choices.first().map(|(first, _)| *first)).unwrap_or_default();
    html! {
        label { (words)
            select name=(name) {
                @for (value, words) in choices { option value=(value) selected[*value == chosen] { (words) } }
                // What a link of somebody's names, and no choice has.
                @if !choices.iter().any(|(value, _)| *value == chosen) { option value=(chosen) selected { (theirs(chosen)) } }
            }
        }
    }
}

fn text(view: &View, name: &str, words: &str) -> Markup {
    html! { label { (words) input type="text" name=(name) value=[view.get(name)] maxlength="200"; } }
}

fn day(view: &View, name: &str, words: &str) -> Markup {
    html! { label { (words) input type="date" name=(name) value=[view.day(name)]; } }
}
