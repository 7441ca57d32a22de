//! Cancelling and reactivating subscriptions, beside what is done about alerts.
//!
//! It wraps what acts on alerts, answers the routes about subscriptions, and hands everything else on. What a cancellation is made of is `subscriptions`, the
//! crate; its alerts are resolved by the same steps as a person's are (`alerts.rs`).
//!
//! | route | answer |
//! |---|---|
//! | `GET …/subscriptions/{subscription}/cancellation` | what would end |
//! | `POST …/subscriptions/{subscription}/cancel`, `…/reactivate` | 202 with the operation, and where to sign in for it |
//! | `POST /api/v1/subscriptions/cancel` | the same of up to ten, each with a result |
//! | `GET /subscriptions/{tenant}/{subscription}/cancel` | a page that shows what would end, with a form to ask for it |
//! | `POST /subscriptions/cancellation` | the same of those that ticked alerts are about; it changes nothing |
//! | `GET /sign-in/step-up` | a page that shows what would happen, with a form to go on |
//! | `POST /sign-in/step-up` | off to Entra ID, for a token of the person's own |
//! | `GET /sign-in/step-up/callback` | Microsoft is told by that token, in this very request |

mod alerts;
pub mod bodies;
mod bulk;
mod cancellation;
mod config;
pub mod documents;
mod openapi;
mod pages;
mod requests;
mod step_up;

use std::{fmt, sync::Arc};

use api::{Answer, Request};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use messaging::{AskForFollowUps, Tell};
use models::{FollowUp, TraceContext};
use partner_center::Credentials;
use store::{Act, FindAlerts, FindOpenAlerts, KeepOperations, KeepViews, ReadTenant, ReadTenants, ReadWork};
use subscriptions::{FollowError, Followed, Follower, Subscriptions};

use alerts::Resolving;

use crate::{Invocation, Resolve, SweepError, microsoft::Set};

pub use config::{StepUpConfig, VARIABLES};
pub use openapi::openapi;
pub use step_up::{ReadSecret, SecretError, SteppingUp};

/// The routes of the API about subscriptions, as API Gateway names them.
pub(crate) const ROUTES: [&str; 4] = [
    "GET /api/v1/tenants/{tenant}/subscriptions/{subscription}/cancellation",
    "POST /api/v1/subscriptions/cancel",
    "POST /api/v1/tenants/{tenant}/subscriptions/{subscription}/cancel",
    "POST /api/v1/tenants/{tenant}/subscriptions/{subscription}/reactivate",
];
/// The pages on which a person at a browser asks for cancellations, and signs in for an operation, as API Gateway names their routes.
pub const PAGES: [&str; 5] = [
    "GET /sign-in/step-up",
    "GET /sign-in/step-up/callback",
    "GET /subscriptions/{tenant}/{subscription}/cancel",
    "POST /sign-in/step-up",
    "POST /subscriptions/cancellation",
];

/// What acts on alerts and on subscriptions.
pub struct Acting<S, M, Q, C, P, R> {
    pub(crate) resolve: Arc<Resolve<S, M, Q>>,
    pub(crate) subscriptions: Subscriptions<S, C>,
    follower: Follower<S, C, Resolving<S, M, Q>, P, Q>,
    pub(crate) queue: Q,
    pub(crate) stepping_up: SteppingUp<R>,
}

impl<S, M, Q, C, P, R> fmt::Debug for Acting<S, M, Q, C, P, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Acting").field("resolve", &self.resolve).finish_non_exhaustive()
    }
}

impl<S: Clone, M, Q: Clone, C, P, R> Acting<S, M, Q, C, P, R> {
    /// The whole function: what acts on alerts, and on subscriptions with these parts. `people` are those who look after Partner Alerts.
    pub fn new(
        resolve: Resolve<S, M, Q>,
        subscriptions: Subscriptions<S, C>,
        (people, queue): (P, Q),
        stepping_up: SteppingUp<R>,
    ) -> Self {
        let resolve = Arc::new(resolve);
        let follower = Follower::new(subscriptions.clone(), Resolving(Arc::clone(&resolve)), people, queue.clone());
        Self { resolve, subscriptions, follower, queue, stepping_up }
    }

    /// What it asks of Microsoft about alerts.
    pub fn microsoft(&self) -> &M {
        self.resolve.microsoft()
    }
}

