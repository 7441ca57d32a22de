//! Setting where an alert stands, at the source that it is of.
//!
//! Promises: it is done by a credential to act with and by no other; by fraudEvents a request names exactly one event, never none, which
//! would mean all of the subscription; what a source can't do is said before anybody is asked. A repeated change does no harm: Graph is told
//! a state, and Partner Center the same `MS-RequestId`. Leaves to others: to write down first who wants what, and to see whether Microsoft
//! has taken it: an answer proves nothing (Microsoft's own sample of it still shows the state of before), so the next sight of the alert
//! decides (`models::observe`).

use std::{fmt, future::Future, sync::Arc};

use models::{Alert, AlertId, AlertSource, Purpose, ResolvedReason, Status, Tenant};
use reqwest::Client;
use serde::Serialize;
use serde_json::{json, value::RawValue};
use uuid::Uuid;

use crate::{
    Asker, Audience, Credentials, Limits, MicrosoftError, Refusal, Tokens,
    error_words::NO_CODE,
    exchange::Call,
    fraud_events::NEW_MODEL,
    graph,
    partner_center::PartnerCenter,
    refusal::advice,
    wire::{read_alert, read_fraud_event},
};

const SET: &str = "setting the status of a security alert";

/// Why an alert is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It was fraud.
    Fraud,
    /// It is set aside.
    Ignore,
    /// It was the customer's own doing. Whether fraudEvents takes it, Microsoft's pages disagree on.
    Legitimate,
}

/// Where an alert is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Somebody looks into it.
    Investigate,
    /// It needs attention again.
    Reopen,
    /// It is closed.
    Resolve(Reason),
}

impl Change {
    /// The status that it leads to.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Investigate => Status::Investigating,
            Self::Reopen => Status::Active,
            Self::Resolve(_) => Status::Resolved,
        }
    }

    /// The reason, where it resolves.
    #[must_use]
    pub fn reason(self) -> Option<ResolvedReason> {
        match self {
            Self::Resolve(Reason::Fraud) => Some(ResolvedReason::Fraud),
            Self::Resolve(Reason::Ignore) => Some(ResolvedReason::Ignore),
            Self::Resolve(Reason::Legitimate) => Some(ResolvedReason::Legitimate),
            Self::Investigate | Self::Reopen => None,
        }
    }

    /// Whether an alert stands so.
    #[must_use]
    pub fn is_seen_in(self, alert: &Alert) -> bool {
        alert.status == self.status() && alert.resolution.reason == self.reason()
    }
}

/// What Microsoft answered to a change that it took on. It proves nothing: only a later sight of the alert does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The alert, where the answer shows it: as it is, or as it was. Its activity may show that somebody else was quicker.
    pub shown: Option<Box<Alert>>,
}

/// What a source can't do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// The alert doesn't say which subscription it is about.
    #[error("fraudEvents changes events of a subscription, and the alert names none")]
    NoSubscription,
    /// An id can't stand in an address.
    #[error("an id of the alert can't stand in an address")]
    OddId,
    /// fraudEvents knows no way back.
    #[error("fraudEvents can't reopen an event: Microsoft's pages disagree on whether it may be set active again")]
    Reopen,
}

/// Why a change was not made, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum SetStatusError {
    /// The source can't do it: nobody was asked.
    #[error("{SET} is not possible")]
    Impossible(#[from] Impossible),
    /// Microsoft refused, or could not be understood or reached: then nobody knows whether it is done.
    #[error(transparent)]
    Microsoft(#[from] MicrosoftError),
}

impl SetStatusError {
    /// What Microsoft's refusal means, if it is one of the act.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Microsoft(error) => Refusal::of_alert(error),
            Self::Impossible(_) => None,
        }
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub fn what_to_do(&self) -> Option<&'static str> {
        match self {
            Self::Impossible(_) => Some("do it in Partner Center's own dashboard, or turn the tenant to Graph"),
            Self::Microsoft(error) => advice(self.refusal(), error),
        }
    }
}

/// Sets where alerts stand.
pub trait SetStatus {
    /// Sets where an alert stands, at the tenant's source. Whoever repeats it gives the same `request`.
    fn set(
        &self,
        tenant: &Tenant,
        alert: &Alert,
        change: Change,
        request: Uuid,
    ) -> impl Future<Output = Result<Answer, SetStatusError>> + Send;
}

/// The credentials are for another purpose than acting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("alerts are changed by credentials to act with, and these are to {0} with")]
pub struct WrongPurpose(Purpose);

/// Both sources, each tenant's by its configuration.
pub struct AlertStatuses<C>(PartnerCenter<C>);

impl<C> fmt::Debug for AlertStatuses<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AlertStatuses").finish_non_exhaustive()
    }
}

impl<C: Credentials + Send + Sync> AlertStatuses<C> {
    /// A client with these tokens and bounds.
    ///
    /// # Errors
    ///
    /// [`WrongPurpose`]: the tokens are those to read with.
    pub fn new(http: Client, tokens: Arc<Tokens<C>>, limits: Limits) -> Result<Self, WrongPurpose> {
        match tokens.purpose() {
            Purpose::Act => Ok(Self(PartnerCenter { http, tokens, limits })),
            other @ Purpose::Read => Err(WrongPurpose(other)),
        }
    }

