//! A `webhook` for each row over one local system, and what a refusal may cost.

use std::{collections::HashMap, sync::Arc};

use attacks::{Certificate, Issued, Key, PUBLISHED_URL, Sent};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use callback::{
    BUNDLED_TRUST_ANCHORS_PEM, CertificateLocation, DEFAULT_CERTIFICATE_NAMES, DEFAULT_ISSUER_HOSTS, Policy,
};
use http::{Request, Response, header};
use jiff::{SignedDuration, Timestamp};
use messaging::ReconcileQueue;
use models::EventId;
use runtime::{FixedClock, Parts};
use serde_json::Value;
use signers::{FetchCertificate, FetchError};
use simulator::SignedCallback;
use store::Store;
use tests::{BY_HAND, Lines, PATH_KEY, START, TENANT, TestSystem, Way, gateway_event, wire::Wire};
use webhook::{Config, Webhook};

use crate::shelf::Shelf;

/// The longest line that a refusal may write to the log, in bytes.
const LONGEST_LINE: usize = 600;
/// Stands in every request, in headers that nobody asked for.
const PLANTED: &str = "planted-6d61726b6572";

/// The function under test.
pub(crate) type Function = Webhook<Store, Shelf, ReconcileQueue>;

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) reason: String,
    pub(crate) status: u16,
    /// What the log says of it.
    pub(crate) line: Value,
}

impl Told {
    pub(crate) fn outcome(&self) -> (&str, u16) {
        (&self.reason, self.status)
    }
}

/// A local system in which nothing runs by itself.
pub(crate) struct Place {
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) wire: Wire,
    pub(crate) parts: Parts,
    lines: Lines,
    system: TestSystem,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let path_key = [("LOCAL_PATH_KEY", PATH_KEY)];
        let system = TestSystem::start(&[&BY_HAND[..], &path_key].concat()).await.unwrap();
        let clock = Arc::new(FixedClock::at(START.parse().unwrap()));
        let wire = Wire::default();
        let parts = Parts { clock: Arc::clone(&clock) as _, ..wire.tap(system.system.parts()) };
        Self { clock, wire, parts, lines: Lines::capture("info"), system }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Goes back to the first moment, with nothing stored and nothing sent.
    pub(crate) async fn forget(&self) {
        for item in self.events().await {
            self.delete_event(&item).await;
        }
        self.clock.advance(START.parse::<Timestamp>().unwrap().duration_since(self.now()));
        self.wire.forget();
    }

    /// A function that has nothing in its memory, believes the authorities of this certificate, and finds it at its address.
    pub(crate) fn function(&self, issued: &Issued) -> (Function, Shelf) {
        let certificates = Shelf::default();
        certificates.put(PUBLISHED_URL, Ok(issued.published.clone()));
        for (url, place) in &issued.places {
            certificates.put(url, place.clone().ok_or_else(|| FetchError::NoAnswer("connection refused".to_owned())));
        }
        (self.function_over(issued, &certificates), certificates)
    }

    /// The same over this shelf.
    pub(crate) fn function_over(&self, issued: &Issued, certificates: &Shelf) -> Function {
        let config = Config::read(&self.parts.variables).unwrap();
        let locations = vec![CertificateLocation::DEFAULT.parse().unwrap()];
        let names = DEFAULT_CERTIFICATE_NAMES.map(str::to_owned).to_vec();
        let anchors = issued.anchors.as_deref().unwrap_or(BUNDLED_TRUST_ANCHORS_PEM);
        let hosts = DEFAULT_ISSUER_HOSTS.map(|host| host.parse().unwrap()).to_vec();
        let policy = Policy::new(locations, names, anchors, &issued.issuers).unwrap().with_issuer_hosts(hosts);
        let store = Store::new(aws_sdk_dynamodb::Client::new(&self.parts.aws), config.tables);
        let queue = ReconcileQueue::new(aws_sdk_sqs::Client::new(&self.parts.aws), config.queue_url);
        Webhook::new(store, certificates.clone(), queue, policy, Arc::clone(&self.parts.clock), config.settings)
    }

    /// A function that believes Microsoft's own certificate, and its shelf.
    pub(crate) fn usual(&self) -> (Function, Shelf) {
        self.function(&Certificate::of_key("signing-2048").issue(self.now()))
    }

    /// Hands a request over as `main.rs` does, and holds what it cost to what it may cost.
    pub(crate) async fn tell<F: FetchCertificate + Sync>(
        &self,
        function: &Webhook<Store, F, ReconcileQueue>,
        request: Request<bytes::Bytes>,
    ) -> Told {
        let _ = self.lines.take();
        let before = self.wire.sent().len();
        let secrets = secrets(&request);
        let answer = function.answer(request).await;
        let status = answer.status().as_u16();
        assert_constant(&answer);
        let text = self.lines.take();
        let sent: Vec<String> = self.wire.operations().split_off(before);
        let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let reason = first["reason"].as_str().unwrap_or_else(|| panic!("{first}")).to_owned();
        if status != 200 {
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(text.len() <= LONGEST_LINE, "{} bytes: {text}", text.len());
        }
        if [401, 404, 413].contains(&status) || reason != "unreadable-event" && status == 400 {
            // The path keys are read at most once a minute, whatever comes.
            assert!(sent.is_empty() || sent == ["Query"], "{reason} cost {sent:?}");
        }
        for secret in secrets {
            assert!(!text.contains(&secret), "the log holds {secret:?}: {text}");
        }
        Told { reason, status, line: first }
    }

    /// Everything in the events table.
    pub(crate) async fn events(&self) -> Vec<HashMap<String, AttributeValue>> {
        let client = aws_sdk_dynamodb::Client::new(&self.system.system.parts().aws);
        let pages = client.scan().table_name(self.events_table()).into_paginator().items();
        pages.send().collect::<Result<_, _>>().await.unwrap()
    }

    /// The event that has this body, if it is kept.
    pub(crate) async fn event(&self, body: &[u8]) -> Option<HashMap<String, AttributeValue>> {
        let client = aws_sdk_dynamodb::Client::new(&self.system.system.parts().aws);
        let key = AttributeValue::S(format!("{TENANT}#{}", EventId::of_body(body)));
        client.get_item().table_name(self.events_table()).key("pk", key).send().await.unwrap().item
    }

    /// Deletes this item of the events table, as its TTL would.
    pub(crate) async fn delete_event(&self, item: &HashMap<String, AttributeValue>) {
        let client = aws_sdk_dynamodb::Client::new(&self.system.system.parts().aws);
        client.delete_item().table_name(self.events_table()).key("pk", item["pk"].clone()).send().await.unwrap();
    }

    fn events_table(&self) -> &str {
        &self.system.system.tables().events
    }
}

