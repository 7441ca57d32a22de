//! The addresses that a certificate names, and what lies there.

use jiff::Timestamp;
use rcgen::CustomExtension;
use serde::Deserialize;

use crate::{
    authority::{Issuer, Storey},
    der::{element, sequence},
};

/// What lies at the address of an issuer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    /// The issuer of this number, counted from the root.
    Issuer(usize),
    /// An authority of the usual issuer's name and key that signed itself, and says that its issuer lies at the same address.
    Itself,
    /// An authority of the usual issuer's name and key that nobody whom we trust has signed.
    Orphan,
    /// A web page.
    Page,
    /// Nobody answers.
    Unreachable,
}

impl Place {
    pub(crate) fn bytes(self, url: &str, issuers: &[(Issuer, bool)], now: Timestamp) -> Option<Vec<u8>> {
        match self {
            Self::Issuer(number) => Some(issuers[number].0.der().to_vec()),
            Self::Itself => Some(Storey::crossing(0).at(url).self_signed(now).der().to_vec()),
            Self::Orphan => {
                let parent = Storey::root().namesake().self_signed(now);
                Some(Storey::crossing(0).signed_by(&parent, now).der().to_vec())
            }
            Self::Page => Some(b"<!doctype html><title>Sign in</title>".to_vec()),
            Self::Unreachable => None,
        }
    }
}

/// The extensions that say where the issuer lies, and where to ask whether the certificate still holds.
pub(crate) fn addresses(issuers: &[String], status: &[String], revocation: &[String]) -> Vec<CustomExtension> {
    let address = |address: &String| element(0x86, address.as_bytes());
    let access = |method: u8, at: &String| sequence(&[element(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, method]), address(at)]);
    let status = status.iter().map(|at| access(1, at));
    let access: Vec<_> = issuers.iter().map(|at| access(2, at)).chain(status).collect();
    let points = revocation.iter().map(|at| sequence(&[element(0xa0, &element(0xa0, &address(at)))]));
    let points: Vec<_> = points.collect();
    let mut extensions = Vec::new();
    if !access.is_empty() {
        extensions.push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], sequence(&access)));
    }
    if !points.is_empty() {
        extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 31], sequence(&points)));
    }
    extensions
}
