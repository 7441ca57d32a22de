//! Which tenants there are to look at.

use models::{Tenant, TenantId};
use store::StoreError;

use super::{
    finding::{Finding, Subject},
    refused::unseen_for,
};
use crate::account::Account;

/// The tenants, or the one of this id, and what is wrong with the list.
pub(super) async fn wanted(account: &Account, only: Option<&TenantId>) -> (Vec<Tenant>, Vec<Finding>) {
    let subject = Subject::new("tenants", "tenants");
    let store = match account.store() {
        Ok(store) => store,
        Err(error) => return (vec![], vec![subject.unknown("which there are is not known", error.to_string())]),
    };
    let found = match store.tenants_with_unreadable().await {
        Ok(found) => found,
        Err(StoreError::Failed { code, .. }) => return (vec![], vec![unseen_for(&subject, "dynamodb:Query", &code)]),
        Err(error) => return (vec![], vec![subject.problem(runtime::chain(&error), "look at the tenants table")]),
    };
    let is_wanted = |id: &str| only.is_none_or(|only| only.as_str() == id);
    let mut tenants: Vec<_> = found.readable.into_iter().filter(|tenant| is_wanted(tenant.id.as_str())).collect();
    tenants.sort_by(|one, other| one.display_name.cmp(&other.display_name));
    let unreadable = found.unreadable.into_iter().filter(|(id, _)| is_wanted(id));
    let mut findings: Vec<_> = unreadable
        .map(|(id, reason)| {
            let words = format!("the item of {id} can't be read, so it is left out: {reason}");
            subject.problem(words, "mend it, or `tenants add` it anew after deleting it")
        })
        .collect();
    if tenants.is_empty() && findings.is_empty() {
        findings.push(match only {
            Some(id) => subject.problem(format!("there is no tenant {id}"), "`tenants list` shows which there are"),
            None => subject.warning("there is none yet, so nothing is looked after", "`tenants add` adds one"),
        });
    }
    (tenants, findings)
}