    async fn at_graph(
        &self,
        call: Call<'_>,
        tenant: &Tenant,
        alert: &AlertId,
        change: Change,
        request: Uuid,
    ) -> Result<Answer, SetStatusError> {
        let PartnerCenter { http, tokens, .. } = &self.0;
        let addresses =
            tokens.clouds().of(tenant.cloud).ok_or_else(|| call.bad("the cloud has no addresses".to_owned()))?;
        let mut path = graph::PATH.to_vec();
        path.push(segment(alert.as_str())?);
        let url = addresses.graph.join(&path);
        let mut body = json!({ "status": change.status().as_str() });
        if let Some(reason) = change.reason() {
            body["resolvedReason"] = reason.as_str().into();
        }
        let request_anew = || http.patch(url.clone()).json(&body);
        let answer = tokens.call_named(request, call, tenant, Audience::Graph, request_anew).await?;
        Ok(shown(alert, read_alert(&answer).ok()))
    }

    async fn at_fraud_events(
        &self,
        tenant: &Tenant,
        alert: &Alert,
        change: Change,
        request: Uuid,
    ) -> Result<Answer, SetStatusError> {
        let body = StatusOfEvents::of(&alert.id, change)?;
        let subscription = alert.subscription_id.as_ref().ok_or(Impossible::NoSubscription)?;
        let path = ["v1", "fraudEvents", "subscription", segment(subscription.as_str())?, "status"];
        let post = async |id, new_model: bool| {
            let request = |http: &Client, url| {
                let request = http.post(url).json(&body);
                if new_model { request.header(NEW_MODEL.0, NEW_MODEL.1) } else { request }
            };
            self.0.send(Asker::Tenant, id, SET, tenant, &path, request).await
        };
        let answer = match post(request, true).await {
            // The new model may be what it finds fault with. Asked the old way it is another request, and has another id: the same each time.
            Err(MicrosoftError::Refused { status: 400, code, .. }) if code != NO_CODE => {
                post(Uuid::from_u128(request.as_u128() ^ 1), false).await
            }
            answer => answer,
        };
        let events = match answer {
            Err(refused @ MicrosoftError::Refused { status: 401 | 403, .. })
                if self.0.tokens.is_app_only(tenant, Audience::PartnerCenter).await =>
            {
                let (call, source) = (SET, Box::new(refused));
                return Err(MicrosoftError::AppOnly { call, tenant: tenant.id.to_string(), source }.into());
            }
            answer => answer?,
        };
        // A list without the event is no proof of anything either: it may have been changed by the attempt whose answer was lost.
        let events: Vec<&RawValue> = serde_json::from_slice(&events).unwrap_or_default();
        let mut read = events.into_iter().filter_map(|event| read_fraud_event(event.get().as_bytes()).ok());
        Ok(shown(&alert.id, read.find(|event| event.id == alert.id)))
    }
}

impl<C: Credentials + Send + Sync> SetStatus for AlertStatuses<C> {
    async fn set(
        &self,
        tenant: &Tenant,
        alert: &Alert,
        change: Change,
        request: Uuid,
    ) -> Result<Answer, SetStatusError> {
        match tenant.alert_source {
            AlertSource::FraudEvents => self.at_fraud_events(tenant, alert, change, request).await,
            AlertSource::Graph => self.at_graph(self.0.call(SET, tenant), tenant, &alert.id, change, request).await,
        }
    }
}

fn shown(id: &AlertId, alert: Option<Alert>) -> Answer {
    Answer { shown: alert.filter(|alert| alert.id == *id).map(Box::new) }
}

/// A segment of an address. The two that mean another place would be left out of it, and the request be about something else.
fn segment(id: &str) -> Result<&str, Impossible> {
    if matches!(id, "." | "..") { Err(Impossible::OddId) } else { Ok(id) }
}

/// The body of a change of events. It has room for exactly one: with none it would be about all of the subscription.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatusOfEvents<'a> {
    event_ids: [&'a AlertId; 1],
    event_status: &'static str,
    resolved_reason: &'static str,
}

impl<'a> StatusOfEvents<'a> {
    fn of(event: &'a AlertId, change: Change) -> Result<Self, Impossible> {
        let (event_status, resolved_reason) = match change {
            // A reason has to be there, and this is what events have while they are open.
            Change::Investigate => ("Investigating", "None"),
            Change::Reopen => return Err(Impossible::Reopen),
            Change::Resolve(Reason::Fraud) => ("Resolved", "Fraud"),
            Change::Resolve(Reason::Ignore) => ("Resolved", "Ignore"),
            Change::Resolve(Reason::Legitimate) => ("Resolved", "Legitimate"),
        };
        Ok(Self { event_ids: [event], event_status, resolved_reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_events_names_exactly_one_event_as_the_published_sample_does() {
        let event: AlertId =
            "2a7064fb-1e33-4007-974e-352cb3f2c805_2edeb5b1-766f-4209-9271-3ddf27755afa".parse().unwrap();
        for (change, status, reason) in [
            (Change::Resolve(Reason::Fraud), "Resolved", "Fraud"),
            (Change::Resolve(Reason::Ignore), "Resolved", "Ignore"),
            (Change::Resolve(Reason::Legitimate), "Resolved", "Legitimate"),
            (Change::Investigate, "Investigating", "None"),
        ] {
            let body = serde_json::to_value(StatusOfEvents::of(&event, change).unwrap()).unwrap();
            let expected = json!({ "EventIds": [event], "EventStatus": status, "ResolvedReason": reason });
            assert_eq!(body, expected);
        }
        assert_eq!(StatusOfEvents::of(&event, Change::Reopen).err(), Some(Impossible::Reopen));
        assert!("".parse::<AlertId>().is_err(), "the one that is named has a name");
    }

    #[test]
    fn an_id_that_means_another_place_is_no_part_of_an_address() {
        for (id, fits) in [("6c2e9a47", true), ("...", true), ("a/../b", true), (".", false), ("..", false)] {
            assert_eq!(segment(id).is_ok(), fits, "{id}");
        }
    }
}
