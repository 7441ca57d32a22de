//! Budget 3: what a callback asks of DynamoDB.
//!
//! The requests are those on the wire. Write units are what the embedded engine says that the item takes when it is put again, the
//! index included: it counts as AWS documents it. Of a refused condition neither of them says what it took; AWS documents that it
//! takes what replacing the kept item in the table would, and nothing of the index.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnConsumedCapacity},
};
use simulator::Forgery;

use crate::{
    here::{Here, body},
    report::{Budget, Report, Target, detail},
};

const fn at_most(most: f64, of: &'static str) -> Budget {
    Budget { number: 3, target: Target::AtMost(most), unit: "", of }
}

const NEW: [Budget; 2] =
    [at_most(1.0, " requests for a new callback"), at_most(2.0, " write units for a new callback")];
const DUPLICATE: [Budget; 2] =
    [at_most(1.0, " requests for a duplicate"), at_most(1.0, " write units for a duplicate")];
const FORGED: [Budget; 2] = [at_most(0.0, " requests for a forgery"), at_most(0.0, " write units for a forgery")];

/// The largest body of the budget.
const BYTES: usize = 700;

pub(crate) async fn measure(report: &mut Report) {
    let here = Here::start().await;
    // It knows path keys and certificate from now on.
    assert_eq!(here.receive(here.simulator().sign(&body(here.now(), 0, BYTES)).unwrap()).await, "kept");

    let body = body(here.now(), 1, BYTES);
    let mut requests = [0.0; 3];
    let genuine = here.simulator().sign(&body).unwrap();
    let forged = here.simulator().forge(&body, Forgery::Body).unwrap();
    let handed_over = [(genuine.clone(), "kept"), (genuine, "duplicate"), (forged, "signature-mismatch")];
    for (asked, (callback, reason)) in requests.iter_mut().zip(handed_over) {
        here.wire.forget();
        assert_eq!(here.receive(callback).await, reason);
        // A ring is none of DynamoDB's.
        let operations = here.wire.operations();
        detail(format_args!("{reason}: {operations:?}"));
        *asked = f64::from(u32::try_from(operations.iter().filter(|name| *name != "SendMessage").count()).unwrap());
    }

    let client = Client::new(&here.test.system.parts().aws);
    let table = &here.test.system.tables().events;
    let items = client.scan().table_name(table).send().await.unwrap().items.unwrap();
    assert_eq!(items.len(), 2, "a duplicate or a forgery is in the table");
    let item = items.into_iter().find(|item| item["body"].as_b().unwrap().as_ref() == body).unwrap();
    client.delete_item().table_name(table).key("pk", item["pk"].clone()).send().await.unwrap();
    let new = units_of_putting(&client, table, &item).await;
    let again = units_of_putting(&client, table, &item).await;
    detail(format_args!("a body of {BYTES} bytes: {new} units with the index, {again} in the table alone"));

    for (budgets, figures) in
        [(NEW, [requests[0], new]), (DUPLICATE, [requests[1], again]), (FORGED, [requests[2], 0.0])]
    {
        for (budget, figure) in budgets.iter().zip(figures) {
            report.figure(budget, figure);
        }
    }
}

async fn units_of_putting(client: &Client, table: &str, item: &HashMap<String, AttributeValue>) -> f64 {
    let put = client.put_item().table_name(table).set_item(Some(item.clone()));
    let put = put.return_consumed_capacity(ReturnConsumedCapacity::Indexes).send().await.unwrap();
    put.consumed_capacity.unwrap().capacity_units.unwrap()
}
