//! A stand-in for Microsoft, for `cargo run` and for tests.
//!
//! It has two sides, both on loopback. The *Microsoft side* ([`Simulator::microsoft_url`], TLS) serves Entra ID's
//! sign-in and tokens, Graph's partner security alerts, Partner Center's webhook registrations, fraudEvents and customers, and
//! the certificate that callbacks are signed with. The *control side* ([`Simulator::control_url`], plain http) is for a person with curl, and
//! every request of it has its twin among the methods of [`Simulator`]: alerts are raised and changed, callbacks signed
//! (or forged) and posted, people signed in, and [faults](Fault) set. `GET /` there lists it all.
//!
//! It shares no code with what it is there to test, so that a mistake can't be made on both sides and go unseen.
//! It is stricter than Microsoft where that shows a caller's mistakes: query options it doesn't support are refused,
//! and a token is good for one audience only. Certificates are those of its own authority, new at every start: where
//! `webhook` and the clients are to trust it, they have to be given [`Simulator::trust_anchors_pem`].
//!
//! Keys: the root, the issuing authority and all private keys live in memory only.

use std::fmt;
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;

mod alerts;
mod app;
mod authority;
mod book;
mod callbacks;
mod connecting;
mod control;
mod customers;
mod entra;
mod fault_kinds;
mod faults;
mod graph;
mod history;
mod marker;
mod microsoft;
mod options;
mod partner_center;
mod recorded;
mod reply;
mod requests;
mod serve;
mod subscriptions;
mod targets;

pub use alerts::{ActivityLog, AffectedResource, Alert, AlertChange, Lag, NewAlert};
pub use authority::AuthorityError;
pub use book::AlertError;
pub use callbacks::{DeliverError, Forgery, SignedCallback};
pub use customers::{CustomerChange, Relationship};
pub use entra::{PendingSignIn, Person, Role, SignInError};
pub use fault_kinds::{Denial, ErrorBody, FaultKind, RetryAfter};
pub use faults::{Fault, FaultError};
pub use history::History;
pub use marker::MARKER;
pub use options::{Clock, Options, StartError, Tenant};
pub use partner_center::{AuditRecord, CustomizedData, DeliveryAttempt, NewAuditRecord, Registration, TestEvent};
pub use recorded::RecordedRequest;
pub use subscriptions::{CancelAnswer, SubscriptionAct, SubscriptionRules};
pub use targets::{Requests, Target};

use app::{App, Shared, lock};
use authority::Authority;
use serve::{Running, bind};

/// A running simulator. Clones are the same one; it ends with [`stop`](Self::stop) or with the last clone.
#[derive(Clone)]
pub struct Simulator {
    app: App,
    running: Arc<Running>,
}

