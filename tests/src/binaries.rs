//! The binaries of the functions, as Lambda starts them.
//!
//! Cargo builds a package's binaries for the tests of that package alone, so these are built when they are first asked for: by
//! the same cargo, in the same target folder, and once a process.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use runtime::Variable;
use serde_json::Value;

/// The profile of tests: see `Cargo.toml`.
pub const QUICK: &str = "quick";
/// The profile of what is deployed.
pub const DEPLOYED: &str = "release";

/// The functions: package and binary have the same name.
pub const FUNCTIONS: [&str; 8] = ["authorize", "dashboard", "notify", "poll", "renew", "resolve", "sign-in", "webhook"];

/// What `template.yaml` gives the functions where nobody changes a parameter but those that say who signs in, all functions together, and
/// what Lambda adds: for starts that are measured. A test holds it to the template.
pub const STARTED_WITH: [(&str, &str); 34] = [
    ("ACTIVITY_TABLE", "activity"),
    ("ALERTS_TABLE", "alerts"),
    ("API_CLIENTS", ""),
    ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "session"),
    ("CERTIFICATE_ISSUER_HOSTS", ""),
    ("CERTIFICATE_LOCATIONS", ""),
    ("CERTIFICATE_NAMES", ""),
    ("CURSOR_SECRET", "partner-alerts/dashboard/sealing"),
    ("EVENTS_TABLE", "events"),
    ("EVENTS_TOPIC_ARN", "arn:aws:sns:eu-west-1:000000000000:events"),
    ("FRAUD_SEVERITY", "high"),
    ("FRAUD_TOPIC_ARN", "arn:aws:sns:eu-west-1:000000000000:fraud"),
    ("LOG_LEVEL", "info"),
    ("NAMES_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/000000000000/names"),
    ("EXPORTS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/000000000000/exports"),
    ("EXPORT_BUCKET", "exports"),
    ("OPERATIONS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/000000000000/operations"),
    ("OPERATIONS_TOPIC_ARN", "arn:aws:sns:eu-west-1:000000000000:operations"),
    ("OUTGOING_TLS_TRUST_ANCHORS_FILE", ""),
    ("PUBLIC_URL", "https://people.execute-api.eu-west-1.amazonaws.com"),
    ("RECONCILE_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/000000000000/reconcile"),
    ("ROLE_MAP", ""),
    ("SEALING_SECRET", "partner-alerts/sign-in/sealing"),
    ("SESSIONS_TABLE", "sessions"),
    ("SIGNATURE_INTERMEDIATES_FILE", ""),
    ("SIGNATURE_TRUST_ANCHORS_FILE", ""),
    ("SIGN_IN_CLIENT_ID", "11111111-2222-4333-8444-555555555555"),
    ("SIGN_IN_SECRET", "partner-alerts/sign-in/client"),
    ("SIGN_IN_TENANTS", "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10"),
    ("SIGN_IN_URL", ""),
    ("TENANTS_TABLE", "tenants"),
];

/// Every variable of a function, beside those of all functions.
///
/// # Panics
///
/// Where no function is called so.
#[must_use]
pub fn variables(function: &str) -> &'static [Variable] {
    match function {
        "authorize" => &authorize::VARIABLES,
        "dashboard" => &dashboard::VARIABLES,
        "notify" => &notify::VARIABLES,
        "poll" => &poll::VARIABLES,
        "renew" => &renew::VARIABLES,
        "resolve" => &resolve::VARIABLES,
        "sign-in" => &sign_in::VARIABLES,
        "webhook" => &webhook::VARIABLES,
        other => panic!("no function is called {other}"),
    }
}

/// The quick binary of a function.
///
/// # Panics
///
/// Where it can't be built.
#[must_use]
pub fn quick(function: &str) -> &'static Path {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    &BUILT.get_or_init(|| build(QUICK, &FUNCTIONS.map(|name| format!("--package={name}"))))[function]
}

/// The quick binary of the operators' command line.
///
/// # Panics
///
/// Where it can't be built.
#[must_use]
pub fn command_line() -> &'static Path {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    &BUILT.get_or_init(|| build(QUICK, &["--package=cli".to_owned()]))["partner-alerts"]
}

/// Builds the binaries that these arguments select, and says where each is, by its name.
///
/// # Panics
///
/// Where they can't be built: cargo has said why on standard error.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that can't be set up has to fail loudly")]
pub fn build(profile: &str, arguments: &[String]) -> BTreeMap<String, PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    cargo.args(["build", "--locked", "--quiet", "--message-format=json-render-diagnostics", "--profile", profile]);
    let built = cargo.args(arguments).stderr(Stdio::inherit()).output().expect("cargo can be started");
    assert!(built.status.success(), "cargo build --profile {profile} {arguments:?}: {}", built.status);
    let messages = String::from_utf8(built.stdout).expect("cargo writes text");
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let binaries = messages.filter_map(|message| {
        let path = message["executable"].as_str()?;
        Some((message["target"]["name"].as_str()?.to_owned(), PathBuf::from(path)))
    });
    binaries.collect()
}
