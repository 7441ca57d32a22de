//! A webhook as it is deployed, over a local system where nothing runs by itself.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};
use models::TraceContext;
use runtime::{Clock as _, FixedClock, Parts};
use simulator::{SignedCallback, Simulator};
use tests::{BY_HAND, PATH_KEY, TENANT, TestSystem, wire::Wire};
use webhook::{Deployed, request::RequestId};

pub(crate) struct Here {
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) test: TestSystem,
    pub(crate) wire: Wire,
    webhook: Deployed,
}

impl Here {
    pub(crate) async fn start() -> Self {
        let mut variables = BY_HAND.to_vec();
        variables.push(("LOCAL_PATH_KEY", PATH_KEY));
        let test = TestSystem::start(&variables).await.unwrap();
        let wire = Wire::default();
        let clock = Arc::new(FixedClock::at(test.system.parts().clock.now()));
        let parts = Parts { clock: Arc::clone(&clock) as _, ..wire.tap(test.system.parts()) };
        let webhook = webhook::wire(&parts).unwrap();
        Self { clock, test, wire, webhook }
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        self.test.system.simulator()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Hands a callback over, and says what came of it.
    pub(crate) async fn receive(&self, callback: SignedCallback) -> &'static str {
        self.webhook.receive(&request(callback)).await.reason()
    }
}

static INVOCATIONS: AtomicU64 = AtomicU64::new(0);

/// A callback as the handler gets it, with the trace and the id of an invocation, of which no two are the same.
fn request(callback: SignedCallback) -> Request<Bytes> {
    let trace = TraceContext::new(1, 1, true).unwrap();
    let id = RequestId(format!("8476a536-e9f4-11e8-9739-{:012x}", INVOCATIONS.fetch_add(1, Relaxed)));
    let request = Request::post(format!("/callbacks/{TENANT}/{PATH_KEY}")).extension(trace).extension(id);
    let mut request = request.body(Bytes::from(callback.body)).unwrap();
    for (name, value) in &callback.headers {
        request.headers_mut().append(name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    }
    request
}

/// The body of a fraud event of this many bytes; `mark` makes it another event.
pub(crate) fn body(changed: Timestamp, mark: usize, bytes: usize) -> Vec<u8> {
    let around = |filler: &str| {
        format!(
            "{{\"EventName\":\"azure-fraud-event-detected\",\"ResourceUri\":\"https://api.partnercenter.microsoft.com/v1/\
             customers/{mark}\",\"AuditUri\":\"{filler}\",\"ResourceChangeUtcDate\":\"{changed:.7}\"}}"
        )
    };
    let filler = "x".repeat(bytes - around("").len());
    around(&filler).into_bytes()
}
