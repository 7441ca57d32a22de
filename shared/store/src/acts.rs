//! The one transaction in which what a person does is written.
//!
//! Promises: an act is written whole or not at all: what it changes of the alert or of the tenant, its lines at the end of their chain, the chain's head,
//! and the operation that it belongs to. It is written on condition that nobody changed what the person saw, so that of people and runs that write at the
//! same time none takes anything from another. Lines are only ever added.
//!
//! A chain whose head is gone, or was set back (an alert item that was deleted by hand, a table that was restored), is taken up where its lines end, and the
//! next line says so for good.

use std::future::Future;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::Timestamp;
use models::{Begun, Chain, Entry, Head, MOST_VIEWS, Operation, TenantId, Work, follow};

use crate::{
    AlertAtWork, AlertWrite, Rejected, Store, StoreError, TableRole, ViewWrite,
    lease::number,
    transaction::{AlertUpdate, Sent},
    work::{self, BEGUN, CHAIN, head_key, home},
};

/// How often the end of a chain is looked for among its lines.
const ATTEMPTS: u32 = 3;

/// What an act is about, as the person saw it.
#[derive(Clone, Copy, Debug)]
pub enum About<'a> {
    /// An alert.
    Alert(&'a AlertAtWork),
    /// The tenant as a whole, with the end of its chain.
    Tenant(Option<&'a Head>),
}

/// An act to write.
#[derive(Clone, Copy, Debug)]
pub struct ActWrite<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// What it is about.
    pub about: About<'a>,
    /// What is said of it, in this order.
    pub entries: &'a [Entry],
    /// What was decided about the alert: made [from what was stored](AlertWrite::between).
    pub decision: Option<&'a AlertWrite>,
    /// What is written on the alert from now on.
    pub work: Option<&'a Work>,
    /// The operation as it is from now on. A new one is of revision 1.
    pub operation: Option<&'a Operation>,
    /// Whether the operation begins with it to change where the alert stands.
    pub begins: bool,
    /// A change of the saved views.
    pub view: Option<&'a ViewWrite>,
}

impl<'a> ActWrite<'a> {
    /// An act of which nothing but its lines is to be written.
    #[must_use]
    pub fn new(tenant: &'a TenantId, about: About<'a>, entries: &'a [Entry]) -> Self {
        Self { tenant, about, entries, decision: None, work: None, operation: None, begins: false, view: None }
    }

    fn chain(&self) -> Chain {
        let alert = match self.about {
            About::Alert(seen) => Some(seen.stored.known.alert.id.clone()),
            About::Tenant(_) => None,
        };
        Chain { tenant: self.tenant.clone(), alert }
    }

    fn head(&self) -> Option<&Head> {
        match self.about {
            About::Alert(seen) => seen.head.as_ref(),
            About::Tenant(head) => head,
        }
    }
}

/// What came of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It is written.
    Done {
        /// The end of its chain.
        head: Head,
    },
    /// The operation is there already, or somebody carried it on since it was read: read it.
    OperationMoved,
    /// Somebody else changed what it is about since it was read: read it again, and see whether the act still makes sense.
    Overtaken,
    /// The tenant has as many saved views as it may have.
    TooManyViews,
}

/// Writes what people do.
pub trait Act {
    /// Writes an act.
    fn act(&self, write: &ActWrite<'_>, now: Timestamp) -> impl Future<Output = Result<Acted, StoreError>> + Send;
}

impl Act for Store {
    async fn act(&self, write: &ActWrite<'_>, now: Timestamp) -> Result<Acted, StoreError> {
        if let Some(ViewWrite::Save(view)) = write.view
            && view.revision <= 1
            && self.number_of_views(write.tenant).await? >= MOST_VIEWS
        {
            return Ok(Acted::TooManyViews);
        }
        let chain = write.chain();
        let mut from = write.head().cloned().unwrap_or_default();
        for _ in 0..ATTEMPTS {
            let prepared = self.prepare(write, &chain, &from, now)?;
            let failed = match self.send(&prepared.actions).await? {
                Sent::Done => return Ok(Acted::Done { head: prepared.head }),
                Sent::ConditionFailed(failed) => failed,
                Sent::Rejected(rejected) => match self.without_figures(write.tenant, &prepared, rejected).await? {
                    None => return Ok(Acted::Done { head: prepared.head }),
                    Some(failed) => failed,
                },
            };
            let is_line = |place: &usize| prepared.lines.contains(place);
            if !failed.iter().all(is_line) {
                let is_operation = |place: &usize| Some(*place) == prepared.operation;
                // Whoever repeats a request wants to hear of that first.
                let moved = failed.iter().any(is_operation);
                return Ok(if moved { Acted::OperationMoved } else { Acted::Overtaken });
            }
            // What the head says is so, and yet there are lines behind it.
            let last = self.last_line(&chain).await?;
            from = Head { regained: true, ..last.unwrap_or_default() };
        }
        let (action, table) = ("TransactWriteItems (lines)", TableRole::Activity);
        Err(StoreError::Contended { action, table, attempts: ATTEMPTS })
    }
}

struct Prepared {
    actions: Vec<TransactWriteItem>,
    /// Which of them are lines.
    lines: std::ops::Range<usize>,
    /// Which of them is the operation.
    operation: Option<usize>,
    /// How many of them come before those that move the figures.
    before_figures: usize,
    head: Head,
}

impl Store {
    fn prepare(
        &self,
        write: &ActWrite<'_>,
        chain: &Chain,
        from: &Head,
        now: Timestamp,
    ) -> Result<Prepared, StoreError> {
        let activity = |error| StoreError::unwritable(TableRole::Activity, error);
        let (lines, head) = follow(chain, from, write.entries).map_err(activity)?;
        let first = match write.about {
            About::Alert(seen) => self.update_worked_on(write, seen, chain, &head, now)?,
            About::Tenant(kept) => self.move_head(chain, kept, &head)?,
        };
        let mut actions = vec![TransactWriteItem::builder().update(first).build()];
        for (line, entry) in lines.iter().zip(write.entries) {
            let put = self.put_line(chain, line, entry)?;
            actions.push(TransactWriteItem::builder().put(put).build());
        }
        let lines = 1..actions.len();
        // The operation, and behind it its mark.
        let place = write.operation.map(|_| actions.len());
        if let Some(operation) = write.operation {
            actions.extend(self.write_operation(operation)?);
        }
        actions.extend(write.view.map(|view| self.write_view(write.tenant, view)).transpose()?);
        if let Some(decision) = write.decision {
            actions.extend(self.beside_alert(write.tenant, decision, now)?);
        }
        let before_figures = actions.len();
        if let Some(decision) = write.decision {
            actions.extend(self.move_figures(write.tenant, &decision.delta)?);
        }
        Ok(Prepared { actions, lines, operation: place, before_figures, head })
    }

