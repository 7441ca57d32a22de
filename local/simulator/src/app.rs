//! What both sides of a running simulator share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use axum::response::Response;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::alerts::{Alert, AlertChange, NewAlert};
use crate::authority::Authority;
use crate::book::{AlertError, Book};
use crate::callbacks::SignedCallback;
use crate::customers::Described;
use crate::entra::{SignIns, TokenKeys, Tokens};
use crate::fault_kinds::{ErrorBody, FaultKind};
use crate::faults::Faults;
use crate::options::{Clock, Options, StartError, Tenant};
use crate::partner_center::{AuditRecord, Registrations};
use crate::recorded::Record;
use crate::reply::Reply;
use crate::subscriptions::{Once, Subscriptions};
use crate::targets::Target;

pub(crate) type App = Arc<Shared>;

pub(crate) struct Shared {
    pub(crate) audit_records: Mutex<Vec<AuditRecord>>,
    pub(crate) authority: Authority,
    pub(crate) book: Mutex<Book>,
    /// Addresses set after the start, by tenant; they precede those of the options.
    pub(crate) callback_urls: Mutex<HashMap<String, String>>,
    pub(crate) client: reqwest::Client,
    /// The names by which the control side may be called.
    pub(crate) control_hosts: [String; 2],
    pub(crate) control_url: String,
    pub(crate) customers: Mutex<Described>,
    pub(crate) device_interval: u32,
    pub(crate) faults: Faults,
    /// The tenant and the callback that the control side posted last.
    pub(crate) last_callback: Mutex<Option<(String, SignedCallback)>>,
    pub(crate) microsoft_url: String,
    pub(crate) page_size: usize,
    pub(crate) once: Mutex<Once>,
    pub(crate) partner_center_url: String,
    /// Addresses that the world would know, and where they are served on this machine.
    pub(crate) public_addresses: Mutex<Vec<(String, String)>>,
    pub(crate) record: Record,
    pub(crate) registrations: Mutex<Registrations>,
    pub(crate) retry_pause: Duration,
    pub(crate) sign_ins: Mutex<SignIns>,
    pub(crate) subscriptions: Mutex<Subscriptions>,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) token_keys: TokenKeys,
    pub(crate) tokens: Mutex<Tokens>,
    /// How many requests were left without an answer.
    pub(crate) unanswered: watch::Sender<u64>,
    callback_url: Option<String>,
    changes: watch::Sender<()>,
    clock: Clock,
}

