//! What comes in. Texts are texts here, and are read into what they mean one by one, so that a problem names its member and none of its words.

use std::{fmt::Display, str::FromStr};

use api::Problem;
use jiff::Timestamp;
use models::{AlertId, Label, MOST_ALERTS, Note, ObjectId, Person, QueryText, ShortText, TenantId, WorkChange};
use partner_center::{Change, Reason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why an alert is resolved.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReasonName {
    /// It was fraud.
    Fraud,
    /// It is set aside.
    Ignore,
    /// It was the customer's own doing.
    Legitimate,
}

impl From<ReasonName> for Change {
    fn from(name: ReasonName) -> Self {
        Self::Resolve(match name {
            ReasonName::Fraud => Reason::Fraud,
            ReasonName::Ignore => Reason::Ignore,
            ReasonName::Legitimate => Reason::Legitimate,
        })
    }
}

/// An alert is to be resolved.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveBody {
    /// The version of the alert that you saw: where it has another by now, somebody was quicker.
    #[schema(minimum = 1, format = "uint64")]
    pub version: u64,
    /// Why.
    pub reason: ReasonName,
    /// What is to be kept about it: at most 1,200 bytes.
    #[schema(min_length = 1, max_length = 1200)]
    pub note: Option<String>,
}

/// Where an alert stands is to change.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusBody {
    /// The version of the alert that you saw: where it has another by now, somebody was quicker.
    #[schema(minimum = 1, format = "uint64")]
    pub version: u64,
    /// What is to be kept about it: at most 1,200 bytes.
    #[schema(min_length = 1, max_length = 1200)]
    pub note: Option<String>,
}

/// Alerts are to be resolved, of any number of tenants.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkBody {
    /// Which: up to a hundred, none twice.
    #[schema(min_items = 1, max_items = 100)]
    pub alerts: Vec<BulkItem>,
    /// Why.
    pub reason: ReasonName,
    /// What is to be kept about each: at most 1,200 bytes.
    #[schema(min_length = 1, max_length = 1200)]
    pub note: Option<String>,
}

/// An alert among others.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkItem {
    /// Its tenant.
    #[schema(format = "uuid")]
    pub tenant: String,
    /// Its id.
    #[schema(min_length = 1, max_length = 256)]
    pub alert: String,
    /// The version that you saw.
    #[schema(minimum = 1, format = "uint64")]
    pub version: u64,
}

/// The same as fields of a form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkForm {
    /// Each with its tenant, the version that was seen, and its id: `tenant/version/alert`.
    #[serde(default)]
    alerts: Vec<String>,
    reason: ReasonName,
    note: Option<String>,
}

impl BulkForm {
    pub(crate) fn into_body(self) -> Result<BulkBody, Problem> {
        Ok(BulkBody { alerts: ticked(&self.alerts)?, reason: self.reason, note: self.note })
    }
}

/// Alerts that were ticked on a page, for what is about their subscriptions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TickedForm {
    /// As in [`BulkForm`].
    #[serde(default)]
    alerts: Vec<String>,
}

impl TickedForm {
    /// The alerts; none where nothing was ticked.
    pub(crate) fn alerts(&self) -> Result<Vec<(TenantId, AlertId, u64)>, Problem> {
        if self.alerts.is_empty() { Ok(Vec::new()) } else { named(&ticked(&self.alerts)?) }
    }
}

/// What the boxes of a page say.
fn ticked(texts: &[String]) -> Result<Vec<BulkItem>, Problem> {
    let item = |text: &String| {
        let mut parts = text.splitn(3, '/');
        let (tenant, version, alert) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        Some(BulkItem { tenant: tenant.to_owned(), alert: alert.to_owned(), version })
    };
    let items = texts.iter().map(item).collect::<Option<Vec<_>>>();
    items.ok_or_else(|| Problem::value("alerts", "each is a tenant, a version and an id"))
}

impl BulkBody {
    /// The alerts.
    pub(crate) fn alerts(&self) -> Result<Vec<(TenantId, AlertId, u64)>, Problem> {
        named(&self.alerts)
    }
}

fn named(items: &[BulkItem]) -> Result<Vec<(TenantId, AlertId, u64)>, Problem> {
    if items.is_empty() || items.len() > MOST_ALERTS {
        return Err(Problem::value("alerts", format!("one request takes 1 to {MOST_ALERTS} of them")));
    }
    let mut all = Vec::new();
    for item in items {
        let (tenant, alert) = (read("tenant", &item.tenant)?, read("alert", &item.alert)?);
        if all.iter().any(|(t, a, _)| (t, a) == (&tenant, &alert)) {
            return Err(Problem::value("alerts", "one of them comes twice"));
        }
        if item.version == 0 {
            return Err(Problem::value("version", "it is 1 at least"));
        }
        all.push((tenant, alert, item.version));
    }
    Ok(all)
}

