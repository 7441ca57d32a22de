//! What wakes the functions: route, schedules, queue, streams.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use store::schema;

use crate::support::Template;

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
    for (api, log) in [("CallbackApi", "CallbackApiLog"), ("PeopleStage", "PeopleApiLog")] {
        let settings = template.at(&format!("/Resources/{api}/Properties/AccessLogSettings"));
        assert_eq!(settings["DestinationArn"], json!({ "!GetAtt": format!("{log}.Arn") }));
        let format: BTreeMap<String, String> = serde_json::from_str(settings["Format"].as_str().unwrap()).unwrap();
        let fields: BTreeSet<_> = format.values().map(String::as_str).collect();
        assert_eq!(fields, BTreeSet::from(harmless), "{api}");
    }
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

    let (every, input) = schedule("RenewFunction");
    assert_eq!(every, "rate(6 hours)");
    let read: renew::Invocation = serde_json::from_str(&input).unwrap();
    assert!(matches!(read.task, renew::Task::Renew), "{read:?}");

    let (every, input) = schedule("ResolveFunction");
    assert_eq!(every, "rate(5 minutes)");
    let read = serde_json::from_str(&input).unwrap();
    assert!(matches!(read, resolve::Invocation::Schedule { .. }), "{read:?}");
}

#[test]
fn each_queue_gives_poll_one_message_at_a_time_for_as_long_as_it_may_need_and_names_take_no_place_of_runs() {
    let template = Template::read();
    let timeout = template.at("/Resources/PollFunction/Properties/Timeout").as_u64().unwrap();
    let mut sources = sources(&template, "PollFunction", "SQS");
    for (name, queue, dead_letters, places) in [
        ("Reconcile", "ReconcileQueue", "ReconcileDeadLetters", json!({ "!Ref": "PollConcurrency" })),
        ("Names", "NamesQueue", "NamesDeadLetters", json!(2)),
    ] {
        let expected = json!({
            "Queue": { "!GetAtt": format!("{queue}.Arn") },
            "BatchSize": 1,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": { "MaximumConcurrency": places },
        });
        assert_eq!(sources.remove(name), Some(expected), "{name}");
        let queue = template.at(&format!("/Resources/{queue}/Properties"));
        assert_eq!(queue["VisibilityTimeout"], 6 * timeout, "{name}");
        let dead_letters =
            json!({ "deadLetterTargetArn": { "!GetAtt": format!("{dead_letters}.Arn") }, "maxReceiveCount": 3 });
        assert_eq!(queue["RedrivePolicy"], dead_letters, "{name}");
    }
    assert!(sources.is_empty(), "{sources:?}");

    let seconds = |name: &str| -> u64 {
        let variable = poll::VARIABLES.iter().find(|variable| variable.name == name).unwrap();
        variable.default.unwrap().parse().unwrap()
    };
    let (lease, run) = (seconds("LEASE_SECONDS"), seconds("RUN_SECONDS"));
    assert!(timeout < lease, "a run of {timeout} s outlives its lease of {lease} s");
    assert!(
        run + 30 <= timeout,
        "of {timeout} s a run of {run} s leaves too little for what comes before and behind it"
    );
}

#[test]
fn the_operations_queue_gives_resolve_one_message_at_a_time_for_as_long_as_it_may_need() {
    let template = Template::read();
    let timeout = template.at("/Resources/ResolveFunction/Properties/Timeout").as_u64().unwrap();
    let expected = json!({
        "Queue": { "!GetAtt": "OperationsQueue.Arn" },
        "BatchSize": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": { "MaximumConcurrency": 2 },
    });
    assert_eq!(sources(&template, "ResolveFunction", "SQS"), BTreeMap::from([("Operations".to_owned(), expected)]));
    let queue = template.at("/Resources/OperationsQueue/Properties");
    assert_eq!(queue["VisibilityTimeout"], 6 * timeout);
    let dead_letters =
        json!({ "deadLetterTargetArn": { "!GetAtt": "OperationsDeadLetters.Arn" }, "maxReceiveCount": 3 });
    assert_eq!(queue["RedrivePolicy"], dead_letters);
}

