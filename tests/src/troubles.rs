//! Everything that can be wrong between a tenant and Microsoft, each trouble with a tenant of its own, and every secret marked.
//!
//! One system has them all at the same time: so one process meets them one after the other, and what it writes is searched whole.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use models::{AlertSource, Cloud, Tenant, TenantId};
use serde_json::{Value, json};
use simulator::{Denial, Fault, FaultKind, MARKER, Options, Person, RetryAfter, Role, Simulator, Target};
use store::{Store, WriteTenants as _};

use crate::{
    BY_HAND, CLIENT_ID, TestSystem, addresses,
    lambda::Environment,
    secrets::{APPLICATION_CERTIFICATE, APPLICATION_KEY},
    vault::Vault,
};

/// What has to be told of a trouble, so that a search of what was written is one of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// That it went well.
    Done,
    /// The diagnosis of this code.
    Diagnosis(&'static str),
    /// These words.
    Words(&'static str),
}

/// A tenant with what is wrong about it.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// In words.
    pub what: String,
    /// The tenant.
    pub tenant: TenantId,
    /// What has to be told.
    pub tells: Tells,
}

/// A trouble, as it is made: the tenant at Microsoft, the secret that we have of it, and what goes wrong.
struct Plan {
    what: String,
    tells: Tells,
    at_microsoft: fn(&mut simulator::Tenant),
    secret: fn(&Simulator, &simulator::Tenant) -> String,
    has_secret: bool,
    fault: Option<(Target, FaultKind)>,
}

/// A system with all troubles.
#[derive(Debug)]
pub struct Troubles {
    /// The tables.
    pub test: TestSystem,
    /// Microsoft.
    pub microsoft: Simulator,
    /// The troubles.
    pub all: Vec<Trouble>,
    vault: Vault,
}

impl Troubles {
    /// The troubles of one who asks this service of Microsoft's, after having signed in.
    pub async fn of(service: Target) -> Self {
        let plans = plans(service);
        let mut at_microsoft: Vec<_> = (0..plans.len()).map(tenant).collect();
        for (plan, tenant) in plans.iter().zip(&mut at_microsoft) {
            (plan.at_microsoft)(tenant);
        }
        let options = Options { tenants: at_microsoft.clone(), ..Options::default() };
        let microsoft = Simulator::start(options).await.unwrap();
        let test = TestSystem::start(&BY_HAND).await.unwrap();
        let parts = test.system.parts();
        let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), test.system.tables().clone());
        let (mut secrets, mut all) = (BTreeMap::new(), Vec::new());
        for (plan, tenant) in plans.into_iter().zip(&at_microsoft) {
            let kept = kept(&tenant.id);
            if plan.has_secret {
                secrets.insert(kept.read_secret.clone(), (plan.secret)(&microsoft, tenant));
            }
            store.put_tenant(&kept).await.unwrap();
            if let Some((target, kind)) = plan.fault {
                microsoft.set_fault(Fault::new(target, kind).of(&tenant.id)).unwrap();
            }
            all.push(Trouble { what: plan.what, tenant: kept.id, tells: plan.tells });
        }
        Self { test, microsoft, all, vault: Vault::start(secrets).await }
    }

    /// This environment, led to the troubles, with as much in the log as there can be.
    #[must_use]
    pub fn within(&self, environment: Environment) -> Environment {
        let addresses = addresses(&self.microsoft, &self.test.folder());
        let ours: BTreeMap<String, String> = addresses
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .chain([
                self.vault.variable(),
                ("GLOBAL_PARTNER_CENTER_URL".to_owned(), self.microsoft.partner_center_url()),
                ("LOG_LEVEL".to_owned(), "trace".to_owned()),
            ])
            .collect();
        environment.into_iter().filter(|(name, _)| !ours.contains_key(name)).chain(ours.clone()).collect()
    }
}

fn tenant(number: usize) -> simulator::Tenant {
    simulator::Tenant {
        id: format!("00000000-0000-4000-8000-{number:012x}"),
        client_id: CLIENT_ID.to_owned(),
        client_secret: format!("{MARKER}-of-tenant-{number}"),
        ..simulator::Tenant::default()
    }
}

fn kept(id: &str) -> Tenant {
    Tenant {
        id: id.parse().unwrap(),
        display_name: "A troubled partner (made up)".to_owned(),
        cloud: Cloud::Global,
        alert_source: AlertSource::Graph,
        path_key_hashes: Vec::new(),
        read_secret: format!("partner-alerts/read/{id}"),
        act_secret: None,
        active: true,
    }
}

