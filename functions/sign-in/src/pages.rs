//! What a person at a browser reads who signs in or out.

use http::{Response, StatusCode};
use identity::{Access, Caller, Permission};
use maud::{Markup, html};
use pages::{Page, theirs, way};

use crate::Problem;

pub(crate) fn of_problem(problem: &Problem) -> Response<String> {
    let (what, advice) = problem.words();
    Page::new(problem.status(), what, html! { p { (advice) } (way("/sign-in", "Sign in")) }).answer()
}

pub(crate) fn signed_out() -> Response<String> {
    let body = html! {
        p { "This browser may still be signed in at Microsoft: sign out there, too, if others use it." }
        (way("/sign-in", "Sign in again"))
    };
    Page::new(StatusCode::OK, "You are signed out", body).answer()
}

/// Who is signed in, what they may do, and the way out.
pub(crate) fn me(caller: &Caller) -> Response<String> {
    let body = html! {
        p { (theirs(caller.name())) ", of tenant " (caller.tid()) }
        (rights(caller.access()))
        form method="post" action="/sign-out" { button { "Sign out" } }
    };
    Page::new(StatusCode::OK, "You are signed in", body).with_forms().answer()
}

fn rights(access: &Access) -> Markup {
    if access.is_none() {
        return html! {
            p { "You have no role in Partner Alerts, so there is nothing that you may do. Ask for the app role AdminAgent." }
        };
    }
    let word = |permission: &Permission| match permission {
        Permission::Cancel => "cancel subscriptions",
        Permission::Resolve => "resolve alerts",
        Permission::See => "see alerts",
    };
    html! {
        p { "You may:" }
        ul {
            @for (tenant, allowed) in access.entries() {
                li {
                    (allowed.iter().map(word).collect::<Vec<_>>().join(", "))
                    @match tenant {
                        Some(tenant) => { ", of tenant " (tenant) }
                        None => { ", of all tenants" }
                    }
                }
            }
        }
    }
}
