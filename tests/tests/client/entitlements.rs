//! Azure subscriptions at Partner Center: found, shown, cancelled, followed and reactivated, and whoever may not.

use std::{collections::BTreeSet, time::Duration};

use http::Response;
use models::{AlertSource, CustomerId, Purpose, SubscriptionId, Tenant};
use partner_center::{
    Asker, Diagnosis, Entitlement, EntitlementError, EntitlementPlace, EntitlementStatus, Entitlements, Limits,
    MicrosoftError, PersonToken, Preview, Refusal, TokenProblem,
};
use serde_json::json;
use simulator::{
    CancelAnswer, CustomerChange, Denial, ErrorBody, Fault, FaultKind, RecordedRequest, Relationship, RetryAfter, Role,
    SubscriptionRules, Target,
};
use tests::{Lines, Scripted, secrets::assert_no_secret};
use uuid::Uuid;

use crate::{
    people::{BOTH, CUSTOMER, Client, SUBSCRIPTION, client, person, token, world},
    support::{PATIENT, World, parts_of, tenant},
};

fn ours() -> Tenant {
    tenant(AlertSource::Graph)
}

fn customer() -> CustomerId {
    CUSTOMER.parse().unwrap()
}

fn subscription() -> SubscriptionId {
    SUBSCRIPTION.to_uppercase().parse().unwrap()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x4000_8000_0000_0000_0000 + number)
}

async fn found(client: &Client, asker: Asker<'_>) -> EntitlementPlace {
    client.find(asker, &ours(), &customer(), &subscription()).await.unwrap().place
}

async fn status(client: &Client, place: &EntitlementPlace) -> EntitlementStatus {
    client.read(Asker::Tenant, &ours(), place).await.unwrap().status
}

fn say(world: &World, change: CustomerChange) {
    world.microsoft.describe_customer(CustomerChange { id: CUSTOMER.to_owned(), ..change }).unwrap();
}

/// The requests for acts.
fn acts(world: &World) -> Vec<RecordedRequest> {
    let is_act = |asked: &RecordedRequest| asked.method == "POST" && asked.path.contains("/azureEntitlements/");
    world.microsoft.recorded().into_iter().filter(is_act).collect()
}

#[tokio::test]
async fn a_subscription_is_found_below_whichever_plan_and_shown_with_its_customer_to_either_asker() {
    let world = world().await;
    let client = client(&world);
    let more = |number: u32| (format!("{number:08x}-0000-4000-8000-000000000000"), format!("Subscription {number}"));
    let named = (SUBSCRIPTION.to_owned(), "Production".to_owned());
    let subscriptions = (0..10).map(more).chain([named]).collect();
    let (company_name, domain) = (Some("Contoso Ltd".to_owned()), Some("contoso.onmicrosoft.com".to_owned()));
    say(&world, CustomerChange { company_name, domain, subscriptions, plans: Some(3), ..CustomerChange::default() });
    let person = person(&world, &client, BOTH).await;
    for asker in [Asker::Tenant, Asker::Person(&person)] {
        let Preview { customer: known, found } =
            client.preview(asker, &ours(), &customer(), &subscription()).await.unwrap();
        assert_eq!(
            (known.name.as_deref(), known.domain.as_deref()),
            (Some("Contoso Ltd"), Some("contoso.onmicrosoft.com"))
        );
        assert_eq!((found.plan.name.as_deref(), found.plan.status.as_deref()), (Some("Azure plan"), Some("active")));
        let wanted = Entitlement {
            id: SUBSCRIPTION.parse().unwrap(),
            name: Some("Production".to_owned()),
            status: EntitlementStatus::Active,
        };
        assert_eq!(found.entitlement, wanted);
        assert_eq!(client.read(asker, &ours(), &found.place).await.unwrap(), wanted);
        let kept: EntitlementPlace = serde_json::from_str(&serde_json::to_string(&found.place).unwrap()).unwrap();
        assert_eq!((kept, kept.plan), (found.place, found.plan.id), "an operation can keep it");
    }
}

#[tokio::test]
async fn the_plan_below_which_a_subscription_runs_counts_and_not_one_that_it_has_left() {
    let world = world().await;
    let client = client(&world);
    // The last of two falls to the second plan.
    let first = ("00000000-0000-4000-8000-000000000000".to_owned(), "Another".to_owned());
    let subscriptions = [first, (SUBSCRIPTION.to_owned(), "Production".to_owned())].into();
    let left_behind = vec![SUBSCRIPTION.to_owned()];
    say(&world, CustomerChange { subscriptions, plans: Some(2), left_behind, ..CustomerChange::default() });
    let found = client.find(Asker::Tenant, &ours(), &customer(), &subscription()).await.unwrap();
    assert_eq!(found.entitlement.status, EntitlementStatus::Active);
    assert_eq!(client.read(Asker::Tenant, &ours(), &found.place).await.unwrap().status, EntitlementStatus::Active);
}

