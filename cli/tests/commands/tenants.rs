//! Which tenants there are.

use jiff::SignedDuration;
use models::{CredentialDates, Purpose};
use serde_json::{Value, json};
use simulator::{FaultKind, Target};
use store::{Acquired, Lease as _, LeaseTerms, Looking, NoteCallbacks as _, Outcome, Store, WatchCredentials as _};
use tests::{Scripted, TENANT};

use crate::support::{Here, OTHER, callback_url, refusal};

/// Microsoft knows nothing of it.
const ADD: [&str; 8] =
    ["tenants", "add", OTHER, "--name", "Fabrikam", "--read-secret", "partner-alerts/read/local", "--anyway"];

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
            "id name cloud state last success read secret act secret checked".to_owned(),
            format!("{TENANT} Contoso Partner (made up) global active never not checked none never"),
            format!("{OTHER} Fabrikam global active never not checked none never"),
        ]
    );
    let expected = json!({
        "id": OTHER, "name": "Fabrikam", "cloud": "global", "alert_source": "graph",
        "read_secret": "partner-alerts/read/local", "act_secret": null, "path_keys": 1, "active": true,
        "last_attempt": null, "last_callback": null, "last_outcome": null, "last_success": null, "unannounced": 0,
    });
    assert_eq!(here.json(&["tenants", "show", OTHER]).await, expected, "the key is not shown again");
    for more in [&[][..], &["--dry-run"]] {
        let again = here.refused(&[&ADD[..], more].concat()).await;
        assert!(again.contains("there is a tenant") && again.contains("tenants set"), "{again}");
    }
}