/// With what it takes to end a turn, and less than what API Gateway waits for a request.
#[test]
fn the_exports_queue_gives_dashboard_one_message_at_a_time_for_as_long_as_it_may_need() {
    let template = Template::read();
    let timeout = template.at("/Resources/DashboardFunction/Properties/Timeout").as_u64().unwrap();
    let expected = json!({
        "Queue": { "!GetAtt": "ExportsQueue.Arn" },
        "BatchSize": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": { "MaximumConcurrency": 2 },
    });
    assert_eq!(sources(&template, "DashboardFunction", "SQS"), BTreeMap::from([("Exports".to_owned(), expected)]));
    let queue = template.at("/Resources/ExportsQueue/Properties");
    assert_eq!(queue["VisibilityTimeout"], 6 * timeout);
    assert_eq!(queue["MessageRetentionPeriod"], 24 * 60 * 60, "as long as an export");
    let dead_letters = json!({ "deadLetterTargetArn": { "!GetAtt": "ExportsDeadLetters.Arn" }, "maxReceiveCount": 3 });
    assert_eq!(queue["RedrivePolicy"], dead_letters);
    let margin = dashboard::jobs::MARGIN.as_secs().unsigned_abs();
    assert!(2 * margin < timeout, "{timeout} s are more margin than turn");
    assert!(dashboard::jobs::REQUEST_LIMIT.as_secs() < 30, "API Gateway waits for 30 seconds");
}

#[test]
fn the_bucket_is_nobodys_but_dashboards_and_keeps_nothing_longer_than_a_day() {
    let template = Template::read();
    let buckets = template.of_type("AWS::S3::Bucket");
    assert_eq!(buckets.keys().collect::<Vec<_>>(), [&"ExportBucket"]);
    let day = json!({
        "Id": "one-day", "Status": "Enabled", "ExpirationInDays": 1,
        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 1 },
    });
    let expected = json!({
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{ "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } }],
        },
        "LifecycleConfiguration": { "Rules": [day] },
        "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
        },
    });
    assert_eq!(buckets["ExportBucket"]["Properties"], expected);
    let all = json!({ "!Sub": "${ExportBucket.Arn}/*" });
    let statements = json!([
        {
            "Sid": "NobodyElseReadsOrWrites", "Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": all, "Condition": { "ArnNotEquals": { "aws:PrincipalArn": { "!GetAtt": "DashboardFunctionRole.Arn" } } },
        },
        {
            "Sid": "OnlyOverTls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [{ "!GetAtt": "ExportBucket.Arn" }, all], "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        },
    ]);
    let policy = template.at("/Resources/ExportBucketPolicy/Properties");
    assert_eq!(policy["Bucket"], json!({ "!Ref": "ExportBucket" }));
    assert_eq!(policy["PolicyDocument"]["Statement"], statements);
}

#[test]
fn every_queue_is_encrypted_and_dead_letters_are_kept_for_14_days() {
    let template = Template::read();
    let queues = template.of_type("AWS::SQS::Queue");
    let names: Vec<_> = queues.keys().copied().collect();
    assert_eq!(
        names,
        [
            "ExportsDeadLetters",
            "ExportsQueue",
            "NamesDeadLetters",
            "NamesQueue",
            "OperationsDeadLetters",
            "OperationsQueue",
            "ReconcileDeadLetters",
            "ReconcileQueue",
            "StreamDeadLetters"
        ]
    );
    for (name, queue) in &queues {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{name}");
    }
    for name in
        ["ExportsDeadLetters", "NamesDeadLetters", "OperationsDeadLetters", "ReconcileDeadLetters", "StreamDeadLetters"]
    {
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
