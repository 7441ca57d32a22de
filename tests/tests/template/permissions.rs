//! What a function may do is what it does: no less and no more.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};
use simulator::{AlertChange, CustomerChange, NewAlert};
use tests::{ByHand, TENANT, stream_record};

use crate::support::{FUNCTIONS, Template, listed};

/// Actions, and the resources as the template names them.
pub(crate) type Grants = BTreeSet<(String, String)>;

fn grant(action: &str, resource: impl Into<String>) -> (String, String) {
    (action.to_owned(), resource.into())
}

/// What a function may do.
pub(crate) fn granted(template: &Template, function: &str) -> Grants {
    let properties = template.at(&format!("/Resources/{function}/Properties"));
    assert_eq!(properties["Role"], json!({ "!GetAtt": format!("{function}Role.Arn") }), "{function}");
    assert!(properties.get("Policies").is_none(), "{function}: all that it may do stands in its role");
    let role = template.at(&format!("/Resources/{function}Role/Properties"));
    assert!(role.get("ManagedPolicyArns").is_none(), "{function}");
    let mut grants = BTreeSet::new();
    for policy in role["Policies"].as_array().unwrap() {
        for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
            assert_eq!(statement["Effect"], "Allow", "{function}");
            for action in listed(&statement["Action"]) {
                for resource in listed(&statement["Resource"]) {
                    let resource = resource.as_object().and_then(|tagged| tagged.values().next());
                    let resource = resource.and_then(Value::as_str).expect("resources are references");
                    grants.insert(grant(action.as_str().unwrap(), resource));
                }
            }
        }
    }
    grants
}

/// What Lambda does in the function's name: it writes the log, and reads what wakes the function.
pub(crate) fn needed_by_lambda(template: &Template, function: &str) -> Grants {
    let log = template.function(function)["LoggingConfig"]["LogGroup"]["!Ref"].as_str().unwrap().to_owned();
    let mut needed: Grants =
        ["logs:CreateLogStream", "logs:PutLogEvents"].map(|action| grant(action, format!("{log}.Arn"))).into();
    let properties = template.function(function);
    let events = properties.get("Events").and_then(Value::as_object);
    for event in events.into_iter().flat_map(serde_json::Map::values) {
        let properties = &event["Properties"];
        match event["Type"].as_str().unwrap() {
            "SQS" => {
                let queue = properties["Queue"]["!GetAtt"].as_str().unwrap();
                let actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
                needed.extend(actions.map(|action| grant(action, queue)));
            }
            "DynamoDB" => {
                let stream = properties["Stream"]["!GetAtt"].as_str().unwrap();
                let actions = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"];
                needed.extend(actions.map(|action| grant(action, stream)));
                let table = stream.strip_suffix(".StreamArn").unwrap();
                needed.insert(grant("dynamodb:ListStreams", format!("${{{table}.Arn}}/stream/*")));
                let given_up = properties["DestinationConfig"]["OnFailure"]["Destination"]["!GetAtt"].as_str().unwrap();
                needed.insert(grant("sqs:SendMessage", given_up));
            }
            // These wake a function from outside, with permissions of their own.
            "HttpApi" | "ScheduleV2" => {}
            other => panic!("a source that this test does not know: {other}"),
        }
    }
    needed
}

