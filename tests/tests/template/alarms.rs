//! The alarms: what they look at is what `renew`, `poll` and `resolve` report, and their topic is theirs, `renew`'s and `resolve`'s alone.
//! Those about what AWS counts are in `watched`.

use std::collections::BTreeSet;

use partner_center::{REFRESH_TOKEN_LIFE, RENEW_AFTER};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Target};
use tests::ByHand;

use crate::support::Template;

/// How often `renew` ticks, in seconds.
const TICK: u64 = 6 * 60 * 60;
/// A period in which `poll` ticks three times, in seconds.
const RUNS: u64 = 15 * 60;
/// What somebody has to mend is told after two ticks of `poll`, in seconds.
const REFUSED: u64 = 5 * 60;

#[tokio::test]
async fn every_alarm_looks_at_a_figure_that_its_function_reports_in_periods_of_its_ticks_and_tells_operations() {
    let template = Template::read();
    let system = ByHand::start().await;
    system.for_people().await;
    system.renew().await.unwrap();
    let by_renew = format!("{:?}", system.counted.take());
    system.complete(0, 0).await;
    assert_eq!(system.deliver(&[("a", "no request")]).await, ["a"]);
    system.microsoft.set_fault(Fault::new(Target::List, FaultKind::MissingMfa)).unwrap();
    system.clock.advance(jiff::SignedDuration::from_mins(1));
    let request = json!({ "tenant": tests::TENANT, "cause": "schedule" }).to_string();
    assert_eq!(system.deliver(&[("b", &request)]).await, Vec::<String>::new());
    let by_poll = format!("{:?}", system.counted.take());
    let sweep = serde_json::from_value(json!({ "task": "sweep" })).unwrap();
    resolve::wire(&system.parts).unwrap().follow(sweep, "sweep-1", None).await.unwrap();
    let by_resolve = format!("{:?}", system.counted.take());

    let rate = |function: &str| {
        let event = if function == "ResolveFunction" { "Sweep" } else { "Schedule" };
        let schedule = format!("/Resources/{function}/Properties/Events/{event}/Properties/ScheduleExpression");
        template.at(&schedule).as_str().unwrap().to_owned()
    };
    assert_eq!(rate("RenewFunction"), format!("rate({} hours)", TICK / 3_600));
    // What poll drops as overtaken, and whom it asks for first, follows from it.
    assert_eq!(rate("PollFunction"), format!("rate({} minutes)", poll::PERIOD.as_mins()));
    assert_eq!(rate("ResolveFunction"), rate("PollFunction"));
    assert_eq!([poll::PERIOD.as_secs() * 3, poll::PERIOD.as_secs()].map(i64::unsigned_abs), [RUNS, REFUSED]);
    let mut alarms = template.of_type("AWS::CloudWatch::Alarm");
    alarms.retain(|_, alarm| alarm["Properties"].get("Metrics").is_none());
    let mut watched = BTreeSet::new();
    for (name, alarm) in &alarms {
        let alarm = &alarm["Properties"];
        let metric = alarm["MetricName"].as_str().unwrap();
        let function = alarm["Dimensions"][0]["Value"]["!Ref"].as_str().unwrap();
        let (counted, period) = match function {
            "PollFunction" => (&by_poll, RUNS),
            "RenewFunction" => (&by_renew, TICK),
            "ResolveFunction" => (&by_resolve, RUNS),
            other => panic!("{name} is about {other}"),
        };
        let period = if metric == "RunsRefused" { REFUSED } else { period };
        assert!(counted.contains(&format!("{metric:?}")), "{name}: {metric} is not in {counted}");
        watched.insert(metric);
        assert_eq!(alarm["Namespace"], runtime::METRICS_NAMESPACE, "{name}");
        let function = json!([{ "Name": "FunctionName", "Value": { "!Ref": function } }]);
        assert_eq!(alarm["Dimensions"], function, "{name}");
        assert_eq!(alarm["Period"], period, "{name}");
        // CloudWatch takes no more than a week of periods of an hour or longer.
        assert!(alarm["EvaluationPeriods"].as_u64().unwrap() * period <= 7 * 86_400, "{name}");
        for told in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[told], json!([{ "!Ref": "OperationsTopic" }]), "{name}");
        }
        assert!(alarm["AlarmDescription"].as_str().unwrap().ends_with('.'), "{name}");
        assert!(alarm.get("AlarmName").is_none(), "{name}");
    }
    let all = [
        "AlertsBroken",
        "AlertsUnreadable",
        "AlertsVanished",
        "CredentialsChecked",
        "CredentialsFailed",
        "CredentialsUndecided",
        "DecisionsNotAccepted",
        "FirstExpiryDays",
        "OldestRefreshTokenDays",
        "OperationsStuck",
        "RunsFailed",
        "RunsRefused",
        "TenantsPolled",
        "TenantsUnreadable",
    ];
    assert_eq!(watched, all.into());
    assert_eq!(alarms.len(), all.len());
}

