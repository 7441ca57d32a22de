//! People who act on subscriptions: what they sign in as, and the tokens that come of it.

use models::{Purpose, TenantId};
use partner_center::{Entitlements, Limits, PersonToken, SecretAtHand};
use secrecy::SecretString;
use serde_json::Value;
use simulator::{NewAlert, Person, Role};
use tests::{CLIENT_ID, CLIENT_SECRET, TENANT};

use crate::support::{PATIENT, World, tenant};

pub(crate) const CUSTOMER: &str = "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3";
pub(crate) const SUBSCRIPTION: &str = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
pub(crate) const BOTH: &[Role] = &[Role::AdminAgent, Role::GlobalAdministrator];

pub(crate) type Client = Entitlements<SecretAtHand>;

/// A world with a customer whose one subscription an alert is about.
pub(crate) async fn world() -> World {
    let world = World::with(0, 2).await;
    let (customer, subscription) = (Some(CUSTOMER.to_owned()), Some(SUBSCRIPTION.to_owned()));
    let alert = NewAlert { customer_tenant_id: customer, subscription_id: subscription, ..NewAlert::default() };
    world.microsoft.raise(alert).unwrap();
    world
}

/// A client whose kept credential is one to read with.
pub(crate) fn client(world: &World) -> Client {
    let refresh_token = world.microsoft.refresh_token(TENANT).unwrap();
    let parts = world.parts(Purpose::Read, Some(&refresh_token), Limits::default(), PATIENT, "");
    Entitlements::new(parts.http, parts.tokens, parts.limits)
}

/// The access token of somebody with these roles for the service at this address; without a person, the application's own.
pub(crate) async fn token(world: &World, roles: Option<&[Role]>, address: &str) -> SecretString {
    let person = |roles: &[Role]| Person { roles: roles.to_vec(), ..Person::admin_agent(TENANT) };
    let refresh_token = roles.map(|roles| world.microsoft.refresh_token_of(TENANT, person(roles)).unwrap());
    let scope = format!("{address}/.default");
    let mut form = vec![("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET), ("scope", scope.as_str())];
    match &refresh_token {
        Some(refresh_token) => form.extend([("grant_type", "refresh_token"), ("refresh_token", refresh_token)]),
        None => form.push(("grant_type", "client_credentials")),
    }
    let http = world.parts(Purpose::Read, None, Limits::default(), PATIENT, "").http;
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", world.microsoft.microsoft_url());
    let answer: Value = http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned().into()
}

/// Somebody with these roles, who has been looked at.
pub(crate) async fn person(world: &World, client: &Client, roles: &[Role]) -> PersonToken {
    let token = token(world, Some(roles), &world.microsoft.partner_center_url()).await;
    let mapped: [TenantId; 0] = [];
    client.person(token, &tenant(models::AlertSource::Graph), &mapped).unwrap()
}