/// What was asked of AWS. A transaction needs the permissions of the single actions in it.
pub(crate) fn asked(system: &ByHand) -> Grants {
    let mut asked = BTreeSet::new();
    for call in system.tap.take() {
        let request: Value = serde_json::from_str(&call.body).unwrap_or_default();
        let table = |name: &Value| format!("{}.Arn", table_of(system, name.as_str().unwrap()));
        match call.operation.as_str() {
            "BatchGetItem" => {
                let tables = request["RequestItems"].as_object().unwrap().keys();
                asked.extend(tables.map(|name| grant("dynamodb:BatchGetItem", table(&json!(name)))));
            }
            action @ ("GetSecretValue" | "PutSecretValue" | "UpdateSecretVersionStage") => {
                let secret = request["SecretId"].as_str().unwrap();
                let one = ONE_SECRET.into_iter().find(|(_, name)| secret == *name).map(|(parameter, _)| one(parameter));
                let all = SECRETS.into_iter().find(|(_, prefix)| secret.starts_with(prefix));
                let found = one.or(all.map(|(parameter, _)| secrets(parameter)));
                let found = found.unwrap_or_else(|| panic!("{secret}"));
                asked.insert(grant(&format!("secretsmanager:{action}"), found));
            }
            "Publish" => {
                let topic = call.body.split('&').find_map(|field| field.strip_prefix("TopicArn=")).unwrap();
                let topic = match topic.rsplit_once('-').unwrap().1 {
                    "fraud" => "FraudTopic",
                    "events" => "EventsTopic",
                    "operations" => "OperationsTopic",
                    other => panic!("a topic of nobody: {other}"),
                };
                asked.insert(grant("sns:Publish", topic));
            }
            "Query" if !request["IndexName"].is_null() => {
                let index = request["IndexName"].as_str().unwrap();
                let table = table(&request["TableName"]);
                asked.insert(grant("dynamodb:Query", format!("${{{table}}}/index/{index}")));
            }
            single @ ("DeleteItem" | "GetItem" | "PutItem" | "Query" | "UpdateItem") => {
                asked.insert(grant(&format!("dynamodb:{single}"), table(&request["TableName"])));
            }
            "SendMessage" | "SendMessageBatch" => {
                let queue = match request["QueueUrl"].as_str().unwrap().rsplit('/').next() {
                    Some("reconcile") => "ReconcileQueue.Arn",
                    Some("names") => "NamesQueue.Arn",
                    Some("operations") => "OperationsQueue.Arn",
                    Some("exports") => "ExportsQueue.Arn",
                    other => panic!("a queue of nobody: {other:?}"),
                };
                asked.insert(grant("sqs:SendMessage", queue));
            }
            "TransactWriteItems" => {
                for item in request["TransactItems"].as_array().unwrap() {
                    let (kind, action) = item.as_object().unwrap().iter().next().unwrap();
                    let single = if kind == "ConditionCheck" { "ConditionCheckItem" } else { &format!("{kind}Item") };
                    asked.insert(grant(&format!("dynamodb:{single}"), table(&action["TableName"])));
                }
            }
            other => panic!("an operation that this test does not know: {other}"),
        }
    }
    asked
}

/// The parameters that say how names of secrets begin, with their defaults. The local system names its secret like the first.
const SECRETS: [(&str, &str); 2] =
    [("ReadSecretPrefix", "partner-alerts/read/"), ("ActSecretPrefix", "partner-alerts/act/")];

/// The parameters that name one secret, with their defaults, which are its names in the local system, too.
const ONE_SECRET: [(&str, &str); 3] = [
    ("CursorSecret", "partner-alerts/dashboard/sealing"),
    ("SealingSecret", "partner-alerts/sign-in/sealing"),
    ("SignInSecret", "partner-alerts/sign-in/client"),
];

/// The secret that a parameter names. Secrets Manager ends its ARN with a hyphen and six characters.
fn one(parameter: &str) -> String {
    secrets(parameter).trim_end_matches('*').to_owned() + "-??????"
}

/// The secrets whose names begin as a parameter says.
fn secrets(parameter: &str) -> String {
    format!("arn:${{AWS::Partition}}:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:${{{parameter}}}*")
}

/// `AlertsTable` for the name of the alerts table.
fn table_of(system: &ByHand, name: &str) -> &'static str {
    let tables = system.test.system.tables();
    match name {
        name if name == tables.activity => "ActivityTable",
        name if name == tables.alerts => "AlertsTable",
        name if name == tables.events => "EventsTable",
        name if name == tables.sessions => "SessionsTable",
        name if name == tables.tenants => "TenantsTable",
        other => panic!("a table of nobody: {other}"),
    }
}

