//! How everything learns that the system stops.

use tokio::sync::watch;

/// Says when to stop.
pub(crate) type Stop = watch::Receiver<bool>;

/// Returns when the system stops, or is gone.
pub(crate) async fn stopped(stop: &mut Stop) {
    let _ = stop.wait_for(|stop| *stop).await;
}
