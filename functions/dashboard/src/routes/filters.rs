//! The query of a list, read strictly.

use std::{collections::BTreeMap, str::FromStr};

use api::Problem;
use identity::Caller;
use jiff::Timestamp;
use models::{AlertState, AlertType, ResolvedReason, Severity, Status};
use serde::Deserialize;
use store::{ListAssignee, ListFilter, ListMoment, ListOf, ListQuery};
use utoipa::IntoParams;

use crate::routes::refused;

/// The names of the query's parameters.
pub(crate) const NAMES: [&str; 17] = [
    "assignee",
    "cursor",
    "customer",
    "direction",
    "order",
    "reason",
    "severity",
    "since",
    "size",
    "snoozed",
    "state",
    "status",
    "subscription",
    "tenant",
    "test",
    "type",
    "until",
];
/// Most alternatives of one filter.
const MOST_ALTERNATIVES: usize = 20;
/// Longest alternative, in bytes.
const MOST_BYTES: usize = 100;
/// Most alerts of a page, and how many where nothing is said.
pub(crate) const MOST_SIZE: usize = 100;
const SIZE: usize = 50;
/// The beginning of the year 1.
const FIRST_MOMENT: Timestamp = Timestamp::constant(-62_135_596_800, 0);
const NO_MOMENT: &str =
    "it is no moment of the years 0001 to 9999 as RFC 3339 has it, 2026-03-02T09:00:00Z for example";

/// The query of a list of alerts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct ListParameters {
    /// Who looks after it: `me`, `nobody`, or a person's object id.
    #[param(pattern = "^(me|nobody|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$")]
    pub(crate) assignee: Option<String>,
    /// Where the page before ended: its `next`.
    pub(crate) cursor: Option<String>,
    /// The customer, by its id in any case.
    #[param(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9._-]+$")]
    pub(crate) customer: Option<String>,
    /// `newest` first, as where nothing is said, or `oldest`.
    #[param(pattern = "^(newest|oldest)$")]
    pub(crate) direction: Option<String>,
    /// The moment that the list goes by: `last-observed`, as where nothing is said, or `first-observed`, for lists of no customer and no subscription.
    #[param(pattern = "^(last-observed|first-observed)$")]
    pub(crate) order: Option<String>,
    /// Why it was resolved: `fraud`, `legitimate`, `ignore`, or several by commas.
    #[param(pattern = "^[A-Za-z0-9_-]{1,30}(,[A-Za-z0-9_-]{1,30}){0,19}$")]
    pub(crate) reason: Option<String>,
    /// How bad it is: `informational`, `low`, `medium`, `high`, or several by commas. What is not known counts as high.
    #[param(pattern = "^[A-Za-z0-9_-]{1,30}(,[A-Za-z0-9_-]{1,30}){0,19}$")]
    pub(crate) severity: Option<String>,
    /// No alert whose moment is before this one (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    pub(crate) since: Option<String>,
    /// How many alerts a page has: 1 to 100, 50 where nothing is said.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100)]
    pub(crate) size: Option<String>,
    /// Whether it is set aside at this moment.
    #[param(value_type = Option<bool>)]
    pub(crate) snoozed: Option<String>,
    /// `open`, as where nothing is said, `resolved`, or `all`.
    #[param(pattern = "^(open|resolved|all)$")]
    pub(crate) state: Option<String>,
    /// Where it stands: `active`, `investigating`, `resolved`, or several by commas.
    #[param(pattern = "^[A-Za-z0-9_-]{1,30}(,[A-Za-z0-9_-]{1,30}){0,19}$")]
    pub(crate) status: Option<String>,
    /// The Azure subscription, by its id in any case.
    #[param(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9._-]+$")]
    pub(crate) subscription: Option<String>,
    /// The partner tenants, by their ids with commas between: all that the caller may see where nothing is said, 25 at most.
    pub(crate) tenant: Option<String>,
    /// Whether it is a simulated one.
    #[param(value_type = Option<bool>)]
    pub(crate) test: Option<String>,
    /// Its exact kind as Microsoft names it, or several by commas.
    #[serde(rename = "type")]
    #[param(rename = "type", pattern = "^[A-Za-z0-9_-]{1,100}(,[A-Za-z0-9_-]{1,100}){0,19}$")]
    pub(crate) alert_type: Option<String>,
    /// No alert whose moment is behind this one (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    pub(crate) until: Option<String>,
}

impl ListParameters {
    pub(crate) fn read(query: &BTreeMap<&str, String>) -> Result<Self, Problem> {
        let unreadable = |_| Problem::new(api::Kind::Unreadable);
        serde_json::to_value(query).and_then(serde_json::from_value).map_err(unreadable)
    }