#[tokio::test]
async fn a_function_may_do_what_it_does_in_a_days_work_and_nothing_else() {
    let template = Template::read();
    let system = ByHand::start().await;
    let tables = system.test.system.tables();
    let check = |function: &str| {
        let mut needed = asked(&system);
        needed.extend(needed_by_lambda(&template, function));
        assert_eq!(granted(&template, function), needed, "{function}: granted and needed");
    };

    let body = r#"{"EventName":"azure-fraud-event-detected","ResourceUri":"https://api.partnercenter.microsoft.com/v1/a",
        "ResourceName":"azurefraud","AuditUri":null,"ResourceChangeUtcDate":"2026-03-02T08:59:00Z"}"#;
    let callback = system.microsoft.sign(body.as_bytes()).unwrap();
    assert_eq!([system.receive(&callback).await, system.receive(&callback).await], [200, 200]);
    check("WebhookFunction");

    system.tick().await.unwrap();
    system.raise("one");
    system.complete(1, 1).await;
    system.change("one", AlertChange { severity: Some("low".to_owned()), ..AlertChange::default() });
    system.raise("two");
    system.complete(2, 2).await;
    // A customer is called otherwise, and found by its new name alone.
    let customer_id = Some("4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3".to_owned());
    system.raise_as(NewAlert { customer_tenant_id: customer_id.clone(), ..NewAlert::default() });
    for (hours, name) in [(1, "Contoso"), (200, "Fabrikam")] {
        let (id, company_name) = (customer_id.clone().unwrap_or_default(), Some(name.to_owned()));
        system.microsoft.describe_customer(CustomerChange { id, company_name, ..CustomerChange::default() }).unwrap();
        system.clock.advance(SignedDuration::from_hours(hours));
        system.reconcile().await.unwrap();
        let wanted = json!({ "of_alerts": { "customers": [{ "id": customer_id }] } });
        let names = json!({ "tenant": TENANT, "cause": "again", "names": wanted }).to_string();
        assert!(system.deliver(&[("names", &names)]).await.is_empty());
    }
    // A fraud event that nothing confirms, about a customer that nobody knows.
    let bell = json!({
        "event": "e".repeat(64), "received": system.now() - SignedDuration::from_mins(5), "changed": system.now(),
        "customer": "7d1c5e90-3a6b-4f28-8e47-b05d9c2a61f4", "subscription": "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381",
    });
    let look = json!({ "tenant": TENANT, "cause": { "callback": bell } }).to_string();
    system.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(system.deliver(&[("look", &look)]).await, Vec::<String>::new());
    check("PollFunction");

    let event = system.items(&tables.events).await.remove(0);
    let outbox = system.outbox().await;
    let told: Vec<_> = outbox.iter().filter(|record| record.publish).collect();
    system.stream(&[stream_record(&tables.alerts, "INSERT", &told[0].item, 1)]).await;
    system.stream(&[stream_record(&tables.events, "INSERT", &event, 2)]).await;
    system.clock.advance(SignedDuration::from_mins(3));
    system.sweep().await.unwrap();
    check("NotifyFunction");

    system.for_people().await;
    let _ = system.tap.take();
    system.renew().await.unwrap();
    system.microsoft.revoke_grants(TENANT);
    system.renew().await.unwrap();
    check("RenewFunction");
}

/// What else could give a permission: policies beside the roles, policies of queues, connectors, permissions to invoke.
#[test]
fn nothing_in_the_template_gives_permissions_but_the_roles_and_the_policies_of_the_topics_and_the_bucket() {
    let template = Template::read();
    let resources = template.at("/Resources").as_object().unwrap();
    let kinds: BTreeSet<_> = resources.values().map(|resource| resource["Type"].as_str().unwrap()).collect();
    let expected = [
        "AWS::ApiGatewayV2::Api",
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Stage",
        "AWS::CloudWatch::Alarm",
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        // For API Gateway alone, as the tests of the people's API have it.
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::Serverless::Function",
        "AWS::Serverless::HttpApi",
    ];
    assert_eq!(kinds, expected.into());
    for (name, resource) in resources {
        for property in ["Connectors", "ResourcePolicy", "Properties/FunctionUrlConfig", "Properties/ResourcePolicy"] {
            assert!(resource.pointer(&format!("/{property}")).is_none(), "{name}: {property}");
        }
        let stream_policy = resource.pointer("/Properties/StreamSpecification/ResourcePolicy");
        assert!(stream_policy.is_none(), "{name}");
    }
}

