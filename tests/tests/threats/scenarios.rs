//! Sequences: replays, ages, renewed certificates, hosts that fail, processes that start anew.
//!
//! Every step that sends says what must come of it and how many downloads there have been so far.

use std::collections::HashSet;

use attacks::{Certificate, Issued, Key, PUBLISHED_URL, table};
use aws_sdk_dynamodb::types::AttributeValue;
use callback::CertificateLocation;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use signers::FetchError;
use simulator::SignedCallback;

use crate::{
    place::{Function, Place, callback, fraud, request, signed},
    shelf::{Found, Shelf},
};

/// Steps that follow each other, from a first moment at which nothing is remembered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) threat: String,
    why: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Step {
    /// The clock moves on by so many seconds, or back.
    Advance(i64),
    /// Rows whose time is over are deleted, as the table does late.
    Expire,
    /// From now on this lies at the address of the certificate.
    Lies(Lies),
    /// The same at another name in the same place.
    LiesAt { name: String, lies: Lies },
    /// Another process, which remembers nothing; the first one stays.
    Process,
    /// So often `poll` was asked to look so far.
    Rung(usize),
    /// A callback comes.
    Send(Send),
    /// So many events are kept.
    Stored(usize),
}

/// A callback.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    /// Which event; the same number is the same event.
    event: usize,
    /// When it changed, from the first moment on; where it is not said, at that moment.
    #[serde(default)]
    changed: SignedDuration,
    /// Whose key signs it.
    #[serde(default = "usual_key")]
    key: String,
    /// Signed, but another event.
    #[serde(default)]
    forged: bool,
    /// The certificate's name at its place.
    name: Option<String>,
    /// How often it comes.
    #[serde(default = "once")]
    times: usize,
    /// At which process; the first one is 0.
    #[serde(default)]
    process: usize,
    reason: String,
    status: u16,
    /// Downloads so far.
    downloads: usize,
}

/// What lies at the address of the certificate.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Lies {
    Certificate(Box<Certificate>),
    Empty,
    Missing,
    Page,
    TooLarge,
    Unreachable,
    /// Microsoft's certificate with this key.
    WithKey(String),
}

fn usual_key() -> String {
    "signing-2048".to_owned()
}

fn once() -> usize {
    1
}

impl Lies {
    fn found(&self, now: Timestamp) -> Found {
        match self {
            Self::Certificate(certificate) => Ok(certificate.issue(now).published),
            Self::Empty => Ok(Vec::new()),
            Self::Missing => Err(FetchError::Status(404)),
            Self::Page => Ok(b"<!doctype html><title>Sign in</title>".to_vec()),
            Self::TooLarge => Err(FetchError::TooLarge),
            Self::Unreachable => Err(FetchError::NoAnswer("connection refused".to_owned())),
            Self::WithKey(key) => Ok(Certificate::of_key(key).issue(now).published),
        }
    }
}

/// A scenario under way.
struct Stage<'p> {
    place: &'p Place,
    start: Timestamp,
    issued: Issued,
    shelf: Shelf,
    processes: Vec<Function>,
}

impl Stage<'_> {
    async fn take(&mut self, step: &Step, row: &str) {
        let place = self.place;
        match step {
            Step::Advance(seconds) => place.advance(*seconds),
            Step::Expire => self.expire().await,
            Step::Lies(lies) => self.shelf.put(PUBLISHED_URL, lies.found(place.now())),
            Step::LiesAt { name, lies } => self.shelf.put(&url_of(name), lies.found(place.now())),
            Step::Process => self.processes.push(place.function_over(&self.issued, &self.shelf)),
            Step::Rung(expected) => assert_eq!(place.wire.count("SendMessage"), *expected, "{row}"),
            Step::Stored(expected) => assert_eq!(place.events().await.len(), *expected, "{row}"),
            Step::Send(send) => {
                let callback = self.callback(send);
                for copy in 0..send.times {
                    let told = place.tell(&self.processes[send.process], request(&callback)).await;
                    assert_eq!(told.outcome(), (send.reason.as_str(), send.status), "{row}, copy {copy}");
                }
                assert_eq!(self.shelf.asked().len(), send.downloads, "{row}");
            }
        }
    }

    fn callback(&self, send: &Send) -> SignedCallback {
        let body = fraud(self.start + send.changed, send.event);
        let message = if send.forged { b"another event".as_slice() } else { &body };
        let url = send.name.as_deref().map_or_else(|| PUBLISHED_URL.to_owned(), url_of);
        callback(signed(&Key::named(&send.key).sign(message), &url), &body)
    }

    async fn expire(&self) {
        let now = self.place.now().as_second();
        for item in self.place.events().await {
            let AttributeValue::N(expires_at) = &item["expires_at"] else { panic!("{item:?}") };
            if expires_at.parse::<i64>().unwrap() <= now {
                self.place.delete_event(&item).await;
            }
        }
    }
}

/// The address of a name in the place where certificates lie.
fn url_of(name: &str) -> String {
    format!("{}{name}.cer", CertificateLocation::DEFAULT)
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    table("tests/tests/data/threats/scenarios.json")
}

#[tokio::test]
async fn every_scenario_goes_as_the_table_says() {
    let mut names = HashSet::new();
    let place = Place::new().await;
    for scenario in scenarios() {
        let issued = Certificate::default().issue(place.now());
        let (function, shelf) = place.function(&issued);
        let mut stage = Stage { place: &place, start: place.now(), issued, shelf, processes: vec![function] };
        for (number, step) in scenario.steps.iter().enumerate() {
            stage.take(step, &format!("{}, step {number}", scenario.why)).await;
        }
        place.forget().await;
        assert!(names.insert(scenario.why.clone()), "two scenarios are called {}", scenario.why);
    }
}
