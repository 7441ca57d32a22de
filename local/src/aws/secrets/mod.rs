//! Secrets Manager: made-up credentials in versions, on a file that only its owner can read.
//!
//! It does what AWS documents of `CreateSecret`, `DescribeSecret`, `GetSecretValue`, `PutSecretValue` and
//! `UpdateSecretVersionStage`, as far as whoever writes a secret depends on it: versions never change, staging labels move, a
//! repeated request is the same request. A suite that an emulator of others passes, too, holds it to that. It knows no
//! encryption, deletion, rotation, tags or policies.

mod vault;

use std::sync::{Arc, Mutex, PoisonError};

use axum::{http::StatusCode, response::Response};
use jiff::Timestamp;
use runtime::SharedClock;
use serde::Deserialize;
use serde_json::{Value, json};

use self::vault::{Refusal, Secret, Vault, Version};
use super::{failure, json};
use crate::{LocalError, state::State};

/// The file below the folder that state is kept in.
const FILE: &str = "secrets.json";

/// The service. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Secrets {
    vault: Arc<Mutex<Vault>>,
    state: Arc<State>,
    clock: SharedClock,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Secrets").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    secret_string: Option<String>,
    client_request_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    secret_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    secret_id: String,
    secret_string: String,
    client_request_token: String,
    version_stages: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateStage {
    secret_id: String,
    version_stage: String,
    move_to_version_id: Option<String>,
    remove_from_version_id: Option<String>,
}

impl Secrets {
    /// The secrets that the state has.
    pub(crate) fn open(state: Arc<State>, clock: SharedClock) -> Result<Self, LocalError> {
        let kept = state.read(FILE)?.map_or_else(|| Ok(Vault::default()), |text| serde_json::from_str(&text));
        let vault = kept.map_err(|error| LocalError::State {
            folder: state.path(FILE),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
        })?;
        Ok(Self { vault: Arc::new(Mutex::new(vault)), state, clock })
    }

    /// Keeps a secret under this name, unless there is one.
    pub(crate) fn seed(&self, name: &str, text: &str) -> Result<(), LocalError> {
        let mut vault = self.vault.lock().unwrap_or_else(PoisonError::into_inner);
        let token = uuid::Uuid::new_v4().to_string();
        if vault.create(name, Some(text), &token, self.clock.now()).is_ok() {
            self.state.write(FILE, &vault.to_json())?;
        }
        Ok(())
    }

    pub(super) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        match self.done(operation, body) {
            Ok(answer) => json(StatusCode::OK, answer.to_string()),
            Err(Refusal { status, code, message }) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                failure(status, code, message)
            }
        }
    }

    fn done(&self, operation: &str, body: &[u8]) -> Result<Value, Refusal> {
        match operation {
            "CreateSecret" => {
                let Create { name, secret_string, client_request_token } = request(body)?;
                self.change(|vault, now| {
                    let secret = vault.create(&name, secret_string.as_deref(), &client_request_token, now)?;
                    // Without a value there is no version.
                    let version = secret_string.as_ref().map(|_| client_request_token);
                    Ok(json!({ "ARN": secret.arn, "Name": name, "VersionId": version }))
                })
            }
            "DescribeSecret" => {
                let Describe { secret_id } = request(body)?;
                let vault = self.vault.lock().unwrap_or_else(PoisonError::into_inner);
                let secret = vault.secret(&secret_id)?;
                Ok(json!({
                    "ARN": secret.arn,
                    "Name": secret.name,
                    "CreatedDate": seconds(secret.created),
                    "LastChangedDate": seconds(secret.changed),
                    "VersionIdsToStages": secret.labelled(),
                }))
            }
            "GetSecretValue" => {
                let Get { secret_id, version_id, version_stage } = request(body)?;
                let vault = self.vault.lock().unwrap_or_else(PoisonError::into_inner);
                let secret = vault.secret(&secret_id)?;
                let (id, version) = secret.version(version_id.as_deref(), version_stage.as_deref())?;
                Ok(value(secret, id, version))
            }
            "PutSecretValue" => {
                let Put { secret_id, secret_string, client_request_token, version_stages } = request(body)?;
                self.change(|vault, now| {
                    let secret = vault.secret_mut(&secret_id)?;
                    let stages = secret.put(&secret_string, &client_request_token, version_stages.as_deref(), now)?;
                    let stages = json!(stages);
                    let (arn, name) = (&secret.arn, &secret.name);
                    Ok(json!({ "ARN": arn, "Name": name, "VersionId": client_request_token, "VersionStages": stages }))
                })
            }
            "UpdateSecretVersionStage" => {
                let asked: UpdateStage = request(body)?;
                self.change(|vault, now| {
                    let secret = vault.secret_mut(&asked.secret_id)?;
                    let (to, from) = (asked.move_to_version_id.as_deref(), asked.remove_from_version_id.as_deref());
                    secret.move_stage(&asked.version_stage, to, from, now)?;
                    Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
                })
            }
            _ => Err(Refusal { status: 400, code: "UnknownOperationException", message: "not of the local system" }),
        }
    }

    /// Makes a change if it is allowed and can be kept, and none otherwise.
    fn change(&self, change: impl FnOnce(&mut Vault, Timestamp) -> Result<Value, Refusal>) -> Result<Value, Refusal> {
        let mut vault = self.vault.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = vault.clone();
        let answer = change(&mut changed, self.clock.now())?;
        if let Err(error) = self.state.write(FILE, &changed.to_json()) {
            tracing::error!(error = runtime::chain(&error), "secrets can't be kept");
            return Err(Refusal { status: 500, code: "InternalServiceError", message: "secrets can't be kept" });
        }
        *vault = changed;
        Ok(answer)
    }
}

fn request<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    let problem = "a member is missing, or not of the local system";
    serde_json::from_slice(body).map_err(|_| Refusal { status: 400, code: "InvalidRequestException", message: problem })
}

fn value(secret: &Secret, id: &str, version: &Version) -> Value {
    json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": id,
        "SecretString": version.text,
        "VersionStages": version.stages,
        "CreatedDate": seconds(version.created),
    })
}

/// Seconds since 1970, as AWS writes moments in JSON.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
fn seconds(moment: Timestamp) -> f64 {
    moment.as_millisecond() as f64 / 1_000.0
}
