//! An issuer with a key of its own, and whatever tokens it signs.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::{
    Access, AccessTokens, Audience, Caller, Claims, FetchKeys, How, Issuers, KeyFetchError, Keys, KeysAge, Kind,
    NotVerified, UnverifiedPerson,
};
use jiff::Timestamp;
use models::TenantId;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::{Value, json};

pub(crate) const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
pub(crate) const OTHER_TENANT: &str = "0a0a0a0a-1111-4222-8333-444444444444";
pub(crate) const STRANGER_TENANT: &str = "5e5e5e5e-1111-4222-8333-444444444444";
pub(crate) const PERSON: &str = "77777777-1111-4222-8333-444444444444";
pub(crate) const APPLICATION: &str = "11111111-2222-4333-8444-555555555555";
/// A program that people may use us with.
pub(crate) const CLIENT: &str = "22222222-2222-4333-8444-555555555555";
pub(crate) const LOGIN: &str = "https://login.microsoftonline.com";
pub(crate) const KEY_ID: &str = "issuer-1";

pub(crate) fn tenant(id: &str) -> TenantId {
    id.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    "2026-11-02T09:00:00Z".parse().unwrap()
}

pub(crate) fn issuers() -> Issuers {
    Issuers::new(LOGIN, vec![tenant(TENANT), tenant(OTHER_TENANT)]).unwrap()
}

/// A key that signs, as Entra ID's do.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
}

impl SigningKey {
    pub(crate) fn issuers() -> Self {
        Self::read(include_bytes!("../data/test-only-issuer-key.pem"))
    }

    pub(crate) fn others() -> Self {
        Self::read(include_bytes!("../data/test-only-other-key.pem"))
    }

    fn read(pem: &[u8]) -> Self {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).unwrap();
        Self { pair: RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap() }
    }

    pub(crate) fn modulus(&self) -> Vec<u8> {
        ring::rsa::PublicKeyComponents::<Vec<u8>>::from(self.pair.public()).n
    }

    pub(crate) fn published(&self, kid: &str) -> Value {
        json!({ "kty": "RSA", "use": "sig", "kid": kid, "n": URL_SAFE_NO_PAD.encode(self.modulus()), "e": "AQAB",
            "x5t": kid, "x5c": ["MII"], "issuer": format!("{LOGIN}/{TENANT}/v2.0") })
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

pub(crate) fn header() -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "kid": KEY_ID })
}

/// The claims of an Admin Agent's token for us, in the form of Entra ID's (version 2.0).
pub(crate) fn claims() -> Value {
    json!({
        "aud": APPLICATION, "iss": format!("{LOGIN}/{TENANT}/v2.0"), "iat": now().as_second(), "nbf": now().as_second(),
        "exp": now().as_second() + 3_600, "azp": APPLICATION, "azpacr": "1", "name": "Ada", "oid": PERSON,
        "preferred_username": "ada@contoso.example", "roles": ["AdminAgent"], "scp": "openid access_as_user",
        "sub": "s", "tid": TENANT, "uti": "u", "ver": "2.0", "wids": ["b79fbf4d-3ef9-4689-8143-76b194e85509"],
    })
}

/// The claims of a program's token for us.
pub(crate) fn application_claims() -> Value {
    let mut claims = claims();
    let map = claims.as_object_mut().unwrap();
    for gone in ["scp", "preferred_username", "name", "wids"] {
        map.remove(gone);
    }
    map.insert("idtyp".to_owned(), "app".into());
    claims
}

/// What is published, how often it was asked for, and whether it can be had.
#[derive(Clone, Default)]
pub(crate) struct Published {
    pub(crate) set: Arc<Mutex<Option<Value>>>,
    pub(crate) fetches: Arc<AtomicUsize>,
}

impl Published {
    pub(crate) fn now(keys: &[Value]) -> Self {
        let published = Self::default();
        published.put(keys);
        published
    }

    pub(crate) fn put(&self, keys: &[Value]) {
        *self.set.lock().unwrap() = Some(json!({ "keys": keys }));
    }

    pub(crate) fn go_away(&self) {
        *self.set.lock().unwrap() = None;
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

impl FetchKeys for Published {
    async fn fetch(&self, _: &TenantId) -> Result<Vec<u8>, KeyFetchError> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        // Others get their turn, as they would while the network is asked.
        tokio::task::yield_now().await;
        let set = self.set.lock().unwrap().clone();
        set.map(|set| set.to_string().into_bytes()).ok_or_else(|| KeyFetchError::NotFetched("it is away".into()))
    }
}

pub(crate) fn tokens(published: &Published) -> AccessTokens<Published> {
    let audience = Audience {
        application: APPLICATION.to_owned(),
        clients: vec![CLIENT.parse().unwrap()],
        scope: "access_as_user".to_owned(),
    };
    AccessTokens::new(Keys::new(published.clone(), issuers(), KeysAge::default()), audience)
}

/// What becomes of a token where the issuer publishes its one key: a reason, or the claims.
pub(crate) async fn judged(token: &str, at: Timestamp) -> Result<Claims, String> {
    let published = Published::now(&[SigningKey::issuers().published(KEY_ID)]);
    tokens(&published).verify(token, at).await.map_err(|error| match error {
        NotVerified::Refused(refusal) => refusal.to_string(),
        NotVerified::Undecided(error) => panic!("{error}"),
    })
}

pub(crate) fn person(tid: &str, roles: &[&str]) -> Claims {
    of(Kind::Person, tid, "ada@contoso.example", roles)
}

/// Claims of a kind, of this name.
pub(crate) fn of(kind: Kind, tid: &str, name: &str, roles: &[&str]) -> Claims {
    let roles: Vec<_> = roles.iter().map(|role| (*role).to_owned()).collect();
    Claims::of_verified(&UnverifiedPerson { oid: PERSON, tid, name, roles: &roles, wids: &[] }, kind).unwrap()
}

/// What `authorize` makes of claims.
#[expect(clippy::disallowed_methods, reason = "in the place of `authorize`")]
pub(crate) fn made(claims: &Claims, how: How, access: Access) -> Caller {
    Caller::of_verified(claims, how, access)
}
