//! What happened to an alert, here and at Microsoft, in words.

use maud::{Markup, html};
use models::{Act, Actor, Entry, Standing, SubscriptionWish};
use pages::{moment, theirs};

use crate::routes::activity::Told;

/// How many entries are shown.
const MOST: usize = 200;

/// The latest entries, the last one first.
pub(super) fn panel(entries: &[Told], more: bool) -> Markup {
    html! {
        section class="panel" {
            h2 { "Activity" }
            @if entries.is_empty() { p class="dim" { "Nothing was done about it yet." } }
            ol reversed { @for told in entries.iter().rev().take(MOST) { li { (entry(told)) } } }
            @if more || entries.len() > MOST {
                p class="dim" { "There are others: " code { "partner-alerts activity show" } " has all of them." }
            }
        }
    }
}

fn entry(told: &Told) -> Markup {
    match told {
        Told::Unreadable { .. } => {
            html! { "An entry that this release can't read: " code { "partner-alerts activity show" } " shows it as it is." }
        }
        Told::AtMicrosoft(entry) => html! {
            @if let Some(at) = entry.updated { (moment(at)) ": " }
            "at Microsoft, "
            @if let Some(by) = &entry.updated_by { (theirs(by)) " " }
            @if let Some(from) = &entry.status_from { "from " (theirs(from.as_str())) " " }
            @if let Some(to) = &entry.status_to { "to " (theirs(to.as_str())) }
        },
        Told::Here(line) => {
            let Entry { at, actor, act, from, to, note, operation, .. } = &line.entry;
            html! {
                (moment(*at)) ": " (who(actor)) " " (did(act, to.as_ref()))
                @if let Some(from) = from { span class="dim" { " (before: " (standing(from)) ")" } }
                @if let Some(note) = note { p class="text" { (theirs(note.as_str())) } }
                @if let Some(operation) = operation { p class="dim small" { "Operation " (operation) } }
            }
        }
    }
}

/// Who did it.
pub(super) fn who(actor: &Actor) -> Markup {
    html! {
        @match actor {
            Actor::Person(person) => { (theirs(&person.name)) }
            Actor::Application { id, .. } => { "application " (id) }
            Actor::System => { "Partner Alerts" }
            Actor::Unknown => { "somebody whom a newer release knows" }
        }
    }
}

fn standing(standing: &Standing) -> Markup {
    html! { (theirs(standing.status.as_str())) @if let Some(reason) = &standing.reason { ", " (theirs(reason.as_str())) } }
}

fn did(act: &Act, to: Option<&Standing>) -> Markup {
    let wished = html! { @if let Some(to) = to { (standing(to)) } @else { "another status" } };
    html! {
        @match act {
            Act::Assigned { to } => { "gave it to " (theirs(&to.name)) }
            Act::Unassigned => { "gave it to nobody" }
            Act::Noted => { "wrote a note" }
            Act::Snoozed { until, why } => { "set it aside until " (moment(*until)) ": " (theirs(why.as_str())) }
            Act::Woken => { "woke it" }
            Act::StatusAsked => { "asked for " (wished) }
            Act::StatusAlreadySo => { "found that it was " (wished) " already" }
            Act::StatusDone => { "has made it " (wished) }
            Act::StatusNotResumed { superseded } => { "does not take up operation " (superseded) " again" }
            Act::StatusOverlapped => { "was overtaken; Microsoft was told, or may have been: it is " (wished) }
            Act::StatusRefused(refusal) => { "was refused " (wished) " by Microsoft, with code " (theirs(&refusal.code)) }
            Act::StatusSuperseded => { "was overtaken: it is " (wished) }
            Act::SubscriptionAsked { wish, subscription, .. } => {
                "asked to " (match wish { SubscriptionWish::Cancel => "cancel", SubscriptionWish::Reactivate => "reactivate" })
                " subscription " (theirs(subscription.as_str()))
            }
            other => { (theirs(&kind(other))) }
        }
    }
}

/// The name of what has no words of its own here, as the log has it.
fn kind(act: &Act) -> String {
    let written = serde_json::to_value(act).unwrap_or_default();
    written["kind"].as_str().unwrap_or("did something that a newer release knows").replace('_', " ")
}
