//! What a CloudFormation stack says of where things are, as the variables that it stands for.

use aws_config::SdkConfig;
use aws_sdk_cloudformation::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use runtime::Variable;

use crate::account::{
    ACT_SECRET_PREFIX, ACTIVITY_TABLE, ALERTS_TABLE, AccountError, CALLBACK_BASE_URL, CURSOR_SECRET, EVENTS_TABLE,
    EVENTS_TOPIC_ARN, EXPORTS_DEAD_LETTERS_URL, EXPORTS_QUEUE_URL, FRAUD_TOPIC_ARN, NAMES_DEAD_LETTERS_URL,
    NAMES_QUEUE_URL, OPERATIONS_DEAD_LETTERS_URL, OPERATIONS_QUEUE_URL, OPERATIONS_TOPIC_ARN, READ_SECRET_PREFIX,
    RECONCILE_DEAD_LETTERS_URL, RECONCILE_QUEUE_URL, SCHEDULES, SEALING_SECRET, SESSIONS_TABLE, SIGN_IN_CLIENT_ID,
    SIGN_IN_SECRET, STREAM_DEAD_LETTERS_URL, TENANTS_TABLE,
};

/// The outputs of a stack, and the variables that they stand for.
const OUTPUTS: [(&str, &Variable); 18] = [
    ("ActivityTableName", &ACTIVITY_TABLE),
    ("AlertsTableName", &ALERTS_TABLE),
    ("CallbackBaseUrl", &CALLBACK_BASE_URL),
    ("EventsTableName", &EVENTS_TABLE),
    ("EventsTopicArn", &EVENTS_TOPIC_ARN),
    ("ExportsDeadLettersUrl", &EXPORTS_DEAD_LETTERS_URL),
    ("ExportsQueueUrl", &EXPORTS_QUEUE_URL),
    ("FraudTopicArn", &FRAUD_TOPIC_ARN),
    ("NamesDeadLettersUrl", &NAMES_DEAD_LETTERS_URL),
    ("NamesQueueUrl", &NAMES_QUEUE_URL),
    ("OperationsDeadLettersUrl", &OPERATIONS_DEAD_LETTERS_URL),
    ("OperationsQueueUrl", &OPERATIONS_QUEUE_URL),
    ("OperationsTopicArn", &OPERATIONS_TOPIC_ARN),
    ("ReconcileDeadLettersUrl", &RECONCILE_DEAD_LETTERS_URL),
    ("ReconcileQueueUrl", &RECONCILE_QUEUE_URL),
    ("SessionsTableName", &SESSIONS_TABLE),
    ("StreamDeadLettersUrl", &STREAM_DEAD_LETTERS_URL),
    ("TenantsTableName", &TENANTS_TABLE),
];

/// The parameters of a stack, and the variables of its functions that they become. The files that functions read are in none of
/// these: they are on no machine but theirs.
const PARAMETERS: [(&str, &Variable); 9] = [
    ("ActSecretPrefix", &ACT_SECRET_PREFIX),
    ("CertificateIssuerHosts", &signers::CERTIFICATE_ISSUER_HOSTS),
    ("CertificateLocations", &signers::CERTIFICATE_LOCATIONS),
    ("CertificateNames", &signers::CERTIFICATE_NAMES),
    ("CursorSecret", &CURSOR_SECRET),
    ("ReadSecretPrefix", &READ_SECRET_PREFIX),
    ("SealingSecret", &SEALING_SECRET),
    ("SignInClientId", &SIGN_IN_CLIENT_ID),
    ("SignInSecret", &SIGN_IN_SECRET),
];

/// What a stack says: its outputs, and those of its parameters that matter elsewhere, too.
pub(crate) async fn described(aws: &SdkConfig, stack: &str) -> Result<Vec<(&'static str, String)>, AccountError> {
    let failed = |reason: String| AccountError::Stack { stack: stack.to_owned(), reason };
    let described = Client::new(aws).describe_stacks().stack_name(stack).send().await;
    let described = described.map_err(|error| failed(words(&error)))?;
    let found = described.stacks().first().ok_or_else(|| failed("AWS says nothing about it".to_owned()))?;
    let mut values = Vec::new();
    for (output, variable) in OUTPUTS {
        let value = found.outputs().iter().find(|known| known.output_key() == Some(output));
        values.extend(value.and_then(|output| Some((variable.name, output.output_value()?.to_owned()))));
    }
    // One that is missing stems from another release, and whoever needs it asks for it.
    if values.is_empty() {
        return Err(failed("it has none of the outputs of Partner Alerts: is it the right one?".to_owned()));
    }
    for (parameter, variable) in PARAMETERS {
        let value = found.parameters().iter().find(|known| known.parameter_key() == Some(parameter));
        values.extend(value.and_then(|value| Some((variable.name, value.parameter_value()?.to_owned()))));
    }
    Ok(values)
}

/// The names of its schedules, as the variable that stands for them.
pub(crate) async fn schedules(aws: &SdkConfig, stack: &str) -> Result<(&'static str, String), AccountError> {
    let failed = |reason: String| AccountError::Stack { stack: stack.to_owned(), reason };
    let mut names = Vec::new();
    let mut pages = Client::new(aws).list_stack_resources().stack_name(stack).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed(words(&error)))?;
        let schedules = page.stack_resource_summaries().iter();
        let schedules = schedules.filter(|resource| resource.resource_type() == Some("AWS::Scheduler::Schedule"));
        names.extend(schedules.filter_map(|resource| resource.physical_resource_id().map(str::to_owned)));
    }
    Ok((SCHEDULES.name, names.join(",")))
}

/// AWS's own words where it has some; they name the permission that lacks.
fn words<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let said = error.as_service_error().and_then(ProvideErrorMetadata::message);
    said.map_or_else(|| format!("{}; does `aws sts get-caller-identity` answer?", runtime::chain(error)), str::to_owned)
}
