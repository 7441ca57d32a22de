//! Access tokens: which are accepted, and the exact reason why another is not.
//!
//! The checks, in their order. What a token says is read once its signature holds; before that only its issuer, which must be one of ours,
//! and the name of the key. The reason is the word that logs use.
//!
//! | check | reason |
//! |---|---|
//! | at most 8 kB | `token-too-large` |
//! | three parts of base64url, JSON inside, nothing twice | `token-malformed` |
//! | RS256, whatever the token would like | `token-algorithm` |
//! | nothing that has to be understood and isn't; a `typ` of access tokens | `token-header` |
//! | issuer: exactly that of an allowed tenant, of version 2.0 | `token-issuer` |
//! | a key that this issuer publishes, by its name alone: `jku`, `x5u`, `jwk`, `x5c` are not looked at | `token-key-unknown` |
//! | the signature | `token-signature` |
//! | `tid` is the issuer's tenant | `token-tenant` |
//! | `ver` is 2.0 | `token-version` |
//! | `aud` is one text, and ours | `token-audience` |
//! | for access: our scope for a person, or `idtyp` `app` with roles; no `nonce`, which is an id token's | `token-not-for-access` |
//! | a person's: `azp`, the program that they gave it to, is our application or one that is allowed | `token-client` |
//! | it says who it is about | `token-no-subject` |
//! | `exp` is there, and has not come | `token-without-expiry`, `token-expired` |
//! | `nbf`, where there is one, has come | `token-not-yet-valid` |

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Validation, dangerous, decode, decode_header};
use models::{ObjectId, TenantId};
use serde::Deserialize;

use crate::{
    claims::{Claims, Kind, UnverifiedPerson},
    keys::{FetchKeys, KeyFetchError, Keys},
    signature::use_ring,
};

/// The longest token that is looked at, in bytes. API Gateway takes 10,240 bytes of headers in all.
pub const MOST_TOKEN_BYTES: usize = 8_192;
/// What clocks may differ by.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the module's table has the words")]
pub enum Refusal {
    #[error("token-algorithm")]
    Algorithm,
    #[error("token-audience")]
    Audience,
    #[error("token-client")]
    Client,
    #[error("token-expired")]
    Expired,
    #[error("token-header")]
    Header,
    #[error("token-issuer")]
    Issuer,
    #[error("token-key-unknown")]
    KeyUnknown,
    #[error("token-malformed")]
    Malformed,
    #[error("token-no-subject")]
    NoSubject,
    #[error("token-not-for-access")]
    NotForAccess,
    #[error("token-not-yet-valid")]
    NotYetValid,
    #[error("token-signature")]
    Signature,
    #[error("token-tenant")]
    Tenant,
    #[error("token-too-large")]
    TooLarge,
    #[error("token-version")]
    Version,
    #[error("token-without-expiry")]
    WithoutExpiry,
}

impl Refusal {
    /// All of them, as the documents list them.
    pub const ALL: [Self; 16] = [
        Self::TooLarge,
        Self::Malformed,
        Self::Algorithm,
        Self::Header,
        Self::Issuer,
        Self::KeyUnknown,
        Self::Signature,
        Self::Tenant,
        Self::Version,
        Self::Audience,
        Self::NotForAccess,
        Self::Client,
        Self::NoSubject,
        Self::WithoutExpiry,
        Self::Expired,
        Self::NotYetValid,
    ];
}

/// Why a token is not verified: because it should not be, or because we can't tell.
#[derive(Debug)]
pub enum NotVerified {
    /// It is not accepted.
    Refused(Refusal),
    /// The issuer's keys can't be had.
    Undecided(KeyFetchError),
}

