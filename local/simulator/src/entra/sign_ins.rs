//! Sign-ins that people have begun and not finished, and what they then do: nothing, until the control side says so.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use crate::entra::client::Fields;
use crate::entra::problem::Problem;
use crate::entra::tokens::{Person, later, random_token};

/// What a person does with a sign-in.
#[derive(Clone, Debug)]
pub(crate) enum Decision {
    Approve(Person),
    Deny,
}

/// A sign-in that waits for its person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingSignIn {
    /// What is asked for, as the application wrote it.
    pub scope: String,
    /// In which tenant.
    pub tenant: String,
    /// The code that the person has to type; none where a browser brought them.
    pub user_code: Option<String>,
}

/// Nobody is there to decide.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The simulator was not started with this tenant.
    #[error("there is no tenant {0}")]
    UnknownTenant(String),
    /// No sign-in of the tenant waits, or none with this code.
    #[error("no such sign-in waits in tenant {0}")]
    NonePending(String),
}

struct SignIn {
    decision: Option<Decision>,
    device: Option<Device>,
    expires: Timestamp,
    id: u64,
    scope: String,
    tenant: String,
}

struct Device {
    code: String,
    interval: i64,
    polled: Option<Timestamp>,
    user_code: String,
}

/// What an authorization code stands for.
pub(crate) struct Code {
    pub(crate) challenge: String,
    pub(crate) nonce: String,
    pub(crate) person: Person,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) tenant: String,
    issued: Timestamp,
    redeemed: bool,
}

impl Code {
    /// What the application asked for in this tenant, for this person.
    pub(crate) fn new(tenant: &str, asked: &Fields, person: Person) -> Self {
        let asked = |name| asked.get(name).to_owned();
        Self {
            challenge: asked("code_challenge"),
            nonce: asked("nonce"),
            person,
            redirect_uri: asked("redirect_uri"),
            scope: asked("scope"),
            tenant: tenant.to_owned(),
            issued: Timestamp::UNIX_EPOCH,
            redeemed: false,
        }
    }
}

/// All of them, and the codes that they led to.
#[derive(Default)]
pub(crate) struct SignIns {
    ahead: VecDeque<(String, Decision)>,
    begun: u64,
    codes: HashMap<String, Code>,
    waiting: Vec<SignIn>,
}

impl SignIns {
    /// Somebody has come by browser; the number of the sign-in.
    pub(crate) fn begin(&mut self, tenant: &str, scope: &str, now: Timestamp) -> u64 {
        self.add(tenant, scope, None, now)
    }

    /// A device asks for a code: the one for itself and the one for its person.
    pub(crate) fn begin_on_device(
        &mut self,
        tenant: &str,
        scope: &str,
        interval: i64,
        now: Timestamp,
    ) -> (String, String) {
        let letter = || char::from(b"BCDFGHJKLMNPQRSTVWXZ"[rand::random_range(..20_usize)]);
        let user_code: String = (0..9).map(|_| letter()).collect();
        let code = random_token();
        let device = Device { code: code.clone(), interval, polled: None, user_code: user_code.clone() };
        self.add(tenant, scope, Some(device), now);
        (code, user_code)
    }

    fn add(&mut self, tenant: &str, scope: &str, device: Option<Device>, now: Timestamp) -> u64 {
        let ahead = self.ahead.iter().position(|(whose, _)| whose == tenant);
        let decision = ahead.and_then(|place| self.ahead.remove(place)).map(|(_, decision)| decision);
        self.begun += 1;
        let (scope, tenant) = (scope.to_owned(), tenant.to_owned());
        self.waiting.push(SignIn { decision, device, expires: later(now, WAIT), id: self.begun, scope, tenant });
        self.begun
    }

    /// Those that nobody has decided yet, the oldest first.
    pub(crate) fn pending(&self, now: Timestamp) -> Vec<PendingSignIn> {
        let shown = |sign_in: &SignIn| PendingSignIn {
            scope: sign_in.scope.clone(),
            tenant: sign_in.tenant.clone(),
            user_code: sign_in.device.as_ref().map(|device| device.user_code.clone()),
        };
        self.waiting.iter().filter(|sign_in| sign_in.is_pending(now)).map(shown).collect()
    }