// ---- secrets ---------------------------------------------------------------------------------------------------------------

fn usual(tenant: &simulator::Tenant) -> Value {
    json!({ "client_id": CLIENT_ID, "client_secret": tenant.client_secret })
}

fn with(mut secret: Value, member: &str, value: &str) -> String {
    secret[member] = value.into();
    secret.to_string()
}

fn by_certificate() -> Value {
    json!({ "client_id": CLIENT_ID, "certificate": APPLICATION_CERTIFICATE, "private_key": APPLICATION_KEY })
}

fn with_certificate(tenant: &mut simulator::Tenant) {
    let body: String = APPLICATION_CERTIFICATE.lines().filter(|line| !line.starts_with("-----")).collect();
    tenant.client_certificate = Some(STANDARD.decode(body).unwrap());
}

fn signed_in(microsoft: &Simulator, tenant: &simulator::Tenant, mfa: bool, roles: &[Role]) -> String {
    let person = Person { mfa, roles: roles.to_vec(), ..Person::admin_agent(&tenant.id) };
    with(usual(tenant), "refresh_token", &microsoft.refresh_token_of(&tenant.id, person).unwrap())
}

// ---- plans -----------------------------------------------------------------------------------------------------------------

impl Plan {
    fn new(what: impl Into<String>, tells: Tells) -> Self {
        let secret = |_: &Simulator, tenant: &simulator::Tenant| usual(tenant).to_string();
        Self { what: what.into(), tells, at_microsoft: |_| {}, secret, has_secret: true, fault: None }
    }

    fn secret(self, secret: fn(&Simulator, &simulator::Tenant) -> String) -> Self {
        Self { secret, ..self }
    }

    fn without_secret(self) -> Self {
        Self { has_secret: false, ..self }
    }

    fn at_microsoft(self, at_microsoft: fn(&mut simulator::Tenant)) -> Self {
        Self { at_microsoft, ..self }
    }
}

fn plans(service: Target) -> Vec<Plan> {
    let mut plans = credentials();
    plans.extend(malformed());
    plans.extend(faults(service).map(|(target, kind, tells)| {
        let fault = Some((target, kind));
        Plan { fault, ..Plan::new(format!("{kind:?} at {target:?}"), tells) }
    }));
    plans
}

/// Credentials that are as they should be, and such that Microsoft refuses.
fn credentials() -> Vec<Plan> {
    vec![
        Plan::new("an application with a secret", Tells::Done),
        Plan::new("a person and a secret", Tells::Done)
            .secret(|microsoft, tenant| signed_in(microsoft, tenant, true, &[Role::AdminAgent])),
        Plan::new("an application with a certificate", Tells::Done)
            .at_microsoft(with_certificate)
            .secret(|_, _| by_certificate().to_string()),
        Plan::new("a person and a certificate", Tells::Done).at_microsoft(with_certificate).secret(
            |microsoft, tenant| with(by_certificate(), "refresh_token", &microsoft.refresh_token(&tenant.id).unwrap()),
        ),
        Plan::new("a wrong secret", Tells::Diagnosis("client-secret-wrong"))
            .secret(|_, tenant| with(usual(tenant), "client_secret", &format!("{MARKER}-of-nobody"))),
        Plan::new("an expired secret", Tells::Diagnosis("client-secret-expired"))
            .at_microsoft(|tenant| tenant.client_secret_expires = Some(Timestamp::UNIX_EPOCH)),
        Plan::new("a certificate that Microsoft does not know", Tells::Diagnosis("certificate-refused"))
            .secret(|_, _| by_certificate().to_string()),
        Plan::new("an unknown refresh token", Tells::Diagnosis("refresh-token-revoked"))
            .secret(|_, tenant| with(usual(tenant), "refresh_token", &format!("{MARKER}-refresh-token"))),
        Plan::new("a public client with a proof", Tells::Diagnosis("public-client"))
            .at_microsoft(|tenant| tenant.public_client = true)
            .secret(|microsoft, tenant| signed_in(microsoft, tenant, true, &[Role::AdminAgent])),
        Plan::new("a person without a second factor", Tells::Diagnosis("mfa-missing"))
            .secret(|microsoft, tenant| signed_in(microsoft, tenant, false, &[Role::AdminAgent])),
        Plan::new("a person without a role", Tells::Diagnosis("role-lacking"))
            .secret(|microsoft, tenant| signed_in(microsoft, tenant, true, &[])),
    ]
}

