//! The secrets of tenants in AWS Secrets Manager: fetched, made, and replaced without losing what somebody else wrote.
//!
//! A replacement is first kept beside what is current, under [`PENDING`], and then takes its place on condition that nothing else
//! has. What was current before stays as `AWSPREVIOUS`. So whoever fails halfway, or comes second, has taken nothing away.

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        create_secret::CreateSecretError, get_secret_value::GetSecretValueOutput,
        update_secret_version_stage::UpdateSecretVersionStageError,
    },
};
use jiff::Timestamp;
use models::{Purpose, Tenant};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Credential, CredentialError, Credentials, StoredSecret, credentials::NOT_REACHED};

/// The staging label of a version that is to become current.
pub const PENDING: &str = "partner-alerts-pending";
const CURRENT: &str = "AWSCURRENT";
/// Secrets Manager's code for a secret that is not there, and for one without a value.
const NOT_FOUND: &str = "ResourceNotFoundException";

/// A secret as it is kept.
#[derive(Clone, Debug)]
pub struct KeptSecret {
    /// What it says.
    pub secret: StoredSecret,
    /// The version that is current.
    pub version: String,
    /// When that version was written.
    pub written: Option<Timestamp>,
}

/// What is current of a secret, whatever it says.
#[derive(Clone, Debug)]
pub struct KeptText {
    /// What it says: JSON, or what somebody wrote by mistake.
    pub text: SecretString,
    /// The version that is current.
    pub version: String,
    /// When that version was written.
    pub written: Option<Timestamp>,
}

/// What came of writing a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is as it was to be.
    Yes,
    /// Somebody else wrote it first, and what they wrote stays.
    SomebodyWasQuicker,
}

/// The secrets of one purpose. Whoever is given those to read with can't act by mistake.
#[derive(Clone, Debug)]
pub struct SecretsManager {
    client: Client,
    purpose: Purpose,
}

impl Credentials for SecretsManager {
    fn purpose(&self) -> Purpose {
        self.purpose
    }

    async fn credential(&self, tenant: &Tenant) -> Result<Credential, CredentialError> {
        let kept = self.fetch(tenant).await?;
        kept.secret.credential().map_err(|problem| self.malformed(tenant, problem))
    }
}

impl SecretsManager {
    /// The secrets of this purpose that this client can fetch.
    #[must_use]
    pub fn new(client: Client, purpose: Purpose) -> Self {
        Self { client, purpose }
    }

    /// The secret of a tenant.
    ///
    /// # Errors
    ///
    /// [`CredentialError`].
    pub async fn fetch(&self, tenant: &Tenant) -> Result<KeptSecret, CredentialError> {
        let KeptText { text, version, written } = kept(&self.current(tenant).await?);
        let secret = StoredSecret::read(text.expose_secret()).map_err(|problem| self.malformed(tenant, problem))?;
        Ok(KeptSecret { secret, version, written })
    }

