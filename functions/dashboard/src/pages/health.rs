//! `GET /health`: of each tenant when it was last looked at, what no callback announced, what waits to be told, and how its credentials are.

use std::collections::BTreeMap;

use api::{Answer, Problem};
use futures_util::future::{join_all, try_join_all};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use models::{Purpose, Tenant, TenantId};
use pages::{Page, ago, moment, theirs};
use store::{CredentialState, LastRun, LastRuns, OUTBOX_SHARDS};

use super::frame;
use crate::{Asked, Dashboard, ReadSealingKeys, Reads};

/// After so long without a complete run something is wrong: three ticks of the schedule.
const SILENT: SignedDuration = SignedDuration::from_mins(15);
/// What lasts so long has no end that anybody has to think of.
const NEVER: SignedDuration = SignedDuration::from_hours(20 * 365 * 24);
/// When the end of a secret is near.
const NEAR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is not told after so long is swept, and has failed at least once.
const DUE: SignedDuration = SignedDuration::from_mins(2);
/// Most notifications of a shard that are counted.
const MOST_COUNTED: usize = 500;

/// Notifications that are not told yet, though they should be.
#[derive(Default)]
struct Waiting {
    of: BTreeMap<TenantId, (usize, Timestamp)>,
    /// Whether there are more than were counted, and so the numbers are the least that there can be.
    more: bool,
}

/// What is known of a tenant; none of what can't be read.
struct Known<'a> {
    tenant: &'a Tenant,
    runs: Option<LastRuns>,
    credentials: Option<Vec<(Purpose, CredentialState)>>,
}

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// The page of health.
    pub(super) async fn health_page(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        asked.without_query()?;
        let tenants = self.seen(asked, None, usize::MAX).await?;
        let known = join_all(tenants.iter().map(async |tenant| {
            let (runs, credentials) =
                tokio::join!(self.store.last_runs(&tenant.id), self.store.credentials(&tenant.id));
            let told = |error: &dyn std::error::Error| {
                let error = runtime::chain(error);
                tracing::warn!(tenant.id = %tenant.id, error, "when a tenant was last looked at can't be read");
            };
            Known {
                tenant,
                runs: runs.inspect_err(|error| told(error)).ok(),
                credentials: credentials.inspect_err(|error| told(error)).ok().map(|all| all.into_iter().collect()),
            }
        }))
        .await;
        let waiting = self.waiting(asked.now).await;
        let body = html! {
            p class="dim small" { "As of " (moment(asked.now)) "." }
            @if known.is_empty() {
                div class="panel empty" { h2 { "No partner tenant yet" } p { "Set one up with " code { "partner-alerts tenants add" } "." } }
            } @else {
                div class="panel scroll" { table class="stack" role="table" {
                    caption class="sr" { "Tenants" }
                    thead role="rowgroup" { tr role="row" { @for words in COLUMNS { th role="columnheader" scope="col" { (words) } } } }
                    tbody role="rowgroup" { @for known in &known { (row(known, waiting.as_ref(), asked.now)) } }
                } }
            }
            p class="dim small" { "What was given up lies in the queues of dead letters: " code { "partner-alerts doctor" } " looks into each." }
        };
        Ok(Page::new(StatusCode::OK, "Health", body).within(frame(asked, "/health", None)).answer())
    }

    /// The notifications that wait; none where that can't be read.
    async fn waiting(&self, now: Timestamp) -> Option<Waiting> {
        let until = now.saturating_sub(DUE).unwrap_or(now);
        let shards = (0..OUTBOX_SHARDS).map(|shard| self.store.unpublished(shard, until, MOST_COUNTED));
        let read = try_join_all(shards).await.inspect_err(|error| {
            tracing::warn!(error = runtime::chain(error), "what waits to be told can't be read");
        });
        let mut waiting = Waiting::default();
        for records in read.ok()? {
            let records: Vec<_> = records.into_iter().flatten().collect();
            waiting.more |= records.len() >= MOST_COUNTED;
            for record in records {
                let (count, oldest) = waiting.of.entry(record.tenant).or_insert((0, record.created));
                *count += 1;
                *oldest = record.created.min(*oldest);
            }
        }
        Some(waiting)
    }
}

