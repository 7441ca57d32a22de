//! A local system in which nothing runs by itself, and the binaries of the functions over it.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use jiff::{SignedDuration, Timestamp};
use models::{ReconcileCause, ReconcileRequest};
use poll::Reconciled;
use runtime::{FixedClock, Parts};
use serde_json::{Value, json};
use simulator::{Forgery, NewAlert, SignedCallback, Simulator};
use tests::{
    BY_HAND, Item, PATH_KEY, TENANT, TestSystem,
    binaries::{quick, variables},
    lambda::{Ended, Environment, Failed, Lambda, environment},
    text,
};

/// The system below. Its clock is the machine's, as that of the binaries is.
pub(crate) struct Here {
    pub(crate) test: TestSystem,
}

impl Here {
    pub(crate) async fn new() -> Self {
        let mut variables = BY_HAND.to_vec();
        variables.push(("LOCAL_PATH_KEY", PATH_KEY));
        Self { test: TestSystem::start(&variables).await.unwrap() }
    }

    /// What a function is deployed with.
    pub(crate) async fn environment(&self, function: &str) -> Environment {
        environment(self.test.system.parts(), variables(function)).await
    }

    /// The function, when it waits for its first invocation.
    pub(crate) async fn start(&self, function: &str) -> Lambda {
        started(function, &self.environment(function).await).await.unwrap()
    }

    /// The function, when it waits for its first invocation, with this variable set.
    pub(crate) async fn start_with(&self, function: &str, name: &str, value: &str) -> Lambda {
        started(function, &with(self.environment(function).await, name, value)).await.unwrap()
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        self.test.system.simulator()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.test.system.parts().clock.now()
    }

    /// A fraud event that changed now; `mark` makes it another event.
    pub(crate) fn body(&self, mark: &str) -> Vec<u8> {
        let changed = self.now();
        let uri = format!("https://api.partnercenter.microsoft.com/v1/customers/{mark}");
        json!({ "EventName": "azure-fraud-event-detected", "ResourceUri": uri, "ResourceChangeUtcDate": changed })
            .to_string()
            .into_bytes()
    }

    pub(crate) fn genuine(&self, mark: &str) -> SignedCallback {
        self.simulator().sign(&self.body(mark)).unwrap()
    }

    pub(crate) fn forged(&self, mark: &str) -> SignedCallback {
        self.simulator().forge(&self.body(mark), Forgery::Key).unwrap()
    }

    pub(crate) async fn events(&self) -> Vec<Item> {
        self.items(&self.test.system.tables().events).await
    }

    /// The items of the alerts table whose sort key begins like this.
    pub(crate) async fn alerts(&self, sort: &str) -> Vec<Item> {
        let items = self.items(&self.test.system.tables().alerts).await;
        items.into_iter().filter(|item| text(item, "sk").starts_with(sort)).collect()
    }

    /// What is known of a credential of the seed tenant.
    pub(crate) async fn credential(&self, purpose: &str) -> Item {
        let mut items = self.items(&self.test.system.tables().tenants).await;
        items.retain(|item| text(item, "sk") == format!("credential#{purpose}"));
        assert_eq!(items.len(), 1, "{items:#?}");
        items.remove(0)
    }

    async fn items(&self, table: &str) -> Vec<Item> {
        let client = Client::new(&self.test.system.parts().aws);
        client.scan().table_name(table).into_paginator().items().send().collect::<Result<_, _>>().await.unwrap()
    }

    /// An alert of fraud severity that was found an hour ago and is still to be published: its item of the outbox.
    pub(crate) async fn old_news(&self) -> Item {
        let clock = Arc::new(FixedClock::at(self.now() - SignedDuration::from_hours(1)));
        let poll = poll::wire(&Parts { clock: clock.clone(), ..self.test.system.parts().clone() }).unwrap();
        let request =
            ReconcileRequest { tenant: TENANT.parse().unwrap(), cause: ReconcileCause::Schedule, trace: None };
        assert_eq!(poll.reconcile(&request, None).await.unwrap(), Reconciled::Done { listed: 0, changed: 0 });
        self.simulator().raise(NewAlert::default()).unwrap();
        clock.advance(SignedDuration::from_mins(1));
        assert_eq!(poll.reconcile(&request, None).await.unwrap(), Reconciled::Done { listed: 1, changed: 1 });
        let mut outbox = self.alerts("outbox#").await;
        assert_eq!(outbox.len(), 1, "{outbox:#?}");
        outbox.remove(0)
    }
}

/// The environment with this variable set.
pub(crate) fn with(environment: Environment, name: &str, value: &str) -> Environment {
    let mut environment = without(environment, name);
    environment.push((name.to_owned(), value.to_owned()));
    environment
}

/// The environment without this variable.
pub(crate) fn without(mut environment: Environment, name: &str) -> Environment {
    environment.retain(|(set, _)| set != name);
    environment
}

/// The function with exactly this environment, when it waits for its first invocation.
pub(crate) async fn started(function: &str, environment: &[(String, String)]) -> Result<Lambda, Failed> {
    let mut lambda = Lambda::start(quick(function), environment).await;
    lambda.ready().await?;
    Ok(lambda)
}

/// Hands an event over and gives what Lambda gets back.
#[track_caller]
pub(crate) fn invoke<'a>(lambda: &'a mut Lambda, event: &Value) -> impl Future<Output = Value> + use<'a> {
    let caller = std::panic::Location::caller();
    let event = event.to_string();
    async move { lambda.invoke(event).await.unwrap_or_else(|failed| panic!("{caller}: {failed}")) }
}

/// The log lines of a process, without its metrics.
pub(crate) fn log(ended: &Ended) -> Vec<Value> {
    written(ended).into_iter().filter(|line| line.get("_aws").is_none()).collect()
}

/// The metrics of a process: lines in CloudWatch's embedded metric format.
pub(crate) fn metrics(ended: &Ended) -> Vec<Value> {
    written(ended).into_iter().filter(|line| line.get("_aws").is_some()).collect()
}

fn written(ended: &Ended) -> Vec<Value> {
    ended.stdout.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}
