//! A person signs in for operations that wait for their own token, in a browser.
//!
//! The route that Entra ID sends the browser back to is one of this function, so that the token goes from Entra ID's answer to the call that it is for within
//! one request, and is handed on to no other function, table, queue or cookie (`docs/decisions/0033-how-a-persons-token-travels.md`). What has to survive the
//! trip, and holds no token, is one sealed cookie of ten minutes: for these operations, and for the person who was signed in here when it began. Before that
//! the person is shown what they sign in for, on a page of ours whose form is the only way on; what somebody else asked for is shown as theirs, and not done.
//! They sign in at the partner tenant itself, as a guest where they are of another one.
//!
//! | reason in logs | status | what happened |
//! |---|---|---|
//! | `step-up-not-ours` | 403 | another site's page sent the browser here |
//! | `step-up-not-signed-in` | 401 | no session, or it ended on the way |
//! | `step-up-not-allowed` | 403 | the roles don't allow it, or somebody else is signed in by now |
//! | `step-up-nothing-waits` | 404 | there are no such operations, or none of them waits for a token |
//! | `step-up-run-out` | 400 | the browser keeps no cookies, took more than ten minutes, or comes back from another trip |
//! | `step-up-declined` | 403 | the person, or a policy, said no |
//! | `step-up-token-refused` | 403 | the token is somebody else's, or lacks what it takes; `token` says what |
//! | `step-up-unavailable` | 503 | Entra ID, a secret or a table can't be had |

mod application;
mod refused;
mod words;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use ::pages::{redirect, theirs};
use api::{Answer, Request, operation::step_up};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use identity::{Caller, Cookies, How};
use jiff::{SignedDuration, Timestamp};
use maud::html;
use messaging::{AskForFollowUps, Tell};
use models::{Actor, Asked, ObjectId, Operation, OperationId, SubscriptionWish, Tenant, TenantId};
use partner_center::{Asker, Credentials, PersonToken, StepUp, StepUpTrip};
use serde::{Deserialize, Serialize};
use store::{Act, FindAlerts, FindOpenAlerts, KeepOperations, KeepViews, ReadTenant, ReadTenants, ReadWork};
use subscriptions::MOST_AT_ONCE;
use tokio::time::Instant;

use super::{
    Acting,
    pages::{self, Form, Row},
    requests::person,
};
use crate::microsoft::Set;

use application::Opened;
pub use application::{ReadSecret, SecretError, SteppingUp};
use refused::Refused;
pub(super) use words::who;
use words::{words_of, words_of_error, words_of_refusal};

/// Where Entra ID sends browsers back to: registered there with the application.
const CALLBACK: &str = "/sign-in/step-up/callback";
/// What the names of its cookies begin with.
const COOKIE: &str = "__Host-step-up";
/// What the cookie is sealed for.
const PURPOSE: &str = "step-up";
/// How long a person may take to sign in.
const TIME: SignedDuration = SignedDuration::from_mins(10);
/// How long Partner Center has to say what a subscription is called.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// What is left of the time of a request for the page that says what came of it.
pub(super) const ROOM: Duration = Duration::from_secs(1);
/// How many bytes the cookies of trips may have, the names with them: API Gateway takes 10,240 of all headers together.
const MOST_TRIP_BYTES: usize = 5_000;
/// How many operations are told of at the same time.
const SIDE_BY_SIDE: usize = 5;

/// What is sealed into the cookie.
#[derive(Serialize, Deserialize)]
struct Trip {
    step_up: StepUpTrip,
    tenant: TenantId,
    operations: Vec<OperationId>,
    /// Who was signed in here.
    tid: TenantId,
    oid: ObjectId,
}

/// That it goes no further.
struct End {
    why: Refused,
    /// The page on which it began, where it is known.
    again: Option<String>,
}

impl End {
    fn page(&self) -> Answer {
        self.why.page(self.again.as_deref())
    }
}

impl From<Refused> for End {
    fn from(why: Refused) -> Self {
        Self { why, again: None }
    }
}

