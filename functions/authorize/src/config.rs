//! Configuration of `authorize`.

use std::time::Duration;

use identity::{Audience, Issuers, Origin, RoleMap};
use models::{ObjectId, TenantId};
use runtime::{ConfigError, Variable, Variables};
use store::TableNames;

const SESSIONS_TABLE: Variable =
    Variable { name: "SESSIONS_TABLE", meaning: "the name of the sessions table", default: None };
const PUBLIC_URL: Variable = Variable {
    name: "PUBLIC_URL",
    meaning: "where our pages are, https://host or https://host:port, as browsers write it",
    default: None,
};
const SIGN_IN_URL: Variable = Variable {
    name: "SIGN_IN_URL",
    meaning: "the sign-in service of the tenants that people sign in to, https://host or https://host:port",
    default: Some("https://login.microsoftonline.com"),
};
const SIGN_IN_TENANTS: Variable = Variable {
    name: "SIGN_IN_TENANTS",
    meaning: "the ids of the tenants that people sign in to, separated by commas; the first is the one where none is asked for",
    default: None,
};
const SIGN_IN_CLIENT_ID: Variable = Variable {
    name: "SIGN_IN_CLIENT_ID",
    meaning: "the id of the application that people sign in to, a GUID",
    default: None,
};
const API_SCOPE: Variable = Variable {
    name: "API_SCOPE",
    meaning: "the scope that an access token of a person has to have",
    default: Some("access_as_user"),
};
const API_CLIENTS: Variable = Variable {
    name: "API_CLIENTS",
    meaning: "the ids of the programs, beside the application itself, that people may use the API with, separated by commas",
    default: None,
};
/// Its default depends on how many tenants people sign in to.
const ROLE_MAP: Variable = Variable { name: "ROLE_MAP", meaning: "what roles allow, in JSON", default: None };
const KEYS_TIMEOUT_SECONDS: Variable = Variable {
    name: "KEYS_TIMEOUT_SECONDS",
    meaning: "how long the download of the sign-in service's keys may take, 1 to 10 seconds",
    default: Some("3"),
};

/// Every variable that this function reads, beside those of `runtime`.
pub const VARIABLES: [Variable; 9] = [
    SESSIONS_TABLE,
    PUBLIC_URL,
    SIGN_IN_URL,
    SIGN_IN_TENANTS,
    SIGN_IN_CLIENT_ID,
    API_SCOPE,
    API_CLIENTS,
    ROLE_MAP,
    KEYS_TIMEOUT_SECONDS,
];

/// The configuration.
#[derive(Debug)]
pub struct Config {
    /// The tables.
    pub tables: TableNames,
    /// Where our pages are.
    pub origin: Origin,
    /// Whose tokens are accepted.
    pub issuers: Issuers,
    /// Whom tokens are for.
    pub audience: Audience,
    /// What roles allow.
    pub roles: RoleMap,
    /// How long the download of keys may take.
    pub keys_timeout: Duration,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    pub fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let application: ObjectId = variables.read(&SIGN_IN_CLIENT_ID)?;
        let scope: String = variables.read(&API_SCOPE)?;
        if scope.contains(|mark: char| mark.is_whitespace() || mark == '/') {
            return Err(API_SCOPE.malformed("it is one name, without the application's address before it".to_owned()));
        }
        let clients = match variables.optional::<String>(&API_CLIENTS)? {
            Some(_) => variables.list(&API_CLIENTS)?,
            None => Vec::new(),
        };
        let issuers = issuers(variables)?;
        let roles: Option<String> = variables.optional(&ROLE_MAP)?;
        let roles = RoleMap::read(roles.as_deref(), issuers.tenants().len());
        Ok(Self {
            tables: TableNames { sessions: variables.read(&SESSIONS_TABLE)?, ..TableNames::default() },
            origin: variables.read(&PUBLIC_URL)?,
            issuers,
            audience: Audience { application: application.to_string(), clients, scope },
            roles: roles.map_err(|error| ROLE_MAP.malformed(error.to_string()))?,
            keys_timeout: Duration::from_secs(variables.number(&KEYS_TIMEOUT_SECONDS, 1, 10)?),
        })
    }
}

