//! Certificates at their addresses, without a wire: what lies there is said by the test, and every request is counted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use callback::{CertificateUrl, IssuerUrl, MAX_CERTIFICATE_BYTES};
use signers::{FetchCertificate, FetchError};

/// What lies at an address.
pub(crate) type Found = Result<Vec<u8>, FetchError>;

/// The shelf. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    found: HashMap<String, Found>,
    asked: Vec<String>,
}

impl Shelf {
    /// Puts this at an address.
    pub(crate) fn put(&self, url: &str, found: Found) {
        self.0.lock().unwrap().found.insert(url.to_owned(), found);
    }

    /// The addresses that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }

    fn take(&self, url: &str) -> Found {
        let mut inside = self.0.lock().unwrap();
        inside.asked.push(url.to_owned());
        let found = inside.found.get(url).cloned().unwrap_or(Err(FetchError::Status(404)))?;
        // As the client over the wire, which stops reading there.
        if found.len() > MAX_CERTIFICATE_BYTES { Err(FetchError::TooLarge) } else { Ok(found) }
    }
}

impl FetchCertificate for Shelf {
    async fn fetch(&self, url: &CertificateUrl) -> Found {
        self.take(url.as_str())
    }

    async fn fetch_issuer(&self, url: &IssuerUrl) -> Found {
        self.take(url.as_str())
    }
}
