//! Device codes: consent without a browser on the same machine (RFC 8628).

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::app::{App, Shared, lock};
use crate::entra::client::{Fields, application};
use crate::entra::problem::{Problem, trouble};
use crate::entra::sign_ins::WAIT;
use crate::reply::Reply;
use crate::targets::Target;

pub(crate) async fn device_code(State(app): State<App>, Path(tenant): Path<String>, request: Request) -> Response {
    let fields = Fields::of(request).await;
    app.respond(Target::DeviceCode, Some(&tenant), |fault| {
        if let Some(reply) = trouble(&app, Target::DeviceCode, fault) {
            return reply;
        }
        let fields = fields.ok_or_else(|| Problem::missing("client_id"));
        fields.and_then(|fields| give(&app, &tenant, &fields)).unwrap_or_else(|problem| problem.reply(&app))
    })
    .await
}

fn give(app: &Shared, tenant: &str, fields: &Fields) -> Result<Reply, Problem> {
    let tenant = application(app, tenant, fields.get("client_id"))?;
    let scope = fields.get("scope");
    if scope.is_empty() {
        return Err(Problem::missing("scope"));
    }
    let interval = i64::from(app.device_interval);
    let (device_code, user_code) = lock(&app.sign_ins).begin_on_device(&tenant.id, scope, interval, app.now());
    app.changed();
    let page = format!("{}/devicelogin", app.microsoft_url);
    Ok(Reply::json(
        StatusCode::OK,
        &json!({
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": page,
            "expires_in": WAIT,
            "interval": interval,
            "message": format!(
                "To sign in, use a web browser to open the page {page} and enter the code {user_code} to authenticate."
            ),
        }),
    ))
}

/// There is nothing to type here: whoever comes is told how a sign-in is decided.
pub(crate) async fn page(State(app): State<App>) -> Reply {
    let url = &app.control_url;
    let text = format!(
        "Nobody signs in at a simulator. Say what the person does:\n\n  curl -X POST {url}/sign-ins \
         -H 'Content-Type: application/json' -d '{{\"decision\":\"approve\"}}'\n"
    );
    Reply::new(StatusCode::OK, "text/plain; charset=utf-8", text.into_bytes())
}
