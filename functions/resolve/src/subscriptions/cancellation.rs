//! The pages on which a person asks for cancellations: what would end, and a form with the name to type, which goes to the API's own route.
//!
//! They change nothing. What is seen here is looked at anew by the route that the form goes to, so a page that was left open promises nothing either.

mod shown;

use std::{future::Future, pin::Pin};

use ::pages::{Frame, HOME, Page, to_sign_in};
use api::{Answer, Gate, Kind, Problem, Request};
use futures_util::{StreamExt as _, stream};
use http::{Method, StatusCode};
use identity::{Caller, Permission, ReturnPath};
use maud::{Markup, html};
use messaging::{AskForFollowUps, Tell};
use models::{AlertId, SubscriptionId, TenantId};
use partner_center::{Asker, Credentials};
use store::{Act, FindAlerts, FindOpenAlerts, KeepOperations, KeepViews, ReadTenant, ReadTenants, ReadWork};
use subscriptions::MOST_AT_ONCE;

use super::{
    Acting, ReadSecret,
    requests::{of_ask, person},
    step_up::PATIENCE,
};
use crate::{actor, bodies::TickedForm, microsoft::Set};
use shown::{Left, Looked};

/// How many are looked up at the same time.
const SIDE_BY_SIDE: usize = 5;
/// How many alerts are read at the same time.
const READS: usize = 20;

/// Something that is being asked for.
type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// A page, with its heading.
type Titled = (String, Markup);

/// What alerts that were ticked are about.
#[derive(Default)]
struct Ticked {
    subscriptions: Vec<(TenantId, SubscriptionId)>,
    /// Those of which no subscription is cancelled here, and why.
    left: Vec<Left>,
}

impl<S, M, Q, C, P, R> Acting<S, M, Q, C, P, R>
where
    S: Act
        + FindAlerts
        + FindOpenAlerts
        + KeepOperations
        + KeepViews
        + ReadTenant
        + ReadTenants
        + ReadWork
        + Send
        + Sync,
    M: Set + Send + Sync,
    Q: AskForFollowUps + Send + Sync,
    C: Credentials + Send + Sync,
    P: Tell + Sync,
    R: ReadSecret + Sync,
{
    /// One subscription.
    pub(super) async fn cancellation_page(&self, request: &Request) -> Answer {
        let query = request.query(&["return"]);
        let asked = query.as_ref().ok().and_then(|query| query.get("return")).map_or(HOME, String::as_str);
        let back = ReturnPath::read(asked, HOME);
        let caller = match self.resolve.gate.caller(request) {
            Ok(caller) => caller,
            Err(problem) => return of_nobody(&problem, request, &back),
        };
        let made = async {
            query?;
            let (tenant, subscription) = (request.parameter("tenant")?, request.parameter("subscription")?);
            let looked = self.looked(caller, tenant, subscription).await?;
            let title = format!("Cancel {}", looked.to_type());
            Ok((title, shown::one(&looked, &actor(caller), &request.id, back.as_str())))
        };
        page(request, caller, &back, self.made_in_time(made).await)
    }

    /// Those that ticked alerts are about, each once.
    ///
    /// By `POST`, though nothing changes: a hundred ticked alerts are more than an address may hold on its way here, and ids of alerts don't belong into
    /// everybody's logs of addresses. As with every `POST` a session counts only from a page of ours.
    pub(super) async fn cancellations_page(&self, request: &Request) -> Answer {
        let back = request.form().map_or_else(|| ReturnPath::read(HOME, HOME), |form| form.return_path(HOME));
        match self.resolve.gate.caller(request) {
            Ok(caller) => page(request, caller, &back, self.made_in_time(self.several(request, caller, &back)).await),
            Err(problem) => of_nobody(&problem, request, &back),
        }
    }

    async fn made_in_time(&self, made: impl Future<Output = Result<Titled, Problem>>) -> Result<Titled, Problem> {
        let made = tokio::time::timeout(self.resolve.settings.request_limit, Box::pin(made)).await;
        made.unwrap_or_else(|_| Err(Kind::Unavailable.into()))
    }

    async fn several(&self, request: &Request, caller: &Caller, back: &ReturnPath) -> Result<Titled, Problem> {
        Gate::allow_somewhere(caller, Permission::Cancel)?;
        let alerts = request.body::<TickedForm>()?.alerts()?;
        if alerts.is_empty() {
            return Err(Problem::value("alerts", "tick those whose subscriptions are to be cancelled"));
        }
        let Ticked { mut subscriptions, left } = self.ticked(caller, alerts).await;
        let later = subscriptions.split_off(MOST_AT_ONCE.min(subscriptions.len()));
        // Made one by one: a closure over borrowed items would be one for each of their lifetimes.
        let mut looking: Vec<Later<'_, shown::Tried>> = Vec::new();
        for (tenant, subscription) in subscriptions {
            looking.push(Box::pin(self.tried(caller, tenant, subscription)));
        }
        let tried: Vec<_> = stream::iter(looking).buffered(SIDE_BY_SIDE).collect().await;
        let several = shown::Several { tried: &tried, left: &left, later: &later };
        Ok(("Cancel subscriptions".to_owned(), several.page(&actor(caller), &request.id, back.as_str())))
    }

    /// What these alerts are about.
    async fn ticked(&self, caller: &Caller, alerts: Vec<(TenantId, AlertId, u64)>) -> Ticked {
        let mut reading: Vec<Later<'_, Result<(TenantId, SubscriptionId), Left>>> = Vec::new();
        for (tenant, alert, _) in alerts {
            reading.push(Box::pin(self.subscription_of(caller, tenant, alert)));
        }
        let mut ticked = Ticked::default();
        for read in stream::iter(reading).buffered(READS).collect::<Vec<_>>().await {
            match read {
                // The route that asks for many takes each once, in whichever tenant.
                Ok((_, subscription)) if ticked.has(&subscription) => {}
                Ok(of) => ticked.subscriptions.push(of),
                Err(left) => ticked.left.push(left),
            }
        }
        ticked
    }

    async fn subscription_of(
        &self,
        caller: &Caller,
        tenant: TenantId,
        alert: AlertId,
    ) -> Result<(TenantId, SubscriptionId), Left> {
        let read = async {
            Gate::allow(caller, Permission::Cancel, &tenant)?;
            let seen = self.resolve.store.at_work(&tenant, &alert).await;
            seen.map_err(|error| Problem::unavailable(&error))?.ok_or_else(|| Problem::new(Kind::NotFound))
        };
        match read.await {
            Ok(seen) => match &seen.stored.known.alert.subscription_id {
                Some(subscription) => Ok((tenant, subscription.clone())),
                None => Err(Left { alert, why: "It names no subscription.".to_owned() }),
            },
            Err(problem) => {
                problem.log();
                Err(Left { alert, why: problem.detail().to_owned() })
            }
        }
    }

    /// One of several: what is wrong with it is wrong with no other, and one that takes long keeps the others from nobody.
    async fn tried(&self, caller: &Caller, tenant: TenantId, subscription: SubscriptionId) -> shown::Tried {
        let looked = tokio::time::timeout(PATIENCE, self.looked(caller, tenant, subscription.clone())).await;
        let looked = looked.unwrap_or_else(|_| Err(Kind::Unavailable.into()));
        looked.map_err(|problem| {
            problem.log();
            (subscription, problem)
        })
    }

    /// What would end.
    async fn looked(&self, caller: &Caller, tenant: TenantId, subscription: SubscriptionId) -> Result<Looked, Problem> {
        let tenant = self.tenant_to_cancel_in(caller, &tenant).await?;
        person(caller)?;
        let preview = self.subscriptions.preview(Asker::Tenant, &tenant, &subscription, None).await;
        let preview = preview.map_err(|error| of_ask(error.into()))?;
        Ok(Looked { tenant, subscription, preview })
    }
}

