//! Cancelling and reactivating a subscription from the command line: the person sees what would end, types its name, and signs in by a code on any device.
//!
//! The steps are those of the API (`subscriptions`, the crate). What is shown is looked up by the tenant's read secret, so that nobody signs in for what they
//! do not want; from the sign-in on all is asked of Partner Center with the person's own token. What goes on by itself
//! is carried on by the deployed system, whose schedule finds it.

use std::{
    io::{self, BufRead as _, Read as _, Write},
    sync::Arc,
};

use clap::Args;
use models::{
    Actor, Asked, CustomerId, Note, Operation, OperationId, OperationState, Person, SubscriptionId, SubscriptionWish,
    Tenant, TenantId,
};
use partner_center::{
    Asker, Credentials as _, EntitlementError, PersonToken, Purpose, Refusal, SecretsManager, StepUp, StepUpProgress,
};
use runtime::{SystemClock, random_id};
use serde::Serialize;
use store::{ReadTenants as _, Store};
use subscriptions::{AskError, Preview, PreviewError, Subscriptions, Wanted};

use super::{Shown, SubscriptionsError, text_of};
use crate::{
    account::{Account, Microsoft},
    output::{Output, printable},
};

/// The longest name that is read, in bytes.
const MOST_TYPED: u64 = 4_096;

/// What is to be cancelled, or active again.
#[derive(Debug, Args)]
pub struct ActArguments {
    /// The tenant's id in Entra ID.
    tenant: TenantId,
    /// The subscription's id in Azure.
    subscription: SubscriptionId,
    /// The customer's id in Entra ID, where no alert names it.
    #[arg(long, value_name = "ID")]
    customer: Option<CustomerId>,
    /// What is kept about it in the activity log.
    #[arg(long, value_name = "TEXT")]
    note: Option<Note>,
}

/// What came of it so far.
#[derive(Debug, Serialize)]
struct Came {
    tenant: TenantId,
    subscription: SubscriptionId,
    operation: OperationId,
    wish: SubscriptionWish,
    stage: models::SubscriptionStage,
    needs_token: bool,
}

impl ActArguments {
    pub(super) async fn run(
        self,
        wish: SubscriptionWish,
        account: &Account,
        output: &mut Output<impl Write>,
    ) -> Result<(), SubscriptionsError> {
        let store = account.store_with_activity()?;
        let known = store.tenants().await?.into_iter().find(|known| known.id == self.tenant);
        let tenant = known.ok_or_else(|| SubscriptionsError::UnknownTenant(self.tenant.clone()))?;
        let microsoft = account.microsoft_for(Purpose::Read)?;
        let acting = Subscriptions::new(store, microsoft.entitlements(), Arc::new(SystemClock), Arc::new(random_id));
        let looked = acting.preview(Asker::Tenant, &tenant, &self.subscription, self.customer.as_ref()).await;
        let (preview, signed_in_already) = match looked {
            // A secret that can't be used keeps nobody from ending what is being misused.
            Err(PreviewError::LookUp(error @ EntitlementError::Microsoft(_))) => {
                output.ask(&unusable(&error))?;
                let (person, token) = signed_in(&microsoft, &acting, &tenant, output).await?;
                let (asker, customer) = (Asker::Person(&token), self.customer.as_ref());
                let preview = acting.preview(asker, &tenant, &self.subscription, customer).await?;
                (preview, Some((person, token)))
            }
            looked => (looked?, None),
        };
        let customer = preview_customer(&preview);
        output.ask(&shown(&tenant, &preview, wish))?;
        let typed = typed()?;
        if !preview.is_called(&self.subscription, &typed) {
            return Err(AskError::NameDiffers.into());
        }
        let (person, token) = match signed_in_already {
            Some(signed_in) => signed_in,
            None => signed_in(&microsoft, &acting, &tenant, output).await?,
        };
        let by = Actor::Person(person);
        let wanted = Wanted {
            tenant: &tenant,
            subscription: &self.subscription,
            customer: customer.as_ref(),
            wish,
            typed: &typed,
            note: self.note,
            by: by.clone(),
            id: OperationId::of_random(&random_id().to_string()),
            request: None,
        };
        let operation = match Box::pin(acting.ask(Asker::Person(&token), &wanted)).await {
            // Whoever was cut off before goes on.
            Err(AskError::UnderWay(operation)) if is_wish(&operation, wish) && operation.takes_person() => *operation,
            Err(AskError::UnderWay(operation)) => return Err(SubscriptionsError::UnderWay(operation.id)),
            result => result?,
        };
        let operation = acting.act(&token, &tenant, operation, &by).await?;
        if let OperationState::Refused { refusal, .. } = operation.state {
            let meaning = refusal.meaning.as_deref();
            let known = Refusal::ALL.into_iter().find(|known| meaning == Some(known.code()));
            return Err(SubscriptionsError::Refused { code: refusal.code, what_to_do: known.map(Refusal::what_to_do) });
        }
        let Some(progress) = operation.progress.clone() else { return Ok(()) };
        let came = Came {
            tenant: tenant.id,
            subscription: self.subscription,
            needs_token: operation.needs_person(),
            operation: operation.id,
            wish,
            stage: progress.stage,
        };
        Ok(output.say(&came, told)?)
    }
}

