//! Three partner tenants whose credentials `renew` keeps alive, on one moved clock.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aws_sdk_secretsmanager::Client;
use jiff::{SignedDuration, Timestamp};
use models::{AlertSource, Cloud, Purpose, Tenant};
use runtime::{Clock as _, Counts, FixedClock, Parts};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Simulator, Target};
use store::{CredentialState, ReadCredentials as _, Store, WriteTenants as _};
use tempfile::TempDir;
use tests::{BY_HAND, CLIENT_SECRET, Counted, START, Tap, TestSystem, addresses, wire::Wire};

pub(crate) const CONTOSO: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
pub(crate) const FABRIKAM: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a11";
pub(crate) const TAILSPIN: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a12";
pub(crate) const TENANTS: [&str; 3] = [CONTOSO, FABRIKAM, TAILSPIN];
pub(crate) const CERTIFICATE: &str =
    include_str!("../../../shared/partner-center/tests/data/test-only-application-certificate.pem");
pub(crate) const KEY: &str = include_str!("../../../shared/partner-center/tests/data/test-only-application-key.pem");

/// From one tick of the schedule to the next.
pub(crate) const TICK: SignedDuration = SignedDuration::from_hours(6);
pub(crate) const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) struct World {
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) microsoft: Simulator,
    pub(crate) counted: Counted,
    /// Holds requests up.
    pub(crate) tap: Tap,
    /// Loses and refuses them.
    pub(crate) wire: Wire,
    /// What people write secrets with, past tap and wire.
    pub(crate) secrets: Client,
    pub(crate) store: Store,
    pub(crate) parts: Parts,
    renew: renew::Deployed,
    runs: AtomicU64,
    test: TestSystem,
    _files: TempDir,
}

