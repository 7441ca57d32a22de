//! Budgets 9 and 10: what a page of a list, and what the figures, ask of DynamoDB for each tenant, however many alerts there are.
//!
//! `dashboard` as it is wired, over tenants of one size each. Pages are taken at the beginning and in the middle of a list, with and without a filter
//! that nothing passes; the tenants' configuration, read once for all of them, is left out.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, PutRequest, StreamSpecification, WriteRequest},
};
use identity::{How, Verdict};
use jiff::{SignedDuration, Timestamp};
use made_alerts::{DETECTED, alert};
use models::{Alert, Delta, Known, Tenant, TenantId};
use serde_json::{Value, json};
use store::{
    Acquired, AlertWrite, Lease as _, LeaseTerms, ReadTenants as _, Store, WriteAlerts as _, WriteTenants as _,
};
use tests::{BY_HAND, TestSystem, somebody};

use crate::{
    metered::{Metered, Taken},
    report::{Budget, Report, Target, detail},
};

const PAGE: Budget = Budget {
    number: 9,
    target: Target::AtMost(0.0),
    unit: "",
    of: " read units more for a page of a tenant's list at 20,000 alerts than at 1,000, whatever the page",
};
const FIGURES: Budget = Budget {
    number: 10,
    target: Target::AtMost(2.0),
    unit: "",
    of: " requests for the four figures with chart and comparison, of a tenant",
};
/// Tenants of one list, of so many alerts each.
const TENANTS: usize = 3;
const SIZES: [usize; 2] = [1_000, 20_000];

struct World {
    test: TestSystem,
    metered: Metered,
    dashboard: dashboard::Deployed,
    tenants: Vec<Vec<String>>,
}

pub(crate) async fn measure(report: &mut Report) {
    let world = Box::pin(World::start()).await;
    let mut units = Vec::new();
    for (tenants, size) in world.tenants.iter().zip(SIZES) {
        let of = tenants.join(",");
        let mut pages = Vec::new();
        for (what, query) in
            [("the first page", String::new()), ("one that nothing passes", "&severity=low".to_owned())]
        {
            let (body, taken) = world.get("alerts", &format!("tenant={of}{query}")).await;
            pages.push((what, taken));
            let next = body["next"].as_str().unwrap_or_default().to_owned();
            let (_, taken) = world.get("alerts", &format!("tenant={of}{query}&cursor={next}")).await;
            pages.push((if query.is_empty() { "the second page" } else { "the next that nothing passes" }, taken));
        }
        for (what, taken) in &pages {
            let each = taken.read_units() / f64::from(u32::try_from(TENANTS).unwrap());
            detail(format_args!("{size} alerts a tenant, {what}: {each:.1} read units a tenant"));
        }
        units.push(pages.iter().map(|(_, taken)| taken.read_units()).collect::<Vec<_>>());
    }
    let more = units[0].iter().zip(&units[1]).map(|(small, large)| large - small).fold(0.0, f64::max);
    report.figure(&PAGE, more);
    let (body, taken) = world.get("statistics", &format!("tenant={}", world.tenants[1].join(","))).await;
    assert_eq!(body["tenants"].as_array().unwrap().len(), TENANTS);
    let requests: u32 = taken.operations.values().map(|(requests, _)| requests).sum();
    detail(format_args!(
        "the figures of {TENANTS} tenants: {requests} requests, one of them for all tenants' configuration"
    ));
    report.figure(&FIGURES, f64::from(requests - 1) / f64::from(u32::try_from(TENANTS).unwrap()));
}

