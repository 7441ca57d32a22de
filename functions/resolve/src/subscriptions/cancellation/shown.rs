//! How a cancellation is shown to whoever may ask for it. What Microsoft and customers named stands apart from our words.

use ::pages::{moment, theirs, way};
use api::{Kind, Problem, operation::step_up_of};
use http::StatusCode;
use maud::{Markup, html};
use models::{Actor, AlertId, Operation, SubscriptionId, SubscriptionWish, Tenant, TenantId};
use partner_center::EntitlementStatus;
use subscriptions::{MOST_AT_ONCE, Preview};

use super::super::{documents::acted, step_up::who};
use crate::forms::{said_of, words_of_wish};

/// A subscription that was looked at.
pub(super) struct Looked {
    pub(super) tenant: Tenant,
    pub(super) subscription: SubscriptionId,
    pub(super) preview: Preview,
}

/// The same, or what keeps it from being looked at.
pub(super) type Tried = Result<Looked, (SubscriptionId, Problem)>;

/// An alert of which no subscription is cancelled here.
pub(super) struct Left {
    pub(super) alert: AlertId,
    pub(super) why: String,
}

/// Whether it may be asked for.
enum Standing<'a> {
    /// It runs, and nobody has asked for its end.
    Runs,
    /// Somebody else has asked for the same, and whoever types its name may go on with it.
    AskedFor(&'a Operation),
    /// It is cancelled already.
    Ended,
    /// Something is under way about it that has to end first.
    Busy(&'a Operation, Whose),
}

/// Who has asked for something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Others,
}

impl Looked {
    fn standing(&self, by: &Actor) -> Standing<'_> {
        let same_wish = |operation: &Operation| {
            operation.progress.as_ref().is_some_and(|progress| progress.wish == SubscriptionWish::Cancel)
        };
        match &self.preview.under_way {
            Some(it) if same_wish(it) && it.takes_person() && !it.is_wanted_by(by) => Standing::AskedFor(it),
            Some(it) => Standing::Busy(it, if it.is_wanted_by(by) { Whose::Own } else { Whose::Others }),
            None if self.preview.found.found.entitlement.status == EntitlementStatus::Inactive => Standing::Ended,
            None => Standing::Runs,
        }
    }

    /// What it is called, and what is typed to confirm it.
    pub(super) fn to_type(&self) -> &str {
        self.preview.to_type(&self.subscription)
    }

    fn facts(&self) -> Markup {
        let (customer, found) = (&self.preview.found.customer, &self.preview.found.found);
        html! {
            dl {
                dt { "Subscription" } dd { (named(found.entitlement.name.as_deref())) code class="small" { (theirs(self.subscription.as_str())) } }
                dt { "It stands as" } dd { (theirs(&found.entitlement.status.to_string())) }
                dt { "Customer" } dd {
                    (named(customer.name.as_deref()))
                    @if let Some(domain) = &customer.domain { (theirs(domain)) br; }
                    code class="small" { (theirs(&found.place.customer.to_string())) }
                }
                dt { "Plan, which stays" } dd { (named(found.plan.name.as_deref())) code class="small" { (found.plan.id) } }
                dt { "Partner tenant" } dd { (theirs(&self.tenant.display_name)) br; code class="small" { (self.tenant.id) } }
            }
        }
    }

    /// The alerts that go with it, and what they name.
    fn with_it(&self) -> Markup {
        let Preview { alerts, resources, unreadable, .. } = &self.preview;
        html! {
            @if alerts.is_empty() { p { "It has no open alert." } }
            @else {
                p { "Its open alerts, which are resolved as fraud. Up to a hundred are listed, the latest; if there are more, they are resolved as well:" }
                ul { @for alert in alerts {
                    li {
                        (theirs(&alert.display_name)) " "
                        span class="dim small" {
                            (theirs(alert.severity.as_str())) ", " (theirs(alert.status.as_str())) ", last observed " (moment(alert.last_observed))
                        }
                    }
                } }
            }
            @if *unreadable > 0 { p { (unreadable) " of its alerts can't be read: nobody resolves them." } }
            @if !resources.is_empty() {
                details {
                    summary { "Resources that they name (" (resources.len()) ")" }
                    ul { @for resource in resources { li { code class="small" { (theirs(resource)) } } } }
                }
            }
        }
    }
}

