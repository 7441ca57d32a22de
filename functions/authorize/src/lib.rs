//! `authorize`: says of each request who sends it and what they may do.
//!
//! API Gateway asks it before a route that needs somebody, without identity sources and without a cache, and hands on what it says. It lets
//! every request through (an HTTP API can't shape a denial); a handler takes an [`identity::Caller`], which only `ok` can make.
//!
//! | what a request shows | the context says |
//! |---|---|
//! | nothing | `anonymous` |
//! | a session that is alive, and no request that another site could have begun | `ok`, with the caller |
//! | an access token that is accepted | `ok`, with the caller |
//! | a session or a token that has ended | `expired` |
//! | a session, in a request that another site's page may have begun | `foreign`; the reason is logged |
//! | anything else: both, one of them twice, what nobody has issued | `invalid`; the reason is logged |
//! | whatever, while DynamoDB or the issuer's keys can't be had | `unavailable`: the handler answers 503 |
//!
//! That a session is used is written every five minutes, so that an idle hour can be told from a busy one (docs/decisions/0032).

mod config;
mod keys;
mod request;
mod wire;

use identity::{
    AccessTokens, Caller, Claims, CrossOrigin, FetchKeys, How, NotVerified, Origin, Presented, Refusal, RoleMap,
    SessionId, Verdict, same_origin,
};
use jiff::Timestamp;
use runtime::SharedClock;
use serde::Serialize;
use serde_json::{Map, Value};
use store::{ReadSessions, TouchSessions};

use request::Asked;

/// The header of what a page asks by itself (`shared/pages/src/script.js`).
const OF_ITSELF: &str = "x-of-itself";

pub use config::{Config, VARIABLES};
pub use keys::PublishedKeys;
pub use wire::{Deployed, wire};

/// What API Gateway is answered: the simple response of an HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Always true: who nobody is, the handler answers.
    pub is_authorized: bool,
    /// What the handler is told.
    pub context: Map<String, Value>,
}

/// Whom to let in.
#[derive(Debug)]
pub struct Admission<F> {
    /// Whose tokens, by which keys, for whom.
    pub tokens: AccessTokens<F>,
    /// What roles allow.
    pub roles: RoleMap,
    /// Where our pages are.
    pub origin: Origin,
}

/// The function: what it reads and writes with, given by `main.rs`.
#[derive(Debug)]
pub struct Authorize<S, F> {
    store: S,
    admission: Admission<F>,
    clock: SharedClock,
}

/// Why there is nobody to act for.
enum Nobody {
    Anonymous,
    Expired(&'static str),
    Foreign(CrossOrigin),
    Invalid(String),
    Unavailable(String),
}

impl<S, F> Authorize<S, F>
where
    S: ReadSessions + TouchSessions + Sync,
    F: FetchKeys + Sync,
{
    /// The function with these parts.
    pub fn new(store: S, admission: Admission<F>, clock: SharedClock) -> Self {
        Self { store, admission, clock }
    }

    /// Answers one question of API Gateway's: the text of a request event of payload format 2.0.
    pub async fn answer(&self, event: &str) -> Answer {
        let verdict = match self.judge(event, self.clock.now()).await {
            Ok(caller) => Verdict::Ok(caller),
            Err(Nobody::Anonymous) => Verdict::Anonymous,
            Err(Nobody::Expired(reason)) => {
                tracing::info!(reason, "a session or a token has ended");
                Verdict::Expired
            }
            Err(Nobody::Foreign(reason)) => {
                tracing::info!(%reason, "what a request shows is not accepted");
                Verdict::Foreign
            }
            Err(Nobody::Invalid(reason)) => {
                tracing::info!(reason, "what a request shows is not accepted");
                Verdict::Invalid
            }
            Err(Nobody::Unavailable(error)) => {
                tracing::error!(error, "who sends a request can't be told");
                Verdict::Unavailable
            }
        };
        Answer { is_authorized: true, context: verdict.context() }
    }

    async fn judge(&self, event: &str, now: Timestamp) -> Result<Caller, Nobody> {
        let invalid = |reason: &dyn ToString| Nobody::Invalid(reason.to_string());
        let asked = Asked::read(event).ok_or_else(|| invalid(&"request-unreadable"))?;
        match asked.presented().map_err(|unclear| invalid(&unclear))? {
            Presented::Nothing => Err(Nobody::Anonymous),
            Presented::Session(id) => {
                // Before anything is read: another site's requests cost nothing.
                same_origin(&self.admission.origin, &asked.method, &asked.headers).map_err(Nobody::Foreign)?;
                // What a page asks by itself, without anybody there, keeps no session alive.
                let is_used = !asked.headers.contains_key(OF_ITSELF);
                self.by_session(&id, is_used, now).await
            }
            Presented::Bearer(token) => self.by_token(token, now).await,
        }
    }

    async fn by_session(&self, id: &SessionId, is_used: bool, now: Timestamp) -> Result<Caller, Nobody> {
        let key = id.key();
        let session = self.store.session(&key).await;
        let session = session.map_err(|error| Nobody::Unavailable(runtime::chain(&error)))?;
        let session = session.ok_or(Nobody::Expired("session-gone"))?;
        if !session.is_alive(now) {
            return Err(Nobody::Expired("session-over"));
        }
        if !self.admission.tokens.issuers().allows(session.claims.tid()) {
            return Err(Nobody::Invalid("session-tenant".to_owned()));
        }
        if is_used && session.is_to_be_touched(now) {
            match self.store.touch_session(&key, &session, now).await {
                Ok(true) => {}
                Ok(false) => return Err(Nobody::Expired("session-gone")),
                // It was read a moment ago and is alive: all that is lost is when it was used.
                Err(error) => {
                    let error = runtime::chain(&error);
                    tracing::warn!(error, "that a session is used could not be written");
                }
            }
        }
        Ok(self.caller(&session.claims, How::Session))
    }

    async fn by_token(&self, token: &str, now: Timestamp) -> Result<Caller, Nobody> {
        match self.admission.tokens.verify(token, now).await {
            Ok(claims) => Ok(self.caller(&claims, How::Bearer)),
            Err(NotVerified::Refused(Refusal::Expired)) => Err(Nobody::Expired("token-expired")),
            Err(NotVerified::Refused(refusal)) => Err(Nobody::Invalid(refusal.to_string())),
            Err(NotVerified::Undecided(error)) => Err(Nobody::Unavailable(runtime::chain(&error))),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the claims are those of a verified token, or of a session that one led to"
    )]
    fn caller(&self, claims: &Claims, how: How) -> Caller {
        Caller::of_verified(claims, how, self.admission.roles.access(claims))
    }
}
