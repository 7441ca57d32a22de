//! Whether a secret is good enough to be written, or a tenant to be added.
//!
//! The sign-ins have to work, and nothing may get worse. What is missing beside, as a registration that is still to be made, is said
//! and stands in nobody's way.

use models::Tenant;
use partner_center::Purpose;

use super::TenantsError;
use crate::{
    account::Account,
    doctor::{Finding, State, tenant},
};

/// What the read secret is good for at a source of alerts that the tenant is to have, if its alerts can be listed there, or `anyway`. There
/// nothing has worked before that this could be measured by.
pub(super) async fn of_source(account: &Account, tenant: &Tenant, anyway: bool) -> Result<Vec<Finding>, TenantsError> {
    let found = tenant::kept(account, tenant, Purpose::Read).await;
    listed(judged(found, &[], &[Purpose::Read], anyway)?, tenant, anyway)
}

/// What was found of a read secret, if the tenant's alerts can be listed with it, or `anyway`.
pub(super) fn listed(found: Vec<Finding>, tenant: &Tenant, anyway: bool) -> Result<Vec<Finding>, TenantsError> {
    if anyway || tenant::lists_alerts(&found) {
        return Ok(found);
    }
    let why = format!("alerts can't be listed by {}", tenant.alert_source.as_str());
    Err(TenantsError::NotProven { why, checks: found })
}

/// What was found, if it is good enough, or `anyway`.
pub(super) fn judged(
    after: Vec<Finding>,
    before: &[Finding],
    purposes: &[Purpose],
    anyway: bool,
) -> Result<Vec<Finding>, TenantsError> {
    let why = if anyway { None } else { what_is_wrong(&after, before, purposes) };
    match why {
        Some(why) => Err(TenantsError::NotProven { why, checks: after }),
        None => Ok(after),
    }
}

fn what_is_wrong(after: &[Finding], before: &[Finding], purposes: &[Purpose]) -> Option<String> {
    if tenant::may_pass(after) {
        return Some("Microsoft could not be asked about everything just now, so try again".to_owned());
    }
    if !purposes.iter().all(|purpose| tenant::signs_in(after, *purpose)) {
        return Some("the sign-in does not work".to_owned());
    }
    let worked = |subject: &str| {
        let mut before = before.iter().filter(|finding| finding.subject == subject);
        before.any(|finding| finding.state != State::Problem)
    };
    let worse = after.iter().find(|finding| finding.state == State::Problem && worked(&finding.subject))?;
    Some(format!("with what is kept there was no problem ({}), and with this there would be", worse.subject))
}
