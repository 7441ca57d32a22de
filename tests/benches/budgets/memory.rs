//! Budget 8: how large a function is, in the archive that is uploaded and in memory, and whether it grows.
//!
//! Every invocation is one of real work: a genuine callback that has not been seen before, an alert's news on the stream, a run of
//! a tenant whose one alert is new, a look at a credential. A megabyte is 2^20 bytes. Memory is what the kernel says of the process: how much more is
//! resident after the load than after the warm-up, and the peak over all of it. What a run of `poll` takes grows with the tenant, so
//! for the peak it also makes some of a tenant with a thousand alerts, all of them new.

use std::{fmt, fs, io::Write as _, path::Path, sync::Arc, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flate2::{Compression, write::DeflateEncoder};
use jiff::Timestamp;
use runtime::{Clock as _, SystemClock};
use serde_json::{Value, json};
use simulator::{NewAlert, SignedCallback, Simulator};
use tests::{
    BY_HAND, ByHand, Item, PATH_KEY, TENANT, TestSystem, WAYS,
    binaries::{DEPLOYED, FUNCTIONS, build, variables},
    gateway_event,
    lambda::{Environment, Lambda, environment},
    queue_record, sample_alert, stream_record, text, typed,
};
use tokio::{
    sync::mpsc,
    task::{JoinSet, spawn_blocking},
};

use crate::{
    aws::Aws,
    report::{Budget, Report, Target, detail},
};

const ZIP: Budget = Budget { number: 8, target: Target::AtMost(4.0), unit: " MB", of: " as a zip" };
const PEAK: Budget = Budget { number: 8, target: Target::AtMost(16.0), unit: " MB", of: " of memory at the peak" };
const GROWTH: Budget =
    Budget { number: 8, target: Target::AtMost(1.0), unit: " MB", of: " of growth over 100,000 invocations" };

pub(crate) const MB: f64 = (1 << 20) as f64;
/// Connections, caches and the allocator have settled by then.
const WARM_UP: usize = 2_000;
const INVOCATIONS: usize = 100_000;
/// Alerts of a large tenant, and runs of it.
const LARGE: usize = 1_000;
const LARGE_RUNS: usize = 20;
/// Events that are made ahead.
const AHEAD: usize = 512;

pub(crate) async fn measure(report: &mut Report) {
    let binaries = build(DEPLOYED, &FUNCTIONS.map(|name| format!("--package={name}")));
    let mut zip: f64 = 0.0;
    for (name, binary) in &binaries {
        let bytes = zipped(binary);
        detail(format_args!("{name}: {:.2} MB, {:.2} MB as a zip", size(binary) / MB, bytes / MB));
        zip = zip.max(bytes);
    }
    report.figure(&ZIP, zip / MB);

    // Side by side, for none of this is about time.
    let here = Arc::new(Box::pin(Here::start()).await);
    let mut loads = JoinSet::new();
    for (name, binary) in binaries {
        let here = Arc::clone(&here);
        loads.spawn(async move { (here.load(&name, &binary).await, name) });
    }
    let (mut peak, mut growth): (f64, f64) = (0.0, 0.0);
    while let Some(load) = loads.join_next().await {
        let (used, name) = load.unwrap();
        detail(format_args!("{name}: {used}"));
        peak = peak.max(used.peak);
        growth = growth.max(used.after - used.before);
    }
    report.figure(&PEAK, peak / MB);
    report.figure(&GROWTH, growth / MB);
}

// ---- size ------------------------------------------------------------------------------------------------------------------

fn size(path: &Path) -> f64 {
    as_f64(fs::metadata(path).unwrap().len())
}

/// The size of a zip that holds this file as `bootstrap` and nothing else: what is around the deflated bytes has a fixed length.
fn zipped(path: &Path) -> f64 {
    let around = 30 + 46 + 22 + 2 * "bootstrap".len() as u64;
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&fs::read(path).unwrap()).unwrap();
    as_f64(deflated.finish().unwrap().len() as u64 + around)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn as_f64(bytes: u64) -> f64 {
    bytes as f64
}

// ---- memory ----------------------------------------------------------------------------------------------------------------

/// What a process used, in bytes.
struct Used {
    /// How long the first invocation took, connections and all, in milliseconds.
    first: f64,
    peak: f64,
    before: f64,
    after: f64,
    invocations: usize,
    seconds: f64,
}

impl fmt::Display for Used {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, peak, before, after, invocations, seconds } = self;
        let [peak, before, after] = [peak, before, after].map(|bytes| bytes / MB);
        write!(
            formatter,
            "first answer after {first:.1} ms; peak {peak:.2} MB; resident {before:.2} MB after {WARM_UP} invocations and {after:.2} MB after {invocations} \
             more, in {seconds:.0} s"
        )
    }
}

/// Where the functions run: a quick AWS, and a Microsoft with one alert.
struct Here {
    test: TestSystem,
    aws: Aws,
    /// An outbox item that is to be published, on the stream.
    news: Item,
}