#[tokio::test]
async fn a_person_cancels_and_it_is_followed_until_inactive_and_reactivated() {
    for answer in [CancelAnswer::Entitlement, CancelAnswer::Accepted] {
        let world = world().await;
        world.microsoft.set_subscription_rules(SubscriptionRules { answer, ..SubscriptionRules::default() });
        let client = client(&world);
        let person = person(&world, &client, BOTH).await;
        let place = found(&client, Asker::Person(&person)).await;
        let accepted = client.cancel(&person, &ours(), &place, id(1)).await.unwrap();
        let shown = accepted.shown.map(|shown| shown.status);
        assert_eq!(shown, (answer == CancelAnswer::Entitlement).then_some(EntitlementStatus::Active));
        world.advance(599);
        assert_eq!(status(&client, &place).await, EntitlementStatus::Active);
        world.advance(1);
        assert_eq!(status(&client, &place).await, EntitlementStatus::Inactive, "without the person");
        assert_eq!(client.reactivate(&person, &ours(), &place, id(2)).await.unwrap().shown, None);
        world.advance(600);
        assert_eq!(status(&client, &place).await, EntitlementStatus::Active);
        let done: Vec<_> = world.microsoft.subscription_acts().into_iter().map(|act| act.cancelled).collect();
        assert_eq!(done, [true, false]);
    }
}