impl World {
    /// Without tenants: what there is of these belongs to the test.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With these variables of `renew`. A request to Microsoft is tried once, since the clock of pauses is the machine's.
    pub(crate) async fn with(extra: &[(&'static str, &str)]) -> Self {
        let clock = Arc::new(FixedClock::at(START.parse().unwrap()));
        let microsoft = microsoft(&clock).await;
        let files = TempDir::new().unwrap();
        let addresses = addresses(&microsoft, files.path());
        let mut variables = BY_HAND.to_vec();
        variables.push(("MICROSOFT_ATTEMPTS", "1"));
        variables.extend(addresses.iter().map(|(name, value)| (*name, value.as_str())));
        variables.extend(extra);
        let test = TestSystem::start_by(clock.clone(), &variables).await.unwrap();
        let aws = &test.system.parts().aws;
        let (tap, wire, counted) = (Tap::new(aws.http_client().unwrap()), Wire::default(), Counted::default());
        let parts = Parts {
            aws: aws.to_builder().http_client(tap.clone()).build(),
            metrics: counted.metrics(),
            ..test.system.parts().clone()
        };
        let parts = wire.tap(&parts);
        let store = Store::new(aws_sdk_dynamodb::Client::new(aws), test.system.tables().clone());
        let seed = store::ReadTenants::tenants(&store).await.unwrap().remove(0);
        store.remove_tenant(&seed).await.unwrap();
        Self {
            renew: renew::wire(&parts).unwrap(),
            secrets: Client::new(aws),
            runs: AtomicU64::default(),
            clock,
            microsoft,
            counted,
            tap,
            wire,
            store,
            parts,
            test,
            _files: files,
        }
    }

    /// Subject and text of what the people were told so far.
    pub(crate) fn told(&self) -> Vec<(String, String)> {
        let told = self.test.messages.operations().into_iter();
        told.map(|message| (message.subject, message.text)).collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A tenant with both secrets, each with a refresh token of its own. Nobody has said when they were obtained.
    pub(crate) async fn add(&self, id: &str) -> Tenant {
        let tenant = tenant(id);
        for purpose in Purpose::ALL {
            self.consent(&tenant, purpose).await;
        }
        self.store.put_tenant(&tenant).await.unwrap();
        tenant
    }

    /// A person consents, and writes what comes of it.
    pub(crate) async fn consent(&self, tenant: &Tenant, purpose: Purpose) -> String {
        let token = self.microsoft.refresh_token(tenant.id.as_str()).unwrap();
        let mut secret = app_only(tenant);
        secret["refresh_token"] = json!(token);
        self.write(tenant, purpose, &secret).await;
        token
    }

    /// A person writes a secret.
    pub(crate) async fn write(&self, tenant: &Tenant, purpose: Purpose, secret: &Value) {
        let (name, text) = (purpose.secret_of(tenant).unwrap(), secret.to_string());
        let made = self.secrets.create_secret().name(name).secret_string(&text).send().await;
        if made.is_err() {
            self.secrets.put_secret_value().secret_id(name).secret_string(text).send().await.unwrap();
        }
    }

    /// What a secret says.
    pub(crate) async fn secret(&self, tenant: &Tenant, purpose: Purpose) -> Value {
        self.labelled(tenant, purpose, "AWSCURRENT").await
    }

    /// What the version of a secret says that has this label.
    pub(crate) async fn labelled(&self, tenant: &Tenant, purpose: Purpose, label: &str) -> Value {
        let request = self.secrets.get_secret_value().secret_id(purpose.secret_of(tenant).unwrap());
        let read = request.version_stage(label).send().await.unwrap();
        serde_json::from_str(read.secret_string().unwrap()).unwrap()
    }

    pub(crate) async fn token(&self, tenant: &Tenant, purpose: Purpose) -> String {
        self.secret(tenant, purpose).await["refresh_token"].as_str().unwrap().to_owned()
    }

    /// What is known of a credential.
    pub(crate) async fn known(&self, tenant: &Tenant, purpose: Purpose) -> CredentialState {
        self.store.credentials(&tenant.id).await.unwrap().remove(&purpose).unwrap_or_default()
    }

    pub(crate) async fn outcome(&self, tenant: &Tenant, purpose: Purpose) -> String {
        self.known(tenant, purpose).await.outcome.unwrap_or_default()
    }

    /// The schedule ticks.
    pub(crate) async fn tick(&self) {
        self.tick_of(&self.renew).await;
    }

    /// The schedule ticks for another instance of the function.
    pub(crate) async fn tick_of(&self, renew: &renew::Deployed) {
        let invocation = serde_json::from_value(json!({ "task": "renew" })).unwrap();
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        renew.handle(invocation, &format!("run-{run}")).await.unwrap();
    }

    /// Another instance of the function.
    pub(crate) fn another(&self) -> renew::Deployed {
        renew::wire(&self.parts).unwrap()
    }

    /// The schedule ticks, and this is what is counted.
    pub(crate) async fn counts(&self) -> Counts {
        let _ = self.counted.take();
        self.tick().await;
        let mut counted = self.counted.take();
        assert_eq!(counted.len(), 1, "{counted:?}");
        counted.remove(0)
    }

    /// There is a tenant whose item lacks almost everything.
    pub(crate) async fn spoil(&self, id: &str) {
        use aws_sdk_dynamodb::types::AttributeValue;
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = aws_sdk_dynamodb::Client::new(&self.test.system.parts().aws).put_item();
        let put = put.table_name(&self.test.system.tables().tenants).item("pk", text("tenants"));
        put.item("sk", text(id)).send().await.unwrap();
    }

    /// The next sign-ins of a tenant go wrong, until that is cleared.
    pub(crate) fn sign_ins_fail(&self, tenant: &str, kind: FaultKind) {
        self.microsoft.set_fault(Fault::new(Target::Token, kind).of(tenant)).unwrap();
    }
}

/// What is counted of a run that looked at as many credentials and found this.
pub(crate) struct Found {
    pub(crate) checked: usize,
    pub(crate) failed: usize,
    pub(crate) undecided: usize,
    pub(crate) renewed: usize,
    pub(crate) undated: usize,
    pub(crate) unreadable: usize,
    pub(crate) oldest_days: Option<usize>,
    pub(crate) expiry_days: Option<usize>,
}

impl Found {
    /// Both credentials of one tenant work; neither was renewed.
    pub(crate) const TWO_WORK: Self = Self {
        checked: 2,
        failed: 0,
        undecided: 0,
        renewed: 0,
        undated: 2,
        unreadable: 0,
        oldest_days: Some(0),
        expiry_days: None,
    };

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::new()
            .with("CredentialsChecked", self.checked)
            .with("CredentialsFailed", self.failed)
            .with("CredentialsUndecided", self.undecided)
            .with("RefreshTokensRenewed", self.renewed)
            .with("CredentialsUndated", self.undated)
            .with("TenantsUnreadable", self.unreadable);
        if let Some(days) = self.oldest_days {
            counts = counts.with("OldestRefreshTokenDays", days);
        }
        if let Some(days) = self.expiry_days {
            counts = counts.with("FirstExpiryDays", days);
        }
        counts
    }
}

pub(crate) fn tenant(id: &str) -> Tenant {
    Tenant {
        id: id.parse().unwrap(),
        display_name: format!("Partner {id} (made up)"),
        cloud: Cloud::Global,
        alert_source: AlertSource::Graph,
        path_key_hashes: Vec::new(),
        read_secret: format!("partner-alerts/read/{id}"),
        act_secret: Some(format!("partner-alerts/act/{id}")),
        active: true,
    }
}

/// The id of a tenant's application.
pub(crate) fn client_id(tenant: &str) -> String {
    format!("11111111-2222-4333-8444-{}", &tenant[24..])
}

/// What an application signs in with for itself.
pub(crate) fn app_only(tenant: &Tenant) -> Value {
    json!({ "client_id": client_id(tenant.id.as_str()), "client_secret": CLIENT_SECRET })
}

async fn microsoft(clock: &Arc<FixedClock>) -> Simulator {
    let clock = Arc::clone(clock);
    let certificate = rustls_pem(CERTIFICATE);
    let tenant = |id: &str| simulator::Tenant {
        id: id.to_owned(),
        client_id: client_id(id),
        client_secret: CLIENT_SECRET.to_owned(),
        client_certificate: Some(certificate.clone()),
        ..simulator::Tenant::default()
    };
    let options = simulator::Options {
        clock: Arc::new(move || clock.now()),
        tenants: TENANTS.map(tenant).into(),
        ..simulator::Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// The bytes of a PEM file with one certificate.
fn rustls_pem(pem: &str) -> Vec<u8> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}
