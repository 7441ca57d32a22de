//! A Secrets Manager that holds what a test puts in.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use std::collections::BTreeMap;

use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// The server; it ends with this.
#[derive(Debug)]
pub struct Vault {
    url: String,
    _server: JoinSet<()>,
}

impl Vault {
    /// Holds these secrets, by name.
    pub async fn start(secrets: BTreeMap<String, String>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/", post(async move |body: Bytes| answer(&secrets, &body)));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, _server: server }
    }

    /// The variable that leads a process here.
    #[must_use]
    pub fn variable(&self) -> (String, String) {
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), self.url.clone())
    }
}

fn answer(secrets: &BTreeMap<String, String>, body: &[u8]) -> (StatusCode, String) {
    let asked: Value = serde_json::from_slice(body).unwrap();
    let name = asked["SecretId"].as_str().unwrap();
    match secrets.get(name) {
        Some(secret) => (StatusCode::OK, json!({ "Name": name, "SecretString": secret }).to_string()),
        None => (StatusCode::BAD_REQUEST, json!({ "__type": "ResourceNotFoundException" }).to_string()),
    }
}
