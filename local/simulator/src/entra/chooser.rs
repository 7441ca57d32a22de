//! The page on which a person at a browser chooses who to be. A form without scripts; programs, which don't ask for a page, never see it.

use std::collections::HashMap;

use axum::http::{HeaderMap, StatusCode, header};

use crate::entra::client::Fields;
use crate::entra::sign_ins::Decision;
use crate::entra::tokens::{Person, Role};
use crate::options::Tenant;
use crate::reply::Reply;

/// The field that holds what was chosen; no parameter of the protocol is called so.
const CHOICE: &str = "simulated_choice";

/// What may be chosen, and what it is called.
const CHOICES: [(&str, &str); 4] = [
    ("admin-agent", "Admin Agent"),
    ("global-administrator", "Global Administrator and Admin Agent"),
    ("reader", "Somebody without a role"),
    ("deny", "Nobody: refuse"),
];

/// Whether a request comes from a browser, for a person to look at.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// What was chosen on the page. None where it was nothing that the page offers.
pub(crate) fn chosen(tenant: &Tenant, fields: &Fields) -> Option<Decision> {
    let person = match fields.get(CHOICE) {
        "admin-agent" => Person::admin_agent(&tenant.id),
        "global-administrator" => Person::global_administrator(&tenant.id),
        "reader" => Person::reader(&tenant.id),
        "deny" => return Some(Decision::Deny),
        _ => return None,
    };
    Some(Decision::Approve(person))
}

pub(crate) fn page(tenant: &Tenant, query: &HashMap<String, String>) -> Reply {
    let mut kept: Vec<_> = query.iter().filter(|(name, _)| *name != CHOICE).collect();
    kept.sort();
    let hidden = |(name, value): (&String, &String)| {
        format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escaped(name), escaped(value))
    };
    let button = |(choice, text): &(&str, &str)| {
        format!("<p><button name=\"{CHOICE}\" value=\"{choice}\">{text}</button></p>\n")
    };
    let kept = kept.into_iter().map(hidden).collect::<Vec<_>>().concat();
    let choices = CHOICES.iter().map(button).collect::<Vec<_>>().concat();
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Simulated Entra ID</title>\n\
         <h1>Simulated Entra ID</h1>\n<p>Somebody signs in to tenant {}. Who?</p>\n\
         <form method=\"post\">\n{kept}{choices}</form></html>\n",
        escaped(&tenant.id),
    );
    Reply::new(StatusCode::OK, "text/html; charset=utf-8", page.into_bytes())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

impl Person {
    /// A Global Administrator who is an Admin Agent too: whom Microsoft lets cancel subscriptions.
    #[must_use]
    pub fn global_administrator(tenant: &str) -> Self {
        let name = format!("global.administrator@{tenant}.example");
        Self { mfa: true, name, roles: vec![Role::AdminAgent, Role::GlobalAdministrator] }
    }

    /// Somebody of the tenant who has no role.
    #[must_use]
    pub fn reader(tenant: &str) -> Self {
        Self { mfa: true, name: format!("reader@{tenant}.example"), roles: Vec::new() }
    }
}
