//! Names for display, in the background: asked for by a message of their own, kept in the table, and never waited for.
//!
//! | who asks | for what | when |
//! |---|---|---|
//! | a run that has written alerts | names of their customers, subscriptions and resellers | when it is over |
//! | a run that has compared every alert | the same of all of them | once a day, and after a run that failed |
//! | the schedule | what is old by now | once a day, each tenant in a quarter of an hour of its own |
//!
//! Nothing here takes part in a run's lease: names are in items that no run reads or writes, so neither has to wait for the other. What
//! keeps two of these from asking Partner Center twice as fast is a claim of their own, of a minute. A question that fails is logged and
//! counted, and asked again later; its message is always done, and never a dead letter: nobody has to mend a missing name by hand.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use messaging::AskForNames;
use models::{
    BroughtReseller, CustomerId, NameId, NamesOfAlerts, NamesRequest, SubscriptionId, Tenant, TraceContext,
    WantedCustomer, WantedNames,
};
use partner_center::{Diagnosis, MicrosoftError, ReadCustomers, SUBSCRIPTION_REQUESTS};
use runtime::Counts;
use store::{Asked, KeepNames, KeptName, NameAnswer, ReadNames, ReadTenants, StoreError};
use tokio::time::Instant;

use crate::Poll;

mod dates;
mod tasks;

use dates::{ask_again_after, is_due_to_look};
use tasks::{Named, Task, of_alerts, of_old};

/// Most requests of one invocation, but for what the last customer takes. The next invocation for the tenant comes a minute later, and
/// Partner Center gives each tenant 500 a minute for customers, subscriptions and orders ("API throttling guidance"): the rest is for
/// repeated requests, and for whoever else asks with this tenant's application.
const REQUESTS: u32 = 200;
/// How long one invocation asks Partner Center: runs of other tenants wait for its place among those that are served at once.
const ASKING: Duration = Duration::from_secs(30);
/// How long a claim holds, and after what time is gone on with what there was no room for.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// After what time is asked again what failed: the longest delay of a message.
const LATER: SignedDuration = SignedDuration::from_mins(15);
/// How often a request is tried in vain: for two hours. What is left is found by the day's look at what is old.
const ATTEMPTS: u32 = 8;
/// After so many failures in a row it is Partner Center, and not a customer.
const IN_A_ROW: u32 = 3;
/// How long a run may take to ask for names.
const SENDING: Duration = Duration::from_secs(5);

/// What came of an invocation.
#[derive(Clone, Debug, Default)]
struct Progress {
    given: usize,
    not_given: usize,
    /// Tasks that failed.
    failed: Vec<Task>,
    /// Tasks that there was no room for.
    untried: Vec<Task>,
    /// Whether asking on had no use.
    stopped: bool,
    requests: u32,
}