/// Somebody is to look after an alert.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignBody {
    /// Who.
    pub to: Assignee,
}

/// Who looks after an alert.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Assignee {
    /// Whoever asks, or nobody.
    Word(AssigneeWord),
    /// A person.
    Person(AssigneePerson),
}

/// Whoever asks, or nobody.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AssigneeWord {
    /// Whoever asks.
    Me,
    /// Nobody in particular.
    Nobody,
}

/// A person as Entra ID knows them.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssigneePerson {
    /// The tenant that they sign in to.
    #[schema(format = "uuid")]
    pub tenant: String,
    /// Their object id there.
    #[schema(format = "uuid")]
    pub id: String,
    /// What they are shown as: their user principal name, of which 128 bytes are kept.
    #[schema(max_length = 128)]
    pub name: String,
}

/// The same as fields of a form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignForm {
    /// `me`, `nobody`, or nothing where a person is named.
    to: Option<AssigneeWord>,
    tenant: Option<String>,
    id: Option<String>,
    name: Option<String>,
}

impl AssignForm {
    pub(crate) fn into_body(self) -> Result<AssignBody, Problem> {
        let to = match self {
            Self { to: Some(word), tenant: None, id: None, name: None } => Assignee::Word(word),
            Self { to: None, tenant: Some(tenant), id: Some(id), name: Some(name) } => {
                Assignee::Person(AssigneePerson { tenant, id, name })
            }
            _ => return Err(Problem::value("to", "it is one of me, nobody, or a person by tenant, id and name")),
        };
        Ok(AssignBody { to })
    }
}

impl AssignBody {
    /// What it means, if this person asks. None where a program asks for itself.
    pub(crate) fn change(&self, me: Option<Person>) -> Result<Option<WorkChange>, Problem> {
        Ok(match &self.to {
            Assignee::Word(AssigneeWord::Me) => me.map(WorkChange::Assign),
            Assignee::Word(AssigneeWord::Nobody) => Some(WorkChange::Unassign),
            Assignee::Person(AssigneePerson { tenant, id, name }) => {
                let (tenant, id): (TenantId, ObjectId) = (read("tenant", tenant)?, read("id", id)?);
                Some(WorkChange::Assign(Person::new(tenant, id, name)))
            }
        })
    }
}

/// A note is to be kept on an alert.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteBody {
    /// What it says: at most 1,200 bytes.
    #[schema(min_length = 1, max_length = 1200)]
    pub note: String,
}

/// An alert is to be set aside for a time.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SnoozeBody {
    /// Until when: at most seven days from now.
    #[schema(format = "date-time")]
    pub until: String,
    /// Why: at most 300 bytes.
    #[schema(min_length = 1, max_length = 300)]
    pub why: String,
}

impl SnoozeBody {
    pub(crate) fn change(&self) -> Result<WorkChange, Problem> {
        let until = self.until.parse::<Timestamp>();
        let until = until.map_err(|_| Problem::value("until", "it is no moment as 2026-03-02T09:00:00Z is one"))?;
        Ok(WorkChange::Snooze { until, why: read::<ShortText>("why", &self.why)? })
    }
}

/// What a snooze is ended with: nothing.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyBody {}

/// A view is to be saved.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewBody {
    /// What it is called: at most 100 bytes.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// The query of a list, as it stands in its address: at most 2,000 bytes.
    #[schema(min_length = 1, max_length = 2000)]
    pub query: String,
    /// Whether everybody of the tenant sees it.
    #[serde(default)]
    pub shared: bool,
}

/// A saved view is to be another.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedViewBody {
    /// What it is called: at most 100 bytes.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// The query of a list, as it stands in its address: at most 2,000 bytes.
    #[schema(min_length = 1, max_length = 2000)]
    pub query: String,
    /// Whether everybody of the tenant sees it.
    #[serde(default)]
    pub shared: bool,
    /// The revision that you saw.
    #[schema(minimum = 1, format = "uint64")]
    pub revision: u64,
}

/// A saved view is to be no more.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovedViewBody {
    /// The revision that you saw.
    #[schema(minimum = 1, format = "uint64")]
    pub revision: u64,
}

/// A name and a query, as they are kept.
pub(crate) fn named_query(name: &str, query: &str) -> Result<(Label, QueryText), Problem> {
    Ok((read("name", name)?, read("query", query)?))
}

/// A note, where there is one.
pub(crate) fn note(text: Option<&str>) -> Result<Option<Note>, Problem> {
    text.map(|text| read("note", text)).transpose()
}

/// A member that is read into what it means.
pub(crate) fn read<T>(member: &'static str, text: &str) -> Result<T, Problem>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|error: T::Err| Problem::value(member, error))
}
