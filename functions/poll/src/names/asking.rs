//! Asking Partner Center for names, one customer after the other, and keeping what comes of it.
//!
//! A customer that fails costs no other its name; several in a row, or the end of the time, end the asking.

use std::time::Duration;

use jiff::Timestamp;
use models::{CustomerId, NameId, SubscriptionId, Tenant};
use partner_center::{Diagnosis, MicrosoftError, ReadCustomers, SUBSCRIPTION_REQUESTS};
use store::{Asked, KeepNames, KeptName, NameAnswer, StoreError};
use tokio::time::Instant;

use super::{MINUTE, dates::ask_again_after, tasks::Task};
use crate::Poll;

/// Most requests of one invocation, but for what the last customer takes. The next invocation for the tenant comes a minute later, and
/// Partner Center gives each tenant 500 a minute for customers, subscriptions and orders ("API throttling guidance"): the rest is for
/// repeated requests, and for whoever else asks with this tenant's application.
const REQUESTS: u32 = 200;
/// How long one invocation asks Partner Center: within its claim on the tenant's names, so that no other begins to ask beside it, and well
/// within the function's timeout.
const ASKING: Duration = Duration::from_secs(50);
const _: () = assert!(ASKING.as_secs() < MINUTE.as_secs().unsigned_abs());
/// After so many failures in a row it is Partner Center, and not a customer.
const IN_A_ROW: u32 = 3;

/// What came of an invocation.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    pub(super) given: usize,
    pub(super) not_given: usize,
    /// Tasks that failed.
    pub(super) failed: Vec<Task>,
    /// Tasks that there was no room for, or no time to end.
    pub(super) untried: Vec<Task>,
    /// Whether asking on had no use.
    pub(super) stopped: bool,
    requests: u32,
}

