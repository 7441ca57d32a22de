//! What is registered, as it is shown: the address without its key.

use models::Tenant;
use partner_center::Registration;
use serde::Serialize;

use super::address::{self, not_ours};
use crate::output::printable;

/// What a tenant has registered.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    registered: bool,
    url: Option<String>,
    events: Vec<String>,
    /// Why its events don't come here.
    problem: Option<&'static str>,
}

/// The event that fraud is announced with.
const FRAUD: &str = "azure-fraud-event-detected";

impl Shown {
    pub(crate) fn new(registered: Option<&Registration>, tenant: &Tenant, base: &str) -> Self {
        let Some(registration) = registered else {
            let problem = Some("nothing is registered: `webhook register` does it");
            return Self { registered: false, url: None, events: vec![], problem };
        };
        let without_fraud = !registration.webhook_events.iter().any(|event| event == FRAUD);
        let problem = not_ours(&registration.webhook_url, tenant, base)
            .or(without_fraud.then_some("the fraud event is not registered: `webhook register` takes all events"));
        Self {
            registered: true,
            url: Some(address::shown(&registration.webhook_url)),
            events: registration.webhook_events.clone(),
            problem,
        }
    }

    /// Why its events don't come here. None where they do.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        self.problem
    }
}

pub(super) fn text_of(shown: &Shown) -> String {
    let events = printable(&shown.events.join(", "));
    let registered = shown.url.as_ref().map(|url| format!("address  {}\nevents   {events}\n", printable(url)));
    let verdict = shown.problem.map_or("Its events come here.".to_owned(), |problem| format!("WARNING: {problem}"));
    registered.unwrap_or_default() + &verdict
}

pub(super) fn lines(texts: &[String]) -> String {
    let lines: Vec<_> = texts.iter().map(|text| printable(text)).collect();
    lines.join("\n")
}
