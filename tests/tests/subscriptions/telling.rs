//! That Microsoft is told is written before it is, so that whatever becomes of the call nothing that Microsoft took is given up.

use jiff::SignedDuration;
use models::{Actor, Operation, OperationState, SubscriptionStage};
use partner_center::Refusal;
use simulator::{ErrorBody, Fault, FaultKind, RetryAfter, Role, SubscriptionRules, Target};
use store::KeepOperations as _;
use subscriptions::ActError;

use crate::support::{
    BOTH, Wanting, acting, administrator, kept, lines, stage, standings, sweep, system, tenant, token, with_roles,
};

const CANCEL: Target = Target::AzureEntitlementCancel;

/// The ids by which Microsoft was told.
fn request_ids(system: &tests::ByHand) -> Vec<String> {
    let told = system.microsoft.recorded().into_iter().filter(|asked| asked.path.ends_with("/cancel"));
    let mut ids: Vec<_> = told.map(|asked| asked.request_id.unwrap()).collect();
    ids.dedup();
    ids
}

#[tokio::test]
async fn what_microsoft_took_shortly_before_the_hour_is_followed_though_its_answer_was_lost() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (ada, _) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&ada, "k").ask(&system, &acting).await.unwrap();
    system.clock.advance(SignedDuration::from_mins(54));
    let (_, token) = administrator(&system, &acting, "ada@contoso.example").await;
    system.microsoft.set_fault(Fault::new(CANCEL, FaultKind::Reset)).unwrap();
    acting.act(&token, &tenant, asked.clone(), &Actor::Person(ada)).await.unwrap_err();
    system.microsoft.clear_faults();
    assert_eq!(stage(&kept(&system, &asked.id).await), SubscriptionStage::Telling);
    assert_eq!(lines(&system).await.last().unwrap(), "ada: telling", "it is known that Microsoft was called");
    system.clock.advance(SignedDuration::from_mins(5));
    sweep(&system).await;
    assert_eq!(stage(&kept(&system, &asked.id).await), SubscriptionStage::Telling, "it has had seven minutes");
    system.clock.advance(SignedDuration::from_mins(5));
    sweep(&system).await;
    assert_eq!(kept(&system, &asked.id).await.state, OperationState::Done);
    assert_eq!(standings(&system).await[1], "one resolved fraud");
    assert_eq!(system.microsoft.subscription_acts().len(), 1);
}

#[tokio::test]
async fn what_microsoft_did_not_take_needs_a_person_again_after_a_quarter_of_an_hour_and_lapses_after_a_look() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (ada, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&ada, "k").ask(&system, &acting).await.unwrap();
    system.microsoft.set_fault(Fault::new(CANCEL, FaultKind::Fail { status: 503 })).unwrap();
    acting.act(&token, &tenant, asked.clone(), &Actor::Person(ada)).await.unwrap_err();
    system.microsoft.clear_faults();
    system.clock.advance(SignedDuration::from_mins(12));
    sweep(&system).await;
    assert!(!kept(&system, &asked.id).await.needs_person());
    system.clock.advance(SignedDuration::from_mins(1));
    sweep(&system).await;
    let waiting = kept(&system, &asked.id).await;
    assert!(waiting.needs_person());
    assert_eq!(lines(&system).await.last().unwrap(), "system: not taken");

    // An hour later, but nobody can see how it stands.
    system.microsoft.set_fault(Fault::new(Target::AzureEntitlement, FaultKind::Fail { status: 503 })).unwrap();
    system.clock.advance(SignedDuration::from_mins(65));
    sweep(&system).await;
    assert!(kept(&system, &asked.id).await.needs_person(), "the clock alone gives nothing up that was told");
    system.microsoft.clear_faults();
    sweep(&system).await;
    assert_eq!(kept(&system, &asked.id).await.state, OperationState::Lapsed);
}

#[tokio::test]
async fn an_answer_that_comes_when_it_was_given_up_already_is_written_down_and_followed() {
    let system = system().await;
    system
        .microsoft
        .set_subscription_rules(SubscriptionRules { delay_seconds: 86_400, ..SubscriptionRules::default() });
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (ada, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&ada, "k").ask(&system, &acting).await.unwrap();
    system.microsoft.set_fault(Fault::new(CANCEL, FaultKind::Slow { milliseconds: 1_500 })).unwrap();
    let by = Actor::Person(ada);
    let act = acting.act(&token, &tenant, asked.clone(), &by);
    let given_up = async {
        let telling = told(&system, &asked).await;
        assert!(system.store().advance(&telling.given_up(system.now())).await.unwrap());
    };
    let (posted, ()) = tokio::join!(act, given_up);
    assert_eq!(stage(&posted.unwrap()), SubscriptionStage::Posted);
    let after = kept(&system, &asked.id).await;
    assert_eq!((stage(&after), after.state), (SubscriptionStage::Posted, OperationState::InProgress));
    assert_eq!(lines(&system).await.last().unwrap(), "ada: Posted");
}

