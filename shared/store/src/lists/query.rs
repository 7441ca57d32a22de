//! What is asked of DynamoDB for a list: keys, conditions and filters.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use models::{AlertId, AlertState, Marks, Severity, TenantId, Turned};
use serde::{Deserialize, Serialize};

use super::{Batch, Found, ListAssignee, ListFilter, ListMoment, ListOf, ListPosition, ListQuery, merge::Frontier};
use crate::{
    Store, StoreError, TableRole,
    items::{self, Item, Summary, folded_key},
    schema::{ALERTS_BY_CUSTOMER, ALERTS_BY_FIRST_OBSERVED, ALERTS_BY_LAST_OBSERVED, ALERTS_BY_SUBSCRIPTION},
    time::sortable,
};

const TABLE: TableRole = TableRole::Alerts;
/// The smallest step of a moment in an index.
const STEP: SignedDuration = SignedDuration::from_millis(1);

/// Which of a tenant's lanes, in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Part {
    /// Open alerts.
    Open,
    /// Resolved ones.
    Resolved,
    /// Those of a customer or a subscription.
    Subject,
    /// Those of one of several customers.
    One(String),
}

/// A partition of an index, as far as the list goes on.
#[derive(Debug)]
pub(super) struct Lane {
    tenant: TenantId,
    part: Part,
    pub(super) partition: String,
    pub(super) oldest: Timestamp,
    pub(super) newest: Timestamp,
    /// The alert that it goes on behind, and its moment.
    behind: Option<(Timestamp, AlertId)>,
    /// The alert that was shown last, where it is this tenant's: it may have moved into this lane since.
    shown: Option<AlertId>,
}

impl Lane {
    pub(super) fn position(&self, at: Timestamp, alert: AlertId) -> ListPosition {
        ListPosition { at, tenant: self.tenant.clone(), part: self.part.clone(), alert }
    }
}

/// The lanes of a list from a position on, in their order; without those that are behind it.
pub(super) fn lanes(tenants: &BTreeSet<TenantId>, query: &ListQuery, from: Option<&ListPosition>) -> Vec<Lane> {
    let all = tenants.iter().flat_map(|tenant| parts(tenant, &query.of));
    let lanes = all.map(|(tenant, part, partition)| {
        let (oldest, newest) = (query.since.unwrap_or(Timestamp::MIN), query.until.unwrap_or(Timestamp::MAX));
        let mut lane = Lane { tenant: tenant.clone(), part, partition, oldest, newest, behind: None, shown: None };
        if let Some(from) = from {
            let order = (tenant, &lane.part).cmp(&(&from.tenant, &from.part));
            // Of the same moment, lanes before it were shown, and those behind it were not.
            let step = if order.is_lt() { STEP } else { SignedDuration::ZERO };
            if query.newest_first {
                lane.newest = lane.newest.min(from.at.saturating_sub(step).unwrap_or(Timestamp::MIN));
            } else {
                lane.oldest = lane.oldest.max(from.at.saturating_add(step).unwrap_or(Timestamp::MAX));
            }
            lane.shown = (lane.tenant == from.tenant).then(|| from.alert.clone());
            lane.behind = order.is_eq().then(|| (from.at, from.alert.clone()));
        }
        lane
    });
    lanes.filter(|lane| lane.oldest <= lane.newest).collect()
}

fn parts<'a>(tenant: &'a TenantId, of: &ListOf) -> Vec<(&'a TenantId, Part, String)> {
    let state = |state: AlertState| {
        let part = if state == AlertState::Open { Part::Open } else { Part::Resolved };
        (tenant, part, format!("{tenant}#{}", state.as_str()))
    };
    match of {
        ListOf::All => vec![state(AlertState::Open), state(AlertState::Resolved)],
        ListOf::Customer(id) => vec![(tenant, Part::Subject, folded_key(tenant, id.as_str()))],
        ListOf::Customers(of) => {
            let of_tenant = of.get(tenant).into_iter().flatten();
            of_tenant.map(|id| (tenant, Part::One(id.to_string()), folded_key(tenant, id.as_str()))).collect()
        }
        ListOf::State(one) => vec![state(*one)],
        ListOf::Subscription(id) => vec![(tenant, Part::Subject, folded_key(tenant, id.as_str()))],
    }
}