/// When a task was begun.
#[derive(Clone, Copy)]
struct Began {
    /// The end of the time.
    deadline: Instant,
    /// Whether it had all of the time: then it is Partner Center that takes too long, and the task does not go on at the head of the others.
    is_first: bool,
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
    S: KeepNames + Sync,
    L: ReadCustomers + Sync,
    Q: Sync,
{
    pub(super) async fn ask_all(&self, tenant: &Tenant, tasks: Vec<Task>) -> Result<Progress, StoreError> {
        let deadline = Instant::now() + ASKING;
        let mut progress = Progress::default();
        let mut in_a_row = 0;
        for task in tasks {
            if progress.stopped || progress.requests >= REQUESTS || Instant::now() >= deadline {
                progress.untried.push(task);
                continue;
            }
            let began = Began { deadline, is_first: progress.requests == 0 };
            match self.ask(tenant, &task, began, &mut progress).await {
                Ok(()) => in_a_row = 0,
                // It is we who ended it.
                Err(Trouble::OutOfTime) if !began.is_first => progress.untried.push(task),
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
        Began { deadline, is_first }: Began,
        progress: &mut Progress,
    ) -> Result<(), Trouble> {
        let is_cut = |trouble: &Trouble| matches!(trouble, Trouble::OutOfTime) && !is_first;
        let mut is_none = task.is_none();
        if task.asks_for_customer {
            progress.requests += 1;
            let asked = in_time(deadline, self.source.customer(tenant, &task.customer)).await;
            if asked.as_ref().is_err_and(is_cut) {
                return asked.map(drop);
            }
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
        if asked.as_ref().is_err_and(is_cut) {
            return asked.map(drop);
        }
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
    pub(super) async fn keep(
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

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::{Arc, Mutex},
    };

    use jiff::{SignedDuration, civil::Date};
    use models::{AlertSource, Cloud, FraudThreshold, TenantId};
    use partner_center::{Customer, SubscriptionNames};
    use store::{Changed, LeaseTerms};

    use super::*;
    use crate::Settings;

    /// Notes what is kept.
    #[derive(Default)]
    struct Kept(Mutex<Vec<(String, bool)>>);

    impl KeepNames for Kept {
        async fn all_names(&self, _: &TenantId) -> Result<Vec<KeptName>, StoreError> {
            unreachable!()
        }

        async fn begin_day(&self, _: &TenantId, _: Date) -> Result<bool, StoreError> {
            unreachable!()
        }

        async fn claim_names(&self, _: &TenantId, _: Timestamp, _: Timestamp) -> Result<bool, StoreError> {
            unreachable!()
        }

        async fn keep_name(&self, _: &TenantId, asked: Asked<'_>, _: Timestamp) -> Result<Changed, StoreError> {
            let failed = matches!(asked.answer, NameAnswer::Failed);
            self.0.lock().unwrap().push((asked.id.id().to_owned(), failed));
            Ok(Changed::Yes)
        }
    }

    /// Answers at once, but of these customers, or of their subscriptions.
    struct Hangs {
        customer: &'static str,
        subscriptions_of: &'static str,
    }

    impl ReadCustomers for Hangs {
        async fn customer(&self, _: &Tenant, id: &CustomerId) -> Result<Option<Customer>, MicrosoftError> {
            if id.as_str() == self.customer {
                pending::<()>().await;
            }
            Ok(Some(Customer { name: Some("Contoso".to_owned()), domain: None }))
        }

        async fn subscription_names(
            &self,
            _: &Tenant,
            customer: &CustomerId,
            _: &[SubscriptionId],
        ) -> Result<SubscriptionNames, MicrosoftError> {
            if customer.as_str() == self.subscriptions_of {
                pending::<()>().await;
            }
            Ok(SubscriptionNames::default())
        }
    }

    fn task(customer: &str) -> Task {
        let subscriptions = vec![(format!("of-{customer}").parse().unwrap(), None)];
        Task { customer: customer.parse().unwrap(), kept: None, asks_for_customer: true, subscriptions }
    }

    /// What comes of asking for the customers a, b and c: the failed, the untried, whether it was stopped, and what is kept, with whether it
    /// failed.
    async fn asked(source: Hangs) -> (Vec<String>, Vec<String>, bool, Vec<(String, bool)>) {
        let terms = LeaseTerms { duration: SignedDuration::ZERO, gap: SignedDuration::ZERO };
        let settings = Settings {
            lease: terms,
            run_limit: Duration::ZERO,
            threshold: FraudThreshold::High,
            digest_above: 1,
            pages: 1,
        };
        let new_id = Arc::new(|| unreachable!());
        let poll = Poll::new(
            Kept::default(),
            source,
            (),
            Arc::new(runtime::FixedClock::at(Timestamp::UNIX_EPOCH)),
            new_id,
            settings,
        );
        let tenant = Tenant {
            id: "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap(),
            display_name: "Made up".to_owned(),
            cloud: Cloud::Global,
            alert_source: AlertSource::Graph,
            path_key_hashes: Vec::new(),
            read_secret: String::new(),
            act_secret: None,
            active: true,
        };
        let progress = poll.ask_all(&tenant, ["a", "b", "c"].map(task).into()).await.unwrap();
        let names = |tasks: Vec<Task>| tasks.iter().map(|task| task.customer.to_string()).collect();
        let kept = poll.store.0.into_inner().unwrap();
        (names(progress.failed), names(progress.untried), progress.stopped, kept)
    }

    fn kept(names: &[(&str, bool)]) -> Vec<(String, bool)> {
        names.iter().map(|(name, failed)| ((*name).to_owned(), *failed)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_end_of_the_time_cuts_off_is_untried_and_not_failed() {
        let of_a = [("a", false), ("of-a", false)];
        let untried = vec!["b".to_owned(), "c".to_owned()];
        let cut = asked(Hangs { customer: "b", subscriptions_of: "" }).await;
        assert_eq!(cut, (vec![], untried.clone(), false, kept(&of_a)));
        // Its own name is not asked for again.
        let cut = asked(Hangs { customer: "", subscriptions_of: "b" }).await;
        assert_eq!(cut, (vec![], untried, false, kept(&[&of_a[..], &[("b", false)]].concat())));
    }

    #[tokio::test(start_paused = true)]
    async fn who_had_all_of_the_time_in_vain_has_failed_and_leaves_the_head_to_others() {
        let others = vec!["b".to_owned(), "c".to_owned()];
        let failed = asked(Hangs { customer: "a", subscriptions_of: "" }).await;
        assert_eq!(failed, (vec!["a".to_owned()], others, true, kept(&[("a", true), ("of-a", true)])));
    }
}
