//! The table of alerts, with what can be done to those that are ticked, and the way to the next page.

use maud::{Markup, html};
use pages::moment;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use store::{ListedAlert, MOST_READ};

use super::{
    columns::{Column, Row},
    list::Shown,
    order::Order,
    view::View,
};
use crate::Asked;

impl Shown<'_> {
    /// The table.
    pub(super) fn table(&self, asked: Asked<'_>) -> Markup {
        let (view, page) = (self.view, &self.listed.page);
        html! {
            section id="alerts" data-fresh aria-label="Alerts" {
                @if self.listed.left_out > 0 {
                    p class="panel notice" { "A list is of 25 tenants at most, so those of " (self.listed.left_out) " others are not here: choose a tenant above." }
                }
                @if let Some(words) = self.listed.found.words() { p class="panel notice" { (words) } }
                @if self.listed.unordered {
                    p class="panel notice" { "There are more than " (MOST_READ) " of these, which is too many to be sorted so: they stand by their last observation. Choose a tenant or a filter above." }
                }
                @if page.unreadable > 0 {
                    p class="panel notice bad" role="alert" {
                        (page.unreadable) " alerts can't be read and are missing here. Whoever runs Partner Alerts finds them in the log."
                    }
                }
                @if page.alerts.is_empty() { (self.nothing()) } @else { (self.rows(asked)) }
                @if let Some(to) = page.searched_to {
                    p { "Searched back to " (moment(to)) ". There may be more before it." }
                }
                nav class="tools" aria-label="Pages of the list" {
                    @if view.get("cursor").is_some() { a class="button" href=(view.with("cursor", "").address()) { "First page" } }
                    @if let Some(next) = &self.listed.next {
                        a class="button" rel="next" href=(view.with("cursor", next).address()) {
                            @if page.searched_to.is_some() { "Search on" } @else { "Next page" }
                        }
                    }
                }
            }
        }
    }

    fn nothing(&self) -> Markup {
        html! {
            div class="panel empty" {
                @if self.tenants.is_empty() {
                    h2 { "No partner tenant yet" }
                    p { "Alerts stand here as soon as a tenant is set up with " code { "partner-alerts tenants add" } ", or your roles let you see one." }
                } @else if self.view.is_narrowed() {
                    h2 { "No alert fits" }
                    p { a href=(self.view.of_tenants().address()) { "Show all that is unresolved" } }
                } @else {
                    h2 { "Nothing needs you" }
                    p { "There is no unresolved alert. " a href="/health" { "See when each tenant was last looked at." } }
                }
            }
        }
    }

    fn rows(&self, asked: Asked<'_>) -> Markup {
        let (view, page, names) = (self.view, &self.listed.page, self.names);
        let columns = Column::of(view);
        let picks = self.may_resolve || self.may_cancel;
        let address = view.address();
        html! {
            form method="post" action="/api/v1/alerts/resolve" {
                input type="hidden" name="return" value=(address);
                input type="hidden" name="idempotency-key" value=(asked.request.id);
                div class="tools" {
                    @if self.may_resolve {
                        label class="check" hidden { input type="checkbox" data-all="alerts"; " All of this page" }
                        button name="reason" value="fraud" { "Mark as fraud" }
                        button name="reason" value="legitimate" { "Mark as legitimate" }
                    }
                    @if self.may_cancel {
                        button class="danger" formaction="/subscriptions/cancellation" { "Cancel subscription" }
                    }
                    span class="rest" {}
                    a class="button" href=(view.with("size", "").address_at("/alerts.csv")) { "Export CSV" }
                    a class="button" href=(view.with("size", "").address_at("/alerts.json")) { "Export JSON" }
                }
                div class="panel scroll" {
                    table class="stack" role="table" {
                        caption class="sr" { "Alerts" }
                        thead role="rowgroup" { tr role="row" {
                            @if picks { th role="columnheader" scope="col" { span class="sr" { "Tick" } } }
                            @for (_, name, words) in &columns { (self.head(name, words)) }
                        } }
                        tbody role="rowgroup" { @for alert in &page.alerts {
                            @let to = address_of(alert, view);
                            @let row = Row { alert, names, tenant: self.tenant_of(alert), address: &to, now: asked.now };
                            tr role="row" {
                                @if picks { td role="cell" class="pick" { (pick(alert)) } }
                                @for (column, _, words) in &columns { td role="cell" data-label=(words) class=[column.width()] { div { (row.cell(*column)) } } }
                            }
                        } }
                    }
                }
            }
        }
    }

    /// The head of a column, which leads to its order where there is one.
    fn head(&self, name: &str, words: &str) -> Markup {
        let view = self.view;
        // Alerts of a customer or a subscription go by the last observation alone; and those that were answered are too many to be sorted.
        let is_order = match name {
            "last-observed" => true,
            "first-observed" => self.is_by_state(),
            _ => Order::NAMES.contains(&name) && Order::may_be_of(view),
        };
        if !is_order {
            return html! { th role="columnheader" scope="col" { (words) } };
        }
        let is_by_it = view.get("order").unwrap_or("last-observed") == name && !self.listed.unordered;
        let is_turned = view.get("direction") == Some("oldest");
        let turned = if is_by_it && !is_turned { "oldest" } else { "" };
        // Of the time that is left the least comes first, of all else the most.
        let (sort, mark) = match (is_by_it, is_turned == (name == "left")) {
            (false, _) => (None, ""),
            (true, true) => (Some("descending"), " ▼"),
            (true, false) => (Some("ascending"), " ▲"),
        };
        let to = view.with_all(&[("order", name), ("direction", turned)]).address();
        html! {
            th role="columnheader" scope="col" aria-sort=[sort] { a href=(to) { (words) span aria-hidden="true" { (mark) } } }
        }
    }
}

/// The way to an alert, which knows the way back to the view.
pub(super) fn address_of(alert: &ListedAlert, view: &View) -> String {
    let path = format!("/alerts/{}/{}", alert.tenant, utf8_percent_encode(alert.id.as_str(), NON_ALPHANUMERIC));
    let back = view.query();
    if back.is_empty() { path } else { format!("{path}?view={}", utf8_percent_encode(&back, NON_ALPHANUMERIC)) }
}

/// The box by which an alert is chosen: what the form sends of it says which version was seen.
fn pick(alert: &ListedAlert) -> Markup {
    let value = format!("{}/{}/{}", alert.tenant, alert.version, alert.id);
    html! {
        label { span class="sr" { "Choose " (pages::theirs(&alert.name)) } input type="checkbox" name="alerts" value=(value); }
    }
}
