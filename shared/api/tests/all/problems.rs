//! Problems are those that the documents list, and their answers say no more than they should.

use api::{Kind, Problem, of_problem};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../../docs/api.md");

#[test]
fn every_problem_is_documented_with_its_status_and_none_else_is() {
    for kind in Kind::ALL {
        let row = format!("| `/problems/{}` | {} |", kind.name(), kind.status().as_u16());
        assert!(DOCUMENT.contains(&row), "{row} is not in docs/api.md");
    }
    assert_eq!(DOCUMENT.matches("| `/problems/").count(), Kind::ALL.len());
}

#[test]
fn a_problem_is_answered_with_its_type_and_members_and_kept_by_nobody() {
    let problem = Problem::value("note", "it is too long").with(|it| it.revision = Some(2));
    let answer = of_problem(&problem, "invocation-1");
    let body: Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "type": "/problems/value-refused", "title": "A value is not accepted", "status": 422, "detail": "note: it is too long.",
            "instance": "/requests/invocation-1", "member": "note", "revision": 2,
        })
    );
    assert_eq!(answer.status(), 422);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/problem+json");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(of_problem(&Kind::NotSignedIn.into(), "x").headers()["www-authenticate"], "Bearer");
    assert_eq!(of_problem(&Kind::Unavailable.into(), "x").headers()["retry-after"], "5");
}

#[test]
fn what_went_wrong_inside_is_for_the_log_alone() {
    let answer = of_problem(&Problem::unavailable(&std::io::Error::other("the table secret-name is gone")), "x");
    assert_eq!(answer.status(), 503);
    assert!(!answer.body().contains("secret-name"), "{}", answer.body());
}
