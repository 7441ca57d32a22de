//! A Microsoft that answers whatever a test says, over TLS, and remembers what it was asked.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Body, extract::Request};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use http::Response;
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// What it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Path and query.
    pub path: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The body.
    pub body: String,
}

/// The server; it ends with this.
pub struct Scripted {
    url: String,
    certificate: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    handle: Handle<SocketAddr>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scripted").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

impl Scripted {
    /// A server on a port of its own that answers with what `answer` makes of its own address and what it is asked.
    pub async fn start<B: Into<Body>>(answer: impl Fn(&str, &Asked) -> Response<B> + Send + Sync + 'static) -> Self {
        Self::start_as(&["127.0.0.1", "localhost"], answer).await
    }

    /// The same with a certificate of these names.
    pub async fn start_as<B: Into<Body>>(
        names: &[&str],
        answer: impl Fn(&str, &Asked) -> Response<B> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (certificate, tls) = tls(names);
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (address, remembered, answer) = (url.clone(), Arc::clone(&asked), Arc::new(answer));
        let router = Router::new().fallback(move |request: Request| {
            let (address, remembered, answer) = (address.clone(), Arc::clone(&remembered), Arc::clone(&answer));
            async move {
                let asked = read(request).await;
                let response = answer(&address, &asked);
                remembered.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
                response.map(Into::into)
            }
        });
        let handle = Handle::new();
        let server = axum_server::from_tcp_rustls(listener, tls).unwrap().handle(handle.clone());
        tokio::spawn(server.serve(router.into_make_service()));
        handle.listening().await;
        Self { url, certificate, asked, handle }
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate that it has to be trusted by.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn read(request: Request) -> Asked {
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let authorization = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    Asked { path, authorization, body: String::from_utf8(body.to_vec()).unwrap() }
}

fn tls(names: &[&str]) -> (String, RustlsConfig) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    (made.cert.pem(), RustlsConfig::from_config(Arc::new(config)))
}