/// Name, partition key and sort key of the index of a list.
pub(super) fn index(query: &ListQuery) -> (&'static str, &'static str, &'static str) {
    match (&query.of, query.by) {
        (ListOf::Customer(_) | ListOf::Customers(_), _) => (ALERTS_BY_CUSTOMER, "tenant_customer", "last_observed"),
        (ListOf::Subscription(_), _) => (ALERTS_BY_SUBSCRIPTION, "tenant_subscription", "last_observed"),
        (_, ListMoment::LastObserved) => (ALERTS_BY_LAST_OBSERVED, "tenant_state", "last_observed"),
        (_, ListMoment::FirstObserved) => (ALERTS_BY_FIRST_OBSERVED, "tenant_state", "first_observed"),
    }
}

impl Store {
    /// Reads on in a lane.
    pub(super) async fn read_lane(
        &self,
        lane: &Lane,
        query: &ListQuery,
        frontier: Frontier,
        most: usize,
    ) -> Result<Batch, StoreError> {
        let (name, partition, sort) = index(query);
        let text = AttributeValue::S;
        let behind = match frontier {
            Frontier::At(at, alert) => Some((at, alert)),
            Frontier::Start | Frontier::End => lane.behind.clone(),
        };
        let mut start = behind.map(|(at, alert)| {
            let mut key = items::alert_key(&lane.tenant, &alert);
            key.insert(partition.to_owned(), text(lane.partition.clone()));
            key.insert(sort.to_owned(), text(sortable(at)));
            key
        });
        let mut batch = Batch { alerts: Vec::new(), frontier: Frontier::End, read: 0, unreadable: 0 };
        loop {
            let expression = Expression::of(&query.filter);
            let request = self
                .client
                .query()
                .table_name(&self.tables.alerts)
                .index_name(name)
                .key_condition_expression("#partition = :partition AND #sort BETWEEN :oldest AND :newest")
                .set_filter_expression((!expression.terms.is_empty()).then(|| expression.terms.join(" AND ")))
                .set_expression_attribute_names(Some(expression.names))
                .set_expression_attribute_values(Some(expression.values))
                .expression_attribute_names("#partition", partition)
                .expression_attribute_names("#sort", sort)
                .expression_attribute_values(":partition", text(lane.partition.clone()))
                .expression_attribute_values(":oldest", text(sortable(lane.oldest)))
                .expression_attribute_values(":newest", text(sortable(lane.newest)))
                .scan_index_forward(!query.newest_first)
                .set_exclusive_start_key(start.take())
                .limit(i32::try_from(most).unwrap_or(i32::MAX));
            let read = request.send().await.map_err(|error| StoreError::failed("Query (list)", TABLE, error))?;
            batch.read += usize::try_from(read.scanned_count).unwrap_or_default();
            let place = |key: &Item| Some(Frontier::At(moment(key, sort).ok()?, items::id_of(&lane.tenant, key).ok()?));
            let end = read.last_evaluated_key.as_ref().map_or(Some(Frontier::End), place);
            for item in read.items.unwrap_or_default() {
                batch.take(lane, query, item, sort);
            }
            match end {
                Some(frontier) => {
                    batch.frontier = frontier;
                    return Ok(batch);
                }
                // The last of them has a key that no place can be made of: it is read on behind it, and the rest is not lost.
                None => start = read.last_evaluated_key,
            }
        }
    }
}

impl Batch {
    fn take(&mut self, lane: &Lane, query: &ListQuery, item: Item, sort: &str) {
        match found(&lane.tenant, item, sort) {
            Ok(found) if lane.shown.as_ref() == Some(&found.alert.id) => {}
            Ok(found) if is_wanted(&query.filter, &found.alert.marks, &found.alert.severity, found.alert.turned) => {
                self.alerts.push(found);
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(tenant.id = %lane.tenant, %error, "an alert can't be read: lists leave it out");
                self.unreadable += 1;
            }
        }
    }
}

/// What no expression says exactly.
pub(super) fn is_wanted(filter: &ListFilter, marks: &Marks, severity: &Severity, turned: Turned) -> bool {
    filter.snoozed.is_none_or(|(wanted, now)| marks.snoozed(severity, turned, now).is_some() == wanted)
}

