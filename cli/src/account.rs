//! The AWS account that a command works on: where the tables are, and the clients.
//!
//! What a stack is made of stands in its outputs, so `--stack` is all that has to be said. Each can be given as a variable of the
//! process, too, which counts more: this is how the local system is worked on, and one that was not made by CloudFormation.

use std::{sync::Arc, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::DisplayErrorContext;
use partner_center::{
    ADDRESS_VARIABLES, BaseUrlError, CloudDirectory, Limits, Purpose, Registrations, SecretsManager, Tokens,
};
use runtime::{Clock as _, ConfigError, OutgoingTls, StartError, SystemClock, Variable, Variables};
use store::{Store, TableNames};

/// The table of tenants.
const TENANTS_TABLE: Variable = Variable {
    name: "TENANTS_TABLE",
    meaning: "the name of the tenants table, or --stack with the name of the CloudFormation stack",
    default: None,
};
/// What callback addresses begin with.
const CALLBACK_BASE_URL: Variable = Variable {
    name: "CALLBACK_BASE_URL",
    meaning: "what callback addresses begin with, up to the tenant's id, or --stack",
    default: None,
};

const fn address(name: &'static str) -> Variable {
    Variable {
        name,
        meaning: "a base address in place of Microsoft's, https://host or https://host:port",
        default: None,
    }
}

/// The outputs of a stack, and the variables that they stand for.
const OUTPUTS: [(&str, &Variable); 2] = [("TenantsTableName", &TENANTS_TABLE), ("CallbackBaseUrl", &CALLBACK_BASE_URL)];

/// Why an account can't be worked on.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// One of Microsoft's published addresses is none.
    #[error("an address of Microsoft's can't be used")]
    Address(#[from] BaseUrlError),
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A client can't be made.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The stack can't be looked at.
    #[error("the stack {stack} can't be looked at: {reason}")]
    Stack {
        /// Its name.
        stack: String,
        /// Why not.
        reason: String,
    },
}

/// An account, and what stands where in it.
#[derive(Clone, Debug)]
pub struct Account {
    variables: Variables,
    aws: SdkConfig,
}

impl Account {
    /// The account of the process's AWS credentials, with what the stack says where one is named.
    ///
    /// # Errors
    ///
    /// [`AccountError`].
    pub async fn open(stack: Option<&str>) -> Result<Self, AccountError> {
        let variables = Variables::of_process();
        let tls = OutgoingTls::read(&variables)?;
        let aws = runtime::aws_config_loader(&tls).map_err(StartError::from)?.load().await;
        let variables = match stack {
            Some(stack) => variables.over(outputs(&aws, stack).await?),
            None => variables,
        };
        Ok(Self { variables, aws })
    }

    /// What is kept in it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where the table is not known.
    pub fn store(&self) -> Result<Store, ConfigError> {
        let tables = TableNames { tenants: self.variables.read(&TENANTS_TABLE)?, ..TableNames::default() };
        Ok(Store::new(aws_sdk_dynamodb::Client::new(&self.aws), tables))
    }

    /// The webhook registrations of its tenants.
    ///
    /// # Errors
    ///
    /// [`AccountError`].
    pub fn registrations(&self) -> Result<Registrations<SecretsManager>, AccountError> {
        let tls = OutgoingTls::read(&self.variables)?;
        let http = runtime::http_client(&tls, Duration::from_secs(30)).map_err(StartError::from)?;
        let credentials = SecretsManager::new(aws_sdk_secretsmanager::Client::new(&self.aws), Purpose::Read);
        let (limits, now) = (Limits::default(), Arc::new(|| SystemClock.now()));
        let tokens = Arc::new(Tokens::new(http.clone(), self.clouds()?, credentials, limits, now));
        Ok(Registrations::new(http, tokens, limits))
    }

    fn clouds(&self) -> Result<CloudDirectory, AccountError> {
        CloudDirectory::new(|cloud, service| {
            let wanted = ADDRESS_VARIABLES.iter().find(|(of, name, _)| (*of, *name) == (cloud, service));
            match wanted {
                Some((_, _, name)) => Ok(self.variables.optional(&address(name))?),
                None => Ok(None),
            }
        })
    }

    /// What callback addresses begin with.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where it is not known.
    pub fn callback_base_url(&self) -> Result<String, ConfigError> {
        let base: String = self.variables.read(&CALLBACK_BASE_URL)?;
        Ok(if base.ends_with('/') { base } else { base + "/" })
    }
}

/// What a stack says, as the variables that it stands for.
async fn outputs(aws: &SdkConfig, stack: &str) -> Result<Vec<(&'static str, String)>, AccountError> {
    let failed = |reason: String| AccountError::Stack { stack: stack.to_owned(), reason };
    let client = aws_sdk_cloudformation::Client::new(aws);
    let described = client.describe_stacks().stack_name(stack).send().await;
    let described = described.map_err(|error| failed(DisplayErrorContext(error).to_string()))?;
    let outputs = described.stacks().first().map(aws_sdk_cloudformation::types::Stack::outputs).unwrap_or_default();
    let value = |wanted: &str| {
        let output = outputs.iter().find(|output| output.output_key() == Some(wanted))?;
        output.output_value().map(str::to_owned)
    };
    let read = |(output, variable): (&str, &Variable)| {
        let value = value(output).ok_or_else(|| failed(format!("it has no output {output}")))?;
        Ok((variable.name, value))
    };
    OUTPUTS.into_iter().map(read).collect()
}
