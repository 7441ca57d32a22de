//! `GET /alerts/{tenant}/{alert}`: an alert, whole, with what can be done about it. What Microsoft says of it that nobody foresaw is shown as it is.

mod evidence;

use std::collections::{BTreeSet, HashMap};

use api::{Answer, Kind, Problem, operation::step_up_of};
use http::StatusCode;
use identity::Permission;
use maud::{Markup, html};
use models::{Alert, AlertId, Asked as Wish, NameId, Operation, Status, TenantId};
use pages::{HOME, Page, moment, seen, theirs};
use store::{AlertAtWork, ListOf, ListQuery, ListedAlert};

use super::{columns, frame, history, view::View};
use crate::{
    Asked, Dashboard, ReadSealingKeys, Reads,
    routes::{alert::names_of, names::Names, of_store},
    shapes::alert::listed,
};

/// How many other alerts are shown of the same subscription and of the same customer.
const OTHERS: usize = 10;

/// What the page shows.
pub(super) struct Shown<'a> {
    asked: Asked<'a>,
    tenant: &'a TenantId,
    tenant_name: String,
    at_work: &'a AlertAtWork,
    listed: ListedAlert,
    names: &'a Names,
    under_way: Option<Operation>,
    others: Others,
    /// The view that the person comes from, and goes back to.
    view: View,
    may_resolve: bool,
    /// Whether that can be done, too: Microsoft is told with a secret that the tenant may lack.
    may_decide: bool,
    may_cancel: bool,
}

/// Other open alerts.
#[derive(Default)]
struct Others {
    of_subscription: Vec<ListedAlert>,
    of_customer: Vec<ListedAlert>,
}

impl<S: Reads, K: ReadSealingKeys + Sync> Dashboard<S, K> {
    /// An alert.
    pub(super) async fn alert_page(&self, asked: Asked<'_>) -> Result<Answer, Problem> {
        let tenant = asked.tenant()?;
        let query = asked.request.query(&["view"])?;
        let view = query.get("view").map(|query| View::of_query(query)).unwrap_or_default();
        let id: AlertId = asked.request.parameter("alert")?;
        let at_work = self.store.at_work(&tenant, &id).await.map_err(of_store)?.ok_or(Kind::NotFound)?;
        let alert = &at_work.stored.known.alert;
        let (under_way, others, history, of_tenant) = tokio::try_join!(
            self.under_way(&tenant, &at_work),
            self.others(&tenant, alert),
            self.history_of(&tenant, &at_work),
            async { self.store.tenant(&tenant).await.map_err(of_store) },
        )?;
        let names = Names::read(&self.store, HashMap::from([(tenant.clone(), names_of(alert))])).await;
        let access = asked.caller.access();
        let may_resolve = access.may(Permission::Resolve, &tenant);
        let is_active = of_tenant.as_ref().is_some_and(|tenant| tenant.active && tenant.act_secret.is_some());
        let shown = Shown {
            asked,
            tenant: &tenant,
            tenant_name: of_tenant.map_or_else(|| tenant.to_string(), |tenant| tenant.display_name),
            listed: listed(&tenant, &at_work),
            at_work: &at_work,
            names: &names,
            under_way,
            others,
            view,
            may_resolve,
            may_decide: may_resolve && is_active,
            may_cancel: access.may(Permission::Cancel, &tenant),
        };
        let body = html! {
            (shown.back())
            (shown.state())
            div class="columns" {
                div {
                    (evidence::description(alert))
                    (shown.resources())
                    (evidence::details(alert))
                    (history::panel(&history.0, history.1.is_some()))
                }
                div {
                    (shown.acts())
                    (shown.facts())
                    (shown.work())
                    (shown.other_alerts())
                }
            }
        };
        let title = seen(&alert.display_name);
        Ok(Page::new(StatusCode::OK, title, body).within(frame(asked, HOME, None)).answer())
    }

    /// Other open alerts of the same subscription, and of the same customer.
    async fn others(&self, tenant: &TenantId, alert: &Alert) -> Result<Others, Problem> {
        let tenants = BTreeSet::from([tenant.clone()]);
        let of = async |of: Option<ListOf>| {
            let Some(of) = of else { return Ok(Vec::new()) };
            let list = ListQuery::open().narrowed(of);
            let page = self.store.list(&tenants, &list, None, OTHERS + 1).await.map_err(of_store)?;
            let others = page.alerts.into_iter().filter(|other| other.id != alert.id);
            Ok::<_, Problem>(others.take(OTHERS).collect::<Vec<_>>())
        };
        let (of_subscription, of_customer) = tokio::try_join!(
            of(alert.subscription_id.clone().map(ListOf::Subscription)),
            of(alert.customer_id.clone().map(ListOf::Customer)),
        )?;
        let is_known = |other: &ListedAlert| of_subscription.iter().any(|known| known.id == other.id);
        let of_customer = of_customer.into_iter().filter(|other| !is_known(other)).collect();
        Ok(Others { of_subscription, of_customer })
    }
}

