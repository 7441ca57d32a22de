//! The answer to a form of our own pages: what the API answers, for a browser. Where all went well it goes back to the page that the form was on, or on to
//! sign in for a cancellation; what did not is a page, of the status that the API gives it.

use api::{
    Answer, Form, Kind, Problem,
    document::Now,
    operation::{StandingDocument, StateName, SubscriptionActed, SupersededDocument},
};
use http::StatusCode;
use maud::{Markup, html};
use pages::{HOME, Page, redirect, theirs, way};

use crate::{
    documents::{BulkActed, BulkResult, ResultDocument},
    subscriptions::documents::{BulkCancelResult, BulkCancelled},
};

/// Where a call that changes something may have been made, and something else counts.
const MAY_BE_TOLD: &str = "Microsoft was told all the same, or may have been.";

/// What a browser is answered where a program is answered so. What there is to show travels with the answer, beside its JSON.
pub(crate) fn answer(form: &Form<'_>, answer: &Answer) -> Answer {
    let back = form.return_path(HOME);
    let shown = answer.extensions();
    if let Some(problem) = shown.get::<Problem>() {
        return of_problem(problem, back.as_str());
    }
    if let Some(BulkActed { results }) = shown.get::<BulkActed>() {
        let failed: Vec<_> = results.iter().filter(|result| !is_well(&result.result)).collect();
        if !failed.is_empty() {
            return of_alerts(&failed, results.len(), back.as_str());
        }
    }
    if let Some(cancelled) = shown.get::<BulkCancelled>() {
        let all_well = cancelled.results.iter().all(|result| result.acted.as_ref().is_some_and(goes_on));
        return match cancelled.step_ups.as_slice() {
            [] if all_well => redirect(back.as_str()),
            [one] if all_well => redirect(one),
            step_ups => of_subscriptions(&cancelled.results, step_ups, back.as_str()),
        };
    }
    match shown.get::<SubscriptionActed>() {
        Some(acted) if !goes_on(acted) => of_ended(acted, back.as_str()),
        acted => redirect(acted.and_then(|acted| acted.step_up.as_deref()).unwrap_or(back.as_str())),
    }
}

fn of_problem(problem: &Problem, back: &str) -> Answer {
    let kind = problem.kind();
    let body = html! {
        (said_of(problem))
        @if matches!(kind, Kind::NotSignedIn | Kind::SessionEnded) { (way("/sign-in", "Sign in")) }
        (way_back(back))
    };
    Page::new(kind.status(), kind.title(), body).answer()
}

/// What there is to say of a problem.
pub(crate) fn said_of(problem: &Problem) -> Markup {
    let document = problem.document();
    html! {
        p { (theirs(problem.detail())) }
        @if let Some(Now::Alert(now)) = &document.now { p { "Now it is " (standing(now)) "." } }
        @if document.told == Some(true) { p { (MAY_BE_TOLD) } }
        @if let Some(older) = &document.superseded { p { (not_resumed(older)) } }
        @if let Some(words) = &document.description { p { "Microsoft says: " q { (theirs(words)) } } }
        @if let Some(operation) = &document.operation { p { "Operation " (operation) } }
        @if let Some(Now::Subscription(acted)) = &document.now {
            @if let Some(step_up) = &acted.step_up { (way(step_up, "It waits for you: sign in for it")) }
        }
    }
}

/// A wish that was asked for before under the same key, and has ended without being fulfilled.
fn of_ended(acted: &SubscriptionActed, back: &str) -> Answer {
    let body = html! { p { (words_of_wish(acted)) } p { "Operation " (acted.operation) } (way_back(back)) };
    Page::new(StatusCode::OK, "It does not go on", body).answer()
}

fn of_alerts(failed: &[&BulkResult], all: usize, back: &str) -> Answer {
    let body = html! {
        p { (failed.len()) " of " (all) " alerts are not as you wanted them. The others are, or are on their way." }
        ul { @for BulkResult { tenant, alert, operation, result } in failed {
            li {
                (words(result)) br;
                "Alert " (theirs(alert)) br;
                "Tenant " (tenant)
                @if let Some(operation) = operation { br; "Operation " (operation) }
            }
        } }
        (way_back(back))
    };
    Page::new(StatusCode::OK, "Not all of it was done", body).answer()
}

