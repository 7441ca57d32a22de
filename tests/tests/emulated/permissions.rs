//! Every permission that the template gives the functions that nobody signs in to is needed: without it a function fails, and in the way that it should. What the
//! functions do with all of them, the other tests show.
//!
//! Not shown, because the emulator doesn't apply them: the conditions on `dynamodb:LeadingKeys`, what the roles of schedules may
//! do, and what Lambda itself does with the role of a function (`OF_LAMBDA`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use serde_yaml_ng::Value;
use simulator::SignedCallback;
use tests::Item;

use crate::{
    deployment::{GUARDED, Stack, World, in_world},
    told,
};

/// What is done in a stack.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A genuine callback comes in.
    Callback,
    /// A look after a fraud event is long due.
    Look,
    /// A message about names.
    Names,
    /// A callback has rung for a run.
    Reconcile,
    /// The schedule of `renew` ticks, while a refresh token has come to age.
    Renew,
    /// The schedule of `poll` ticks.
    Schedule,
    /// The schedule of `notify` ticks, while an outbox item is unpublished.
    Sweep,
}
use Act::{Callback, Look, Names, Reconcile, Renew, Schedule, Sweep};

/// What comes of it, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// API Gateway answers with this status.
    Answered(u16),
    /// Done: what failed is made up for later.
    Done,
    /// The function has failed.
    Failed,
    /// The message goes back to the queue.
    Returned,
}
use Outcome::{Answered, Done, Failed, Returned};

/// One permission that is missing: role, statement and action.
struct Case {
    /// The stack that lacks it. One lacks several where they don't get into each other's way.
    stack: &'static str,
    lacks: [&'static str; 3],
    act: Act,
    outcome: Outcome,
}

const fn case(stack: &'static str, lacks: [&'static str; 3], act: Act, outcome: Outcome) -> Case {
    Case { stack, lacks, act, outcome }
}

const CASES: [Case; 24] = [
    case("lacking-1", ["WebhookFunctionRole", "FindPathKeys", "dynamodb:Query"], Callback, Answered(503)),
    case("lacking-1", ["PollFunctionRole", "ReadTenants", "dynamodb:Query"], Schedule, Failed),
    case("lacking-1", ["NotifyFunctionRole", "FindUnpublished", "dynamodb:Query"], Sweep, Failed),
    case("lacking-2", ["WebhookFunctionRole", "KeepEvents", "dynamodb:PutItem"], Callback, Answered(503)),
    case("lacking-2", ["PollFunctionRole", "AskForRuns", "sqs:SendMessage"], Schedule, Failed),
    case("lacking-2", ["PollFunctionRole", "KeepState", "dynamodb:ConditionCheckItem"], Reconcile, Returned),
    case("lacking-2", ["NotifyFunctionRole", "MarkPublished", "dynamodb:UpdateItem"], Sweep, Done),
    case("lacking-3", ["WebhookFunctionRole", "AskForRuns", "sqs:SendMessage"], Callback, Answered(200)),
    case("lacking-3", ["PollFunctionRole", "KeepState", "dynamodb:PutItem"], Reconcile, Returned),
    case("lacking-3", ["NotifyFunctionRole", "Publish", "sns:Publish"], Sweep, Failed),
    case("lacking-4", ["PollFunctionRole", "KeepState", "dynamodb:UpdateItem"], Reconcile, Returned),
    case("lacking-5", ["PollFunctionRole", "ReadAndWriteAlerts", "dynamodb:BatchGetItem"], Reconcile, Returned),
    case("lacking-6", ["PollFunctionRole", "ReadAndWriteAlerts", "dynamodb:PutItem"], Reconcile, Returned),
    case("lacking-7", ["PollFunctionRole", "ReadAndWriteAlerts", "dynamodb:UpdateItem"], Reconcile, Returned),
    case("lacking-8", ["PollFunctionRole", "ReadSecrets", "secretsmanager:GetSecretValue"], Reconcile, Returned),
    case("lacking-9", ["PollFunctionRole", "FindAlerts", "dynamodb:Query"], Look, Returned),
    // A message about names is done, whatever fails: no name holds up anything.
    case("lacking-9", ["PollFunctionRole", "ReadTenants", "dynamodb:BatchGetItem"], Names, Done),
    // Nor does it matter whether it can be tried again later.
    case("lacking-9", ["PollFunctionRole", "AskForNames", "sqs:SendMessage"], Names, Done),
    case("lacking-1", ["RenewFunctionRole", "ReadTenants", "dynamodb:Query"], Renew, Failed),
    // What fails of a credential is noted and counted: the invocation is done.
    case("lacking-2", ["RenewFunctionRole", "NoteOutcomes", "dynamodb:UpdateItem"], Renew, Done),
    case("lacking-3", ["RenewFunctionRole", "RenewSecrets", "secretsmanager:GetSecretValue"], Renew, Done),
    // The secret that can't be read is something to tell.
    case("lacking-3", ["RenewFunctionRole", "TellOperations", "sns:Publish"], Renew, Done),
    case("lacking-4", ["RenewFunctionRole", "RenewSecrets", "secretsmanager:PutSecretValue"], Renew, Done),
    case("lacking-5", ["RenewFunctionRole", "RenewSecrets", "secretsmanager:UpdateSecretVersionStage"], Renew, Done),
];

