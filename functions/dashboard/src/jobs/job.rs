//! An export: what it is of, whose it is, and how far it has come.

use exports::{Format, Place, What};
use identity::{Caller, Permission};
use jiff::Timestamp;
use models::{ExportId, ObjectId, RequestHash, TenantId};
use serde::{Deserialize, Serialize};

/// An export, as it is kept. What is added later has to have a default: an export outlives the release that began it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: ExportId,
    /// Whose it is.
    pub owner: Owner,
    /// What was asked for, so that the same key with something else is told apart.
    pub request: RequestHash,
    /// The tenants whose alerts it holds.
    pub tenants: Vec<TenantId>,
    /// Which alerts.
    pub what: What,
    /// How it is written.
    pub format: Format,
    /// When it was asked for. Whether an alert is set aside goes by this moment.
    pub began: Timestamp,
    /// When the last of this was written.
    pub changed: Timestamp,
    /// How many turns it has had.
    #[serde(default)]
    pub turns: u32,
    /// How many of them came to nothing.
    #[serde(default)]
    pub troubles: u32,
    /// Whose turn it is.
    #[serde(default)]
    pub claim: Option<Claim>,
    /// The multipart upload.
    #[serde(default)]
    pub upload: Option<String>,
    /// The entity tags of the parts that were sent.
    #[serde(default)]
    pub parts: Vec<String>,
    /// The turn that left text which was not enough for a part.
    #[serde(default)]
    pub rest: Option<u32>,
    /// How far it has come.
    pub place: Place,
    /// How many tenants were left out since they are there no more.
    #[serde(default)]
    pub removed: usize,
    /// How it stands.
    pub state: State,
}

/// A person, or an application, in a tenant of Entra ID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The tenant that they sign in to.
    pub tenant: TenantId,
    /// Their object id.
    pub id: ObjectId,
}

impl From<&Caller> for Owner {
    fn from(caller: &Caller) -> Self {
        Self { tenant: caller.tid().clone(), id: caller.oid().clone() }
    }
}

/// A turn that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The invocation.
    pub by: String,
    /// When Lambda ends it, whatever becomes of it.
    pub until: Timestamp,
}

/// How an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is being written.
    Running,
    /// Its file is there.
    Done,
    /// It is given up.
    Failed(Failure),
}

/// Why an export is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// It takes more turns than it may have.
    TooMuch,
    /// Turn after turn came to nothing.
    Trouble,
}

impl Job {
    /// Whether somebody may know of it: the one who asked for it, while they still may see all that is in it.
    pub(super) fn is_for(&self, caller: &Caller) -> bool {
        let access = caller.access();
        self.owner == Owner::from(caller) && self.tenants.iter().all(|tenant| access.may(Permission::See, tenant))
    }

    pub(super) fn is_over(&self) -> bool {
        self.state != State::Running
    }

    pub(super) fn is_claimed(&self, now: Timestamp) -> bool {
        self.claim.as_ref().is_some_and(|claim| now < claim.until)
    }
}
