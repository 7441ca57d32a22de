//! Which tenants there are.

use jiff::SignedDuration;
use models::{CredentialDates, Purpose};
use serde_json::{Value, json};
use store::{Looking, Store, WatchCredentials as _};
use tests::TENANT;

use crate::support::{Here, OTHER};

const ADD: [&str; 7] = ["tenants", "add", OTHER, "--name", "Fabrikam", "--read-secret", "partner-alerts/read/local"];

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
            "id name cloud state read secret act secret".to_owned(),
            format!("{TENANT} Contoso Partner (made up) global active not checked none"),
            format!("{OTHER} Fabrikam global active not checked none"),
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
async fn what_was_found_out_about_its_secrets_is_shown_with_ages_and_ends() {
    let here = Here::new().await;
    here.json(&["tenants", "set", TENANT, "--act-secret", "act"]).await;
    let parts = here.test.system.parts();
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), here.test.system.tables().clone());
    let now = parts.clock.now();
    let hours = SignedDuration::from_hours;
    let note = async |purpose, outcome, dates| {
        let tenant = TENANT.parse().unwrap();
        let begun = store.begin_look(&tenant, purpose, "run", hours(1), now).await.unwrap();
        let Looking::Granted(look) = begun else { panic!("{begun:?}") };
        store.end_look(&look, outcome, Some(dates), now).await.unwrap();
    };
    let (obtained, expires) = (now - hours(3 * 24 + 1), now + hours(40 * 24 + 1));
    let dates = CredentialDates { refresh_token_obtained: Some(obtained), proof_expires: Some(expires) };
    note(Purpose::Read, "ok", dates).await;
    let dates = CredentialDates { refresh_token_obtained: None, proof_expires: Some(now - hours(1)) };
    note(Purpose::Act, "client-secret-expired", dates).await;

    let listed = here.told(&["tenants", "list"]).await;
    assert!(listed.contains("ok, token 3 d old, expires in 40 d  client-secret-expired, expired"), "{listed}");
    let shown = here.told(&["tenants", "show", TENANT]).await;
    assert!(shown.contains("read works   ok, token 3 d old, expires in 40 d (checked 20"), "{shown}");
    assert!(shown.contains("act works    client-secret-expired, expired (checked 20"), "{shown}");
    let credentials = here.json(&["tenants", "show", TENANT]).await["credentials"].take();
    // Moments are kept in milliseconds.
    let kept = |moment: jiff::Timestamp| json!(moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
    let of_read = &credentials["read"];
    let as_kept = |value: &Value| kept(value.as_str().unwrap().parse().unwrap());
    assert_eq!(as_kept(&of_read["checked"]), kept(now));
    assert_eq!(as_kept(&of_read["refresh_token_obtained"]), kept(obtained));
    assert_eq!(as_kept(&of_read["expires"]), kept(expires));
    assert_eq!(credentials["read"]["outcome"], "ok");
    assert_eq!([&credentials["read"]["refresh_token_days"], &credentials["read"]["expires_in_days"]], [3, 40]);
    assert_eq!(credentials["act"]["refresh_token_days"], Value::Null);
    assert_eq!(credentials["act"]["expires_in_days"], -1);
    assert_eq!(
        here.json(&["tenants", "list"]).await[0]["credentials"],
        here.json(&["tenants", "show", TENANT]).await["credentials"]
    );

    // Of a secret that the tenant has no more, nothing is said.
    here.json(&["tenants", "set", TENANT, "--act-secret", ""]).await;
    assert_eq!(here.json(&["tenants", "show", TENANT]).await["credentials"].get("act"), None);
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
