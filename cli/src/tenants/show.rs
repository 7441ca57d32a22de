//! Tenants as they are shown: everything but the keys, of which there are only hashes.

use models::Tenant;
use serde::Serialize;

use crate::output::{printable, table};

/// A tenant as it is shown.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its id in Entra ID.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// The cloud that it lives in.
    pub cloud: &'static str,
    /// Where its alerts are read from.
    pub alert_source: models::AlertSource,
    /// Name or ARN of the secret that can read alerts.
    pub read_secret: String,
    /// Name or ARN of the secret that can resolve alerts.
    pub act_secret: Option<String>,
    /// How many path keys are valid.
    pub path_keys: usize,
    /// Whether it is looked after.
    pub active: bool,
    /// Its callback address, where a key was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
}

impl From<&Tenant> for Shown {
    fn from(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.display_name.clone(),
            cloud: tenant.cloud.as_str(),
            alert_source: tenant.alert_source,
            read_secret: tenant.read_secret.clone(),
            act_secret: tenant.act_secret.clone(),
            path_keys: tenant.path_key_hashes.len(),
            active: tenant.active,
            callback_url: None,
        }
    }
}

/// The tenants as a table.
pub(super) fn table_of(shown: &[Shown]) -> String {
    if shown.is_empty() {
        return "There is no tenant yet: `tenants add` adds one.".to_owned();
    }
    let row = |shown: &Shown| {
        let state = if shown.active { "active" } else { "inactive" };
        vec![shown.id.clone(), shown.name.clone(), shown.cloud.to_owned(), state.to_owned()]
    };
    table(&["id", "name", "cloud", "state"], shown.iter().map(row))
}

/// A tenant as lines of name and value.
pub(super) fn text_of(shown: &Shown) -> String {
    let none = || "none".to_owned();
    let mut rows = vec![
        ("id", shown.id.clone()),
        ("name", shown.name.clone()),
        ("cloud", shown.cloud.to_owned()),
        ("alert source", shown.alert_source.as_str().to_owned()),
        ("read secret", shown.read_secret.clone()),
        ("act secret", shown.act_secret.clone().unwrap_or_else(none)),
        ("path keys", shown.path_keys.to_string()),
        ("active", if shown.active { "yes" } else { "no" }.to_owned()),
    ];
    rows.extend(shown.callback_url.clone().map(|url| ("callback", url)));
    let lines: Vec<_> = rows.iter().map(|(name, value)| format!("{name:<12} {}", printable(value))).collect();
    lines.join("\n")
}
