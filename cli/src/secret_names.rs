//! What tenants' secrets may be called: functions may read those that begin as the stack's parameters say, and no others.

use std::fmt;

use models::{Purpose, TenantId};
use runtime::ConfigError;

use crate::account::{ACT_SECRET_PREFIX, Account, READ_SECRET_PREFIX};

/// What names of secrets begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefixes {
    read: String,
    act: String,
}

impl Prefixes {
    /// Those of this deployment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub(crate) fn of_account(account: &Account) -> Result<Self, ConfigError> {
        let variables = account.variables();
        Ok(Self { read: variables.read(&READ_SECRET_PREFIX)?, act: variables.read(&ACT_SECRET_PREFIX)? })
    }

    /// The one of this purpose.
    pub(crate) fn of(&self, purpose: Purpose) -> &str {
        match purpose {
            Purpose::Read => &self.read,
            Purpose::Act => &self.act,
        }
    }

    /// The parameter of the stack that says it.
    pub(crate) fn parameter(purpose: Purpose) -> &'static str {
        match purpose {
            Purpose::Read => "ReadSecretPrefix",
            Purpose::Act => "ActSecretPrefix",
        }
    }

    /// The name of a tenant's secret where nobody says another.
    pub(crate) fn name_for(&self, purpose: Purpose, tenant: &TenantId) -> String {
        format!("{}{tenant}", self.of(purpose))
    }

    /// Whether functions may read a secret of this name or ARN.
    pub(crate) fn allow(&self, purpose: Purpose, name: &str) -> bool {
        name_in(name).starts_with(self.of(purpose))
    }

    /// Whether neither begins with the other.
    pub(crate) fn are_apart(&self) -> bool {
        !self.read.starts_with(&self.act) && !self.act.starts_with(&self.read)
    }
}

impl fmt::Display for Prefixes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (read) and {} (act)", self.read, self.act)
    }
}

/// The name of a secret: itself, or what an ARN has after `arn:<partition>:secretsmanager:<region>:<account>:secret:`.
fn name_in(name: &str) -> &str {
    let parts: Vec<_> = name.splitn(7, ':').collect();
    match parts[..] {
        ["arn", _, "secretsmanager", _, _, "secret", own] => own,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(read: &str, act: &str) -> Prefixes {
        Prefixes { read: read.to_owned(), act: act.to_owned() }
    }

    #[test]
    fn names_and_arns_are_allowed_by_what_they_begin_with() {
        let prefixes = prefixes("soc/read/", "soc/act/");
        for (name, read, act) in [
            ("soc/read/contoso", true, false),
            ("soc/act/contoso", false, true),
            ("soc/reader", false, false),
            ("partner-alerts/read/contoso", false, false),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:soc/read/contoso-AbCdEf", true, false),
            ("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:soc/act/contoso-AbCdEf", false, true),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf", false, false),
            ("arn:aws:ssm:eu-west-1:123456789012:secret:soc/read/contoso", false, false),
        ] {
            assert_eq!(
                (prefixes.allow(Purpose::Read, name), prefixes.allow(Purpose::Act, name)),
                (read, act),
                "{name}"
            );
        }
    }

    #[test]
    fn one_prefix_must_not_begin_with_the_other() {
        for (read, act, apart) in [
            ("partner-alerts/read/", "partner-alerts/act/", true),
            ("partner-alerts/", "partner-alerts/act/", false),
            ("partner-alerts/read/", "partner-alerts/", false),
            ("same/", "same/", false),
        ] {
            assert_eq!(prefixes(read, act).are_apart(), apart, "{read} {act}");
        }
    }
}