    /// Writes an act whose figures are not taken without them: they can be counted anew, and nobody's act waits for that. Some, where a condition did
    /// not hold.
    async fn without_figures(
        &self,
        tenant: &TenantId,
        prepared: &Prepared,
        rejected: Vec<(usize, Rejected)>,
    ) -> Result<Option<Vec<usize>>, StoreError> {
        let is_figure = |place: usize| place >= prepared.before_figures;
        let first = rejected.iter().find(|(place, _)| !is_figure(*place)).or(rejected.first());
        let Some((place, why)) = first else { return Ok(None) };
        if !is_figure(*place) {
            return Err(why.clone().into());
        }
        match self.send(&prepared.actions[..prepared.before_figures]).await? {
            Sent::Done => {
                why.log_uncounted(tenant);
                Ok(None)
            }
            Sent::ConditionFailed(failed) => Ok(Some(failed)),
            Sent::Rejected(rejected) => rejected.into_iter().next().map_or(Ok(None), |(_, why)| Err(why.into())),
        }
    }

    /// The update of the alert item, on condition of the version that the person saw.
    fn update_worked_on(
        &self,
        write: &ActWrite<'_>,
        seen: &AlertAtWork,
        chain: &Chain,
        head: &Head,
        now: Timestamp,
    ) -> Result<Update, StoreError> {
        let mut update = match write.decision {
            Some(decision) => self.alert_update(write.tenant, decision, now)?,
            None => AlertUpdate::new(&self.tables.alerts, head_key(chain), Some(seen.stored.version)),
        };
        update.set(CHAIN, head_value(chain, head)?);
        if let Some(operation) = write.operation.filter(|_| write.begins) {
            let version = AlertWrite::version(Some(seen.stored.version));
            let begun = Begun { operation: operation.id.clone(), version };
            let begun = serde_dynamo::to_attribute_value(&begun);
            update.set(BEGUN, begun.map_err(|error| StoreError::unwritable(TableRole::Alerts, error))?);
        }
        if let Some(work) = write.work {
            for (name, value) in work::work_attributes(work)? {
                update.set(name, value);
            }
        }
        update.build()
    }

    /// The update of the item that a tenant's head is kept in, on condition that the head is what the person saw.
    fn move_head(&self, chain: &Chain, kept: Option<&Head>, head: &Head) -> Result<Update, StoreError> {
        let update = Update::builder()
            .table_name(self.home_table(chain))
            .set_key(Some(head_key(chain)))
            .update_expression("SET #chain = :chain")
            .expression_attribute_names("#chain", CHAIN)
            .expression_attribute_values(":chain", head_value(chain, head)?);
        let update = match kept {
            None => update.condition_expression("attribute_not_exists(#chain)"),
            Some(kept) => update
                .condition_expression("#chain.#count = :count AND #chain.#hash = :hash")
                .expression_attribute_names("#count", "count")
                .expression_attribute_names("#hash", "hash")
                .expression_attribute_values(":count", number(kept.count))
                .expression_attribute_values(":hash", AttributeValue::S(kept.hash.to_string())),
        };
        update.build().map_err(|error| StoreError::unwritable(home(chain), error))
    }
}

fn head_value(chain: &Chain, head: &Head) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(head).map_err(|error| StoreError::unwritable(home(chain), error))
}