/// What a request to sign in names, and who sends it.
struct Named<'a> {
    caller: &'a Caller,
    tenant: Tenant,
    operations: Vec<Operation>,
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
    pub(super) async fn show_step_up(&self, request: &Request) -> Answer {
        self.in_time(self.shown(request)).await.unwrap_or_else(|end| end.page())
    }

    pub(super) async fn begin_step_up(&self, request: &Request) -> Answer {
        self.in_time(self.begun(request)).await.unwrap_or_else(|end| end.page())
    }

    pub(super) async fn finish_step_up(&self, request: &Request) -> Answer {
        // What is not reached in time still waits for a token, or was told and is looked at.
        let until = Instant::now() + self.resolve.settings.request_limit.saturating_sub(ROOM);
        let mut answer = self.in_time(self.finished(request, until)).await.unwrap_or_else(|end| end.page());
        if let Some(cookie) = cookie_of(state(request)) {
            unset_cookie(&mut answer, &cookie);
        }
        answer
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, End>>) -> Result<T, End> {
        let limit = self.resolve.settings.request_limit;
        let work = tokio::time::timeout(limit, Box::pin(work)).await;
        work.unwrap_or_else(|_| Err(Refused::Unavailable("it took too long".to_owned()).into()))
    }

    /// What a person is about to sign in for, and a form to go on by.
    async fn shown(&self, request: &Request) -> Result<Answer, End> {
        let Named { caller, tenant, operations } = self.named(request).await?;
        let by = Actor::Person(person(caller).map_err(|problem| Refused::of(&problem))?);
        let mut describing: Vec<Pin<Box<dyn Future<Output = Row> + Send + '_>>> = Vec::new();
        for operation in &operations {
            describing.push(Box::pin(self.described(&tenant, operation, &by)));
        }
        let rows = stream::iter(describing).buffered(SIDE_BY_SIDE).collect::<Vec<_>>().await;
        let own: Vec<_> = carried(&operations, &by).map(|operation| operation.id.as_str()).collect();
        if own.is_empty() {
            let words = html! { "Somebody else asked for it. To go on with it, ask for the same yourself, with the subscription's name typed." };
            return Ok(pages::page(StatusCode::OK, "This is somebody else's", &words, &rows));
        }
        let form = Form {
            action: step_up(&tenant.id, own),
            button: "Go on to sign in",
            leads_to: self.stepping_up.clouds.login(tenant.cloud).unwrap_or_default(),
        };
        let words = html! {
            "In the partner tenant " (theirs(&tenant.display_name)) " (" (tenant.id) "), as soon as you have signed in there as Global Administrator who is Admin Agent, Microsoft is told of what you asked for below."
        };
        Ok(pages::page_with_form("Read this before you sign in", &words, &rows, form))
    }

    /// What happens to which subscription, in words.
    async fn described(&self, tenant: &Tenant, operation: &Operation, by: &Actor) -> Row {
        let Asked::Subscription { wish, customer, subscription, .. } = &operation.asked else {
            return Row { operation: operation.id.to_string(), words: vec![html! { "It is about something else." }] };
        };
        let preview = self.subscriptions.preview(Asker::Tenant, tenant, subscription, Some(customer));
        let found =
            tokio::time::timeout(PATIENCE, preview).await.ok().and_then(Result::ok).map(|preview| preview.found);
        let called =
            |name: Option<&String>| name.map_or_else(|| html! { "(no name known at the moment)" }, |name| theirs(name));
        let customer_name = called(found.as_ref().and_then(|found| found.customer.name.as_ref()));
        let name = called(found.as_ref().and_then(|found| found.found.entitlement.name.as_ref()));
        let what = match wish {
            SubscriptionWish::Cancel => {
                "If you go on, it is cancelled: everything in it stops, its data are deleted after Microsoft's time for that, and its open alerts are resolved as fraud."
            }
            SubscriptionWish::Reactivate => "If you go on, it is active again, and costs.",
        };
        let mut words = vec![
            html! { "Subscription: " (name) ", " (theirs(subscription.as_str())) },
            html! { "Customer: " (customer_name) ", " (theirs(customer.as_str())) },
            html! { (what) },
            html! { "Asked for by " (who(&operation.by)) " at " (format!("{:.0}", operation.at)) "." },
        ];
        if !operation.takes_person() {
            words.push(html! { "It waits for nobody any more." });
        } else if !operation.is_wanted_by(by) {
            words.push(
                html! { "It is not yours: this sign-in does nothing about it, unless you ask for the same yourself first." },
            );
        }
        words.extend(operation.refusal.as_ref().map(words_of_refusal));
        Row { operation: operation.id.to_string(), words }
    }

    async fn begun(&self, request: &Request) -> Result<Answer, End> {
        let named = self.named(request).await?;
        let again = step_up(&named.tenant.id, named.operations.iter().map(|it| it.id.as_str()));
        self.sent_off(request, named).await.map_err(|why| End { why, again: Some(again) })
    }

    /// Off to Entra ID.
    async fn sent_off(&self, request: &Request, named: Named<'_>) -> Result<Answer, Refused> {
        let Named { caller, tenant, operations } = named;
        let by = Actor::Person(person(caller).map_err(|problem| Refused::of(&problem))?);
        let operations: Vec<_> = carried(&operations, &by).map(|operation| operation.id.clone()).collect();
        if operations.is_empty() {
            return Err(Refused::NothingWaits);
        }
        let opened = self.opened().await?;
        let stepping_up = &self.stepping_up;
        let trip = Trip {
            step_up: StepUpTrip::of_random(&*stepping_up.random),
            tenant: tenant.id.clone(),
            operations,
            tid: caller.tid().clone(),
            oid: caller.oid().clone(),
        };
        let step_up = StepUp::new(stepping_up.consent(&tenant, &opened.proof));
        let there = step_up.begin_in_browser(&trip.step_up, &stepping_up.back());
        let there = there.map_err(|error| Refused::unavailable(&error))?;
        let text = serde_json::to_vec(&trip).map_err(|error| Refused::unavailable(&error))?;
        let until = self.now().checked_add(TIME).unwrap_or(Timestamp::MAX);
        let sealed = opened.sealing.seal(PURPOSE, &text, until).map_err(|error| Refused::unavailable(&error))?;
        let mut answer = redirect(there.as_str());
        let cookie = cookie_of(trip.step_up.state()).ok_or(Refused::RunOut)?;
        // Lax, since Entra ID sends the browser back from another site.
        let age = TIME.as_secs();
        set_cookie(&mut answer, &format!("{cookie}={sealed}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age}"));
        for forgotten in too_many(&request.headers) {
            unset_cookie(&mut answer, &forgotten);
        }
        Ok(answer)
    }

    /// What a request to sign in names, and who sends it: operations of a tenant in which they may cancel, of which one at least waits for somebody.
    async fn named<'a>(&self, request: &'a Request) -> Result<Named<'a>, Refused> {
        let caller = self.caller(request)?;
        // Another site's page must not lead somebody into cancelling something.
        if !is_our_own(request) {
            return Err(Refused::NotOurs);
        }
        let query = request.query(&["tenant", "operation"]).map_err(|_| Refused::NothingWaits)?;
        let tenant = query.get("tenant").and_then(|tenant| tenant.parse().ok()).ok_or(Refused::NothingWaits)?;
        let named = query.get("operation").map(String::as_str).unwrap_or_default();
        let named: Vec<&str> = named.split(',').take(MOST_AT_ONCE + 1).collect();
        if named.len() > MOST_AT_ONCE {
            return Err(Refused::NothingWaits);
        }
        let ids: Vec<OperationId> =
            named.into_iter().map(str::parse).collect::<Result<_, _>>().map_err(|_| Refused::NothingWaits)?;
        let tenant = self.tenant_to_cancel_in(caller, &tenant).await.map_err(|problem| Refused::of(&problem))?;
        let operations = self.waiting(&tenant, &ids).await?;
        let is_waited = operations.iter().any(Operation::takes_person);
        if is_waited { Ok(Named { caller, tenant, operations }) } else { Err(Refused::NothingWaits) }
    }

    async fn finished(&self, request: &Request, until: Instant) -> Result<Answer, End> {
        let caller = self.caller(request)?;
        let trip = self.trip(request).await?;
        let again = step_up(&trip.tenant, trip.operations.iter().map(OperationId::as_str));
        self.come_back(request, (caller, trip), until).await.map_err(|why| End { why, again: Some(again) })
    }

    /// Back from Entra ID.
    async fn come_back(
        &self,
        request: &Request,
        (caller, trip): (&Caller, Trip),
        until: Instant,
    ) -> Result<Answer, Refused> {
        if (&trip.tid, &trip.oid) != (caller.tid(), caller.oid()) {
            return Err(Refused::NotAllowed);
        }
        let tenant = self.tenant_to_cancel_in(caller, &trip.tenant).await.map_err(|problem| Refused::of(&problem))?;
        let stepping_up = &self.stepping_up;
        let opened = self.opened().await?;
        let step_up = StepUp::new(stepping_up.consent(&tenant, &opened.proof));
        let token = step_up.come_back(&trip.step_up, &stepping_up.back(), request.raw_query()).await;
        let token = token.ok_or(Refused::RunOut)?.map_err(|error| Refused::of_sign_in(&error))?;
        let asks = person(caller).map_err(|problem| Refused::of(&problem))?;
        let token = self.subscriptions.person(token, &tenant, &asks).map_err(Refused::Token)?;
        let by = Actor::Person(asks);
        let waiting = self.waiting(&tenant, &trip.operations).await?;
        let mut telling: Vec<Pin<Box<dyn Future<Output = Row> + Send + '_>>> = Vec::new();
        for operation in waiting.into_iter().filter(|operation| operation.is_wanted_by(&by)) {
            telling.push(Box::pin(self.told_in_time(until, &token, &tenant, operation, &by)));
        }
        let rows = stream::iter(telling).buffered(SIDE_BY_SIDE).collect::<Vec<_>>().await;
        let words = html! { "What came of each operation is below. What Microsoft took on goes on by itself." };
        Ok(pages::page(StatusCode::OK, "You have signed in for it", &words, &rows))
    }

    /// The same, until then: what takes longer is a row as well, so that the others are told.
    async fn told_in_time(
        &self,
        until: Instant,
        token: &PersonToken,
        tenant: &Tenant,
        operation: Operation,
        by: &Actor,
    ) -> Row {
        let id = operation.id.to_string();
        let told = tokio::time::timeout_at(until, self.told(token, tenant, operation, by)).await;
        told.unwrap_or_else(|_| Row { operation: id, words: vec![html! { (words::NO_ANSWER) }] })
    }

    /// Tells Microsoft of one operation, and people what came of it.
    async fn told(&self, token: &PersonToken, tenant: &Tenant, operation: Operation, by: &Actor) -> Row {
        let id = operation.id.to_string();
        let words = match self.subscriptions.act(token, tenant, operation, by).await {
            Ok(operation) => {
                self.leave_to_queue(&operation).await;
                words_of(&operation)
            }
            Err(error) => {
                tracing::warn!(
                    tenant.id = %tenant.id, operation.id = %id, error = runtime::chain(&error),
                    "Microsoft did not take an operation on, or nobody knows whether it did"
                );
                words_of_error(&error)
            }
        };
        Row { operation: id, words: vec![words] }
    }

    fn caller<'a>(&self, request: &'a Request) -> Result<&'a Caller, Refused> {
        let caller = self.resolve.gate.caller(request).map_err(|problem| Refused::of(&problem))?;
        // A program has the API, and hands over a token there.
        if caller.how() == How::Session { Ok(caller) } else { Err(Refused::NotSignedIn) }
    }

    /// The operations of these ids that there are.
    async fn waiting(&self, tenant: &Tenant, ids: &[OperationId]) -> Result<Vec<Operation>, Refused> {
        let mut found = Vec::new();
        for id in ids {
            let operation = self.resolve.store.operation(&tenant.id, id).await;
            found.extend(operation.map_err(|error| Refused::unavailable(&error))?);
        }
        Ok(found)
    }

    async fn trip(&self, request: &Request) -> Result<Trip, Refused> {
        let name = cookie_of(state(request)).ok_or(Refused::RunOut)?;
        let cookies = Cookies::of(&request.headers);
        let sealed = cookies.one(&name).ok().flatten().ok_or(Refused::RunOut)?;
        let opened = self.opened().await?;
        let text = opened.sealing.open(PURPOSE, sealed, self.now()).map_err(|_| Refused::RunOut)?;
        serde_json::from_slice(&text).map_err(|_| Refused::RunOut)
    }

    async fn opened(&self) -> Result<Arc<Opened>, Refused> {
        let opened = self.stepping_up.kept.get(self.now(), || self.stepping_up.open()).await;
        opened.map_err(|error| Refused::unavailable(&error))
    }

    fn now(&self) -> Timestamp {
        (self.stepping_up.now)()
    }
}

