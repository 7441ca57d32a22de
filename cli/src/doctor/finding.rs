//! What a check has found.

use models::TenantId;
use serde::Serialize;

/// How it stands with what was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It could not be seen: that is no fault of what was looked at.
    Unknown,
    /// It works, and may stop working, or something is left to be done.
    Warning,
    /// It does not work.
    Problem,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Unknown, Self::Warning, Self::Problem];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What was looked at, how it stands with it, and what to do. Holds names and ids, never tokens, secrets or personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The part of the system.
    pub area: &'static str,
    /// The tenant, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// What was looked at.
    pub subject: String,
    /// How it stands.
    pub state: State,
    /// What was seen.
    pub words: String,
    /// What to do about it, where something is to be done.
    pub advice: Option<String>,
}

/// Something that is looked at, before anything is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    area: &'static str,
    tenant: Option<TenantId>,
    name: String,
}

impl Subject {
    /// A part of the deployment.
    pub(crate) fn new(area: &'static str, name: impl Into<String>) -> Self {
        Self { area, tenant: None, name: name.into() }
    }

    /// Something of a tenant's.
    pub(crate) fn of_tenant(tenant: &TenantId, name: impl Into<String>) -> Self {
        Self { area: "tenant", tenant: Some(tenant.clone()), name: name.into() }
    }

    pub(crate) fn ok(&self, words: impl Into<String>) -> Finding {
        self.found(State::Ok, words.into(), None)
    }

    pub(crate) fn problem(&self, words: impl Into<String>, advice: impl Into<String>) -> Finding {
        self.found(State::Problem, words.into(), Some(advice.into()))
    }

    pub(crate) fn unknown(&self, words: impl Into<String>, advice: impl Into<String>) -> Finding {
        self.found(State::Unknown, words.into(), Some(advice.into()))
    }

    pub(crate) fn warning(&self, words: impl Into<String>, advice: impl Into<String>) -> Finding {
        self.found(State::Warning, words.into(), Some(advice.into()))
    }

    fn found(&self, state: State, words: String, advice: Option<String>) -> Finding {
        let Self { area, tenant, name } = self.clone();
        Finding { area, tenant, subject: name, state, words, advice }
    }
}

/// So many of these.
pub(super) fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
