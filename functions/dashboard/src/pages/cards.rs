//! The four figures, each with what it is, what it is compared with, and the alerts behind it; and the chart with its table.

use std::{cmp::Ordering, fmt::Write as _};

use jiff::{SignedDuration, civil::Date};
use maud::{Markup, html};
use models::{ChartDay, Compared, Figures, Quantile, ResponseTimes};
use pages::ago;

use super::view::View;

/// The cards. Each leads to the alerts behind it, within the tenants of the view.
pub(super) fn cards(figures: &Figures, view: &View, today: Date) -> Markup {
    let to = |changes: &[(&'static str, &str)]| view.of_tenants().with_all(changes).address();
    let month = models::first_of(models::MONTH_DAYS, today);
    let week = format!("{}T00:00:00Z", models::first_of(models::WEEK_DAYS, today));
    let month = format!("{month}T00:00:00Z");
    html! {
        ul class="cards" {
            li class="card" {
                a href=(to(&[("state", "resolved"), ("since", &month)])) {
                    span class="name" { "Average time to respond and resolve" }
                    span class="figure" { (figures.response.mean.map_or_else(|| "-".to_owned(), span)) }
                }
                p { (quantiles(&figures.response)) }
                p class="dim small" { (than_before(&figures.response, &figures.response_before)) }
                (how("average_response"))
            }
            li class="card" {
                a href=(to(&[("state", "all"), ("order", "first-observed"), ("since", &week)])) {
                    span class="name" { "New this week" }
                    span class="figure" { (figures.new.now) }
                }
                p class="dim small" { (change(figures.new, "in the 7 days before")) }
                (how("new"))
            }
            li class="card" {
                a href=(to(&[("state", "resolved")])) {
                    span class="name" { "Resolved" }
                    span class="figure" { (figures.resolved) }
                }
                p { (figures.resolved_lately.now) " in the last 30 days" }
                p class="dim small" { (change(figures.resolved_lately, "in the 30 days before")) }
                (how("resolved"))
            }
            li class="card" {
                a href=(to(&[])) {
                    span class="name" { "Unresolved" }
                    span class="figure" { (figures.unresolved.now) }
                }
                p class="dim small" { (change(figures.unresolved, "a week ago")) }
                (how("unresolved"))
            }
        }
        @if figures.tests > 0 {
            p class="dim small" {
                a href=(to(&[("state", "all"), ("test", "true")])) { (figures.tests) " test alerts" } " are counted in none of these. "
                (definition("tests"))
            }
        }
    }
}

/// How a figure is computed, behind a click.
fn how(name: &str) -> Markup {
    html! { details class="small" { summary { "How it is computed" } p { (definition(name)) } } }
}

fn definition(name: &str) -> &'static str {
    models::DEFINITIONS.iter().find(|(known, _)| *known == name).map_or("", |(_, words)| words)
}

fn quantiles(times: &ResponseTimes) -> Markup {
    let bound = |quantile: Option<Quantile>| match quantile {
        None => "-".to_owned(),
        Some(Quantile::AtMost(seconds)) => format!("at most {}", span(seconds)),
        Some(Quantile::MoreThan(seconds)) => format!("more than {}", span(seconds)),
    };
    html! {
        "Median " (bound(times.median)) ", 90th percentile " (bound(times.ninetieth))
        @if times.negative > 0 { br; span class="dim small" { (times.negative) " dated before their detection" } }
    }
}

fn than_before(now: &ResponseTimes, before: &ResponseTimes) -> String {
    match (now.mean, before.mean) {
        (_, None) => "Nothing was resolved in the 30 days before".to_owned(),
        (None, Some(before)) => format!("{} in the 30 days before", span(before)),
        (Some(now), Some(before)) => {
            let turn = match now.cmp(&before) {
                Ordering::Less => "Quicker than",
                Ordering::Equal => "As quick as",
                Ordering::Greater => "Slower than",
            };
            format!("{turn} in the 30 days before ({})", span(before))
        }
    }
}

fn change(Compared { now, before }: Compared, when: &str) -> String {
    let turn = match now.saturating_sub(before) {
        0 => "As many as".to_owned(),
        more @ 1.. => format!("{more} more than"),
        less => format!("{} fewer than", less.unsigned_abs()),
    };
    format!("{turn} {when} ({before})")
}

fn span(seconds: i64) -> String {
    ago(SignedDuration::from_secs(seconds))
}

// ---- the chart -----------------------------------------------------------------------------------------------------------

// In pixels, where there is room for all of it.
const LEFT: i64 = 30;
const DAY: i64 = 22;
const HEIGHT: i64 = 150;
const BOTTOM: i64 = 22;
/// How wide a bar is: two of them stand side by side.
const BAR: i64 = 8;

/// New and resolved alerts of each day, and the mean response time: as a picture, and as a table behind it.
pub(super) fn chart(days: &[ChartDay]) -> Markup {
    let most = days.iter().map(|day| day.new.max(day.resolved)).max().unwrap_or(0).max(1);
    let slowest = days.iter().filter_map(|day| day.mean_response).max().unwrap_or(0).max(1);
    let (first, last) = (days.first().map(|day| day.day.to_string()), days.last().map(|day| day.day.to_string()));
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    let (new, resolved): (i64, i64) = (days.iter().map(|day| day.new).sum(), days.iter().map(|day| day.resolved).sum());
    let width = LEFT + DAY * i64::from(models::CHART_DAYS);
    let place = |n: usize| LEFT + i64::try_from(n).unwrap_or(0) * DAY + 3;
    let high = |count: i64| count * (HEIGHT - BOTTOM - 10) / most;
    html! {
        details class="panel" id="chart" open {
            summary { "New and resolved alerts per day, and how long it took" }
            div class="scroll end" tabindex="0" role="region" aria-label="Chart" { svg class="chart" viewBox=(format!("0 0 {width} {HEIGHT}")) role="img" aria-labelledby="chart-words" {
                title id="chart-words" {
                    "From " (first) " to " (last) ": " (new) " new and " (resolved) " resolved alerts; most of a day " (most) "."
                }
                line class="axis" x1=(LEFT) y1=(HEIGHT - BOTTOM) x2=(width) y2=(HEIGHT - BOTTOM) {}
                text x="0" y="18" { (most) }
                text x="0" y=(HEIGHT - BOTTOM) { "0" }
                @for (n, day) in days.iter().enumerate() {
                    @let words = format!("{}: {} new, {} resolved", day.day, day.new, day.resolved);
                    g {
                        title { (words) }
                        rect class="new" x=(place(n)) y=(HEIGHT - BOTTOM - high(day.new)) width=(BAR) height=(high(day.new)) {}
                        rect class="resolved" x=(place(n) + BAR) y=(HEIGHT - BOTTOM - high(day.resolved)) width=(BAR) height=(high(day.resolved)) {}
                    }
                    @if n % 7 == 2 { text x=(place(n) + BAR) y=(HEIGHT - 6) text-anchor="middle" { (day.day) } }
                }
                path class="response" d=(line_of(days, slowest, place)) {}
                @for (n, day) in days.iter().enumerate() {
                    @if let Some(mean) = day.mean_response { circle class="response" cx=(place(n) + BAR) cy=(height_of(mean, slowest)) r="2.5" {} }
                }
            } }
            p class="legend small" {
                span { span class="key new" {} "new" }
                span { span class="key resolved" {} "resolved" }
                span { span class="key response" {} "mean time to resolve, up to " (span(slowest)) }
            }
            details {
                summary { "As a table" }
                div class="scroll" tabindex="0" role="region" aria-label="New and resolved alerts per day" {
                    table {
                        thead { tr { th scope="col" { "Day (UTC)" } th scope="col" { "New" } th scope="col" { "Resolved" } th scope="col" { "Mean time to resolve" } } }
                        tbody { @for day in days.iter().rev() {
                            tr {
                                th scope="row" { (day.day) }
                                td { (day.new) }
                                td { (day.resolved) }
                                td { (day.mean_response.map_or_else(|| "-".to_owned(), span)) }
                            }
                        } }
                    }
                }
            }
        }
    }
}

/// Where a response time stands.
fn height_of(mean: i64, slowest: i64) -> i64 {
    HEIGHT - BOTTOM - mean.saturating_mul(HEIGHT - BOTTOM - 10) / slowest
}

/// The response times as a line that breaks off where nothing was resolved.
fn line_of(days: &[ChartDay], slowest: i64, place: impl Fn(usize) -> i64) -> String {
    let mut path = String::new();
    let mut is_drawn = false;
    for (n, day) in days.iter().enumerate() {
        if let Some(mean) = day.mean_response {
            let high = height_of(mean, slowest);
            // Writing to a text never fails.
            let _ = write!(path, "{}{} {high} ", if is_drawn { 'L' } else { 'M' }, place(n) + BAR);
        }
        is_drawn = day.mean_response.is_some();
    }
    path
}