impl Simulator {
    /// Binds both sides and serves them.
    ///
    /// # Errors
    /// The options don't make sense, an address is taken (the error names it), or the state file can't be read.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        if options.tenants.is_empty() {
            return Err(StartError::NoTenant);
        }
        if options.page_size == 0 {
            return Err(StartError::PageSize);
        }
        let (microsoft, microsoft_address) = bind(options.microsoft)?;
        let (control, control_address) = bind(options.control)?;

        let now = (options.clock)();
        // An RSA key takes a moment to find.
        let issuer_url = format!("https://{microsoft_address}{}", microsoft::ISSUER_PATH);
        let authority = tokio::task::spawn_blocking(move || Authority::new(now, issuer_url)).await??;
        let tls = RustlsConfig::from_config(Arc::new(authority.server_config()?));
        let app = Arc::new(Shared::new(options, authority, microsoft_address, control_address)?);

        let running = Running::start(&app, microsoft, tls, control)
            .await
            .map_err(|source| StartError::Bind { address: microsoft_address, source })?;
        tracing::info!(%microsoft_address, %control_address, "simulator started");
        Ok(Self { app, running: Arc::new(running) })
    }

    /// Where certificates lie: `https://127.0.0.1:PORT/cert/`. A callback names a file below it.
    #[must_use]
    pub fn certificate_location(&self) -> String {
        self.app.certificate_location()
    }

    /// The host and port at which the issuer of that certificate lies, as the certificate says.
    #[must_use]
    pub fn issuer_host(&self) -> &str {
        self.app.microsoft_url.trim_start_matches("https://")
    }

    /// The subject alternative name of the certificate that callbacks are signed with; its file is this and `.cer`.
    #[must_use]
    pub const fn certificate_name() -> &'static str {
        authority::CERTIFICATE_NAME
    }

    /// `https://127.0.0.1:PORT`, without a slash at the end: Graph, login and Partner Center in one.
    #[must_use]
    pub fn microsoft_url(&self) -> String {
        self.app.microsoft_url.clone()
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn control_url(&self) -> String {
        self.app.control_url.clone()
    }

    /// The root certificate: anchor for callbacks' signatures and for the TLS of the Microsoft side.
    #[must_use]
    pub fn trust_anchors_pem(&self) -> &str {
        self.app.authority.root_pem()
    }

    /// The issuing authority between root and callback certificate, which the certificate's address does not bring along.
    #[must_use]
    pub fn intermediates_pem(&self) -> &str {
        self.app.authority.issuing_pem()
    }

    /// An alert appears at Microsoft.
    ///
    /// # Errors
    /// The tenant is unknown, the id is taken, or the state file can't be written.
    pub fn raise(&self, new: NewAlert) -> Result<Alert, AlertError> {
        self.app.raise(new)
    }

    /// All alerts of a history appear at Microsoft, the oldest first.
    ///
    /// # Errors
    /// The tenant is unknown, it has alerts of this history, or the state file can't be written.
    pub fn raise_all(&self, tenant: &str, history: History) -> Result<(), AlertError> {
        let tenant = &self.app.tenant(Some(tenant))?.id;
        let mut alerts: Vec<Alert> = history.alerts().collect();
        alerts.reverse();
        lock(&self.app.book).add_all(tenant, alerts)
    }

    /// What the customers of a history are called. It is told anew at each start: the state file has alerts alone.
    ///
    /// # Errors
    /// The tenant is unknown.
    pub fn describe_customers(&self, tenant: &str, history: History) -> Result<(), AlertError> {
        history.customers(tenant).try_for_each(|customer| self.app.describe_customer(customer))
    }

    /// An alert changes at Microsoft, goes, or comes back.
    ///
    /// # Errors
    /// Tenant or alert is unknown, or the state file can't be written.
    pub fn change(&self, tenant: &str, id: &str, change: AlertChange) -> Result<Alert, AlertError> {
        self.app.change(tenant, id, change)
    }

    /// None of a tenant's alerts ever was: for tests that share a simulator, one after the other.
    ///
    /// # Errors
    /// The state file can't be written.
    pub fn forget_alerts(&self, tenant: &str) -> Result<(), AlertError> {
        lock(&self.app.book).forget(tenant)
    }

    /// A tenant's alerts as they are, in the order in which they were raised, without those that are gone; none if there is no such tenant.
    #[must_use]
    pub fn alerts(&self, tenant: &str) -> Vec<Alert> {
        lock(&self.app.book).all(tenant).cloned().collect()
    }

    /// The body that Microsoft would send about an alert. It tells neither the alert nor the partner tenant.
    #[must_use]
    pub fn fraud_callback(&self, alert: &Alert) -> Vec<u8> {
        callbacks::event_body(callbacks::FRAUD_EVENT, Some(alert), self.app.now())
    }

    /// A callback with this body, whatever it is, signed as Microsoft signs.
    ///
    /// # Errors
    /// The key does not sign.
    pub fn sign(&self, body: &[u8]) -> Result<SignedCallback, AuthorityError> {
        self.app.sign(body)
    }

    /// A callback that must not be believed.
    ///
    /// # Errors
    /// The forger's key can't be made or does not sign.
    pub fn forge(&self, body: &[u8], forgery: Forgery) -> Result<SignedCallback, AuthorityError> {
        self.app.forge(body, forgery)
    }

    /// Posts a callback and returns the status of the answer. Redirects are not followed.
    ///
    /// # Errors
    /// There was no answer within half a minute.
    pub async fn deliver(&self, url: &str, callback: SignedCallback) -> Result<u16, DeliverError> {
        Ok(self.app.post(url, &callback).await?.status)
    }

    /// Where the control side posts a tenant's callbacks from now on: for receivers that start after the simulator.
    pub fn set_callback_url(&self, tenant: &str, url: &str) {
        lock(&self.app.callback_urls).insert(tenant.to_owned(), url.to_owned());
    }

    /// A refresh token as an admin agent's sign-in would leave it, good for 90 days.
    ///
    /// # Errors
    /// The tenant is unknown.
    pub fn refresh_token(&self, tenant: &str) -> Result<String, AlertError> {
        let tenant = self.app.tenant(Some(tenant))?;
        Ok(lock(&self.app.tokens).sign_in(&tenant.id, Person::admin_agent(&tenant.id), self.app.now()))
    }

    /// How often each endpoint was asked since the start.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.app.faults.requests()
    }

    /// How many requests were left without an answer since the start ([`FaultKind::Silent`]): whoever waits for one can await a change.
    #[must_use]
    pub fn unanswered(&self) -> tokio::sync::watch::Receiver<u64> {
        self.app.unanswered.subscribe()
    }

    /// The latest requests of the Microsoft side, oldest first, whatever was answered.
    #[must_use]
    pub fn recorded(&self) -> Vec<RecordedRequest> {
        self.app.record.all()
    }

    /// Something goes wrong from now on.
    ///
    /// # Errors
    /// This kind of fault doesn't happen at this target.
    pub fn set_fault(&self, fault: Fault) -> Result<(), FaultError> {
        self.app.faults.set(fault)
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// A new signing key and certificate at the same address. Takes the time of making an RSA key.
    ///
    /// # Errors
    /// The key or the certificate can't be made.
    pub fn rotate_certificate(&self) -> Result<(), AuthorityError> {
        self.app.authority.rotate(self.app.now())
    }

    /// Ends the simulator, for its clones too, and frees both ports.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Simulator")
            .field("microsoft", &self.app.microsoft_url)
            .field("control", &self.app.control_url)
            .finish_non_exhaustive()
    }
}
