//! Signatures, right and wrong, under a certificate of Microsoft's.

use std::collections::{BTreeMap, BTreeSet};

use attacks::{Certificate, Key, PUBLISHED_URL, Pieces, bytes, table};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use simulator::SignedCallback;

use crate::place::{Place, callback, fraud, request, signed};

/// A signature over a body. Pieces may name `event`, a fraud event of now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) threat: String,
    why: String,
    /// What is sent.
    #[serde(default = "event")]
    sent: Pieces,
    /// What is signed.
    #[serde(default = "event")]
    signed: Pieces,
    #[serde(default)]
    signature: Signature,
    /// Whose key the certificate has.
    #[serde(default = "usual_key")]
    certificate: String,
    reason: String,
    status: u16,
    downloads: usize,
}

/// How the signature is made.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Signature {
    /// As Microsoft makes it.
    #[default]
    Usual,
    /// So by this key.
    By(String),
    /// Of a block that is written so.
    Block(String),
    /// With the other padding.
    Pss,
    /// A number that needs no key.
    Number(Number),
    /// These bytes before the usual one.
    Before(String),
    /// These bytes after it.
    After(String),
    /// Without its first byte.
    WithoutFirst,
    /// Without its last byte.
    WithoutLast,
    /// These bytes in base64.
    Literal(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Number {
    Zero,
    One,
    Modulus,
    ModulusLessOne,
    AllOnes,
}

fn event() -> Pieces {
    serde_json::from_str(r#"[{"named": "event"}]"#).unwrap()
}

fn usual_key() -> String {
    "signing-2048".to_owned()
}

impl Signature {
    fn over(&self, message: &[u8], key: &Key) -> Vec<u8> {
        let usual = || key.sign(message);
        let digits = |digits: &String| hex::decode(digits).unwrap();
        match self {
            Self::Usual => usual(),
            Self::By(name) => Key::named(name).sign(message),
            Self::Block(written) => key.sign_block(written, message),
            Self::Pss => key.sign_with_pss(message),
            Self::Number(number) => number.bytes(&key.modulus()),
            Self::Before(before) => [digits(before), usual()].concat(),
            Self::After(after) => [usual(), digits(after)].concat(),
            Self::WithoutFirst => usual()[1..].to_vec(),
            Self::WithoutLast => usual()[..255].to_vec(),
            Self::Literal(base64) => STANDARD.decode(base64).unwrap(),
        }
    }
}

impl Number {
    fn bytes(&self, modulus: &[u8]) -> Vec<u8> {
        let last = |mut number: Vec<u8>, change: i8| {
            let byte = number.last_mut().unwrap();
            *byte = byte.wrapping_add_signed(change);
            number
        };
        match self {
            Self::Zero => vec![0; modulus.len()],
            Self::One => last(vec![0; modulus.len()], 1),
            Self::Modulus => modulus.to_vec(),
            // The modulus is odd.
            Self::ModulusLessOne => last(modulus.to_vec(), -1),
            Self::AllOnes => vec![0xff; modulus.len()],
        }
    }
}

pub(crate) fn cases() -> Vec<Case> {
    table("tests/tests/data/threats/signatures.json")
}

#[tokio::test]
async fn every_signature_of_the_table_has_its_outcome() {
    let place = Place::new().await;
    for (mark, case) in cases().into_iter().enumerate() {
        let (function, shelf) = place.function(&Certificate::of_key(&case.certificate).issue(place.now()));
        let names = BTreeMap::from([("event", fraud(place.now(), mark))]);
        let [sent, message] = [&case.sent, &case.signed].map(|pieces| bytes(pieces, place.now(), &names));
        let signature = case.signature.over(&message, &Key::named("signing-2048"));

        let told = place.tell(&function, request(&callback(signed(&signature, PUBLISHED_URL), &sent))).await;

        assert_eq!(told.outcome(), (case.reason.as_str(), case.status), "{}: {}", case.threat, case.why);
        assert_eq!(shelf.asked().len(), case.downloads, "{}: {}", case.threat, case.why);
    }
}

/// What may come of a callback in which one bit of one byte is another.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flip {
    /// `body`, or a header.
    of: String,
    outcomes: BTreeSet<(String, u16)>,
}

#[tokio::test]
async fn one_bit_of_whatever_decides_makes_a_difference() {
    let place = Place::new().await;
    let body = fraud(place.now(), 0);
    let genuine = callback(signed(&Key::named("signing-2048").sign(&body), PUBLISHED_URL), &body);
    let (function, _) = place.usual();
    for flip in table::<Flip>("tests/tests/data/threats/flips.json") {
        let mut outcomes = BTreeSet::new();
        for flipped in flipped(&genuine, &flip.of) {
            let told = place.tell(&function, request(&flipped)).await;
            outcomes.insert((told.reason, told.status));
        }
        assert_eq!(outcomes, flip.outcomes, "{}", flip.of);
    }
    assert!(place.events().await.is_empty());
}

/// The callback with one byte changed in its last bit, for each of its bytes.
fn flipped(genuine: &SignedCallback, of: &str) -> Vec<SignedCallback> {
    let header = genuine.headers.iter().position(|(name, _)| name == of);
    let bytes = header.map_or(genuine.body.as_slice(), |place| genuine.headers[place].1.as_bytes());
    let each = (0..bytes.len()).map(|place| {
        let mut changed = bytes.to_vec();
        changed[place] ^= 1;
        let mut callback = genuine.clone();
        match header {
            Some(header) => callback.headers[header].1 = String::from_utf8(changed).unwrap(),
            None => callback.body = changed,
        }
        callback
    });
    each.collect()
}