fn moment(item: &Item, sort: &str) -> Result<Timestamp, StoreError> {
    let text = item.get(sort).and_then(|at| at.as_s().ok()).map_or("", String::as_str);
    text.parse().map_err(|error: jiff::Error| StoreError::bad_item(TABLE, text, error))
}

fn found(tenant: &TenantId, mut item: Item, sort: &str) -> Result<Found, StoreError> {
    let at = moment(&item, sort)?;
    let key = item.get("pk").and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
    let bad = |error: serde_dynamo::Error| StoreError::bad_item(TABLE, &key, error);
    let missing = || StoreError::bad_item(TABLE, &key, "an attribute is missing");
    let version = item.remove("version").ok_or_else(missing)?;
    let summary: Summary =
        serde_dynamo::from_attribute_value(item.remove("summary").ok_or_else(missing)?).map_err(bad)?;
    let marks: Option<Marks> = item.remove("work").map(serde_dynamo::from_attribute_value).transpose().map_err(bad)?;
    let version = serde_dynamo::from_attribute_value(version).map_err(bad)?;
    Ok(Found { at, alert: summary.listed(tenant, version, marks.unwrap_or_default()) })
}

/// A filter as DynamoDB takes it: what comes from outside stands in values alone.
#[derive(Debug, Default)]
pub(super) struct Expression {
    pub(super) terms: Vec<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl Expression {
    pub(super) fn of(filter: &ListFilter) -> Self {
        let mut expression = Self::default();
        if filter.severities.contains(&Severity::High) {
            let lower = [Severity::Informational, Severity::Low, Severity::Medium];
            let unwanted = lower.iter().filter(|severity| !filter.severities.contains(severity));
            expression.is_none_of("severity", unwanted.map(Severity::as_str));
        } else {
            expression.is_one_of("severity", filter.severities.iter().map(Severity::as_str));
        }
        expression.is_one_of("status", filter.statuses.iter().map(models::Status::as_str));
        expression.is_one_of("resolved_reason", filter.reasons.iter().map(models::ResolvedReason::as_str));
        expression.is_one_of("type", filter.types.iter().map(String::as_str));
        if let Some(state) = filter.state {
            let comparison = if state == AlertState::Resolved { "=" } else { "<>" };
            let status = expression.member("summary", "status");
            expression.terms.push(format!("{status} {comparison} :resolved"));
            let resolved = models::Status::Resolved.as_str().to_owned();
            expression.values.insert(":resolved".to_owned(), AttributeValue::S(resolved));
        }
        if let Some(test) = filter.test {
            let is_test = expression.member("summary", "is_test");
            expression.terms.push(format!("{is_test} = :test"));
            expression.values.insert(":test".to_owned(), AttributeValue::Bool(test));
        }
        match &filter.assignee {
            Some(ListAssignee::Nobody) => {
                let assignee = expression.member("work", "assignee");
                expression.terms.push(format!("attribute_not_exists({assignee})"));
            }
            Some(ListAssignee::Person(id)) => {
                let assignee = expression.member("work", "assignee");
                expression.names.insert("#id".to_owned(), "id".to_owned());
                expression.terms.push(format!("{assignee}.#id = :assignee"));
                expression.values.insert(":assignee".to_owned(), AttributeValue::S(id.to_string()));
            }
            None => {}
        }
        expression
    }

    fn is_none_of<'a>(&mut self, member: &str, values: impl Iterator<Item = &'a str>) {
        let before = self.terms.len();
        self.is_one_of(member, values);
        if let Some(term) = self.terms.get_mut(before) {
            *term = format!("NOT {term}");
        }
    }

    fn is_one_of<'a>(&mut self, member: &str, values: impl Iterator<Item = &'a str>) {
        let mut places = Vec::new();
        for (place, value) in values.enumerate() {
            let name = format!(":{member}{place}");
            self.values.insert(name.clone(), AttributeValue::S(value.to_owned()));
            places.push(name);
        }
        if !places.is_empty() {
            let path = self.member("summary", member);
            self.terms.push(format!("{path} IN ({})", places.join(", ")));
        }
    }

    fn member(&mut self, map: &str, member: &str) -> String {
        for name in [map, member] {
            self.names.insert(format!("#{name}"), name.to_owned());
        }
        format!("#{map}.#{member}")
    }
}
