//! Audit records of Partner Center: who did what to which customer, fetched one at a time when somebody asks.
//!
//! A callback names a record by an address. The address comes from outside, so nothing of it is used but the id at its end: where
//! the record is fetched from is rebuilt from that and the tenant's cloud, and the token goes to no host that a callback names.

use std::{fmt, str::FromStr, sync::Arc};

use models::{Tenant, TenantId};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Credentials, Limits, MicrosoftError, Tokens, partner_center::PartnerCenter};

const CALL: &str = "reading an audit record";
/// Where records lie, and where an address of one may say that they do: events' tables have the first, a sample the second.
const PATHS: [&[&str]; 2] = [&["auditactivity", "v1", "auditrecords"], &["v1", "auditrecords"]];
/// The longest name of an operation: several times those that are known.
const OPERATION_BYTES: usize = 128;
/// The most digits of .NET's ticks: those of a 64-bit number.
const TICKS_DIGITS: usize = 19;

/// A text that names no audit record. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it should be the id of an audit record ({{partner tenant}}_{{customer tenant}}_{{operation}}_{{ticks}}), or an address \
     that ends in /auditrecords/ and such an id"
)]
pub struct AuditIdError;

/// The id of an audit record: partner tenant and customer tenant (GUIDs), operation (letters) and .NET ticks (digits), with
/// underscores between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditId {
    partner: TenantId,
    text: String,
}

impl AuditId {
    /// The partner's tenant that the record is of.
    #[must_use]
    pub fn partner(&self) -> &TenantId {
        &self.partner
    }

    /// The id as text: letters, digits, hyphens and underscores.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn read(text: &str) -> Option<Self> {
        let [partner, customer, operation, ticks] = text.split('_').collect::<Vec<_>>()[..] else { return None };
        let partner = partner.parse().ok()?;
        customer.parse::<TenantId>().ok()?;
        let all = |text: &str, most: usize, of: fn(&u8) -> bool| {
            (1..=most).contains(&text.len()) && text.as_bytes().iter().all(of)
        };
        let well_formed =
            all(operation, OPERATION_BYTES, u8::is_ascii_alphabetic) && all(ticks, TICKS_DIGITS, u8::is_ascii_digit);
        well_formed.then(|| Self { partner, text: text.to_owned() })
    }

    /// The id at the end of an address, whatever host the address names and by whatever way.
    fn of_uri(text: &str) -> Option<Self> {
        let uri: reqwest::Url = text.parse().ok()?;
        let segments: Vec<_> = uri.path_segments()?.collect();
        let (id, folder) = segments.split_last()?;
        if PATHS.contains(&folder) { Self::read(id) } else { None }
    }
}

impl FromStr for AuditId {
    type Err = AuditIdError;

    /// Reads an id, or an `AuditUri` of a callback, of which nothing but the id is used.
    fn from_str(text: &str) -> Result<Self, AuditIdError> {
        let text = text.trim();
        Self::read(text).or_else(|| Self::of_uri(text)).ok_or(AuditIdError)
    }
}

impl fmt::Display for AuditId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// An audit record, as Partner Center has it. It holds names of persons, and what they changed: not for logs. Prints only its id.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditRecord(Map<String, Value>);

impl AuditRecord {
    /// A member that is a text, by Microsoft's name for it.
    #[must_use]
    pub fn text(&self, member: &str) -> Option<&str> {
        self.0.get(member)?.as_str()
    }

    /// What the operation says besides, as pairs of a name and a value; what is no such pair is left out.
    pub fn customized_data(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.get("customizedData").and_then(Value::as_array).into_iter().flatten();
        pairs.filter_map(|pair| Some((pair.get("key")?.as_str()?, pair.get("value")?.as_str()?)))
    }
}

impl fmt::Debug for AuditRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AuditRecord").field("id", &self.text("id")).finish_non_exhaustive()
    }
}

