//! A person's sign-in for one act: on another device, for Partner Center, with nothing to go on with afterwards.

use models::{AlertSource, Cloud, Purpose, Tenant};
use partner_center::{Consent, ConsentError, Credentials as _, Limits, StepUp, StepUpProgress};
use simulator::{Fault, FaultKind, Person, Target};
use tests::{Lines, TENANT, secrets::assert_no_secret};

use crate::{
    people::{BOTH, client, world},
    support::{PATIENT, World, tenant},
};

/// Signs somebody in, once `decide` has made up their mind.
async fn signed_in(world: &World, decide: impl AsyncFn()) -> Result<StepUpProgress, ConsentError> {
    let parts = world.parts(Purpose::Read, None, Limits::default(), PATIENT, "");
    let tenant: Tenant = tenant(AlertSource::Graph);
    assert_eq!(tenant.cloud, Cloud::Global);
    let credential = crate::support::secret(Purpose::Read, None).credential(&tenant).await.unwrap();
    let now = world.time();
    let step_up = StepUp::new(Consent {
        http: &parts.http,
        clouds: &parts.clouds,
        limits: parts.limits,
        now: &now,
        tenant: &tenant,
        client_id: &credential.client_id,
        proof: &credential.proof,
    });
    assert_no_secret(&format!("{step_up:?}"));
    let mut sign_in = step_up.begin_on_device().await?;
    assert!(matches!(step_up.look_at_device(&mut sign_in).await?, StepUpProgress::Waiting));
    decide().await;
    let progress = step_up.look_at_device(&mut sign_in).await;
    assert_no_secret(&format!("{sign_in:?} {progress:?}"));
    progress
}

#[tokio::test]
async fn a_person_who_signs_in_brings_a_token_for_partner_center_and_no_refresh_token_is_asked_for() {
    let lines = Lines::capture("trace");
    let world = world().await;
    let administrator = Person { roles: BOTH.to_vec(), ..Person::admin_agent(TENANT) };
    let progress = signed_in(&world, async || {
        let pending = world.microsoft.pending_sign_ins();
        let scope = &pending[0].scope;
        assert!(scope.contains("openid") && !scope.contains("offline_access"), "{scope}");
        assert!(scope.starts_with(&world.microsoft.partner_center_url()), "{scope}");
        world.microsoft.approve(TENANT, None, administrator.clone()).unwrap();
    });
    let StepUpProgress::SignedIn(token) = progress.await.unwrap() else { panic!("nobody has signed in") };
    client(&world).person(token, &tenant(AlertSource::Graph), &[]).unwrap();
    let _ = lines.take();
}

#[tokio::test]
async fn who_says_no_or_takes_too_long_brings_no_token() {
    let world = world().await;
    let declined = signed_in(&world, async || world.microsoft.deny(TENANT, None).unwrap()).await;
    assert!(matches!(declined, Err(ConsentError::Declined)), "{declined:?}");
    let late = signed_in(&world, async || world.advance(901)).await;
    assert!(matches!(late, Err(ConsentError::Expired)), "{late:?}");
    world.set(Fault::new(Target::Token, FaultKind::Fail { status: 503 }).after(1));
    let troubled = signed_in(&world, async || {}).await;
    assert!(matches!(troubled, Ok(StepUpProgress::Waiting)), "the person may be halfway: {troubled:?}");
}
