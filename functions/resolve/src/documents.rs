//! What goes out, and what the `OpenAPI` document says of it.

use api::{
    Answer, Kind, Problem,
    document::Now,
    operation::{RefusalDocument, StandingDocument, SupersededDocument},
};
use http::{HeaderValue, StatusCode, header};
use models::{AlertId, AlertResult, MicrosoftRefusal, Operation, TenantId};
use partner_center::refusal_advice;
use serde::Serialize;
use utoipa::ToSchema;

/// What came of it for an alert.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ResultDocument {
    /// It stood so already: nothing was done.
    AlreadySo,
    /// Somebody else was quicker.
    ChangedMeanwhile {
        /// Where it stands.
        now: StandingDocument,
        /// Whether Microsoft was told all the same, since both were at it at once. What it has of both, the next look at it shows.
        told: bool,
    },
    /// It is done.
    Done {
        /// The alert's version since.
        version: u64,
    },
    /// The caller may see the tenant's alerts, and not resolve them.
    NotAllowed,
    /// There is no such alert, or not for the caller.
    NotFound,
    /// It can't be done in this tenant.
    NotPossible {
        /// Why, and what to do.
        detail: String,
    },
    /// It is not known yet: the operation is carried on.
    Pending,
    /// Microsoft refused.
    Refused {
        /// How.
        #[serde(flatten)]
        refusal: RefusalDocument,
        /// The wish that this one had taken the place of, which is not taken up again either.
        #[serde(skip_serializing_if = "Option::is_none")]
        superseded: Option<SupersededDocument>,
    },
    /// It does not work at the moment: send the same request again.
    Unavailable,
}

/// What came of an act on one alert.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Acted {
    /// The tenant.
    #[schema(format = "uuid")]
    pub tenant: String,
    /// The alert.
    pub alert: String,
    /// The operation; none where nothing had to be written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What came of it.
    pub result: ResultDocument,
}

/// What came of it for each alert, in the order of the request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BulkActed {
    /// The results.
    pub results: Vec<BulkResult>,
}

/// What came of it for one of many alerts.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BulkActedResult)]
pub struct BulkResult {
    /// The tenant.
    #[schema(format = "uuid")]
    pub tenant: String,
    /// The alert.
    pub alert: String,
    /// The operation of its tenant; none where nothing had to be written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What came of it.
    pub result: ResultDocument,
}

/// What came of a change of a saved view.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ViewChanged {
    /// The view.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its revision since.
    pub revision: u64,
}

impl ResultDocument {
    /// What is known of what came of an operation for an alert.
    pub(crate) fn of(operation: &Operation, alert: &AlertId) -> Self {
        match operation.results.get(alert) {
            None | Some(AlertResult::Unknown) => Self::Pending,
            Some(AlertResult::AlreadySo) => Self::AlreadySo,
            Some(AlertResult::Done { version }) => Self::Done { version: *version },
            Some(AlertResult::NotFound) => Self::NotFound,
            Some(AlertResult::Refused(refusal)) => {
                let superseded = operation.superseded.get(alert).map(SupersededDocument::from);
                Self::Refused { refusal: refused(refusal), superseded }
            }
            Some(AlertResult::Overlapped { now }) => Self::ChangedMeanwhile { now: now.into(), told: true },
            Some(AlertResult::Superseded { now }) => Self::ChangedMeanwhile { now: now.into(), told: false },
        }
    }

    /// The same where a problem of its tenant kept it from being tried.
    pub(crate) fn of_problem(problem: &Problem) -> Self {
        match problem.kind() {
            Kind::NotAllowed => Self::NotAllowed,
            Kind::NotFound => Self::NotFound,
            Kind::NotPossible => Self::NotPossible { detail: problem.detail().to_owned() },
            _ => Self::Unavailable,
        }
    }
}

/// How Microsoft refused, with what to do about it.
pub(crate) fn refused(refusal: &MicrosoftRefusal) -> RefusalDocument {
    RefusalDocument::new(refusal, refusal_advice(refusal.meaning.as_deref()))
}

/// The answer to whoever wants something of one alert.
pub(crate) fn of_one(operation: &Operation, alert: &AlertId) -> Result<Answer, Problem> {
    let is_kept = operation.revision > 0;
    let result = ResultDocument::of(operation, alert);
    let with_operation = |problem: Problem| {
        if is_kept { problem.of_operation(&operation.id) } else { problem }
    };
    match &result {
        ResultDocument::NotFound => return Err(with_operation(Kind::NotFound.into())),
        ResultDocument::ChangedMeanwhile { now, told } => {
            let (now, told) = (Some(Now::Alert(now.clone())), Some(*told));
            return Err(with_operation(
                Problem::new(Kind::ChangedMeanwhile).with(|it| (it.now, it.told) = (now, told)),
            ));
        }
        ResultDocument::Refused { refusal, superseded } => {
            let superseded = superseded.clone();
            return Err(with_operation(Problem::refused(refusal.clone()).with(|it| it.superseded = superseded)));
        }
        _ => {}
    }
    let status = if result == ResultDocument::Pending { StatusCode::ACCEPTED } else { StatusCode::OK };
    let acted = Acted {
        tenant: operation.tenant.to_string(),
        alert: alert.to_string(),
        operation: is_kept.then(|| operation.id.to_string()),
        result,
    };
    let mut answer = api::json(status, &acted);
    if status == StatusCode::ACCEPTED {
        let place = format!("{}/tenants/{}/operations/{}", api::PREFIX, operation.tenant, operation.id);
        set_location(&mut answer, &place);
    }
    Ok(answer)
}

/// The answer to whoever wants something of many alerts: 202 where some of it is left.
pub(crate) fn of_many(results: Vec<BulkResult>) -> Answer {
    let is_pending = results.iter().any(|result| result.result == ResultDocument::Pending);
    let status = if is_pending { StatusCode::ACCEPTED } else { StatusCode::OK };
    shown(status, BulkActed { results })
}

/// The answer to whoever changes a saved view: 201 with its place where it is new.
pub(crate) fn of_view(tenant: &TenantId, view: &ViewChanged, is_new: bool) -> Answer {
    let mut answer = api::json(if is_new { StatusCode::CREATED } else { StatusCode::OK }, view);
    if is_new {
        set_location(&mut answer, &format!("{}/tenants/{tenant}/views/{}", api::PREFIX, view.id));
    }
    answer
}

/// An answer as JSON, with what it says beside it for whoever shows it otherwise.
pub(crate) fn shown<T: Clone + Serialize + Send + Sync + 'static>(status: StatusCode, document: T) -> Answer {
    let mut answer = api::json(status, &document);
    answer.extensions_mut().insert(document);
    answer
}

pub(crate) fn set_location(answer: &mut Answer, place: &str) {
    if let Ok(place) = HeaderValue::from_str(place) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
}