impl Here {
    async fn start() -> Self {
        let mut variables = BY_HAND.to_vec();
        variables.push(("LOCAL_PATH_KEY", PATH_KEY));
        let test = TestSystem::start(&variables).await.unwrap();
        test.system.simulator().raise(NewAlert::default()).unwrap();
        let (tenant, news) = items().await;
        Self { test, aws: Aws::start(tenant).await, news }
    }

    /// What leads a function to this AWS and this Microsoft. It trusts all the roots that a deployed one does, for these are most
    /// of what a start takes, and the one that leads here.
    async fn environment(&self, function: &str) -> Environment {
        let anchors = self.test.folder().join(format!("{function}-anchors.pem"));
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|root| pem(root));
        let here = self.simulator().trust_anchors_pem().to_owned();
        fs::write(&anchors, roots.chain([here]).collect::<String>()).unwrap();
        let mut environment = environment(self.test.system.parts(), variables(function)).await;
        for (name, value) in &mut environment {
            match name.as_str() {
                "AWS_ENDPOINT_URL" => value.clone_from(&self.aws.url),
                "OUTGOING_TLS_TRUST_ANCHORS_FILE" => *value = anchors.display().to_string(),
                _ => {}
            }
        }
        environment
    }

    /// Starts a function, has it work, and says what it used.
    async fn load(&self, function: &str, binary: &Path) -> Used {
        let mut lambda = Lambda::start(binary, &self.environment(function).await).await;
        lambda.ready().await.unwrap();
        let mut events = self.events(function);
        let began = Instant::now();
        work(&mut lambda, &mut events, 1).await;
        let first = began.elapsed().as_secs_f64() * 1e3;
        work(&mut lambda, &mut events, WARM_UP).await;
        let before = status(lambda.id(), "VmRSS:");
        let began = Instant::now();
        work(&mut lambda, &mut events, INVOCATIONS).await;
        let seconds = began.elapsed().as_secs_f64();
        let after = status(lambda.id(), "VmRSS:");
        if function == "poll" {
            for _ in 1..LARGE {
                self.simulator().raise(NewAlert::default()).unwrap();
            }
            work(&mut lambda, &mut events, LARGE_RUNS).await;
        }
        Used { first, peak: status(lambda.id(), "VmHWM:"), before, after, invocations: INVOCATIONS, seconds }
    }

    /// The events of a function, made ahead on a thread of their own: to sign a callback takes longer than to check it.
    fn events(&self, function: &str) -> mpsc::Receiver<Bytes> {
        let event: Box<dyn Fn(u32) -> Value + Send> = match function {
            "notify" => {
                let news = self.news.clone();
                Box::new(move |number| json!({ "Records": [stream_record("alerts", "INSERT", &news, number)] }))
            }
            "poll" => {
                let request = json!({ "tenant": TENANT, "cause": "schedule" }).to_string();
                Box::new(move |number| json!({ "Records": [queue_record(&number.to_string(), &request)] }))
            }
            "renew" => Box::new(|_| json!({ "task": "renew" })),
            _ => {
                let (simulator, clock) = (self.simulator().clone(), SystemClock);
                let path = format!("/callbacks/{TENANT}/{PATH_KEY}");
                Box::new(move |number| gateway_event(WAYS[1], &path, &callback(&simulator, clock.now(), number)))
            }
        };
        let (made, events) = mpsc::channel(AHEAD);
        // It ends when nobody takes any more.
        spawn_blocking(move || (0..).map(event).try_for_each(|event| made.blocking_send(event.to_string().into())));
        events
    }

    fn simulator(&self) -> &Simulator {
        self.test.system.simulator()
    }
}

/// The tenant's item of the tenants table, and the outbox item of a new alert.
async fn items() -> (Value, Item) {
    let system = ByHand::start().await;
    system.baseline().await;
    system.raise_as(sample_alert());
    system.complete(1, 1).await;
    let tenants = system.items(&system.test.system.tables().tenants).await;
    let tenant = tenants.iter().find(|item| text(item, "pk") == "tenants").unwrap();
    (typed(tenant), system.outbox().await.remove(0).item)
}

/// A genuine callback that differs from every other.
fn callback(simulator: &Simulator, now: Timestamp, number: u32) -> SignedCallback {
    let uri = format!("https://api.partnercenter.microsoft.com/v1/customers/{number}");
    let body = json!({ "EventName": "azure-fraud-event-detected", "ResourceUri": uri, "ResourceChangeUtcDate": now });
    simulator.sign(body.to_string().as_bytes()).unwrap()
}

/// Hands this many events over. Each has to be done.
async fn work(lambda: &mut Lambda, events: &mut mpsc::Receiver<Bytes>, invocations: usize) {
    for _ in 0..invocations {
        let answer = lambda.invoke(events.recv().await.unwrap()).await.unwrap();
        // `renew` answers nothing: what fails of it, it notes.
        let done = answer["statusCode"] == 200 || answer["batchItemFailures"] == json!([]) || answer.is_null();
        assert!(done, "an invocation failed, and what is measured with it: {answer}");
    }
}

/// What the kernel says of a process, in bytes.
pub(crate) fn status(process: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    as_f64(line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10)
}

fn pem(certificate: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(certificate))
}
