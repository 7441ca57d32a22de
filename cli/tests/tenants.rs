//! `partner-alerts tenants`, as an operator runs it, over a local system.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::process::Output;

use serde_json::{Value, json};
use tests::{BY_HAND, TENANT, TestSystem, binaries::variables, lambda::environment};
use tokio::process::Command;

const OTHER: &str = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11";
const ADD: [&str; 7] = ["tenants", "add", OTHER, "--name", "Fabrikam", "--read-secret", "partner-alerts/read/local"];

struct Here {
    test: TestSystem,
    environment: Vec<(String, String)>,
}

impl Here {
    async fn new() -> Self {
        let test = TestSystem::start(&BY_HAND).await.unwrap();
        let mut environment = environment(test.system.parts(), variables("webhook")).await;
        let url = test.system.callback_url();
        let base = url.split_once(TENANT).unwrap().0.to_owned();
        environment.push(("CALLBACK_BASE_URL".to_owned(), base));
        Self { test, environment }
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_partner-alerts"));
        command.env_clear().envs(self.environment.iter().cloned());
        command.args(arguments).output().await.unwrap()
    }

    /// What the command says when it is done.
    async fn told(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.told(&[&["--json"], arguments].concat()).await).unwrap()
    }

    /// What the command says when it is not done.
    async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// How the webhook answers a genuine callback to this address.
    async fn deliver(&self, url: &str) -> u16 {
        let simulator = self.test.system.simulator();
        let now = self.test.system.parts().clock.now();
        let body = json!({ "EventName": "test-created", "ResourceChangeUtcDate": now, "ResourceUri": url });
        simulator.deliver(url, simulator.sign(body.to_string().as_bytes()).unwrap()).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_added_is_listed_and_its_callbacks_are_taken() {
    let here = Here::new().await;
    let dry = here.told(&[&ADD[..], &["--dry-run"]].concat()).await;
    assert!(dry.starts_with("Would be added (--dry-run):"), "{dry}");
    assert!(!dry.contains("callback"), "{dry}");
    assert_eq!(here.json(&["tenants", "list"]).await.as_array().unwrap().len(), 1, "nothing was added");

    let added = here.json(&ADD).await;
    let url = added["callback_url"].as_str().unwrap();
    assert_eq!(here.deliver(url).await, 200);

    let listed = here.told(&["tenants", "list"]).await;
    let lines: Vec<_> = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            "id name cloud state".to_owned(),
            format!("{TENANT} Contoso Partner (made up) global active"),
            format!("{OTHER} Fabrikam global active"),
        ]
    );
    let expected = json!({
        "id": OTHER, "name": "Fabrikam", "cloud": "global", "alert_source": "graph",
        "read_secret": "partner-alerts/read/local", "act_secret": null, "path_keys": 1, "active": true,
    });
    assert_eq!(here.json(&["tenants", "show", OTHER]).await, expected, "the key is not shown again");
    let again = here.refused(&ADD).await;
    assert!(again.contains("there is a tenant") && again.contains("tenants set"), "{again}");
}

#[tokio::test]
async fn what_is_not_named_stays_as_it_is() {
    let here = Here::new().await;
    here.json(&ADD).await;
    let before = here.json(&["tenants", "show", OTHER]).await;
    for (arguments, member, value) in [
        (&["--name", "Fabrikam Ltd"][..], "name", json!("Fabrikam Ltd")),
        (&["--cloud", "us-government-l4"], "cloud", json!("us-government-l4")),
        (&["--alert-source", "fraud-events"], "alert_source", json!("fraud-events")),
        (&["--read-secret", "other"], "read_secret", json!("other")),
        (&["--act-secret", "act"], "act_secret", json!("act")),
        (&["--act-secret", ""], "act_secret", Value::Null),
        (&["--active", "false"], "active", json!(false)),
    ] {
        let mut expected = here.json(&["tenants", "show", OTHER]).await;
        let dry = here.json(&[&["tenants", "set", OTHER, "--dry-run"], arguments].concat()).await;
        assert_eq!(here.json(&["tenants", "show", OTHER]).await, expected, "{arguments:?}: nothing was changed");
        expected[member] = value;
        assert_eq!(dry, expected, "{arguments:?}");
        assert_eq!(here.json(&[&["tenants", "set", OTHER], arguments].concat()).await, expected);
        assert_eq!(here.json(&["tenants", "show", OTHER]).await, expected);
    }
    assert_ne!(here.json(&["tenants", "show", OTHER]).await, before);
}

