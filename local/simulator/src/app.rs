//! What both sides of a running simulator share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use crate::alerts::{Alert, AlertChange, NewAlert};
use crate::authority::Authority;
use crate::book::{AlertError, Book};
use crate::callbacks::SignedCallback;
use crate::faults::{FaultKind, Faults, Target};
use crate::options::{Clock, Options, StartError, Tenant};
use crate::reply::Reply;
use crate::token::Tokens;

pub(crate) type App = Arc<Shared>;

pub(crate) struct Shared {
    pub(crate) authority: Authority,
    pub(crate) book: Mutex<Book>,
    /// Addresses set after the start, by tenant; they precede those of the options.
    pub(crate) callback_urls: Mutex<HashMap<String, String>>,
    pub(crate) client: reqwest::Client,
    /// The names by which the control side may be called.
    pub(crate) control_hosts: [String; 2],
    pub(crate) control_url: String,
    pub(crate) faults: Faults,
    /// The tenant and the callback that the control side posted last.
    pub(crate) last_callback: Mutex<Option<(String, SignedCallback)>>,
    pub(crate) microsoft_url: String,
    pub(crate) page_size: usize,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) tokens: Mutex<Tokens>,
    callback_url: Option<String>,
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
            authority,
            book: Mutex::new(book),
            callback_urls: Mutex::default(),
            client,
            control_hosts: [control.to_string(), format!("localhost:{}", control.port())],
            control_url: format!("http://{control}"),
            faults: Faults::default(),
            last_callback: Mutex::default(),
            microsoft_url: format!("https://{microsoft}"),
            page_size: options.page_size,
            tenants: options.tenants,
            tokens: Mutex::default(),
            callback_url: options.callback_url,
            clock: options.clock,
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
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

    pub(crate) fn certificate_location(&self) -> String {
        format!("{}/cert/", self.microsoft_url)
    }

    pub(crate) fn callback_url(&self, tenant: &str) -> Option<String> {
        let set = lock(&self.callback_urls).get(tenant).cloned();
        let own = || self.tenants.iter().find(|known| known.id == tenant)?.callback_url.clone();
        let common = || Some(self.callback_url.as_ref()?.replace("{tenant}", tenant));
        set.or_else(own).or_else(common)
    }

    pub(crate) fn raise(&self, new: NewAlert) -> Result<Alert, AlertError> {
        let tenant = self.tenant(new.tenant.as_deref())?;
        let alert = Alert::make(new, self.now());
        lock(&self.book).add(&tenant.id, alert)
    }

    pub(crate) fn change(&self, tenant: &str, id: &str, change: AlertChange) -> Result<Alert, AlertError> {
        let tenant = self.tenant(Some(tenant))?;
        let now = self.now();
        let (_, after) = lock(&self.book).update(&tenant.id, id, |alert| alert.apply(change, now))?;
        Ok(after)
    }

    /// Counts a request of the Microsoft side, lets go wrong what is to, and answers.
    pub(crate) async fn respond(
        &self,
        target: Target,
        answer: impl FnOnce(Option<FaultKind>) -> Reply + Send,
    ) -> Response {
        let fault = self.faults.take(target);
        if let Some(kind) = fault {
            tracing::info!(?target, ?kind, "misbehaving on demand");
        }
        match fault {
            Some(FaultKind::Slow { milliseconds }) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            Some(FaultKind::Fail { status }) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let body = b"<html><body>The service is unavailable.</body></html>".to_vec();
                return Reply::new(status, "text/html", body).sent(None);
            }
            _ => {}
        }
        answer(fault).sent(fault)
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