fn issuers(variables: &Variables) -> Result<Issuers, ConfigError> {
    let base: Origin = variables.read(&SIGN_IN_URL)?;
    if !base.as_str().starts_with("https://") {
        return Err(SIGN_IN_URL.malformed("it is not https".to_owned()));
    }
    let tenants: Vec<TenantId> = variables.list(&SIGN_IN_TENANTS)?;
    Issuers::new(base.as_str(), tenants).map_err(|error| SIGN_IN_TENANTS.malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("SESSIONS_TABLE", "sessions"),
        ("PUBLIC_URL", "https://alerts.example"),
        ("SIGN_IN_TENANTS", "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10,0a0a0a0a-1111-4222-8333-444444444444"),
        ("SIGN_IN_CLIENT_ID", "11111111-2222-4333-8444-555555555555"),
    ];

    fn read(change: (&'static str, &str)) -> Result<Config, String> {
        let variables = Variables::default().over(GOOD.map(|(name, value)| (name, value.to_owned())));
        Config::read(&variables.led_by([(change.0, change.1.to_owned())])).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_required_is_enough() {
        let config = read(("LOG_LEVEL", "info")).unwrap();
        assert_eq!(config.issuers.tenants().len(), 2);
        assert_eq!(config.roles, RoleMap::read(Some(RoleMap::DEFAULT_OF_SEVERAL), 2).unwrap());
        assert!(config.audience.clients.is_empty());
        let one = read(("SIGN_IN_TENANTS", "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10")).unwrap();
        assert_eq!(one.roles, RoleMap::read(Some(RoleMap::DEFAULT), 1).unwrap());
        let clients =
            read(("API_CLIENTS", "04B07795-8ddb-461a-bbee-02f9e1bf7b46, 11111111-2222-4333-8444-666666666666"));
        let clients: Vec<_> = clients.unwrap().audience.clients.iter().map(ToString::to_string).collect();
        assert_eq!(clients, ["04b07795-8ddb-461a-bbee-02f9e1bf7b46", "11111111-2222-4333-8444-666666666666"]);
    }

    #[test]
    fn what_can_not_be_meant_stops_the_start_with_the_variables_name() {
        for (name, value) in [
            ("PUBLIC_URL", "http://alerts.example"),
            ("PUBLIC_URL", "https://alerts.example/"),
            ("SIGN_IN_URL", "http://127.0.0.1:8443"),
            ("SIGN_IN_URL", "https://login.example/tenant"),
            ("SIGN_IN_TENANTS", "contoso.onmicrosoft.com"),
            ("SIGN_IN_TENANTS", "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10,9F1C7F3E-2f0a-4f7b-8a34-0c5d1b7e6a10"),
            ("SIGN_IN_CLIENT_ID", "api://x"),
            ("API_SCOPE", "api://x/access_as_user"),
            ("API_SCOPE", "a b"),
            ("API_CLIENTS", "azure-cli"),
            ("API_CLIENTS", "04b07795-8ddb-461a-bbee-02f9e1bf7b46,"),
            ("ROLE_MAP", "{}"),
            ("ROLE_MAP", r#"[{"roles":["AdminAgent"],"permissions":["see"],"tenants":"*"}]"#),
            ("ROLE_MAP", r#"[{"roles":["AdminAgent"],"permissions":["cancel"],"tenants":"*"}]"#),
            ("KEYS_TIMEOUT_SECONDS", "0"),
        ] {
            let error = read((name, value)).unwrap_err();
            assert!(error.starts_with(&format!("{name} can't be used")), "{value}: {error}");
        }
    }
}