#[test]
fn secrets_are_written_by_renew_alone_and_those_that_can_resolve_alerts_are_read_by_it_and_resolve_alone() {
    let template = Template::read();
    for (parameter, prefix) in SECRETS {
        let declared = template.at(&format!("/Parameters/{parameter}"));
        assert_eq!(declared["Default"], prefix);
        assert!(declared["AllowedPattern"].as_str().unwrap().ends_with('/'));
    }
    for (parameter, name) in ONE_SECRET {
        assert_eq!(template.at(&format!("/Parameters/{parameter}"))["Default"], name);
        assert!(SECRETS.into_iter().all(|(_, prefix)| !name.starts_with(prefix)), "{name} is for others to read");
    }
    let mut given = BTreeSet::new();
    for function in &FUNCTIONS {
        let of_secrets = granted(&template, function.resource).into_iter();
        let of_secrets = of_secrets.filter(|(action, _)| action.starts_with("secretsmanager:"));
        given.extend(of_secrets.map(|(action, resource)| (function.binary, action, resource)));
    }
    let [read, act] = SECRETS.map(|(parameter, _)| secrets(parameter));
    let mut expected = BTreeSet::from([("poll", "secretsmanager:GetSecretValue".to_owned(), read.clone())]);
    for action in ["GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"] {
        expected.extend([&read, &act].map(|secrets| ("renew", format!("secretsmanager:{action}"), secrets.clone())));
    }
    let [cursors, sealing, client] = ONE_SECRET.map(|(parameter, _)| one(parameter));
    for (function, read) in [
        ("dashboard", &[&cursors][..]),
        ("resolve", &[&read, &act, &sealing, &client]),
        ("sign-in", &[&sealing, &client]),
    ] {
        expected.extend(
            read.iter().map(|secret| (function, "secretsmanager:GetSecretValue".to_owned(), (*secret).clone())),
        );
    }
    assert_eq!(given, expected);
    let apart = template.at("/Rules/SecretsAreApart/Assertions").as_array().unwrap();
    let apart: BTreeSet<_> = apart.iter().map(|assertion| assertion["Assert"].to_string()).collect();
    let differ = |one: &str, other: &str| json!({ "!Not": [{ "!Equals": [{ "!Ref": one }, { "!Ref": other }] }] });
    let expected = [
        differ("ReadSecretPrefix", "ActSecretPrefix"),
        differ("SignInSecret", "SealingSecret"),
        differ("CursorSecret", "SealingSecret"),
        differ("CursorSecret", "SignInSecret"),
    ];
    assert_eq!(apart, expected.map(|it| it.to_string()).into());
}

#[test]
fn a_role_is_for_lambda_alone_and_each_is_one_of_a_function() {
    let template = Template::read();
    let lambda =
        json!([{ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }]);
    let roles = template.of_type("AWS::IAM::Role");
    let of_functions: BTreeSet<_> = FUNCTIONS.iter().map(|function| format!("{}Role", function.resource)).collect();
    assert_eq!(roles.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), of_functions);
    for (name, role) in roles {
        assert_eq!(role["Properties"]["AssumeRolePolicyDocument"]["Statement"], lambda, "{name}");
    }
}