/// The topics allow `notify` and `renew` to publish, too, and either one is enough.
const ALSO_LACKING: [(&str, [&str; 3]); 2] = [
    ("lacking-3", ["FraudTopicPolicy", "NotifyPublishes", "sns:Publish"]),
    ("lacking-3", ["OperationsTopicPolicy", "RenewPublishes", "sns:Publish"]),
];

/// What takes days to come about: a customer that is called otherwise. `tests/tests/template` holds it to what `poll` does.
const TAKES_DAYS: [[&str; 3]; 1] = [["PollFunctionRole", "KeepState", "dynamodb:DeleteItem"]];

/// The roles of functions that answer people: `people.rs` shows that they have what it takes, and `tests/tests/template` holds each to what
/// its function was seen to ask for.
const OF_PEOPLE: [&str; 4] =
    ["AuthorizeFunctionRole", "DashboardFunctionRole", "ResolveFunctionRole", "SignInFunctionRole"];

/// Statements that Lambda needs, to write the log and to read what wakes a function; `tests/tests/template` checks them.
const OF_LAMBDA: [&str; 5] = ["GiveUpRecords", "ListStreams", "ReadStreams", "TakeMessages", "WriteLog"];

/// What each stack lacks.
pub(crate) fn lacking() -> BTreeMap<&'static str, Vec<[&'static str; 3]>> {
    let mut stacks: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (stack, lacks) in CASES.iter().map(|case| (case.stack, case.lacks)).chain(ALSO_LACKING) {
        stacks.entry(stack).or_default().push(lacks);
    }
    stacks
}

async fn act(world: &World, stack: &Stack, act: Act, callback: &SignedCallback, outbox: &Item) -> Outcome {
    let answer = match act {
        Callback => return Answered(world.post(stack, GUARDED, callback).await),
        Look => stack.look(GUARDED),
        Names => stack.look_after_names(GUARDED),
        Reconcile => stack.reconcile(&[GUARDED]),
        Renew => stack.invoke("RenewFunction", &json!({ "task": "renew" })),
        Schedule => stack.invoke("PollFunction", &json!({ "task": "schedule" })),
        Sweep => {
            world.leave_unpublished(stack, outbox).await;
            stack.invoke("NotifyFunction", &json!({ "task": "sweep" }))
        }
    };
    match answer.error {
        Some(_) => Failed,
        None if answer.payload["batchItemFailures"] == json!([]) || answer.payload.is_null() => Done,
        None if answer.payload["batchItemFailures"] == json!([{ "itemIdentifier": GUARDED }]) => Returned,
        None => panic!("{act:?} was answered {}", answer.payload),
    }
}

/// Every permission that the template gives a role for the function itself.
fn given() -> BTreeSet<[String; 3]> {
    let template: Value = serde_yaml_ng::from_str(include_str!("../../../template.yaml")).unwrap();
    let mut given = BTreeSet::new();
    let resources = template["Resources"].as_mapping().unwrap().iter();
    for (name, resource) in resources.filter(|(name, _)| !OF_PEOPLE.contains(&name.as_str().unwrap())) {
        let policies = items(&resource["Properties"]["Policies"]);
        let statements = policies.flat_map(|policy| items(&policy["PolicyDocument"]["Statement"]));
        for statement in statements.filter(|each| !OF_LAMBDA.contains(&each["Sid"].as_str().unwrap())) {
            let action = &statement["Action"];
            for action in items(action).chain(action.is_string().then_some(action)) {
                given.insert([name, &statement["Sid"], action].map(|part| part.as_str().unwrap().to_owned()));
            }
        }
    }
    given
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_sequence().into_iter().flatten()
}

#[test]
fn every_permission_of_a_function_has_its_case() {
    let cases = CASES.iter().map(|case| case.lacks).chain(TAKES_DAYS);
    assert_eq!(given(), cases.map(|lacks| lacks.map(str::to_owned)).collect());
}

#[test]
fn without_any_one_of_its_permissions_a_function_fails_as_it_should() {
    in_world(async |world| {
        let fraud = world.hears("FraudTopicArn", GUARDED, "fraud", json!({})).await;
        let alert = world.raise(GUARDED);
        let callback = world.callback(&alert);
        assert_eq!(world.post(&world.whole, GUARDED, &callback).await, 200);
        told(world, &fraud, &alert).await;
        let outbox = world.outbox(GUARDED).await;

        for case in &CASES {
            let (stack, [role, statement, action]) = (world.lacking(case.stack), case.lacks);
            let outcome = act(world, stack, case.act, &callback, &outbox).await;
            assert_eq!(outcome, case.outcome, "without {action} of {role}.{statement}:\n{:#}", stack.logs());
            stack.assert_logged(role.strip_suffix("Role").unwrap(), &format!("not authorized to perform: {action}"));
            if let Answered(status) = outcome {
                let kept = world.items(stack, "EventsTableName", GUARDED).await.len();
                assert_eq!(kept, usize::from(status == 200), "events kept without {action} of {role}.{statement}");
            }
        }
    });
}
