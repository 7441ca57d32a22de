//! Which signatures prove a body. ring judges every one of them too, as a second opinion.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, UnparsedPublicKey,
};
use rsa::traits::PublicKeyParts as _;

use crate::support::authority::rsa_public_key;
use crate::support::signing::SignatureKey;
use crate::support::{BODY, World, headers};

/// Our verdict, after comparing it with ring's.
fn verdict(world: &World, key: &str, signature: &[u8], body: &[u8]) -> &'static str {
    let ours = world.verdict(&headers(&STANDARD.encode(signature)), body);
    let oracle = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa_public_key(key).bytes);
    assert_eq!(ours == "accepted", oracle.verify(body, signature).is_ok(), "ring disagrees with {ours}");
    ours
}

fn verdict_2048(signature: &[u8], body: &[u8]) -> &'static str {
    verdict(&World::new(), "signing-2048", signature, body)
}

fn key() -> SignatureKey {
    SignatureKey::new("signing-2048")
}

#[test]
fn the_signature_of_the_body_proves_it_for_every_accepted_size_of_key() {
    for name in ["signing-2048", "signing-3072", "signing-4096"] {
        let world = World::with_key(name);
        assert_eq!(verdict(&world, name, &world.key.sign(BODY), BODY), "accepted", "{name}");
    }
}

#[test]
fn a_verified_callback_knows_the_hash_of_its_body() {
    let world = World::new();
    let headers = headers(&world.key.sign_base64(BODY));
    let callback = callback::UnverifiedCallback::read(&headers, BODY, &world.policy).unwrap();
    let verified = callback.verify(&world.certificate, crate::support::now()).unwrap();
    assert_eq!(verified.body_sha256().as_slice(), digest::digest(&digest::SHA256, BODY).as_ref());
}

#[test]
fn one_bit_of_the_body_makes_a_difference() {
    let world = World::new();
    let signature = world.key.sign(BODY);
    for place in 0..BODY.len() {
        let mut body = BODY.to_vec();
        body[place] ^= 1 << (place % 8);
        assert_eq!(verdict(&world, "signing-2048", &signature, &body), "signature-mismatch", "{place}");
    }
}

#[test]
fn one_bit_of_the_signature_makes_a_difference() {
    let world = World::new();
    let signature = world.key.sign(BODY);
    for place in 0..signature.len() {
        let mut signature = signature.clone();
        signature[place] ^= 1 << (place % 8);
        assert_eq!(verdict(&world, "signing-2048", &signature, BODY), "signature-mismatch", "{place}");
    }
}

#[test]
fn the_same_json_in_other_bytes_is_another_body() {
    let signature = key().sign(br#"{"a":1,"b":2}"#);
    for body in [
        &b"{\"a\":1,\"b\":2}\n"[..],
        b" {\"a\":1,\"b\":2}",
        b"\xef\xbb\xbf{\"a\":1,\"b\":2}",
        b"{ \"a\": 1, \"b\": 2 }",
        br#"{"b":2,"a":1}"#,
        br#"{"\u0061":1,"b":2}"#,
        b"",
    ] {
        assert_eq!(verdict_2048(&signature, body), "signature-mismatch", "{body:?}");
    }
}

#[test]
fn the_signature_of_another_key_proves_nothing() {
    let signature = SignatureKey::new("stranger-2048").sign(BODY);
    assert_eq!(verdict_2048(&signature, BODY), "signature-mismatch");
}

#[test]
fn each_certificate_is_judged_alone_when_two_are_in_use() {
    let (old, new) = (World::with_key("signing-2048"), World::with_key("stranger-2048"));
    assert_eq!(old.verdict(&headers(&new.key.sign_base64(BODY)), BODY), "signature-mismatch");
    assert_eq!(new.verdict(&headers(&old.key.sign_base64(BODY)), BODY), "signature-mismatch");
    assert_eq!(new.verdict(&headers(&new.key.sign_base64(BODY)), BODY), "accepted");
}

#[test]
fn a_signature_of_another_size_than_the_key_is_refused() {
    let signature = SignatureKey::new("signing-3072").sign(BODY);
    assert_eq!(verdict_2048(&signature, BODY), "signature-not-of-key-size");
    let world = World::with_key("signing-4096");
    assert_eq!(verdict(&world, "signing-4096", &key().sign(BODY), BODY), "signature-not-of-key-size");
}

#[test]
fn zeros_around_the_signature_are_refused() {
    let signature = key().sign(BODY);
    assert_eq!(verdict_2048(&[&[0], signature.as_slice()].concat(), BODY), "signature-not-of-key-size");
    assert_eq!(verdict_2048(&[signature.as_slice(), &[0]].concat(), BODY), "signature-not-of-key-size");
    assert_eq!(verdict_2048(&signature[1..], BODY), "signature-length");
}

#[test]
fn numbers_that_need_no_key_are_refused() {
    let modulus = key().private().n().to_be_bytes().to_vec();
    let mut modulus_less_one = modulus.clone();
    modulus_less_one[255] -= 1;
    let mut one = vec![0; 256];
    one[255] = 1;
    for signature in [vec![0; 256], one, modulus_less_one, modulus, vec![0xff; 256]] {
        assert_eq!(verdict_2048(&signature, BODY), "signature-mismatch", "{signature:?}");
    }
}

#[test]
fn other_hashes_and_paddings_by_the_right_key_are_refused() {
    let key = key();
    for (name, signature) in [
        ("SHA-384", key.sign_as(&RSA_PKCS1_SHA384, BODY)),
        ("SHA-512", key.sign_as(&RSA_PKCS1_SHA512, BODY)),
        ("PSS", key.sign_as(&RSA_PSS_SHA256, BODY)),
    ] {
        assert_eq!(verdict_2048(&signature, BODY), "signature-mismatch", "{name}");
    }
}

#[test]
fn only_the_digest_info_of_sha256_is_accepted() {
    const SHA1: &[u8] = &[0x30, 0x21, 0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0, 4, 0x14];
    const MD5: &[u8] = &[0x30, 0x20, 0x30, 0x0c, 6, 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5, 5, 0, 4, 0x10];
    const SHA256: &[u8] = &[0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    const WITHOUT_NULL: &[u8] = &[0x30, 0x2f, 0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 4, 0x20];
    let sha256 = digest::digest(&digest::SHA256, BODY);
    let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, BODY);
    let trailing = [sha256.as_ref(), &[0]].concat();
    for (name, prefix, digest, expected) in [
        ("SHA-256", SHA256, sha256.as_ref(), "accepted"),
        ("SHA-1", SHA1, sha1.as_ref(), "signature-mismatch"),
        ("MD5's form", MD5, &sha256.as_ref()[..16], "signature-mismatch"),
        ("SHA-256 without NULL", WITHOUT_NULL, sha256.as_ref(), "signature-mismatch"),
        ("SHA-256 without DigestInfo", &[], sha256.as_ref(), "signature-mismatch"),
        ("SHA-256 with a byte after it", SHA256, &trailing, "signature-mismatch"),
        ("the body itself", &[], &BODY[..64], "signature-mismatch"),
    ] {
        let signature = key().sign_digest_info(prefix, digest);
        assert_eq!(verdict_2048(&signature, BODY), expected, "{name}");
    }
}