impl<S, M, Q, C, P, R> Acting<S, M, Q, C, P, R>
where
    S: Act
        + FindAlerts
        + FindOpenAlerts
        + KeepOperations
        + KeepViews
        + ReadTenant
        + ReadTenants
        + ReadWork
        + Send
        + Sync,
    M: Set + Send + Sync,
    Q: AskForFollowUps + Send + Sync,
    C: Credentials + Send + Sync,
    P: Tell + Sync,
    R: ReadSecret + Sync,
{
    /// Answers one request.
    pub async fn answer(&self, request: &Request) -> Answer {
        let answer = self.answer_as_json(request).await;
        // Pages are pages already.
        match request.form() {
            Some(form) if !PAGES.contains(&request.route.as_str()) => crate::forms::answer(&form, &answer),
            _ => answer,
        }
    }

    async fn answer_as_json(&self, request: &Request) -> Answer {
        // The futures of acts are large.
        match request.route.as_str() {
            "GET /sign-in/step-up" => Box::pin(self.show_step_up(request)).await,
            "POST /sign-in/step-up" => Box::pin(self.begin_step_up(request)).await,
            "GET /sign-in/step-up/callback" => Box::pin(self.finish_step_up(request)).await,
            "GET /subscriptions/{tenant}/{subscription}/cancel" => Box::pin(self.cancellation_page(request)).await,
            "POST /subscriptions/cancellation" => Box::pin(self.cancellations_page(request)).await,
            route if ROUTES.contains(&route) => {
                let answered = Box::pin(self.answered(request)).await;
                answered.unwrap_or_else(|problem| crate::told(&problem, request))
            }
            _ => self.resolve.answer(request).await,
        }
    }

    /// Handles what is no request, in an invocation of this id and trace.
    ///
    /// # Errors
    ///
    /// [`SweepError`].
    pub async fn follow(
        &self,
        invocation: Invocation,
        id: &str,
        trace: Option<TraceContext>,
    ) -> Result<SqsBatchResponse, SweepError> {
        let Invocation::Queue(event) = invocation else { return self.resolve.follow(invocation, id, trace).await };
        let mut failed = SqsBatchResponse::default();
        let mut others = SqsEvent::default();
        for message in event.records {
            let look = serde_json::from_str::<FollowUp>(message.body.as_deref().unwrap_or_default());
            let followed = match &look {
                Ok(look) => self.followed(look).await,
                // What can't be read is told where all else is.
                Err(_) => Ok(Followed::NotForUs),
            };
            match (followed, look) {
                (Ok(Followed::NotForUs), _) => others.records.push(message),
                (Ok(Followed::NothingLeft | Followed::SomethingLeft), _) => {}
                (Err(error), Ok(look)) => {
                    tracing::error!(
                        tenant.id = %look.tenant, operation.id = %look.operation, error = runtime::chain(&error),
                        "an operation about a subscription could not be carried on"
                    );
                    failed.batch_item_failures.push(failure(message.message_id));
                }
                (Err(_), Err(_)) => failed.batch_item_failures.push(failure(message.message_id)),
            }
        }
        if !others.records.is_empty() {
            let more = self.resolve.follow(Invocation::Queue(others), id, trace).await?;
            failed.batch_item_failures.extend(more.batch_item_failures);
        }
        Ok(failed)
    }
}

impl<S, M, Q, C, P, R> Acting<S, M, Q, C, P, R>
where
    S: Act + FindAlerts + FindOpenAlerts + KeepOperations + ReadTenant + ReadWork + Send + Sync,
    M: Set + Send + Sync,
    Q: AskForFollowUps + Send + Sync,
    C: Credentials + Send + Sync,
    P: Tell + Sync,
{
    /// A look, within the time of a request: what many alerts take beyond that is left to the next one. Cut off, it goes on where it was.
    async fn followed(&self, look: &FollowUp) -> Result<Followed, FollowError> {
        let following = Box::pin(self.follower.follow(look));
        if let Ok(followed) = tokio::time::timeout(self.resolve.settings.request_limit, following).await {
            return followed;
        }
        if let Some((next, after)) = look.next() {
            self.queue.ask_for_follow_ups(&[next], after).await?;
        }
        Ok(Followed::SomethingLeft)
    }
}

fn failure(message: Option<String>) -> aws_lambda_events::sqs::BatchItemFailure {
    let mut failure = aws_lambda_events::sqs::BatchItemFailure::default();
    failure.item_identifier = message.unwrap_or_default();
    failure
}
