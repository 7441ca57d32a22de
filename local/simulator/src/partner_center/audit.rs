//! Audit records: who did what to which customer, one at a time and by its id.

use std::fmt;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::{App, Shared, lock, new_id};
use crate::book::AlertError;
use crate::partner_center::caller::{answer, plain_error};
use crate::reply::Reply;
use crate::targets::Target;

/// An audit record, members named and ordered as Microsoft's sample has them.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Microsoft's, who document them")]
pub struct AuditRecord {
    pub partner_id: String,
    pub customer_id: String,
    pub customer_name: String,
    pub user_principal_name: String,
    pub application_id: String,
    pub resource_type: String,
    /// JSON inside a string.
    pub resource_new_value: String,
    pub operation_type: String,
    pub operation_date: String,
    pub operation_status: String,
    pub customized_data: Vec<CustomizedData>,
    pub id: String,
    attributes: Attributes,
    #[serde(skip)]
    made: Timestamp,
}

impl fmt::Debug for AuditRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the rest, which has persons in it.
        formatter.debug_struct("AuditRecord").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A value with its name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are Microsoft's, who document them")]
pub struct CustomizedData {
    pub key: String,
    pub value: String,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    object_type: &'static str,
}

/// What an audit record is to be like; what is left out is made up.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(
    missing_docs,
    reason = "apart from the tenant, whose default is the first one, these are members of the record"
)]
pub struct NewAuditRecord {
    pub tenant: Option<String>,
    pub customer_id: Option<String>,
    pub customer_name: Option<String>,
    pub user_principal_name: Option<String>,
    pub resource_type: Option<String>,
    /// Words with underscores, which its id has without them.
    pub operation_type: Option<String>,
    pub customized_data: Vec<CustomizedData>,
}

impl AuditRecord {
    fn make(new: NewAuditRecord, tenant: &str, now: Timestamp) -> Self {
        let customer_id = new.customer_id.unwrap_or_else(new_id);
        let operation_type = new.operation_type.unwrap_or_else(|| "azure_fraud_event_detected".to_owned());
        let operation = operation_type.replace('_', "");
        Self {
            id: format!("{tenant}_{customer_id}_{operation}_{}", ticks(now)),
            partner_id: tenant.to_owned(),
            customer_id,
            customer_name: new.customer_name.unwrap_or_else(|| "Contoso Ltd".to_owned()),
            user_principal_name: new.user_principal_name.unwrap_or_else(|| "adele@fabrikam.example".to_owned()),
            application_id: "Partner Center Native App".to_owned(),
            resource_type: new.resource_type.unwrap_or_else(|| "subscription".to_owned()),
            resource_new_value: json!({ "made": "up" }).to_string(),
            operation_type,
            operation_date: now.strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string(),
            operation_status: "succeeded".to_owned(),
            customized_data: new.customized_data,
            attributes: Attributes { object_type: "AuditRecord" },
            made: now,
        }
    }
}

/// .NET's ticks: tenths of a microsecond since the year 1.
fn ticks(now: Timestamp) -> i128 {
    now.as_nanosecond() / 100 + TICKS_BEFORE_1970
}

/// Records are kept for 90 days, and another tenant's were never there.
pub(crate) async fn read(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    answer(&app, Target::AuditRecord, &headers, |grant| {
        let records = lock(&app.audit_records);
        let asked = |record: &&AuditRecord| {
            let kept = app.now().duration_since(record.made) <= KEPT;
            record.id.eq_ignore_ascii_case(&id) && record.partner_id == grant.tenant && kept
        };
        match records.iter().find(asked) {
            Some(record) => Reply::json(StatusCode::OK, record),
            None => plain_error(StatusCode::NOT_FOUND, "There is no such audit record."),
        }
    })
    .await
}

impl Shared {
    pub(crate) fn write_audit_record(&self, new: NewAuditRecord) -> Result<AuditRecord, AlertError> {
        let tenant = self.tenant(new.tenant.as_deref())?.id.clone();
        let record = AuditRecord::make(new, &tenant, self.now());
        lock(&self.audit_records).push(record.clone());
        Ok(record)
    }
}

const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
const TICKS_BEFORE_1970: i128 = 621_355_968_000_000_000;