impl Shared {
    #[expect(clippy::disallowed_methods, reason = "Microsoft's side of the wire has a client of its own")]
    pub(crate) fn new(
        options: Options,
        authority: Authority,
        microsoft: SocketAddr,
        control: SocketAddr,
    ) -> Result<Self, StartError> {
        let path = options.state_file.clone().unwrap_or_default();
        let book = Book::open(options.state_file).map_err(|source| StartError::StateFile { path, source })?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(authority.client_config()?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(StartError::Client)?;
        Ok(Self {
            audit_records: Mutex::default(),
            authority,
            book: Mutex::new(book),
            callback_urls: Mutex::default(),
            client,
            control_hosts: [control.to_string(), format!("localhost:{}", control.port())],
            control_url: format!("http://{control}"),
            customers: Mutex::default(),
            device_interval: options.device_interval,
            faults: Faults::default(),
            last_callback: Mutex::default(),
            microsoft_url: format!("https://{microsoft}"),
            once: Mutex::default(),
            page_size: options.page_size,
            partner_center_url: format!("https://localhost:{}", microsoft.port()),
            public_addresses: Mutex::default(),
            record: Record::default(),
            registrations: Mutex::default(),
            retry_pause: options.retry_pause,
            sign_ins: Mutex::default(),
            subscriptions: Mutex::default(),
            tenants: options.tenants,
            token_keys: TokenKeys::default(),
            tokens: Mutex::default(),
            unanswered: watch::Sender::default(),
            callback_url: options.callback_url,
            changes: watch::Sender::default(),
            clock: options.clock,
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Tells whoever waits that something has become different.
    pub(crate) fn changed(&self) {
        self.changes.send_replace(());
    }

    /// Waits until `look` finds what it looks for. It looks at once and after every change.
    pub(crate) async fn until<T>(&self, look: impl Fn() -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(found) = look() {
                return found;
            }
            // The sender is a part of what is borrowed here, so there is always another change to hope for.
            let _ = changes.changed().await;
        }
    }

    /// The tenant of this id, or the first.
    pub(crate) fn tenant(&self, id: Option<&str>) -> Result<&Tenant, AlertError> {
        match id {
            Some(id) => self
                .tenants
                .iter()
                .find(|tenant| tenant.id == id)
                .ok_or_else(|| AlertError::UnknownTenant(id.to_owned())),
            None => self.tenants.first().ok_or_else(|| AlertError::UnknownTenant("at all".to_owned())),
        }
    }

    /// The two names of the Microsoft side. Partner Center has one of its own, so that a token says which of the two
    /// services it is for.
    pub(crate) fn addresses(&self) -> [&str; 2] {
        [&self.microsoft_url, &self.partner_center_url]
    }

    pub(crate) fn certificate_location(&self) -> String {
        format!("{}/cert/", self.microsoft_url)
    }

    pub(crate) fn callback_url(&self, tenant: &str) -> Option<String> {
        let set = lock(&self.callback_urls).get(tenant).cloned();
        let registered = || Some(lock(&self.registrations).by_tenant.get(tenant)?.webhook_url.clone());
        let own = || self.tenants.iter().find(|known| known.id == tenant)?.callback_url.clone();
        let common = || Some(self.callback_url.as_ref()?.replace("{tenant}", tenant));
        set.or_else(registered).or_else(own).or_else(common)
    }

    /// Where a public address is served on this machine, or the address itself.
    pub(crate) fn reached_at(&self, url: &str) -> String {
        let stands_in = |(public, local): &(String, String)| {
            let rest = url.strip_prefix(public.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{local}{rest}"))
        };
        lock(&self.public_addresses).iter().rev().find_map(stands_in).unwrap_or_else(|| url.to_owned())
    }

    pub(crate) fn raise(&self, new: NewAlert) -> Result<Alert, AlertError> {
        let tenant = self.tenant(new.tenant.as_deref())?;
        let lag = new.lag;
        let alert = Alert::make(new, self.now());
        lock(&self.book).add(&tenant.id, alert, lag)
    }

    pub(crate) fn change(&self, tenant: &str, id: &str, change: AlertChange) -> Result<Alert, AlertError> {
        let tenant = self.tenant(Some(tenant))?;
        let now = self.now();
        let (gone, lag) = (change.gone, change.lag);
        lock(&self.book).change(&tenant.id, id, gone, lag, |alert| alert.apply(change, now))
    }

    /// Somebody else resolves an alert, if it is there.
    pub(crate) fn resolve_between(&self, tenant: &str, id: &str) {
        let (status, resolved_reason) = (Some("resolved".to_owned()), Some("legitimate".to_owned()));
        let change = AlertChange { status, resolved_reason, ..AlertChange::default() };
        if let Err(error) = self.change(tenant, id, change) {
            tracing::warn!(%error, "nobody else resolved it");
        }
    }

    /// Counts a request of the Microsoft side, lets go wrong what is to, and answers.
    pub(crate) async fn respond(
        &self,
        target: Target,
        tenant: Option<&str>,
        answer: impl FnOnce(Option<FaultKind>) -> Reply + Send,
    ) -> Response {
        match self.begin(target, tenant).await {
            Ok(fault) => answer(fault).sent(fault),
            Err(failed) => failed.sent(None),
        }
    }

    /// The first half of that: what is to go wrong with the answer, or the answer that stands in for it.
    pub(crate) async fn begin(&self, target: Target, tenant: Option<&str>) -> Result<Option<FaultKind>, Reply> {
        let fault = self.faults.take(target, tenant);
        if let Some(kind) = fault {
            tracing::info!(?target, ?kind, "misbehaving on demand");
        }
        match fault {
            Some(FaultKind::Slow { milliseconds }) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            Some(FaultKind::Silent) => {
                self.unanswered.send_modify(|count| *count += 1);
                std::future::pending::<()>().await;
            }
            Some(FaultKind::Fail { status }) => return Err(Reply::error(status, ErrorBody::Html)),
            Some(FaultKind::Answer { status, body, retry_after }) => {
                return Err(Reply::error(status, body).retry_after(retry_after, self.now()));
            }
            _ => {}
        }
        Ok(fault)
    }

    /// The bearer token that a request shows; empty if none.
    pub(crate) fn bearer(headers: &HeaderMap) -> &str {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
    }

    /// Whose token a request shows.
    pub(crate) fn caller_tenant(&self, headers: &HeaderMap) -> Option<String> {
        lock(&self.tokens).find(Self::bearer(headers)).map(|grant| grant.tenant.clone())
    }
}

/// A panic elsewhere leaves nothing half-done behind the simulator's locks: each is held for one step only.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A random UUID.
pub(crate) fn new_id() -> String {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string()
}

/// Bytes that either side reads of a body.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;
