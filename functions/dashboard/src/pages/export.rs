//! `GET /alerts.csv`, `GET /alerts.json`: the alerts of a view, whole, as a file.
//!
//! The query is that of the page, so that a file has the rows that its view shows: of all of its pages, and of all tenants, also where a page has no room for
//! them. A function answers with so much at once ([`MOST`]); whoever can send a text as it comes takes the same export without a limit
//! ([`Dashboard::export`]).

use std::collections::BTreeSet;

use api::{Answer, Kind, Problem, Request};
use exports::{Export, ExportError, Format, Most, What};
use http::{HeaderValue, StatusCode, header};
use jiff::{SignedDuration, tz::TimeZone};
use maud::{Markup, html};
use models::{AlertId, Tenant, TenantId};
use pages::{HOME, Page, theirs, way};

use super::{
    frame,
    list::chosen,
    of_nobody, of_problem,
    search::{Found, Narrowed},
    view::View,
};
use crate::{Asked, Dashboard, ReadSealingKeys, Reads, routes::filters::ListParameters};

/// The routes of exports, as API Gateway names them.
pub const EXPORTS: [&str; 2] = ["GET /alerts.csv", "GET /alerts.json"];

/// How much one answer may be: Lambda hands over 6 MB of it at most, and API Gateway waits for half a minute.
const MOST: Most = Most { rows: 5_000, bytes: 4_000_000, read: 20_000 };
/// The days back to which a view is narrowed where it is too large.
const DAYS: [i64; 2] = [30, 7];
/// Most tenants that are offered there.
const MOST_TENANTS: usize = 25;