impl From<Refusal> for NotVerified {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Whose tokens are accepted: the tenants that people and programs may sign in to, at one sign-in service.
#[derive(Clone, Debug)]
pub struct Issuers {
    base: String,
    tenants: Vec<TenantId>,
}

/// There is no tenant to sign in to, or a tenant comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has to name at least one tenant, and none twice")]
pub struct IssuersError;

impl Issuers {
    /// The issuers of these tenants at a sign-in service, `https://host` or `https://host:port` without a slash at the end.
    ///
    /// # Errors
    ///
    /// [`IssuersError`].
    pub fn new(base: &str, tenants: Vec<TenantId>) -> Result<Self, IssuersError> {
        let twice = (1..tenants.len()).any(|place| tenants[..place].contains(&tenants[place]));
        if tenants.is_empty() || twice {
            return Err(IssuersError);
        }
        Ok(Self { base: base.to_owned(), tenants })
    }

    /// The allowed tenants; the first is the one where none is asked for.
    #[must_use]
    pub fn tenants(&self) -> impl ExactSizeIterator<Item = &TenantId> {
        self.tenants.iter()
    }

    /// Whether people and programs of this tenant are let in.
    #[must_use]
    pub fn allows(&self, tenant: &TenantId) -> bool {
        self.tenants.contains(tenant)
    }

    /// The sign-in service.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The issuer of a tenant's tokens of version 2.0. Source: <https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> String {
        format!("{}/{tenant}/v2.0", self.base)
    }

    /// How keys that sign for every tenant name their issuer: word for word, with the place of the tenant left open.
    pub(crate) fn template(&self) -> String {
        format!("{}/{{tenantid}}/v2.0", self.base)
    }

    fn tenant_of(&self, issuer: &str) -> Option<&TenantId> {
        self.tenants.iter().find(|tenant| self.of(tenant) == issuer)
    }
}

/// Whom tokens are for.
#[derive(Clone, Debug)]
pub struct Audience {
    /// `aud`: the application's id, which tokens of version 2.0 name.
    pub application: String,
    /// Ids of programs, beside our application, that people may use us with: `azp` of a person's token. Anybody can be talked into consenting to a
    /// program, which then has a token for us with all that they may do.
    pub clients: Vec<ObjectId>,
    /// The scope, among those of `scp`, that a person's token must have.
    pub scope: String,
}

impl Audience {
    fn has_client(&self, azp: &str) -> bool {
        azp == self.application || self.clients.iter().any(|client| client.as_str() == azp)
    }
}

/// Verifies access tokens.
#[derive(Debug)]
pub struct AccessTokens<F> {
    keys: Keys<F>,
    audience: Audience,
    validation: Validation,
}

#[derive(Deserialize)]
struct UnverifiedIssuer {
    iss: String,
}

#[derive(Deserialize)]
struct SignedClaims {
    #[serde(default)]
    aud: serde_json::Value,
    #[serde(default)]
    tid: String,
    #[serde(default)]
    ver: String,
    #[serde(default)]
    oid: String,
    #[serde(default)]
    preferred_username: String,
    #[serde(default)]
    azp: String,
    #[serde(default)]
    scp: String,
    #[serde(default)]
    idtyp: String,
    #[serde(default)]
    nonce: Option<serde_json::Value>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    wids: Vec<String>,
    #[serde(default)]
    exp: Option<i64>,
    #[serde(default)]
    nbf: Option<i64>,
}

