//! An operation in words.

use api::operation::step_up_of;
use jiff::Timestamp;
use models::{
    Actor, AlertResult, Asked, MicrosoftRefusal, Operation, OperationState, Standing, SubscriptionStage,
    SubscriptionWish,
};

use super::refused;
use crate::output::{printable, table};

/// What a person reads about an operation.
pub(super) fn text_of(operation: &Operation) -> String {
    let mut lines = vec![
        line("operation", operation.id.as_str()),
        line("tenant", operation.tenant.as_str()),
        line("asked for", &asked(&operation.asked)),
        line("by", &format!("{}, {}", who(&operation.by), moment(operation.at))),
    ];
    lines.extend(operation.taken_on_by.as_ref().map(|other| line("and by", &who(other))));
    if let Asked::Status { note: Some(note), .. } | Asked::Subscription { note: Some(note), .. } = &operation.asked {
        lines.push(line("note", note.as_str()));
    }
    lines.extend(
        operation
            .instead
            .as_ref()
            .map(|other| line("given", &format!("operation {other} in its place: somebody had asked for the same"))),
    );
    lines.push(line("state", &format!("{}, {}", state(&operation.state), moment(operation.changed))));
    if let Some(progress) = &operation.progress {
        lines.push(line("stage", &format!("{}, since {}", stage(progress.stage), moment(progress.since))));
        lines.extend(progress.plan.as_ref().map(|plan| line("plan", plan)));
    }
    let last = operation.refusal.as_ref().or(match &operation.state {
        OperationState::Refused { refusal, .. } => Some(refusal),
        _ => None,
    });
    lines.extend(last.map(|refusal| line("refused", &refusal_of(refusal))));
    lines.extend(way_on(operation));
    let text = lines.concat();
    let rows = rows(operation);
    if rows.is_empty() { text } else { format!("{text}\n{}", table(&["alert", "what came of it"], rows)) }
}

fn line(name: &str, said: &str) -> String {
    format!("{name:<14}{}\n", printable(said))
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn who(actor: &Actor) -> String {
    match actor {
        Actor::Application { id, .. } => format!("application {id}"),
        Actor::Person(person) => person.name.clone(),
        Actor::System => "Partner Alerts itself".to_owned(),
        Actor::Unknown => "somebody whom only a newer release knows".to_owned(),
    }
}

fn asked(asked: &Asked) -> String {
    match asked {
        Asked::Status { alerts, to, .. } => format!("{} alerts to be {}", alerts.len(), standing(to)),
        Asked::Subscription { wish, customer, subscription, .. } => {
            format!("to {} subscription {subscription} of customer {customer}", verb(*wish))
        }
        Asked::View { view } => format!("a change of the saved view {view}"),
        Asked::Work { alert } => format!("a change of what is kept with alert {alert}"),
        Asked::Unknown => "something that only a newer release knows".to_owned(),
    }
}

fn verb(wish: SubscriptionWish) -> &'static str {
    match wish {
        SubscriptionWish::Cancel => "cancel",
        SubscriptionWish::Reactivate => "reactivate",
    }
}

fn standing(standing: &Standing) -> String {
    let reason = standing.reason.as_ref().map(|reason| format!(" ({})", reason.as_str())).unwrap_or_default();
    format!("{}{reason}", standing.status.as_str())
}

fn state(state: &OperationState) -> String {
    match state {
        OperationState::Asked => "asked for, and nothing is known to be done".to_owned(),
        OperationState::Done => "done".to_owned(),
        OperationState::InProgress => "in progress".to_owned(),
        OperationState::Lapsed => "given up: who still wants it asks anew".to_owned(),
        OperationState::Refused { .. } => "refused by Microsoft".to_owned(),
        OperationState::Stuck { since } => format!("stuck: people were told on {}", moment(*since)),
        OperationState::Unknown => "one that only a newer release knows".to_owned(),
    }
}

fn stage(stage: SubscriptionStage) -> &'static str {
    match stage {
        SubscriptionStage::Asked => "asked: nothing is done",
        SubscriptionStage::EntitlementFound => "entitlement_found: Microsoft is not known to have taken it",
        SubscriptionStage::Telling => "telling: nobody knows yet whether Microsoft took it, and it is looked at",
        SubscriptionStage::Posted => "posted: Microsoft took it",
        SubscriptionStage::Following => "following: Microsoft took it, and does not show it yet",
        SubscriptionStage::Reached => "reached: it is so",
        SubscriptionStage::AlertsResolved => "alerts_resolved: it is so, and so are its alerts",
        SubscriptionStage::Done => "done: nothing is left",
        SubscriptionStage::Unknown => "one that only a newer release knows",
    }
}

fn refusal_of(refusal: &MicrosoftRefusal) -> String {
    let refusal = refused(refusal);
    let words = refusal.description.map(|words| format!(" ({words})")).unwrap_or_default();
    format!("{}{words}: {}", refusal.code, refusal.what_to_do)
}

/// How a person goes on, where it waits for one. The command goes on with what is under way, whoever asked for it.
fn way_on(operation: &Operation) -> Option<String> {
    let page = step_up_of(operation)?;
    let Asked::Subscription { wish, customer, subscription, .. } = &operation.asked else { return None };
    let (tenant, verb) = (&operation.tenant, verb(*wish));
    let command = format!("partner-alerts subscriptions {verb} {tenant} {subscription} --customer {customer}");
    Some(format!(
        "\nIt waits for a person, a Global Administrator of the tenant who is Admin Agent, to sign in for it by\n  {}\nor in a browser, where people sign in, at\n  {}\n",
        printable(&command),
        printable(&page)
    ))
}

/// Each alert with what came of it; those of which something is left to do last.
fn rows(operation: &Operation) -> Vec<Vec<String>> {
    let is_open =
        matches!(operation.state, OperationState::Asked | OperationState::InProgress | OperationState::Stuck { .. });
    let known = operation.results.iter().map(|(alert, it)| vec![alert.to_string(), result(it)]);
    let left = operation.left().filter(|_| is_open).map(|alert| vec![alert.to_string(), "under way".to_owned()]);
    let older = operation.superseded.iter().map(|(alert, older)| {
        vec![alert.to_string(), format!("took the place of operation {}, which is not taken up again", older.operation)]
    });
    known.chain(left).chain(older).collect()
}

fn result(result: &AlertResult) -> String {
    match result {
        AlertResult::AlreadySo => "it stood so already".to_owned(),
        AlertResult::Done { .. } => "done".to_owned(),
        AlertResult::NotFound => "there is no such alert".to_owned(),
        AlertResult::Overlapped { now } => format!("something newer counts: it is {}", standing(now)),
        AlertResult::Refused(refusal) => format!("refused: {}", refusal_of(refusal)),
        AlertResult::Superseded { now } => format!("somebody else was quicker: it is {}", standing(now)),
        AlertResult::Unknown => "what only a newer release knows".to_owned(),
    }
}
