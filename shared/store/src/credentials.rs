//! What is known of a tenant's credentials, and which run looks at one.
//!
//! One run at a time looks at a credential, and only that run notes what it found. The lease runs out by itself, so that a run that
//! died locks nobody out; whoever was paused past it notes nothing. That a secret isn't overwritten is not left to
//! it: Secrets Manager itself is asked for that.

use std::{collections::BTreeMap, future::Future};

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use jiff::{SignedDuration, Timestamp};
use models::{CredentialDates, Purpose, TenantId};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Store, StoreError, TableRole, items::Item, lease::number, time::sortable};

const TABLE: TableRole = TableRole::Tenants;
/// How sort keys begin; `read` or `act` follows.
const PREFIX: &str = "credential#";
/// As for the lease of a tenant: how far two clocks may differ.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// What is known of a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct CredentialState {
    /// When a run last looked at it.
    pub checked: Option<Timestamp>,
    /// What came of that: `ok`, or a word for what is wrong.
    pub outcome: Option<String>,
    /// When the refresh token that is kept was obtained, where there is one.
    pub refresh_token_obtained: Option<Timestamp>,
    /// When the client secret or the certificate expires, where that is known.
    pub proof_expires: Option<Timestamp>,
}

/// What people were told of a credential last, so that they are not told again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Told {
    /// The last outcome.
    #[serde(rename = "told_outcome")]
    pub outcome: Option<String>,
    /// Of which end of a client secret or a certificate.
    #[serde(rename = "told_end")]
    pub end: Option<Timestamp>,
    /// That this end was so many days away, or fewer.
    #[serde(rename = "told_end_days")]
    pub end_days: Option<u16>,
    /// Of a refresh token that has grown too old: when it was obtained.
    #[serde(rename = "told_old_token")]
    pub old_token: Option<Timestamp>,
}

impl Told {
    /// These, and where they say nothing, those.
    #[must_use]
    pub fn or(self, before: Self) -> Self {
        Self {
            outcome: self.outcome.or(before.outcome),
            end: self.end.or(before.end),
            end_days: self.end_days.or(before.end_days),
            old_token: self.old_token.or(before.old_token),
        }
    }

    fn attributes(&self) -> Vec<(&'static str, AttributeValue)> {
        let moment = |moment: Timestamp| AttributeValue::S(sortable(moment));
        let outcome = self.outcome.clone().map(|outcome| ("told_outcome", AttributeValue::S(outcome)));
        let end = self.end.map(|end| ("told_end", moment(end)));
        let end_days = self.end_days.map(|days| ("told_end_days", number(days)));
        let old_token = self.old_token.map(|obtained| ("told_old_token", moment(obtained)));
        [outcome, end, end_days, old_token].into_iter().flatten().collect()
    }
}

/// The right to look at a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    tenant: TenantId,
    purpose: Purpose,
    run: String,
    /// What was known before.
    pub known: CredentialState,
    /// What people were told before; what they were told meanwhile is for whoever looks to put here.
    pub told: Told,
}

/// What came of asking for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looking {
    /// It is ours.
    Granted(Look),
    /// Another run is at it; this is what was known before.
    Held(CredentialState),
}

/// Looks after the credentials of tenants.
pub trait WatchCredentials {
    /// Asks for the right to look at a credential for this long. `run` names who asks, and is never used again by another: where
    /// an answer is lost, the same run is granted what it has.
    fn begin_look(
        &self,
        tenant: &TenantId,
        purpose: Purpose,
        run: &str,
        term: SignedDuration,
        now: Timestamp,
    ) -> impl Future<Output = Result<Looking, StoreError>> + Send;