impl Standing<'_> {
    /// Why it can't be asked for, or who has asked for it already. None where there is nothing to say.
    fn words(&self) -> Option<Markup> {
        match self {
            Self::Runs => None,
            Self::AskedFor(operation) => Some(html! {
                p { (asked_by(operation)) "Nobody has signed in for it yet. Type its name to go on with it yourself." }
            }),
            Self::Ended => Some(
                html! { p { "It is cancelled already, so there is nothing to ask for. Alerts of it that are open still are resolved on the list." } },
            ),
            Self::Busy(operation, Whose::Others) if operation.needs_person() => Some(html! {
                p { (asked_by(operation)) "It waits for them to sign in for it. Until it is done or given up, nothing else can be asked for." }
                (of(operation))
            }),
            Self::Busy(operation, _) => Some(html! {
                p { (asked_by(operation)) @if let Some(acted) = acted(operation) { (words_of_wish(&acted)) } }
                @if let Some(step_up) = step_up_of(operation) { (way(&step_up, "Sign in for it")) }
                (of(operation))
            }),
        }
    }
}

/// One subscription, with the form where it may be asked for.
pub(super) fn one(looked: &Looked, by: &Actor, key: &str, back: &str) -> Markup {
    let standing = looked.standing(by);
    let action = format!("{}/tenants/{}/subscriptions/{}/cancel", api::PREFIX, looked.tenant.id, looked.subscription);
    html! {
        (way(back, "← Back"))
        section class="panel" { (looked.facts()) }
        @if let Some(words) = standing.words() { section class="panel notice" role="status" { (words) } }
        @if matches!(standing, Standing::Runs | Standing::AskedFor(_)) {
            section class="panel notice bad" {
                (warning())
                (looked.with_it())
                form method="post" action=(action) {
                    (hidden(key, back))
                    (field("name", looked.to_type()))
                    (end_of_form("Cancel the subscription"))
                }
            }
        }
    }
}

/// Several subscriptions.
pub(super) struct Several<'a> {
    pub(super) tried: &'a [Tried],
    pub(super) left: &'a [Left],
    /// Those that are more than one request takes.
    pub(super) later: &'a [(TenantId, SubscriptionId)],
}

impl Several<'_> {
    /// The page, with one form for all that may be asked for.
    pub(super) fn page(&self, by: &Actor, key: &str, back: &str) -> Markup {
        let looked: Vec<_> = self.tried.iter().flatten().map(|looked| (looked, looked.standing(by))).collect();
        let (asked, kept): (Vec<_>, Vec<_>) =
            looked.into_iter().partition(|(_, standing)| matches!(standing, Standing::Runs | Standing::AskedFor(_)));
        html! {
            (way(back, "← Back to alerts"))
            (self.not_here())
            @for (looked, standing) in &kept {
                section class="panel" {
                    (looked.facts())
                    @if let Some(words) = standing.words() { (words) }
                }
            }
            @if asked.is_empty() {
                section class="panel empty" { h2 { "There is nothing to cancel" } (way(back, "Back to alerts")) }
            } @else {
                form method="post" action=(format!("{}/subscriptions/cancel", api::PREFIX)) {
                    (hidden(key, back))
                    section class="panel notice bad" {
                        (warning())
                        p { "To leave one out, go back and untick its alerts." }
                    }
                    @for (looked, standing) in &asked {
                        section class="panel" {
                            (looked.facts())
                            (looked.with_it())
                            @if let Some(words) = standing.words() { (words) }
                            input type="hidden" name="subscriptions" value=(format!("{}/{}", looked.tenant.id, looked.subscription));
                            (field("names", looked.to_type()))
                        }
                    }
                    section class="panel" { (end_of_form(&format!("Cancel {}", counted(asked.len())))) }
                }
            }
        }
    }

    /// What was ticked, and is not asked for here.
    fn not_here(&self) -> Markup {
        let failed: Vec<_> = self.tried.iter().filter_map(|tried| tried.as_ref().err()).collect();
        html! {
            @if !self.later.is_empty() {
                section class="panel notice" role="status" {
                    p { "One request takes " (MOST_AT_ONCE) " subscriptions. These are left for the next:" }
                    ul { @for (_, subscription) in self.later { li { code { (theirs(subscription.as_str())) } } } }
                }
            }
            @if !failed.is_empty() {
                section class="panel notice bad" role="status" {
                    p { "These can't be cancelled from here:" }
                    ul { @for (subscription, problem) in failed {
                        li { code { (theirs(subscription.as_str())) } br; (words_of(problem)) }
                    } }
                }
            }
            @if !self.left.is_empty() {
                section class="panel notice" role="status" {
                    p { "Of these alerts there is no subscription to cancel:" }
                    ul { @for Left { alert, why } in self.left { li { code { (theirs(alert.as_str())) } br; (theirs(why)) } } }
                }
            }
        }
    }
}

