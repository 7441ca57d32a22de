//! `poll` as it is deployed, in a process of its own, over many tenants of a Microsoft that has as many alerts of each as is said.

use std::{fs, path::Path, time::Instant};

use aws_sdk_dynamodb::types::{AttributeValue, StreamSpecification};
use jiff::SignedDuration;
use models::Tenant;
use runtime::{Clock as _, SystemClock};
use serde_json::json;
use simulator::{AlertChange, NewAlert, Options, Simulator};
use store::{ReadTenants as _, Store, WriteTenants as _};
use tempfile::TempDir;
use tests::{
    BY_HAND, CLIENT_ID, CLIENT_SECRET, TestSystem, addresses,
    binaries::{DEPLOYED, build, variables},
    lambda::{Lambda, environment},
    queue_record,
};

use crate::{
    memory::status,
    metered::{Metered, Taken},
};

/// How many alerts are in a page of Microsoft's list.
const PAGE: usize = 100;

pub(crate) struct Crowd {
    pub(crate) tenants: Vec<String>,
    microsoft: Simulator,
    test: TestSystem,
    metered: Metered,
    poll: Lambda,
    _files: TempDir,
}

/// What a run took.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) taken: Taken,
    /// Requests to Graph.
    pub(crate) graph: u64,
    pub(crate) seconds: f64,
    /// The most memory of the process during the run, and what it had afterwards; bytes.
    pub(crate) peak: f64,
    pub(crate) after: f64,
}

impl Crowd {
    /// So many tenants, of which none has an alert.
    pub(crate) async fn start(tenants: usize) -> Self {
        let tenants: Vec<String> =
            (0..tenants).map(|number| format!("9f1c7f3e-2f0a-4f7b-8a34-{number:012x}")).collect();
        let microsoft = Simulator::start(Options {
            page_size: PAGE,
            tenants: tenants.iter().map(|id| simulated(id)).collect(),
            ..Options::default()
        });
        let microsoft = microsoft.await.unwrap();
        let files = TempDir::new().unwrap();
        let addresses = addresses(&microsoft, files.path());
        let mut set = BY_HAND.to_vec();
        set.extend(addresses.iter().map(|(name, value)| (*name, value.as_str())));
        let test = Box::pin(TestSystem::start(&set)).await.unwrap();
        let parts = test.system.parts();
        let client = aws_sdk_dynamodb::Client::new(&parts.aws);
        // Nobody reads it here, and the engine would take longer for each write.
        let no_stream = StreamSpecification::builder().stream_enabled(false).build().unwrap();
        let alerts = &test.system.tables().alerts;
        client.update_table().table_name(alerts).stream_specification(no_stream).send().await.unwrap();
        let store = Store::new(client, test.system.tables().clone());
        let seed = store.tenants().await.unwrap().remove(0);
        for id in &tenants {
            store.put_tenant(&Tenant { id: id.parse().unwrap(), ..seed.clone() }).await.unwrap();
        }
        let metered = Metered::start(parts.aws.endpoint_url().unwrap(), alerts).await;
        let mut environment = environment(parts, variables("poll")).await;
        environment
            .iter_mut()
            .filter(|(name, _)| name == "AWS_ENDPOINT_URL")
            .for_each(|(_, value)| value.clone_from(&metered.url));
        let binary = &build(DEPLOYED, &["--package=poll".to_owned()])["poll"];
        let poll = started(binary, &environment).await;
        Self { tenants, microsoft, test, metered, poll, _files: files }
    }

    /// So many alerts of a tenant appear, two hours apart, the last one just now.
    pub(crate) fn raise(&self, tenant: &str, alerts: usize) {
        let now = SystemClock.now();
        for number in 0..alerts {
            let detected = now - SignedDuration::from_hours(2 * i64::try_from(number).unwrap());
            let alert = NewAlert {
                tenant: Some(tenant.to_owned()),
                id: Some(id(number)),
                detected_date_time: Some(detected),
                ..NewAlert::default()
            };
            self.microsoft.raise(alert).unwrap();
        }
    }

    /// These alerts of a tenant are resolved at Microsoft.
    pub(crate) fn resolve(&self, tenant: &str, alerts: impl IntoIterator<Item = usize>) {
        for number in alerts {
            let (status, reason) = (Some("resolved".to_owned()), Some("legitimate".to_owned()));
            let change = AlertChange { status, resolved_reason: reason, ..AlertChange::default() };
            self.microsoft.change(tenant, &id(number), change).unwrap();
        }
    }

    /// Has a tenant reconciled, as if its last run were long ago.
    pub(crate) async fn run(&mut self, tenant: &str) -> Ran {
        self.forget_the_gap(tenant).await;
        let process = self.poll.id();
        // The most memory is counted anew from here on (proc_pid_clear_refs(5)).
        fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
        let _ = self.metered.take();
        let graph = self.microsoft.requests().list;
        let request = json!({ "tenant": tenant, "cause": "schedule" }).to_string();
        let event = json!({ "Records": [queue_record("message", &request)] }).to_string();
        let began = Instant::now();
        let answer = self.poll.invoke(event).await.unwrap();
        let seconds = began.elapsed().as_secs_f64();
        assert_eq!(answer["batchItemFailures"], json!([]));
        let requests = self.microsoft.requests().list - graph;
        assert_eq!(usize::try_from(requests).unwrap(), self.microsoft.alerts(tenant).len().div_ceil(PAGE));
        let (peak, after) = (status(process, "VmHWM:"), status(process, "VmRSS:"));
        Ran { taken: self.metered.take(), graph: requests, seconds, peak, after }
    }

    async fn forget_the_gap(&self, tenant: &str) {
        let client = aws_sdk_dynamodb::Client::new(&self.test.system.parts().aws);
        let update = client.update_item().table_name(&self.test.system.tables().tenants);
        let update =
            update.key("pk", AttributeValue::S(tenant.to_owned())).key("sk", AttributeValue::S("state".into()));
        let update = update.update_expression("SET started = :never").condition_expression("attribute_exists(pk)");
        let update = update.expression_attribute_values(":never", AttributeValue::N("0".to_owned()));
        if let Err(error) = update.send().await {
            // Before its first run it has no state.
            assert!(error.into_service_error().is_conditional_check_failed_exception());
        }
    }
}

async fn started(binary: &Path, environment: &[(String, String)]) -> Lambda {
    let mut poll = Lambda::start(binary, environment).await;
    poll.ready().await.unwrap();
    poll
}

fn simulated(id: &str) -> simulator::Tenant {
    simulator::Tenant {
        id: id.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
        ..simulator::Tenant::default()
    }
}

fn id(number: usize) -> String {
    format!("6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381-70d3b5f9-1c84-4e6a-a25b-{number:012x}")
}