/// The operation once it is written that Microsoft is being told.
async fn told(system: &tests::ByHand, asked: &Operation) -> Operation {
    loop {
        let operation = kept(system, &asked.id).await;
        if stage(&operation) == SubscriptionStage::Telling {
            return operation;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn after_a_clear_refusal_microsoft_is_told_under_another_id_and_after_a_lost_answer_under_the_same() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (ada, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let by = Actor::Person(ada.clone());
    let asked = Wanting::cancel(&ada, "k").ask(&system, &acting).await.unwrap();
    let refuse = FaultKind::Answer { status: 403, body: ErrorBody::PartnerCenter, retry_after: RetryAfter::Absent };
    system.microsoft.set_fault(Fault::new(CANCEL, refuse)).unwrap();
    let refused = acting.act(&token, &tenant, asked.clone(), &by).await.unwrap_err();
    let ActError::Microsoft(refused) = &refused else { panic!("{refused:?}") };
    assert_eq!(refused.refusal(), None, "of no documented kind");
    let refused = refused.clear_refusal().expect("and a refusal all the same");
    assert!(lines(&system).await.last().unwrap().ends_with(&format!("refused {}", refused.code)));
    let waiting = kept(&system, &asked.id).await;
    assert!(waiting.needs_person());
    assert!(waiting.refusal.unwrap().description.is_some(), "Microsoft's words are kept");
    system.microsoft.clear_faults();
    system.microsoft.set_fault(Fault::new(CANCEL, FaultKind::Fail { status: 503 })).unwrap();
    let lost = kept(&system, &asked.id).await;
    acting.act(&token, &tenant, lost, &by).await.unwrap_err();
    system.microsoft.clear_faults();
    let lost = kept(&system, &asked.id).await;
    acting.act(&token, &tenant, lost, &by).await.unwrap();
    assert_eq!(request_ids(&system).len(), 2, "{:?}", request_ids(&system));
    assert_eq!(system.microsoft.subscription_acts().len(), 1);
}

#[tokio::test]
async fn a_guest_s_line_names_both_and_a_role_that_lacks_is_no_end() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (there, _) = administrator(&system, &acting, "ada@contoso.example").await;
    let at_home = models::Person { tenant: "0b0b0b0b-1111-4222-8333-444444444444".parse().unwrap(), ..there.clone() };
    let at_home = models::Person { id: "00000000-0000-4000-8000-000000000042".parse().unwrap(), ..at_home };
    let by = Actor::Person(at_home.clone());
    let asked = Wanting::cancel(&at_home, "k").ask(&system, &acting).await.unwrap();
    let lacking = token(&system, with_roles("ada@contoso.example", &[Role::GlobalAdministrator])).await;
    let lacking = acting.person(lacking, &tenant, &at_home).unwrap();
    let refused = acting.act(&lacking, &tenant, asked.clone(), &by).await.unwrap_err();
    let ActError::Microsoft(refused) = &refused else { panic!("{refused:?}") };
    assert_eq!(refused.refusal(), Some(Refusal::RolesLacking));
    let own = token(&system, with_roles("ada@contoso.example", &BOTH)).await;
    let own = acting.person(own, &tenant, &at_home).unwrap();
    acting.act(&own, &tenant, asked, &by).await.unwrap();
    let lines = lines(&system).await;
    assert!(lines.contains(&format!("ada: telling as {}", there.id)), "{lines:?}");
}

#[tokio::test]
async fn an_attempt_that_may_have_been_taken_counts_though_the_next_one_was_refused() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (ada, _) = administrator(&system, &acting, "ada@contoso.example").await;
    let asked = Wanting::cancel(&ada, "k").ask(&system, &acting).await.unwrap();
    system.clock.advance(SignedDuration::from_mins(54));
    let (_, token) = administrator(&system, &acting, "ada@contoso.example").await;
    system.microsoft.set_fault(Fault { times: Some(1), ..Fault::new(CANCEL, FaultKind::Reset) }).unwrap();
    let refuse = FaultKind::Answer { status: 400, body: ErrorBody::PartnerCenter, retry_after: RetryAfter::Absent };
    system.microsoft.set_fault(Fault::new(CANCEL, refuse)).unwrap();
    acting.act(&token, &tenant, asked.clone(), &Actor::Person(ada)).await.unwrap_err();
    system.microsoft.clear_faults();
    assert_eq!(system.microsoft.subscription_acts().len(), 1, "the first attempt was taken, and its answer lost");
    assert_eq!(stage(&kept(&system, &asked.id).await), SubscriptionStage::Telling);
    for minutes in [7, 20] {
        system.clock.advance(SignedDuration::from_mins(minutes));
        sweep(&system).await;
    }
    assert_eq!(kept(&system, &asked.id).await.state, OperationState::Done);
}

#[tokio::test]
async fn whoever_took_on_what_another_asked_for_is_given_it_again_by_their_own_key() {
    let system = system().await;
    let (acting, tenant) = (acting(&system), tenant(&system).await);
    let (ada, token) = administrator(&system, &acting, "ada@contoso.example").await;
    let (bob, _) = administrator(&system, &acting, "bob@contoso.example").await;
    let first = Wanting::cancel(&ada, "k").ask(&system, &acting).await.unwrap();
    let given = Wanting::cancel(&bob, "bobs").ask(&system, &acting).await.unwrap();
    assert_eq!(given.id, first.id);
    acting.act(&token, &tenant, first.clone(), &Actor::Person(ada)).await.unwrap();
    system.clock.advance(SignedDuration::from_mins(12));
    sweep(&system).await;
    let again = Wanting::cancel(&bob, "bobs").ask(&system, &acting).await.unwrap();
    assert_eq!((again.id, again.state), (first.id, OperationState::Done));
    let other = Wanting { typed: "another", ..Wanting::cancel(&bob, "bobs") }.ask(&system, &acting).await;
    assert!(matches!(other, Err(subscriptions::AskError::KeyUsedOtherwise)), "{other:?}");
    assert_eq!(system.microsoft.subscription_acts().len(), 1);
}
