//! Whether a tenant is connected: its credentials and what `renew` has found of them, its webhook registration, its runs.
//!
//! Nothing is changed. What can't be seen because something before it failed is left out: the first failure is what has to be mended.

mod credentials;
mod failed;
mod looks;
mod registration;
mod runs;

use std::time::Duration;

use jiff::Timestamp;
use models::Tenant;
use partner_center::{Audience, KeptSecret, Limits, Purpose, SecretAtHand, StoredSecret};

use super::finding::{Finding, State, Subject};
use crate::{
    account::{Account, Microsoft},
    secret_names::Prefixes,
};

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
    findings.extend(undecidable(account, tenant));
    let (connection, looks, runs) =
        tokio::join!(connection(account, tenant), looks::check(account, tenant), runs::check(account, tenant));
    for found in [connection, looks, runs] {
        findings.extend(found);
    }
    findings
}

/// That people see the alerts of a tenant and can't decide on them, which they would learn by trying.
fn undecidable(account: &Account, tenant: &Tenant) -> Option<Finding> {
    (account.lets_people_in() && tenant.act_secret.is_none()).then(|| {
        let words = "there is none: its alerts can be seen here, and decided on in Partner Center alone";
        let advice =
            format!("`tenants set {} --secret act --client-id …` writes one, where that is not meant", tenant.id);
        Subject::of_tenant(&tenant.id, "act secret").warning(words, advice)
    })
}

/// Looks at what Microsoft has to say of a tenant, active or not: its credentials and its registration.
pub async fn connection(account: &Account, tenant: &Tenant) -> Vec<Finding> {
    let (read, act) = tokio::join!(kept(account, tenant, Purpose::Read), kept(account, tenant, Purpose::Act));
    read.into_iter().chain(act).collect()
}

/// The same of one of its secrets as it is kept. Nothing where the tenant has none of this purpose.
pub(crate) async fn kept(account: &Account, tenant: &Tenant, purpose: Purpose) -> Vec<Finding> {
    if purpose.secret_of(tenant).is_none() {
        return vec![];
    }
    let (microsoft, prefixes) = match microsoft(account, tenant, purpose) {
        Ok(found) => found,
        Err(finding) => return vec![finding],
    };
    let findings = match credentials::kept(&microsoft, tenant, purpose).await {
        Ok(KeptSecret { secret, written, .. }) => {
            looked_at(&microsoft, account, tenant, InHand { secret, written, purpose }).await
        }
        Err(finding) => vec![finding],
    };
    credentials::misnamed(&prefixes, tenant, purpose).into_iter().chain(findings).collect()
}

/// The same of a secret that is not kept yet: what it would be good for.
pub(crate) async fn given(account: &Account, tenant: &Tenant, purpose: Purpose, secret: &StoredSecret) -> Vec<Finding> {
    match microsoft(account, tenant, purpose) {
        Ok((microsoft, _)) => {
            let given = InHand { secret: secret.clone(), written: None, purpose };
            looked_at(&microsoft, account, tenant, given).await
        }
        Err(finding) => vec![finding],
    }
}

/// Whether these findings of a secret of this purpose say that its sign-ins work: to Partner Center, and to Graph where the tenant's
/// alerts come from there.
pub(crate) fn signs_in(findings: &[Finding], purpose: Purpose) -> bool {
    let state = |audience| {
        let name = credentials::sign_in_name(purpose, audience);
        findings.iter().find(|finding| finding.subject == name).map(|finding| finding.state)
    };
    state(Audience::PartnerCenter) == Some(State::Ok) && state(Audience::Graph).is_none_or(|graph| graph == State::Ok)
}

/// Whether these findings of a read secret say that alerts can be listed with it.
pub(crate) fn lists_alerts(findings: &[Finding]) -> bool {
    let name = credentials::alerts_name(Purpose::Read);
    findings.iter().any(|finding| finding.subject == name && finding.state == State::Ok)
}

/// Whether something could not be seen for trouble of Microsoft's, or haste of ours, that passes by itself.
pub(crate) fn may_pass(findings: &[Finding]) -> bool {
    findings.iter().any(failed::may_pass)
}

async fn looked_at(microsoft: &Microsoft, account: &Account, tenant: &Tenant, in_hand: InHand) -> Vec<Finding> {
    let InHand { secret, written, purpose } = in_hand;
    let is_for_a_person = secret.has_refresh_token();
    let contents = credentials::contents(&secret, written, tenant, purpose);
    // Fetched once: all that is looked at is one and the same secret.
    let microsoft = &microsoft.with(SecretAtHand { secret, purpose });
    let found = match purpose {
        Purpose::Read => {
            let (alerts, registration) = tokio::join!(
                credentials::alerts(microsoft, tenant, purpose),
                registration::check(microsoft, account, tenant, is_for_a_person),
            );
            [alerts, registration].concat()
        }
        Purpose::Act => {
            // To read alerts is the one thing with it that changes none.
            let (alerts, partner_center) = tokio::join!(
                credentials::alerts(microsoft, tenant, purpose),
                credentials::sign_in(microsoft, tenant, purpose, Audience::PartnerCenter),
            );
            [alerts, vec![partner_center.unwrap_or_else(|refused| refused)]].concat()
        }
    };
    [vec![contents], found].concat()
}

/// A secret that is looked at.
struct InHand {
    secret: StoredSecret,
    /// When it was written, where it was.
    written: Option<Timestamp>,
    purpose: Purpose,
}

fn microsoft(account: &Account, tenant: &Tenant, purpose: Purpose) -> Result<(Microsoft, Prefixes), Finding> {
    let found = account.microsoft(purpose, limits(), TIMEOUT);
    let found = found.and_then(|microsoft| Ok((microsoft, Prefixes::of_account(account)?)));
    found.map_err(|error| {
        let subject = Subject::of_tenant(&tenant.id, format!("{purpose} secret"));
        subject.problem(runtime::chain(&error), "mend the configuration that it names")
    })
}
