//! The authority: chain, organisation, signatures, rotation. Checked by webpki, which the simulator doesn't use to sign.

use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use simulator::{Forgery, SignedCallback, Simulator};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::AuthorityInfoAccessSyntax;
use x509_cert::ext::pkix::name::GeneralName;

use crate::support::{START, World, receiver};

const BODY: &[u8] = br#"{"EventName":"test-created","ResourceChangeUtcDate":"2026-03-02T06:12:09.8312247+00:00"}"#;

pub(crate) async fn download(world: &World) -> Vec<u8> {
    let url = format!("{}{}.cer", world.simulator.certificate_location(), Simulator::certificate_name());
    let answer = world.client.get(url).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.bytes().await.expect("a body").to_vec()
}

fn verify_callback(leaf: &[u8], callback: &SignedCallback) -> Result<(), webpki::Error> {
    let (_, value) = callback.headers.iter().find(|(name, _)| name == "Authorization").expect("a signature");
    verify(leaf, &callback.body, value)
}

/// Checks the value of a header that a callback is signed in.
pub(crate) fn verify(leaf: &[u8], body: &[u8], header: &str) -> Result<(), webpki::Error> {
    use base64::Engine as _;
    let signature = header.strip_prefix("Signature ").expect("its scheme");
    let signature = base64::engine::general_purpose::STANDARD.decode(signature).expect("base64");
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf).expect("a certificate");
    leaf.verify_signature(ring::RSA_PKCS1_2048_8192_SHA256, body, &signature)
}

fn verify_chain(world: &World, leaf: &[u8], with_issuer: bool, days: u64) -> Result<(), webpki::Error> {
    let root = CertificateDer::from_pem_slice(world.simulator.trust_anchors_pem().as_bytes()).expect("a root");
    let issuer = CertificateDer::from_pem_slice(world.simulator.intermediates_pem().as_bytes()).expect("an issuer");
    let anchors = [anchor_from_trusted_cert(&root).expect("an anchor")];
    let issuers = if with_issuer { vec![issuer] } else { Vec::new() };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(START.unsigned_abs() + days * 86_400));
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf).expect("a certificate");
    leaf.verify_is_valid_for_subject_name(&Simulator::certificate_name().try_into().expect("a name"))?;
    let usage = KeyUsage::server_auth();
    leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, &issuers, now, usage, None, None).map(|_| ())
}

#[tokio::test]
async fn the_served_certificate_chains_to_the_root_through_the_issuer_only() {
    let world = World::start().await;
    let leaf = download(&world).await;

    assert!(verify_chain(&world, &leaf, true, 0).is_ok());
    assert!(matches!(verify_chain(&world, &leaf, false, 0), Err(webpki::Error::UnknownIssuer)));
    assert!(matches!(verify_chain(&world, &leaf, true, 366), Err(webpki::Error::CertExpired { .. })));
}

#[tokio::test]
async fn the_served_certificate_is_microsofts_in_subject_and_issuer() {
    let world = World::start().await;
    let leaf = download(&world).await;

    let leaf = Certificate::from_der(&leaf).expect("DER, and nothing after it");
    assert!(leaf.tbs_certificate().subject().to_string().contains("O=Microsoft Corporation"));
    assert!(leaf.tbs_certificate().issuer().to_string().contains("O=Microsoft Corporation"));
}

#[tokio::test]
async fn the_issuer_lies_where_the_certificate_says() {
    let world = World::start().await;
    let leaf = Certificate::from_der(&download(&world).await).expect("DER");
    let (_, access) =
        leaf.tbs_certificate().get_extension::<AuthorityInfoAccessSyntax>().expect("DER").expect("the extension");
    let [access] = access.0.as_slice() else { panic!("{access:?}") };
    assert_eq!(access.access_method.to_string(), "1.3.6.1.5.5.7.48.2", "caIssuers");
    let GeneralName::UniformResourceIdentifier(url) = &access.access_location else { panic!("{access:?}") };
    assert!(url.as_str().starts_with(&format!("https://{}/", world.simulator.issuer_host())), "{url:?}");

    let answer = world.client.get(url.as_str()).send().await.expect("an answer");
    assert_eq!((answer.status(), world.simulator.requests().issuer), (200.try_into().unwrap(), 1));
    let issuer = CertificateDer::from_pem_slice(world.simulator.intermediates_pem().as_bytes()).expect("an issuer");
    assert_eq!(answer.bytes().await.expect("a body"), issuer.as_ref());
}

#[tokio::test]
async fn a_signed_callback_verifies_and_names_its_certificate() {
    let world = World::start().await;
    let leaf = download(&world).await;
    let callback = world.simulator.sign(BODY).unwrap();

    assert_eq!(verify_callback(&leaf, &callback), Ok(()));
    assert_eq!(callback.body, BODY);
    let header = |wanted: &str| callback.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value);
    let url = format!("{}{}.cer", world.simulator.certificate_location(), Simulator::certificate_name());
    assert_eq!(header("X-MS-Certificate-Url"), Some(&*url));
    assert_eq!(header("X-MS-Signature-Algorithm"), Some("rsa-sha256"));
    assert_eq!(header("Content-Type"), Some("application/json"));
}

#[tokio::test]
async fn forged_callbacks_do_not_verify() {
    let world = World::start().await;
    let leaf = download(&world).await;
    for forgery in [Forgery::Body, Forgery::Key] {
        let callback = world.simulator.forge(BODY, forgery).unwrap();
        assert_eq!(verify_callback(&leaf, &callback), Err(webpki::Error::InvalidSignatureForPublicKey), "{forgery:?}");
        assert!(serde_json::from_slice::<serde_json::Value>(&callback.body).is_ok(), "{forgery:?}");
        assert_eq!(callback.body == BODY, forgery == Forgery::Key);
    }
}

#[tokio::test]
async fn after_a_rotation_the_same_address_has_the_new_certificate() {
    let world = World::start().await;
    let (old_leaf, old) = (download(&world).await, world.simulator.sign(BODY).unwrap());

    world.simulator.rotate_certificate().unwrap();

    let (new_leaf, new) = (download(&world).await, world.simulator.sign(BODY).unwrap());
    assert_eq!(verify_callback(&new_leaf, &new), Ok(()));
    assert!(verify_callback(&new_leaf, &old).is_err());
    assert!(verify_callback(&old_leaf, &new).is_err());
    assert!(verify_chain(&world, &new_leaf, true, 0).is_ok());
}

#[tokio::test]
async fn only_the_certificates_own_name_is_served() {
    let world = World::start().await;
    for name in ["", "other.cer", "pcnotifications-dispatch.simulator.test"] {
        let url = world.simulator.certificate_location() + name;
        assert_eq!(world.client.get(url).send().await.unwrap().status(), 404, "{name}");
    }
}

#[tokio::test]
async fn a_callback_is_delivered_as_it_was_signed() {
    let world = World::start().await;
    let (url, received) = receiver().await;
    let callback = world.simulator.sign(BODY).unwrap();

    let status = world.simulator.deliver(&url, callback.clone().in_ms_signature()).await.unwrap();

    assert_eq!(status, 202);
    let received = received.lock().unwrap();
    let (headers, body) = &received[0];
    assert_eq!(body, BODY);
    assert!(headers["x-ms-signature"].to_str().unwrap().starts_with("Signature "));
    assert!(!headers.contains_key("authorization"));
    assert_eq!(headers.get_all("content-type").iter().count(), 1);
}
