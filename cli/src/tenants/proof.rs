//! Whether a secret is good enough to be written, or a tenant to be added.
//!
//! The sign-ins have to work, and nothing may get worse. What is missing beside, as a registration that is still to be made, is said
//! and stands in nobody's way.

use partner_center::Purpose;

use super::TenantsError;
use crate::doctor::{Finding, State, tenant};

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