    /// Decides the tenant's oldest sign-in, or the one with this code.
    pub(crate) fn decide(
        &mut self,
        tenant: &str,
        user_code: Option<&str>,
        decision: Decision,
        now: Timestamp,
    ) -> Result<(), SignInError> {
        let meant = |sign_in: &&mut SignIn| {
            let typed = sign_in.device.as_ref().map(|device| device.user_code.as_str());
            sign_in.is_pending(now) && sign_in.tenant == tenant && (user_code.is_none() || user_code == typed)
        };
        let sign_in = self.waiting.iter_mut().find(meant);
        sign_in.ok_or_else(|| SignInError::NonePending(tenant.to_owned()))?.decision = Some(decision);
        Ok(())
    }

    /// Decides a sign-in that has not begun yet.
    pub(crate) fn decide_next(&mut self, tenant: &str, decision: Decision) {
        self.ahead.push_back((tenant.to_owned(), decision));
    }

    /// Whether the tenant's next sign-in is decided already.
    pub(crate) fn is_decided_ahead(&self, tenant: &str) -> bool {
        self.ahead.iter().any(|(whose, _)| whose == tenant)
    }

    /// What was decided about a sign-in by browser, which ends with it.
    pub(crate) fn take(&mut self, id: u64) -> Option<Decision> {
        let place = self.waiting.iter().position(|sign_in| sign_in.id == id)?;
        let decision = self.waiting[place].decision.take()?;
        self.waiting.remove(place);
        Some(decision)
    }

    /// Whoever waited by browser has gone.
    pub(crate) fn give_up(&mut self, id: u64) {
        self.waiting.retain(|sign_in| sign_in.id != id);
    }

    /// A device asks whether its person is done. Who it was and what was asked for.
    pub(crate) fn poll(&mut self, tenant: &str, code: &str, now: Timestamp) -> Result<(Person, String), Problem> {
        let own = |sign_in: &SignIn| {
            sign_in.tenant == tenant && sign_in.device.as_ref().is_some_and(|device| device.code == code)
        };
        let Some(place) = self.waiting.iter().position(own) else {
            let text = "The provided value for the input parameter 'device_code' is not valid.";
            return Err(Problem::new("bad_verification_code", 70018, text));
        };
        let sign_in = &mut self.waiting[place];
        if sign_in.expires <= now {
            let text = "The provided value for the input parameter 'device_code' is not valid. This device code has \
                        expired.";
            return Err(Problem::new("expired_token", 70020, text));
        }
        match sign_in.decision.clone() {
            Some(Decision::Approve(person)) => {
                let scope = self.waiting.remove(place).scope;
                Ok((person, scope))
            }
            Some(Decision::Deny) => {
                Err(Problem::new("authorization_declined", 65004, "User declined to consent to access the app."))
            }
            None => Err(sign_in.still_waiting(now)),
        }
    }

    pub(crate) fn issue_code(&mut self, code: Code, now: Timestamp) -> String {
        let token = random_token();
        self.codes.insert(token.clone(), Code { issued: now, ..code });
        token
    }

    /// What a code stands for. It is spent by that, whatever comes of it.
    pub(crate) fn redeem_code(&mut self, tenant: &str, code: &str, now: Timestamp) -> Result<&Code, Problem> {
        let known = self.codes.get_mut(code).filter(|known| known.tenant == tenant);
        let known =
            known.ok_or_else(|| Problem::grant(70000, Some("bad_token"), "Provided grant is invalid or malformed."))?;
        if std::mem::replace(&mut known.redeemed, true) {
            let text = "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an \
                        existing refresh token.";
            return Err(Problem::grant(54005, Some("bad_token"), text));
        }
        if later(known.issued, CODE_LIFE) <= now {
            return Err(Problem::grant(
                70008,
                Some("token_expired"),
                "The provided authorization code or refresh token has expired due to inactivity. Send a new \
                 interactive authorization request for this user and resource.",
            ));
        }
        Ok(known)
    }
}

impl SignIn {
    fn is_pending(&self, now: Timestamp) -> bool {
        self.decision.is_none() && self.expires > now
    }

    /// Microsoft's page doesn't list `slow_down`, RFC 8628 does (section 3.5): each one adds five seconds.
    fn still_waiting(&mut self, now: Timestamp) -> Problem {
        if let Some(device) = &mut self.device {
            let last = device.polled.replace(now);
            if last.is_some_and(|last| later(last, device.interval) > now) {
                device.interval += 5;
                return Problem::new("slow_down", 70016, "The device polls too often.");
            }
        }
        let text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
        Problem::new("authorization_pending", 70016, text)
    }
}

/// Seconds in which a person may sign in.
pub(crate) const WAIT: i64 = 900;
/// Seconds for which an authorization code is good.
const CODE_LIFE: i64 = 600;
