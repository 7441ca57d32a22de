//! The functions, and what wakes them.

use std::sync::Arc;

use axum::body::Body;
use models::{ReconcileCause, ReconcileRequest, TenantId};
use runtime::{Parts, StartError};
use serde_json::{Value, json};
use store::TableNames;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::{
    LocalConfig,
    aws::{
        dynamodb::Embedded,
        scheduler::Schedules,
        sqs::{Held, Queue},
    },
    gateway::{ApiRoutes, Handler, People, exported},
    invocation::Invocation,
    schedule,
    state::State,
    stop::Stop,
    streams::Reader,
};

/// The schedule that has `poll` ask for runs.
pub(crate) const POLL_SCHEDULE: &str = "partner-alerts-poll";
/// The schedule that has `notify` sweep.
pub(crate) const SWEEP_SCHEDULE: &str = "partner-alerts-sweep";
/// The schedule that has `resolve` look for operations that nobody carries on.
pub(crate) const OPERATIONS_SCHEDULE: &str = "partner-alerts-operations";
/// The schedule that renews credentials.
pub(crate) const RENEW_SCHEDULE: &str = "partner-alerts-renew";

/// The functions as they are deployed.
#[derive(Clone, Debug)]
pub(crate) struct Functions {
    pub(crate) webhook: Arc<webhook::Deployed>,
    pub(crate) people: People,
    dashboard: Arc<dashboard::Deployed>,
    poll: Arc<poll::Deployed>,
    notify: Arc<notify::Deployed>,
    renew: Arc<renew::Deployed>,
    resolve: Arc<resolve::Deployed>,
}

impl Functions {
    pub(crate) fn wire(parts: &Parts) -> Result<Self, StartError> {
        Ok(Self {
            webhook: Arc::new(webhook::wire(parts)?),
            people: People { authorize: Arc::new(authorize::wire(parts)?), sign_in: Arc::new(sign_in::wire(parts)?) },
            dashboard: Arc::new(dashboard::wire(parts)?),
            poll: Arc::new(poll::wire(parts)?),
            notify: Arc::new(notify::wire(parts)?),
            renew: Arc::new(renew::wire(parts)?),
            resolve: Arc::new(resolve::wire(parts)?),
        })
    }

    /// The first look at a tenant, so that what comes after it is news and not part of the baseline.
    pub(crate) async fn look_once(&self, tenant: &TenantId) {
        let Invocation { span, trace, .. } = Invocation::new();
        let request = ReconcileRequest { tenant: tenant.clone(), cause: ReconcileCause::Schedule, trace };
        if let Err(error) = self.poll.reconcile(&request, trace).instrument(span).await {
            tracing::error!(error = runtime::chain(&error), "the first look failed");
        }
    }

    pub(crate) fn wake_by_queue(&self, queue: &Queue) {
        let poll = Arc::clone(&self.poll);
        queue.wakes(Arc::new(move |event| {
            let poll = Arc::clone(&poll);
            Box::pin(async move {
                let Ok(invocation) = serde_json::from_value(event) else { return false };
                let Invocation { span, trace, .. } = Invocation::new();
                let done = poll.handle(invocation, trace).instrument(span).await;
                matches!(done, Ok(response) if response.batch_item_failures.is_empty())
            })
        }));
    }

    /// The routes of the API, each with the function that answers it.
    pub(crate) fn api(&self) -> ApiRoutes {
        let resolve = Arc::clone(&self.resolve);
        let resolve: Handler = Arc::new(move |request| {
            let resolve = Arc::clone(&resolve);
            Box::pin(async move { resolve.answer(&request).await.map(Body::from) })
        });
        let dashboard = Arc::clone(&self.dashboard);
        let dashboard: Handler = Arc::new(move |request| {
            let dashboard = Arc::clone(&dashboard);
            Box::pin(async move {
                // Nothing between us and a browser has a limit here.
                if dashboard::EXPORTS.contains(&request.route.as_str()) {
                    return exported(&dashboard, &request).await;
                }
                api::on_the_wire(&request.headers, dashboard.answer(&request).await)
                    .map(|body| Body::from(body.to_vec()))
            })
        });
        [
            (&resolve::ROUTES, Arc::clone(&resolve)),
            (&resolve::PAGES, resolve),
            (&dashboard::ROUTES, Arc::clone(&dashboard)),
            (&dashboard::PAGES, dashboard),
        ]
    }

    pub(crate) fn wake_by_operations(&self, queue: &Queue) {
        let resolve = Arc::clone(&self.resolve);
        queue.wakes(Arc::new(move |event| {
            let resolve = Arc::clone(&resolve);
            Box::pin(async move {
                let Ok(invocation) = serde_json::from_value(event) else { return false };
                let Invocation { span, request_id, trace } = Invocation::new();
                let done = resolve.follow(invocation, &request_id, trace).instrument(span).await;
                matches!(done, Ok(response) if response.batch_item_failures.is_empty())
            })
        }));
    }

