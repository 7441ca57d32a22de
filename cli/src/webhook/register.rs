//! Registering a tenant's callback address.

use std::io::{self, BufRead as _, IsTerminal as _, Write};

use models::Tenant;
use partner_center::{Registration, Registrations, SecretsManager};

use super::{
    Register, WebhookError,
    address::{self, not_ours},
    show,
};
use crate::{account::Account, output::Output};

pub(super) async fn run(
    register: Register,
    tenant: &Tenant,
    registrations: &Registrations<SecretsManager>,
    account: &Account,
    output: &mut Output<impl Write>,
) -> Result<(), WebhookError> {
    let base = account.callback_base_url()?;
    let url = if register.url == "-" { first_line()? } else { register.url };
    if let Some(problem) = not_ours(&url, tenant, &base) {
        return Err(WebhookError::NotOurs(problem));
    }
    let allowed = registrations.events(tenant).await?;
    if let Some(unknown) = register.events.iter().find(|event| !allowed.contains(event)) {
        return Err(WebhookError::UnknownEvent(unknown.clone()));
    }
    let present = registrations.registration(tenant).await?.map(|present| present.webhook_url);
    let foreign = present.filter(|present| !address::is_of(present, tenant, &base));
    if let Some(foreign) = foreign.filter(|_| !register.replace) {
        return Err(WebhookError::Occupied(address::shown(&foreign)));
    }
    let wanted = Registration {
        webhook_url: url,
        webhook_events: if register.events.is_empty() { allowed } else { register.events },
        signature_token_to_ms_signature_header: register.ms_signature.then_some(true),
    };
    let made = if register.dry_run { wanted } else { registrations.register(tenant, &wanted).await? };
    let shown = show::Shown::new(Some(&made), tenant, &base);
    let head = if register.dry_run { "Would be registered (--dry-run):" } else { "Registered:" };
    Ok(output.say(&shown, |shown| format!("{head}\n\n{}", show::text_of(shown)))?)
}

fn first_line() -> io::Result<String> {
    if io::stdin().is_terminal() {
        eprint!("callback address: ");
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
