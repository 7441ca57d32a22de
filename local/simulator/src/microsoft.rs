//! The side that stands in for Microsoft, over TLS: Graph, Entra ID, Partner Center and the signing certificate with
//! its issuer, all on one port.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::get;

use crate::app::{App, BODY_LIMIT, Shared};
use crate::authority::CERTIFICATE_NAME;
use crate::fault_kinds::FaultKind;
use crate::reply::Reply;
use crate::targets::Target;
use crate::{entra, graph, partner_center, recorded};

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/cert/{file}", get(certificate))
        .route(ISSUER_PATH, get(issuer))
        .route("/moved/{file}", get(moved_certificate))
        .merge(entra::router())
        .merge(graph::router())
        .merge(partner_center::router())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(app.clone(), recorded::record))
        .with_state(app)
}

async fn certificate(State(app): State<App>, Path(file): Path<String>) -> Response {
    app.respond(Target::Certificate, None, |fault| download(&app, fault, || the_certificate(&app, &file))).await
}

async fn issuer(State(app): State<App>) -> Response {
    let there = || Reply::new(StatusCode::OK, CERTIFICATE_TYPE, app.authority.issuing_der());
    app.respond(Target::Issuer, None, |fault| download(&app, fault, there)).await
}

fn download(app: &Shared, fault: Option<FaultKind>, there: impl FnOnce() -> Reply) -> Reply {
    match fault {
        Some(FaultKind::CertificateHtml) => {
            Reply::new(StatusCode::OK, "text/html", b"<!doctype html><title>Sign in</title>".to_vec())
        }
        Some(FaultKind::CertificateMissing) => missing(),
        Some(FaultKind::CertificateOversize) => Reply::new(StatusCode::OK, CERTIFICATE_TYPE, vec![0x30; 2 << 20]),
        Some(FaultKind::CertificateRedirect) => Reply::new(StatusCode::FOUND, CERTIFICATE_TYPE, Vec::new())
            .with(header::LOCATION, HeaderValue::from_static(MOVED)),
        Some(FaultKind::Throttle { retry_after }) => {
            Reply::new(StatusCode::TOO_MANY_REQUESTS, "application/xml", Vec::new()).retry_after(retry_after, app.now())
        }
        _ => there(),
    }
}

/// Where a redirected download would succeed, if the receiver were careless enough to follow.
async fn moved_certificate(State(app): State<App>, Path(file): Path<String>) -> Reply {
    the_certificate(&app, &file)
}

fn the_certificate(app: &Shared, file: &str) -> Reply {
    if file.strip_suffix(".cer") != Some(CERTIFICATE_NAME) {
        return missing();
    }
    Reply::new(StatusCode::OK, CERTIFICATE_TYPE, app.authority.certificate())
}

/// As a blob store answers.
fn missing() -> Reply {
    let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>BlobNotFound</Code></Error>";
    Reply::new(StatusCode::NOT_FOUND, "application/xml", body.as_bytes().to_vec())
}

/// Where the certificate of the issuing authority lies.
pub(crate) const ISSUER_PATH: &str = "/issuers/Simulator%20Issuing%20CA%2001.crt";
const CERTIFICATE_TYPE: &str = "application/x-x509-ca-cert";
const MOVED: &str = "/moved/pcnotifications-dispatch.simulator.test.cer";
