//! `partner-alerts subscriptions`: the Azure subscriptions of customers, as Partner Center has them, beside the alerts that are kept of them.

mod act;

use std::{io::Write, sync::Arc};

use clap::Subcommand;
use jiff::Timestamp;
use models::{
    Alert, AlertState, CustomerId, EventSubject, OperationId, SubscriptionId, SubscriptionWish, Tenant, TenantId,
};
use partner_center::{Asker, ConsentError, CredentialError, EntitlementError, Preview, Purpose, TokenProblem};
use runtime::ConfigError;
use serde::Serialize;
use store::{FindAlerts as _, ReadTenants as _, StoreError};
use subscriptions::{ActError, AskError, PersonProblem, PreviewError};

use crate::{
    account::{Account, AccountError},
    output::{Output, printable, table},
};

/// What can be done with subscriptions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Cancels an Azure subscription, as a person who may: everything in it stops.
    ///
    /// You are shown what would end, and type the subscription's name, on standard input; nothing skips that. Then you sign in by a code on any device, as a
    /// Global Administrator of the partner tenant who is Admin Agent; your token is used for this and kept nowhere. Where the tenant's read secret can't be
    /// used to look, you sign in first. It is written into the activity log first, and
    /// followed by the deployed system until Microsoft shows it; then its open alerts are resolved as fraud. Cut off, the same command goes on.
    #[command(
        after_help = "Example:\n  partner-alerts --stack partner-alerts subscriptions cancel 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381 --note Crypto-mining"
    )]
    Cancel(act::ActArguments),
    /// Has a cancelled Azure subscription active again, in the same way.
    #[command(
        after_help = "Example:\n  partner-alerts --stack partner-alerts subscriptions reactivate 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381"
    )]
    Reactivate(act::ActArguments),
    /// Shows an Azure subscription: whose it is, what it is called, how it stands, and which of its alerts are open.
    ///
    /// The customer is the one that the subscription's alerts name. Names and states are asked of Partner Center, with the tenant's read
    /// secret; nothing is changed.
    #[command(
        after_help = "Examples:\n  partner-alerts --stack partner-alerts subscriptions show 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381\n  \
                      partner-alerts --stack partner-alerts subscriptions show 9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10 6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381 \
                      --customer 4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3"
    )]
    Show {
        /// The tenant's id in Entra ID.
        tenant: TenantId,
        /// The subscription's id in Azure.
        subscription: SubscriptionId,
        /// The customer's id in Entra ID, where no alert names it.
        #[arg(long, value_name = "ID")]
        customer: Option<CustomerId>,
    },
}

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionsError {
    /// The account can't be worked on.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Microsoft was not told, or nobody knows.
    #[error("Microsoft did not take it on, or nobody knows whether it did")]
    Act(#[from] ActError),
    /// It was not begun.
    #[error("nothing was begun")]
    Ask(#[from] AskError),
    /// A variable is missing or malformed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is nothing to sign in to.
    #[error("the tenant's secret can't be used to sign in by")]
    Credential(#[from] CredentialError),
    /// Nobody knows whose it is.
    #[error(
        "no alert that is kept of tenant {tenant} is about the subscription {subscription}: say whose it is with --customer"
    )]
    CustomerUnknown {
        /// The tenant.
        tenant: TenantId,
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// Saying it failed.
    #[error("writing failed")]
    Io(#[from] std::io::Error),
    /// Partner Center does not know it, or did not say.
    #[error("the subscription could not be looked up")]
    LookUp(#[from] EntitlementError),
    /// The token does not say whose it is.
    #[error("the token does not say who has signed in")]
    Nobody,
    /// The token is not used.
    #[error("the token is not used")]
    Person(#[from] PersonProblem),
    /// It can't be shown what would end.
    #[error("it can't be shown what would end")]
    Preview(#[from] PreviewError),
    /// Microsoft refused.
    #[error("Microsoft refused it with code {code}")]
    Refused {
        /// Their code.
        code: String,
        /// What to do, where that is known.
        what_to_do: Option<&'static str>,
    },
    /// Nobody signed in.
    #[error("nobody has signed in")]
    SignIn(#[from] ConsentError),
    /// The store failed.
    #[error("the tables could not be read")]
    Store(#[from] StoreError),
    /// Something is under way about it.
    #[error("the operation {0} about the subscription is under way")]
    UnderWay(OperationId),
    /// There is no such tenant.
    #[error("there is no tenant {0}: `tenants list` shows which there are")]
    UnknownTenant(TenantId),
}

impl From<TokenProblem> for SubscriptionsError {
    fn from(problem: TokenProblem) -> Self {
        Self::Person(problem.into())
    }
}

impl SubscriptionsError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        match self {
            Self::Act(ActError::Microsoft(error))
            | Self::Ask(AskError::LookUp(error))
            | Self::LookUp(error)
            | Self::Preview(PreviewError::LookUp(error)) => error.what_to_do(),
            Self::Ask(AskError::CustomerUnknown { .. }) | Self::Preview(PreviewError::CustomerUnknown { .. }) => {
                Some("say whose it is with --customer")
            }
            Self::Ask(AskError::NameDiffers) => Some("type the name as it is shown"),
            Self::UnderWay(_) => Some("wait until it is done, or was given up: `operations show` says how far it is"),
            Self::Person(problem) => Some(problem.what_to_do()),
            Self::Refused { what_to_do, .. } => *what_to_do,
            Self::SignIn(ConsentError::Microsoft(error)) => Some(error.what_to_do()),
            _ => None,
        }
    }
}

/// A subscription as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    tenant: TenantId,
    customer: ShownCustomer,
    subscription: Named,
    plan: Named,
    open_alerts: Vec<ShownAlert>,
}

#[derive(Debug, Serialize)]
struct ShownCustomer {
    id: CustomerId,
    name: Option<String>,
    domain: Option<String>,
}

#[derive(Debug, Serialize)]
struct Named {
    id: String,
    name: Option<String>,
    status: Option<String>,
}

#[derive(Debug, Serialize)]
struct ShownAlert {
    id: String,
    name: String,
    severity: String,
    status: String,
    last_observed: Timestamp,
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    ///
    /// [`SubscriptionsError`].
    pub async fn run(self, account: &Account, output: &mut Output<impl Write>) -> Result<(), SubscriptionsError> {
        let (tenant, subscription, customer) = match self {
            Self::Cancel(asked) => return Box::pin(asked.run(SubscriptionWish::Cancel, account, output)).await,
            Self::Reactivate(asked) => return Box::pin(asked.run(SubscriptionWish::Reactivate, account, output)).await,
            Self::Show { tenant, subscription, customer } => (tenant, subscription, customer),
        };
        let store = account.store_with_alerts()?;
        let known = store.tenants().await?.into_iter().find(|known| known.id == tenant);
        let known = known.ok_or_else(|| SubscriptionsError::UnknownTenant(tenant.clone()))?;
        let subject = EventSubject { customer: None, subscription: subscription.clone() };
        let kept = store.candidates(&tenant, &subject).await?.into_iter().map(|candidate| candidate.alert);
        let mut alerts: Vec<Arc<Alert>> = kept.collect();
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.last_observed));
        let named = || alerts.iter().find_map(|alert| alert.customer_id.clone());
        let none = || SubscriptionsError::CustomerUnknown { tenant, subscription: subscription.clone() };
        let customer = customer.or_else(named).ok_or_else(none)?;
        let entitlements = account.microsoft_for(Purpose::Read)?.entitlements();
        let preview = entitlements.preview(Asker::Tenant, &known, &customer, &subscription).await?;
        Ok(output.say(&Shown::new(known, customer, preview, &alerts), text_of)?)
    }
}

impl Shown {
    fn new(tenant: Tenant, id: CustomerId, preview: Preview, alerts: &[Arc<Alert>]) -> Self {
        let Preview { customer, found } = preview;
        let open = alerts.iter().filter(|alert| alert.state() == AlertState::Open).map(|alert| ShownAlert {
            id: alert.id.to_string(),
            name: alert.display_name.clone(),
            severity: alert.severity.to_string(),
            status: alert.status.to_string(),
            last_observed: alert.last_observed,
        });
        let (entitlement, plan) = (found.entitlement, found.plan);
        Self {
            tenant: tenant.id,
            customer: ShownCustomer { id, name: customer.name, domain: customer.domain },
            subscription: Named {
                id: entitlement.id.to_string(),
                name: entitlement.name,
                status: Some(entitlement.status.to_string()),
            },
            plan: Named { id: plan.id.to_string(), name: plan.name, status: plan.status },
            open_alerts: open.collect(),
        }
    }
}

fn text_of(shown: &Shown) -> String {
    let or_none = |text: &Option<String>| printable(text.as_deref().unwrap_or("(no name)"));
    let status = |named: &Named| printable(named.status.as_deref().unwrap_or("unknown"));
    let Shown { customer, subscription, plan, open_alerts, .. } = shown;
    let domain = customer.domain.as_deref().map(|domain| format!(", {}", printable(domain))).unwrap_or_default();
    let mut text = format!(
        "customer      {} ({}{domain})\nsubscription  {} ({}), {}\nplan          {} ({}), {}\n",
        or_none(&customer.name),
        printable(customer.id.as_str()),
        or_none(&subscription.name),
        subscription.id,
        status(subscription),
        or_none(&plan.name),
        plan.id,
        status(plan),
    );
    if open_alerts.is_empty() {
        return text + "\nNo alert of it is open.\n";
    }
    let rows = open_alerts.iter().map(|alert| {
        let last = format!("{:.0}", alert.last_observed);
        vec![alert.id.clone(), alert.severity.clone(), alert.status.clone(), last, alert.name.clone()]
    });
    text += "\n";
    text + &table(&["open alert", "severity", "status", "last observed", "name"], rows)
}
