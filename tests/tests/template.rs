//! `template.yaml` and the code say the same: tables, route, variables, schedules, filters, permissions, and the settings that
//! depend on each other.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::collections::{BTreeMap, BTreeSet};

use models::FraudThreshold;
use runtime::{ConfigError, LOG_LEVEL, OutgoingTls, Variable, Variables};
use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;
use store::schema::{self, Projected, Table};

const TEMPLATE: &str = include_str!("../../template.yaml");

// ---- reading the template ------------------------------------------------------------------------------------------------

struct Template(Value);

impl Template {
    fn read() -> Self {
        Self(plain(serde_yaml_ng::from_str(TEMPLATE).unwrap()))
    }

    /// What is at a path such as `/Resources/EventsTable/Type`. A path that leads nowhere is a failure.
    #[track_caller]
    fn at(&self, path: &str) -> &Value {
        self.0.pointer(path).unwrap_or_else(|| panic!("the template has nothing at {path}"))
    }

    fn of_type(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let resources = self.at("/Resources").as_object().unwrap();
        let found = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
        found.map(|(name, resource)| (name.as_str(), resource)).collect()
    }

    /// The properties of a function, over those that all functions have.
    fn function(&self, name: &str) -> Value {
        let mut all = self.at("/Globals/Function").clone();
        merge(&mut all, self.at(&format!("/Resources/{name}/Properties")));
        all
    }

    /// What a value of a variable could be in an account: the default of a parameter, something made up for a resource.
    fn plausible(&self, value: &Value) -> String {
        let name = value.pointer("/!Ref").and_then(Value::as_str).expect("variables are references");
        if let Some(default) = self.0.pointer(&format!("/Parameters/{name}/Default")) {
            return default.as_str().expect("parameters of variables are text").to_owned();
        }
        assert!(self.0.pointer(&format!("/Resources/{name}")).is_some(), "{name} is nowhere");
        format!("made-up-{name}")
    }

    fn variables(&self, function: &str) -> BTreeMap<String, String> {
        let properties = self.function(function);
        let variables = properties.pointer("/Environment/Variables").and_then(Value::as_object).unwrap();
        variables.iter().map(|(name, value)| (name.clone(), self.plausible(value))).collect()
    }
}