    pub(crate) fn wake_by_streams(
        &self,
        tasks: &mut JoinSet<()>,
        dynamodb: &Embedded,
        tables: &TableNames,
        state: &Arc<State>,
        dead_letters: &Held,
        stop: &Stop,
    ) {
        // The filters are those of `template.yaml`.
        let has_shard: fn(&Value) -> bool = |image| image.get("outbox_shard").is_some();
        let any: fn(&Value) -> bool = |_| true;
        for (table, filter) in [(&tables.alerts, has_shard), (&tables.events, any)] {
            let notify = Arc::clone(&self.notify);
            let reader = Reader {
                database: dynamodb.database(),
                table: table.clone(),
                filter,
                consumer: Arc::new(move |event| {
                    let notify = Arc::clone(&notify);
                    Box::pin(async move { first_failure(&notify, event).await })
                }),
                state: Arc::clone(state),
                written: dynamodb.written(),
                stop: stop.clone(),
                dead_letters: dead_letters.clone(),
            };
            tasks.spawn(reader.run());
        }
    }

    pub(crate) fn wake_by_schedule(
        &self,
        tasks: &mut JoinSet<()>,
        config: &LocalConfig,
        schedules: &Schedules,
        stop: &Stop,
    ) {
        let (poll, of_poll) = (Arc::clone(&self.poll), schedules.clone());
        tasks.spawn(schedule::run(config.schedule_every, stop.clone(), move || {
            let (poll, is_on) = (Arc::clone(&poll), of_poll.is_on(POLL_SCHEDULE));
            async move {
                if !is_on {
                    return;
                }
                // The inputs are those of `template.yaml`; a failure is logged by the function, and the next tick is the retry.
                if let Ok(invocation) = serde_json::from_value(json!({ "task": "schedule" })) {
                    let Invocation { span, trace, .. } = Invocation::new();
                    let _ = poll.handle(invocation, trace).instrument(span).await;
                }
            }
        }));
        let (notify, of_notify) = (Arc::clone(&self.notify), schedules.clone());
        tasks.spawn(schedule::run(config.sweep_every, stop.clone(), move || {
            let (notify, is_on) = (Arc::clone(&notify), of_notify.is_on(SWEEP_SCHEDULE));
            async move {
                if !is_on {
                    return;
                }
                if let Ok(invocation) = serde_json::from_value(json!({ "task": "sweep" })) {
                    let _ = notify.handle(invocation).instrument(Invocation::new().span).await;
                }
            }
        }));
        let (resolve, of_resolve) = (Arc::clone(&self.resolve), schedules.clone());
        tasks.spawn(schedule::run(config.sweep_every, stop.clone(), move || {
            let (resolve, is_on) = (Arc::clone(&resolve), of_resolve.is_on(OPERATIONS_SCHEDULE));
            async move {
                if !is_on {
                    return;
                }
                if let Ok(invocation) = serde_json::from_value(json!({ "task": "sweep" })) {
                    let Invocation { span, request_id, trace } = Invocation::new();
                    let _ = resolve.follow(invocation, &request_id, trace).instrument(span).await;
                }
            }
        }));
        let (renew, of_renew) = (Arc::clone(&self.renew), schedules.clone());
        tasks.spawn(schedule::run(config.renew_every, stop.clone(), move || {
            let (renew, is_on) = (Arc::clone(&renew), of_renew.is_on(RENEW_SCHEDULE));
            async move {
                if !is_on {
                    return;
                }
                if let Ok(invocation) = serde_json::from_value(json!({ "task": "renew" })) {
                    let Invocation { span, request_id, .. } = Invocation::new();
                    let _ = renew.handle(invocation, &request_id).instrument(span).await;
                }
            }
        }));
    }
}

/// Where Lambda would start again: at the first record that failed, or at the first of all where the function itself did.
async fn first_failure(notify: &notify::Deployed, event: Value) -> Option<String> {
    let first = event["Records"][0]["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default().to_owned();
    let invocation = match serde_json::from_value(event) {
        Ok(invocation) => invocation,
        Err(error) => {
            tracing::error!(%error, "a stream event can't be read");
            return Some(first);
        }
    };
    match notify.handle(invocation).instrument(Invocation::new().span).await {
        Ok(response) => {
            let failure = response.batch_item_failures.into_iter().next()?;
            Some(failure.item_identifier.unwrap_or(first))
        }
        Err(_) => Some(first),
    }
}