impl World {
    async fn start() -> Self {
        let test = TestSystem::start(&BY_HAND).await.unwrap();
        let parts = test.system.parts();
        let client = Client::new(&parts.aws);
        let alerts = test.system.tables().alerts.clone();
        // Nobody reads it here, and the engine would take longer for each write.
        let no_stream = StreamSpecification::builder().stream_enabled(false).build().unwrap();
        client.update_table().table_name(&alerts).stream_specification(no_stream).send().await.unwrap();
        let store = Store::new(client.clone(), test.system.tables().clone());
        let seed = store.tenants().await.unwrap().remove(0);
        let mut tenants = Vec::new();
        for (group, size) in SIZES.into_iter().enumerate() {
            let mut of_size = Vec::new();
            for number in 0..TENANTS {
                let id = format!("9f1c7f3e-2f0a-4f7b-{:04x}-{number:012x}", 0x8a00 + group);
                store.put_tenant(&Tenant { id: id.parse().unwrap(), ..seed.clone() }).await.unwrap();
                fill(&store, &client, &alerts, &id.parse().unwrap(), size).await;
                of_size.push(id);
            }
            tenants.push(of_size);
        }
        let metered = Metered::start(parts.aws.endpoint_url().unwrap(), &alerts).await;
        let aws = parts.aws.clone().into_builder().endpoint_url(&metered.url).build();
        let dashboard = dashboard::wire(&runtime::Parts { aws, ..parts.clone() }).unwrap();
        Self { test, metered, dashboard, tenants }
    }

    /// The answer of a route, and what it took.
    async fn get(&self, route: &str, query: &str) -> (Value, Taken) {
        let route = format!("GET /api/v1/{route}");
        let event = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": query, "headers": {}, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "000000000000", "apiId": "x", "domainName": "x", "domainPrefix": "x", "requestId": "r", "routeKey": route,
                "http": { "method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
                "stage": "$default", "time": "01/Jan/1970:00:00:00 +0000", "timeEpoch": 0, "authorizer": { "lambda": context() },
            },
        });
        let event = lambda_http::request::from_str(&event.to_string()).unwrap();
        let _ = self.metered.take();
        let answer = self.dashboard.answer(&api::Request::read(event, "bench", None)).await;
        assert_eq!(answer.status(), 200, "{} on {}", answer.body(), self.test.system.origin());
        (serde_json::from_str(answer.body()).unwrap(), self.metered.take())
    }
}

/// What `authorize` says of an admin agent.
fn context() -> Value {
    let agent =
        somebody::claims("77777777-2222-4333-8444-555555555555", "admin.agent@contoso.example", &["AdminAgent"]);
    Value::Object(Verdict::Ok(somebody::caller(&agent, How::Bearer, None)).context())
}

/// So many open alerts, a minute apart, as copies of one that was written as a run writes it.
async fn fill(store: &Store, client: &Client, table: &str, tenant: &TenantId, size: usize) {
    let first = Alert { customer_id: Some("customer-1".parse().unwrap()), ..alert("a") };
    let terms = LeaseTerms { duration: SignedDuration::from_secs(120), gap: SignedDuration::ZERO };
    let now = DETECTED;
    let Acquired::Granted(grant) = store.acquire(tenant, terms, "a bench", now).await.unwrap() else { panic!() };
    let write = AlertWrite {
        known: Known::seen(std::sync::Arc::new(first.clone()), models::AlertSource::Graph, 1),
        previous: None,
        was_decided: false,
        outbox: None,
        delta: Delta::between(None, &first),
        trace: None,
        turned: models::Turned::default(),
    };
    store.write(&grant, &[write], None, now).await.unwrap();
    let text = |text: String| AttributeValue::S(text);
    let key =
        client.get_item().table_name(table).key("pk", text(format!("{tenant}#a"))).key("sk", text("alert".into()));
    let first = key.send().await.unwrap().item.unwrap();
    let copy = |number: usize| {
        let id = format!("6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381-70d3b5f9-1c84-4e6a-a25b-{number:012x}");
        let at: Timestamp = DETECTED - SignedDuration::from_mins(i64::try_from(number + 1).unwrap());
        let sortable = at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        let mut item = first.clone();
        let mut summary = item["summary"].as_m().unwrap().clone();
        summary.extend([("id".to_owned(), text(id.clone())), ("last_observed".to_owned(), text(at.to_string()))]);
        item.extend([
            ("pk".to_owned(), text(format!("{tenant}#{id}"))),
            ("summary".to_owned(), AttributeValue::M(summary)),
            ("last_observed".to_owned(), text(sortable.clone())),
            ("detected_id".to_owned(), text(format!("{sortable}#{id}"))),
        ]);
        WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
    };
    for some in (0..size).collect::<Vec<_>>().chunks(25) {
        let writes: Vec<_> = some.iter().map(|number| copy(*number)).collect();
        let left = client.batch_write_item().request_items(table, writes).send().await.unwrap().unprocessed_items;
        assert!(left.is_none_or(|left| left.is_empty()));
    }
}
