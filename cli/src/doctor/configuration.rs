//! Whether it is known where everything is.

use models::Purpose;
use runtime::{ConfigError, Variable};

use super::finding::{Finding, Subject};
use crate::{
    account::{Account, AccountError, CURSOR_SECRET, SEALING_SECRET, SIGN_IN_SECRET},
    secret_names::Prefixes,
};

/// The account as far as it is known, and what is wrong with the rest.
pub(super) async fn check(account: Account, stack: Option<&str>) -> (Account, Vec<Finding>) {
    let region = Subject::new("configuration", "region");
    let region = match account.aws().region() {
        Some(name) => region.ok(name.as_ref()),
        None => region.problem("no AWS region is set", "set AWS_REGION, or a region in the AWS profile"),
    };
    let (account, place) = of_stack(account, stack).await;
    let apart = secrets_apart(&account);
    (account, vec![region, place, apart])
}

/// The secrets of people's functions, and the parameters that say what they are called.
const OF_PEOPLE: [(&str, &Variable); 3] =
    [("CursorSecret", &CURSOR_SECRET), ("SealingSecret", &SEALING_SECRET), ("SignInSecret", &SIGN_IN_SECRET)];

/// Whoever may read what one prefix begins may not read what the other does, nor what people's functions keep.
fn secrets_apart(account: &Account) -> Finding {
    let subject = Subject::new("configuration", "secrets");
    let found = Prefixes::of_account(account).and_then(|prefixes| Ok((within(account, &prefixes)?, prefixes)));
    match found {
        Ok((_, prefixes)) if !prefixes.are_apart() => {
            let words =
                format!("of {prefixes}, one begins with the other: poll may read secrets that can resolve alerts");
            subject.problem(words, "deploy with another ReadSecretPrefix or ActSecretPrefix, and move the secrets")
        }
        Ok((Some((parameter, name, purpose)), _)) => {
            let words = format!(
                "{parameter} is {name}, which begins as {} says: functions that read tenants' secrets may read it",
                Prefixes::parameter(purpose)
            );
            subject.problem(words, format!("deploy with another {parameter}, and move the secret"))
        }
        Ok((None, prefixes)) => subject.ok(format!("their names begin with {prefixes}")),
        Err(error) => subject.problem(error.to_string(), "mend the configuration that it names"),
    }
}

/// A secret of people's functions that is called as one of a tenant's.
fn within(account: &Account, prefixes: &Prefixes) -> Result<Option<(&'static str, String, Purpose)>, ConfigError> {
    for (parameter, variable) in OF_PEOPLE {
        let name: String = account.variables().read(variable)?;
        if let Some(purpose) = Purpose::ALL.into_iter().find(|purpose| prefixes.allow(*purpose, &name)) {
            return Ok(Some((parameter, name, purpose)));
        }
    }
    Ok(None)
}

async fn of_stack(account: Account, stack: Option<&str>) -> (Account, Finding) {
    let subject = Subject::new("configuration", "stack");
    let Some(stack) = stack else {
        return (account, subject.ok("none is named: the variables say where things are"));
    };
    match account.with_stack(stack).await {
        Ok(known) => (known, subject.ok(format!("{stack} says where things are"))),
        Err(error) => {
            let advice = "check name, region and account; looking at it takes the permission cloudformation:DescribeStacks. \
                          What follows is looked for by variables alone";
            let words = match &error {
                AccountError::Stack { reason, .. } => format!("{stack} can't be looked at: {reason}"),
                error => runtime::chain(error),
            };
            (account, subject.problem(words, advice))
        }
    }
}