/// Why there is no audit record.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Microsoft's side failed.
    #[error(transparent)]
    Microsoft(#[from] MicrosoftError),
    /// The record is another tenant's: it is not asked for.
    #[error("the audit record is one of tenant {record}, not of {asked}: name the tenant that it is of")]
    OtherTenant {
        /// Whose record was asked for.
        asked: TenantId,
        /// Whose it is.
        record: TenantId,
    },
    /// The tenant has no such record, or not any more.
    #[error("the tenant has no such audit record, or not any more: Partner Center keeps one for 90 days")]
    Unknown(#[source] MicrosoftError),
}

/// Reads audit records.
#[derive(Debug)]
pub struct AuditRecords<C>(PartnerCenter<C>);

impl<C: Credentials + Send + Sync> AuditRecords<C> {
    /// A client with these tokens and bounds.
    #[must_use]
    pub fn new(http: Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Self {
        Self(PartnerCenter { http, tokens, limits })
    }

    /// One record of a tenant. Partner Center keeps it for 90 days.
    ///
    /// # Errors
    ///
    /// [`AuditError`].
    pub async fn read(&self, tenant: &Tenant, id: &AuditId) -> Result<AuditRecord, AuditError> {
        if *id.partner() != tenant.id {
            return Err(AuditError::OtherTenant { asked: tenant.id.clone(), record: id.partner().clone() });
        }
        let path = [PATHS[0], &[id.as_str()]].concat();
        self.0.ask(CALL, tenant, &path, Client::get).await.map_err(|error| match error {
            MicrosoftError::Refused { status: 404, .. } => AuditError::Unknown(error),
            error => error.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTNER: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
    const ID: &str =
        "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10_4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3_updatecustomer_639080287298312247";

    #[test]
    fn an_id_is_read_alone_or_from_the_end_of_either_documented_address() {
        for text in [
            ID.to_owned(),
            format!("https://api.partnercenter.microsoft.com/auditactivity/v1/auditrecords/{ID}"),
            format!("https://api.partnercenter.microsoft.com/v1/auditrecords/{ID}"),
            format!(" https://api.partnercenter.microsoft.com/v1/auditrecords/{ID} "),
        ] {
            let id: AuditId = text.parse().unwrap();
            assert_eq!((id.as_str(), id.partner().as_str()), (ID, PARTNER), "{text}");
        }
    }

    #[test]
    fn of_an_address_nothing_is_used_but_the_id() {
        for text in [
            format!("http://api.partnercenter.microsoft.com/v1/auditrecords/{ID}"),
            format!("https://attacker.example/v1/auditrecords/{ID}"),
            format!("https://api.partnercenter.microsoft.com@attacker.example:8443/v1/auditrecords/{ID}"),
            format!("https://attacker.example/a/../v1/auditrecords/{ID}?$select=x#y"),
        ] {
            assert_eq!(text.parse::<AuditId>().unwrap(), ID.parse().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_no_id_is_none_and_is_not_repeated() {
        let customer = "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3";
        for text in [
            String::new(),
            "canary".to_owned(),
            format!("{PARTNER}_{customer}_update"),
            format!("{PARTNER}_{customer}_update_1_2"),
            format!("{PARTNER}_{customer}_up%2e%2e_1"),
            format!("{PARTNER}_{customer}_../.._1"),
            format!("{PARTNER}_{customer}__1"),
            format!("{PARTNER}_{customer}_update_"),
            format!("{PARTNER}_{customer}_update_-1"),
            format!("{PARTNER}_{customer}_update_{}", "1".repeat(TICKS_DIGITS + 1)),
            format!("{PARTNER}_{customer}_{}_1", "a".repeat(OPERATION_BYTES + 1)),
            format!("{PARTNER}_canary_update_1"),
            format!("canary_{customer}_update_1"),
            format!("/v1/auditrecords/{ID}"),
            format!("//api.partnercenter.microsoft.com/v1/auditrecords/{ID}"),
            format!("https://api.partnercenter.microsoft.com/{ID}"),
            format!("https://api.partnercenter.microsoft.com/v1/auditrecords/{ID}/"),
            format!("https://api.partnercenter.microsoft.com/v1/auditrecords/{ID}/.."),
            format!("https://api.partnercenter.microsoft.com/v1/auditrecords/../{ID}"),
            format!("https://api.partnercenter.microsoft.com/v2/auditrecords/{ID}"),
            format!("https://api.partnercenter.microsoft.com/x/v1/auditrecords/{ID}"),
            format!("https://api.partnercenter.microsoft.com/v1/auditrecords%2F{ID}"),
            format!("mailto:v1/auditrecords/{ID}"),
        ] {
            let error = text.parse::<AuditId>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{text}");
        }
    }

    #[test]
    fn the_published_shape_is_read_and_does_not_print() {
        let sample = include_str!("../tests/data/audit-record.json");
        let record: AuditRecord = serde_json::from_str(sample).unwrap();
        assert_eq!(record.text("operationType"), Some("azure_fraud_event_detected"));
        assert_eq!(record.text("attributes"), None, "an object");
        let data: Vec<_> = record.customized_data().collect();
        assert_eq!(data, [("SubscriptionId", "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381")]);
        let id: AuditId = record.text("id").unwrap().parse().unwrap();
        assert_eq!(format!("{record:?}"), format!("AuditRecord {{ id: Some(\"{id}\"), .. }}"));
        let again = serde_json::to_value(&record).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(sample).unwrap(), "nothing is lost");
    }
}
