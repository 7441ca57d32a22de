//! Access and refresh tokens: what each stands for and how long it is good.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::entra::problem::Problem;
use crate::marker::MARKER;
use crate::options::Tenant;

/// Someone who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Whether by more than one factor.
    pub mfa: bool,
    /// The user principal name.
    pub name: String,
    /// What they may do.
    pub roles: Vec<Role>,
}

impl Person {
    /// An admin agent of the tenant, by two factors: what the service is made for.
    #[must_use]
    pub fn admin_agent(tenant: &str) -> Self {
        Self { mfa: true, name: format!("admin.agent@{tenant}.example"), roles: vec![Role::AdminAgent] }
    }

    /// What Entra ID (v2.0) says of them to this tenant's application, whoever the token is for.
    fn claims(&self, tenant: &Tenant, issuer: &str, now: Timestamp) -> Value {
        let has = |role: Role| self.roles.contains(&role);
        let roles = if has(Role::AdminAgent) { vec!["AdminAgent"] } else { Vec::new() };
        let mut wids = vec![ORDINARY_USER];
        if has(Role::GlobalAdministrator) {
            wids.push(GLOBAL_ADMINISTRATOR);
        }
        json!({
            "aud": tenant.client_id,
            "iss": issuer,
            "iat": now.as_second(),
            "nbf": now.as_second(),
            "exp": later(now, LIFE).as_second(),
            "name": self.name,
            "oid": object_id(&tenant.id, &self.name),
            "preferred_username": self.name,
            "roles": roles,
            "sub": object_id(&tenant.client_id, &self.name),
            "tid": tenant.id,
            "ver": "2.0",
            "wids": wids,
        })
    }

    /// The claims of a token that says who signed in to this tenant's application.
    pub(crate) fn id_claims(&self, tenant: &Tenant, nonce: &str, issuer: &str, now: Timestamp) -> Value {
        let mut claims = self.claims(tenant, issuer, now);
        if !nonce.is_empty() {
            claims["nonce"] = nonce.into();
        }
        claims
    }

    /// The claims of a token with which the application may be called for them.
    pub(crate) fn access_claims(&self, tenant: &Tenant, issuer: &str, now: Timestamp) -> Value {
        let mut claims = self.claims(tenant, issuer, now);
        claims["azp"] = tenant.client_id.clone().into();
        claims["scp"] = "access_as_user".into();
        claims
    }

    pub(crate) fn is_one_of(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }
}

/// A role in Partner Center or Entra ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "Microsoft's names")]
pub enum Role {
    AdminAgent,
    BillingAdministrator,
    GlobalAdministrator,
    HelpdeskAgent,
    SalesAgent,
}

/// What an access token stands for.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// The address that the token is meant for.
    pub(crate) audience: String,
    pub(crate) client: String,
    pub(crate) expires: Timestamp,
    /// Nobody where an application acts for itself.
    pub(crate) person: Option<Person>,
    pub(crate) tenant: String,
}

impl Grant {
    pub(crate) fn new(tenant: &Tenant, audience: &str, person: Option<Person>, now: Timestamp) -> Self {
        let (audience, client, tenant) = (audience.to_owned(), tenant.client_id.clone(), tenant.id.clone());
        Self { audience, client, expires: later(now, LIFE), person, tenant }
    }

    /// Who acts.
    pub(crate) fn actor(&self) -> &str {
        self.person.as_ref().map_or(&self.client, |person| &person.name)
    }

    /// Whether the token claims multi-factor authentication.
    pub(crate) fn has_mfa(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.mfa)
    }

    /// A token in the form of Microsoft's: its claims can be read. Its last part is random where theirs is a
    /// signature: only this simulator can say whether it is good, as only the service that it is for should.
    fn token(&self, issuer: &str, now: Timestamp) -> String {
        let mut claims = json!({
            "aud": self.audience,
            "iss": format!("{issuer}/{}/", self.tenant),
            "iat": now.as_second(),
            "nbf": now.as_second(),
            "exp": self.expires.as_second(),
            "appid": self.client,
            "idtyp": if self.person.is_some() { "user" } else { "app" },
            "tid": self.tenant,
            "ver": "1.0",
        });
        if let Some(person) = &self.person {
            claims["oid"] = object_id(&self.tenant, &person.name).into();
            claims["upn"] = person.name.clone().into();
            claims["scp"] = "user_impersonation".into();
            claims["amr"] = if person.mfa { json!(["pwd", "mfa"]) } else { json!(["pwd"]) };
            if person.roles.contains(&Role::GlobalAdministrator) {
                claims["wids"] = json!([GLOBAL_ADMINISTRATOR]);
            }
        }
        unsigned(&claims)
    }
}

