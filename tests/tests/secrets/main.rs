//! No secret comes out of a function, whatever happens.
//!
//! Every secret of the tests is marked (`tests::secrets`), and whatever the process of a function writes is searched for the marks when it
//! ends. Here the processes are led through every trouble between a tenant and Microsoft, with as much in the log as there can be,
//! into a breakdown and into a panic; and each trouble has to be told of, since a search of nothing finds nothing. The command line's and the
//! local system's are in `cli/tests/secrets.rs` and `local/tests/program.rs`; `./check` searches what all tests print.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::process::{Command, Output};

use partner_center::Diagnosis;
use serde_json::{Value, json};
use simulator::{MARKER, NewAlert, Target};
use tests::{
    CLIENT_SECRET, PATH_KEY,
    binaries::{quick, variables},
    lambda::{Ended, Environment, Failed, Lambda, environment},
    queue_record,
    secrets::{APPLICATION_KEY, assert_no_secret},
    troubles::{Tells, Trouble, Troubles},
};

async fn poll_environment(troubles: &Troubles) -> Environment {
    troubles.within(environment(troubles.test.system.parts(), variables("poll")).await)
}

/// An event of the queue that asks for a run of each of these tenants.
fn runs(troubles: &[Trouble]) -> String {
    let message = |trouble: &Trouble| {
        let body = json!({ "tenant": trouble.tenant, "cause": "schedule" }).to_string();
        queue_record(&trouble.what, &body)
    };
    json!({ "Records": troubles.iter().map(message).collect::<Vec<_>>() }).to_string()
}

/// Whether a line tells of the trouble.
fn tells(line: &Value, trouble: &Trouble) -> bool {
    let text = |name: &str| line[name].as_str().unwrap_or_default();
    text("tenant.id") == trouble.tenant.as_str()
        && match trouble.tells {
            Tells::Done => text("message") == "tenant reconciled",
            Tells::Diagnosis(code) => text("diagnosis") == code,
            Tells::Words(words) => text("error").contains(words),
        }
}

#[track_caller]
fn assert_told(ended: &Ended, troubles: &[Trouble]) {
    let lines: Vec<Value> = ended.stdout.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for trouble in troubles {
        assert!(lines.iter().any(|line| tells(line, trouble)), "nothing tells of {trouble:?}: {ended}");
    }
    assert_no_secret(&ended.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_tells_of_each_trouble_with_a_tenant_and_of_no_secret() {
    let troubles = Troubles::of(Target::List).await;
    for trouble in &troubles.all {
        let alert = NewAlert { tenant: Some(trouble.tenant.to_string()), ..NewAlert::default() };
        troubles.microsoft.raise(alert).unwrap();
    }
    let mut poll = Lambda::start(quick("poll"), &poll_environment(&troubles).await).await;

    // Some at a time, as the queue would bring them: a process has half a minute for those that are tried again.
    for some in troubles.all.chunks(10) {
        let answer = poll.invoke(runs(some)).await.unwrap();
        assert_eq!(answer, json!({ "batchItemFailures": [] }), "the next tick is the retry of the schedule's runs");
    }

    assert_told(&poll.kill().await, &troubles.all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_breaks_down_with_secrets_in_its_memory_tells_of_none() {
    let troubles = Troubles::of(Target::List).await;
    let mut poll = Lambda::start(quick("poll"), &poll_environment(&troubles).await).await;
    let good = &troubles.all[..4];

    // An id that can't stand in an address, so that the runtime can't hand the answer over.
    let failed = poll.invoke_as("not an id".to_owned(), runs(good)).await.unwrap_err();

    let Failed::Ended(ended) = failed else { panic!("it should have ended: {failed}") };
    assert!(ended.stderr.iter().any(|line| line.contains("InvalidUri")), "{ended}");
    assert_told(&ended, good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_panics_with_secrets_in_its_environment_tells_of_none() {
    let troubles = Troubles::of(Target::List).await;
    let mut environment = poll_environment(&troubles).await;
    assert!(environment.iter().any(|(_, value)| tests::secrets::secret_in(value).is_some()), "AWS credentials");
    // The runtime panics over a size that is no number: handlers give no occasion.
    let broken = [("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "many"), ("RUST_BACKTRACE", "full")];
    environment.extend(broken.map(|(name, value)| (name.to_owned(), value.to_owned())));

    let failed = Lambda::start(quick("poll"), &environment).await.ready().await.unwrap_err();

    let Failed::Ended(ended) = failed else { panic!("it should have ended: {failed}") };
    assert!(ended.stderr.iter().any(|line| line.contains("panicked at")), "{ended}");
    assert_no_secret(&ended.to_string());
}

#[test]
fn the_troubles_are_all_that_can_be_diagnosed_of_a_sign_in() {
    // Told apart elsewhere, and not to be had of the simulator: Partner Center's own words for what Entra ID says first.
    let others = ["refresh-token-expired", "relationship-missing", "tenant-unknown"];
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let told: Vec<_> = [Target::List, Target::RegistrationEvents]
        .into_iter()
        .flat_map(|service| runtime.block_on(Troubles::of(service)).all)
        .filter_map(|trouble| match trouble.tells {
            Tells::Diagnosis(code) => Some(code),
            Tells::Done | Tells::Words(_) => None,
        })
        .collect();
    for code in Diagnosis::ALL.map(Diagnosis::code) {
        assert!(told.contains(&code) != others.contains(&code), "{code}");
    }
}

/// The search of `./check`, as it stands there, of this output.
fn searched(output: &str) -> Output {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), output).unwrap();
    let script = "source <(sed -n '/^without_secrets() {/,/^}/p' check) && without_secrets \"$1\"";
    let mut bash = Command::new("bash");
    bash.current_dir(root).args(["-euo", "pipefail", "-c", script, "check"]).arg(file.path()).output().unwrap()
}

#[test]
fn the_check_of_all_output_fails_for_each_kind_of_secret_and_for_nothing_else() {
    let innocent = "test a_secret_ends ... ok\nprivate_key is not an RSA key in PEM (BEGIN PRIVATE KEY)\n";
    assert!(searched(innocent).status.success());
    let key_line = APPLICATION_KEY.lines().nth(5).unwrap();
    for secret in [MARKER, CLIENT_SECRET, PATH_KEY, key_line, "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.x"] {
        let found = searched(&format!("{innocent}before {secret} after\n{innocent}"));
        assert_eq!(found.status.code(), Some(1), "{secret}: {found:?}");
        assert!(String::from_utf8(found.stdout).unwrap().contains(&format!("3:before {secret} after")));
    }
}
