//! Clients, made once at start.

use std::{sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, ConfigLoader, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder as AwsHttpBuilder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};
use base64::Engine as _;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{
    ConfigError, Variable, Variables,
    addresses::{LookUp, PublicAddresses, SystemNames},
};

/// Trust anchors of outgoing TLS. Separate from those of callback signatures.
const TRUST_ANCHORS_FILE: Variable = Variable {
    name: "OUTGOING_TLS_TRUST_ANCHORS_FILE",
    meaning: "a file of PEM certificates that outgoing TLS trusts, in place of the bundled Mozilla roots",
    default: None,
};

/// Why a client can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The AWS SDK's HTTP client can't be made.
    #[error("the HTTP client of the AWS SDK can't be made")]
    Aws(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP client can't be made.
    #[error("the HTTP client can't be made")]
    Http(#[source] reqwest::Error),
    /// The TLS configuration can't be made.
    #[error("the TLS configuration can't be made")]
    Tls(#[source] rustls::Error),
}

/// What outgoing TLS trusts.
#[derive(Clone, Debug)]
pub struct OutgoingTls {
    anchors: Vec<CertificateDer<'static>>,
}

impl OutgoingTls {
    /// The variables that this reads.
    pub const VARIABLES: [Variable; 1] = [TRUST_ANCHORS_FILE];

    /// The bundled Mozilla roots, or those of the file that configuration names.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where the file can't be read or holds no certificate.
    pub fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let Some(pem) = variables.file(&TRUST_ANCHORS_FILE)? else {
            return Ok(Self { anchors: webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec() });
        };
        let anchors: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        match anchors {
            Ok(anchors) if !anchors.is_empty() => Ok(Self { anchors }),
            Ok(_) => Err(TRUST_ANCHORS_FILE.malformed("the file holds no certificate".to_owned())),
            Err(error) => Err(TRUST_ANCHORS_FILE.malformed(format!("the file is not PEM: {error}"))),
        }
    }

    fn client_config(&self) -> Result<ClientConfig, ClientError> {
        let mut roots = RootCertStore::empty();
        for anchor in &self.anchors {
            roots.add(anchor.clone()).map_err(ClientError::Tls)?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(ClientError::Tls)?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

/// The HTTP client for everything that is not AWS: https only, no redirects, no proxy of the machine's, bounded in time.
///
/// # Errors
///
/// [`ClientError`].
pub fn http_client(tls: &OutgoingTls, timeout: Duration) -> Result<reqwest::Client, ClientError> {
    http_client_builder(tls, timeout)?.build().map_err(ClientError::Http)
}

/// What an address may begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    /// `https` alone.
    Https,
    /// `http` too, for what is not believed however it came.
    HttpAndHttps,
}

/// The HTTP client for addresses that somebody else may have chosen, within bounds of ours: as [`http_client`], and it reaches
/// nothing that lies in a private network, whatever a name resolves to.
///
/// # Errors
///
/// [`ClientError`].
pub fn download_client(tls: &OutgoingTls, timeout: Duration, schemes: Schemes) -> Result<reqwest::Client, ClientError> {
    download_client_asking(SystemNames, tls, timeout, schemes)
}

/// The same with these answers for names.
pub(crate) fn download_client_asking(
    names: impl LookUp,
    tls: &OutgoingTls,
    timeout: Duration,
    schemes: Schemes,
) -> Result<reqwest::Client, ClientError> {
    http_client_builder(tls, timeout)?
        .https_only(schemes == Schemes::Https)
        .dns_resolver(Arc::new(PublicAddresses(names)))
        .build()
        .map_err(ClientError::Http)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that makes HTTP clients")]
fn http_client_builder(tls: &OutgoingTls, timeout: Duration) -> Result<reqwest::ClientBuilder, ClientError> {
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls.client_config()?)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(timeout.min(Duration::from_secs(5)))
        .timeout(timeout)
        .user_agent(concat!("partner-alerts/", env!("CARGO_PKG_VERSION"))))
}

/// How long one operation of AWS's may take, all its attempts together.
pub const AWS_OPERATION_LIMIT: Duration = Duration::from_secs(8);

/// A loader of the AWS configuration: region, credentials and endpoint from the environment, as Lambda sets them; TLS by
/// rustls with ring, and our trust anchors in place of the machine's; bounded in time.
///
/// # Errors
///
/// [`ClientError`].
pub fn aws_config_loader(tls: &OutgoingTls) -> Result<ConfigLoader, ClientError> {
    let mut trust = TrustStore::empty();
    for anchor in &tls.anchors {
        trust.add_pem_certificate(pem(anchor));
    }
    let context =
        TlsContext::builder().with_trust_store(trust).build().map_err(|error| ClientError::Aws(error.into()))?;
    let provider = Provider::Rustls(CryptoMode::Ring);
    let client = AwsHttpBuilder::new().tls_provider(provider).tls_context(context).build_https();
    // Without these a connection that falls silent holds a function until Lambda ends it.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(AWS_OPERATION_LIMIT)
        .build();
    Ok(aws_config::defaults(BehaviorVersion::latest()).http_client(MadeOnce(client)).timeout_config(timeouts))
}

/// The AWS SDK's HTTP client, without the trial that it makes of itself for each client of a service: that reads all trust anchors
/// and throws the result away, which is most of what a start would take. The first request makes the connection pool that all
/// of them share.
#[derive(Debug)]
struct MadeOnce(SharedHttpClient);

impl HttpClient for MadeOnce {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

fn pem(certificate: &CertificateDer<'_>) -> Vec<u8> {
    let body = base64::engine::general_purpose::STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in body.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem.into_bytes()
}