/// What is wrong, with the ways on.
pub(super) fn problem(problem: &Problem, name: &str, again: Option<&str>, back: &str) -> Markup {
    html! {
        div class="panel notice bad" role="alert" {
            (words_of(problem))
            @if problem.kind() == Kind::NotAllowed {
                p { "You are signed in as " (theirs(name)) ". A cancellation takes a role with the permission " code { "cancel" } " in the partner tenant." }
            }
        }
        @if let Some(again) = again && problem.kind().status() == StatusCode::SERVICE_UNAVAILABLE { (way(again, "Try again")) }
        (way(back, "Back"))
    }
}

/// What is wrong, to whoever looks at a page. Where something does not answer, what a program is told would not help them.
fn words_of(problem: &Problem) -> Markup {
    if problem.kind().status() == StatusCode::SERVICE_UNAVAILABLE {
        return html! { p { "Microsoft, or a part of ours, does not answer at the moment. Nothing was cancelled." } };
    }
    said_of(problem)
}

/// What a cancellation is.
fn warning() -> Markup {
    html! {
        h2 { "What happens if you go on" }
        p {
            "Everything in it stops, and its data are deleted after Microsoft's time for that. First you sign in for it, as Global Administrator who is Admin Agent: "
            "until then nothing is cancelled."
        }
    }
}

fn of(operation: &Operation) -> Markup {
    html! { p class="dim small" { "Operation " (operation.id) } }
}

fn asked_by(operation: &Operation) -> Markup {
    let wish = operation.progress.as_ref().map(|progress| progress.wish);
    html! {
        (who(&operation.by)) " has asked for "
        @if wish == Some(SubscriptionWish::Reactivate) { "it to be active again" } @else { "its cancellation" }
        " at " (moment(operation.at)) ". "
    }
}

/// What every form has: the way back, and a key by which it counts once.
fn hidden(key: &str, back: &str) -> Markup {
    html! {
        input type="hidden" name="return" value=(back);
        input type="hidden" name="idempotency-key" value=(key);
    }
}

/// Where the name is typed. Nothing fills it in, since to type it is to have read it.
fn field(name: &str, called: &str) -> Markup {
    html! {
        label class="field" {
            span { "To confirm it, type " b class="text" { (theirs(called)) } }
            input type="text" name=(name) required maxlength="1000" autocomplete="off" autocapitalize="off" spellcheck="false";
        }
    }
}

fn end_of_form(button: &str) -> Markup {
    html! {
        label class="field" { "Note (it stays here)" textarea name="note" maxlength="1200" {} }
        button class="danger" { (button) }
    }
}

fn named(name: Option<&str>) -> Markup {
    html! { @if let Some(name) = name { span class="text" { (theirs(name)) } br; } }
}

fn counted(subscriptions: usize) -> String {
    if subscriptions == 1 { "the subscription".to_owned() } else { format!("{subscriptions} subscriptions") }
}
