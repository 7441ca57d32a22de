//! An export of a tenant's alerts, as the function and the command line make it, over the system that the variables name.
//!
//! `export <tenant> time` says how long it takes to have all of them as CSV, and how long the bare SDK takes for the query of the same index in the same
//! moment, several times over. `export <tenant> memory` makes one export and says how many alerts it had, and how much memory the process at most.
#![expect(clippy::unwrap_used, reason = "a measurement that can't be made has to fail loudly")]

use std::time::Instant;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use exports::{Export, Format, What};
use models::Tenant;
use runtime::{Parts, StartError, Variable};
use serde_json::json;
use store::{ListFilter, ListOf, ListQuery, ReadTenants as _, Store, TableNames, schema::ALERTS_BY_DETECTED};

const ROUNDS: usize = 7;
const ALERTS: Variable = Variable { name: "ALERTS_TABLE", meaning: "the alerts table", default: None };
const TENANTS: Variable = Variable { name: "TENANTS_TABLE", meaning: "the tenants table", default: None };

struct World {
    client: Client,
    tables: TableNames,
    tenant: Tenant,
    parts: Parts,
}

impl World {
    /// The alerts of an export, and how long it took in nanoseconds. What it writes goes nowhere.
    async fn export(&self) -> (usize, f64) {
        let store = Store::new(self.client.clone(), self.tables.clone());
        let all = ListQuery { of: ListOf::All, filter: ListFilter::default(), ..ListQuery::open() };
        let (what, now) = (What::Of(Box::new(all)), self.parts.clock.now());
        let mut export = Export::new(store, [self.tenant.clone()], what, Format::Csv, now);
        let began = Instant::now();
        let mut bytes = 0;
        while let Some(part) = export.next().await.unwrap() {
            bytes += part.len();
        }
        assert!(bytes > 100 * export.rows());
        (export.rows(), began.elapsed().as_secs_f64() * 1e9)
    }

    /// The same of the bare query.
    async fn query(&self) -> (usize, f64) {
        let began = Instant::now();
        let query = self.client.query().table_name(&self.tables.alerts).index_name(ALERTS_BY_DETECTED);
        let query = query.key_condition_expression("tenant = :tenant");
        let tenant = AttributeValue::S(self.tenant.id.to_string());
        let mut pages = query.expression_attribute_values(":tenant", tenant).into_paginator().send();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            count += page.unwrap().items().len();
        }
        (count, began.elapsed().as_secs_f64() * 1e9)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (id, what) = (arguments.next().unwrap(), arguments.next().unwrap());
    let parts = runtime::start(|parts| Ok::<_, StartError>(parts.clone())).await.unwrap();
    let (alerts, tenants) = (parts.variables.read(&ALERTS).unwrap(), parts.variables.read(&TENANTS).unwrap());
    let (client, tables) = (Client::new(&parts.aws), TableNames { alerts, tenants, ..TableNames::default() });
    let all = Store::new(client.clone(), tables.clone()).tenants().await.unwrap();
    let tenant = all.into_iter().find(|tenant| tenant.id.as_str() == id).unwrap();
    let world = World { client, tables, tenant, parts };
    if what == "memory" {
        let (rows, _) = world.export().await;
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        println!("{}", json!({ "rows": rows, "peak": peak << 10 }));
        return;
    }
    let (count, mut yardstick) = world.query().await;
    for _ in 0..ROUNDS {
        let (rows, took) = world.export().await;
        assert_eq!(rows, count);
        let (_, after) = world.query().await;
        let bare = f64::midpoint(yardstick, after);
        println!("{}", json!({ "what": "exported", "kind": "as CSV", "took_ns": took, "bare_ns": bare }));
        yardstick = after;
    }
}