/// A text that is the same for all of a status, and nothing beside it.
fn assert_constant(answer: &Response<&'static str>) {
    let text = match answer.status().as_u16() {
        200 => "ok",
        400 => "malformed",
        401 => "not authentic",
        404 => "not found",
        413 => "too large",
        503 => "try again",
        other => panic!("no answer has status {other}"),
    };
    assert_eq!(*answer.body(), text);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers().len(), 2);
}

/// What no line of the log may hold.
fn secrets(request: &Request<bytes::Bytes>) -> Vec<String> {
    let long_word =
        |text: &str| text.split(' ').filter(|word| word.len() >= 32).map(|word| word[..24].to_owned()).collect();
    let signatures = ["authorization", "x-ms-signature"].iter().flat_map(|name| request.headers().get_all(*name));
    let signatures =
        signatures.filter_map(|value| value.to_str().ok()).flat_map(|value| -> Vec<String> { long_word(value) });
    let body = String::from_utf8_lossy(&request.body()[..request.body().len().min(24)]).into_owned();
    let bodies = (body.len() >= 16).then_some(body);
    signatures.chain(bodies).chain([PLANTED, PATH_KEY].map(str::to_owned)).collect()
}

/// The address of the seed tenant.
pub(crate) fn path() -> String {
    format!("/callbacks/{TENANT}/{PATH_KEY}")
}

/// A callback with these headers, and a marker where nobody looks.
pub(crate) fn callback(headers: Sent, body: &[u8]) -> SignedCallback {
    let planted = ["user-agent", "cookie", "x-forwarded-for", "x-api-key"];
    let planted = planted.map(|name| (name.to_owned(), PLANTED.to_owned()));
    SignedCallback { headers: headers.into_iter().chain(planted).collect(), body: body.to_vec() }
}

/// The headers of a callback that this signature is for.
pub(crate) fn signed(signature: &[u8], url: &str) -> Sent {
    let headers = [
        ("authorization", format!("Signature {}", STANDARD.encode(signature))),
        ("x-ms-certificate-url", url.to_owned()),
        ("x-ms-signature-algorithm", "rsa-sha256".to_owned()),
    ];
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A callback that this key signs.
pub(crate) fn genuine(key: &str, body: &[u8]) -> SignedCallback {
    callback(signed(&Key::named(key).sign(body), PUBLISHED_URL), body)
}

/// The request as it is.
pub(crate) fn request(callback: &SignedCallback) -> Request<bytes::Bytes> {
    let mut request = Request::post(path());
    for (name, value) in &callback.headers {
        request = request.header(name, value.as_bytes());
    }
    request.body(callback.body.clone().into()).unwrap()
}

/// The request that the function's `main.rs` makes of what API Gateway makes of a callback; nothing where that can't be read.
pub(crate) fn by_way(way: Way, callback: &SignedCallback) -> Option<Request<bytes::Bytes>> {
    let event = gateway_event(way, &path(), callback);
    let request = lambda_http::request::from_str(&event.to_string()).ok()?;
    Some(webhook::request::plain(request))
}

/// A fraud event that changed then; `mark` makes it another event.
pub(crate) fn fraud(changed: Timestamp, mark: usize) -> Vec<u8> {
    format!(
        "{{\"EventName\":\"azure-fraud-event-detected\",\"ResourceUri\":\"https://api.partnercenter.microsoft.com/v1/customers/\
         {mark}\",\"AuditUri\":null,\"ResourceChangeUtcDate\":\"{changed}\"}}"
    )
    .into_bytes()
}
