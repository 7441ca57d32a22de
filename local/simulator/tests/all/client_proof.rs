//! How an application proves who it is: a secret with an end, or a JWT signed by the key of its certificate.

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{ALERTS, FIRST, SECOND, START, World, credentials, json};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const GRAPH: &str = "https://graph.microsoft.com/.default";

/// Made once for all tests here: finding an RSA key takes a while.
static OWN: LazyLock<RsaPrivateKey> = LazyLock::new(new_key);

fn new_key() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut Randomness, 2048).expect("a key")
}

struct Randomness;

impl TryRng for Randomness {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(rand::random())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(rand::random())
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Self::Error> {
        rand::fill(destination);
        Ok(())
    }
}

impl TryCryptoRng for Randomness {}

struct Public(Vec<u8>);

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// A certificate of the key, good for a year from a day before the clock's start.
fn certificate(key: &RsaPrivateKey) -> Vec<u8> {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    let begin = START.unsigned_abs() - 86_400;
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(begin);
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(begin + 365 * 86_400);
    let issuer = rcgen::Issuer::new(CertificateParams::default(), KeyPair::generate().expect("a key"));
    let public = key.to_public_key().to_pkcs1_der().expect("DER").into_vec();
    params.signed_by(&Public(public), &issuer).expect("a certificate").der().to_vec()
}

/// An assertion that holds until something is changed about it.
struct Proof {
    algorithm: &'static str,
    claims: Value,
    key: RsaPrivateKey,
    thumbprint: (&'static str, String),
    world: World,
}

impl Proof {
    async fn new() -> Self {
        let der = certificate(&OWN);
        let thumbprint = ("x5t#S256", URL_SAFE_NO_PAD.encode(Sha256::digest(&der)));
        let world = World::with(|options| options.tenants[0].client_certificate = Some(der)).await;
        let client = format!("client-of-{FIRST}");
        let claims = json!({
            "aud": format!("{}/{FIRST}/oauth2/v2.0/token", world.simulator.microsoft_url()),
            "iss": client, "sub": client, "jti": "8e1c9f52-5a1d-4a6e-9d3d-0b7c4c2e7a11",
            "nbf": START, "exp": START + 600,
        });
        Self { algorithm: "PS256", claims, key: OWN.clone(), thumbprint, world }
    }

    fn signed(&self) -> String {
        let (name, thumbprint) = &self.thumbprint;
        let header = json!({ "alg": self.algorithm, "typ": "JWT", *name: thumbprint });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&self.claims));
        let signature = if self.algorithm == "PS256" {
            let key = rsa::pss::SigningKey::<Sha256>::new(self.key.clone());
            key.sign_with_rng(&mut Randomness, signed.as_bytes()).to_vec()
        } else {
            let key = rsa::pkcs1v15::SigningKey::<Sha256>::new(self.key.clone());
            key.sign(signed.as_bytes()).to_vec()
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    async fn shown(&self, assertion: &str) -> reqwest::Response {
        let client = format!("client-of-{FIRST}");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &client),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", assertion),
            ("scope", GRAPH),
        ];
        self.world.ask_for_token(FIRST, &form).await
    }

    async fn is_taken(&self) {
        let answer = self.shown(&self.signed()).await;
        assert_eq!(answer.status(), 200);
        let body = json(answer).await;
        assert_eq!(self.world.get(ALERTS, body["access_token"].as_str().unwrap()).await.status(), 200);
    }

    async fn is_refused(&self, number: u32) {
        let answer = self.shown(&self.signed()).await;
        is_invalid_client(answer, number).await;
    }
}

async fn is_invalid_client(answer: reqwest::Response, number: u32) {
    assert_eq!(answer.status(), 401);
    let body = json(answer).await;
    assert_eq!((&body["error"], &body["error_codes"]), (&json!("invalid_client"), &json!([number])));
}

#[tokio::test]
async fn a_certificate_proves_an_application_by_either_padding() {
    let mut proof = Proof::new().await;
    proof.is_taken().await;
    proof.algorithm = "RS256";
    proof.is_taken().await;
}

#[tokio::test]
async fn the_older_thumbprint_names_the_certificate_too() {
    let mut proof = Proof::new().await;
    let der = certificate(&OWN);
    let sha1 = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &der);
    proof.world = World::with(|options| options.tenants[0].client_certificate = Some(der)).await;
    proof.claims["aud"] = json!(format!("{}/{FIRST}/oauth2/v2.0/token", proof.world.simulator.microsoft_url()));
    proof.thumbprint = ("x5t", URL_SAFE_NO_PAD.encode(sha1));
    proof.is_taken().await;
}

