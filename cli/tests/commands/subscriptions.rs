//! An Azure subscription, as an operator looks it up, and as a person cancels it.

use std::process::Output;

use jiff::SignedDuration;
use made_alerts::alert;
use models::{Alert, Status};
use partner_center::{Diagnosis, Refusal};
use serde_json::{Value, json};
use simulator::{CustomerChange, Denial, FaultKind, Person, Relationship, Role, SubscriptionRules, Target};
use tests::{ByHand, TENANT, addresses};

use crate::{
    statistics::{NOW, keep},
    support::{Here, OTHER, refusal},
};

pub(crate) const CUSTOMER: &str = "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3";
pub(crate) const SUBSCRIPTION: &str = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
const SHOW: [&str; 4] = ["subscriptions", "show", TENANT, SUBSCRIPTION];

fn about(id: &str, minutes: i64, status: Status) -> Alert {
    Alert {
        display_name: format!("Alert \u{1b}[31m{id}"),
        customer_id: Some(CUSTOMER.parse().unwrap()),
        subscription_id: Some(SUBSCRIPTION.parse().unwrap()),
        last_observed: NOW + SignedDuration::from_mins(minutes),
        status,
        ..alert(id)
    }
}

/// A system whose tenant's customer has the subscription.
async fn here() -> Here {
    let here = Here::new().await;
    let subscriptions = [(SUBSCRIPTION.to_owned(), "Production \u{1b}[31m".to_owned())].into();
    say(
        &here,
        CustomerChange { company_name: Some("Contoso Ltd".to_owned()), subscriptions, ..CustomerChange::default() },
    );
    here
}