#[tokio::test]
async fn whatever_happens_to_the_answer_the_same_request_is_done_once() {
    let busy = |status| FaultKind::Answer { status, body: ErrorBody::Html, retry_after: RetryAfter::Seconds(0) };
    for kind in [FaultKind::HangUp, busy(429), busy(502), busy(503), FaultKind::Fail { status: 500 }] {
        let world = world().await;
        let client = client(&world);
        let person = person(&world, &client, BOTH).await;
        let place = found(&client, Asker::Tenant).await;
        for (target, number) in [(Target::AzureEntitlementCancel, 1), (Target::AzureEntitlementReactivate, 2)] {
            // Longer than one call is patient.
            world.set(Fault::new(target, kind).times(5));
            let act = async || match number {
                1 => client.cancel(&person, &ours(), &place, id(number)).await,
                _ => client.reactivate(&person, &ours(), &place, id(number)).await,
            };
            let lost = act().await.unwrap_err();
            assert!(lost.refusal().is_none() && lost.what_to_do().is_some(), "{kind:?}: {lost}");
            act().await.unwrap();
            let asked: Vec<_> = acts(&world).into_iter().skip(6 * (usize::try_from(number).unwrap() - 1)).collect();
            let ids: BTreeSet<_> = asked.iter().map(|asked| asked.request_id.clone().unwrap()).collect();
            let own: BTreeSet<_> = asked.iter().map(|asked| asked.correlation_id.clone().unwrap()).collect();
            assert_eq!((ids, own.len()), ([id(number).to_string()].into(), 6), "{kind:?}");
        }
        assert_eq!(world.microsoft.subscription_acts().len(), 2, "{kind:?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_does_not_come_is_no_refusal() {
    let world = world().await;
    let client = client(&world);
    let person = person(&world, &client, BOTH).await;
    let place = found(&client, Asker::Tenant).await;
    for (target, kind) in [
        (Target::AzureEntitlementCancel, FaultKind::Reset),
        (Target::AzureEntitlement, FaultKind::Reset),
        (Target::AzureEntitlement, FaultKind::Truncated),
    ] {
        world.set(Fault::new(target, kind));
        let error = match target {
            Target::AzureEntitlement => client.read(Asker::Tenant, &ours(), &place).await.unwrap_err(),
            _ => client.cancel(&person, &ours(), &place, id(1)).await.unwrap_err(),
        };
        world.microsoft.clear_faults();
        assert_eq!(error.refusal(), None, "{target:?} {kind:?}: {error}");
    }
    // A success of which half is missing is one.
    world.set(Fault::new(Target::AzureEntitlementCancel, FaultKind::Truncated));
    assert_eq!(client.cancel(&person, &ours(), &place, id(1)).await.unwrap().shown, None);
    let parts =
        world.parts(Purpose::Read, None, Limits { attempts: 1, ..Limits::default() }, Duration::from_secs(2), "");
    let hasty = Entitlements::new(parts.http, parts.tokens, parts.limits);
    world.set(Fault::new(Target::AzureEntitlementReactivate, FaultKind::Silent));
    let silent = hasty.reactivate(&person, &ours(), &place, id(2)).await.unwrap_err();
    assert!(matches!(silent, EntitlementError::Person(MicrosoftError::NoAnswer { .. })), "{silent:?}");
    assert_eq!(world.microsoft.subscription_acts().len(), 1);
}

#[tokio::test]
async fn a_look_up_ends_in_time_and_after_so_many_requests() {
    let world = world().await;
    let client = client(&world).within(Duration::from_millis(50));
    world.set(Fault::new(Target::CustomerSubscriptions, FaultKind::Silent));
    for late in [
        client.find(Asker::Tenant, &ours(), &customer(), &subscription()).await.err(),
        client.preview(Asker::Tenant, &ours(), &customer(), &subscription()).await.err(),
    ] {
        assert!(matches!(late, Some(EntitlementError::OutOfTime { .. })), "{late:?}");
    }
    let patient = client.within(PATIENT);
    world.microsoft.clear_faults();
    let subscriptions = (0..100).map(|number| (format!("{number:08x}-0000-4000-8000-000000000000"), "x".to_owned()));
    say(&world, CustomerChange { subscriptions: subscriptions.collect(), ..CustomerChange::default() });
    let unknown: SubscriptionId = "ffffffff-0000-4000-8000-000000000000".parse().unwrap();
    let endless = patient.find(Asker::Tenant, &ours(), &customer(), &unknown).await.unwrap_err();
    assert!(endless.to_string().ends_with("more than 40 pages for one customer"), "{endless}");
}

// ---- who may, and about whom ---------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_customer_or_subscription_that_is_none_of_the_tenants_is_so_by_partner_centers_own_words() {
    let world = world().await;
    let client = client(&world);
    let find = async |customer: &str, subscription: &str| {
        let (customer, subscription) = (customer.parse().unwrap(), subscription.parse().unwrap());
        client.preview(Asker::Tenant, &ours(), &customer, &subscription).await
    };
    let other = "0d3b6c2e-0d3b-4f58-b1e6-92a7c4d0f381";
    for (customer, subscription) in [(other, SUBSCRIPTION), ("nobody", SUBSCRIPTION), ("..", SUBSCRIPTION)] {
        let error = find(customer, subscription).await.unwrap_err();
        assert!(matches!(error, EntitlementError::NoCustomer { .. }), "{customer}: {error:?}");
        assert_eq!(error.refusal(), Some(Refusal::RelationshipMissing));
    }
    for subscription in [other, "s", ".."] {
        let error = find(CUSTOMER, subscription).await.unwrap_err();
        assert!(matches!(error, EntitlementError::NoSubscription { .. }), "{subscription}: {error:?}");
    }
    for (relationship, status) in [(Relationship::Ended, 403), (Relationship::Unknown, 404)] {
        say(&world, CustomerChange { relationship: Some(relationship), ..CustomerChange::default() });
        let error = find(CUSTOMER, SUBSCRIPTION).await.unwrap_err();
        assert!(matches!(error, EntitlementError::NoCustomer { .. }), "{status}: {error:?}");
    }
    say(&world, CustomerChange { relationship: Some(Relationship::Reseller), ..CustomerChange::default() });
    for target in [Target::Customer, Target::CustomerSubscriptions, Target::AzureEntitlements] {
        for status in [403, 404] {
            let kind = FaultKind::Answer { status, body: ErrorBody::Html, retry_after: RetryAfter::Absent };
            world.set(Fault::new(target, kind).times(1));
            let error = find(CUSTOMER, SUBSCRIPTION).await.unwrap_err();
            assert!(matches!(error, EntitlementError::Microsoft(_)), "{target:?} {status}: {error:?}");
            assert_eq!(error.refusal(), None);
        }
    }
}

#[tokio::test]
async fn each_documented_error_has_its_reason_and_keeps_microsofts_ids() {
    for (status, code, expected) in [
        (400, "900118", Refusal::CustomerUnknown),
        (400, "800002", Refusal::IdRefused),
        (400, "900307", Refusal::ReasonRefused),
        (400, "900337", Refusal::NotReactivatable),
        (403, "900159", Refusal::RelationshipMissing),
        (403, "900335", Refusal::RolesLacking),
        (404, "800111", Refusal::SubscriptionUnknown),
    ] {
        let microsoft = Scripted::start(move |_, asked| {
            assert!(asked.path.ends_with("/cancel"), "{asked:?}");
            assert_eq!(asked.body, r#"{"cancellationReason":"compromise"}"#);
            let body = json!({ "code": code, "description": "made up", "data": [], "source": "test" }).to_string();
            Response::builder().status(status).header("MS-CorrelationId", "theirs").body(body).unwrap()
        })
        .await;
        let world = world().await;
        let client_there = client(&world);
        let (place, looked_at) =
            (found(&client_there, Asker::Tenant).await, token(&world, Some(BOTH), microsoft.url()).await);
        let parts = parts_of([&microsoft, &microsoft], Purpose::Read, "made-up-secret-refresh");
        let client = Entitlements::new(parts.http, parts.tokens, parts.limits);
        let person = client.person(looked_at, &ours(), &[]).unwrap();
        let error = client.cancel(&person, &ours(), &place, id(1)).await.unwrap_err();
        assert_eq!((error.refusal(), error.what_to_do()), (Some(expected), Some(expected.what_to_do())), "{error}");
        assert!(error.to_string().contains("MS-CorrelationId theirs"), "{error}");
        assert_eq!(microsoft.asked().len(), 1, "what is refused is not asked for again");
    }
}

#[tokio::test]
async fn a_token_that_does_not_fit_goes_nowhere() {
    let world = world().await;
    let client = client(&world);
    let (graph, partner_center) = (world.microsoft.microsoft_url(), world.microsoft.partner_center_url());
    let elsewhere = Tenant { id: "5d0e8b1a-7c43-4f92-b6a8-1e2f3c4d5b6a".parse().unwrap(), ..ours() };
    for (roles, address, of, expected) in [
        (Some(&[Role::AdminAgent][..]), &partner_center, ours(), TokenProblem::NotGlobalAdministrator),
        (Some(BOTH), &graph, ours(), TokenProblem::OtherAudience),
        (None, &partner_center, ours(), TokenProblem::NotAPerson),
        (Some(BOTH), &partner_center, elsewhere.clone(), TokenProblem::OtherTenant),
    ] {
        let refused = client.person(token(&world, roles, address).await, &of, &[]).unwrap_err();
        assert_eq!(refused, expected, "{roles:?}");
    }
    // Unless that tenant's people act for the other on purpose.
    let mapped = client.person(token(&world, Some(BOTH), &partner_center).await, &elsewhere, &[ours().id]);
    let (mapped, own) = (mapped.unwrap(), person(&world, &client, BOTH).await);
    let place = found(&client, Asker::Tenant).await;
    let before = world.microsoft.recorded().len();
    let refused = async |person: &PersonToken, tenant: &Tenant| {
        let errors = [
            client.cancel(person, tenant, &place, id(1)).await.unwrap_err(),
            client.reactivate(person, tenant, &place, id(1)).await.unwrap_err(),
            client.read(Asker::Person(person), tenant, &place).await.unwrap_err(),
            client.find(Asker::Person(person), tenant, &customer(), &subscription()).await.unwrap_err(),
            client.preview(Asker::Person(person), tenant, &customer(), &subscription()).await.unwrap_err(),
        ];
        let problems: BTreeSet<_> = errors
            .into_iter()
            .map(|error| match error {
                EntitlementError::Token { problem, .. } => problem.code(),
                other => panic!("{other:?}"),
            })
            .collect();
        Vec::from_iter(problems)
    };
    assert_eq!(refused(&mapped, &ours()).await, ["token-other-tenant"]);
    assert_eq!(refused(&own, &elsewhere).await, ["token-other-tenant"]);
    world.advance(3_599);
    assert_eq!(refused(&own, &ours()).await, ["token-expired"]);
    assert_eq!(world.microsoft.recorded().len(), before, "nobody was asked");
}

#[tokio::test]
async fn microsoft_decides_who_is_an_admin_agent_and_the_kept_credential_never_stands_in() {
    let world = world().await;
    let client = client(&world);
    let place = found(&client, Asker::Tenant).await;
    let lacking = person(&world, &client, &[Role::GlobalAdministrator]).await;
    let refused = client.cancel(&lacking, &ours(), &place, id(1)).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::RolesLacking), "{refused}");
    let refused = client.reactivate(&lacking, &ours(), &place, id(1)).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::RolesLacking), "{refused}");

    let person = person(&world, &client, BOTH).await;
    let tokens = world.microsoft.requests().token;
    world.set(Fault::new(Target::AzureEntitlementCancel, FaultKind::ExpiredToken).times(1));
    for _ in 0..2 {
        let refused = client.cancel(&person, &ours(), &place, id(1)).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(Refusal::TokenRefused), "{refused}");
    }
    assert_eq!(world.microsoft.requests().token, tokens, "nobody signs in in the person's place");
    assert_eq!(acts(&world).len(), 4, "each is asked for once");
    assert!(world.microsoft.subscription_acts().is_empty());
}