/// What an export is made of.
pub(crate) struct Wanted {
    view: View,
    pub(crate) format: Format,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) what: What,
}

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// The export that a request asks for, however much it is.
    ///
    /// # Errors
    ///
    /// The answer that there is instead.
    pub async fn export(&self, request: &Request) -> Result<(Format, Export<S>), Answer> {
        let caller = self.gate.caller(request);
        let caller = caller.map_err(|problem| of_nobody(&problem, request.path(), request.raw_query()))?;
        let asked = Asked { request, caller, now: self.clock.now() };
        let wanted = self.asked_for(asked).await.map_err(|problem| {
            problem.log();
            of_problem(asked, &problem)
        })?;
        Ok((wanted.format, self.begun(asked, &wanted)))
    }

    /// The export of this view, which somebody asks for.
    pub(crate) async fn wanted_of(&self, asked: Asked<'_>, query: &str, format: Format) -> Result<Wanted, Problem> {
        let no_view =
            || Problem::new(Kind::Unreadable).because("The view has a parameter that this page does not know.");
        let view = View::of_kept(query).ok_or_else(no_view)?;
        self.wanted(asked, view, format).await
    }

    /// The export as one answer.
    pub(super) async fn export_answer(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let wanted = self.asked_for(asked).await?;
        let mut export = self.begun(asked, &wanted).of_at_most(MOST);
        let mut text = Vec::new();
        loop {
            match export.next().await {
                Ok(Some(part)) => text.extend(part),
                Ok(None) => break,
                Err(ExportError::TooMuch(_)) => return Ok(self.too_much(asked, &wanted)),
                Err(error) => return Err(Problem::unavailable(&error)),
            }
        }
        let text = String::from_utf8(text).map_err(|error| Problem::unavailable(&error))?;
        Ok(file(wanted.format).map(|_| text))
    }

    /// The view is too large for one answer. No other attempt helps, only another view: 422, and neither 413, which is about what a request brings along, nor 503,
    /// after which programs come again.
    fn too_much(&self, asked: Asked<'_>, wanted: &Wanted) -> Answer {
        let Wanted { view, format, tenants, .. } = wanted;
        let path = asked.request.path();
        let since = |days: i64| {
            let at = asked.now.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(asked.now);
            TimeZone::UTC.to_datetime(at).date().to_string()
        };
        let body = html! {
            div class="panel notice bad" role="alert" {
                p {
                    "One file from here has " (grouped(MOST.rows)) " alerts and " (MOST.bytes / 1_000_000) " MB at most, and " (grouped(MOST.read))
                    " alerts are looked through for it. This view needs more, so nothing was written."
                }
            }
            section class="panel" {
                h2 { "Export less at once" }
                ul {
                    @for days in DAYS {
                        li { a href=(view.with("since", &since(days)).address_at(path)) { "The last " (days) " days of it" } }
                    }
                    @if tenants.len() > 1 {
                        @for tenant in tenants.iter().take(MOST_TENANTS) {
                            li { a href=(view.with("tenant", tenant.id.as_str()).address_at(path)) { "Partner tenant " (theirs(&tenant.display_name)) " alone" } }
                        }
                    }
                }
                (way(&view.address_at(HOME), "Back to the view, to narrow it otherwise"))
            }
            section class="panel" {
                h2 { "Export all of it" }
                @if self.writes_large_exports { (large(asked, wanted)) }
                p { "From a terminal there is no limit: " code { "partner-alerts alerts export --format " (format) " --output " (format.file_name()) } }
            }
        };
        let title = "This view is too large for one file";
        Page::new(StatusCode::UNPROCESSABLE_ENTITY, title, body).within(frame(asked, HOME, None)).answer()
    }

    fn begun(&self, asked: Asked<'_>, wanted: &Wanted) -> Export<S> {
        let (tenants, what) = (wanted.tenants.clone(), wanted.what.clone());
        let export = Export::new(self.store.clone(), tenants, what, wanted.format, asked.now);
        export.with_links_to(self.gate.origin().as_str())
    }

    /// The export that the address is of.
    async fn asked_for(&self, asked: Asked<'_>) -> Result<Wanted, Problem> {
        let format = if asked.request.route == EXPORTS[0] { Format::Csv } else { Format::Json };
        self.wanted(asked, View::read(asked.request)?, format).await
    }

    async fn wanted(&self, asked: Asked<'_>, view: View, format: Format) -> Result<Wanted, Problem> {
        let all = self.seen(asked, None, usize::MAX).await?;
        let tenants: Vec<Tenant> = chosen(&view, asked, &all)?.into_iter().cloned().collect();
        let mut list = ListParameters::read(&view.of_list())?.list(asked.caller, asked.now)?;
        let mut what = None;
        if let Some(text) = view.get("q").map(str::trim) {
            let ids: BTreeSet<TenantId> = tenants.iter().map(|tenant| tenant.id.clone()).collect();
            match self.search(text, &ids).await? {
                (_, Narrowed::Of(of)) => list = list.narrowed(of),
                (Found::Alert, Narrowed::Page(_)) => what = text.parse::<AlertId>().ok().map(What::Alert),
                (_, Narrowed::Page(_)) => what = Some(What::Nothing),
            }
        }
        let what = what.unwrap_or_else(|| What::Of(Box::new(list)));
        Ok(Wanted { view, format, tenants, what })
    }
}

/// The answer that a file of alerts is, without its text. Its name is always the same: nothing that somebody wrote stands in a header.
#[must_use]
pub fn file(format: Format) -> Answer {
    let mut answer = api::text(StatusCode::OK, String::new());
    let disposition = match format {
        Format::Csv => "attachment; filename=\"partner-alerts.csv\"",
        Format::Json => "attachment; filename=\"partner-alerts.json\"",
    };
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    answer
}

/// The form by which it is written nevertheless, piece by piece.
fn large(asked: Asked<'_>, Wanted { view, format, .. }: &Wanted) -> Markup {
    html! {
        form method="post" action="/exports" {
            input type="hidden" name="query" value=(view.with("cursor", "").query());
            input type="hidden" name="format" value=(format);
            input type="hidden" name="idempotency-key" value=(format!("{}-export", asked.request.id));
            button { "Write " (format.file_name()) " in the background" }
        }
        p class="dim small" { "It takes some minutes, and a page shows how far it is. The file is there for a day, for you alone." }
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
