//! What a tenant signs in with, as options say it.

use std::{
    fs::File,
    io::{self, BufRead as _, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use clap::{ArgGroup, Args, ValueEnum, error::ErrorKind};
use jiff::Timestamp;
use partner_center::{Proof, StoredSecret, moment};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::TenantsError;

/// The most that is read of a file: a certificate with a long chain has a tenth of it.
const MAX_FILE_BYTES: u64 = 64 << 10;
/// The port that Microsoft's own PowerShell module for Partner Center uses.
const REDIRECT_PORT: u16 = 8400;

/// What a tenant signs in with.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Sign-in",
    group = ArgGroup::new("signs_in_anew").multiple(true).args(["client_id", "consent", "app_only"])
)]
pub struct SignInArguments {
    /// The application's id; its secret in Secrets Manager is then written, and keeps what is not said anew: a refresh token of the same
    /// application, and what you wrote beside.
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
    /// Drop the refresh token: the application acts for itself from then on.
    #[arg(long, conflicts_with = "consent")]
    app_only: bool,
    /// With `--consent browser`, the port of this machine that the browser comes back to (8400 if nothing is said). The application's
    /// redirect address is <http://localhost:PORT>.
    #[arg(long, value_name = "PORT", requires = "consent")]
    redirect_port: Option<u16>,
}

/// How a person consents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// In a browser on this machine.
    Browser,
    /// On any device, by a code.
    DeviceCode,
}

/// What is asked for, with the contents of the files that are named.
pub(super) struct Asked {
    /// Application and proof, where they are said anew.
    pub(super) given: Option<StoredSecret>,
    pub(super) app_only: bool,
    pub(super) consent: Option<Way>,
    pub(super) redirect_port: u16,
}

impl SignInArguments {
    /// Whether anything is asked for.
    pub(super) fn ask_for_something(&self) -> bool {
        self.client_id.is_some() || self.consent.is_some() || self.app_only
    }

    /// What clap can't see.
    pub(super) fn check(&self) -> Result<(), clap::Error> {
        if self.redirect_port.is_some() && self.consent != Some(Way::Browser) {
            let words = "--redirect-port is of use with --consent browser alone\n";
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, words));
        }
        Ok(())
    }

    /// What is asked for at this moment. Reads files and standard input.
    ///
    /// # Errors
    ///
    /// A file that can't be read or used, an expired certificate.
    pub(super) fn asked(&self, now: Timestamp) -> Result<Asked, TenantsError> {
        let given = self.given()?;
        if let Some(Ok(Proof::Certificate(certificate))) =
            given.as_ref().map(|given| given.credential().map(|it| it.proof))
            && certificate.expires() <= now
        {
            return Err(TenantsError::CertificateExpired(certificate.expires()));
        }
        let redirect_port = self.redirect_port.unwrap_or(REDIRECT_PORT);
        Ok(Asked { given, app_only: self.app_only, consent: self.consent, redirect_port })
    }

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

fn day(text: &str) -> Result<Timestamp, &'static str> {
    moment(text).ok_or("it should be a day as in 2027-05-01")
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
