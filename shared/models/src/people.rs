//! Who acts on alerts, and what they are told apart by.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ObjectId, TenantId};

/// Most bytes of a person's name that are kept. A user principal name of Entra ID has at most 113 characters, all of them ASCII.
const NAME_BYTES: usize = 128;

/// A person who signed in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The tenant that they signed in to (`tid` of their token).
    pub tenant: TenantId,
    /// Which of its people they are (`oid`): names change, this does not.
    pub id: ObjectId,
    /// Their user principal name: personal data, which is never logged or published.
    pub name: String,
}

impl Person {
    /// A person of this name, as far as there is room for it: 128 bytes, without control characters.
    #[must_use]
    pub fn new(tenant: TenantId, id: ObjectId, name: &str) -> Self {
        let mut name: String = name.chars().filter(|mark| !mark.is_control()).collect();
        name.truncate(name.floor_char_boundary(NAME_BYTES));
        Self { tenant, id, name }
    }

    /// Whether both are the same person, whatever they are called by now.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (&self.tenant, &self.id) == (&other.tenant, &other.id)
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Person({} of {})", self.id, self.tenant)
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A program that signed in as itself.
    Application {
        /// The tenant that it signed in to.
        tenant: TenantId,
        /// Its object in that tenant.
        id: ObjectId,
    },
    /// A person.
    Person(Person),
    /// Partner Alerts itself, which carries on what somebody asked for.
    System,
    /// A kind that only a newer release knows.
    #[serde(other)]
    Unknown,
}

impl Actor {
    /// What an actor is told apart by: an id and no name.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Application { tenant, id } => format!("application#{tenant}#{id}"),
            Self::Person(Person { tenant, id, .. }) => format!("person#{tenant}#{id}"),
            Self::System => "system".to_owned(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}
