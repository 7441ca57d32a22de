//! Genuine requests as plain bytes, before any library has read them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use rsa::traits::PublicKeyParts as _;

use super::dice::Dice;
use crate::support::authority::rsa_public_key;
use crate::support::signing::SignatureKey;
use crate::support::{BODY, URL, World};

/// What a sender sends: lines in an order, and a body.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) lines: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The headers as a library hands them over; none where it would refuse the request itself.
    pub(super) fn headers(&self) -> Option<HeaderMap> {
        let mut headers = HeaderMap::with_capacity(self.lines.len());
        for (name, value) in &self.lines {
            headers.append(HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(value).ok()?);
        }
        Some(headers)
    }

    /// The first value of a header, to be changed.
    pub(super) fn value(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        self.lines.iter_mut().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Vec<u8>> {
        let place = self.lines.iter().position(|(given, _)| given.eq_ignore_ascii_case(name))?;
        Some(self.lines.remove(place).1)
    }

    pub(super) fn push(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.lines.push((name.to_owned(), value.into()));
    }
}

/// A genuine request with its parts, from which mutations make others.
pub(super) struct Genuine {
    pub(super) request: Request,
    pub(super) signature: Vec<u8>,
}

/// Who receives: a certificate with its key, and genuine requests under it.
pub(super) struct Receiver {
    pub(super) world: World,
    pub(super) public_key: Vec<u8>,
    pub(super) modulus: Vec<u8>,
    pub(super) genuine: Vec<Genuine>,
}

impl Receiver {
    fn new(name: &str) -> Self {
        let world = World::with_key(name);
        let modulus = SignatureKey::new(name).private().n().to_be_bytes().to_vec();
        let genuine = bodies().iter().flat_map(|body| forms(&world.key, body)).collect();
        Self { public_key: rsa_public_key(name).bytes, modulus, genuine, world }
    }
}

/// Most requests are for the smallest key, the quickest to judge.
pub(super) struct Receivers(Vec<Receiver>);

impl Receivers {
    pub(super) fn new() -> Self {
        Self(["signing-2048", "signing-3072", "signing-4096"].map(Receiver::new).into())
    }

    pub(super) fn one(&self, dice: &mut Dice) -> &Receiver {
        &self.0[if dice.one_in(10) { 1 + dice.below(2) } else { 0 }]
    }

    /// A genuine request of any receiver.
    pub(super) fn other(&self, dice: &mut Dice) -> &Genuine {
        let receiver = dice.one_of(&self.0);
        dice.one_of(&receiver.genuine)
    }
}

fn bodies() -> Vec<Vec<u8>> {
    vec![
        BODY.to_vec(),
        br#"{"EventName":"subscription-updated","ResourceName":"subscription","ResourceChangeUtcDate":"2026-11-15T00:00:00Z"}"#.to_vec(),
        b"\xef\xbb\xbf{\"\xff\":\0}\r\n".to_vec(),
        b"{}".to_vec(),
        vec![],
        BODY.repeat(8),
    ]
}

/// The two headers that may hold the signature.
fn forms(key: &SignatureKey, body: &[u8]) -> [Genuine; 2] {
    let signature = key.sign(body);
    let base64 = STANDARD.encode(&signature);
    let form = |name: &str, value: String| {
        let mut request = Request { lines: vec![], body: body.to_vec() };
        request.push("Content-Type", "application/json");
        request.push(name, value);
        request.push("X-MS-Certificate-Url", URL);
        request.push("X-MS-Signature-Algorithm", "rsa-sha256");
        Genuine { request, signature: signature.clone() }
    };
    [form("Authorization", format!("Signature {base64}")), form("x-ms-signature", base64.clone())]
}