#[tokio::test]
async fn a_tenant_has_its_alerts_from_the_source_that_is_named_and_a_change_says_what_follows() {
    let here = Here::new().await;
    let added = here.json(&[&ADD[..], &["--alert-source", "fraud-events"]].concat()).await;
    assert_eq!(added["alert_source"], "fraud-events");
    let set = ["tenants", "set", OTHER, "--alert-source"];
    let same = here.told(&[&set[..], &["fraud-events"]].concat()).await;
    assert!(same.contains("alert source fraud-events") && !same.contains("ids of their own"), "{same}");
    let changed = here.told(&[&set[..], &["graph"]].concat()).await;
    assert!(changed.contains("alert source graph") && changed.contains("ids of their own"), "{changed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_key_is_changed_without_a_gap() {
    let here = Here::new().await;
    let added = here.json(&ADD).await;
    let old = added["callback_url"].as_str().unwrap();
    let changed = here.json(&["tenants", "set", OTHER, "--new-path-key"]).await;
    let new = changed["callback_url"].as_str().unwrap();
    assert_ne!(old, new);
    assert_eq!(changed["path_keys"], 2);
    for url in [old, new] {
        assert_eq!(here.deliver(url).await, 200);
    }
    let third = here.refused(&["tenants", "set", OTHER, "--new-path-key"]).await;
    assert!(third.contains("--drop-old-path-key"), "{third}");

    let dropped = here.json(&["tenants", "set", OTHER, "--drop-old-path-key"]).await;
    assert_eq!(dropped["path_keys"], 1);
    // Another system over the same table has not read the keys yet; this one believes them for a minute.
    let hashes = here.json(&["tenants", "show", OTHER]).await;
    assert_eq!(hashes["path_keys"], 1);
}

#[tokio::test]
async fn a_tenant_that_is_removed_is_gone_and_said_to_be() {
    let here = Here::new().await;
    here.json(&ADD).await;
    let dry = here.told(&["tenants", "remove", OTHER, "--dry-run"]).await;
    assert!(dry.starts_with("Would be removed (--dry-run):"), "{dry}");
    let removed = here.told(&["tenants", "remove", OTHER]).await;
    assert!(removed.starts_with("The tenant was removed."), "{removed}");
    for command in [&["tenants", "show", OTHER][..], &["tenants", "remove", OTHER], &["tenants", "set", OTHER]] {
        let refused = here.refused(command).await;
        assert!(refused.contains(&format!("there is no tenant {OTHER}")), "{refused}");
    }
    assert_eq!(here.json(&["tenants", "list"]).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_can_not_be_meant_is_refused_in_words() {
    let here = Here::new().await;
    for (arguments, words) in [
        (&["tenants", "show", "no-id"][..], "no-id"),
        (&["tenants", "add", OTHER, "--name", "x", "--read-secret", "y", "--cloud", "moon"], "moon"),
        (&["tenants", "set", OTHER, "--alert-source", "mail"], "one of graph, fraud-events"),
        (&["tenants", "set", OTHER, "--new-path-key", "--drop-old-path-key"], "--drop-old-path-key"),
    ] {
        let output = here.run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(words), "{arguments:?}");
    }
    for name in ["", " ", "a\u{1b}[2J", &"x".repeat(201)] {
        let refused = here.refused(&["tenants", "add", OTHER, "--name", name, "--read-secret", "y"]).await;
        assert!(refused.contains("--name must be a text of 1 to 200 characters"), "{name:?}: {refused}");
    }
}

#[tokio::test]
async fn an_account_that_is_not_said_is_asked_for() {
    let mut here = Here::new().await;
    here.environment.retain(|(name, _)| name != "TENANTS_TABLE");
    let refused = here.refused(&["tenants", "list"]).await;
    assert!(refused.contains("TENANTS_TABLE") && refused.contains("--stack"), "{refused}");
    // The local system has no CloudFormation.
    let refused = here.refused(&["--stack", "nowhere", "tenants", "list"]).await;
    assert!(refused.contains("the stack nowhere can't be looked at"), "{refused}");
}
