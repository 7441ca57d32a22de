//! What a person is told of an operation, in words. What somebody wrote stands apart from ours.

use api::operation::RefusalDocument;
use maud::{Markup, html};
use models::{Actor, MicrosoftRefusal, Operation, OperationState};
use pages::theirs;
use subscriptions::ActError;

use crate::documents::refused;

/// Where nobody knows what Microsoft did.
pub(super) const NO_ANSWER: &str = "There was no answer that says whether Microsoft took it on. It is looked at, and waits for a sign-in again where Microsoft does not show it within 15 minutes.";

/// Who somebody is, for whoever may cancel what they asked for.
pub(in crate::subscriptions) fn who(actor: &Actor) -> Markup {
    match actor {
        Actor::Person(person) => theirs(&person.name),
        other => theirs(&other.key()),
    }
}

pub(super) fn words_of(operation: &Operation) -> Markup {
    let words = match &operation.state {
        OperationState::Refused { refusal, .. } => return words_of_refusal(refusal),
        OperationState::Lapsed => "It was given up before; ask for it anew.",
        OperationState::Done => "It is done.",
        _ if operation.takes_person() => "It still waits for a sign-in.",
        _ => "Microsoft took it on, and it is followed until it is so.",
    };
    html! { (words) }
}

pub(super) fn words_of_refusal(refusal: &MicrosoftRefusal) -> Markup {
    let RefusalDocument { code, what_to_do, description, request_id, correlation_id, .. } = refused(refusal);
    html! {
        "Microsoft refused it with code " (theirs(&code))
        @for (name, id) in [("request", request_id), ("correlation", correlation_id)] {
            @if let Some(id) = id { ", " (name) " " (theirs(&id)) }
        }
        "."
        @if let Some(words) = description { " Microsoft says: \u{201c}" (theirs(&words)) "\u{201d}." }
        " What to do: " (what_to_do) "."
    }
}

pub(super) fn words_of_error(error: &ActError) -> Markup {
    let refusal = match error {
        ActError::Microsoft(error) => error.clear_refusal().or_else(|| error.turned_away()),
        ActError::Step(_) => None,
    };
    refusal.as_ref().map_or_else(|| html! { (NO_ANSWER) }, words_of_refusal)
}
