//! Servers that only this machine reaches.

use std::net::SocketAddr;

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    LocalError,
    stop::{Stop, stopped},
};

/// A server under way.
#[derive(Debug)]
pub(crate) struct Server(JoinHandle<()>);

/// A listener on a loopback address.
///
/// # Errors
///
/// [`LocalError::NotLoopback`] for another address, [`LocalError::InUse`] where the port can't be had.
pub(crate) async fn bind(what: &'static str, address: SocketAddr) -> Result<TcpListener, LocalError> {
    if !address.ip().is_loopback() {
        return Err(LocalError::NotLoopback { what, address });
    }
    TcpListener::bind(address).await.map_err(|source| LocalError::InUse { what, address, source })
}

/// Serves until `stop` says so.
pub(crate) fn serve(listener: TcpListener, router: Router, mut stop: Stop) -> Server {
    let task = tokio::spawn(async move {
        let stopped = async move {
            // An error means that the system is gone, which is a stop as well.
            let () = stopped(&mut stop).await;
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "a local server stopped");
        }
    });
    Server(task)
}

impl Server {
    pub(crate) async fn ended(self) {
        let _ = self.0.await;
    }
}
