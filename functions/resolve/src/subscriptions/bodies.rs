//! What comes in about subscriptions. A token is read, and written nowhere.

use api::Problem;
use models::{SubscriptionId, TenantId};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use subscriptions::MOST_AT_ONCE;
use utoipa::ToSchema;

use crate::bodies::read;

/// The longest name that can be typed, in characters: far more than any that Partner Center shows. The document says so, too, in figures.
const MOST_NAME_CHARACTERS: usize = 1_000;

/// A subscription is to be cancelled, or to be active again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelBody {
    /// The subscription's name as it was shown, typed to confirm it; its id, where it has no name that somebody can type.
    #[schema(min_length = 1, max_length = 1000)]
    pub name: String,
    /// What is to be kept about it: at most 1,200 bytes.
    #[schema(min_length = 1, max_length = 1200)]
    pub note: Option<String>,
    /// Your own access token for Partner Center, of a sign-in to the partner tenant. One that says that there was no second factor is not taken. It is used at
    /// once and kept nowhere. Left out, the answer says where to sign in.
    #[serde(default, deserialize_with = "token")]
    #[schema(value_type = Option<String>, format = "password", max_length = 16384)]
    pub token: Option<SecretString>,
}

/// Subscriptions are to be cancelled, of any number of tenants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkCancelBody {
    /// Which: up to ten, none twice.
    #[schema(min_items = 1, max_items = 10)]
    pub subscriptions: Vec<BulkCancelItem>,
    /// What is to be kept about each: at most 1,200 bytes.
    #[schema(min_length = 1, max_length = 1200)]
    pub note: Option<String>,
}

/// A subscription among others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkCancelItem {
    /// Its tenant.
    #[schema(format = "uuid")]
    pub tenant: String,
    /// Its id.
    #[schema(min_length = 1, max_length = 128)]
    pub subscription: String,
    /// Its name as it was shown, typed to confirm it.
    #[schema(min_length = 1, max_length = 1000)]
    pub name: String,
}

/// The same as fields of a form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkCancelForm {
    /// Each with its tenant and its id: `tenant/subscription`.
    #[serde(default)]
    subscriptions: Vec<String>,
    /// The name of each, typed, in the same order.
    #[serde(default)]
    names: Vec<String>,
    note: Option<String>,
}

impl BulkCancelForm {
    pub(crate) fn into_body(self) -> Result<BulkCancelBody, Problem> {
        // A name that was left empty is not among them.
        if self.names.len() != self.subscriptions.len() {
            return Err(Problem::value("name", "type the name of each subscription"));
        }
        let item = |(subscription, name): (String, String)| {
            let (tenant, subscription) = subscription.split_once('/')?;
            Some(BulkCancelItem { tenant: tenant.to_owned(), subscription: subscription.to_owned(), name })
        };
        let subscriptions = self.subscriptions.into_iter().zip(self.names).map(item).collect::<Option<Vec<_>>>();
        let subscriptions =
            subscriptions.ok_or_else(|| Problem::value("subscriptions", "each is a tenant and an id"))?;
        Ok(BulkCancelBody { subscriptions, note: self.note })
    }
}

impl BulkCancelBody {
    /// The subscriptions, with what was typed for each.
    pub(crate) fn wanted(&self) -> Result<Vec<(TenantId, SubscriptionId, &str)>, Problem> {
        if self.subscriptions.is_empty() || self.subscriptions.len() > MOST_AT_ONCE {
            let words = format!("one request takes 1 to {MOST_AT_ONCE} of them");
            return Err(Problem::value("subscriptions", words));
        }
        let mut all: Vec<(TenantId, SubscriptionId, &str)> = Vec::new();
        for item in &self.subscriptions {
            let (tenant, subscription): (_, SubscriptionId) =
                (read("tenant", &item.tenant)?, read("subscription", &item.subscription)?);
            let same = |other: &SubscriptionId| other.as_str().eq_ignore_ascii_case(subscription.as_str());
            if all.iter().any(|(_, other, _)| same(other)) {
                return Err(Problem::value("subscriptions", "one of them comes twice"));
            }
            if !(1..=MOST_NAME_CHARACTERS).contains(&item.name.chars().count()) {
                return Err(Problem::value("name", format!("it has 1 to {MOST_NAME_CHARACTERS} characters")));
            }
            all.push((tenant, subscription, &item.name));
        }
        Ok(all)
    }
}

fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}
