//! What somebody asked for, shown at a terminal as the API shows it.

use std::collections::BTreeSet;

use models::{
    Actor, AlertResult, Asked, MicrosoftRefusal, Operation, OperationId, Person, RequestHash, Standing, Status,
};
use serde_json::{Value, json};
use simulator::{Denial, FaultKind, Target};
use store::{KeepOperations as _, Store};
use tests::TENANT;

use crate::{
    statistics::NOW,
    subscriptions::{CANCEL, CUSTOMER, SUBSCRIPTION, act, administrator, came, not_done, with_an_alert},
    support::{Here, OTHER},
};

/// The members of a shape in the API's document: all, and those that are always there.
fn members(shape: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let document = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json"));
    let document: Value = serde_json::from_str(document).unwrap();
    let shape = &document["components"]["schemas"][shape];
    let all = shape["properties"].as_object().unwrap().keys().cloned().collect();
    (all, shape["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect())
}

#[track_caller]
fn assert_is(shape: &str, shown: &Value) {
    let (all, required) = members(shape);
    let here: BTreeSet<_> = shown.as_object().unwrap().keys().cloned().collect();
    assert!(here.is_subset(&all) && here.is_superset(&required), "{shape}: {shown}");
}

/// The operation that the tenant's lines name last.
async fn last_operation(here: &Here) -> String {
    let lines = here.json(&["activity", "show", "--tenant", TENANT]).await;
    lines.as_array().unwrap().last().unwrap()["line"]["operation"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_person_says_so_with_the_command_by_which_they_go_on() {
    let here = with_an_alert().await;
    here.fault(FaultKind::Denied(Denial::ConditionalAccess), Target::AzureEntitlementCancel);
    not_done(&act(&here, &CANCEL, administrator(), "Production\n").await);
    here.simulator().clear_faults();
    let id = last_operation(&here).await;
    let show = ["operations", "show", TENANT, &id];

    let shown = here.json(&show).await;
    assert_is("OperationShown", &shown);
    assert_is("ProgressShown", &shown["progress"]);
    assert_is("RefusalDocument", &shown["refusal"]);
    assert_eq!(shown["step_up"], json!(format!("/sign-in/step-up?tenant={TENANT}&operation={id}")));
    assert_eq!((&shown["needs_token"], &shown["asked"]["wish"]), (&json!(true), &json!("cancel")));

    let told = here.told(&show).await;
    let command = format!("subscriptions cancel {TENANT} {SUBSCRIPTION} --customer {CUSTOMER}");
    let (page, what_to_do) = (shown["step_up"].as_str().unwrap(), shown["refusal"]["what_to_do"].as_str().unwrap());
    for words in ["It waits for a person", &command, page, what_to_do, &administrator().name] {
        assert!(told.contains(words), "{words}: {told}");
    }

    let words: Vec<_> = ["--json"].into_iter().chain(command.split(' ')).collect();
    let came = came(&act(&here, &words, administrator(), "Production\n").await);
    assert_eq!(came["operation"], json!(id), "the command goes on with it");
    let told = here.told(&show).await;
    assert!(told.contains("posted: Microsoft took it") && !told.contains("It waits for a person"), "{told}");
}

#[tokio::test]
async fn what_was_asked_of_alerts_is_shown_with_what_came_of_each() {
    let here = Here::new().await;
    let store =
        Store::new(aws_sdk_dynamodb::Client::new(&here.test.system.parts().aws), here.test.system.tables().clone());
    let person = Person::new(TENANT.parse().unwrap(), TENANT.parse().unwrap(), "Some\u{1b}[31m one");
    let asked = Asked::Status {
        alerts: ["one", "two", "three"].map(|id| id.parse().unwrap()).into(),
        to: Standing::new(&Status::Resolved, Some(&"fraud".into())),
        note: Some("They called back.".parse().unwrap()),
    };
    let id = OperationId::of_random("an operation");
    let hash = RequestHash::of(b"a request");
    let begun = Operation::asked(id.clone(), TENANT.parse().unwrap(), Actor::Person(person), hash, asked, NOW);
    let refusal = MicrosoftRefusal::new("Forbidden", None, None);
    let one = begun.with_result("one".parse().unwrap(), AlertResult::Done { version: 3 }, NOW);
    let two = one.with_result("two".parse().unwrap(), AlertResult::Refused(refusal), NOW);
    for operation in [begun, one, two] {
        assert!(store.advance(&operation).await.unwrap());
    }

    let show = ["operations", "show", TENANT, id.as_str()];
    let shown = here.json(&show).await;
    assert_is("OperationShown", &shown);
    assert_eq!(shown["state"], json!({ "kind": "in_progress" }));
    assert_eq!(shown["asked"]["to"], json!({ "status": "resolved", "reason": "fraud" }));
    assert_eq!(shown["results"]["one"], json!({ "kind": "done", "version": 3 }));
    let mut refused = shown["results"]["two"].clone();
    assert_eq!(refused.as_object_mut().unwrap().remove("kind"), Some(json!("refused")));
    assert_is("RefusalDocument", &refused);

    let told = here.told(&show).await;
    for words in
        ["3 alerts to be resolved (fraud)", "They called back.", "in progress", "under way", "refused: Forbidden"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains('\u{1b}') && !told.contains("It waits for a person"), "{told}");
    let unknown = here.refused(&["operations", "show", OTHER, id.as_str()]).await;
    assert!(unknown.contains(&format!("tenant {OTHER} has no operation {id}")), "{unknown}");
}
