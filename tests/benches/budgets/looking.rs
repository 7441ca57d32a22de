//! Budgets 9 and 10: what the page of alerts, and its figures, ask of DynamoDB for a tenant, however many alerts there are.
//!
//! `dashboard` as it is wired, asked for its pages, over tenants that `System::seed` has brought in: one of each size. Their alerts are as far
//! apart as those of a million in ten weeks, and a small tenant's are the latest of a large one's, so that a page of both shows the same. Pages are taken
//! at the beginning and further on, and with a filter that nothing passes, which reads 2,000 items at most.
//!
//! What the figures read is told apart: sixty-one items of days, whose numbers have more digits where there is more to count.
//!
//! `BUDGET_ALERTS=1000,100000,1000000` takes other sizes, the smallest first; a million alerts take some minutes and 8 GB.

use identity::{How, Verdict};
use jiff::SignedDuration;
use local::Seed;
use runtime::{Variable, Variables};
use serde_json::{Value, json};
use simulator::History;
use tests::{BY_HAND, TestSystem, somebody};

use crate::{
    metered::{Metered, Taken},
    report::{Budget, Report, Target, detail},
};

const PAGE: Budget = Budget {
    number: 9,
    target: Target::AtMost(0.0),
    unit: "",
    of: " read units more for a page of the largest tenant's alerts than for one of the smallest's, whatever the page",
};
const FIGURES: Budget = Budget {
    number: 10,
    target: Target::AtMost(2.0),
    unit: "",
    of: " requests for the four figures with chart and comparison, of a tenant",
};

const SIZES: Variable = Variable {
    name: "BUDGET_ALERTS",
    meaning: "how many alerts the tenants have, the smallest first",
    default: Some("1000,5000,20000"),
};
/// A million alerts of ten weeks are as far apart.
const EVERY: SignedDuration = SignedDuration::from_secs(6);
/// From how many alerts on there are enough that are resolved, and a page that nothing passes reads as much as it may.
const FILLED: u64 = 5_000;

struct World {
    test: TestSystem,
    metered: Metered,
    dashboard: dashboard::Deployed,
    /// Sizes and ids.
    tenants: Vec<(u64, String)>,
}

/// What was read for a page, but for its figures, by the page.
type Pages = Vec<(&'static str, f64)>;

pub(crate) async fn measure(report: &mut Report) {
    let world = Box::pin(World::start()).await;
    let mut measured: Vec<(u64, Pages)> = Vec::new();
    for (size, tenant) in &world.tenants {
        let pages = world.pages(*size, tenant).await;
        for (what, units) in &pages {
            detail(format_args!("{size} alerts, {what}: {units:.1} read units"));
        }
        measured.push((*size, pages));
    }
    report.figure(&PAGE, most_more(&measured));
    let all = world.tenants.iter().map(|(_, tenant)| tenant.as_str()).collect::<Vec<_>>().join(",");
    let (body, taken) = world.get("GET /api/v1/statistics", &format!("tenant={all}")).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["tenants"].as_array().unwrap().len(), world.tenants.len());
    let (requests, tenants) = (taken.requests(), world.tenants.len());
    detail(format_args!(
        "the figures of {tenants} tenants: {requests} requests, one of them for all tenants' configuration"
    ));
    report.figure(&FIGURES, f64::from(requests - 1) / f64::from(u32::try_from(tenants).unwrap()));
}

/// By how much the reading of any page grows with the number of alerts. A page that is not filled by the smallest is compared from there on where it is.
fn most_more(measured: &[(u64, Pages)]) -> f64 {
    let (_, largest) = measured.last().unwrap();
    let mut most = 0.0_f64;
    for (what, units) in largest {
        let same = |pages: &Pages| pages.iter().find(|(page, _)| page == what).map(|(_, units)| *units);
        let smallest = measured.iter().find_map(|(_, pages)| same(pages)).unwrap();
        most = most.max(units - smallest);
    }
    most
}

impl World {
    async fn start() -> Self {
        let test = TestSystem::start(&BY_HAND).await.unwrap();
        let parts = test.system.parts();
        let now = parts.clock.now();
        let sizes: String = Variables::of_process().read(&SIZES).unwrap();
        let mut tenants = Vec::new();
        for size in sizes.split(',') {
            let Seed { tenant, display_name, history } = Seed::of(size, now).unwrap();
            let history = History { seed: 1, every: EVERY, ..history };
            let begun = std::time::Instant::now();
            assert!(test.system.seed(&Seed { tenant: tenant.clone(), display_name, history }).await.unwrap());
            detail(format_args!("{size} alerts brought in, in {:.1} s", begun.elapsed().as_secs_f64()));
            tenants.push((history.alerts, tenant.to_string()));
        }
        let metered = Metered::start(parts.aws.endpoint_url().unwrap(), &test.system.tables().alerts).await;
        let aws = parts.aws.clone().into_builder().endpoint_url(&metered.url).build();
        let dashboard = dashboard::wire(&runtime::Parts { aws, ..parts.clone() }).unwrap();
        Self { test, metered, dashboard, tenants }
    }

    /// What is read for pages of a tenant's alerts.
    async fn pages(&self, size: u64, tenant: &str) -> Pages {
        let mut pages = Pages::new();
        let (first, taken) = self.get("GET /", &format!("tenant={tenant}")).await;
        detail(format_args!(
            "{size} alerts, the whole first page: {} requests, {:.1} read units, {:.1} of them for {} requests of its figures",
            taken.requests(),
            taken.read_units(),
            taken.figures.1,
            taken.figures.0
        ));
        pages.push(("the first page", of_list(&taken)));
        let (_, taken) = self.get("GET /", &next(&first).unwrap()).await;
        pages.push(("the second page", of_list(&taken)));
        if size >= FILLED {
            let (_, taken) = self.get("GET /", &format!("tenant={tenant}&state=resolved&order=first-observed")).await;
            pages.push(("resolved ones, by another index", of_list(&taken)));
            let (_, taken) = self.get("GET /", &format!("tenant={tenant}&assignee=me")).await;
            pages.push(("a page that nothing passes", of_list(&taken)));
        }
        pages
    }

    /// The answer of a route, and what it took.
    async fn get(&self, route: &str, query: &str) -> (String, Taken) {
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
        (answer.body().clone(), self.metered.take())
    }
}

fn of_list(taken: &Taken) -> f64 {
    taken.read_units() - taken.figures.1
}

/// The query of the page behind this one.
fn next(page: &str) -> Option<String> {
    let (before, _) = page.split_once("rel=\"next\"")?.1.split_once("</a>")?;
    let (_, address) = before.split_once("href=\"/?")?;
    Some(address.split_once('"')?.0.replace("&amp;", "&"))
}

/// What `authorize` says of an admin agent.
fn context() -> Value {
    let agent =
        somebody::claims("77777777-2222-4333-8444-555555555555", "admin.agent@contoso.example", &["AdminAgent"]);
    Value::Object(Verdict::Ok(somebody::caller(&agent, How::Bearer, None)).context())
}