#[tokio::test]
async fn what_the_kept_credential_lacks_is_a_diagnosis_and_what_a_person_lacks_a_refusal() {
    let world = world().await;
    let client = client(&world);
    let person = person(&world, &client, BOTH).await;
    let place = found(&client, Asker::Tenant).await;
    for (asker, refusal, advice) in [
        (Asker::Tenant, None, Diagnosis::NotInPartnerCenter.what_to_do()),
        (Asker::Person(&person), Some(Refusal::PrivilegesInsufficient), Refusal::PrivilegesInsufficient.what_to_do()),
    ] {
        for target in [Target::AzureEntitlement, Target::Customer] {
            world.set(Fault::new(target, FaultKind::Denied(Denial::ApplicationUnregistered)).times(1));
            let refused = match target {
                Target::Customer => client.preview(asker, &ours(), &customer(), &subscription()).await.unwrap_err(),
                _ => client.read(asker, &ours(), &place).await.unwrap_err(),
            };
            assert_eq!((refused.refusal(), refused.what_to_do()), (refusal, Some(advice)), "{target:?}: {refused}");
        }
    }
}

#[tokio::test]
async fn what_can_not_be_reactivated_is_refused_and_other_troubles_are_diagnosed() {
    let world = world().await;
    let client = client(&world);
    let person = person(&world, &client, BOTH).await;
    let place = found(&client, Asker::Tenant).await;
    let refused = client.reactivate(&person, &ours(), &place, id(1)).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::NotReactivatable), "{refused}");
    for (kind, expected) in [
        (FaultKind::Denied(Denial::ConditionalAccess), Diagnosis::ConditionalAccess),
        (FaultKind::Throttle { retry_after: RetryAfter::Seconds(60) }, Diagnosis::Throttled),
    ] {
        world.set(Fault::new(Target::AzureEntitlementCancel, kind).times(1));
        let refused = client.cancel(&person, &ours(), &place, id(1)).await.unwrap_err();
        assert_eq!((refused.refusal(), refused.what_to_do()), (None, Some(expected.what_to_do())), "{refused}");
    }
}

