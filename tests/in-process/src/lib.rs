//! The webhook in one process, and a page of alerts that is read, with neither network nor AWS: what
//! `cargo bench --bench budgets` measures of their own work.
//!
//! Everything of ours is what is deployed: handler, policy with the bundled roots, log, metrics. Around it is memory: one tenant, a
//! store that keeps nothing, a certificate that is at hand. Lines of the log and of the metrics are written out and thrown away.
//!
//! The binaries print what they measured as one JSON object a line; the driver makes figures of it. Time and memory are
//! measured by two, since the allocator that counts would take its time in the other.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a measurement that can't be made has to fail loudly"
)]

mod callbacks;
mod hostile;
mod memory;
mod pages;
mod timing;

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use jiff::SignedDuration;
use runtime::{FixedClock, Metrics, Variables};
use webhook::{CertificateSettings, Settings, Webhook};

pub use callbacks::{Callback, KINDS, Kind, Microsoft, bodies, now};
pub use hostile::hostile_certificates;
pub use memory::{Answer, Memory};
pub use pages::{PAGES, bare_page, page};
pub use timing::each;

/// The webhook over memory.
pub type InMemory = Webhook<Memory, Memory, Memory>;

/// A webhook that has judged a callback before: it knows its tenant's path key and Microsoft's certificate.
#[must_use]
pub fn warm_webhook(microsoft: &Microsoft, answer: Answer) -> InMemory {
    let memory = Memory { answer, certificate: microsoft.certificate.clone() };
    let clock = Arc::new(FixedClock::at(now()));
    let settings = Settings {
        max_body_bytes: callback::MAX_BODY_BYTES,
        path_keys_refresh: SignedDuration::from_mins(1),
        certificates: CertificateSettings {
            keep: SignedDuration::from_hours(24),
            remember_failure: SignedDuration::from_secs(10),
            renewal_pause: SignedDuration::from_mins(1),
        },
    };
    let webhook = Webhook::new(memory.clone(), memory.clone(), memory, microsoft.policy.clone(), clock, settings);
    let webhook = webhook.with_metrics(Metrics::to_lines("webhook".to_owned(), |_| ()));
    // A download has a deadline, for which there has to be a timer. It is over at once.
    let timer = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = timer.enter();
    let _ = at_once(webhook.receive(&Callback::new(microsoft, &bodies(1)[0]).request(Kind::Genuine)));
    webhook
}

/// Logs as a deployed function does, to nobody.
pub fn log_to_nobody() {
    runtime::start_logging(&Variables::default(), std::io::sink).unwrap();
}

/// Polls this once. In memory there is nothing to wait for: what is not ready has come to the store that never answers.
///
/// Not within a runtime, which would have a long loop of ours make room for other tasks now and then.
pub fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
