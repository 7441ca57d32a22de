//! Nothing breaks off unseen: each function, each queue of dead letters and the people's API is in an alarm about what AWS counts of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::Template;

/// A figure of AWS's, as it is compared: namespace, metric, dimension and, as JSON, the reference to what it is of.
type Figure = [String; 4];

fn figure(namespace: &str, metric: &str, dimension: &str, of: &Value) -> Figure {
    [namespace.to_owned(), metric.to_owned(), dimension.to_owned(), of.to_string()]
}

/// The alarms that look at several figures of AWS's at once, and the entries of each.
fn of_aws(template: &Template) -> BTreeMap<&str, (&Value, &Vec<Value>)> {
    let alarms = template.of_type("AWS::CloudWatch::Alarm").into_iter();
    alarms.filter_map(|(name, alarm)| Some((name, (alarm, alarm["Properties"]["Metrics"].as_array()?)))).collect()
}

fn figures(entries: &[Value]) -> impl Iterator<Item = Figure> {
    entries.iter().filter_map(|entry| entry.pointer("/MetricStat/Metric")).map(|metric| {
        let text = |name: &str| metric[name].as_str().unwrap();
        let [dimension] = metric["Dimensions"].as_array().unwrap().as_slice() else {
            panic!("one dimension: {metric}")
        };
        figure(text("Namespace"), text("MetricName"), dimension["Name"].as_str().unwrap(), &dimension["Value"])
    })
}

/// The resource that a reference is to.
fn named(reference: &Value) -> &str {
    let text = reference.pointer("/!Ref").or_else(|| reference.pointer("/!GetAtt")).and_then(Value::as_str).unwrap();
    text.split('.').next().unwrap()
}

/// Where the template has what is given up go to.
fn dead_letters(value: &Value, found: &mut BTreeSet<String>) {
    let inner: Vec<_> = match value {
        Value::Array(values) => values.iter().collect(),
        Value::Object(members) => {
            for member in ["deadLetterTargetArn", "Destination"] {
                found.extend(members.get(member).map(|queue| named(queue).to_owned()));
            }
            members.values().collect()
        }
        _ => vec![],
    };
    for value in inner {
        dead_letters(value, found);
    }
}

#[test]
fn every_function_every_queue_of_dead_letters_and_the_peoples_api_is_watched() {
    let template = Template::read();
    let mut queues = BTreeSet::new();
    dead_letters(template.at("/Resources"), &mut queues);
    assert!(queues.len() > 1, "{queues:?}");
    let mut wanted = BTreeSet::new();
    for queue in queues {
        let of = json!({ "!GetAtt": format!("{queue}.QueueName") });
        wanted.insert(figure("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", &of));
    }
    for function in template.of_type("AWS::Serverless::Function").into_keys() {
        // It runs every six hours: that it got nowhere twice, its own figure says by being missing, which is an alarm.
        if function == "RenewFunction" {
            let alarm = template.at("/Resources/CredentialsNotCheckedAlarm/Properties");
            assert_eq!((&alarm["TreatMissingData"], &alarm["Period"]), (&json!("breaching"), &json!(21_600)));
            continue;
        }
        wanted.insert(figure("AWS/Lambda", "Errors", "FunctionName", &json!({ "!Ref": function })));
    }
    // Not the callbacks' API: what is answered 5xx there Microsoft sends again, and the schedule finds without it.
    for api in template.of_type("AWS::ApiGatewayV2::Api").into_keys() {
        wanted.insert(figure("AWS/ApiGateway", "5xx", "ApiId", &json!({ "!Ref": api })));
    }
    let alarms = of_aws(&template);
    let watched: Vec<_> = alarms.values().flat_map(|(_, entries)| figures(entries)).collect();
    let once: BTreeSet<_> = watched.iter().cloned().collect();
    assert_eq!(once.len(), watched.len(), "watched twice");
    assert_eq!(once, wanted);
}

