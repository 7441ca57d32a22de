//! Whether a tenant is connected: its credentials and what `renew` has found of them, its webhook registration, its runs.
//!
//! Nothing is changed. What can't be seen because something before it failed is left out: the first failure is what has to be mended.

mod credentials;
mod failed;
mod looks;
mod registration;
mod runs;

use std::time::Duration;

use models::Tenant;
use partner_center::{Limits, Purpose};

use super::finding::{Finding, Subject};
use crate::account::{Account, AccountError, Microsoft};

/// How long one request to Microsoft may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A look is no run: it does not wait long for anything, since the next one is a command away.
fn limits() -> Limits {
    Limits { attempts: 2, longest_pause: Duration::from_secs(2), ..Limits::default() }
}

/// Looks at a tenant: what works, what does not, and what to do about it. An inactive one is named as such, and not looked at.
pub async fn check(account: &Account, tenant: &Tenant) -> Vec<Finding> {
    let subject = Subject::of_tenant(&tenant.id, "tenant");
    if !tenant.active {
        return vec![subject.ok(format!("{}: inactive, and not looked at", tenant.display_name))];
    }
    let mut findings = vec![subject.ok(format!("{}, in the cloud {}", tenant.display_name, tenant.cloud.as_str()))];
    let (connection, looks, runs) =
        tokio::join!(connection(account, tenant), looks::check(account, tenant), runs::check(account, tenant));
    for found in [connection, looks, runs] {
        findings.extend(found);
    }
    findings
}

/// Looks at what Microsoft has to say of a tenant, active or not: its credentials and its registration.
pub async fn connection(account: &Account, tenant: &Tenant) -> Vec<Finding> {
    let (read, act) = tokio::join!(with_read(account, tenant), with_act(account, tenant));
    read.into_iter().chain(act).collect()
}

async fn with_read(account: &Account, tenant: &Tenant) -> Vec<Finding> {
    let microsoft = match microsoft(account, tenant, Purpose::Read) {
        Ok(microsoft) => microsoft,
        Err(finding) => return vec![finding],
    };
    let known = match credentials::secret(&microsoft, tenant, Purpose::Read).await {
        Ok(known) => known,
        Err(finding) => return vec![finding],
    };
    let (alerts, registration) = tokio::join!(
        credentials::alerts(&microsoft, tenant, ["sign-in to Graph", "alerts"]),
        registration::check(&microsoft, account, tenant, known.is_for_a_person),
    );
    [vec![known.finding], alerts, registration].concat()
}

async fn with_act(account: &Account, tenant: &Tenant) -> Vec<Finding> {
    if tenant.act_secret.is_none() {
        return vec![];
    }
    let microsoft = match microsoft(account, tenant, Purpose::Act) {
        Ok(microsoft) => microsoft,
        Err(finding) => return vec![finding],
    };
    match credentials::secret(&microsoft, tenant, Purpose::Act).await {
        // To read alerts is the one thing with it that changes none.
        Ok(known) => {
            let alerts = credentials::alerts(&microsoft, tenant, ["act sign-in", "alerts, with the act secret"]).await;
            [vec![known.finding], alerts].concat()
        }
        Err(finding) => vec![finding],
    }
}

fn microsoft(account: &Account, tenant: &Tenant, purpose: Purpose) -> Result<Microsoft, Finding> {
    let found: Result<_, AccountError> = account.microsoft(purpose, limits(), TIMEOUT);
    found.map_err(|error| {
        let subject = Subject::of_tenant(&tenant.id, format!("{purpose} secret"));
        subject.problem(runtime::chain(&error), "mend the configuration that it names")
    })
}