/// Why a task failed.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("Partner Center could not be asked")]
    Microsoft(#[source] MicrosoftError),
    #[error("Partner Center takes too long")]
    OutOfTime,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Trouble {
    fn diagnosis(&self) -> Option<Diagnosis> {
        match self {
            Self::Microsoft(error) => error.diagnosis(),
            Self::OutOfTime | Self::Store(_) => None,
        }
    }
}

impl<S, L, Q> Poll<S, L, Q>
where
    Q: AskForNames + Sync,
{
    /// Asks for the names that alerts need. What can't be sent is logged: the day's comparison asks for it again.
    pub(crate) async fn ask_for_names(&self, tenant: &Tenant, names: NamesOfAlerts, trace: Option<TraceContext>) {
        let requests = names.requests(&tenant.id, trace);
        if requests.is_empty() {
            return;
        }
        match tokio::time::timeout(SENDING, self.queue.ask_for_names(&requests, SignedDuration::ZERO)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.not_asked(&tenant.id, &runtime::chain(&error)),
            Err(_) => self.not_asked(&tenant.id, "the reconcile queue takes too long"),
        }
    }

    /// Asks for the old names of those tenants whose quarter of an hour it is.
    pub(crate) async fn ask_for_old_names(&self, tenants: &[Tenant], trace: Option<TraceContext>) {
        let now = self.clock.now();
        for tenant in tenants {
            if !(tenant.active && is_due_to_look(&tenant.id, now)) {
                continue;
            }
            let request = NamesRequest::new(tenant.id.clone(), WantedNames::Old { again: false }, trace);
            self.send_names(&request, SignedDuration::ZERO).await;
        }
    }

    async fn send_names(&self, request: &NamesRequest, delay: SignedDuration) {
        if let Err(error) = self.queue.ask_for_names(std::slice::from_ref(request), delay).await {
            self.not_asked(&request.tenant, &runtime::chain(&error));
        }
    }

    fn not_asked(&self, tenant: &models::TenantId, error: &str) {
        tracing::warn!(tenant.id = %tenant, error, "names could not be asked for");
        self.metrics.report(self.clock.now(), &Counts::new().with("NamesFailed", 1));
    }

    /// Sends what is left to do once more, each with its delay.
    async fn go_on(&self, request: &NamesRequest, progress: Progress) {
        let Progress { mut failed, untried, stopped, .. } = progress;
        let soon = match &request.names {
            _ if stopped || untried.is_empty() => None,
            WantedNames::OfAlerts { .. } => Some(tasks::wanted(&untried)),
            WantedNames::Old { .. } => Some(WantedNames::Old { again: true }),
        };
        if let Some(names) = soon {
            self.send_names(&request.rest(names, request.attempts), MINUTE).await;
        }
        failed.extend(untried.into_iter().filter(|_| stopped));
        let later = match &request.names {
            _ if failed.is_empty() || request.attempts + 1 >= ATTEMPTS => None,
            WantedNames::OfAlerts { .. } => Some(tasks::wanted(&failed)),
            WantedNames::Old { .. } => stopped.then_some(WantedNames::Old { again: true }),
        };
        if let Some(names) = later {
            self.send_names(&request.rest(names, request.attempts + 1), LATER).await;
        }
    }
}

impl<S, L, Q> Poll<S, L, Q>
where
    S: ReadTenants + ReadNames + KeepNames + Sync,
    L: ReadCustomers + Sync,
    Q: AskForNames + Sync,
{
    /// Looks after names of one tenant. Whatever fails is logged, counted, and tried again later.
    pub(crate) async fn look_after_names(&self, request: &NamesRequest) {
        if let Err(error) = self.try_to_look_after_names(request).await {
            self.not_asked(&request.tenant, &runtime::chain(&error));
            if request.attempts + 1 < ATTEMPTS {
                let request = request.rest(request.names.clone(), request.attempts + 1);
                self.send_names(&request, LATER).await;
            }
        }
    }

    async fn try_to_look_after_names(&self, request: &NamesRequest) -> Result<(), StoreError> {
        let tenants = self.store.tenants().await?;
        let Some(tenant) = tenants.into_iter().find(|tenant| tenant.id == request.tenant && tenant.active) else {
            return Ok(());
        };
        let now = self.clock.now();
        let tasks = match &request.names {
            WantedNames::OfAlerts { customers, resellers } => {
                self.tasks_of_alerts(&tenant, customers, resellers, now).await?
            }
            WantedNames::Old { again } => {
                let day = now.to_zoned(TimeZone::UTC).date();
                if !again && request.attempts == 0 && !self.store.begin_day(&tenant.id, day).await? {
                    return Ok(());
                }
                of_old(self.store.all_names(&tenant.id).await?, now)
            }
        };
        if tasks.is_empty() {
            return Ok(());
        }
        if !self.store.claim_names(&tenant.id, now + MINUTE, now).await? {
            self.send_names(request, MINUTE).await;
            return Ok(());
        }
        let progress = self.ask_all(&tenant, tasks).await?;
        let (failed, left) = (progress.failed.len(), progress.untried.len());
        tracing::info!(
            tenant.id = %tenant.id, given = progress.given, not_given = progress.not_given, failed, left,
            "names looked after"
        );
        let counts = Counts::new().with("NamesRead", progress.given).with("NamesFailed", failed);
        self.metrics.report(self.clock.now(), &counts);
        self.go_on(request, progress).await;
        Ok(())
    }

    /// Keeps the names that alerts brought, and says which of the others are to be asked for.
    async fn tasks_of_alerts(
        &self,
        tenant: &Tenant,
        customers: &[WantedCustomer],
        resellers: &[BroughtReseller],
        now: Timestamp,
    ) -> Result<Vec<Task>, StoreError> {
        let named = tasks::named(customers, resellers);
        let ids: BTreeSet<NameId> = named.iter().map(|named| named.id.clone()).collect();
        let mut kept = self.store.names(&tenant.id, &ids).await?;
        for Named { id, customer, name } in named {
            let seen = kept.get(&id);
            let is_wanted = seen.is_none_or(|seen| seen.name.is_none() || seen.due <= now);
            let Some(name) = name.filter(|_| is_wanted) else { continue };
            let answer = NameAnswer::Given { name, domain: None };
            let due = self.keep(tenant, &id, customer, seen, answer, now).await?;
            kept.insert(id.clone(), KeptName::brought(id, name.to_owned(), due));
        }
        Ok(of_alerts(customers, &kept, now))
    }

    async fn ask_all(&self, tenant: &Tenant, tasks: Vec<Task>) -> Result<Progress, StoreError> {
        let deadline = Instant::now() + ASKING;
        let mut progress = Progress::default();
        let mut in_a_row = 0;
        for task in tasks {
            if progress.stopped || progress.requests >= REQUESTS || Instant::now() >= deadline {
                progress.untried.push(task);
                continue;
            }
            match self.ask(tenant, &task, deadline, &mut progress).await {
                Ok(()) => in_a_row = 0,
                Err(Trouble::Store(error)) => return Err(error),
                Err(trouble) => {
                    let (error, diagnosis) = (runtime::chain(&trouble), trouble.diagnosis());
                    let (diagnosis, advice) = (diagnosis.map(Diagnosis::code), diagnosis.map(Diagnosis::what_to_do));
                    tracing::warn!(
                        tenant.id = %tenant.id, customer.id = %task.customer, error, diagnosis, advice,
                        "the names of a customer could not be read"
                    );
                    in_a_row += 1;
                    progress.stopped = in_a_row == IN_A_ROW || matches!(trouble, Trouble::OutOfTime);
                    progress.failed.push(task);
                }
            }
        }
        Ok(progress)
    }

    /// Asks for a customer's name and those of its subscriptions, as far as they are due, and keeps what comes of it.
    async fn ask(
        &self,
        tenant: &Tenant,
        task: &Task,
        deadline: Instant,
        progress: &mut Progress,
    ) -> Result<(), Trouble> {
        let mut is_none = task.is_none();
        if task.asks_for_customer {
            progress.requests += 1;
            let asked = in_time(deadline, self.source.customer(tenant, &task.customer)).await;
            let answer = match &asked {
                Ok(Some(customer)) => given(customer.name.as_deref(), customer.domain.as_deref()),
                Ok(None) => NameAnswer::NotGiven,
                Err(_) => NameAnswer::Failed,
            };
            let id = NameId::customer(&task.customer);
            self.keep(tenant, &id, None, task.kept.as_ref(), answer, self.clock.now()).await?;
            progress.count(answer);
            is_none = matches!(asked, Ok(None));
            if let Err(trouble) = asked {
                self.keep_subscriptions(tenant, task, progress, |_| NameAnswer::Failed).await?;
                return Err(trouble);
            }
        }
        if task.subscriptions.is_empty() {
            return Ok(());
        }
        if is_none {
            self.keep_subscriptions(tenant, task, progress, |_| NameAnswer::NotGiven).await?;
            return Ok(());
        }
        let wanted: Vec<SubscriptionId> = task.subscriptions.iter().map(|(id, _)| id.clone()).collect();
        let asked = in_time(deadline, self.source.subscription_names(tenant, &task.customer, &wanted)).await;
        // How many requests a walk took that failed is not known.
        progress.requests += asked.as_ref().map_or(SUBSCRIPTION_REQUESTS, |found| found.requests);
        let name_of = |id: &SubscriptionId| {
            let id = id.as_str().to_ascii_lowercase().parse().ok()?;
            asked.as_ref().ok()?.names.get(&id).map(String::as_str)
        };
        let failed = asked.is_err();
        let answer = |id: &SubscriptionId| if failed { NameAnswer::Failed } else { given(name_of(id), None) };
        self.keep_subscriptions(tenant, task, progress, answer).await?;
        asked.map(drop)
    }

    async fn keep_subscriptions<'a>(
        &self,
        tenant: &Tenant,
        task: &Task,
        progress: &mut Progress,
        answer: impl Fn(&SubscriptionId) -> NameAnswer<'a>,
    ) -> Result<(), StoreError> {
        for (subscription, kept) in &task.subscriptions {
            let answer = answer(subscription);
            let id = NameId::subscription(subscription);
            self.keep(tenant, &id, Some(&task.customer), kept.as_ref(), answer, self.clock.now()).await?;
            progress.count(answer);
        }
        Ok(())
    }

    /// Keeps an answer, and says when it is to be asked for again. Where somebody else was quicker, theirs is as new.
    async fn keep(
        &self,
        tenant: &Tenant,
        id: &NameId,
        customer: Option<&CustomerId>,
        seen: Option<&KeptName>,
        answer: NameAnswer<'_>,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let due = now + ask_again_after(id, answer);
        self.store.keep_name(&tenant.id, Asked { id, customer, seen, answer, due }, now).await?;
        Ok(due)
    }
}

impl Progress {
    fn count(&mut self, answer: NameAnswer<'_>) {
        match answer {
            NameAnswer::Given { .. } => self.given += 1,
            NameAnswer::NotGiven => self.not_given += 1,
            NameAnswer::Failed => {}
        }
    }
}

fn given<'a>(name: Option<&'a str>, domain: Option<&'a str>) -> NameAnswer<'a> {
    name.map_or(NameAnswer::NotGiven, |name| NameAnswer::Given { name, domain })
}

async fn in_time<T>(deadline: Instant, call: impl Future<Output = Result<T, MicrosoftError>>) -> Result<T, Trouble> {
    match tokio::time::timeout_at(deadline, call).await {
        Ok(answer) => answer.map_err(Trouble::Microsoft),
        Err(_) => Err(Trouble::OutOfTime),
    }
}
