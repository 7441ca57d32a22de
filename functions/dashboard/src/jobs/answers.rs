//! What a person sees of an export: the form's answer, the page with the progress, the way to the file.

use api::{Answer, Kind, Problem};
use exports::{Format, Place};
use http::{HeaderValue, StatusCode, header};
use jiff::SignedDuration;
use maud::{Markup, html};
use messaging::AskForExports;
use models::{ExportId, ExportTurn, RequestHash};
use pages::{HOME, Page, ago, moment, redirect, way};
use serde::Deserialize;

use super::{Exporting, Failure, Job, Jobs, KeepExports, Kept, NotKept, Owner, Put, State};
use crate::{
    Asked, ReadSealingKeys, Reads,
    pages::{frame, grouped},
};

/// After how many seconds the page of an export that is under way loads itself again.
const REFRESH: HeaderValue = HeaderValue::from_static("4");
const REFRESH_NAME: header::HeaderName = header::HeaderName::from_static("refresh");
/// How long an export is there. S3 removes things at midnight, so a little later.
const THERE_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long nothing may be heard of an export that is under way: longer than a turn that finds nothing to write.
const STANDS_STILL: SignedDuration = SignedDuration::from_mins(5);

/// What the form asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The query of the view; absent where it is the first one.
    #[serde(default)]
    query: String,
    format: String,
}

impl<S: Reads, K: ReadSealingKeys + Sync, B: KeepExports + Sync, Q: AskForExports + Sync> Exporting<S, K, B, Q> {
    /// Begins an export, or goes to the one that was begun by the same request.
    pub(super) async fn begin(&self, jobs: &Jobs<S, B, Q>, asked: Asked<'_>) -> Result<Answer, Problem> {
        let wish: Wish = asked.request.body()?;
        let format: Format = wish.format.parse().map_err(|_| {
            Problem::new(Kind::Unreadable)
                .because("The format is one of csv, json.")
                .with(|it| it.member = Some("format"))
        })?;
        let wanted = self.dashboard.wanted_of(asked, &wish.query, format).await?;
        let owner = Owner::from(asked.caller);
        let id = match asked.request.idempotency_key()? {
            Some(key) => ExportId::of_key(&owner.tenant, &owner.id, &key),
            None => ExportId::of_random(&asked.request.id),
        };
        let tenants: Vec<_> = wanted.tenants.into_iter().map(|tenant| tenant.id).collect();
        let job = Job {
            id: id.clone(),
            owner,
            request: RequestHash::of(format!("{format}\n{}", wish.query).as_bytes()),
            tenants: tenants.clone(),
            what: wanted.what,
            format,
            began: asked.now,
            changed: asked.now,
            turns: 0,
            troubles: 0,
            claim: None,
            upload: None,
            parts: Vec::new(),
            rest: None,
            place: Place::beginning(tenants),
            removed: 0,
            state: State::Running,
        };
        let job = match jobs.bucket.put_job(&job, None).await.map_err(unavailable)? {
            Put::Done(_) => job,
            Put::Other => {
                let begun = jobs.bucket.job(&id).await.map_err(unavailable)?.ok_or(Kind::Unavailable)?.job;
                if begun.request != job.request {
                    return Err(Kind::KeyUsedOtherwise.into());
                }
                begun
            }
        };
        // Whoever asks again may do so since this was lost. One turn too many ends by itself.
        if job.turns == 0 {
            let asked = jobs.queue.ask_for_export(&ExportTurn { export: id.clone() }, SignedDuration::ZERO).await;
            asked.map_err(|error| Problem::unavailable(&error))?;
        }
        Ok(redirect(&address(&id)))
    }
}

impl<S, B: KeepExports, Q> Jobs<S, B, Q> {
    /// The export of the path, if it is the caller's. What is somebody else's is not there.
    async fn of_caller(&self, asked: Asked<'_>) -> Result<Job, Problem> {
        let id: ExportId = asked.request.parameter("export")?;
        let found = self.bucket.job(&id).await.map_err(unavailable)?;
        let found = found
            .map(|Kept { job, .. }| job)
            .filter(|job| job.is_for(asked.caller) && asked.now.duration_since(job.began) < THERE_FOR);
        found.ok_or_else(|| {
            Problem::new(Kind::NotFound)
                .because("There is no such export, or not for you: one is there for a day, for whoever asked for it.")
        })
    }

    /// How far an export has come.
    pub(super) async fn page(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        asked.without_query()?;
        let job = self.of_caller(asked).await?;
        let (title, body) = match job.state {
            State::Running => ("Your export is being written", running(&job, asked)),
            State::Done => ("Your export is written", done(&job)),
            State::Failed(why) => ("Your export was given up", failed(&job, why)),
        };
        let body = html! { (body) (way(HOME, "To all alerts")) };
        let mut answer = Page::new(StatusCode::OK, title, body).within(frame(asked, HOME, None)).answer();
        if !job.is_over() {
            answer.headers_mut().insert(REFRESH_NAME, REFRESH);
        }
        Ok(answer)
    }

    /// The way to the file of an export: a link that is made for this request.
    pub(super) async fn file(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        asked.without_query()?;
        let job = self.of_caller(asked).await?;
        if job.state != State::Done {
            return Ok(redirect(&address(&job.id)));
        }
        Ok(redirect(&self.bucket.link(&job).await.map_err(unavailable)?))
    }
}

fn address(id: &ExportId) -> String {
    format!("/exports/{id}")
}

fn running(job: &Job, asked: Asked<'_>) -> Markup {
    let still = asked.now.duration_since(job.changed);
    html! {
        div class="panel notice" role="status" {
            p { strong { (grouped(job.place.rows)) " alerts" } " are written, of " (grouped(job.place.read)) " that were looked through." }
            @if still > STANDS_STILL {
                p { "For " (ago(still)) " nothing was heard of it. It is tried again by itself within 20 minutes; where nothing comes of that either, export the view anew." }
            } @else {
                p class="dim small" { "This page loads itself again. You can leave it, and come back by its address." }
            }
        }
        (began(job))
    }
}

fn done(job: &Job) -> Markup {
    let Place { rows, unreadable, .. } = job.place;
    html! {
        div class="panel notice" role="status" {
            p { strong { (grouped(rows)) " alerts" } " are in it." }
            @if unreadable > 0 { p { (grouped(unreadable)) " alerts could not be read and are missing; the log of dashboard says which." } }
            @if job.removed > 0 { p { (job.removed) " partner tenants were removed while it was written: it holds not all of their alerts, or none." } }
            p { a class="button" href=(format!("{}/file", address(&job.id))) { "Download " (job.format.file_name()) } }
        }
        (began(job))
    }
}

fn failed(job: &Job, why: Failure) -> Markup {
    html! {
        div class="panel notice bad" role="alert" {
            p { (grouped(job.place.rows)) " alerts were written, and nothing of it is kept for you." }
            @match why {
                Failure::TooMuch => p { "It takes longer than an export may: narrow the view, by tenant or by day, or export from a terminal with " code { "partner-alerts alerts export" } "." },
                Failure::Trouble => p { "It failed several times; the log of dashboard says why, by the end of this page's address. Export the view anew later." },
            }
        }
        (began(job))
    }
}

fn began(job: &Job) -> Markup {
    html! { p class="dim small" { "Asked for " (moment(job.began)) ". It is there for a day, for you alone." } }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unavailable(error: NotKept) -> Problem {
    Problem::unavailable(&error)
}
