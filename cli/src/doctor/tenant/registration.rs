//! Partner Center: whether the tenant's events come here.

use models::{Purpose, Tenant};
use partner_center::{Audience, Credentials, Diagnosis};

use super::{credentials, failed};
use crate::{
    account::{Account, Microsoft},
    doctor::finding::{Finding, Subject},
    webhook::Shown,
};

/// What to do where the events go elsewhere.
const ADVICE: &str =
    "`webhook register` with the tenant's callback address; if its key is lost, `tenants set --new-path-key` first";

pub(super) async fn check(
    microsoft: &Microsoft<impl Credentials + Send + Sync>,
    account: &Account,
    tenant: &Tenant,
    is_for_a_person: bool,
) -> Vec<Finding> {
    let signed_in = match credentials::sign_in(microsoft, tenant, Purpose::Read, Audience::PartnerCenter).await {
        Ok(signed_in) => signed_in,
        Err(refused) => return vec![refused],
    };
    let mut findings = vec![signed_in, registered(microsoft, account, tenant).await];
    if is_for_a_person {
        findings.push(second_factor(microsoft, tenant).await);
    }
    findings
}

/// Calls for a person are refused without one; calls for the application alone never are.
async fn second_factor(microsoft: &Microsoft<impl Credentials + Send + Sync>, tenant: &Tenant) -> Finding {
    let subject = Subject::of_tenant(&tenant.id, "second factor");
    match microsoft.registrations().second_factor(tenant).await {
        Some(true) => subject.ok("the person behind the refresh token signed in with one"),
        Some(false) => {
            let words = "the person behind the refresh token signed in without one, as Partner Center sees it";
            subject.problem(words, Diagnosis::MfaMissing.what_to_do())
        }
        None => subject.unknown("Partner Center does not say", "nothing, as long as the calls above are not refused"),
    }
}

async fn registered(
    microsoft: &Microsoft<impl Credentials + Send + Sync>,
    account: &Account,
    tenant: &Tenant,
) -> Finding {
    let subject = Subject::of_tenant(&tenant.id, "webhook registration");
    let registration = match microsoft.registrations().registration(tenant).await {
        Ok(registration) => registration,
        Err(error) => return failed::microsoft(&subject, &error),
    };
    let base = match account.callback_base_url() {
        Ok(base) => base,
        Err(error) => return subject.unknown("where callbacks are taken is not known", error.to_string()),
    };
    let shown = Shown::new(registration.as_ref(), tenant, &base);
    match shown.problem() {
        // Alerts come by the schedule then, minutes later.
        Some(problem) => subject.problem(problem, ADVICE),
        None => subject.ok("the tenant's events come here, the fraud event among them"),
    }
}
