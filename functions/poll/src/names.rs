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
//!
//! Messages about names have a queue of their own, which wakes the function in places of their own: however many of them wait, and
//! however long each takes, no callback and no tick stands behind one. One that lies on the queue of runs, where the release before
//! put it, is done all the same. A chain of messages ends after `models::MOST_HOPS`, since Lambda counts the invocations of a function
//! that follow from one another, whichever queue they come by. What is left then is found anew: what alerts need by the next full
//! comparison, what is old by the next day's look, each with a chain of its own.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use messaging::AskForNames;
use models::{
    BroughtReseller, MOST_HOPS, NameId, NamesOfAlerts, NamesRequest, Tenant, TenantId, TraceContext, WantedCustomer,
    WantedNames, next_hop,
};
use partner_center::ReadCustomers;
use runtime::Counts;
use store::{KeepNames, KeptName, NameAnswer, ReadNames, ReadTenant, StoreError};

use crate::Poll;

mod asking;
mod dates;
mod tasks;

use asking::Progress;
use dates::{claim_again_after, is_due_to_look};
use tasks::{Named, Task, of_alerts, of_old};

/// How long a claim holds, and after what time is gone on with what there was no room for.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// After what time is asked again what failed: the longest delay of a message.
const LATER: SignedDuration = SignedDuration::from_mins(15);
/// How often a request is tried in vain: for two hours, if its chain of messages is not longer for other reasons.
const ATTEMPTS: u32 = 8;
/// How long a run may take to ask for names.
const SENDING: Duration = Duration::from_secs(5);

impl<S, L, Q> Poll<S, L, Q>
where
    Q: AskForNames + Sync,
{
    /// Asks for the names that alerts need. What can't be sent is logged: the day's comparison asks for it again.
    pub(crate) async fn ask_for_names(
        &self,
        tenant: &Tenant,
        names: NamesOfAlerts,
        trace: Option<TraceContext>,
        hops: u32,
    ) {
        let mut requests = names.requests(&tenant.id, trace);
        // A chain of runs leaves a place for it.
        for request in &mut requests {
            request.hops = next_hop(hops).unwrap_or(MOST_HOPS);
        }
        if requests.is_empty() {
            return;
        }
        match tokio::time::timeout(SENDING, self.queue.ask_for_names(&requests, SignedDuration::ZERO)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.not_asked(&tenant.id, &runtime::chain(&error)),
            Err(_) => self.not_asked(&tenant.id, "the names queue takes too long"),
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

    /// Goes on with what is left of a request, as far as its chain of messages may.
    async fn send_rest(&self, request: &NamesRequest, names: WantedNames, attempts: u32, delay: SignedDuration) {
        if let Some(rest) = request.rest(names, attempts) {
            self.send_names(&rest, delay).await;
        } else {
            tracing::info!(tenant.id = %request.tenant, hops = request.hops, "names are left for another day");
        }
    }

    fn not_asked(&self, tenant: &TenantId, error: &str) {
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
            self.send_rest(request, names, request.attempts, MINUTE).await;
        }
        failed.extend(untried.into_iter().filter(|_| stopped));
        let later = match &request.names {
            _ if failed.is_empty() || request.attempts + 1 >= ATTEMPTS => None,
            WantedNames::OfAlerts { .. } => Some(tasks::wanted(&failed)),
            WantedNames::Old { .. } => stopped.then_some(WantedNames::Old { again: true }),
        };
        if let Some(names) = later {
            self.send_rest(request, names, request.attempts + 1, LATER).await;
        }
    }
}

impl<S, L, Q> Poll<S, L, Q>
where
    S: ReadTenant + ReadNames + KeepNames + Sync,
    L: ReadCustomers + Sync,
    Q: AskForNames + Sync,
{
    /// Looks after names of one tenant. Whatever fails is logged, counted, and tried again later.
    pub(crate) async fn look_after_names(&self, request: &NamesRequest) {
        if let Err(error) = self.try_to_look_after_names(request).await {
            self.not_asked(&request.tenant, &runtime::chain(&error));
            if request.attempts + 1 < ATTEMPTS {
                self.send_rest(request, request.names.clone(), request.attempts + 1, LATER).await;
            }
        }
    }

    async fn try_to_look_after_names(&self, request: &NamesRequest) -> Result<(), StoreError> {
        let Some(tenant) = self.store.tenant(&request.tenant).await?.filter(|tenant| tenant.active) else {
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
            // The day is begun: a look that is not said to go on would end at once.
            let names = match &request.names {
                WantedNames::Old { .. } => WantedNames::Old { again: true },
                names @ WantedNames::OfAlerts { .. } => names.clone(),
            };
            let delay = claim_again_after(request.hops, (self.new_id)().as_u128());
            self.send_rest(request, names, request.attempts, delay).await;
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
}
