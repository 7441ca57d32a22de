//! Saved views: what somebody looks at again and again, under a name.

use serde::{Deserialize, Serialize};

use crate::{
    Label, Person, Written,
    ids::{guid, text_id},
};

/// Most views of a tenant.
pub const MOST_VIEWS: usize = 200;

text_id! {
    /// A saved view: a random GUID.
    ViewId, |text| guid("view id", text)
}

/// The query of a list, as it stands in its address.
pub type QueryText = Written<2_000>;

/// A saved view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Its id.
    pub id: ViewId,
    /// What it is called.
    pub name: Label,
    /// What it shows. Read as any query from outside when it is used: it may stem from another release.
    pub query: QueryText,
    /// Who saved it.
    pub owner: Person,
    /// Whether everybody of the tenant sees it.
    pub is_shared: bool,
    /// Its version: grows by one with each write.
    pub revision: u64,
}

impl View {
    /// Whether a person sees it.
    #[must_use]
    pub fn is_for(&self, person: &Person) -> bool {
        self.is_shared || self.owner.is(person)
    }
}
