//! `sign-in`: lets a browser in, by Entra ID, and out again.
//!
//! The authorization code flow of OpenID Connect with PKCE, state and nonce. What has to survive the trip to Entra ID is one sealed cookie
//! of ten minutes. A sign-in ends in a new session under a new id, and ends the session that the browser had before.
//!
//! | route | answer |
//! |---|---|
//! | `GET /sign-in?return=&tenant=` | off to Entra ID, to come back to a page of ours |
//! | `GET /sign-in/callback` | a session, and off to that page |
//! | `GET /sign-in/me` | who is signed in, and what they may do; it needs what `authorize` says |
//! | `POST /sign-out` | no session any more; from our own pages alone |
//!
//! What can go wrong, as `problem.rs` tells it, is a plain page of fixed words: nothing of a request stands in an answer.

mod address;
mod config;
mod entra;
mod http_client;
mod pages;
mod problem;
pub mod request;
mod secrets;
mod trip;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use identity::{
    ABSOLUTE, Caller, Cookies, NoCaller, Origin, Presented, ReturnPath, Session, SessionId, SharedRandom, same_origin,
};
use jiff::Timestamp;
use runtime::SharedClock;
use store::{KeepSessions, StoreError};

use ::pages::{HOME, redirect};
use address::Asked;
use secrets::{Opened, Secrets};
use trip::Trip;

pub use config::{Config, VARIABLES};
pub use entra::EntraId;
pub use problem::Problem;
pub use secrets::{ReadSecret, SecretError, SecretNames};
pub use wire::{Deployed, StoredSecrets, wire};

/// The routes, as API Gateway names them.
pub const ROUTES: [&str; 4] = ["GET /sign-in", "GET /sign-in/callback", "GET /sign-in/me", "POST /sign-out"];
/// The cookie of a browser that has signed out: Entra ID, which still knows its person, has to ask who it is that signs in next.
const SIGNED_OUT: &str = "__Host-signed-out";
/// For how long, in seconds: as long as a session lives at most.
const SIGNED_OUT_SECONDS: i64 = ABSOLUTE.as_secs();

/// The function: what it reads and writes with, given by `main.rs`.
#[derive(Debug)]
pub struct SignIn<S, R> {
    store: S,
    secrets: Secrets<R>,
    entra: EntraId,
    origin: Origin,
    clock: SharedClock,
    random: RandomSource,
}

/// Randomness, which does not print.
struct RandomSource(SharedRandom);

impl std::fmt::Debug for RandomSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RandomSource")
    }
}