/// The claims of a token with which the tenant's application calls itself.
pub(crate) fn application_claims(tenant: &Tenant, issuer: &str, now: Timestamp) -> Value {
    json!({
        "aud": tenant.client_id,
        "iss": issuer,
        "iat": now.as_second(),
        "nbf": now.as_second(),
        "exp": later(now, LIFE).as_second(),
        "azp": tenant.client_id,
        "idtyp": "app",
        "oid": object_id(&tenant.id, &tenant.client_id),
        "roles": tenant.application_roles,
        "sub": object_id(&tenant.id, &tenant.client_id),
        "tid": tenant.id,
        "ver": "2.0",
    })
}

/// The same id for the same name in the same tenant, in the form of a UUID.
fn object_id(tenant: &str, name: &str) -> String {
    let hash = Sha256::digest(format!("{tenant}/{name}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(&json!({ "typ": "JWT", "alg": "RS256" })), part(claims), random_token())
}

struct Refresh {
    issued: Timestamp,
    person: Person,
    revoked: bool,
    tenant: String,
}

/// All tokens given out. Access tokens go when they expire; refresh tokens stay, to say what became of them.
#[derive(Default)]
pub(crate) struct Tokens {
    access: HashMap<String, Grant>,
    refresh: HashMap<String, Refresh>,
}

impl Tokens {
    pub(crate) fn find(&self, token: &str) -> Option<&Grant> {
        self.access.get(token)
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        self.access.remove(token);
    }

    /// A refresh token as after a sign-in.
    pub(crate) fn sign_in(&mut self, tenant: &str, person: Person, now: Timestamp) -> String {
        let token = random_token();
        self.refresh.insert(token.clone(), Refresh { issued: now, person, revoked: false, tenant: tenant.to_owned() });
        token
    }

    pub(crate) fn issue(&mut self, grant: Grant, issuer: &str, now: Timestamp) -> String {
        self.access.retain(|_, grant| grant.expires > now);
        let token = grant.token(issuer, now);
        self.access.insert(token.clone(), grant);
        token
    }

    /// Whose refresh token it is, and the next one. The old one stays good until its own end, as Entra ID has it.
    pub(crate) fn redeem(
        &mut self,
        tenant: &str,
        presented: &str,
        now: Timestamp,
    ) -> Result<(Person, String), Problem> {
        let known = self.refresh.get(presented).filter(|known| known.tenant == tenant);
        let Some(known) = known else {
            return Err(Problem::grant(70000, Some("bad_token"), "Provided grant is invalid or malformed."));
        };
        if known.revoked {
            return Err(Problem::grant_revoked());
        }
        if later(known.issued, REFRESH_LIFE) <= now {
            // The list has 70008 for the same end; this is the number that idle refresh tokens are seen with.
            let text = format!(
                "The refresh token has expired due to inactivity. The token was issued on {} and was inactive for \
                 90.00:00:00.",
                known.issued
            );
            return Err(Problem::grant(700_082, Some("token_expired"), text));
        }
        let person = known.person.clone();
        let next = self.sign_in(tenant, person.clone(), now);
        Ok((person, next))
    }

    /// As after a change of the password: no refresh token of the tenant is good any more.
    pub(crate) fn revoke_grants(&mut self, tenant: &str) {
        self.refresh.values_mut().filter(|token| token.tenant == tenant).for_each(|token| token.revoked = true);
    }
}

/// A secret that nobody guesses.
pub(crate) fn random_token() -> String {
    format!("{MARKER}-{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

pub(crate) fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// The role's template, as Entra ID names it in `wids`.
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
/// The template that everybody's token names who is a member of the tenant.
const ORDINARY_USER: &str = "b79fbf4d-3ef9-4689-8143-76b194e85509";
/// Seconds.
pub(crate) const LIFE: i64 = 3_599;
const REFRESH_LIFE: i64 = 90 * 86_400;