impl Shown<'_> {
    fn alert(&self) -> &Alert {
        &self.at_work.stored.known.alert
    }

    fn address(&self) -> String {
        super::table::address_of(&self.listed, &self.view)
    }

    /// The route of an act, which a form is sent to.
    fn act(&self, act: &str) -> String {
        let (tenant, alert) = (self.tenant, encoded(self.listed.id.as_str()));
        format!("{}/tenants/{tenant}/alerts/{alert}/{act}", api::PREFIX)
    }

    fn back(&self) -> Markup {
        html! { p { a href=(self.view.address()) { "← Back to alerts" } } }
    }

    /// Where it stands, in a line, and what is under way.
    fn state(&self) -> Markup {
        let listed = &self.listed;
        html! {
            div class="panel tools" {
                (columns::severity(&listed.severity))
                span { (columns::status(listed)) }
                span { (columns::left(listed, self.asked.now)) }
                @if listed.is_test { span class="tag" { "test" } }
                @if listed.is_gone { span class="tag" { "Microsoft knows it no longer" } }
            }
            @if let Some(operation) = &self.under_way { (under_way(operation)) }
            @if listed.not_accepted {
                p class="panel notice bad" role="alert" { "Microsoft did not take the last decision: it stands there as before. Look at it in Partner Center, and decide anew." }
            }
        }
    }

    fn resources(&self) -> Markup {
        html! {
            section class="panel" {
                h2 { "Impacted resources" }
                (evidence::resources(self.alert()))
                @if self.may_decide { (self.decisions()) }
                @else if self.may_resolve {
                    p class="dim" { "Nothing can be decided here: the tenant is switched off, or has no secret to act with. " code { "partner-alerts tenants show" } " says which." }
                }
            }
        }
    }

    /// Mark as legitimate and mark as fraud, as Microsoft's own dashboard has it; and what else may become of it.
    fn decisions(&self) -> Markup {
        let is_resolved = self.listed.status == Status::Resolved;
        html! {
            form method="post" action=(self.act(if is_resolved { "reopen" } else { "resolve" })) {
                (self.hidden("decide"))
                input type="hidden" name="version" value=(self.listed.version);
                label class="field" { "Note (it stays here)" textarea name="note" maxlength="1200" {} }
                div class="tools" {
                    @if is_resolved {
                        button { "Open it again" }
                    } @else {
                        button name="reason" value="legitimate" { "Mark as legitimate" }
                        button class="danger" name="reason" value="fraud" { "Mark as fraud" }
                        button name="reason" value="ignore" { "Set aside" }
                        @if self.listed.status != Status::Investigating {
                            button formaction=(self.act("investigate")) { "I look into it" }
                        }
                    }
                }
            }
        }
    }

    /// What every form has: the way back, and a key by which it counts once.
    fn hidden(&self, what: &str) -> Markup {
        html! {
            input type="hidden" name="return" value=(self.address());
            input type="hidden" name="idempotency-key" value=(format!("{}-{what}", self.asked.request.id));
        }
    }

    /// What leads out of here: the subscription in Azure's portal, and its end.
    fn acts(&self) -> Markup {
        let alert = self.alert();
        html! {
            section class="panel" {
                h2 { "Subscription" }
                @match &alert.subscription_id {
                    None => { p class="dim" { "The alert names none." } }
                    Some(subscription) => {
                        p {
                            @if let Some(name) = self.names.of(self.tenant, NameId::subscription(subscription)) { (theirs(&name)) br; }
                            code class="small" { (theirs(subscription.as_str())) }
                        }
                        div class="tools" {
                            @if let Some(customer) = &alert.customer_id {
                                a class="button" rel="noreferrer" href=(portal(customer.as_str(), subscription.as_str())) { "Manage subscription" }
                            }
                            @if self.may_cancel {
                                a class="button danger" href=(format!("/subscriptions/{}/{}/cancel?return={}", self.tenant, encoded(subscription.as_str()), encoded(&self.address()))) {
                                    "Cancel subscription"
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn facts(&self) -> Markup {
        let (alert, listed) = (self.alert(), &self.listed);
        let named = |name: Option<String>, id: &str| {
            html! {
                @if let Some(name) = name { (theirs(&name)) br; }
                code class="small" { (theirs(id)) }
            }
        };
        html! {
            section class="panel" {
                h2 { "Facts" }
                dl {
                    @if let Some(customer) = &alert.customer_id {
                        dt { "Customer" } dd { (named(self.names.of(self.tenant, NameId::customer(customer)), customer.as_str())) }
                    }
                    @if let Some(reseller) = &alert.reseller_id {
                        dt { "Reseller" } dd { (named(NameId::reseller(reseller).and_then(|id| self.names.of(self.tenant, id)), reseller)) }
                    }
                    dt { "Partner tenant" } dd { (theirs(&self.tenant_name)) br; code class="small" { (self.tenant) } }
                    dt { "Alert ID" } dd { code class="small" { (theirs(alert.id.as_str())) } }
                    dt { "Alert type" } dd { (alert.alert_type.portal_type().as_str()) br; span class="dim" { (theirs(&alert.alert_type.0)) } }
                    @if let Some(confidence) = &alert.confidence { dt { "Confidence" } dd { (theirs(&confidence.to_string())) } }
                    @if let Some(offer) = &alert.catalog_offer_id { dt { "Offer" } dd { (theirs(offer)) } }
                    dt { "Detected" } dd { (moment(alert.detected)) }
                    dt { "First observed" } dd { (moment(alert.first_observed)) }
                    dt { "Last observed" } dd { (moment(alert.last_observed)) }
                    @if let Some(since) = listed.known_since { dt { "Known to us since" } dd { (moment(since)) } }
                    @if let Some(on) = alert.resolution.on { dt { "Resolved" } dd { (moment(on)) @if let Some(by) = &alert.resolution.by { " by " (theirs(by)) } } }
                }
            }
        }
    }

    /// What people keep with it: who looks after it, notes, that it is set aside for a time.
    fn work(&self) -> Markup {
        let work = &self.at_work.work;
        let snooze = work.marks.snoozed(&self.listed.severity, self.listed.turned, self.asked.now);
        html! {
            section class="panel" {
                h2 { "Who looks after it" }
                p { @match &work.marks.assignee { Some(person) => { (theirs(&person.name)) } None => { span class="dim" { "Nobody in particular" } } } }
                @if self.may_resolve {
                    form method="post" action=(self.act("assign")) class="tools" {
                        (self.hidden("assign"))
                        button name="to" value="me" { "I do" }
                        @if work.marks.assignee.is_some() { button name="to" value="nobody" { "Nobody" } }
                    }
                }
                h2 { "Snooze" }
                @match snooze {
                    Some(snooze) => {
                        p { "Until " (moment(snooze.until)) ": " (theirs(snooze.why.as_str())) }
                        @if self.may_resolve { form method="post" action=(self.act("unsnooze")) { (self.hidden("wake")) button { "Wake it" } } }
                    }
                    None => {
                        @if self.may_resolve { (self.snooze_form()) } @else { p class="dim" { "It is not set aside." } }
                    }
                }
                h2 { "Notes" }
                @for note in &work.notes {
                    div { p class="text" { (theirs(note.text.as_str())) } p class="dim small" { (history::who(&note.by)) ", " (moment(note.at)) } }
                }
                @if self.may_resolve {
                    form method="post" action=(self.act("notes")) {
                        (self.hidden("note"))
                        label class="field" { "A note" textarea name="note" maxlength="1200" required {} }
                        button { "Keep it" }
                    }
                }
            }
        }
    }

    fn snooze_form(&self) -> Markup {
        let until = |hours: i64| {
            let until =
                self.asked.now.saturating_add(jiff::SignedDuration::from_hours(hours)).unwrap_or(self.asked.now);
            format!("{until:.0}")
        };
        html! {
            form method="post" action=(self.act("snooze")) {
                (self.hidden("snooze"))
                label class="field" { "Why" input type="text" name="why" maxlength="300" required; }
                div class="tools" {
                    @for (hours, words) in [(1, "For an hour"), (24, "For a day"), (72, "For three days")] {
                        button name="until" value=(until(hours)) { (words) }
                    }
                }
            }
        }
    }

    fn other_alerts(&self) -> Markup {
        let list = |heading: &str, alerts: &[ListedAlert]| {
            html! {
                @if !alerts.is_empty() {
                    section class="panel" {
                        h2 { (heading) }
                        ul { @for alert in alerts {
                            li {
                                (columns::severity(&alert.severity)) " "
                                a href=(super::table::address_of(alert, &self.view)) { (theirs(&alert.name)) }
                                " " span class="dim small" { (moment(alert.last_observed)) }
                            }
                        } }
                    }
                }
            }
        };
        html! {
            (list("Other open alerts of this subscription", &self.others.of_subscription))
            (list("Other open alerts of this customer", &self.others.of_customer))
        }
    }
}

/// What is wanted of it, and not yet known to be so.
fn under_way(operation: &Operation) -> Markup {
    html! {
        div class="panel notice" role="status" {
            p {
                @match &operation.asked {
                    Wish::Status { to, .. } => { "It is to be " (theirs(to.status.as_str())) @if let Some(reason) = &to.reason { " (" (theirs(reason.as_str())) ")" } }
                    _ => { "Something is under way of it" }
                }
                ", asked for by " (history::who(&operation.by)) " on " (moment(operation.at)) ". What comes of it shows here."
            }
            @if let Some(step_up) = step_up_of(operation) { p { a href=(step_up) { "It waits for you to sign in for it" } } }
        }
    }
}

/// The subscription in Azure's portal, on the customer's behalf (Partner Center's documentation, "Manage a customer's subscription").
fn portal(customer: &str, subscription: &str) -> String {
    format!("https://portal.azure.com/{}#resource/subscriptions/{}/overview", encoded(customer), encoded(subscription))
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
