//! What answers look like. Members may be added; none changes its meaning or goes within `/api/v1`.

pub(crate) mod activity;
pub(crate) mod alert;
pub(crate) mod figures;
pub(crate) mod operation;
pub(crate) mod rest;

use jiff::Timestamp;
use models::{Actor, CustomerId, NameId, Person, SubscriptionId, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::routes::names::Names;

/// A moment, as RFC 3339 has it, in UTC.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub(crate) struct Moment(pub(crate) Timestamp);

/// Something that has an id, and a name where one is known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Named {
    /// Its id.
    pub(crate) id: String,
    /// Its name. Data from outside: escape it on display.
    pub(crate) name: Option<String>,
}

impl Named {
    pub(crate) fn customer(id: &CustomerId, tenant: &TenantId, names: &Names) -> Self {
        Self { id: id.to_string(), name: names.of(tenant, NameId::customer(id)) }
    }

    pub(crate) fn subscription(id: &SubscriptionId, tenant: &TenantId, names: &Names) -> Self {
        Self { id: id.to_string(), name: names.of(tenant, NameId::subscription(id)) }
    }
}

/// A person of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonShown {
    /// The tenant that they signed in to.
    pub(crate) tenant: String,
    /// Their object id there.
    pub(crate) id: String,
    /// What they were called when they did so.
    pub(crate) name: String,
}

impl From<&Person> for PersonShown {
    fn from(person: &Person) -> Self {
        Self { tenant: person.tenant.to_string(), id: person.id.to_string(), name: person.name.clone() }
    }
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ActorShown {
    /// A program that signed in as itself.
    Application {
        /// The tenant that it signed in to.
        tenant: String,
        /// Its object id there.
        id: String,
    },
    /// A person.
    Person(PersonShown),
    /// Partner Alerts itself.
    System,
    /// A kind that only a newer release knows.
    Unknown,
}

impl From<&Actor> for ActorShown {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::Application { tenant, id } => Self::Application { tenant: tenant.to_string(), id: id.to_string() },
            Actor::Person(person) => Self::Person(person.into()),
            Actor::System => Self::System,
            Actor::Unknown => Self::Unknown,
        }
    }
}
