//! What a tenant signs in with, as options say it, and kept in Secrets Manager.

use std::{
    fs::File,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use models::Tenant;
use partner_center::{CredentialError, KeptSecret, Purpose, SecretsManager, StoredSecret, Written, moment};
use runtime::{Clock as _, SystemClock};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{TenantsError, consent};
use crate::{account::Account, output::Output};

/// The most that is read of a file: a certificate with a long chain has a tenth of it.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// What a tenant signs in with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sign-in")]
pub struct SignInArguments {
    /// The application's id; its secret in Secrets Manager is then written. Without it, one that is there is used.
    #[arg(long, value_name = "ID", requires = "proof")]
    client_id: Option<Uuid>,
    /// A file with the application's client secret; `-` reads it from standard input, unseen.
    #[arg(long, value_name = "FILE", group = "proof", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// The day on which the client secret expires, as Entra ID's page says it: Microsoft tells nobody else.
    #[arg(long, value_name = "DAY", requires = "client_secret_file", value_parser = day)]
    client_secret_expires: Option<Timestamp>,
    /// A file with the application's certificate (PEM), in place of a client secret.
    #[arg(long, value_name = "FILE", group = "proof", requires_all = ["client_id", "private_key_file"])]
    certificate_file: Option<PathBuf>,
    /// A file with the certificate's RSA key (PEM).
    #[arg(long, value_name = "FILE", requires = "certificate_file")]
    private_key_file: Option<PathBuf>,
    /// Have a person sign in and consent, for app+user: the only way to what Microsoft gives no application alone.
    #[arg(long, value_enum)]
    consent: Option<Way>,
    /// The port of this machine that the browser comes back to. The application's redirect address is http://localhost:PORT.
    // The port that Microsoft's own PowerShell module for Partner Center uses.
    #[arg(long, value_name = "PORT", default_value_t = 8400)]
    redirect_port: u16,
}

/// How a person consents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// In a browser on this machine.
    Browser,
    /// On any device, by a code.
    DeviceCode,
}

fn day(text: &str) -> Result<Timestamp, &'static str> {
    moment(text).ok_or("it should be a day as in 2027-05-01")
}

/// Whether a secret that is there may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    MayBeReplaced,
    StaysAsItIs,
}

impl SignInArguments {
    /// Whether anything is asked for.
    pub(super) fn ask_for_something(&self) -> bool {
        self.client_id.is_some() || self.consent.is_some()
    }

    /// Makes or replaces the tenant's secret, as far as that is asked for; has a person consent, where that is.
    pub(super) async fn keep(
        self,
        tenant: &Tenant,
        purpose: Purpose,
        existing: Existing,
        account: &Account,
        output: &mut Output<impl Write>,
    ) -> Result<(), TenantsError> {
        if !self.ask_for_something() {
            return Ok(());
        }
        let secrets = account.microsoft_for(purpose)?.secrets;
        let seen = find(&secrets, tenant).await?;
        let mut secret = match (self.given()?, &seen) {
            (Some(_), Some(_)) if existing == Existing::StaysAsItIs => {
                return Err(TenantsError::SecretExists(purpose, name(tenant, purpose)));
            }
            (Some(given), _) => given,
            (None, Some(seen)) => seen.secret.clone(),
            (None, None) => return Err(TenantsError::SecretMissing(purpose, name(tenant, purpose))),
        };
        if let Some(way) = self.consent {
            let token = consent::run(way, self.redirect_port, tenant, &secret, account, output).await?;
            secret = secret.with_refresh_token(token, SystemClock.now());
        }
        let written = match &seen {
            Some(seen) => secrets.replace(tenant, seen, &secret).await?,
            None => secrets.create(tenant, &secret).await?,
        };
        match written {
            Written::Yes => Ok(()),
            Written::SomebodyWasQuicker => Err(TenantsError::SecretChanged(purpose, name(tenant, purpose))),
        }
    }

    /// The secret that the options say, without a person's consent.
    fn given(&self) -> Result<Option<StoredSecret>, TenantsError> {
        let Some(client_id) = self.client_id.map(|id| id.to_string()) else { return Ok(None) };
        let secret = match (&self.client_secret_file, &self.certificate_file, &self.private_key_file) {
            (Some(file), ..) => {
                let secret = read_secret(file)?;
                StoredSecret::with_client_secret(client_id, secret, self.client_secret_expires)
            }
            (None, Some(certificate), Some(key)) => {
                let certificate = read(certificate)?.expose_secret().to_owned();
                StoredSecret::with_certificate(client_id, certificate, read(key)?).map_err(TenantsError::Certificate)?
            }
            // clap asks for one of the two.
            _ => return Ok(None),
        };
        Ok(Some(secret))
    }
}

fn name(tenant: &Tenant, purpose: Purpose) -> String {
    purpose.secret_of(tenant).unwrap_or_default().to_owned()
}

/// The secret as it is kept. None where there is none.
async fn find(secrets: &SecretsManager, tenant: &Tenant) -> Result<Option<KeptSecret>, TenantsError> {
    match secrets.fetch(tenant).await {
        Ok(kept) => Ok(Some(kept)),
        Err(CredentialError::SecretsManager { code, .. }) if code == "ResourceNotFoundException" => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read_secret(file: &Path) -> Result<SecretString, TenantsError> {
    let text = if file != Path::new("-") {
        read(file)?
    } else if io::stdin().is_terminal() {
        rpassword::prompt_password("client secret (unseen): ").map_err(|error| unreadable(file, error))?.into()
    } else {
        let mut line = String::new();
        let input = io::stdin().lock().take(MAX_FILE_BYTES).read_line(&mut line);
        input.map_err(|error| unreadable(file, error))?;
        line.into()
    };
    let text = text.expose_secret().trim();
    if text.is_empty() { Err(TenantsError::NoClientSecret) } else { Ok(text.into()) }
}

fn read(file: &Path) -> Result<SecretString, TenantsError> {
    let mut text = String::new();
    let read = File::open(file).and_then(|opened| opened.take(MAX_FILE_BYTES).read_to_string(&mut text));
    read.map_err(|error| unreadable(file, error))?;
    Ok(text.into())
}

fn unreadable(file: &Path, source: io::Error) -> TenantsError {
    TenantsError::Unreadable { file: file.to_owned(), source }
}
