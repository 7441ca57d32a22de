//! Whether it is known where everything is.

use super::finding::{Finding, Subject};
use crate::{
    account::{Account, AccountError},
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

/// Whoever may read what one prefix begins may not read what the other does.
fn secrets_apart(account: &Account) -> Finding {
    let subject = Subject::new("configuration", "secrets");
    match Prefixes::of_account(account) {
        Ok(prefixes) if prefixes.are_apart() => subject.ok(format!("their names begin with {prefixes}")),
        Ok(prefixes) => {
            let words =
                format!("of {prefixes}, one begins with the other: poll may read secrets that can resolve alerts");
            subject.problem(words, "deploy with another ReadSecretPrefix or ActSecretPrefix, and move the secrets")
        }
        Err(error) => subject.problem(error.to_string(), "mend the configuration that it names"),
    }
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
