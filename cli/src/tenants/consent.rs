//! A person's consent, walked through: where to go, and waiting until they have been there.

use std::{io::Write, net::Ipv4Addr, time::Duration};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use models::Tenant;
use partner_center::{BrowserSignIn, Consent, ConsentError, Consented, DeviceProgress, Purpose, StoredSecret};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

use super::{TenantsError, Way};
use crate::{
    account::Account,
    output::{Output, printable},
};

/// How long a person may take in a browser: as long as Entra ID gives them with a code.
const PATIENCE: Duration = Duration::from_mins(15);

/// Has a person of the tenant consent to the application of this secret. Gives the refresh token, and who they are.
pub(super) async fn run(
    way: Way,
    redirect_port: u16,
    tenant: &Tenant,
    secret: &StoredSecret,
    account: &Account,
    output: &mut Output<impl Write>,
) -> Result<Consented, TenantsError> {
    let microsoft = account.microsoft_for(Purpose::Read)?;
    let credential = secret.credential().map_err(TenantsError::Certificate)?;
    let consent = microsoft.consent(tenant, &credential.client_id, &credential.proof);
    match way {
        Way::Browser => in_browser(&consent, redirect_port, output).await,
        Way::DeviceCode => Ok(on_device(&consent, output).await?),
    }
}

async fn on_device(consent: &Consent<'_>, output: &mut Output<impl Write>) -> Result<Consented, TenantsError> {
    let mut sign_in = consent.begin_on_device().await?;
    let (page, code) = (printable(&sign_in.verification_uri), printable(&sign_in.user_code));
    output.ask(&format!(
        "Open {page} on any device, enter the code {code}, and sign in as an Admin Agent of the tenant, with MFA."
    ))?;
    loop {
        tokio::time::sleep(sign_in.interval).await;
        if let DeviceProgress::Consented(consented) = consent.look_at_device(&mut sign_in).await? {
            return Ok(consented);
        }
    }
}

async fn in_browser(
    consent: &Consent<'_>,
    port: u16,
    output: &mut Output<impl Write>,
) -> Result<Consented, TenantsError> {
    let unusable = |source| TenantsError::RedirectPort { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(unusable)?;
    let port = listener.local_addr().map_err(unusable)?.port();
    // Exactly as it is registered: without a slash at its end.
    let sign_in = consent.begin_in_browser(&format!("http://localhost:{port}"))?;
    output.ask(&format!(
        "Open this address in a browser on this machine, and sign in as an Admin Agent of the tenant, with MFA:\n\n{}\n",
        sign_in.url
    ))?;
    let (brought, bringing) = mpsc::channel(1);
    let router = Router::new().route("/", get(take)).with_state(brought);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let server = tokio::spawn(server.into_future());
    let consented = tokio::time::timeout(PATIENCE, until_back(consent, &sign_in, bringing)).await;
    // The browser is told before the program ends.
    let _ = stop.send(());
    let _ = tokio::time::timeout(Duration::from_secs(1), server).await;
    Ok(consented.map_err(|_| ConsentError::Expired)??)
}

/// What a browser brought, and where to say what came of it.
type Brought = (String, oneshot::Sender<Reply>);

/// What the person is told in the browser.
struct Reply(StatusCode, &'static str);

async fn take(State(brought): State<mpsc::Sender<Brought>>, RawQuery(query): RawQuery) -> Response {
    let (reply, told) = oneshot::channel();
    // Who comes when it is over is told so.
    let _ = brought.send((query.unwrap_or_default(), reply)).await;
    let Reply(status, text) = told.await.unwrap_or(Reply(StatusCode::GONE, "This sign-in is over."));
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        // The address has a code in it, which no other page is told.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONNECTION, "close"),
    ];
    (status, headers, text).into_response()
}

async fn until_back(
    consent: &Consent<'_>,
    sign_in: &BrowserSignIn,
    mut bringing: mpsc::Receiver<Brought>,
) -> Result<Consented, ConsentError> {
    loop {
        let Some((query, reply)) = bringing.recv().await else { return Err(ConsentError::Expired) };
        let (said, result) = match consent.come_back(sign_in, &query).await {
            // Any page can send a browser here: it changes nothing.
            None => (Reply(StatusCode::BAD_REQUEST, "This does not belong to the sign-in that is under way."), None),
            Some(Ok(consented)) => (Reply(StatusCode::OK, "Done. You can close this window."), Some(Ok(consented))),
            Some(Err(error)) => {
                let text = "It did not work. The terminal says why; you can close this window.";
                (Reply(StatusCode::BAD_REQUEST, text), Some(Err(error)))
            }
        };
        let _ = reply.send(said);
        if let Some(result) = result {
            return result;
        }
    }
}