#[tokio::test]
async fn a_signature_by_another_key_proves_nothing() {
    let mut proof = Proof::new().await;
    proof.key = new_key();
    proof.is_refused(700_027).await;
}

#[tokio::test]
async fn claims_changed_after_signing_prove_nothing() {
    let mut proof = Proof::new().await;
    let signed = proof.signed();
    proof.claims["exp"] = json!(START + 601);
    let changed = proof.signed();
    let [header, _, signature] = signed.split('.').collect::<Vec<_>>()[..] else { panic!("{signed}") };
    let claims = changed.split('.').nth(1).unwrap();
    is_invalid_client(proof.shown(&format!("{header}.{claims}.{signature}")).await, 700_027).await;
}

#[tokio::test]
async fn a_certificate_that_nobody_entered_proves_nothing() {
    let mut proof = Proof::new().await;
    proof.thumbprint.1 = URL_SAFE_NO_PAD.encode(Sha256::digest("another"));
    proof.is_refused(700_027).await;
    proof.thumbprint.0 = "kid";
    proof.is_refused(700_027).await;
}

#[tokio::test]
async fn an_algorithm_that_is_not_microsofts_is_refused() {
    let mut proof = Proof::new().await;
    proof.algorithm = "none";
    proof.is_refused(700_027).await;
}

#[tokio::test]
async fn each_claim_has_to_be_right() {
    let mut proof = Proof::new().await;
    let other = format!("client-of-{SECOND}");
    for (claim, value, number) in [
        ("iss", json!(other), 700_021),
        ("sub", json!(other), 700_021),
        ("aud", json!("https://login.microsoftonline.com/common/oauth2/v2.0/token"), 700_023),
        ("exp", json!(START), 700_024),
        ("nbf", json!(START + 301), 700_024),
        ("jti", json!(""), 50027),
        ("jti", Value::Null, 50027),
        ("exp", json!("soon"), 50027),
    ] {
        let right = std::mem::replace(&mut proof.claims[claim], value);
        proof.is_refused(number).await;
        proof.claims[claim] = right;
    }
    proof.is_taken().await;
}

#[tokio::test]
async fn a_certificate_ends() {
    let mut proof = Proof::new().await;
    proof.world.advance(365 * 86_400);
    proof.claims["exp"] = json!(START + 366 * 86_400);
    proof.is_refused(1_000_502).await;
}

#[tokio::test]
async fn what_is_no_assertion_is_refused() {
    let proof = Proof::new().await;
    for text in ["x", "a.b", "a.b.c", "..", "{}"] {
        is_invalid_client(proof.shown(text).await, 50027).await;
    }
}

#[tokio::test]
async fn a_secret_ends() {
    let end = Timestamp::from_second(START + 60).unwrap();
    let world = World::with(|options| options.tenants[0].client_secret_expires = Some(end)).await;
    world.advance(59);
    assert_eq!(world.ask_for_token(FIRST, &credentials(FIRST, GRAPH)).await.status(), 200);
    world.advance(1);
    is_invalid_client(world.ask_for_token(FIRST, &credentials(FIRST, GRAPH)).await, 7_000_222).await;
    let mut wrong = credentials(FIRST, GRAPH);
    wrong[2].1 = "guess";
    is_invalid_client(world.ask_for_token(FIRST, &wrong).await, 7_000_215).await;
}

#[tokio::test]
async fn only_a_public_application_may_act_for_people_without_a_proof() {
    for (public, taken) in [(true, 200), (false, 401)] {
        let world = World::with(|options| options.tenants[0].public_client = public).await;
        let refresh = world.simulator.refresh_token(FIRST).unwrap();
        let client = format!("client-of-{FIRST}");
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("client_id", &client),
            ("scope", GRAPH),
            ("refresh_token", &refresh),
        ];
        assert_eq!(world.ask_for_token(FIRST, &form).await.status(), taken);
        form[0].1 = "client_credentials";
        is_invalid_client(world.ask_for_token(FIRST, &form).await, 7_000_218).await;
        // And a public one may act for nobody with a proof.
        form[0].1 = "refresh_token";
        let secret =
            credentials(FIRST, GRAPH).into_iter().find(|(name, _)| *name == "client_secret").unwrap().1.to_owned();
        form.push(("client_secret", &secret));
        let answer = world.ask_for_token(FIRST, &form).await;
        if public { is_invalid_client(answer, 700_025).await } else { assert_eq!(answer.status(), 200) }
    }
}