impl<S, R> SignIn<S, R>
where
    S: KeepSessions + Sync,
    R: ReadSecret + Sync,
{
    /// The function with these parts. `origin` is where our pages are, and where Entra ID sends browsers back to.
    pub fn new(
        store: S,
        (source, names): (R, SecretNames),
        entra: EntraId,
        origin: Origin,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Self {
        let secrets = Secrets::new(source, names, SharedRandom::clone(&random));
        Self { store, secrets, entra, origin, clock, random: RandomSource(random) }
    }

    /// Answers one request. Who sends it, as `authorize` says, is among its extensions as `Result<Caller, NoCaller>` where the route asks it.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<String> {
        let now = self.clock.now();
        let path = request.uri().path();
        let answered = match (request.method(), path) {
            (&Method::GET, "/sign-in") => self.begin(&request, now).await,
            (&Method::GET, "/sign-in/callback") => self.finish(&request, now).await,
            (&Method::GET, "/sign-in/me") => me(&request),
            (&Method::POST, "/sign-out") => self.sign_out(&request).await,
            (_, "/sign-in" | "/sign-in/callback" | "/sign-in/me" | "/sign-out") => Err(Problem::Method),
            _ => Err(Problem::NoSuchPage),
        };
        let mut response = answered.unwrap_or_else(|problem| {
            problem.log();
            pages::of_problem(&problem)
        });
        // Whatever came of it: a trip is for one use.
        if path == "/sign-in/callback" {
            set_cookie(response.headers_mut(), &Trip::unset_cookie());
        }
        response
    }

    async fn begin(&self, request: &Request<Bytes>, now: Timestamp) -> Result<Response<String>, Problem> {
        let asked = Asked::read(request.uri().query().unwrap_or_default());
        let tenant = match asked.one("tenant")? {
            Some(named) => named.parse().ok().filter(|tenant| self.entra.issuers().allows(tenant)),
            None => self.entra.issuers().tenants().next().cloned(),
        };
        let tenant = tenant.ok_or(Problem::Tenant)?;
        let path = ReturnPath::read(asked.one("return")?.unwrap_or(HOME), HOME);
        let opened = self.secrets.opened(now).await?;
        let trip = Trip::begin(tenant, path, &self.random.0);
        let asks = cookie_of(request.headers(), SIGNED_OUT).is_some();
        let address = self.entra.address_of(&trip, asks, now).await?;
        let mut response = redirect(address.as_str());
        set_cookie(response.headers_mut(), &trip.set_cookie(&opened.sealing, now)?);
        Ok(response)
    }

    async fn finish(&self, request: &Request<Bytes>, now: Timestamp) -> Result<Response<String>, Problem> {
        let asked = Asked::read(request.uri().query().unwrap_or_default());
        let opened = self.secrets.opened(now).await?;
        let trip = returned(request.headers(), &opened, now)?;
        if asked.one("state")? != Some(trip.state.as_str()) {
            return Err(Problem::State);
        }
        if let Some(error) = asked.one("error")? {
            return Err(Problem::of_answer(error));
        }
        let code = asked.one("code")?.ok_or(Problem::Unreadable)?;
        let claims = self.entra.claims_of(code, &trip, &opened.client_secret, now).await?;
        // An id that was there before is never taken over: somebody else might have put it there.
        self.end_session_of(request.headers()).await;
        let id = SessionId::from_random((self.random.0)());
        let session = Session::begin(claims, now);
        self.store.put_session(&id.key(), &session).await.map_err(Problem::of_store)?;
        let mut response = redirect(trip.path.as_str());
        set_cookie(response.headers_mut(), &id.set_cookie());
        if cookie_of(request.headers(), SIGNED_OUT).is_some() {
            set_cookie(response.headers_mut(), &signed_out_cookie("", 0));
        }
        Ok(response)
    }

    async fn sign_out(&self, request: &Request<Bytes>) -> Result<Response<String>, Problem> {
        same_origin(&self.origin, request.method(), request.headers()).map_err(Problem::CrossOrigin)?;
        let cookies = Cookies::of(request.headers());
        self.end_sessions(&cookies).await.map_err(Problem::Store)?;
        // Nobody is told that they are out who may not be.
        let mut response = match Presented::read(&cookies, &[]) {
            Ok(_) => pages::signed_out(),
            Err(unclear) => {
                let problem = Problem::Unclear(unclear);
                problem.log();
                pages::of_problem(&problem)
            }
        };
        set_cookie(response.headers_mut(), &SessionId::unset_cookie());
        set_cookie(response.headers_mut(), &signed_out_cookie("1", SIGNED_OUT_SECONDS));
        Ok(response)
    }

    /// Ends every session that a browser shows. What a stranger makes up is looked for first: a read costs less than a write that deletes nothing.
    async fn end_sessions(&self, cookies: &Cookies<'_>) -> Result<(), StoreError> {
        for id in cookies.sessions() {
            let key = id.key();
            if self.store.has_session(&key).await? {
                self.store.delete_session(&key).await?;
            }
        }
        Ok(())
    }

    /// Ends the session that a browser has. That it can't be ended keeps nobody from another one.
    async fn end_session_of(&self, headers: &HeaderMap) {
        if let Err(error) = self.end_sessions(&Cookies::of(headers)).await {
            tracing::warn!(
                error = runtime::chain(&error),
                "the session of before could not be ended, and runs out by itself"
            );
        }
    }
}

/// The page that says who is signed in.
fn me(request: &Request<Bytes>) -> Result<Response<String>, Problem> {
    match request.extensions().get::<Result<Caller, NoCaller>>() {
        Some(Ok(caller)) => Ok(pages::me(caller)),
        Some(Err(NoCaller::Anonymous | NoCaller::Expired)) => Ok(redirect("/sign-in")),
        Some(Err(NoCaller::Unavailable)) => Err(Problem::Unavailable),
        // Not off to sign in: where the gateway asks nobody, that would never end.
        Some(Err(NoCaller::Foreign | NoCaller::Invalid)) | None => Err(Problem::Proof),
    }
}

/// What was sealed into the cookie when the trip to Entra ID began.
fn returned(headers: &HeaderMap, opened: &Opened, now: Timestamp) -> Result<Trip, Problem> {
    let sealed = Cookies::of(headers).one(Trip::COOKIE).map_err(|_| Problem::Unreadable)?.ok_or(Problem::NoTrip)?;
    Trip::open(&opened.sealing, sealed, now)
}

/// The value of a cookie that decides nothing: where it is not clear, it isn't there.
fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    Cookies::of(headers).one(name).ok().flatten()
}

fn signed_out_cookie(value: &str, seconds: i64) -> String {
    format!("{SIGNED_OUT}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

fn set_cookie(headers: &mut HeaderMap, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        headers.append(header::SET_COOKIE, cookie);
    }
}
