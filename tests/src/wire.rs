//! The wire between the AWS SDK and what answers it: requests are counted, and answers can be replaced.
//!
//! The embedded engine never throttles, conflicts or goes away; a test that is about that says so here.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use runtime::Parts;

/// What becomes of a request instead of being answered.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is answered, but the answer does not arrive.
    AnswerLost,
    /// It does not arrive.
    NotReached,
    /// It does not arrive, and somebody answers with this status and JSON.
    Refused(u16, String),
}

impl Fault {
    /// The answer of DynamoDB to a transaction that is cancelled for these reasons, one for each action.
    #[must_use]
    pub fn transaction_canceled(reasons: &[&str]) -> Self {
        let listed: Vec<String> = reasons.iter().map(|code| format!(r#"{{"Code":"{code}"}}"#)).collect();
        Self::Refused(
            400,
            format!(
                r#"{{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"Transaction cancelled","CancellationReasons":[{}]}}"#,
                listed.join(",")
            ),
        )
    }

    /// An answer that is no use trying again for.
    #[must_use]
    pub fn access_denied() -> Self {
        Self::Refused(400, r#"{"__type":"AccessDeniedException","message":"no"}"#.to_owned())
    }
}

/// A request that went over the wire.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The operation, for example `PutItem`.
    pub operation: String,
    /// The body.
    pub body: String,
}

#[derive(Debug)]
struct Planned {
    operation: &'static str,
    times: u32,
    fault: Fault,
}

/// The wire. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    sent: Arc<Mutex<Vec<Sent>>>,
    planned: Arc<Mutex<VecDeque<Planned>>>,
}

impl Wire {
    /// The same parts with this wire in their connection to AWS.
    #[must_use]
    pub fn tap(&self, parts: &Parts) -> Parts {
        let tap = Tap { inner: parts.aws.http_client(), wire: self.clone() };
        let aws = parts.aws.to_builder().http_client(SharedHttpClient::new(tap)).build();
        Parts { aws, ..parts.clone() }
    }

    /// A wire with nobody at the other end: only planned faults answer.
    #[must_use]
    pub fn to_nobody(&self) -> SharedHttpClient {
        SharedHttpClient::new(Tap { inner: None, wire: self.clone() })
    }

    /// Every request so far, repetitions by the SDK included.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.sent).clone()
    }

    /// The operations so far, in order.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.operation).collect()
    }

    /// How often this operation was asked for.
    #[must_use]
    pub fn count(&self, operation: &str) -> usize {
        lock(&self.sent).iter().filter(|sent| sent.operation == operation).count()
    }

    /// Forgets what was sent so far.
    pub fn forget(&self) {
        lock(&self.sent).clear();
    }

    /// The next requests of this operation have this fault.
    pub fn plan(&self, operation: &'static str, times: u32, fault: Fault) {
        lock(&self.planned).push_back(Planned { operation, times, fault });
    }

    /// All requests of this operation have this fault from now on.
    pub fn plan_always(&self, operation: &'static str, fault: Fault) {
        self.plan(operation, u32::MAX, fault);
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        lock(&self.planned).clear();
    }

    fn take(&self, sent: Sent) -> Option<Fault> {
        let mut planned = lock(&self.planned);
        let due = planned.iter_mut().find(|planned| planned.times > 0 && planned.operation == sent.operation);
        let fault = due.map(|planned| {
            planned.times -= 1;
            planned.fault.clone()
        });
        lock(&self.sent).push(sent);
        fault
    }
}

#[derive(Debug)]
struct Tap<C> {
    inner: Option<C>,
    wire: Wire,
}

impl HttpClient for Tap<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.as_ref().map(|client| client.http_connector(settings, components));
        SharedHttpConnector::new(Tap { inner, wire: self.wire.clone() })
    }
}

impl HttpConnector for Tap<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        // SNS names it in a form.
        let of_form = || body.split('&').find_map(|field| field.strip_prefix("Action=")).unwrap_or_default();
        let operation = if target.is_empty() { of_form() } else { target.rsplit('.').next().unwrap_or_default() };
        let operation = operation.to_owned();
        let fault = self.wire.take(Sent { operation, body });
        match (fault, &self.inner) {
            (None, Some(inner)) => inner.call(request),
            (Some(Fault::AnswerLost), Some(inner)) => {
                let answered = inner.call(request);
                HttpConnectorFuture::new(async move {
                    answered.await?;
                    Err(not_reached())
                })
            }
            (Some(Fault::Refused(status, json)), _) => HttpConnectorFuture::ready(
                status
                    .try_into()
                    .map(|status| HttpResponse::new(status, json.into()))
                    .map_err(|error| ConnectorError::other(Box::new(error), None)),
            ),
            (Some(Fault::NotReached | Fault::AnswerLost) | None, _) => HttpConnectorFuture::ready(Err(not_reached())),
        }
    }
}

fn not_reached() -> ConnectorError {
    ConnectorError::io(Box::new(io::Error::from(io::ErrorKind::ConnectionReset)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