impl Ticked {
    fn has(&self, subscription: &SubscriptionId) -> bool {
        self.subscriptions.iter().any(|(_, known)| known.as_str().eq_ignore_ascii_case(subscription.as_str()))
    }
}

/// The page, or what keeps it from being made, with the ways on.
fn page(request: &Request, caller: &Caller, back: &ReturnPath, made: Result<Titled, Problem>) -> Answer {
    let (status, (title, body)) = match made {
        Ok(page) => (StatusCode::OK, page),
        Err(problem) => {
            problem.log();
            let again = (request.method == Method::GET).then(|| asked(request));
            let body = shown::problem(&problem, caller.name(), again.as_deref(), back.as_str());
            (problem.kind().status(), (problem.kind().title().to_owned(), body))
        }
    };
    let frame = Frame { name: caller.name().to_owned(), place: HOME, pulse: None };
    Page::new(status, title, body).within(frame).answer()
}

/// Nobody is signed in: off to sign in, and back to this page, or to the one before where it can't be asked for again. Where signing in would not help, it is
/// said instead.
fn of_nobody(problem: &Problem, request: &Request, back: &ReturnPath) -> Answer {
    problem.log();
    let kind = problem.kind();
    if matches!(kind, Kind::NotSignedIn | Kind::SessionEnded) {
        return to_sign_in(&if request.method == Method::GET { asked(request) } else { back.to_string() });
    }
    let body = html! { p { (problem.detail()) } (::pages::way(back.as_str(), "Back")) };
    Page::new(kind.status(), kind.title(), body).answer()
}

/// The page as it was asked for.
fn asked(request: &Request) -> String {
    let (path, query) = (request.path(), request.raw_query());
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
