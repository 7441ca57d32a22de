//! How much memory the webhook asks for until a callback is at the store, and how much `rsa` alone asks for to check it.
#![expect(clippy::unwrap_used, reason = "a measurement that can't be made has to fail loudly")]

use std::{alloc::System, hint::black_box};

use in_process::{Answer, Callback, Kind, Microsoft, at_once, bodies, log_to_nobody, warm_webhook};
use rsa::{
    RsaPublicKey,
    pkcs1::DecodeRsaPublicKey as _,
    pkcs1v15::{Signature, VerifyingKey},
    signature::Verifier as _,
};
use serde_json::json;
use sha2::Sha256;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CALLBACKS: usize = 60;

fn main() {
    log_to_nobody();
    let microsoft = Microsoft::new();
    let webhook = warm_webhook(&microsoft, Answer::Never);
    let key = VerifyingKey::<Sha256>::new(RsaPublicKey::from_pkcs1_der(microsoft.public_key()).unwrap());
    for body in bodies(CALLBACKS) {
        let callback = Callback::new(&microsoft, &body);
        let request = callback.request(Kind::Genuine);
        let bare = asked_for(|| {
            let signature = Signature::try_from(callback.signature.as_slice()).unwrap();
            key.verify(&callback.body, &signature).unwrap();
        });
        let to_the_store = asked_for(|| assert!(black_box(at_once(webhook.receive(&request))).is_none()));
        println!(
            "{}",
            json!({ "allocations": to_the_store.0, "bytes": to_the_store.1, "bare_allocations": bare.0, "bare_bytes": bare.1 })
        );
    }
}

/// How often memory is asked for, and for how many bytes in all. What grows asks again.
fn asked_for(work: impl FnOnce()) -> (usize, usize) {
    let region = Region::new(COUNTING);
    work();
    let change = region.change();
    (change.allocations + change.reallocations, change.bytes_allocated)
}
