//! Exports of alerts, which are sent as they are read: however many there are, memory holds one page of them.

use axum::{body::Body, response::Response};
use futures_util::stream::try_unfold;
use tracing::{Instrument as _, Span};

/// The answer to a request for an export. What breaks off breaks the connection off, so that nobody takes what came for the whole.
pub(crate) async fn exported(dashboard: &dashboard::Deployed, request: &api::Request) -> Response {
    let (format, export) = match dashboard.export(request).await {
        Ok(begun) => begun,
        Err(answer) => return answer.map(Body::from),
    };
    let span = Span::current();
    let parts = try_unfold(export, move |mut export| {
        let next = async move {
            let part = export.next().await.inspect_err(|error| {
                tracing::error!(error = runtime::chain(error), "an export broke off");
            })?;
            Ok::<_, exports::ExportError>(part.map(|part| (part, export)))
        };
        next.instrument(span.clone())
    });
    dashboard::file(format).map(|_| Body::from_stream(parts))
}