fn of_subscriptions(results: &[BulkCancelResult], step_ups: &[String], back: &str) -> Answer {
    let body = html! {
        ul { @for BulkCancelResult { tenant, subscription, acted, detail, .. } in results {
            li {
                @match (acted, detail) {
                    (Some(acted), _) => (words_of_wish(acted)),
                    (None, Some(detail)) => (theirs(detail)),
                    (None, None) => "It was not asked for.",
                } br;
                "Subscription " (theirs(subscription)) br;
                "Tenant " (tenant)
            }
        } }
        @for (place, step_up) in step_ups.iter().enumerate() {
            (way(step_up, &format!("Sign in for what waits, {} of {}", place + 1, step_ups.len())))
        }
        (way_back(back))
    };
    Page::new(StatusCode::OK, "Not all of it goes on by itself", body).answer()
}

/// Whether there is nothing to tell: it is so, or is on its way.
fn is_well(result: &ResultDocument) -> bool {
    matches!(result, ResultDocument::AlreadySo | ResultDocument::Done { .. } | ResultDocument::Pending)
}

fn words(result: &ResultDocument) -> Markup {
    html! {
        @match result {
            ResultDocument::AlreadySo | ResultDocument::Done { .. } => "It is done.",
            ResultDocument::ChangedMeanwhile { now, told } => {
                "Somebody else was quicker: now it is " (standing(now)) "."
                @if *told { " " (MAY_BE_TOLD) }
            }
            ResultDocument::NotAllowed => "Your roles don't allow it in this tenant.",
            ResultDocument::NotFound => "There is no such alert, or not for you.",
            ResultDocument::NotPossible { detail } => (theirs(detail)),
            ResultDocument::Pending => "It is on its way.",
            ResultDocument::Refused { refusal, superseded } => {
                "Microsoft refused: " (theirs(&refusal.code)) ". What to do: " (refusal.what_to_do) "."
                @if let Some(older) = superseded { " " (not_resumed(older)) }
            }
            ResultDocument::Unavailable => "It does not work at the moment: try again.",
        }
    }
}

/// Whether a wish about a subscription is fulfilled, or on its way there.
fn goes_on(acted: &SubscriptionActed) -> bool {
    match acted.state {
        StateName::Lapsed | StateName::Refused | StateName::Unknown => false,
        // Somebody else's sign-in may do.
        StateName::Stuck => acted.needs_token,
        StateName::Asked | StateName::Done | StateName::InProgress => true,
    }
}

pub(crate) fn words_of_wish(acted: &SubscriptionActed) -> Markup {
    html! {
        @match acted.state {
            StateName::Done => "It is done.",
            StateName::Lapsed => "It was given up: ask for it anew.",
            StateName::Refused => {
                "Microsoft refused it"
                @if let Some(refusal) = &acted.refusal { ": " (theirs(&refusal.code)) ". What to do: " (refusal.what_to_do) }
                "."
            }
            StateName::Stuck if acted.needs_token => "It got no further, and waits for a sign-in again.",
            StateName::Stuck => "It gets no further, and people were told: see the operation.",
            StateName::Unknown => "A newer release knows what has become of it.",
            StateName::Asked | StateName::InProgress if acted.needs_token => "It waits for you to sign in for it.",
            StateName::Asked | StateName::InProgress => "It is on its way.",
        }
    }
}

fn not_resumed(older: &SupersededDocument) -> Markup {
    html! { "The wish that was on its way before, of operation " (older.operation) ", is not taken up again: ask for it anew if it is still wanted." }
}

fn way_back(back: &str) -> Markup {
    way(back, "Back")
}

fn standing(StandingDocument { status, reason }: &StandingDocument) -> Markup {
    html! { (theirs(status)) @if let Some(reason) = reason { " (" (theirs(reason)) ")" } }
}