#[test]
fn nobody_changes_the_configuration_of_tenants_and_webhook_reads_nothing_else_of_theirs() {
    let template = Template::read();
    let mut conditions = BTreeSet::new();
    for function in &FUNCTIONS {
        let role = template.at(&format!("/Resources/{}Role/Properties", function.resource));
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap() {
            // Of all statements: a condition that nobody expects could make another one void.
            if statement["Resource"] == json!({ "!GetAtt": "TenantsTable.Arn" }) || !statement["Condition"].is_null() {
                let sid = statement["Sid"].as_str().unwrap();
                conditions.insert(format!("{} {sid} {}", function.binary, statement["Condition"]));
            }
        }
    }
    let expected = [
        "dashboard ReadTenants null",
        "poll KeepState {\"ForAllValues:StringNotEquals\":{\"dynamodb:LeadingKeys\":[\"tenants\"]}}",
        "poll ReadTenants null",
        "renew NoteOutcomes {\"ForAllValues:StringNotEquals\":{\"dynamodb:LeadingKeys\":[\"tenants\"]}}",
        "renew ReadTenants {\"ForAllValues:StringEquals\":{\"dynamodb:LeadingKeys\":[\"tenants\"]}}",
        "resolve KeepViewsAndFigures {\"ForAllValues:StringNotEquals\":{\"dynamodb:LeadingKeys\":[\"tenants\"]}}",
        "resolve ReadTenants null",
        "webhook FindPathKeys {\"ForAllValues:StringEquals\":{\"dynamodb:LeadingKeys\":[\"tenants\"]}}",
    ];
    assert_eq!(conditions, expected.map(str::to_owned).into());
}

#[test]
fn only_notify_may_publish_what_microsoft_says_and_only_over_tls() {
    let template = Template::read();
    let topics = template.of_type("AWS::SNS::Topic");
    assert_eq!(topics.keys().copied().collect::<Vec<_>>(), ["EventsTopic", "FraudTopic", "OperationsTopic"]);
    let notify = json!({ "!GetAtt": "NotifyFunctionRole.Arn" });
    for (topic, declared) in topics.into_iter().filter(|(topic, _)| *topic != "OperationsTopic") {
        assert_eq!(declared["Properties"]["KmsMasterKeyId"], "alias/aws/sns", "{topic}");
        let policy = template.at(&format!("/Resources/{topic}Policy/Properties"));
        let reference = json!({ "!Ref": topic });
        assert_eq!(policy["Topics"], json!([reference]));
        let statement = |sid: &str, effect: &str, principal: Value, condition: Value| {
            let mut statement =
                json!({ "Sid": sid, "Effect": effect, "Principal": principal, "Action": "sns:Publish" });
            statement["Resource"] = reference.clone();
            if !condition.is_null() {
                statement["Condition"] = condition;
            }
            statement
        };
        let others = json!({ "ArnNotEquals": { "aws:PrincipalArn": notify } });
        let plain_text = json!({ "Bool": { "aws:SecureTransport": "false" } });
        let expected = json!([
            statement("NotifyPublishes", "Allow", json!({ "AWS": notify }), Value::Null),
            statement("NobodyElsePublishes", "Deny", json!("*"), others),
            statement("OnlyOverTls", "Deny", json!("*"), plain_text),
        ]);
        assert_eq!(policy["PolicyDocument"]["Statement"], expected, "{topic}");
    }
}

#[test]
fn every_log_has_an_end() {
    let template = Template::read();
    for function in &FUNCTIONS {
        let log = template.function(function.resource)["LoggingConfig"]["LogGroup"]["!Ref"].clone();
        let retention = template.at(&format!("/Resources/{}/Properties/RetentionInDays", log.as_str().unwrap()));
        assert_eq!(*retention, json!({ "!Ref": "LogRetentionDays" }), "{}", function.resource);
    }
    let logs = template.of_type("AWS::Logs::LogGroup");
    assert_eq!(logs.len(), FUNCTIONS.len() + 2, "one a function and one an API");
    for (name, log) in logs {
        assert!(log["Properties"]["RetentionInDays"].is_object(), "{name}");
    }
}