    /// How many alerts a page has.
    pub(crate) fn size(&self) -> Result<usize, Problem> {
        let Some(text) = &self.size else { return Ok(SIZE) };
        let size = text.parse().ok().filter(|size| (1..=MOST_SIZE).contains(size));
        size.ok_or_else(|| refused("size", "it is a number from 1 to 100"))
    }

    /// The list that is asked for, by this caller at this moment.
    pub(crate) fn list(&self, caller: &Caller, now: Timestamp) -> Result<ListQuery, Problem> {
        let state = match self.state.as_deref() {
            None | Some("open") => Some(AlertState::Open),
            Some("resolved") => Some(AlertState::Resolved),
            Some("all") => None,
            Some(_) => return Err(refused("state", "it is one of open, resolved, all")),
        };
        let by_state = state.map_or(ListOf::All, ListOf::State);
        let of = match (&self.customer, &self.subscription) {
            (Some(_), Some(_)) => {
                return Err(refused("customer", "a subscription is of one customer: leave one of the two out"));
            }
            (Some(customer), None) => ListOf::Customer(parsed("customer", customer, "it is no id")?),
            (None, Some(subscription)) => ListOf::Subscription(parsed("subscription", subscription, "it is no id")?),
            (None, None) => by_state.clone(),
        };
        let by = match self.order.as_deref() {
            None | Some("last-observed") => ListMoment::LastObserved,
            Some("first-observed") if of == by_state => ListMoment::FirstObserved,
            Some("first-observed") => {
                return Err(refused("order", "alerts of a customer or a subscription go by last-observed alone"));
            }
            Some(_) => return Err(refused("order", "it is one of last-observed, first-observed")),
        };
        let newest_first = match self.direction.as_deref() {
            None | Some("newest") => true,
            Some("oldest") => false,
            Some(_) => return Err(refused("direction", "it is one of newest, oldest")),
        };
        let moment = |name, text: &Option<String>| text.as_deref().map(|text| moment(name, text)).transpose();
        let filter = ListFilter {
            assignee: self.assignee(caller)?,
            reasons: named("reason", self.reason.as_deref(), |text| ResolvedReason::from(text))?,
            severities: named("severity", self.severity.as_deref(), |text| Severity::from(text))?,
            snoozed: flag("snoozed", self.snoozed.as_deref())?.map(|wanted| (wanted, now)),
            // Of a list of one state there are no others.
            state: state.filter(|_| of != by_state),
            statuses: named("status", self.status.as_deref(), |text| Status::from(text))?,
            test: flag("test", self.test.as_deref())?,
            types: named("type", self.alert_type.as_deref(), |text| AlertType::named(text).0)?,
        };
        let (since, until) = (moment("since", &self.since)?, moment("until", &self.until)?);
        Ok(ListQuery { of, by, newest_first, since, until, filter })
    }

    fn assignee(&self, caller: &Caller) -> Result<Option<ListAssignee>, Problem> {
        Ok(match self.assignee.as_deref() {
            None => None,
            Some("nobody") => Some(ListAssignee::Nobody),
            Some("me") => Some(ListAssignee::Person(caller.oid().clone())),
            Some(id) => {
                let why = "it is one of me, nobody, or a person's object id";
                Some(ListAssignee::Person(parsed("assignee", id, why)?))
            }
        })
    }
}

pub(crate) fn parsed<T: FromStr>(name: &'static str, text: &str, why: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| refused(name, why))
}

/// A moment of the years 1 to 9999: no key of ours can hold another, and RFC 3339 has none.
pub(crate) fn moment(name: &'static str, text: &str) -> Result<Timestamp, Problem> {
    let moment: Timestamp = parsed(name, text, NO_MOMENT)?;
    if moment < FIRST_MOMENT { Err(refused(name, NO_MOMENT)) } else { Ok(moment) }
}

fn flag(name: &'static str, text: Option<&str>) -> Result<Option<bool>, Problem> {
    text.map(|text| parsed(name, text, "it is true or false")).transpose()
}

fn named<T, C: Default + FromIterator<T>>(
    name: &'static str,
    text: Option<&str>,
    read: impl Fn(&str) -> T,
) -> Result<C, Problem> {
    let Some(text) = text else { return Ok(C::default()) };
    let sound = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        (1..=MOST_BYTES).contains(&text.len()) && text.bytes().all(plain)
    };
    if text.split(',').count() > MOST_ALTERNATIVES || !text.split(',').all(sound) {
        return Err(refused(name, "it is one name or up to 20 of them by commas, each of letters, digits, _ and -"));
    }
    Ok(text.split(',').map(read).collect())
}