    /// Notes what was found and what people were told, and gives the right back. Without dates, those of before stay. None where the right has passed
    /// on: then nothing is noted.
    fn end_look(
        &self,
        look: &Look,
        outcome: &str,
        dates: Option<CredentialDates>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<CredentialState>, StoreError>> + Send;
}

/// Reads what is known of credentials: for operators' tools.
pub trait ReadCredentials {
    /// What is known of the credentials of a tenant that a run has looked at.
    fn credentials(
        &self,
        tenant: &TenantId,
    ) -> impl Future<Output = Result<BTreeMap<Purpose, CredentialState>, StoreError>> + Send;
}

/// Forgets what is known of credentials that are no longer what they were: for operators' tools.
pub trait ForgetCredentials {
    /// Forgets what was found of a credential, and when. What people were told of it stays, so that they are told when it works again.
    fn forget_credential(
        &self,
        tenant: &TenantId,
        purpose: Purpose,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl ForgetCredentials for Store {
    async fn forget_credential(&self, tenant: &TenantId, purpose: Purpose) -> Result<(), StoreError> {
        let request = self
            .credential(tenant, purpose)
            .update_expression("REMOVE checked, outcome, refresh_token_obtained, proof_expires")
            // What nobody has looked at is not made.
            .condition_expression("attribute_exists(pk)");
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(StoreError::failed("UpdateItem (credential)", TABLE, error)),
            },
        }
    }
}

impl WatchCredentials for Store {
    async fn begin_look(
        &self,
        tenant: &TenantId,
        purpose: Purpose,
        run: &str,
        term: SignedDuration,
        now: Timestamp,
    ) -> Result<Looking, StoreError> {
        let until = now.as_millisecond().saturating_add(i64::try_from(term.as_millis()).unwrap_or(i64::MAX));
        let request = self
            .credential(tenant, purpose)
            .update_expression("SET held_by = :run, held_until = :until")
            // A lease that lies further ahead than any clock of ours writes stems from one that was set back.
            .condition_expression(
                "attribute_not_exists(held_until) OR held_until <= :now OR held_until > :ahead OR held_by = :run",
            )
            .expression_attribute_values(":run", AttributeValue::S(run.to_owned()))
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":ahead", number(until.saturating_add(CLOCK_TOLERANCE.as_secs() * 1_000)))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(output) => {
                let item = output.attributes.unwrap_or_default();
                let (known, told) = (read(tenant, item.clone())?, read(tenant, item)?);
                Ok(Looking::Granted(Look { tenant: tenant.clone(), purpose, run: run.to_owned(), known, told }))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Looking::Held(read(tenant, refused.item().cloned().unwrap_or_default())?))
                }
                _ => Err(StoreError::failed("UpdateItem (credential)", TABLE, error)),
            },
        }
    }

    async fn end_look(
        &self,
        look: &Look,
        outcome: &str,
        dates: Option<CredentialDates>,
        now: Timestamp,
    ) -> Result<Option<CredentialState>, StoreError> {
        // The name of the run stays, so that the same request, sent again, is granted again.
        let mut set = ["held_until = :zero", "checked = :now", "outcome = :outcome"].map(str::to_owned).to_vec();
        let mut remove = Vec::new();
        let mut request = self
            .credential(&look.tenant, look.purpose)
            .condition_expression("held_by = :run")
            .expression_attribute_values(":run", AttributeValue::S(look.run.clone()))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":now", AttributeValue::S(sortable(now)))
            .expression_attribute_values(":outcome", AttributeValue::S(outcome.to_owned()))
            .return_values(ReturnValue::AllNew);
        if let Some(CredentialDates { refresh_token_obtained, proof_expires }) = dates {
            for (name, moment) in [("refresh_token_obtained", refresh_token_obtained), ("proof_expires", proof_expires)]
            {
                if let Some(moment) = moment {
                    set.push(format!("{name} = :{name}"));
                    let value = AttributeValue::S(sortable(moment));
                    request = request.expression_attribute_values(format!(":{name}"), value);
                } else {
                    remove.push(name);
                }
            }
        }
        for (name, value) in look.told.attributes() {
            set.push(format!("{name} = :{name}"));
            request = request.expression_attribute_values(format!(":{name}"), value);
        }
        let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        let changes = format!("SET {}{remove}", set.join(", "));
        match request.update_expression(changes).send().await {
            Ok(output) => read(&look.tenant, output.attributes.unwrap_or_default()).map(Some),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(StoreError::failed("UpdateItem (credential)", TABLE, error)),
            },
        }
    }
}

impl ReadCredentials for Store {
    async fn credentials(&self, tenant: &TenantId) -> Result<BTreeMap<Purpose, CredentialState>, StoreError> {
        let found = self
            .client
            .query()
            .table_name(&self.tables.tenants)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", AttributeValue::S(tenant.to_string()))
            .expression_attribute_values(":sk", AttributeValue::S(PREFIX.to_owned()))
            .send()
            .await
            .map_err(|error| StoreError::failed("Query (credentials)", TABLE, error))?;
        let mut known = BTreeMap::new();
        for item in found.items.unwrap_or_default() {
            let sort = item.get("sk").and_then(|key| key.as_s().ok()).map_or("", String::as_str);
            if let Some(purpose) = Purpose::ALL.into_iter().find(|purpose| sort_key(*purpose) == sort) {
                known.insert(purpose, read(tenant, item)?);
            }
        }
        Ok(known)
    }
}

type Update = aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;

impl Store {
    fn credential(&self, tenant: &TenantId, purpose: Purpose) -> Update {
        self.client
            .update_item()
            .table_name(&self.tables.tenants)
            .key("pk", AttributeValue::S(tenant.to_string()))
            .key("sk", AttributeValue::S(sort_key(purpose)))
    }
}

fn sort_key(purpose: Purpose) -> String {
    format!("{PREFIX}{purpose}")
}

fn read<T: DeserializeOwned>(tenant: &TenantId, item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::bad_item(TABLE, tenant.as_str(), error))
}
