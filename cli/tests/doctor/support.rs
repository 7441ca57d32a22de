//! A system in which all is well, and the binary over it.

use std::{collections::BTreeMap, fmt::Write as _, process::Output};

use aws_sdk_dynamodb::types::AttributeValue;
use models::{ReconcileCause, ReconcileRequest};
use regex::Regex;
use serde_json::Value;
use store::{ReadCredentials as _, Store};
use tests::{PATIENCE, TENANT, TestSystem};
use tokio::process::Command;

/// The schedules are on, as they should be, and nothing else runs by itself.
const BY_HAND: [(&str, &str); 2] = [("LOCAL_QUEUE", "off"), ("LOCAL_STREAMS", "off")];

/// A system, and what the command line needs to work on it.
pub(crate) struct Here {
    pub(crate) test: TestSystem,
    pub(crate) environment: BTreeMap<String, String>,
}

impl Here {
    /// Everything is as it should be: the webhook is registered, there was a complete run, and the credentials were looked at.
    pub(crate) async fn well() -> Self {
        let test = TestSystem::start(&BY_HAND).await.unwrap();
        let environment = test.system.environment().iter().cloned().collect();
        let here = Self { test, environment };
        let poll = poll::wire(here.test.system.parts()).unwrap();
        let request =
            ReconcileRequest { tenant: TENANT.parse().unwrap(), cause: ReconcileCause::Schedule, trace: None };
        poll.reconcile(&request, None).await.unwrap();
        // Its schedule ticks at the start.
        tokio::time::timeout(PATIENCE, here.looked()).await.unwrap();
        here.done(&["webhook", "register", TENANT, "--url", &here.environment["LOCAL_CALLBACK_URL"]]).await;
        here
    }

    /// The run of `renew` that the system begins with has noted what it found.
    async fn looked(&self) {
        let system = &self.test.system;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&system.parts().aws), system.tables().clone());
        while store.credentials(&TENANT.parse().unwrap()).await.unwrap().values().all(|known| known.checked.is_none()) {
            tokio::task::yield_now().await;
        }
    }

    /// `renew` looks at the credentials, in an invocation of this id.
    pub(crate) async fn renew(&self, run: &str) {
        let renew = renew::wire(self.test.system.parts()).unwrap();
        let invocation = serde_json::from_value(serde_json::json!({ "task": "renew" })).unwrap();
        renew.handle(invocation, run).await.unwrap();
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_partner-alerts"));
        command.env_clear().envs(&self.environment).args(arguments).output().await.unwrap()
    }

    /// What a command says that is done.
    pub(crate) async fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        assert!(output.stderr.is_empty(), "nobody watches: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Everything that is not as it should be, as it is said, and the exit status.
    pub(crate) async fn seen(&self) -> String {
        self.seen_by(&[]).await
    }

    /// The same with these arguments more.
    pub(crate) async fn seen_by(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["--json", "doctor"], arguments].concat()).await;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let mut seen = String::new();
        for finding in report["findings"].as_array().unwrap() {
            if finding["state"] == "ok" {
                continue;
            }
            let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            let [state, area, subject, words] = ["state", "area", "subject", "words"].map(text);
            writeln!(seen, "{state}: {area}, {subject}: {words}").unwrap();
            if let Some(advice) = finding["advice"].as_str() {
                writeln!(seen, "    {advice}").unwrap();
            }
        }
        let problems = report["problems"].as_u64().unwrap();
        let is_blind = seen.contains("unknown: tenants, tenants");
        assert_eq!(output.status.code(), Some(i32::from(problems > 0 || is_blind)), "{seen}");
        assert_eq!(report["findings"].as_array().unwrap().len() as u64, sum(&report), "{report}");
        if seen.is_empty() { "all is well\n".to_owned() } else { steady(&seen) }
    }

    /// An attribute of the seed tenant's state, in place of what it is; `None` takes it away.
    pub(crate) async fn state(&self, name: &str, moment: Option<String>) {
        let client = aws_sdk_dynamodb::Client::new(&self.test.system.parts().aws);
        let update = client.update_item().table_name(&self.environment["TENANTS_TABLE"]);
        let update = update.key("pk", AttributeValue::S(TENANT.to_owned()));
        let update = update.key("sk", AttributeValue::S("state".to_owned())).expression_attribute_names("#name", name);
        let update = match moment {
            Some(moment) => update
                .update_expression("SET #name = :moment")
                .expression_attribute_values(":moment", AttributeValue::S(moment)),
            None => update.update_expression("REMOVE #name"),
        };
        update.send().await.unwrap();
    }
}

fn sum(report: &Value) -> u64 {
    ["problems", "warnings", "unknown", "ok"].iter().map(|state| report[state].as_u64().unwrap()).sum()
}

/// A text without what differs from run to run.
pub(crate) fn steady(text: &str) -> String {
    let mut steady = text.to_owned();
    for (what, stands) in [
        (r"(127\.0\.0\.1|localhost):\d+", "$1:PORT"),
        (r"\b[0-3] minutes ago", "just now"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "MOMENT"),
        (r"\d{4}-\d\d-\d\d", "DATE"),
        (r"\b(x-ms-request-id|request-id|MS-RequestId|MS-CorrelationId|MS-CV) [^,)]+", "$1 ID"),
        (r"/tmp/[^ ;]+", "PATH"),
    ] {
        steady = Regex::new(what).unwrap().replace_all(&steady, stands).into_owned();
    }
    steady
}

/// Cases and what is seen of each, for one snapshot.
#[derive(Default)]
pub(crate) struct Cases(String);

impl Cases {
    pub(crate) fn add(&mut self, case: &str, seen: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        write!(self.0, "{gap}# {case}\n{seen}").unwrap();
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}
