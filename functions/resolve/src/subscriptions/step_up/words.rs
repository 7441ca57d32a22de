//! What a person is told of an operation, in words.

use api::operation::RefusalDocument;
use models::{Actor, MicrosoftRefusal, Operation, OperationState};
use subscriptions::ActError;

use crate::documents::refused;

/// Where nobody knows what Microsoft did.
pub(super) const NO_ANSWER: &str = "There was no answer that says whether Microsoft took it on. It is looked at, and waits for a sign-in again where Microsoft does not show it within 15 minutes.";

/// Who somebody is, for whoever may cancel what they asked for.
pub(super) fn who(actor: &Actor) -> String {
    match actor {
        Actor::Person(person) => person.name.clone(),
        other => other.key(),
    }
}

pub(super) fn words_of(operation: &Operation) -> String {
    match &operation.state {
        OperationState::Refused { refusal, .. } => words_of_refusal(refusal),
        OperationState::Lapsed => "It was given up before; ask for it anew.".to_owned(),
        OperationState::Done => "It is done.".to_owned(),
        _ if operation.takes_person() => "It still waits for a sign-in.".to_owned(),
        _ => "Microsoft took it on, and it is followed until it is so.".to_owned(),
    }
}

pub(super) fn words_of_refusal(refusal: &MicrosoftRefusal) -> String {
    let RefusalDocument { code, what_to_do, description, request_id, correlation_id, .. } = refused(refusal);
    let also = [("request", request_id), ("correlation", correlation_id)];
    let also: String = also.into_iter().filter_map(|(name, id)| Some(format!(", {name} {}", id?))).collect();
    let said = description.map(|words| format!(" Microsoft says: \u{201c}{words}\u{201d}.")).unwrap_or_default();
    format!("Microsoft refused it with code {code}{also}.{said} What to do: {what_to_do}.")
}

pub(super) fn words_of_error(error: &ActError) -> String {
    let refusal = match error {
        ActError::Microsoft(error) => error.clear_refusal().or_else(|| error.turned_away()),
        ActError::Step(_) => None,
    };
    refusal.as_ref().map_or_else(|| NO_ANSWER.to_owned(), words_of_refusal)
}