/// Has the person sign in by a code on any device, and looks whether their token fits.
async fn signed_in(
    microsoft: &Microsoft,
    acting: &Subscriptions<Store, SecretsManager>,
    tenant: &Tenant,
    output: &mut Output<impl Write>,
) -> Result<(Person, PersonToken), SubscriptionsError> {
    let credential = microsoft.secrets.credential(tenant).await?;
    let step_up = StepUp::new(microsoft.consent(tenant, &credential.client_id, &credential.proof));
    let mut sign_in = step_up.begin_on_device().await?;
    let (page, code) = (printable(&sign_in.verification_uri), printable(&sign_in.user_code));
    output.ask(&format!(
        "Open {page} on any device, enter the code {code}, and sign in as a Global Administrator of the tenant who is Admin Agent, with MFA."
    ))?;
    let token = loop {
        tokio::time::sleep(sign_in.interval).await;
        if let StepUpProgress::SignedIn(token) = step_up.look_at_device(&mut sign_in).await? {
            break token;
        }
    };
    // Who somebody is, here their token says: it has come from Entra ID itself.
    let person = microsoft.entitlements().person(token.clone(), tenant, &[])?.person();
    let person = person.ok_or(SubscriptionsError::Nobody)?;
    let token = acting.person(token, tenant, &person)?;
    Ok((person, token))
}

fn preview_customer(preview: &Preview) -> Option<CustomerId> {
    preview.found.found.place.customer.to_string().parse().ok()
}

fn is_wish(operation: &Operation, wished: SubscriptionWish) -> bool {
    matches!(&operation.asked, Asked::Subscription { wish, .. } if *wish == wished)
}

/// What the person sees before they type the name.
fn shown(tenant: &Tenant, preview: &Preview, wish: SubscriptionWish) -> String {
    let found = preview.found.clone();
    let customer = preview_customer(preview);
    let text = customer.map(|id| text_of(&Shown::new(tenant.clone(), id, found, &preview.alerts))).unwrap_or_default();
    let resource = |resource: &String| format!("resource      {}\n", printable(resource));
    let resources = preview.resources.iter().map(resource).collect::<Vec<_>>().concat();
    let what = match wish {
        SubscriptionWish::Cancel => {
            "If you go on, it is cancelled: everything in it stops, its data are deleted after Microsoft's time for that, and its open alerts are resolved as fraud."
        }
        SubscriptionWish::Reactivate => "If you go on, it is active again, and costs.",
    };
    format!(
        "{text}{resources}\n{what}\nType the subscription's name to go on (its id, where it has none that can be typed):"
    )
}

/// What a person is told before they sign in first.
fn unusable(error: &EntitlementError) -> String {
    let advice = error.what_to_do().map(|advice| format!("\nWhat to do: {advice}")).unwrap_or_default();
    format!(
        "The subscription can't be looked up by the tenant's read secret: {}{advice}\nIt is looked up as you, once you have signed in.",
        runtime::chain(error)
    )
}

/// What the person types: one line.
fn typed() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(MOST_TYPED).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn told(came: &Came) -> String {
    let Came { tenant, operation, stage, .. } = came;
    let words = match stage {
        models::SubscriptionStage::Reached
        | models::SubscriptionStage::AlertsResolved
        | models::SubscriptionStage::Done => "It is so already. What is left is done within minutes.",
        _ => {
            "Microsoft took it on. It is followed until it is so, which takes about ten minutes, and people are told if it is not."
        }
    };
    format!(
        "{words}\noperation     {operation}\nTo see how it goes: partner-alerts operations show {tenant} {operation}\n"
    )
}