    /// What the secret of a tenant says, be it of use or not. None where there is no secret, or one without a value.
    ///
    /// # Errors
    ///
    /// [`CredentialError`].
    pub async fn fetch_text(&self, tenant: &Tenant) -> Result<Option<KeptText>, CredentialError> {
        match self.current(tenant).await {
            Ok(output) => Ok(Some(kept(&output))),
            Err(CredentialError::SecretsManager { code, .. }) if code == NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the secret of a tenant that has none yet. One that is there without a value is given this one.
    ///
    /// # Errors
    ///
    /// [`CredentialError`].
    pub async fn create(&self, tenant: &Tenant, secret: &StoredSecret) -> Result<Written, CredentialError> {
        let text = self.text(tenant, secret)?;
        let name = self.name(tenant)?;
        if name.starts_with("arn:") {
            // It names a secret that is there.
            return self.fill(tenant, &text).await;
        }
        let request = self.client.create_secret().name(name).secret_string(text.expose_secret());
        match request.send().await {
            Ok(_) => Ok(Written::Yes),
            Err(error) if matches!(error.as_service_error(), Some(CreateSecretError::ResourceExistsException(_))) => {
                self.fill(tenant, &text).await
            }
            Err(error) => Err(self.failed("made in", tenant, error)),
        }
    }

    /// Gives a secret its first value, unless it has one.
    async fn fill(&self, tenant: &Tenant, text: &SecretString) -> Result<Written, CredentialError> {
        if self.fetch_text(tenant).await?.is_some() {
            return Ok(Written::SomebodyWasQuicker);
        }
        let put = self.client.put_secret_value().secret_id(self.name(tenant)?).secret_string(text.expose_secret());
        match put.send().await {
            Ok(_) => Ok(Written::Yes),
            Err(error) => Err(self.failed("written to", tenant, error)),
        }
    }

    /// Replaces the version that was seen, if it is still current.
    ///
    /// # Errors
    ///
    /// [`CredentialError`].
    pub async fn replace(
        &self,
        tenant: &Tenant,
        seen: &str,
        secret: &StoredSecret,
    ) -> Result<Written, CredentialError> {
        let (name, text) = (self.name(tenant)?, self.text(tenant, secret)?);
        let put = self.client.put_secret_value().secret_id(name).secret_string(text.expose_secret());
        let put = put.version_stages(PENDING).send().await;
        let put = put.map_err(|error| self.failed("written to", tenant, error))?;
        let version = put.version_id().unwrap_or_default();

        let promote = self.client.update_secret_version_stage().secret_id(name).version_stage(CURRENT);
        match promote.move_to_version_id(version).remove_from_version_id(seen).send().await {
            Ok(_) => Ok(Written::Yes),
            Err(error) if is_conflict(&error) => match self.current(tenant).await?.version_id() {
                // The answer to an attempt before this one was lost.
                Some(current) if current == version => Ok(Written::Yes),
                Some(current) if current != seen => Ok(Written::SomebodyWasQuicker),
                _ => Err(self.failed("written to", tenant, error)),
            },
            Err(error) => Err(self.failed("written to", tenant, error)),
        }
    }

    async fn current(&self, tenant: &Tenant) -> Result<GetSecretValueOutput, CredentialError> {
        let output = self.client.get_secret_value().secret_id(self.name(tenant)?).send().await;
        output.map_err(|error| self.failed("fetched from", tenant, error))
    }

    fn name<'a>(&self, tenant: &'a Tenant) -> Result<&'a str, CredentialError> {
        let name = self.purpose.secret_of(tenant);
        name.ok_or_else(|| CredentialError::NotNamed { purpose: self.purpose, tenant: tenant.id.to_string() })
    }

    fn text(&self, tenant: &Tenant, secret: &StoredSecret) -> Result<SecretString, CredentialError> {
        secret.text().map_err(|_| self.malformed(tenant, crate::SecretError::Proof))
    }

    fn malformed(&self, tenant: &Tenant, problem: crate::SecretError) -> CredentialError {
        CredentialError::Malformed { purpose: self.purpose, tenant: tenant.id.to_string(), problem }
    }

    fn failed<E>(&self, action: &'static str, tenant: &Tenant, error: SdkError<E>) -> CredentialError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        CredentialError::SecretsManager {
            action,
            purpose: self.purpose,
            tenant: tenant.id.to_string(),
            code: error.code().unwrap_or(NOT_REACHED).to_owned(),
            source: Box::new(error),
        }
    }
}

fn kept(output: &GetSecretValueOutput) -> KeptText {
    KeptText {
        text: output.secret_string().unwrap_or_default().into(),
        version: output.version_id().unwrap_or_default().to_owned(),
        written: output.created_date().and_then(|date| Timestamp::from_second(date.secs()).ok()),
    }
}

/// Secrets Manager refuses to move a label from a version that does not hold it as an invalid parameter.
fn is_conflict(error: &SdkError<UpdateSecretVersionStageError>) -> bool {
    matches!(error.as_service_error(), Some(UpdateSecretVersionStageError::InvalidParameterException(_)))
}
