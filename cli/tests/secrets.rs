//! No secret comes out of `partner-alerts`, whatever happens: it is led through every trouble between a tenant and Microsoft.
//!
//! Every secret of the tests is marked: `tests::secrets` says how.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::process::Output;

use partner_center::Diagnosis;
use simulator::{NewAuditRecord, Target};
use tests::{
    PATH_KEY,
    binaries::variables,
    lambda::{Environment, environment},
    secrets::assert_no_secret,
    troubles::{Tells, Trouble, Troubles},
};
use tokio::process::Command;

const BASE: &str = "https://hooks.example/callbacks/";

async fn run(environment: &Environment, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partner-alerts"));
    command.env_clear().env("RUST_BACKTRACE", "full").envs(environment.iter().cloned());
    command.args(arguments).output().await.unwrap()
}

/// What was said, on both outputs.
fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).join("\n")
}

async fn troubles(service: Target) -> (Troubles, Environment) {
    let troubles = Troubles::of(service).await;
    let mut environment = troubles.within(environment(troubles.test.system.parts(), variables("poll")).await);
    environment.push(("CALLBACK_BASE_URL".to_owned(), BASE.to_owned()));
    (troubles, environment)
}

fn what_to_do(code: &str) -> &'static str {
    Diagnosis::ALL.into_iter().find(|diagnosis| diagnosis.code() == code).unwrap().what_to_do()
}

/// Whether the command succeeded or failed as it should, and says why.
#[track_caller]
fn assert_told(output: &Output, trouble: &Trouble, done: &str) {
    let said = said(output);
    let told = match trouble.tells {
        Tells::Done => output.status.success() && said.contains(done),
        Tells::Diagnosis(code) => output.status.code() == Some(1) && said.contains(what_to_do(code)),
        Tells::Words(words) => output.status.code() == Some(1) && said.contains(words),
    };
    assert!(told, "{trouble:?}: {} {said}", output.status);
    assert_no_secret(&said);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_trouble_with_a_tenant_is_told_of_and_no_secret() {
    let (troubles, environment) = troubles(Target::RegistrationEvents).await;
    for trouble in &troubles.all {
        let output = run(&environment, &["webhook", "events", trouble.tenant.as_str()]).await;
        assert_told(&output, trouble, "azure-fraud-event-detected");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_trouble_with_an_audit_record_is_told_of_and_no_secret() {
    let (troubles, environment) = troubles(Target::AuditRecord).await;
    for trouble in &troubles.all {
        let tenant = trouble.tenant.to_string();
        let new = NewAuditRecord { tenant: Some(tenant.clone()), ..NewAuditRecord::default() };
        let record = troubles.microsoft.write_audit_record(new).unwrap();
        let output = run(&environment, &["webhook", "audit", &tenant, &record.id]).await;
        assert_told(&output, trouble, &record.operation_date);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_is_told_in_confidence_it_does_not_say() {
    let (troubles, environment) = troubles(Target::RegistrationEvents).await;
    let tenant = troubles.all[0].tenant.as_str();
    let url = format!("{BASE}{tenant}/{PATH_KEY}");
    for (arguments, words) in [
        (vec!["webhook", "register", tenant, "--url", &url], "a path key that is not valid"),
        (vec!["--json", "webhook", "register", tenant, "--url", &url, "--dry-run"], "a path key that is not valid"),
        (vec!["webhook", "events", tenant], "azure-fraud-event-detected"),
        (vec!["webhook", "test", tenant], "status 400"),
        (vec!["webhook", "status", tenant, "none"], "status 404"),
        (vec!["tenants", "show", tenant], "partner-alerts/read/"),
        (vec!["tenants", "list"], tenant),
    ] {
        let said = said(&run(&environment, &arguments).await);
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert_no_secret(&said);
    }
}
