//! Downloads over https: what the host of certificates may answer, and what comes of it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use attacks::{Certificate, Key, Pieces, bytes, table};
use axum::body::Body;
use bytes::Bytes;
use http::Response;
use http_body::Frame;
use runtime::{OutgoingTls, Parts, Variables};
use serde::Deserialize;
use tests::Scripted;
use tokio::time::{Interval, interval};

use crate::place::{Place, callback, fraud, request, signed};

/// An answer to the download of a certificate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) threat: String,
    why: String,
    #[serde(default = "ok")]
    answer: u16,
    /// Headers of the answer; `{here}` is the host's own address.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The body; `certificate` is one that would do, in DER.
    #[serde(default = "the_certificate")]
    body: Pieces,
    /// A byte now and then, without an end.
    #[serde(default)]
    drips: bool,
    /// The names in the host's own certificate.
    #[serde(default = "usual_names")]
    names: Vec<String>,
    /// How many names stand in it beside them.
    #[serde(default)]
    more_names: usize,
    /// Whether the host's own certificate is one that is trusted.
    #[serde(default = "yes")]
    trusted: bool,
    /// How the host is called.
    #[serde(default = "usual_host")]
    host: String,
    reason: String,
    status: u16,
    /// How often the host is asked, for whatever it is.
    requests: usize,
}

fn ok() -> u16 {
    200
}

fn yes() -> bool {
    true
}

fn the_certificate() -> Pieces {
    serde_json::from_str(r#"[{"named": "certificate"}]"#).unwrap()
}

fn usual_names() -> Vec<String> {
    vec!["127.0.0.1".to_owned()]
}

fn usual_host() -> String {
    "127.0.0.1".to_owned()
}

pub(crate) fn cases() -> Vec<Case> {
    table("tests/tests/data/threats/downloads.json")
}

#[tokio::test]
async fn every_answer_of_the_table_has_its_outcome_and_leads_nowhere_else() {
    let place = Place::new().await;
    let issued = Certificate::default().issue(place.now());
    let folder = tempfile::TempDir::new().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let anchors = file("anchors.pem", issued.anchors.as_deref().unwrap());
    let intermediates = file("intermediates.pem", &issued.issuers);
    for (mark, case) in cases().into_iter().enumerate() {
        let host = case.start(&issued.published, &place).await;
        let port = host.url().rsplit(':').next().unwrap();
        let location = format!("https://{}:{port}/cert/", case.host);
        let stranger = Scripted::start(|_, _| Response::new("nobody comes here".to_owned())).await;
        let trusted = if case.trusted { host.certificate_pem() } else { stranger.certificate_pem() };
        let set = [
            ("CERTIFICATE_LOCATIONS", location.clone()),
            ("CERTIFICATE_NAMES", "pcnotifications-dispatch.microsoft.com".to_owned()),
            ("CERTIFICATE_TIMEOUT_SECONDS", if case.drips { "1" } else { "5" }.to_owned()),
            ("SIGNATURE_TRUST_ANCHORS_FILE", anchors.clone()),
            ("SIGNATURE_INTERMEDIATES_FILE", intermediates.clone()),
        ];
        let tls = [("OUTGOING_TLS_TRUST_ANCHORS_FILE", file("tls.pem", trusted))];
        let others = webhook::VARIABLES.iter();
        let others = others.filter_map(|variable| Some((variable.name, place.parts.variables.read(variable).ok()?)));
        let variables = Variables::default().over(set).over(tls).over(others);
        let tls = OutgoingTls::read(&variables).unwrap();
        let function = webhook::wire(&Parts { variables, tls, ..place.parts.clone() }).unwrap();
        let body = fraud(place.now(), mark);
        let signature = Key::named("signing-2048").sign(&body);

        let told =
            place.tell(&function, request(&callback(signed(&signature, &format!("{location}a.cer")), &body))).await;

        assert_eq!(told.outcome(), (case.reason.as_str(), case.status), "{}: {}", case.threat, case.why);
        let paths: Vec<_> = host.asked().into_iter().map(|asked| asked.path).collect();
        assert_eq!(paths, vec!["/cert/a.cer"; case.requests], "{}: {}", case.threat, case.why);
        assert_eq!(place.event(&body).await.is_some(), case.status == 200, "{}", case.why);
    }
}

impl Case {
    async fn start(&self, certificate: &[u8], place: &Place) -> Scripted {
        let there = BTreeMap::from([("certificate", certificate.to_vec())]);
        let body = Bytes::from(bytes(&self.body, place.now(), &there));
        let (status, headers, drips) = (self.answer, self.headers.clone(), self.drips);
        let more = (0..self.more_names).map(|number| format!("n{number}.attacker.example"));
        let names: Vec<_> = self.names.iter().cloned().chain(more).collect();
        let own_names: Vec<&str> = names.iter().map(String::as_str).collect();
        Scripted::start_as(&own_names, move |here, _| {
            let mut response = Response::builder().status(status);
            for (name, value) in &headers {
                response = response.header(name, value.replace("{here}", here));
            }
            let body =
                if drips { Body::new(Drip(interval(Duration::from_millis(50)))) } else { Body::from(body.clone()) };
            response.body(body).unwrap()
        })
        .await
    }
}

/// A byte now and then, for as long as somebody listens.
struct Drip(Interval);

impl http_body::Body for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        ready!(self.0.poll_tick(context));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"0")))))
    }
}
