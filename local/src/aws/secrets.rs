//! Secrets Manager: made-up credentials, given by name.

use std::{collections::BTreeMap, sync::Arc};

use axum::{http::StatusCode, response::Response};
use serde::Deserialize;

use super::{failure, json};

#[derive(Clone)]
pub(crate) struct Secrets(Arc<BTreeMap<String, String>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.0.keys()).finish()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
}

impl Secrets {
    pub(super) fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(Arc::new(pairs.into_iter().collect()))
    }

    pub(super) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        if operation != "GetSecretValue" {
            return failure(StatusCode::BAD_REQUEST, "UnknownOperationException", operation);
        }
        let Ok(request) = serde_json::from_slice::<GetSecretValue>(body) else {
            return failure(StatusCode::BAD_REQUEST, "InvalidRequestException", "no SecretId");
        };
        let Some(secret) = self.0.get(&request.secret_id) else {
            let message = "Secrets Manager can't find the specified secret.";
            return failure(StatusCode::BAD_REQUEST, "ResourceNotFoundException", message);
        };
        json(StatusCode::OK, serde_json::json!({ "Name": request.secret_id, "SecretString": secret }).to_string())
    }
}