/// Whether the browser comes from a page of ours, or from nowhere else: `Sec-Fetch-Site`, which no page can set.
fn is_our_own(request: &Request) -> bool {
    let mut values = request.headers.get_all("sec-fetch-site").iter();
    let first = values.next().map(HeaderValue::as_bytes);
    values.next().is_none() && matches!(first, Some(b"same-origin" | b"none"))
}

/// Those that this person wants, and that a token can still do something about.
fn carried<'a>(operations: &'a [Operation], by: &'a Actor) -> impl Iterator<Item = &'a Operation> {
    operations.iter().filter(move |operation| operation.takes_person() && operation.is_wanted_by(by))
}

/// The state that Entra ID gives back; empty where there is none.
fn state(request: &Request) -> &str {
    let mut members = request.raw_query().split('&');
    members.find_map(|member| member.strip_prefix("state=")).unwrap_or_default()
}

/// The name of the cookie of the trip that has this state, so that two trips at the same time don't break each other. None where it is no state of ours.
fn cookie_of(state: &str) -> Option<String> {
    let mark = state.get(..12)?;
    let is_plain = mark.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    is_plain.then(|| format!("{COOKIE}-{mark}"))
}

fn set_cookie(answer: &mut Answer, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn unset_cookie(answer: &mut Answer, name: &str) {
    set_cookie(answer, &format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"));
}

/// The cookies of trips that nobody came back from, where they are as many as a browser may keep: together with those of the other pages they would soon
/// be more than the gateway takes.
fn too_many(headers: &HeaderMap) -> Vec<String> {
    let cookies = Cookies::of(headers);
    let trips: Vec<_> = cookies.beginning(COOKIE).collect();
    let bytes: usize = trips.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes < MOST_TRIP_BYTES { Vec::new() } else { trips.into_iter().map(|(name, _)| name.to_owned()).collect() }
}