fn say(here: &Here, change: CustomerChange) {
    here.simulator().describe_customer(CustomerChange { id: CUSTOMER.to_owned(), ..change }).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_shown_with_its_customer_its_plan_and_those_of_its_alerts_that_are_open() {
    let here = here().await;
    let alerts =
        [about("old", 1, Status::Active), about("done", 2, Status::Resolved), about("new", 3, Status::Investigating)];
    keep(&here, alerts.into_iter().chain([alert("another")])).await;
    let shown = here.json(&SHOW).await;
    let open = |id: &str, status: &str, last: &str| json!({ "id": id, "name": format!("Alert \u{1b}[31m{id}"), "severity": "high", "status": status, "last_observed": last });
    let expected = json!({
        "tenant": TENANT,
        "customer": { "id": CUSTOMER, "name": "Contoso Ltd", "domain": "customer-4a8f2d61.onmicrosoft.com" },
        "subscription": { "id": SUBSCRIPTION, "name": "Production \u{1b}[31m", "status": "active" },
        "plan": { "id": shown["plan"]["id"], "name": "Azure plan", "status": "active" },
        "open_alerts": [open("new", "investigating", "2026-03-02T09:03:00Z"), open("old", "active", "2026-03-02T09:01:00Z")],
    });
    assert_eq!(shown, expected);
    let told = here.told(&SHOW).await;
    for words in
        ["Contoso Ltd (4a8f2d61-", "customer-4a8f2d61.onmicrosoft.com", "), active", "open alert", "investigating"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains('\u{1b}') && !told.contains("done"), "{told}");
    assert!(here.simulator().subscription_acts().is_empty(), "nothing is changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_alert_names_the_customer_somebody_has_to() {
    let here = here().await;
    let refused = here.refused(&SHOW).await;
    assert!(refused.contains("say whose it is with --customer"), "{refused}");
    let told = here.told(&[&SHOW[..], &["--customer", CUSTOMER]].concat()).await;
    assert!(told.ends_with("\nNo alert of it is open.\n"), "{told}");
    let unknown = here.refused(&["subscriptions", "show", OTHER, SUBSCRIPTION]).await;
    assert!(unknown.contains(&format!("there is no tenant {OTHER}")), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_partner_center_refuses_is_told_with_what_to_do() {
    let here = here().await;
    let named = [&SHOW[..], &["--customer", CUSTOMER]].concat();
    let other = ["subscriptions", "show", TENANT, CUSTOMER, "--customer", CUSTOMER];
    assert!(here.refused(&other).await.contains(Refusal::SubscriptionUnknown.what_to_do()));
    here.fault(FaultKind::Denied(Denial::ApplicationUnregistered), Target::Customer);
    let refused = here.refused(&named).await;
    assert!(refused.contains(Diagnosis::NotInPartnerCenter.what_to_do()), "{refused}");
    here.simulator().clear_faults();
    say(&here, CustomerChange { relationship: Some(Relationship::Ended), ..CustomerChange::default() });
    let ended = here.refused(&named).await;
    assert!(
        ended.contains("is no customer of tenant") && ended.contains(Refusal::RelationshipMissing.what_to_do()),
        "{ended}"
    );
}

// ---- cancelling ----------------------------------------------------------------------------------------------------------

pub(crate) const CANCEL: [&str; 5] = ["--json", "subscriptions", "cancel", TENANT, SUBSCRIPTION];

pub(crate) fn administrator() -> Person {
    Person::global_administrator(TENANT)
}

/// A system whose tenant's customer has the subscription, with an alert of it.
pub(crate) async fn with_an_alert() -> Here {
    let here = Here::new().await;
    let named = [(SUBSCRIPTION.to_owned(), "Production".to_owned())].into();
    say(&here, CustomerChange { subscriptions: named, ..CustomerChange::default() });
    keep(&here, [about("new", 3, Status::Active)]).await;
    here
}

/// The person signs in with the code that the command shows.
async fn sign_in(here: &Here, person: Person) {
    let sign_in = here.simulator().sign_in_begun(TENANT).await;
    assert!(sign_in.scope.ends_with("/.default openid profile"), "nothing to go on with: {}", sign_in.scope);
    here.simulator().approve(TENANT, sign_in.user_code.as_deref(), person).unwrap();
}

/// Runs a command whose person signs in with a code as this one, and types this.
pub(crate) async fn act(here: &Here, arguments: &[&str], person: Person, typed: &str) -> Output {
    tokio::join!(here.run_with(arguments, typed), sign_in(here, person)).0
}

pub(crate) fn came(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What was said of a command that was not done; what it had asked the person stands before it.
pub(crate) fn not_done(output: &Output) -> String {
    let said = refusal(output);
    assert!(said.contains("enter the code "), "{said}");
    said
}

/// The tenant's own lines, each by what was done.
async fn done(here: &Here) -> Vec<String> {
    let shown = here.json(&["activity", "show", "--tenant", TENANT]).await;
    let act = |shown: &Value| shown.pointer("/line/act/kind").unwrap().as_str().unwrap().to_owned();
    shown.as_array().unwrap().iter().map(act).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_name_asks_for_no_sign_in_and_writes_nothing() {
    let here = with_an_alert().await;
    for verb in ["cancel", "reactivate"] {
        for typed in ["production\n", "\n", ""] {
            let said = refusal(&here.run_with(&["subscriptions", verb, TENANT, SUBSCRIPTION], typed).await);
            let prompt = ["Production", "new", "Type the subscription's name"];
            for words in [&prompt[..], &["is not the subscription's name", "What to do: type the name"]].concat() {
                assert!(said.contains(words), "{verb} {typed:?}: {words}: {said}");
            }
            assert!(!said.contains("enter the code"), "{verb} {typed:?}: {said}");
        }
    }
    assert!(here.simulator().pending_sign_ins().is_empty(), "nobody is waited for");
    assert_eq!(done(&here).await, Vec::<String>::new(), "nothing is written before the name is right");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_read_secret_can_not_be_used_a_person_signs_in_first_and_is_told_why() {
    let here = with_an_alert().await;
    here.fault(FaultKind::Denied(Denial::ApplicationUnregistered), Target::Customer);
    let signs_in = async {
        here.simulator().sign_in_begun(TENANT).await;
        here.simulator().clear_faults();
        sign_in(&here, administrator()).await;
    };
    let said = not_done(&tokio::join!(here.run_with(&CANCEL, "no name\n"), signs_in).0);
    let in_order = [
        "can't be looked up by the tenant's read secret",
        Diagnosis::NotInPartnerCenter.what_to_do(),
        "enter the code",
        "Type the subscription's name",
        "is not the subscription's name",
    ];
    let places: Vec<_> =
        in_order.iter().map(|words| said.find(words).unwrap_or_else(|| panic!("{words}: {said}"))).collect();
    assert!(places.is_sorted(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_cancels_by_a_code_and_the_typed_name_having_seen_what_would_end() {
    let here = with_an_alert().await;
    let told = act(&here, &[&CANCEL[..], &["--note", "It mines."]].concat(), administrator(), "Production\n").await;
    let came = came(&told);
    assert_eq!(
        (&came["stage"], &came["needs_token"], &came["wish"]),
        (&json!("posted"), &json!(false), &json!("cancel"))
    );
    let acts = here.simulator().subscription_acts();
    assert_eq!((acts.len(), &acts[0].by, acts[0].cancelled), (1, &administrator().name, true));
    assert_eq!(
        done(&here).await,
        ["subscription_asked", "subscription_reached", "subscription_telling", "subscription_reached"]
    );
    let unknown = here.refused(&["activity", "show", "--tenant", "0a0a0a0a-1111-4222-8333-444444444444"]).await;
    assert!(unknown.contains("there is no such tenant"), "{unknown}");
    let verified = here.json(&["activity", "verify", "--tenant", TENANT]).await;
    assert!(!verified.to_string().contains("finding\":"), "{verified}");
    let again = not_done(&act(&here, &CANCEL, administrator(), "Production\n").await);
    assert!(again.contains("is under way"), "{again}");
    assert_eq!(here.simulator().subscription_acts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_while_microsoft_is_told_the_same_command_finishes_the_same_operation() {
    let here = with_an_alert().await;
    here.fault(FaultKind::Silent, Target::AzureEntitlementCancel);
    let mut unanswered = here.simulator().unanswered();
    let cut_off = async {
        let running = act(&here, &CANCEL, administrator(), "Production\n");
        tokio::select! {
            output = running => panic!("{output:?}"),
            changed = unanswered.changed() => changed.unwrap(),
        }
    };
    cut_off.await;
    here.simulator().clear_faults();
    let before = done(&here).await;
    assert_eq!(
        before,
        ["subscription_asked", "subscription_reached", "subscription_telling"],
        "it is written before Microsoft is told"
    );
    let reactivate = ["subscriptions", "reactivate", TENANT, SUBSCRIPTION];
    let other = not_done(&act(&here, &reactivate, administrator(), "Production\n").await);
    assert!(other.contains("is under way"), "another wish waits: {other}");
    let came = came(&act(&here, &CANCEL, administrator(), "Production\n").await);
    assert_eq!((&came["stage"], &came["needs_token"]), (&json!("posted"), &json!(false)));
    assert_eq!(
        done(&here).await,
        [&before[..], &["subscription_telling", "subscription_reached"].map(str::to_owned)].concat(),
        "it was asked for once"
    );
    assert_eq!(here.simulator().subscription_acts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cancelled_is_active_again_by_the_same_way() {
    let here = with_an_alert().await;
    here.simulator().set_subscription_rules(SubscriptionRules { delay_seconds: 0, ..SubscriptionRules::default() });
    let reactivate = ["--json", "subscriptions", "reactivate", TENANT, SUBSCRIPTION];
    let already = came(&act(&here, &reactivate, administrator(), "Production\n").await);
    assert_eq!(
        (&already["stage"], &already["wish"]),
        (&json!("reached"), &json!("reactivate")),
        "nobody has to be told"
    );
    assert!(here.simulator().subscription_acts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_or_says_no_or_comes_too_late_cancels_nothing_and_is_told_why() {
    let here = with_an_alert().await;
    let refused_by_microsoft = Refusal::RolesLacking.what_to_do();
    for (what, person, words) in [
        (
            "no Global Administrator",
            Person::admin_agent(TENANT),
            "does not say that the person is a Global Administrator",
        ),
        (
            "no Admin Agent, which no claim tells",
            Person { roles: vec![Role::GlobalAdministrator], ..administrator() },
            refused_by_microsoft,
        ),
        ("no second factor", Person { mfa: false, ..administrator() }, "signed in without a second factor"),
    ] {
        let said = not_done(&act(&here, &CANCEL, person, "Production\n").await);
        assert!(said.contains(words) && said.contains("What to do: "), "{what}: {said}");
    }
    here.simulator().deny_next(TENANT).unwrap();
    let said = not_done(&here.run_with(&CANCEL, "Production\n").await);
    assert!(said.contains("did not consent"), "{said}");
    here.fault(FaultKind::Denied(Denial::ConditionalAccess), Target::AzureEntitlementCancel);
    let said = not_done(&act(&here, &CANCEL, administrator(), "Production\n").await);
    assert!(said.contains(Diagnosis::ConditionalAccess.what_to_do()), "{said}");
    assert!(here.simulator().subscription_acts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_nobody_enters_in_time_ends_the_command() {
    // Whose clock is ours to move.
    let system = ByHand::start().await;
    let files = tempfile::tempdir().unwrap();
    let subscriptions = [(SUBSCRIPTION.to_owned(), "Production".to_owned())].into();
    let change = CustomerChange { id: CUSTOMER.to_owned(), subscriptions, ..CustomerChange::default() };
    system.microsoft.describe_customer(change).unwrap();
    let mut here = Here::over(system.test);
    for (name, value) in addresses(&system.microsoft, files.path()) {
        here.set(name, &value);
    }
    let cancel = [&CANCEL[..], &["--customer", CUSTOMER]].concat();
    let late = async {
        system.microsoft.sign_in_begun(TENANT).await;
        system.clock.advance(SignedDuration::from_mins(15));
    };
    let (output, ()) = tokio::join!(here.run_with(&cancel, "Production\n"), late);
    let said = not_done(&output);
    assert!(said.contains("nobody signed in in time: begin again"), "{said}");
}
