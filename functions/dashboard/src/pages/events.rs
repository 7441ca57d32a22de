//! `GET /events`: what Partner Center has sent lately, by its callbacks. What stands in them is what was signed, and no more believed than that.

use api::{Answer, Problem};
use futures_util::future::try_join_all;
use http::StatusCode;
use maud::{Markup, html};
use models::{Event, Tenant};
use pages::{Page, moment, theirs};
use store::{KeptEvent, MOST_LISTED_TENANTS};

use super::frame;
use crate::{Asked, Dashboard, ReadSealingKeys, Reads, routes::of_store};

/// How many are shown.
const MOST: usize = 50;
/// How many are read of all tenants together: each may be as large as a callback, and all are in memory at once.
const MOST_READ: usize = 200;
/// Longest text that is shown of an event.
const MOST_CHARACTERS: usize = 300;

const COLUMNS: [&str; 4] = ["Received", "Event", "Resource", "Partner tenant"];

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// The page of received events.
    pub(super) async fn events_page(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let query = asked.request.query(&["tenant"])?;
        let named = query.get("tenant").map(String::as_str).filter(|named| !named.is_empty());
        let tenants = self.seen(asked, named, usize::MAX).await?;
        let each = (MOST_READ / tenants.len().clamp(1, MOST_LISTED_TENANTS)).min(MOST);
        let read = tenants.iter().take(MOST_LISTED_TENANTS).map(async |tenant| {
            let latest =
                self.store.latest_events(&tenant.id, i32::try_from(each).unwrap_or(1)).await.map_err(of_store)?;
            Ok::<_, Problem>((tenant, latest))
        });
        let read = try_join_all(read).await?;
        let unreadable: usize = read.iter().map(|(_, latest)| latest.unreadable).sum();
        let mut events: Vec<(&Tenant, &KeptEvent)> =
            read.iter().flat_map(|(tenant, latest)| latest.events.iter().map(|event| (*tenant, event))).collect();
        events.sort_by(|(_, one), (_, other)| (other.received, &other.id).cmp(&(one.received, &one.id)));
        let body = html! {
            p class="dim small" {
                "The latest callbacks that Microsoft has signed, up to " (each) " of each tenant and " (MOST) " in all, as of " (moment(asked.now)) ". They are kept for 30 days."
                @if tenants.len() > MOST_LISTED_TENANTS { " Of 25 tenants: choose another one." }
            }
            @if named.is_some() || tenants.len() > 1 {
                nav class="tools" aria-label="Partner tenants" {
                    @if named.is_some() { a class="button" href="/events" { "All tenants" } }
                    @else { @for tenant in &tenants { a class="button" href=(format!("/events?tenant={}", tenant.id)) { (theirs(&tenant.display_name)) } } }
                }
            }
            @if unreadable > 0 { p class="panel notice bad" role="alert" { (unreadable) " can't be read and are missing here." } }
            @if events.is_empty() {
                div class="panel empty" {
                    h2 { "No callback yet" }
                    p { "Alerts are found by the schedule all the same. " code { "partner-alerts webhook register" } " has Microsoft ring at once." }
                }
            } @else {
                div class="panel scroll" { table class="stack" role="table" {
                    caption class="sr" { "Received events" }
                    thead role="rowgroup" { tr role="row" { @for words in COLUMNS { th role="columnheader" scope="col" { (words) } } } }
                    tbody role="rowgroup" { @for (tenant, event) in events.into_iter().take(MOST) { (row(tenant, event)) } }
                } }
            }
        };
        Ok(Page::new(StatusCode::OK, "Received events", body).within(frame(asked, "/events", None)).answer())
    }
}

fn row(tenant: &Tenant, kept: &KeptEvent) -> Markup {
    let event = Event::read(&kept.body).ok();
    let cell = |n: usize, words: Markup| html! { td role="cell" data-label=(COLUMNS[n]) { div { (words) } } };
    html! {
        tr role="row" {
            (cell(0, moment(kept.received)))
            (cell(1, html! { @match &event { Some(event) => { (theirs(event.name.as_str())) } None => { span class="late" { "can't be read as an event" } } } }))
            // The sender's text, and no link: nobody is to be led there.
            (cell(2, html! { @match event.as_ref().and_then(|event| event.resource_uri.as_deref()) { Some(uri) => { code class="small" { (theirs(&cut(uri))) } } None => { span class="dim" { "-" } } } }))
            (cell(3, theirs(&tenant.display_name)))
        }
    }
}

/// As much of a text as is shown.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