#[test]
fn thresholds_leave_time_to_act() {
    let template = Template::read();
    let alarm = |name: &str| template.at(&format!("/Resources/{name}/Properties")).clone();
    let compared = |alarm: &Value| {
        let text = |name: &str| alarm[name].as_str().unwrap().to_owned();
        (text("Statistic"), text("ComparisonOperator"), alarm["Threshold"].as_i64().unwrap(), text("TreatMissingData"))
    };
    let is = |statistic: &str, operator: &str, threshold: i64, missing: &str| {
        (statistic.to_owned(), operator.to_owned(), threshold, missing.to_owned())
    };
    let at_least = "GreaterThanOrEqualToThreshold";
    assert_eq!(compared(&alarm("CredentialsNotCheckedAlarm")), is("SampleCount", "LessThanThreshold", 1, "breaching"));
    assert_eq!(compared(&alarm("CredentialsFailedAlarm")), is("Maximum", at_least, 1, "ignore"));
    assert_eq!(compared(&alarm("CredentialsUndecidedAlarm")), is("Maximum", at_least, 1, "ignore"));
    assert_eq!(compared(&alarm("CredentialExpiresAlarm")), is("Minimum", "LessThanThreshold", 30, "missing"));
    assert_eq!(compared(&alarm("TenantsUnreadableAlarm")), is("Maximum", at_least, 1, "ignore"));
    assert_eq!(compared(&alarm("RunsFailedAlarm")), is("Sum", at_least, 1, "notBreaching"));
    assert_eq!(compared(&alarm("RunsRefusedAlarm")), is("Sum", at_least, 1, "notBreaching"));
    assert_eq!(alarm("RunsRefusedAlarm")["EvaluationPeriods"], 2, "one may be a slip");
    assert_eq!(compared(&alarm("NothingPolledAlarm")), is("Sum", "LessThanThreshold", 1, "breaching"));
    assert_eq!(compared(&alarm("DecisionsNotAcceptedAlarm")), is("Sum", at_least, 1, "notBreaching"));
    assert_eq!(compared(&alarm("OperationsStuckAlarm")), is("Maximum", at_least, 1, "breaching"));
    assert_eq!(compared(&alarm("AlertsUnreadableAlarm")), is("Sum", at_least, 1, "ignore"));
    assert_eq!(compared(&alarm("AlertsBrokenAlarm")), is("Sum", at_least, 1, "ignore"));
    let vanished = compared(&alarm("AlertsVanishedAlarm"));
    assert_eq!((vanished.0.as_str(), vanished.1.as_str(), vanished.3.as_str()), ("Sum", at_least, "notBreaching"));
    assert!((2..=20).contains(&vanished.2), "more than one, and no more than a run asks for: {}", vanished.2);
    for told_once in ["DecisionsNotAcceptedAlarm", "AlertsVanishedAlarm"] {
        assert_eq!(alarm(told_once)["EvaluationPeriods"], 1, "{told_once}");
    }
    let old = compared(&alarm("RefreshTokenOldAlarm"));
    assert_eq!((old.0.as_str(), old.1.as_str(), old.3.as_str()), ("Maximum", at_least, "missing"));
    assert_eq!(old.2, partner_center::REFRESH_TOKEN_OLD.as_hours() / 24, "as renew itself tells of it");
    let (renewed, life) = (RENEW_AFTER.as_hours() / 24 + 1, REFRESH_TOKEN_LIFE.as_hours() / 24);
    assert!(
        old.2 > renewed + 1 && old.2 < life / 2,
        "{} of {life} days, where a token is renewed after {renewed}",
        old.2
    );
}

#[test]
fn alarms_renew_and_resolve_alone_publish_to_operations_and_its_topic_has_no_key_that_would_keep_them_out() {
    let template = Template::read();
    assert!(template.at("/Resources/OperationsTopic").get("Properties").is_none());
    let policy = template.at("/Resources/OperationsTopicPolicy/Properties");
    let topic = json!({ "!Ref": "OperationsTopic" });
    assert_eq!(policy["Topics"], json!([topic]));
    let [renew, resolve] = ["Renew", "Resolve"].map(|name| json!({ "!GetAtt": format!("{name}FunctionRole.Arn") }));
    let alarms = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:${AWS::StackName}-*";
    let expected = json!([
        {
            "Sid": "AlarmsPublish", "Effect": "Allow", "Principal": { "Service": "cloudwatch.amazonaws.com" },
            "Action": "sns:Publish", "Resource": topic,
            "Condition": {
                "StringEquals": { "aws:SourceAccount": { "!Ref": "AWS::AccountId" } },
                "ArnLike": { "aws:SourceArn": { "!Sub": alarms } },
            },
        },
        {
            "Sid": "RenewPublishes", "Effect": "Allow", "Principal": { "AWS": renew }, "Action": "sns:Publish",
            "Resource": topic,
        },
        {
            "Sid": "ResolvePublishes", "Effect": "Allow", "Principal": { "AWS": resolve }, "Action": "sns:Publish",
            "Resource": topic,
        },
        {
            "Sid": "NobodyElsePublishes", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic,
            "Condition": {
                "ArnNotEquals": { "aws:PrincipalArn": [renew, resolve] },
                "Bool": { "aws:PrincipalIsAWSService": "false" },
            },
        },
        {
            "Sid": "OnlyOverTls", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic,
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        },
    ]);
    assert_eq!(policy["PolicyDocument"]["Statement"], expected);
}
