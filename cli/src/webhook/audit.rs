//! An audit record, as it is shown.

use std::io::Write;

use models::Tenant;
use partner_center::{AuditId, AuditRecord, Purpose};

use super::WebhookError;
use crate::{
    account::Account,
    output::{Output, printable},
};

pub(super) async fn run(
    id: &AuditId,
    tenant: &Tenant,
    account: &Account,
    output: &mut Output<impl Write>,
) -> Result<(), WebhookError> {
    let record = account.microsoft_for(Purpose::Read)?.audit_records().read(tenant, id).await?;
    Ok(output.say(&record, text_of)?)
}

/// The main members, one a line; what Microsoft left out is left out.
fn text_of(record: &AuditRecord) -> String {
    let lines = [
        ("record", record.text("id"), None),
        ("when", record.text("operationDate"), None),
        ("what", record.text("operationType"), record.text("operationStatus")),
        ("of", record.text("resourceType"), None),
        ("who", record.text("userPrincipalName"), record.text("applicationId")),
        ("customer", record.text("customerName"), record.text("customerId")),
    ];
    let line = |(name, value, beside): (&str, Option<&str>, Option<&str>)| {
        let words = match (value, beside) {
            (Some(value), Some(beside)) => format!("{value} ({beside})"),
            (value, beside) => value.or(beside)?.to_owned(),
        };
        Some(format!("{name:<10}{}", printable(&words)))
    };
    let data =
        record.customized_data().map(|(key, value)| format!("{:<10}{}", "with", printable(&format!("{key} {value}"))));
    lines.into_iter().filter_map(line).chain(data).collect::<Vec<_>>().join("\n")
}