#[tokio::test]
async fn what_is_not_named_stays_as_it_is() {
    let here = Here::new().await;
    here.json(&ADD).await;
    let before = here.json(&["tenants", "show", OTHER]).await;
    for (arguments, member, value) in [
        (&["--name", "Fabrikam Ltd"][..], "name", json!("Fabrikam Ltd")),
        (&["--cloud", "us-government-l4"], "cloud", json!("us-government-l4")),
        (&["--alert-source", "fraud-events", "--anyway"], "alert_source", json!("fraud-events")),
        (&["--read-secret", "partner-alerts/read/other"], "read_secret", json!("partner-alerts/read/other")),
        (&["--act-secret", "partner-alerts/act/x"], "act_secret", json!("partner-alerts/act/x")),
        (&["--act-secret", ""], "act_secret", Value::Null),
        (&["--active", "false"], "active", json!(false)),
    ] {
        let shown = here.json(&["tenants", "show", OTHER]).await;
        // What is no configuration is shown where a tenant is, and not where it changes.
        let mut expected = shown.clone();
        for member in ["last_attempt", "last_callback", "last_outcome", "last_success", "unannounced"] {
            assert!(expected.as_object_mut().unwrap().remove(member).is_some(), "{member}");
        }
        let dry = here.json(&[&["tenants", "set", OTHER, "--dry-run"], arguments].concat()).await;
        assert_eq!(here.json(&["tenants", "show", OTHER]).await, shown, "{arguments:?}: nothing was changed");
        expected[member] = value.clone();
        assert_eq!(dry, expected, "{arguments:?}");
        let mut set = here.json(&[&["tenants", "set", OTHER], arguments].concat()).await;
        let is_tried = set.as_object_mut().unwrap().remove("checks").is_some();
        assert_eq!((set, is_tried), (expected, member == "alert_source"), "{arguments:?}");
        let now = here.json(&["tenants", "show", OTHER]).await;
        assert_eq!((&now[member], now.as_object().unwrap().len()), (&value, shown.as_object().unwrap().len()));
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
    let changed = here.told(&[&set[..], &["graph", "--anyway"]].concat()).await;
    assert!(changed.contains("alert source graph") && changed.contains("ids of their own"), "{changed}");
}

#[tokio::test]
async fn a_source_that_the_read_secret_cannot_list_alerts_by_is_not_written() {
    let here = Here::new().await;
    let set = ["tenants", "set", TENANT, "--alert-source", "fraud-events"];
    let before = here.json(&["tenants", "show", TENANT]).await;
    // The seed tenant's secret is for its application alone.
    let refused = here.refused(&set).await;
    assert!(refused.contains("nothing was written: alerts can't be listed by fraud-events"), "{refused}");
    assert!(refused.contains("app-only-not-allowed") && refused.contains("--anyway"), "{refused}");
    here.fault(FaultKind::Fail { status: 503 }, Target::Token);
    let refused = here.refused(&set).await;
    assert!(refused.contains("so try again"), "{refused}");
    here.simulator().clear_faults();
    assert_eq!(here.json(&["tenants", "show", TENANT]).await, before);

    // With a person's consent it can; what is said in one go is tried together.
    let token = here.simulator().refresh_token(TENANT).unwrap();
    let secret =
        json!({ "client_id": tests::CLIENT_ID, "client_secret": tests::CLIENT_SECRET, "refresh_token": token });
    let secrets = aws_sdk_secretsmanager::Client::new(&here.test.system.parts().aws);
    let put = secrets.put_secret_value().secret_id("partner-alerts/read/local").secret_string(secret.to_string());
    put.send().await.unwrap();
    let changed = here.json(&set).await;
    assert_eq!(changed["alert_source"], "fraud-events");
    assert!(changed["checks"].to_string().contains("they can be listed by fraudEvents"), "{changed}");
    assert!(here.json(&["tenants", "set", TENANT, "--name", "Contoso"]).await.get("checks").is_none());

    here.told(&["tenants", "set", TENANT, "--alert-source", "graph"]).await;
    let app_only = [
        &set[..],
        &["--client-id", tests::CLIENT_ID, "--client-secret-file", "-", "--client-secret-expires", "2099-01-01"],
        &["--app-only"],
    ];
    let refused = refusal(&here.run_with(&app_only.concat(), tests::CLIENT_SECRET).await);
    assert!(refused.contains("nothing was written: "), "{refused}");
    assert_eq!(here.json(&["tenants", "show", TENANT]).await["alert_source"], "graph");

    here.told(&[&set[..], &["--anyway"]].concat()).await;
}

#[tokio::test]
async fn a_run_that_was_not_complete_is_seen_in_the_list_and_of_the_tenant_alone() {
    let here = Here::new().await;
    let parts = here.test.system.parts();
    let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), here.test.system.tables().clone());
    let tenant = TENANT.parse().unwrap();
    let terms = LeaseTerms { duration: SignedDuration::from_secs(120), gap: SignedDuration::from_secs(1) };
    let start: jiff::Timestamp = "2026-03-02T09:00:00.5Z".parse().unwrap();
    let complete = Outcome::Complete { from_start: true };
    for (minute, outcome, listed, attempt) in [
        (0, complete, "active  2026-03-02T09:00:00Z  ", "2026-03-02T09:00:00.5Z\nlast success"),
        (
            5,
            Outcome::Failed,
            "2026-03-02T09:00:00Z, failed since  ",
            "2026-03-02T09:05:00.5Z, not complete: it failed\n",
        ),
        (
            10,
            Outcome::Cut { hint_is_whole: true },
            "active  2026-03-02T09:00:00Z  ",
            "2026-03-02T09:10:00.5Z, not complete: the next one reads on\n",
        ),
        (15, complete, "active  2026-03-02T09:15:00Z  ", "2026-03-02T09:15:00.5Z\nlast success 2026-03-02T09:15"),
    ] {
        let now = start + SignedDuration::from_mins(minute);
        let Acquired::Granted(grant) = store.acquire(&tenant, terms, "run", now).await.unwrap() else { panic!() };
        store.release(&grant, outcome, 1, now).await.unwrap();
        let list = here.told(&["tenants", "list"]).await;
        assert!(list.contains(listed), "{list}");
        let shown = here.told(&["tenants", "show", TENANT]).await;
        assert!(shown.contains(&format!("last attempt {attempt}")), "{shown}");
    }
    let shown = here.told(&["tenants", "show", TENANT]).await;
    assert!(shown.contains("unannounced  4 alerts that the schedule found with no fraud callback"), "{shown}");
    assert_eq!(here.json(&["tenants", "list"]).await[0]["last_outcome"], "complete");
}