impl<F: FetchKeys + Sync> AccessTokens<F> {
    /// Verifies tokens for this audience by these keys.
    pub fn new(keys: Keys<F>, audience: Audience) -> Self {
        use_ring();
        // Times and names are checked here: by our clock, and exactly.
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims::<&str>(&[]);
        (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
        Self { keys, audience, validation }
    }

    /// Whose tokens these are.
    pub fn issuers(&self) -> &Issuers {
        self.keys.issuers()
    }

    /// What a token says of its subject, if it is one of an issuer of ours, for us, and now.
    ///
    /// # Errors
    ///
    /// [`NotVerified`]. An expired token is called so only if it is genuine in all else.
    pub async fn verify(&self, unverified_token: &str, now: Timestamp) -> Result<Claims, NotVerified> {
        if unverified_token.len() > MOST_TOKEN_BYTES {
            return Err(Refusal::TooLarge.into());
        }
        let unverified_key_id = key_id(unverified_token)?;
        let unverified_issuer = dangerous::insecure_decode_claims::<UnverifiedIssuer>(unverified_token);
        let unverified_issuer = unverified_issuer.map_err(|_| Refusal::Malformed)?.iss;
        let tenant = self.keys.issuers().tenant_of(&unverified_issuer).ok_or(Refusal::Issuer)?;
        let key = self.keys.find(tenant, &unverified_key_id, now).await.map_err(NotVerified::Undecided)?;
        let key = key.ok_or(Refusal::KeyUnknown)?;
        let signed = decode::<SignedClaims>(unverified_token, &key, &self.validation);
        let signed = signed.map_err(|error| refusal_of(&error))?.claims;
        Ok(self.judge(&signed, tenant, now)?)
    }

    fn judge(&self, signed: &SignedClaims, tenant: &TenantId, now: Timestamp) -> Result<Claims, Refusal> {
        if signed.tid != tenant.as_str() {
            return Err(Refusal::Tenant);
        }
        if signed.ver != "2.0" {
            return Err(Refusal::Version);
        }
        // One text: in a list, others might be meant as well.
        if signed.aud.as_str() != Some(&self.audience.application) {
            return Err(Refusal::Audience);
        }
        let person = UnverifiedPerson {
            oid: &signed.oid,
            tid: &signed.tid,
            name: &signed.preferred_username,
            roles: &signed.roles,
            wids: &signed.wids,
        };
        let kind = self.kind_of(signed).ok_or(Refusal::NotForAccess)?;
        // Version 1.0, which has it in `appid`, is refused above.
        if kind == Kind::Person && !self.audience.has_client(&signed.azp) {
            return Err(Refusal::Client);
        }
        let claims = Claims::of_verified(&person, kind).ok_or(Refusal::NoSubject)?;
        let (now, leeway) = (now.as_second(), LEEWAY.as_secs());
        if signed.exp.ok_or(Refusal::WithoutExpiry)?.saturating_add(leeway) <= now {
            return Err(Refusal::Expired);
        }
        if signed.nbf.is_some_and(|begin| begin.saturating_sub(leeway) > now) {
            return Err(Refusal::NotYetValid);
        }
        Ok(claims)
    }

    /// Who acts by it. None where it is for no access to us.
    fn kind_of(&self, signed: &SignedClaims) -> Option<Kind> {
        let has_scope = signed.scp.split(' ').any(|scope| scope == self.audience.scope);
        match (has_scope, signed.idtyp.as_str(), &signed.nonce) {
            (true, "" | "user", None) => Some(Kind::Person),
            (false, "app", None) if signed.scp.is_empty() && !signed.roles.is_empty() => Some(Kind::Application),
            _ => None,
        }
    }
}

/// The name of the key that a token says it is signed with: all that is taken from its header.
fn key_id(unverified_token: &str) -> Result<String, Refusal> {
    let header = decode_header(unverified_token).map_err(|error| match error.kind() {
        // An algorithm that the library does not know, such as `none`, is unreadable JSON to it.
        jsonwebtoken::errors::ErrorKind::Json(error) if error.to_string().contains("unknown variant") => {
            Refusal::Algorithm
        }
        _ => Refusal::Malformed,
    })?;
    if header.alg != Algorithm::RS256 {
        return Err(Refusal::Algorithm);
    }
    // Of RFC 7519 and RFC 9068; Entra ID writes `JWT`.
    let is_token =
        header.typ.as_deref().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("at+jwt"));
    let is_plain = header.crit.is_none() && header.cty.is_none() && header.enc.is_none() && header.zip.is_none();
    if !is_token || !is_plain {
        return Err(Refusal::Header);
    }
    header.kid.filter(|kid| !kid.is_empty()).ok_or(Refusal::KeyUnknown)
}

fn refusal_of(error: &jsonwebtoken::errors::Error) -> Refusal {
    match error.kind() {
        jsonwebtoken::errors::ErrorKind::InvalidSignature => Refusal::Signature,
        jsonwebtoken::errors::ErrorKind::InvalidAlgorithm => Refusal::Algorithm,
        _ => Refusal::Malformed,
    }
}
