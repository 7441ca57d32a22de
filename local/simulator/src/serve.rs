//! The two listeners and the tasks that serve them.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio::task::JoinHandle;

use crate::app::{App, lock};
use crate::options::StartError;
use crate::{control, microsoft};

/// Both servers; they end with it.
pub(crate) struct Running {
    handles: [Handle<SocketAddr>; 2],
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// A listener that nothing beyond this machine can reach.
pub(crate) fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback(address));
    }
    let listen = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    listen().map_err(|source| StartError::Bind { address, source })
}

impl Running {
    pub(crate) async fn start(
        app: &App,
        microsoft: TcpListener,
        tls: RustlsConfig,
        control: TcpListener,
    ) -> io::Result<Self> {
        let handles = [Handle::new(), Handle::new()];
        let microsoft = axum_server::from_tcp_rustls(microsoft, tls)?.handle(handles[0].clone());
        let control = axum_server::from_tcp(control)?.handle(handles[1].clone());
        let tasks = vec![
            spawn(microsoft.serve(microsoft::router(app.clone()).into_make_service())),
            spawn(control.serve(control::router(app.clone()).into_make_service())),
        ];
        for handle in &handles {
            handle.listening().await;
        }
        Ok(Self { handles, tasks: Mutex::new(tasks) })
    }

    /// Lets requests in hand finish within a second; returns when both ports are free.
    pub(crate) async fn stop(&self) {
        for handle in &self.handles {
            handle.graceful_shutdown(Some(Duration::from_secs(1)));
        }
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        for mut task in tasks {
            if tokio::time::timeout(Duration::from_secs(2), &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for handle in &self.handles {
            handle.shutdown();
        }
        for task in self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

fn spawn(server: impl Future<Output = io::Result<()>> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "a side of the simulator ended");
        }
    })
}