const COLUMNS: [&str; 7] = [
    "Partner tenant",
    "State",
    "Last complete run",
    "Last fraud callback",
    "Found by schedule alone",
    "Notifications that wait",
    "Credentials",
];

fn row(known: &Known<'_>, waiting: Option<&Waiting>, now: Timestamp) -> Markup {
    let Known { tenant, runs, credentials } = known;
    let at = |at: Option<Timestamp>| html! { @match at { Some(at) => { (moment(at)) } None => { span class="dim" { "never" } } } };
    let unknown = html! { span class="late" { "can't be read at the moment" } };
    let cell = |n: usize, words: Markup| html! { td role="cell" data-label=(COLUMNS[n]) { div { (words) } } };
    html! {
        tr role="row" {
            (cell(0, html! { (theirs(&tenant.display_name)) br; code class="small" { (tenant.id) } }))
            (cell(1, state(tenant, runs.as_ref(), now)))
            (cell(2, runs.as_ref().map_or(unknown.clone(), |runs| at(runs.last_success))))
            (cell(3, runs.as_ref().map_or(unknown.clone(), |runs| at(runs.last_callback))))
            (cell(4, runs.as_ref().map_or(unknown.clone(), |runs| html! { (runs.unannounced) })))
            (cell(5, waiting.map_or(unknown.clone(), |waiting| of_tenant(waiting, &tenant.id, now))))
            (cell(6, credentials.as_ref().map_or(unknown, |all| html! { @for (purpose, state) in all { (credential(*purpose, state, now)) } })))
        }
    }
}

fn of_tenant(waiting: &Waiting, tenant: &TenantId, now: Timestamp) -> Markup {
    html! { @match waiting.of.get(tenant) {
        None if waiting.more => { span class="dim" { "not counted: too many wait" } }
        None => { span class="good" { "none" } }
        Some((count, oldest)) => {
            span class="late" { @if waiting.more { "at least " } (count) }
            br; span class="dim small" { "for " (ago(now.duration_since(*oldest))) }
        }
    } }
}

fn state(tenant: &Tenant, runs: Option<&LastRuns>, now: Timestamp) -> Markup {
    let Some(runs) = runs else { return html! { span class="dim" { "-" } } };
    let silent = runs.last_success.is_none_or(|at| now.duration_since(at) > SILENT);
    html! {
        @if !tenant.active { span class="dim" { "switched off" } }
        @else if runs.last() == LastRun::Failed { span class="late" { "the last run failed" } }
        @else if silent { span class="late" { "silent" } }
        @else { span class="good" { "well" } }
    }
}

fn credential(purpose: Purpose, state: &CredentialState, now: Timestamp) -> Markup {
    let left = state.proof_expires.map(|end| end.duration_since(now)).filter(|left| *left < NEVER);
    html! {
        div {
            (purpose.as_str()) ": "
            @match state.outcome.as_deref() {
                Some("ok") => { span class="good" { "works" } }
                Some(outcome) => { span class="late" { (theirs(outcome)) } }
                None => { span class="dim" { "not looked at yet" } }
            }
            @if let Some(at) = state.checked { span class="dim small" { ", looked at " (moment(at)) } }
            @if let Some(at) = state.refresh_token_obtained { br; span class="dim small" { "token of " (ago(now.duration_since(at))) " ago" } }
            @if let Some(left) = left {
                br;
                @if left.is_negative() { span class="late" { "its secret has ended" } }
                @else if left < NEAR { span class="soon" { "its secret ends in " (ago(left)) } }
                @else { span class="dim small" { "its secret ends in " (ago(left)) } }
            }
        }
    }
}