#[tokio::test]
async fn an_answer_about_another_subscription_is_none() {
    let shown = json!({ "id": "0d3b6c2e-0d3b-4f58-b1e6-92a7c4d0f381", "status": "inactive" }).to_string();
    let microsoft = Scripted::start(move |_, asked| {
        let token = json!({ "expires_in": 3_599, "access_token": "made-up-secret-token" }).to_string();
        Response::new(if asked.path.ends_with("/token") { token } else { shown.clone() })
    })
    .await;
    let world = world().await;
    let (place, looked_at) =
        (found(&client(&world), Asker::Tenant).await, token(&world, Some(BOTH), microsoft.url()).await);
    let parts = parts_of([&microsoft, &microsoft], Purpose::Read, "made-up-secret-refresh");
    let client = Entitlements::new(parts.http, parts.tokens, parts.limits);
    let read = client.read(Asker::Tenant, &ours(), &place).await.unwrap_err();
    assert!(read.to_string().ends_with("not the subscription that was asked for"), "{read}");
    let person = client.person(looked_at, &ours(), &[]).unwrap();
    assert_eq!(client.cancel(&person, &ours(), &place, id(1)).await.unwrap().shown, None);
}

#[tokio::test]
async fn a_persons_token_is_printed_nowhere_whatever_is_logged() {
    let lines = Lines::capture("trace");
    let world = world().await;
    let client = client(&world);
    let person = person(&world, &client, BOTH).await;
    let place = found(&client, Asker::Person(&person)).await;
    world.set(Fault::new(Target::AzureEntitlementCancel, FaultKind::Reset).times(2));
    client.cancel(&person, &ours(), &place, id(1)).await.unwrap();
    world.set(Fault::new(Target::AzureEntitlementCancel, FaultKind::MissingMfa));
    let refused = client.cancel(&person, &ours(), &place, id(2)).await.unwrap_err();
    let text = lines.take();
    assert_eq!(text.matches("trying again").count(), 2);
    assert!(text.contains("cancelling an Azure subscription"), "{text}");
    assert_no_secret(&format!("{person:?} {client:?} {refused:?} {refused} {:?}", Asker::Person(&person)));
}
