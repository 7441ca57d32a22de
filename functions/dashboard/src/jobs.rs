//! Exports that are more than one answer: written in turns to a private bucket, for the person who asked.
//!
//! What is known of an export lies beside its file and ends with it (`job`). A message of the exports queue gives it a turn (`turns`), which goes on
//! where the one before ended and asks for the next one; memory holds a page of alerts and a part of the file. Every write of what is known is conditional, so
//! that a message that comes twice, or a turn that was given up for lost, writes nothing between. docs/decisions/0040 says why it is so.
//!
//! | module | what it holds |
//! |---|---|
//! | `job` | an export: what it is of, whose it is, how far it has come |
//! | `keeping` | what is asked of the bucket |
//! | `bucket` | the same of S3 |
//! | `turns` | a turn, from its claim to its end |
//! | `answers` | the form's answer, the page with the progress, the way to the file |

mod answers;
mod bucket;
mod job;
mod keeping;
mod turns;

use std::{fmt, time::Duration};

use api::{Answer, Kind, Problem, Request};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use exports::{Export, Format};
use jiff::{SignedDuration, Timestamp};
use messaging::AskForExports;
use models::ExportTurn;
use runtime::SharedClock;

use crate::{Asked, Dashboard, PAGES, ReadSealingKeys, Reads, pages};

pub use bucket::Bucket;
pub use job::{Claim, Failure, Job, Owner, State};
pub use keeping::{KeepExports, Kept, NotKept, Put, Tag};

/// The routes of such exports, as API Gateway names them.
pub const ROUTES: [&str; 3] = ["POST /exports", "GET /exports/{export}", "GET /exports/{export}/file"];

/// How long a request may take: API Gateway waits for 30 seconds, and a turn may take longer than that.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(28);
/// How long before Lambda ends it a turn ends itself: longer than a page, a part, and what is written down of them may take.
pub const MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// Most turns of an export. AWS ends a chain of messages after about sixteen ("recursive loop detection" of Lambda).
pub const MOST_TURNS: u32 = 14;

/// How exports are written.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// From how many bytes on a part is sent. S3 takes none of less than 5 MiB but the last.
    pub part_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { part_bytes: 8 * 1024 * 1024 }
    }
}

/// What exports are written with.
pub struct Jobs<S, B, Q> {
    store: S,
    bucket: B,
    queue: Q,
    clock: SharedClock,
    /// Where our pages are, for links.
    origin: String,
    settings: Settings,
}

impl<S, B, Q> fmt::Debug for Jobs<S, B, Q> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Jobs").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<S, B, Q> Jobs<S, B, Q> {
    /// Exports of this store's alerts, which lie in this bucket and have their turns from this queue.
    pub fn new(store: S, (bucket, queue): (B, Q), clock: SharedClock, origin: String, settings: Settings) -> Self {
        Self { store, bucket, queue, clock, origin, settings }
    }
}

/// The whole function: what reads, and, where there is a bucket, exports that are more than one answer.
#[derive(Debug)]
pub struct Exporting<S, K, B, Q> {
    dashboard: Dashboard<S, K>,
    jobs: Option<Jobs<S, B, Q>>,
}

impl<S: Reads, K: ReadSealingKeys + Sync, B: KeepExports + Sync, Q: AskForExports + Sync> Exporting<S, K, B, Q> {
    /// The function of these parts.
    pub fn new(dashboard: Dashboard<S, K>, jobs: Option<Jobs<S, B, Q>>) -> Self {
        Self { dashboard: Dashboard { writes_large_exports: jobs.is_some(), ..dashboard }, jobs }
    }

    /// The export that a request asks for, however much it is, for whoever can send a text as it comes.
    ///
    /// # Errors
    ///
    /// The answer that there is instead.
    pub async fn export(&self, request: &Request) -> Result<(Format, Export<S>), Answer> {
        self.dashboard.export(request).await
    }

    /// Answers one request.
    pub async fn answer(&self, request: &Request) -> Answer {
        // The futures of pages are large.
        match tokio::time::timeout(REQUEST_LIMIT, Box::pin(self.answered(request))).await {
            Ok(answer) => answer,
            Err(late) => self.of_late(request, &Problem::unavailable(&late)),
        }
    }

    fn of_late(&self, request: &Request, problem: &Problem) -> Answer {
        problem.log();
        match self.dashboard.gate.caller(request) {
            Ok(caller) if PAGES.contains(&request.route.as_str()) => {
                pages::of_problem(Asked { request, caller, now: self.dashboard.clock.now() }, problem)
            }
            _ => api::of_problem(problem, &request.id),
        }
    }

    async fn answered(&self, request: &Request) -> Answer {
        if !ROUTES.contains(&request.route.as_str()) {
            return self.dashboard.answer(request).await;
        }
        let caller = match self.dashboard.gate.caller(request) {
            Ok(caller) => caller,
            // What a form asked for is not asked for again by the way back.
            Err(problem) if request.route == ROUTES[0] => return pages::of_nobody(&problem, ::pages::HOME, ""),
            Err(problem) => return pages::of_nobody(&problem, request.path(), request.raw_query()),
        };
        let asked = Asked { request, caller, now: self.dashboard.clock.now() };
        let answered = match &self.jobs {
            Some(jobs) => self.of_jobs(jobs, asked).await,
            None => Err(Kind::NotFound.into()),
        };
        answered.unwrap_or_else(|problem| {
            problem.log();
            pages::of_problem(asked, &problem)
        })
    }

    async fn of_jobs(&self, jobs: &Jobs<S, B, Q>, asked: Asked<'_>) -> Result<Answer, Problem> {
        match asked.request.route.as_str() {
            "POST /exports" => self.begin(jobs, asked).await,
            "GET /exports/{export}" => jobs.page(asked).await,
            "GET /exports/{export}/file" => jobs.file(asked).await,
            _ => Err(Kind::NotFound.into()),
        }
    }

    /// Gives exports their turns, in an invocation of this id, which Lambda ends at this moment. Says which messages SQS should give again.
    pub async fn carry_on(&self, event: SqsEvent, invocation: &str, ends: Timestamp) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            if !self.is_done(&message, invocation, ends).await {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = message.message_id.unwrap_or_default();
                response.batch_item_failures.push(failure);
            }
        }
        response
    }

    async fn is_done(&self, message: &SqsMessage, invocation: &str, ends: Timestamp) -> bool {
        let id = message.message_id.as_deref().unwrap_or("none");
        let turn: ExportTurn = match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
            Ok(turn) => turn,
            Err(error) => {
                tracing::error!(message.id = id, error = ?error.classify(), "a message of the exports queue can't be read");
                return false;
            }
        };
        let Some(jobs) = &self.jobs else {
            tracing::error!(message.id = id, "there is no bucket for exports: set EXPORT_BUCKET and EXPORTS_QUEUE_URL");
            return false;
        };
        match Box::pin(jobs.turn(&turn, invocation, ends)).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(export.id = %turn.export, error = runtime::chain(&*error), "an export could not be given its turn");
                false
            }
        }
    }
}
