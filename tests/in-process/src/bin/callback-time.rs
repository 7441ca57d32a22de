//! How long the webhook works on a callback of each kind, and how long `rsa` alone checks one in the same moment.
//!
//! What counts is the thread's own time on the processor: what else the machine does is not in it. Of each measurement the
//! yardstick is the mean of two, right before and right after it.
#![expect(clippy::unwrap_used, reason = "a measurement that can't be made has to fail loudly")]

use std::hint::black_box;

use bytes::Bytes;
use http::Request;
use in_process::{
    Answer, Callback, KINDS, Kind, Microsoft, at_once, bodies, each, hostile_certificates, log_to_nobody, now,
    warm_webhook,
};
use rsa::{
    RsaPublicKey,
    pkcs1::DecodeRsaPublicKey as _,
    pkcs1v15::{Signature, VerifyingKey},
    signature::Verifier as _,
};
use serde_json::json;
use sha2::Sha256;

const CALLBACKS: usize = 60;
const ROUNDS: usize = 301;
/// Judging a certificate takes longer, and is no budget.
const CERTIFICATE_ROUNDS: usize = 25;

fn main() {
    // What a deployed function has around it: the queue's deadline asks for a runtime.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _within = runtime.enter();
    log_to_nobody();
    let microsoft = Microsoft::new();
    let callbacks: Vec<Callback> = bodies(CALLBACKS).iter().map(|body| Callback::new(&microsoft, body)).collect();
    let bare = Bare::new(&microsoft, &callbacks);
    let to_the_store = warm_webhook(&microsoft, Answer::Never);
    let answering = warm_webhook(&microsoft, Answer::New);
    let span = runtime::invocation_span("8476a536-e9f4-11e8-9739-2dfe598c3fcd", None).entered();

    let requests = KINDS.map(|(kind, ..)| callbacks.iter().map(|callback| callback.request(kind)).collect::<Vec<_>>());
    for ((kind, name, reason), requests) in KINDS.iter().zip(&requests) {
        for request in requests {
            assert_eq!(at_once(answering.receive(request)).unwrap().reason(), *reason, "{name}");
            assert_eq!(at_once(to_the_store.receive(request)).is_none(), *kind == Kind::Genuine, "{name}");
        }
    }
    let judge = |requests: &[Request<Bytes>]| {
        each(requests.iter(), |request| drop(black_box(at_once(to_the_store.receive(request)))))
    };
    let answer = |requests: &[Request<Bytes>]| {
        each(requests.to_vec(), |request| drop(black_box(at_once(answering.answer(request)))))
    };
    let mut yardstick = bare.time();
    let mut record = |what: &str, kind: &str, took: f64| {
        let after = bare.time();
        println!(
            "{}",
            json!({ "what": what, "kind": kind, "took_ns": took, "bare_ns": f64::midpoint(yardstick, after) })
        );
        yardstick = after;
    };
    for _ in 0..ROUNDS {
        for ((_, name, _), requests) in KINDS.iter().zip(&requests) {
            record("judged", name, judge(requests));
            record("answered", name, answer(requests));
        }
    }
    drop(span);
    let certificates = hostile_certificates(&microsoft);
    let accepted = |certificate: &[u8]| microsoft.policy.check_certificate(certificate, now()).is_ok();
    assert_eq!(certificates.iter().filter(|(_, certificate)| accepted(certificate)).count(), 1);
    for _ in 0..CERTIFICATE_ROUNDS {
        for (name, certificate) in &certificates {
            let judged = |policy: &callback::Policy| drop(black_box(policy.check_certificate(certificate, now())));
            record("certificate", name, each([&microsoft.policy], judged));
        }
    }
}

/// What cannot be left out: one signature check with a key that is made ready before.
struct Bare<'a> {
    key: VerifyingKey<Sha256>,
    signed: Vec<(&'a [u8], Signature)>,
}

impl<'a> Bare<'a> {
    fn new(microsoft: &Microsoft, callbacks: &'a [Callback]) -> Self {
        let key = VerifyingKey::new(RsaPublicKey::from_pkcs1_der(microsoft.public_key()).unwrap());
        let signed = callbacks
            .iter()
            .map(|callback| (&*callback.body, Signature::try_from(callback.signature.as_slice()).unwrap()));
        Self { key, signed: signed.collect() }
    }

    fn time(&self) -> f64 {
        each(&self.signed, |(body, signature)| self.key.verify(body, signature).unwrap())
    }
}
