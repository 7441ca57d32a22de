//! What the simulator is told at its start.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::authority::AuthorityError;

/// Says what time it is: the simulator has no other source of it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How to start a [`Simulator`](crate::Simulator).
///
/// The default binds two free ports of 127.0.0.1, goes by the machine's clock, keeps nothing and knows no tenant.
#[derive(Clone)]
pub struct Options {
    /// Where callbacks go for tenants without an address of their own; `{tenant}` stands for the tenant's id.
    pub callback_url: Option<String>,
    /// The time.
    pub clock: Clock,
    /// Where the control side listens, in plain http; a loopback address, port 0 for any.
    pub control: SocketAddr,
    /// Seconds that a device has to leave between two questions whether its person has signed in; 0 lets it ask at will.
    pub device_interval: u32,
    /// Where the Microsoft side listens, in TLS; a loopback address, port 0 for any.
    pub microsoft: SocketAddr,
    /// How many alerts are in a page of the list; at least one.
    pub page_size: usize,
    /// The pause between two attempts to deliver a test event. Microsoft's is not documented.
    pub retry_pause: Duration,
    /// Keeps the alerts over a restart. Its folder has to exist, it need not.
    pub state_file: Option<PathBuf>,
    /// The partner tenants; at least one. The first is the one meant where none is named.
    pub tenants: Vec<Tenant>,
}

impl Default for Options {
    #[expect(clippy::disallowed_methods, reason = "the one clock, for who doesn't bring another")]
    fn default() -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            callback_url: None,
            clock: Arc::new(Timestamp::now),
            control: anywhere,
            device_interval: 5,
            microsoft: anywhere,
            page_size: 100,
            retry_pause: Duration::from_millis(10),
            state_file: None,
            tenants: Vec::new(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("control", &self.control)
            .field("microsoft", &self.microsoft)
            .field("page_size", &self.page_size)
            .field("state_file", &self.state_file)
            .field("tenants", &self.tenants)
            .finish_non_exhaustive()
    }
}

/// A partner tenant and the application registered in it.
#[derive(Clone, Default)]
pub struct Tenant {
    /// The app roles of the application's own that it was given itself: what its tokens for itself say.
    pub application_roles: Vec<String>,
    /// Where its callbacks go, path key and all; without it [`Options::callback_url`].
    pub callback_url: Option<String>,
    /// The certificate, in DER, by which the application may prove itself in place of the secret.
    pub client_certificate: Option<Vec<u8>>,
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: String,
    /// When the secret ends.
    pub client_secret_expires: Option<Timestamp>,
    /// The tenant's id.
    pub id: String,
    /// Whether the application may act for people without a proof of its own, as one on people's machines has to.
    pub public_client: bool,
}

impl fmt::Debug for Tenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the secret nor the address with its path key.
        formatter
            .debug_struct("Tenant")
            .field("id", &self.id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The simulator can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Keys or certificates could not be made.
    #[error("failed to set up the certificate authority")]
    Authority(#[from] AuthorityError),
    /// Mostly because something else listens there.
    #[error("failed to listen on {address}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The HTTP client that posts callbacks could not be made.
    #[error("failed to make the HTTP client for callbacks")]
    Client(#[source] reqwest::Error),
    /// No tenant was given.
    #[error("the simulator needs at least one tenant")]
    NoTenant,
    /// Other machines could reach the address.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The page size is zero.
    #[error("a page needs room for at least one alert")]
    PageSize,
    /// The state file is there but can't be read or isn't one.
    #[error("failed to read the state file {}", path.display())]
    StateFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A task of the start came to grief.
    #[error("failed to finish starting")]
    Task(#[from] tokio::task::JoinError),
}
