//! Between the functions and AWS: sees every request of theirs, and refuses, answers or holds up what a test says.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use tokio::sync::Notify;

/// A request to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The operation, for example `PutItem`.
    pub operation: String,
    /// The body, as it was sent.
    pub body: String,
}

/// What happens to a request.
#[derive(Clone, Debug)]
enum Act {
    Answer(String),
    Hold(Gate),
    Pass,
    Refuse(String),
}

/// Holds up one request.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    reached: Arc<Notify>,
    opened: Arc<Notify>,
}

impl Gate {
    /// Waits until the request has come.
    ///
    /// # Panics
    ///
    /// Where it does not come.
    pub async fn reached(&self) {
        let waited = tokio::time::timeout(crate::PATIENCE, self.reached.notified()).await;
        assert!(waited.is_ok(), "the request that is to be held up did not come");
    }

    /// Lets it go on.
    pub fn open(&self) {
        self.opened.notify_one();
    }
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    acts: VecDeque<(&'static str, Act)>,
    answers: HashMap<&'static str, String>,
    hold_after: Option<(usize, Gate)>,
}

/// The tap. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Tap {
    inner: SharedHttpClient,
    state: Arc<Mutex<State>>,
}

impl Tap {
    /// A tap before this client.
    #[must_use]
    pub fn new(inner: SharedHttpClient) -> Self {
        Self { inner, state: Arc::default() }
    }

    /// All requests since the last time this was asked.
    #[must_use]
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    /// The operations of all requests since the last time.
    #[must_use]
    pub fn take_operations(&self) -> Vec<String> {
        self.take().into_iter().map(|call| call.operation).collect()
    }

    /// The bodies of the requests of one operation since the last time; the others are forgotten.
    #[must_use]
    pub fn take_bodies(&self, operation: &str) -> Vec<String> {
        self.take().into_iter().filter(|call| call.operation == operation).map(|call| call.body).collect()
    }

    /// The next request of this operation that nothing else was said about is refused with this code, for good.
    pub fn refuse(&self, operation: &'static str, code: &str) {
        let body = if operation == "Publish" {
            format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error></ErrorResponse>")
        } else {
            serde_json::json!({ "__type": code, "message": "refused by the test" }).to_string()
        };
        self.refuse_with(operation, body);
    }

    /// The same with this answer.
    pub fn refuse_with(&self, operation: &'static str, body: String) {
        self.state().acts.push_back((operation, Act::Refuse(body)));
    }

    /// Every request of this operation that nothing else was said about has this answer, from now on.
    pub fn answer(&self, operation: &'static str, body: String) {
        self.state().answers.insert(operation, body);
    }

    /// The next request of this operation that nothing else was said about goes through.
    pub fn pass(&self, operation: &'static str) {
        self.state().acts.push_back((operation, Act::Pass));
    }

    /// The next request of this operation that nothing else was said about is held up.
    #[must_use]
    pub fn hold(&self, operation: &'static str) -> Gate {
        let gate = Gate::default();
        self.state().acts.push_back((operation, Act::Hold(gate.clone())));
        gate
    }

    /// The request that comes after so many others, whatever it is, is held up.
    #[must_use]
    pub fn hold_after(&self, requests: usize) -> Gate {
        let gate = Gate::default();
        self.state().hold_after = Some((requests, gate.clone()));
        gate
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn act(&self, call: Call) -> Act {
        let mut state = self.state();
        match state.hold_after.take() {
            Some((0, gate)) => return Act::Hold(gate),
            Some((left, gate)) => state.hold_after = Some((left - 1, gate)),
            None => {}
        }
        let place = state.acts.iter().position(|(operation, _)| *operation == call.operation);
        let answer = state.answers.get(call.operation.as_str()).cloned();
        state.calls.push(call);
        let act = place.and_then(|place| state.acts.remove(place)).map(|(_, act)| act);
        act.or(answer.map(Act::Answer)).unwrap_or(Act::Pass)
    }
}

impl HttpClient for Tap {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Tapped { inner, tap: self.clone() })
    }
}

#[derive(Debug)]
struct Tapped {
    inner: SharedHttpConnector,
    tap: Tap,
}

impl HttpConnector for Tapped {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.inner.clone();
        match self.tap.act(read(&request)) {
            Act::Answer(body) => {
                HttpConnectorFuture::ready(Ok(HttpResponse::new(http::StatusCode::OK.into(), body.into())))
            }
            Act::Pass => inner.call(request),
            Act::Hold(gate) => HttpConnectorFuture::new(async move {
                gate.reached.notify_one();
                gate.opened.notified().await;
                inner.call(request).await
            }),
            Act::Refuse(body) => {
                HttpConnectorFuture::ready(Ok(HttpResponse::new(http::StatusCode::BAD_REQUEST.into(), body.into())))
            }
        }
    }
}

fn read(request: &HttpRequest) -> Call {
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
    let operation = match request.headers().get("x-amz-target").and_then(|target| target.split_once('.')) {
        Some((_, operation)) => operation,
        // The query protocol.
        None => body.split('&').find_map(|field| field.strip_prefix("Action=")).unwrap_or("unknown"),
    };
    Call { operation: operation.to_owned(), body }
}
