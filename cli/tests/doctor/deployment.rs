//! What CloudFormation has made, and somebody has changed since.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, DeleteGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, ScalarAttributeType, TimeToLiveSpecification,
};
use aws_sdk_scheduler::types::{FlexibleTimeWindow, FlexibleTimeWindowMode, ScheduleState, Target};
use insta::assert_snapshot;

use crate::support::{Cases, Here};

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_as_it_should_be_is_named_with_what_is_wrong() {
    let mut cases = Cases::default();
    let here = Here::well().await;
    let client = aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws);
    cases.add("all is well", &here.seen().await);

    let alerts = &here.environment["ALERTS_TABLE"];
    let off = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(false).build().unwrap();
    let without_backups =
        client.update_continuous_backups().table_name(alerts).point_in_time_recovery_specification(off);
    without_backups.send().await.unwrap();
    cases.add("no backups of the alerts", &here.seen().await);

    let tenants = &here.environment["TENANTS_TABLE"];
    client.update_table().table_name(tenants).deletion_protection_enabled(false).send().await.unwrap();
    cases.add("the tenants are not protected either", &here.seen().await);

    let events = &here.environment["EVENTS_TABLE"];
    let off = TimeToLiveSpecification::builder().attribute_name("expires_at").enabled(false).build().unwrap();
    client.update_time_to_live().table_name(events).time_to_live_specification(off).send().await.unwrap();
    cases.add("nor do events expire", &here.seen().await);

    let gone = DeleteGlobalSecondaryIndexAction::builder().index_name("unpublished").build().unwrap();
    let update = GlobalSecondaryIndexUpdate::builder().delete(gone).build();
    client.update_table().table_name(alerts).global_secondary_index_updates(update).send().await.unwrap();
    cases.add("nor is there an index for the sweep", &here.seen().await);

    let sessions = &here.environment["SESSIONS_TABLE"];
    client.update_table().table_name(sessions).deletion_protection_enabled(false).send().await.unwrap();
    client.delete_table().table_name(sessions).send().await.unwrap();
    cases.add("nor any table of sessions", &here.seen().await);

    let id =
        |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let other = client.create_table().table_name(sessions).attribute_definitions(id("id").unwrap()).key_schema(key);
    other.billing_mode(aws_sdk_dynamodb::types::BillingMode::PayPerRequest).send().await.unwrap();
    cases.add("then one of other keys, made by hand", &here.seen().await);
    assert_snapshot!("tables", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_nobody_hears_is_a_problem_and_a_subscription_that_waits_is_named_in_part() {
    let mut cases = Cases::default();
    let here = Here::well().await;
    let client = aws_sdk_sns::Client::new(&here.test.system.parts().aws);
    let fraud = &here.environment["FRAUD_TOPIC_ARN"];
    let events = &here.environment["EVENTS_TOPIC_ARN"];
    let subscribe = client.subscribe().topic_arn(fraud).protocol("email").endpoint("security@example.com");
    subscribe.send().await.unwrap();
    cases.add("somebody has subscribed and not confirmed", &here.seen().await);

    let unsubscribe = async |topic: &str| {
        let listed = client.list_subscriptions_by_topic().topic_arn(topic).send().await.unwrap();
        for known in listed.subscriptions() {
            let arn = known.subscription_arn().unwrap();
            client.unsubscribe().subscription_arn(arn).send().await.unwrap();
        }
    };
    unsubscribe(fraud).await;
    cases.add("nobody else has", &here.seen().await);
    let queue = client.subscribe().topic_arn(fraud).protocol("sqs").endpoint("arn:aws:sqs:eu-west-1:000000000000:q");
    queue.send().await.unwrap();
    unsubscribe(events).await;
    let again = here.seen().await;
    assert!(!again.contains("nobody hears") && !again.contains("events topic"), "{again}");

    client.delete_topic().topic_arn(events).send().await.unwrap();
    client.delete_topic().topic_arn(fraud).send().await.unwrap();
    cases.add("both topics are gone", &here.seen().await);
    assert_snapshot!("topics", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_is_off_or_gone_is_a_problem() {
    let mut cases = Cases::default();
    let mut here = Here::well().await;
    let client = aws_sdk_scheduler::Client::new(&here.test.system.parts().aws);
    let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap();
    let target = Target::builder().arn("arn").role_arn("role").build().unwrap();
    for name in ["partner-alerts-poll", "partner-alerts-operations"] {
        let update = client.update_schedule().name(name).schedule_expression("rate(5 minutes)");
        let update = update.flexible_time_window(window.clone()).target(target.clone()).state(ScheduleState::Disabled);
        update.send().await.unwrap();
    }
    cases.add("two are off", &here.seen().await);
    client.delete_schedule().name("partner-alerts-sweep").send().await.unwrap();
    cases.add("another is gone", &here.seen().await);
    here.environment.remove("SCHEDULES");
    cases.add("their names are not known", &here.seen().await);
    assert_snapshot!("schedules", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_counted_and_a_queue_that_is_gone_is_a_problem() {
    let mut cases = Cases::default();
    let mut here = Here::well().await;
    let client = aws_sdk_sqs::Client::new(&here.test.system.parts().aws);
    // No queue of this system: what is looked at is what the address says.
    for (variable, other) in
        [("EXPORTS_DEAD_LETTERS_URL", "NAMES_DEAD_LETTERS_URL"), ("EXPORTS_QUEUE_URL", "NAMES_QUEUE_URL")]
    {
        here.environment.insert(variable.to_owned(), here.environment[other].clone());
    }
    for (variable, count) in [
        ("RECONCILE_DEAD_LETTERS_URL", 1),
        ("STREAM_DEAD_LETTERS_URL", 2),
        ("NAMES_DEAD_LETTERS_URL", 3),
        ("OPERATIONS_DEAD_LETTERS_URL", 4),
    ] {
        for _ in 0..count {
            client.send_message().queue_url(&here.environment[variable]).message_body("x").send().await.unwrap();
        }
    }
    cases.add("messages were given up", &here.seen().await);
    for queue in ["RECONCILE_QUEUE_URL", "NAMES_QUEUE_URL", "OPERATIONS_QUEUE_URL", "EXPORTS_QUEUE_URL"] {
        here.environment.get_mut(queue).unwrap().push_str("-gone");
    }
    cases.add("and the queues are gone", &here.seen().await);
    assert_snapshot!("queues", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_may_not_see_is_unknown_and_the_permission_is_named() {
    let mut cases = Cases::default();
    for action in [
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeTimeToLive",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "scheduler:GetSchedule",
        "secretsmanager:GetSecretValue",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sqs:GetQueueAttributes",
    ] {
        let here = Here::well().await;
        here.test.system.account().deny(action);
        let seen = here.seen().await;
        assert!(!seen.contains("problem:") && !seen.contains("warning:"), "{action}: {seen}");
        cases.add(action, &seen);
    }
    assert_snapshot!("permissions", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_is_asked_for() {
    let mut cases = Cases::default();
    let mut here = Here::well().await;
    // The local system has no CloudFormation.
    cases.add("a stack that is not there", &here.seen_by(&["--stack", "nowhere"]).await);
    let named = |name: &str| name.starts_with("AWS_") || name.ends_with("_FILE") || name.starts_with("GLOBAL_");
    here.environment.retain(|name, _| named(name) || name.starts_with("CERTIFICATE_"));
    cases.add("neither stack nor variables", &here.seen().await);
    assert_snapshot!("configuration", cases.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_region_there_is_one_problem_and_nothing_of_aws_is_seen() {
    let mut here = Here::well().await;
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        here.environment.remove(name);
    }
    let seen = here.seen().await;
    let problems: Vec<_> = seen.lines().filter(|line| line.starts_with("problem")).collect();
    assert_eq!(problems, ["problem: configuration, region: no AWS region is set"], "{seen}");
}