/// Secrets that can't be used at all.
fn malformed() -> Vec<Plan> {
    let unusable = |what: &str, words| Plan::new(format!("a secret that {what}"), Tells::Words(words));
    vec![
        unusable("is not there", "could not be fetched from Secrets Manager").without_secret(),
        unusable("is empty", "it is not JSON").secret(|_, _| String::new()),
        unusable("is no JSON", "it is not JSON").secret(|_, tenant| tenant.client_secret.clone()),
        unusable("is a text of JSON", "it is not JSON").secret(|_, tenant| json!(tenant.client_secret).to_string()),
        unusable("breaks off", "it is not JSON").secret(|_, tenant| {
            let whole = usual(tenant).to_string();
            whole[..whole.len() - 1].to_owned()
        }),
        unusable("has a secret for a name", "it is not JSON")
            .secret(|_, tenant| json!({ &tenant.client_secret: 1 }).to_string()),
        unusable("has a list of secrets", "it is not JSON").secret(|_, tenant| {
            json!({ "client_id": CLIENT_ID, "client_secret": [&tenant.client_secret] }).to_string()
        }),
        unusable("has two proofs", "either client_secret, or certificate and private_key")
            .secret(|_, tenant| with(by_certificate(), "client_secret", &tenant.client_secret)),
        unusable("has no certificate", "certificate is not a PEM certificate")
            .secret(|_, tenant| with(by_certificate(), "certificate", &tenant.client_secret)),
        unusable("has the key for a certificate", "certificate is not a PEM certificate")
            .secret(|_, _| with(by_certificate(), "certificate", APPLICATION_KEY)),
        unusable("has half a key", "private_key is not an RSA key")
            .secret(|_, _| with(by_certificate(), "private_key", &APPLICATION_KEY[..APPLICATION_KEY.len() / 2])),
        unusable("has no key", "private_key is not an RSA key")
            .secret(|_, tenant| with(by_certificate(), "private_key", &tenant.client_secret)),
    ]
}

/// Whatever Microsoft's services do on demand, at the sign-in and at `service`.
fn faults(service: Target) -> impl Iterator<Item = (Target, FaultKind, Tells)> {
    let unusable = Tells::Words("gave an answer that can't be used");
    let at_the_sign_in = [
        (FaultKind::Denied(Denial::ApplicationUnknown), Tells::Diagnosis("application-unknown")),
        (FaultKind::Denied(Denial::ConditionalAccess), Tells::Diagnosis("conditional-access")),
        (FaultKind::Denied(Denial::ConsentMissing), Tells::Diagnosis("consent-missing")),
        (FaultKind::Denied(Denial::GrantRevoked), Tells::Diagnosis("refresh-token-revoked")),
        (FaultKind::Denied(Denial::WrongCloud), Tells::Diagnosis("wrong-cloud")),
    ];
    let of_partner_center = [
        (FaultKind::Denied(Denial::AppOnly), Tells::Diagnosis("app-only-not-allowed")),
        (FaultKind::Denied(Denial::ApplicationUnregistered), Tells::Diagnosis("not-in-partner-center")),
        (FaultKind::Denied(Denial::ConditionalAccess), Tells::Diagnosis("conditional-access")),
        (FaultKind::Denied(Denial::RoleMissing), Tells::Diagnosis("role-lacking")),
        (FaultKind::Denied(Denial::WrongAudience), Tells::Diagnosis("audience-retired")),
    ];
    let of_the_list = [
        (FaultKind::EmptyPage, unusable),
        (FaultKind::ForeignNextLink, unusable),
        (FaultKind::MalformedAlert, Tells::Done),
    ];
    let of_both = [
        (FaultKind::ExpiredToken, Tells::Words("was refused with status 401")),
        (FaultKind::MissingMfa, Tells::Diagnosis("mfa-missing")),
    ];
    let anywhere = [
        (FaultKind::Fail { status: 502 }, Tells::Diagnosis("unavailable")),
        (FaultKind::Reset, Tells::Diagnosis("unavailable")),
        (FaultKind::Throttle { retry_after: RetryAfter::Seconds(60) }, Tells::Diagnosis("throttled")),
        (FaultKind::Truncated, unusable),
    ];
    let graph = matches!(service, Target::Get | Target::List | Target::Patch);
    let own = of_partner_center.into_iter().filter(move |_| !graph);
    let own = own.chain(of_the_list.into_iter().filter(move |_| service == Target::List)).chain(of_both);
    let signing_in = at_the_sign_in.into_iter().chain(anywhere).map(|(kind, tells)| (Target::Token, kind, tells));
    signing_in.chain(own.chain(anywhere).map(move |(kind, tells)| (service, kind, tells)))
}