/// The alarm says that there are some, and `doctor` where.
#[test]
fn doctor_finds_every_queue_of_dead_letters_by_an_output_of_the_stack_and_looks_into_it() {
    let template = Template::read();
    let (stack, doctor) =
        (include_str!("../../../cli/src/stack.rs"), include_str!("../../../cli/src/doctor/queues.rs"));
    let (_, looked_into) = doctor.split_once("const DEAD_LETTERS").unwrap();
    let mut queues = BTreeSet::new();
    dead_letters(template.at("/Resources"), &mut queues);
    for queue in queues {
        assert_eq!(*template.at(&format!("/Outputs/{queue}Url/Value")), json!({ "!Ref": queue }));
        let variable = format!("{}_DEAD_LETTERS_URL", queue.trim_end_matches("DeadLetters").to_uppercase());
        assert!(stack.contains(&format!("(\"{queue}Url\", &{variable})")), "{queue}");
        assert!(looked_into.contains(&format!("&{variable},")), "{queue}");
    }
}

#[test]
fn an_alarm_is_there_exactly_where_all_that_it_watches_is() {
    let template = Template::read();
    for (name, (alarm, entries)) in of_aws(&template) {
        for metric in entries.iter().filter_map(|entry| entry.pointer("/MetricStat/Metric")) {
            let of = named(&metric["Dimensions"][0]["Value"]);
            let resource = template.at(&format!("/Resources/{of}"));
            assert_eq!(alarm.get("Condition"), resource.get("Condition"), "{name}: {of}");
        }
    }
}

#[test]
fn the_worst_of_its_figures_is_what_an_alarm_compares_and_operations_hear_of_it() {
    let template = Template::read();
    for (name, (alarm, entries)) in of_aws(&template) {
        let alarm = &alarm["Properties"];
        // CloudWatch takes no more for an alarm.
        assert!(entries.len() <= 10, "{name}");
        let (figures, compared): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry["ReturnData"] == false);
        let [compared] = compared.as_slice() else { panic!("{name} compares one thing") };
        // It leaves out what is missing, where a sum of names would be missing as a whole.
        assert_eq!(compared["Expression"], "MAX(METRICS())", "{name}");
        let ids: BTreeSet<_> = entries.iter().map(|entry| entry["Id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), entries.len(), "{name}");
        assert!(ids.iter().all(|id| id.starts_with(|first: char| first.is_ascii_lowercase())), "{name}");
        for figure in figures {
            let figure = &figure["MetricStat"];
            let at_once = figure["Metric"]["Namespace"] == "AWS/SQS";
            let (stat, period) = if at_once { ("Maximum", 300) } else { ("Sum", 900) };
            assert_eq!((figure["Stat"].as_str(), figure["Period"].as_u64()), (Some(stat), Some(period)), "{name}");
        }
        assert_eq!(alarm["ComparisonOperator"], "GreaterThanOrEqualToThreshold", "{name}");
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
        for told in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[told], json!([{ "!Ref": "OperationsTopic" }]), "{name}");
        }
        assert!(alarm["AlarmDescription"].as_str().unwrap().ends_with('.'), "{name}");
        assert!(alarm.get("AlarmName").is_none(), "{name}");
    }
    let bounds = |name: &str| {
        let alarm = template.at(&format!("/Resources/{name}/Properties"));
        (alarm["Threshold"].as_u64().unwrap(), alarm["EvaluationPeriods"].as_u64().unwrap())
    };
    assert_eq!(bounds("FunctionsFailedAlarm"), (1, 12), "callbacks may be an hour apart");
    let datapoints = template.at("/Resources/FunctionsFailedAlarm/Properties/DatapointsToAlarm");
    assert_eq!(*datapoints, 3, "what wakes them tries again, and one period may be a slip");
    // Three sweeps fall into a period: where all of them fail it is no slip.
    assert_eq!(bounds("PeopleTurnedAwayAlarm"), (3, 1), "people don't try for long");
    assert_eq!(bounds("DeadLettersAlarm"), (1, 1), "each was tried often enough");
}
