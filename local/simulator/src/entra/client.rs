//! Who the application is that asks, and how it proves it.

use std::collections::HashMap;

use axum::extract::{Form, FromRequest as _, Request};

use crate::app::Shared;
use crate::entra::assertion;
use crate::entra::problem::Problem;
use crate::options::Tenant;

/// The fields of a posted form, or of a query.
pub(crate) struct Fields(pub(crate) HashMap<String, String>);

impl Fields {
    /// Those of a request; none if its body is no form.
    pub(crate) async fn of(request: Request) -> Option<Self> {
        let form = Form::from_request(request, &()).await;
        form.ok().map(|Form(fields)| Self(fields))
    }

    /// A field's value; empty if it isn't there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// The tenant of the path, with the application that the request names.
pub(crate) fn application<'a>(app: &'a Shared, tenant: &str, client_id: &str) -> Result<&'a Tenant, Problem> {
    let known = app.tenants.iter().find(|known| known.id.eq_ignore_ascii_case(tenant));
    let known = known.ok_or_else(Problem::no_such_tenant)?;
    if client_id.eq_ignore_ascii_case(&known.client_id) { Ok(known) } else { Err(Problem::unknown_application()) }
}

/// Checks secret or certificate. `person` says whether somebody acts through the application: only then may one that
/// is public go without.
pub(crate) fn authenticate(app: &Shared, tenant: &Tenant, fields: &Fields, person: bool) -> Result<(), Problem> {
    let (secret, assertion) = (fields.get("client_secret"), fields.get("client_assertion"));
    match (secret.is_empty(), assertion.is_empty()) {
        (false, _) | (_, false) if tenant.public_client && person => Err(Problem::client(
            700_025,
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        )),
        (true, true) if tenant.public_client && person => Ok(()),
        (true, true) => Err(Problem::client(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )),
        (_, false) => {
            if fields.get("client_assertion_type") != ASSERTION_TYPE {
                return Err(Problem::new(
                    "invalid_request",
                    90014,
                    "The parameter 'client_assertion_type' is missing.",
                ));
            }
            assertion::check(app, tenant, assertion)
        }
        (false, true) => check_secret(app, tenant, secret),
    }
}

fn check_secret(app: &Shared, tenant: &Tenant, secret: &str) -> Result<(), Problem> {
    if secret != tenant.client_secret {
        let text = "Invalid client secret provided. Ensure the secret being sent in the request is the client \
                    secret value, not the client secret ID.";
        return Err(Problem::client(7_000_215, text));
    }
    if tenant.client_secret_expires.is_some_and(|end| end <= app.now()) {
        let text = format!("The provided client secret keys for app '{}' are expired.", tenant.client_id);
        return Err(Problem::client(7_000_222, text));
    }
    Ok(())
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