/// YAML as JSON: `!Sub text` becomes `{"!Sub": "text"}`, whatever the tag.
fn plain(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Tagged(tagged) => {
            let tagged = *tagged;
            Value::Object(Map::from_iter([(tagged.tag.to_string(), plain(tagged.value))]))
        }
        Yaml::Mapping(mapping) => {
            let entries = mapping.into_iter();
            let entries =
                entries.map(|(name, value)| (name.as_str().expect("names are text").to_owned(), plain(value)));
            Value::Object(entries.collect())
        }
        Yaml::Sequence(values) => Value::Array(values.into_iter().map(plain).collect()),
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// One value or a list of them.
fn listed(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

// ---- the functions ---------------------------------------------------------------------------------------------------------

struct Function {
    resource: &'static str,
    binary: &'static str,
    variables: &'static [Variable],
    read: fn(&Variables) -> Result<(), ConfigError>,
}

const FUNCTIONS: [Function; 3] = [
    Function {
        resource: "NotifyFunction",
        binary: "notify",
        variables: &notify::VARIABLES,
        read: |variables| notify::Config::read(variables).map(drop),
    },
    Function {
        resource: "PollFunction",
        binary: "poll",
        variables: &poll::VARIABLES,
        read: |variables| poll::Config::read(variables).map(drop),
    },
    Function {
        resource: "WebhookFunction",
        binary: "webhook",
        variables: &webhook::VARIABLES,
        read: |variables| webhook::Config::read(variables).map(drop),
    },
];

impl Function {
    fn try_with(&self, variables: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        let pairs = variables.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let variables = Variables::default().over(pairs);
        OutgoingTls::read(&variables)?;
        (self.read)(&variables)
    }
}

#[test]
fn every_function_of_the_template_is_one_of_ours_and_builds_its_own_binary() {
    let template = Template::read();
    let named: BTreeSet<_> = template.of_type("AWS::Serverless::Function").into_keys().collect();
    assert_eq!(named, FUNCTIONS.iter().map(|function| function.resource).collect());
    for function in &FUNCTIONS {
        let metadata = template.at(&format!("/Resources/{}/Metadata", function.resource));
        let expected = json!({ "BuildMethod": "rust-cargolambda", "BuildProperties": { "Binary": function.binary } });
        assert_eq!(*metadata, expected, "{}", function.resource);
    }
}

#[test]
fn every_variable_of_a_function_is_one_that_it_reads() {
    let template = Template::read();
    let common: BTreeSet<_> = OutgoingTls::VARIABLES.iter().chain([&LOG_LEVEL]).map(|variable| variable.name).collect();
    let globals = template.at("/Globals/Function/Environment/Variables").as_object().unwrap();
    assert_eq!(globals.keys().map(String::as_str).collect::<BTreeSet<_>>(), common);
    for function in &FUNCTIONS {
        let read: BTreeSet<_> = function.variables.iter().map(|variable| variable.name).collect();
        let own = template.at(&format!("/Resources/{}/Properties/Environment/Variables", function.resource));
        for name in own.as_object().unwrap().keys() {
            assert!(read.contains(name.as_str()), "{} does not read {name}", function.resource);
        }
    }
}

#[test]
fn the_variables_of_a_function_are_all_that_it_needs() {
    let template = Template::read();
    for function in &FUNCTIONS {
        let variables = template.variables(function.resource);
        let result = function.try_with(&variables);
        assert!(result.is_ok(), "{}: {result:?}", function.resource);
    }
}

#[test]
fn a_function_does_not_start_without_a_variable_that_names_a_resource_and_says_which() {
    let template = Template::read();
    for function in &FUNCTIONS {
        let variables = template.variables(function.resource);
        let resources = variables.iter().filter(|(_, value)| value.starts_with("made-up-"));
        let resources: Vec<_> = resources.map(|(name, _)| name).collect();
        assert!(!resources.is_empty(), "{}", function.resource);
        for name in resources {
            let mut fewer = variables.clone();
            fewer.remove(name);
            match function.try_with(&fewer) {
                Err(ConfigError::Missing { name: missing, .. }) => assert_eq!(missing, *name, "{}", function.resource),
                other => panic!("{} without {name}: {other:?}", function.resource),
            }
        }
    }
}

#[test]
fn each_value_that_a_parameter_allows_is_one_that_the_code_reads() {
    let template = Template::read();
    let severities = template.at("/Parameters/FraudSeverity/AllowedValues").as_array().unwrap();
    assert_eq!(severities.len(), 3);
    for severity in severities {
        assert!(severity.as_str().unwrap().parse::<FraudThreshold>().is_ok(), "{severity}");
    }
    let default = |variables: &[Variable], name| {
        variables.iter().find(|variable| variable.name == name).and_then(|variable| variable.default)
    };
    let severity = template.at("/Parameters/FraudSeverity/Default").as_str();
    assert_eq!(severity, default(&poll::VARIABLES, "FRAUD_SEVERITY"));
    assert_eq!(template.at("/Parameters/LogLevel/Default").as_str(), LOG_LEVEL.default);
    let levels: Vec<_> = listed(template.at("/Parameters/LogLevel/AllowedValues"));
    let levels: Vec<_> = levels.into_iter().map(|level| level.as_str().unwrap()).collect();
    assert_eq!(format!("one of {}", levels.join(", ")), LOG_LEVEL.meaning);
}

// ---- what wakes the functions ----------------------------------------------------------------------------------------------

#[test]
fn the_route_is_the_one_that_webhook_serves_and_it_alone_has_limits_of_its_own() {
    let template = Template::read();
    let events = template.at("/Resources/WebhookFunction/Properties/Events").as_object().unwrap();
    let routes: Vec<_> = events
        .values()
        .map(|event| {
            assert_eq!(event["Type"], "HttpApi");
            assert_eq!(event["Properties"]["ApiId"], json!({ "!Ref": "CallbackApi" }));
            assert_eq!(event["Properties"]["PayloadFormatVersion"], "2.0");
            let text = |name: &str| event["Properties"][name].as_str().unwrap();
            format!("{} {}", text("Method"), text("Path"))
        })
        .collect();
    assert_eq!(routes, [webhook::ROUTE]);
    let limited = template.at("/Resources/CallbackApi/Properties/RouteSettings").as_object().unwrap();
    assert_eq!(limited.keys().collect::<Vec<_>>(), [webhook::ROUTE]);
    for limit in ["ThrottlingBurstLimit", "ThrottlingRateLimit"] {
        assert!(limited[webhook::ROUTE][limit].is_object(), "{limit}");
    }
}

#[test]
fn the_access_log_holds_the_route_and_never_the_path() {
    let template = Template::read();
    let format = template.at("/Resources/CallbackApi/Properties/AccessLogSettings/Format").as_str().unwrap();
    let format: BTreeMap<String, String> = serde_json::from_str(format).unwrap();
    let fields: BTreeSet<_> = format.values().map(String::as_str).collect();
    let harmless = [
        "$context.identity.sourceIp",
        "$context.integrationErrorMessage",
        "$context.requestId",
        "$context.requestTime",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.routeKey",
        "$context.status",
    ];
    assert_eq!(fields, BTreeSet::from(harmless));
}

/// The event sources of a function, by name.
fn sources(template: &Template, function: &str, kind: &str) -> BTreeMap<String, Value> {
    let events = template.at(&format!("/Resources/{function}/Properties/Events")).as_object().unwrap();
    let of_kind = events.iter().filter(|(_, event)| event["Type"] == kind);
    of_kind.map(|(name, event)| (name.clone(), event["Properties"].clone())).collect()
}

#[test]
fn a_schedule_has_an_input_that_its_function_reads_and_no_retries() {
    let template = Template::read();
    let schedule = |function: &str| {
        let schedules = sources(&template, function, "ScheduleV2");
        assert_eq!(schedules.len(), 1, "{function}");
        let schedule = schedules.into_values().next().unwrap();
        let no_retries = json!({ "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60 });
        assert_eq!(schedule["RetryPolicy"], no_retries, "{function}: Scheduler's retries");
        let asynchronous = template.at(&format!("/Resources/{function}/Properties/EventInvokeConfig"));
        assert_eq!(*asynchronous, no_retries, "{function}: Lambda's retries");
        assert_eq!(schedule["OmitName"], true, "{function}: a fixed name");
        let every = schedule["ScheduleExpression"].as_str().unwrap().to_owned();
        (every, schedule["Input"].as_str().unwrap().to_owned())
    };

    let (every, input) = schedule("PollFunction");
    assert_eq!(every, "rate(5 minutes)");
    let read = serde_json::from_str(&input).unwrap();
    assert!(matches!(read, poll::Invocation::Schedule { .. }), "{read:?}");

    let (every, input) = schedule("NotifyFunction");
    assert_eq!(every, "rate(1 minute)");
    let read = serde_json::from_str(&input).unwrap();
    assert!(matches!(read, notify::Invocation::Schedule { .. }), "{read:?}");
}

#[test]
fn the_queue_gives_poll_one_message_at_a_time_for_as_long_as_it_may_need() {
    let template = Template::read();
    let queues = sources(&template, "PollFunction", "SQS");
    assert_eq!(queues.len(), 1);
    let source = queues.values().next().unwrap();
    assert_eq!(source["Queue"], json!({ "!GetAtt": "ReconcileQueue.Arn" }));
    assert_eq!(source["BatchSize"], 1);
    assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));

    let timeout = template.at("/Resources/PollFunction/Properties/Timeout").as_u64().unwrap();
    let queue = template.at("/Resources/ReconcileQueue/Properties");
    assert_eq!(queue["VisibilityTimeout"], 6 * timeout);
    let dead_letters =
        json!({ "deadLetterTargetArn": { "!GetAtt": "ReconcileDeadLetters.Arn" }, "maxReceiveCount": 3 });
    assert_eq!(queue["RedrivePolicy"], dead_letters);
    let lease = poll::VARIABLES.iter().find(|variable| variable.name == "LEASE_SECONDS").unwrap();
    let lease: u64 = lease.default.unwrap().parse().unwrap();
    assert!(timeout < lease, "a run of {timeout} s outlives its lease of {lease} s");
}

#[test]
fn every_queue_is_encrypted_and_dead_letters_are_kept_for_14_days() {
    let template = Template::read();
    let queues = template.of_type("AWS::SQS::Queue");
    let names: Vec<_> = queues.keys().copied().collect();
    assert_eq!(names, ["ReconcileDeadLetters", "ReconcileQueue", "StreamDeadLetters"]);
    for (name, queue) in &queues {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{name}");
    }
    for name in ["ReconcileDeadLetters", "StreamDeadLetters"] {
        assert_eq!(queues[name]["Properties"]["MessageRetentionPeriod"], 14 * 24 * 60 * 60, "{name}");
    }
}

#[test]
fn a_stream_has_bounded_retries_and_dead_letters() {
    let template = Template::read();
    let streams = sources(&template, "NotifyFunction", "DynamoDB");
    let read: BTreeSet<_> = streams.values().map(|stream| stream["Stream"]["!GetAtt"].as_str().unwrap()).collect();
    assert_eq!(read, BTreeSet::from(["AlertsTable.StreamArn", "EventsTable.StreamArn"]));
    assert_eq!(streams.len(), 2, "readers");
    let expected = json!({
        "StartingPosition": "TRIM_HORIZON",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": true,
        "MaximumRetryAttempts": 5,
        "MaximumRecordAgeInSeconds": 3600,
        "DestinationConfig": { "OnFailure": { "Type": "SQS", "Destination": { "!GetAtt": "StreamDeadLetters.Arn" } } },
    });
    for (name, stream) in &streams {
        for (setting, value) in expected.as_object().unwrap() {
            assert_eq!(stream[setting], *value, "{name}: {setting}");
        }
    }
}

/// Whether a record passes a filter, by the rules of Lambda event filtering that we use: equal text, `exists`, all members.
fn passes(pattern: &Value, record: Option<&Value>) -> bool {
    match pattern {
        Value::Object(members) => members.iter().all(|(name, inner)| passes(inner, record.and_then(|r| r.get(name)))),
        Value::Array(choices) => choices.iter().any(|choice| match choice {
            Value::String(_) => record == Some(choice),
            Value::Object(rule) if rule.len() == 1 && rule["exists"] == true => record.is_some_and(|r| !r.is_object()),
            other => panic!("a rule that this test does not know: {other}"),
        }),
        other => panic!("no pattern: {other}"),
    }
}

#[test]
fn only_new_outbox_items_that_are_to_be_published_and_new_events_wake_notify() {
    let template = Template::read();
    let streams = sources(&template, "NotifyFunction", "DynamoDB");
    let pattern = |table: &str| -> Value {
        let found = streams.values().find(|stream| stream["Stream"]["!GetAtt"] == format!("{table}.StreamArn"));
        let filters = found.unwrap()["FilterCriteria"]["Filters"].as_array().unwrap();
        assert_eq!(filters.len(), 1, "{table}");
        serde_json::from_str(filters[0]["Pattern"].as_str().unwrap()).unwrap()
    };
    let shard = schema::TABLES
        .iter()
        .flat_map(|table| table.indexes)
        .find_map(|index| (index.name == schema::OUTBOX_UNPUBLISHED).then_some(index.partition))
        .unwrap();
    let record = |event: &str, image: Value| json!({ "eventName": event, "dynamodb": { "NewImage": image } });
    let expiry = json!({ "eventName": "REMOVE", "dynamodb": { "Keys": { "pk": { "S": "t#a" } } } });
    let outbox = json!({ "sk": { "S": "outbox#000000000001#opened" }, shard: { "S": "3" } });
    let quiet = json!({ "sk": { "S": "outbox#000000000001#resolved" } });
    let alert = json!({ "sk": { "S": "alert" }, "summary": { "M": {} } });

    let alerts = pattern("AlertsTable");
    for (case, record, wakes) in [
        ("an item to publish", record("INSERT", outbox.clone()), true),
        ("an item to publish that changed", record("MODIFY", outbox), false),
        ("an item that only records a change", record("INSERT", quiet.clone()), false),
        ("the mark", record("MODIFY", quiet), false),
        ("an alert", record("INSERT", alert.clone()), false),
        ("an alert that changed", record("MODIFY", alert), false),
        ("expiry", expiry.clone(), false),
    ] {
        assert_eq!(passes(&alerts, Some(&record)), wakes, "{case}");
    }

    let events = pattern("EventsTable");
    let event = json!({ "pk": { "S": "t#e" } });
    for (case, record, wakes) in [
        ("an event", record("INSERT", event.clone()), true),
        ("an event again, after it has run out", record("MODIFY", event), false),
        ("expiry", expiry, false),
    ] {
        assert_eq!(passes(&events, Some(&record)), wakes, "{case}");
    }
}

// ---- state -----------------------------------------------------------------------------------------------------------------

/// A table as CloudFormation is to describe it.
fn properties(table: &Table) -> Value {
    let schema = |names: &[&str]| -> Value {
        let kinds = ["HASH", "RANGE"];
        names.iter().zip(kinds).map(|(name, kind)| json!({ "AttributeName": name, "KeyType": kind })).collect()
    };
    let keys: &[&str] = if table.sorted { &["pk", "sk"] } else { &["pk"] };
    let mut attributes: BTreeSet<&str> = keys.iter().copied().collect();
    attributes.extend(table.indexes.iter().flat_map(|index| [index.partition, index.sort]));
    let attributes = attributes.iter().map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
    let mut properties = json!({
        "AttributeDefinitions": attributes.collect::<Value>(),
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": true,
        "KeySchema": schema(keys),
        "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
        "SSESpecification": { "SSEEnabled": true },
    });
    if !table.indexes.is_empty() {
        let indexes = table.indexes.iter().map(|index| {
            let projection = match index.projected {
                Projected::All => json!({ "ProjectionType": "ALL" }),
                Projected::Include(names) => json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": names }),
                Projected::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
            };
            let keys = schema(&[index.partition, index.sort]);
            json!({ "IndexName": index.name, "KeySchema": keys, "Projection": projection })
        });
        properties["GlobalSecondaryIndexes"] = indexes.collect();
    }
    if let Some(view) = table.stream {
        properties["StreamSpecification"] = json!({ "StreamViewType": view });
    }
    if let Some(attribute) = table.ttl {
        properties["TimeToLiveSpecification"] = json!({ "AttributeName": attribute, "Enabled": true });
    }
    properties
}

/// `AlertsTable` for the role `alerts`.
fn logical_name(table: &Table) -> String {
    let (first, rest) = table.role.split_at(1);
    format!("{}{rest}Table", first.to_uppercase())
}

#[test]
fn the_tables_are_those_of_the_store_and_protected_in_every_way() {
    let template = Template::read();
    let named: BTreeSet<_> = template.of_type("AWS::DynamoDB::Table").into_keys().map(str::to_owned).collect();
    assert_eq!(named, schema::TABLES.iter().map(logical_name).collect());
    for table in &schema::TABLES {
        let name = logical_name(table);
        let declared = template.at(&format!("/Resources/{name}"));
        let expected = json!({
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": properties(table),
        });
        assert_eq!(*declared, expected, "{name}");
    }
}

// ---- permissions -----------------------------------------------------------------------------------------------------------

/// What a function may do: action and resource.
fn grants(template: &Template, function: &str) -> BTreeSet<(String, String)> {
    let mut grants = BTreeSet::new();
    for policy in template.at(&format!("/Resources/{function}/Properties/Policies")).as_array().unwrap() {
        for statement in policy["Statement"].as_array().expect("policies are written out") {
            assert_eq!(statement["Effect"], "Allow", "{function}");
            for action in listed(&statement["Action"]) {
                for resource in listed(&statement["Resource"]) {
                    let resource = resource.as_object().and_then(|tagged| tagged.values().next());
                    let resource = resource.and_then(Value::as_str).expect("resources are references");
                    grants.insert((action.as_str().unwrap().to_owned(), resource.to_owned()));
                }
            }
        }
    }
    grants
}

#[test]
fn a_function_may_do_what_its_store_traits_need_and_nothing_else() {
    let template = Template::read();
    let secrets = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${ReadSecretPrefix}*";
    let expected: [(&str, &[(&str, &str)]); 3] = [
        (
            "NotifyFunction",
            &[
                ("dynamodb:Query", "${AlertsTable.Arn}/index/unpublished"),
                ("dynamodb:UpdateItem", "AlertsTable.Arn"),
                ("sns:Publish", "EventsTopic"),
                ("sns:Publish", "FraudTopic"),
            ],
        ),
        (
            "PollFunction",
            &[
                ("dynamodb:BatchGetItem", "AlertsTable.Arn"),
                ("dynamodb:ConditionCheckItem", "TenantsTable.Arn"),
                ("dynamodb:PutItem", "AlertsTable.Arn"),
                ("dynamodb:PutItem", "TenantsTable.Arn"),
                ("dynamodb:Query", "TenantsTable.Arn"),
                ("dynamodb:UpdateItem", "AlertsTable.Arn"),
                ("dynamodb:UpdateItem", "TenantsTable.Arn"),
                ("secretsmanager:GetSecretValue", secrets),
                ("sqs:SendMessage", "ReconcileQueue.Arn"),
            ],
        ),
        (
            "WebhookFunction",
            &[
                ("dynamodb:PutItem", "EventsTable.Arn"),
                ("dynamodb:Query", "TenantsTable.Arn"),
                ("sqs:SendMessage", "ReconcileQueue.Arn"),
            ],
        ),
    ];
    for (function, expected) in expected {
        let expected = expected.iter().map(|(action, resource)| ((*action).to_owned(), (*resource).to_owned()));
        assert_eq!(grants(&template, function), expected.collect(), "{function}");
    }
    let index = format!("/index/{}", schema::OUTBOX_UNPUBLISHED);
    assert!(grants(&template, "NotifyFunction").iter().any(|(_, resource)| resource.ends_with(&index)));
    let prefix = template.at("/Parameters/ReadSecretPrefix");
    assert!(
        prefix["Default"].as_str().unwrap().ends_with('/') && prefix["AllowedPattern"].as_str().unwrap().ends_with('/')
    );
}

#[test]
fn only_notify_may_publish_to_a_topic_and_only_over_tls() {
    let template = Template::read();
    let topics = template.of_type("AWS::SNS::Topic");
    assert_eq!(topics.keys().copied().collect::<Vec<_>>(), ["EventsTopic", "FraudTopic"]);
    let notify = json!({ "!GetAtt": "NotifyFunctionRole.Arn" });
    for (topic, declared) in topics {
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
    assert_eq!(logs.len(), FUNCTIONS.len() + 1, "one a function and one for the API");
    for (name, log) in logs {
        assert!(log["Properties"]["RetentionInDays"].is_object(), "{name}");
    }
}

#[test]
fn nothing_has_a_fixed_name() {
    let template = Template::read();
    for (name, resource) in template.at("/Resources").as_object().unwrap() {
        for property in ["FunctionName", "LogGroupName", "Name", "QueueName", "RoleName", "TableName", "TopicName"] {
            assert!(resource["Properties"].get(property).is_none(), "{name} has a {property}");
        }
    }
}