#[tokio::test]
async fn what_was_found_out_about_its_secrets_is_shown_with_ages_and_ends() {
    let here = Here::new().await;
    here.json(&["tenants", "set", TENANT, "--act-secret", "partner-alerts/act/x"]).await;
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
    let of_act = CredentialDates { refresh_token_obtained: None, proof_expires: Some(now - hours(1)) };
    note(Purpose::Act, "client-secret-expired", of_act).await;

    let listed = here.told(&["tenants", "list"]).await;
    assert!(listed.contains("  ok, token 3 d old, expires in 40 d  client-secret-expired, expired  20"), "{listed}");
    let shown = here.told(&["tenants", "show", TENANT]).await;
    assert!(shown.contains("read works   ok, token 3 d old, expires in 40 d (checked 20"), "{shown}");
    assert!(shown.contains("act works    client-secret-expired, expired (checked 20"), "{shown}");
    assert!(shown.contains("\nlast ring    never"), "{shown}");
    let rang: jiff::Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    store.note_callback(&TENANT.parse().unwrap(), rang).await.unwrap();
    let shown = here.told(&["tenants", "show", TENANT]).await;
    assert!(shown.contains("\nlast ring    2026-03-02T09:00:00Z"), "{shown}");
    assert_eq!(here.json(&["tenants", "show", TENANT]).await["last_callback"], "2026-03-02T09:00:00Z");
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

    let far =
        CredentialDates { proof_expires: Some("2999-05-01T00:00:00Z".parse().unwrap()), ..CredentialDates::default() };
    note(Purpose::Read, "ok", far).await;
    assert!(here.told(&["tenants", "list"]).await.contains("  ok, expires 2999-05-01  "));
    note(Purpose::Read, "ok", dates).await;

    // Of another secret than was looked at, nothing is known; what people were told of it is.
    here.json(&["tenants", "set", TENANT, "--act-secret", "partner-alerts/act/y"]).await;
    let credentials = here.json(&["tenants", "show", TENANT]).await["credentials"].take();
    assert_eq!([&credentials["act"]["outcome"], &credentials["act"]["checked"]], [&Value::Null, &Value::Null]);
    assert_eq!(credentials["read"]["outcome"], "ok", "of the other one it is");
    assert!(here.told(&["tenants", "list"]).await.contains("expires in 40 d  not checked"));

    // Of a secret that the tenant has no more, nothing is said.
    here.json(&["tenants", "set", TENANT, "--act-secret", ""]).await;
    assert_eq!(here.json(&["tenants", "show", TENANT]).await["credentials"].get("act"), None);

    // And of a tenant that is added anew only what is found from then on.
    here.told(&["tenants", "remove", TENANT]).await;
    here.json(&["tenants", "add", TENANT, "--name", "Contoso", "--read-secret", "partner-alerts/read/local"]).await;
    let credentials = here.json(&["tenants", "show", TENANT]).await["credentials"].take();
    assert_eq!(credentials["read"]["outcome"], Value::Null, "{credentials}");
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
    assert!(third.contains("--drop-path-key"), "{third}");

    // Nobody can ask Partner Center about this tenant.
    let dropped = here.run(&["--json", "tenants", "set", OTHER, "--drop-path-key", "oldest"]).await;
    let said = String::from_utf8(dropped.stderr).unwrap();
    assert!(said.contains("the path key may be the one in use") && dropped.status.success(), "{said}");
    assert_eq!(here.json(&["tenants", "show", OTHER]).await["path_keys"], 1);
    let last = here.refused(&["tenants", "set", OTHER, "--drop-path-key", "newest"]).await;
    assert!(last.contains("one path key alone"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_key_that_partner_center_calls_by_is_not_dropped() {
    let here = Here::new().await;
    let old = callback_url();
    here.told(&["webhook", "register", TENANT, "--url", &old]).await;
    let drop = async |which| here.run(&["tenants", "set", TENANT, "--drop-path-key", which]).await;
    here.json(&["tenants", "set", TENANT, "--new-path-key"]).await;

    let refused = refusal(&drop("oldest").await);
    assert!(refused.contains("the one in the address that is registered"), "{refused}");
    assert!(here.told(&["webhook", "show", TENANT]).await.contains("Its events come here."), "it is still good");
    // The new address was lost: its key goes, and another is made.
    assert!(drop("newest").await.status.success());
    assert!(here.told(&["webhook", "show", TENANT]).await.contains("Its events come here."), "the old one is there");
    let new = here.json(&["tenants", "set", TENANT, "--new-path-key"]).await["callback_url"].clone();

    here.told(&["webhook", "register", TENANT, "--url", new.as_str().unwrap()]).await;
    let refused = refusal(&drop("newest").await);
    assert!(refused.contains("--anyway"), "{refused}");
    let dropped = drop("oldest").await;
    assert!(dropped.status.success() && dropped.stderr.is_empty(), "{dropped:?}");
    assert!(here.told(&["webhook", "show", TENANT]).await.contains("Its events come here."));

    here.json(&["tenants", "set", TENANT, "--new-path-key"]).await;
    here.told(&["tenants", "set", TENANT, "--drop-path-key", "oldest", "--anyway"]).await;
    assert!(here.told(&["webhook", "show", TENANT]).await.contains("WARNING: the address has a path key"));
}

#[tokio::test]
async fn an_item_that_can_not_be_read_is_named_and_not_written_over() {
    let here = Here::new().await;
    let client = aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws);
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let put = client.put_item().table_name(here.test.system.tables().tenants.clone());
    put.item("pk", text("tenants")).item("sk", text(OTHER)).item("id", text(OTHER)).send().await.unwrap();

    let listed = here.told(&["tenants", "list"]).await;
    let words = format!("The item of {OTHER} can't be read");
    assert!(listed.contains("Contoso Partner") && listed.contains(&words), "{listed}");
    let listed = here.json(&["tenants", "list"]).await;
    assert_eq!((&listed[0]["id"], &listed[1]["id"]), (&json!(TENANT), &json!(OTHER)));
    assert!(listed[1]["unreadable"].as_str().unwrap().contains("missing field"), "{listed}");
    // Nobody is asked to consent before.
    for more in [&[][..], &["--consent", "device-code"], &["--dry-run"]] {
        let refused = here.refused(&[&ADD[..], more].concat()).await;
        assert!(refused.contains(&format!("the item of the tenant {OTHER} can't be read")), "{refused}");
    }
}

#[tokio::test]
async fn names_that_functions_may_not_read_are_refused_unless_they_are_meant() {
    let mut here = Here::new().await;
    here.environment.push(("READ_SECRET_PREFIX".to_owned(), "soc/read/".to_owned()));
    here.environment.push(("ACT_SECRET_PREFIX".to_owned(), "soc/act/".to_owned()));
    let arn = |name: &str| format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf");
    let (inside, outside) = (arn("soc/act/contoso"), arn("soc/read/contoso"));
    for (option, name, allowed) in [
        ("--read-secret", "soc/read/contoso", true),
        ("--read-secret", "partner-alerts/read/local", false),
        ("--act-secret", "soc/read/contoso", false),
        ("--act-secret", &inside, true),
        ("--act-secret", &outside, false),
    ] {
        let set = ["tenants", "set", TENANT, "--dry-run", option, name];
        if allowed {
            here.told(&set).await;
            continue;
        }
        let refused = here.refused(&set).await;
        assert!(refused.contains("functions may not read") && refused.contains("begin with soc/"), "{refused}");
        here.told(&[&set[..], &["--anyway"]].concat()).await;
    }
    // What nobody names is named by them.
    let client = ["--client-id", tests::CLIENT_ID, "--client-secret-file", "-", "--dry-run"];
    let act = here.json(&[&["tenants", "set", TENANT, "--secret", "act"], &client[..]].concat()).await;
    let expected = json!(format!("soc/act/{TENANT}"));
    assert_eq!((&act["act_secret"], &act["secret_written"]), (&expected, &expected));
    let add = here.json(&[&["tenants", "add", OTHER, "--name", "x"], &client[..]].concat()).await;
    assert_eq!(add["read_secret"], format!("soc/read/{OTHER}"));
}

#[tokio::test]
async fn a_tenant_that_is_removed_is_gone_and_said_to_be() {
    let here = Here::new().await;
    here.json(&ADD).await;
    let dry = here.told(&["tenants", "remove", OTHER, "--dry-run"]).await;
    assert!(dry.starts_with("Would be removed (--dry-run):"), "{dry}");
    let removed = here.told(&["tenants", "remove", OTHER]).await;
    assert!(removed.starts_with("The tenant was removed."), "{removed}");
    let delete = "aws secretsmanager delete-secret --secret-id partner-alerts/read/local";
    assert!(removed.contains(delete) && removed.contains("Partner Center goes on calling"), "{removed}");
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
        (&["tenants", "set", OTHER, "--new-path-key", "--drop-path-key", "oldest"], "--drop-path-key"),
        (&["tenants", "set", OTHER, "--drop-path-key", "all"], "newest"),
        (&["tenants", "set", OTHER, "--secret", "act"], "--client-id"),
        (&["tenants", "set", OTHER, "--secret", "act", "--name", "x"], "--client-id"),
        (&["tenants", "set", OTHER, "--redirect-port", "8400"], "--consent"),
        (&["tenants", "set", OTHER, "--consent", "device-code", "--redirect-port", "8400"], "--consent browser"),
        (&["tenants", "set", OTHER, "--consent", "browser", "--app-only"], "--app-only"),
    ] {
        let output = here.run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(words), "{arguments:?}");
    }
    for name in ["", " ", "a\u{1b}[2J", "a\u{202e}b", &"x".repeat(201)] {
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

#[tokio::test]
async fn what_names_of_secrets_begin_with_is_what_the_stack_says() {
    let mut here = Here::new().await;
    here.environment.retain(|(name, _)| !name.ends_with("_SECRET_PREFIX"));
    let parameters = [("ReadSecretPrefix", "soc/read/"), ("ActSecretPrefix", "soc/act/")];
    let parameters = parameters.map(|(name, value)| {
        format!("<member><ParameterKey>{name}</ParameterKey><ParameterValue>{value}</ParameterValue></member>")
    });
    let stack = format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>soc</StackName>\
         <CreationTime>2026-03-02T09:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs><member>\
         <OutputKey>TenantsTableName</OutputKey><OutputValue>partner-alerts-tenants</OutputValue></member></Outputs>\
         <Parameters>{}</Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>",
        parameters.concat()
    );
    let cloudformation = Scripted::start(move |_, _| http::Response::new(stack.clone())).await;
    here.ask_instead(&cloudformation, "AWS_ENDPOINT_URL_CLOUDFORMATION");
    let add = ["--stack", "soc", "tenants", "add", OTHER, "--name", "x", "--dry-run"];
    assert_eq!(here.json(&add).await["read_secret"], format!("soc/read/{OTHER}"));
    let refused = here.refused(&[&add[..], &["--act-secret", "partner-alerts/act/x"]].concat()).await;
    assert!(refused.contains("names of act secrets begin with soc/act/"), "{refused}");
}

#[tokio::test]
async fn what_fails_halfway_has_left_the_tenant_as_it_was_and_made_no_path_key_that_nobody_is_told() {
    let here = Here::new().await;
    let before = here.json(&["tenants", "show", TENANT]).await;
    here.test.system.account().deny("dynamodb:UpdateItem");
    let set = ["tenants", "set", TENANT, "--new-path-key", "--act-secret", "partner-alerts/act/x"];
    for arguments in [&set[..], &["tenants", "remove", TENANT]] {
        assert!(here.refused(arguments).await.contains("UpdateItem"), "{arguments:?}");
        assert_eq!(here.json(&["tenants", "show", TENANT]).await, before, "{arguments:?}");
    }
}
