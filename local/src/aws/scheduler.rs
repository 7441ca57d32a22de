//! EventBridge Scheduler: the schedules of the local system, looked at and switched on or off.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

/// A schedule as `template.yaml` has it.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) expression: String,
    pub(crate) is_on: bool,
}

/// The schedules, by name.
#[derive(Clone, Debug)]
pub(crate) struct Schedules(Arc<Mutex<BTreeMap<String, Schedule>>>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateSchedule {
    state: Option<String>,
}

impl Schedules {
    pub(crate) fn new(schedules: impl IntoIterator<Item = (String, Schedule)>) -> Self {
        Self(Arc::new(Mutex::new(schedules.into_iter().collect())))
    }

    /// Whether the schedule of this name is there and on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.all().get(name).is_some_and(|schedule| schedule.is_on)
    }

    pub(super) fn answer(&self, method: &Method, name: &str, body: &[u8]) -> Response {
        let mut schedules = self.all();
        let arn = format!("arn:aws:scheduler:eu-west-1:000000000000:schedule/default/{name}");
        let Some(schedule) = schedules.get_mut(name) else {
            return failure(
                StatusCode::NOT_FOUND,
                "ResourceNotFoundException",
                &format!("Schedule {name} does not exist."),
            );
        };
        match *method {
            Method::GET => {
                let state = if schedule.is_on { "ENABLED" } else { "DISABLED" };
                let found = json!({
                    "Arn": arn,
                    "FlexibleTimeWindow": { "Mode": "OFF" },
                    "GroupName": "default",
                    "Name": name,
                    "ScheduleExpression": schedule.expression,
                    "State": state,
                });
                json(StatusCode::OK, &found)
            }
            Method::PUT => match serde_json::from_slice::<UpdateSchedule>(body) {
                Ok(update) => {
                    // What is left out becomes the default, which is on.
                    schedule.is_on = update.state.is_none_or(|state| state == "ENABLED");
                    json(StatusCode::OK, &json!({ "ScheduleArn": arn }))
                }
                Err(_) => failure(StatusCode::BAD_REQUEST, "ValidationException", "not an update of a schedule"),
            },
            Method::DELETE => {
                schedules.remove(name);
                json(StatusCode::OK, &json!({}))
            }
            _ => failure(StatusCode::BAD_REQUEST, "UnknownOperationException", "not an operation of the local system"),
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Schedule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn json(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// An error in the form of the REST protocol: its code is a header.
pub(super) fn failure(status: StatusCode, code: &'static str, message: &str) -> Response {
    let mut response = json(status, &json!({ "Message": message }));
    response.headers_mut().insert("x-amzn-errortype", header::HeaderValue::from_static(code));
    response
}
