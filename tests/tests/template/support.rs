//! Reading the template, and what its functions are to us.

use std::collections::BTreeMap;

use runtime::{ConfigError, OutgoingTls, Variable, Variables};
use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The parameters without which nobody signs in, as somebody could choose them.
pub(crate) const CHOSEN: [(&str, &str); 2] = [
    ("SignInClientId", "11111111-2222-4333-8444-555555555555"),
    ("SignInTenants", "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10"),
];

pub(crate) struct Template(Value);

impl Template {
    pub(crate) fn read() -> Self {
        Self(plain(serde_yaml_ng::from_str(TEMPLATE).unwrap()))
    }

    /// What is at a path such as `/Resources/EventsTable/Type`. A path that leads nowhere is a failure.
    #[track_caller]
    pub(crate) fn at(&self, path: &str) -> &Value {
        self.0.pointer(path).unwrap_or_else(|| panic!("the template has nothing at {path}"))
    }

    pub(crate) fn of_type(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let resources = self.at("/Resources").as_object().unwrap();
        let found = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
        found.map(|(name, resource)| (name.as_str(), resource)).collect()
    }

    /// The properties of a function, over those that all functions have.
    pub(crate) fn function(&self, name: &str) -> Value {
        let mut all = self.at("/Globals/Function").clone();
        merge(&mut all, self.at(&format!("/Resources/{name}/Properties")));
        all
    }

    /// Whether CloudFormation takes this value for a parameter with a pattern: all of it has to match.
    pub(crate) fn allows(&self, parameter: &str, value: &str) -> bool {
        let pattern = self.at(&format!("/Parameters/{parameter}/AllowedPattern")).as_str().unwrap();
        regex::Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(value)
    }

    /// What a value of a variable could be in an account where people sign in: the default of a parameter, something made up for a resource.
    fn plausible(&self, value: &Value) -> String {
        if let Some(condition) = value.get("!If") {
            return self.plausible(&condition[if condition[0] == "HasPublicUrl" { 2 } else { 1 }]);
        }
        if value["!GetAtt"] == "PeopleApi.ApiEndpoint" {
            return "https://people.execute-api.eu-west-1.amazonaws.com".to_owned();
        }
        let name = value.pointer("/!Ref").and_then(Value::as_str).expect("variables are references");
        if let Some((_, chosen)) = CHOSEN.into_iter().find(|(parameter, _)| *parameter == name) {
            return chosen.to_owned();
        }
        if let Some(default) = self.0.pointer(&format!("/Parameters/{name}/Default")) {
            return default.as_str().expect("parameters of variables are text").to_owned();
        }
        assert!(self.0.pointer(&format!("/Resources/{name}")).is_some(), "{name} is nowhere");
        format!("made-up-{name}")
    }

    pub(crate) fn variables(&self, function: &str) -> BTreeMap<String, String> {
        let properties = self.function(function);
        let variables = properties.pointer("/Environment/Variables").and_then(Value::as_object).unwrap();
        variables.iter().map(|(name, value)| (name.clone(), self.plausible(value))).collect()
    }
}

/// YAML as JSON: `!Sub text` becomes `{"!Sub": "text"}`, whatever the tag.
fn plain(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Tagged(tagged) => {
            let tagged = *tagged;
            Value::Object(Map::from_iter([(tagged.tag.to_string(), plain(tagged.value))]))
        }
        Yaml::Mapping(mapping) => {
            let entries = mapping.into_iter();
            let entries =
                entries.map(|(name, value)| (name.as_str().expect("names are text").to_owned(), plain(value)));
            Value::Object(entries.collect())
        }
        Yaml::Sequence(values) => Value::Array(values.into_iter().map(plain).collect()),
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// One value or a list of them.
pub(crate) fn listed(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

pub(crate) struct Function {
    pub(crate) resource: &'static str,
    pub(crate) binary: &'static str,
    pub(crate) variables: &'static [Variable],
    pub(crate) read: fn(&Variables) -> Result<(), ConfigError>,
}

pub(crate) const FUNCTIONS: [Function; 8] = [
    Function {
        resource: "AuthorizeFunction",
        binary: "authorize",
        variables: &authorize::VARIABLES,
        read: |variables| authorize::Config::read(variables).map(drop),
    },
    Function {
        resource: "DashboardFunction",
        binary: "dashboard",
        variables: &dashboard::VARIABLES,
        read: |variables| dashboard::Config::read(variables).map(drop),
    },
    Function {
        resource: "NotifyFunction",
        binary: "notify",
        variables: &notify::VARIABLES,
        read: |variables| notify::Config::read(variables).map(drop),
    },
    Function {
        resource: "PollFunction",
        binary: "poll",
        variables: &poll::VARIABLES,
        read: |variables| poll::Config::read(variables).map(drop),
    },
    Function {
        resource: "RenewFunction",
        binary: "renew",
        variables: &renew::VARIABLES,
        read: |variables| renew::Config::read(variables).map(drop),
    },
    Function {
        resource: "ResolveFunction",
        binary: "resolve",
        variables: &resolve::VARIABLES,
        read: |variables| resolve::Config::read(variables).map(drop),
    },
    Function {
        resource: "SignInFunction",
        binary: "sign-in",
        variables: &sign_in::VARIABLES,
        read: |variables| sign_in::Config::read(variables).map(drop),
    },
    Function {
        resource: "WebhookFunction",
        binary: "webhook",
        variables: &webhook::VARIABLES,
        read: |variables| webhook::Config::read(variables).map(drop),
    },
];

impl Function {
    pub(crate) fn try_with(&self, variables: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        let pairs = variables.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let variables = Variables::default().over(pairs);
        OutgoingTls::read(&variables)?;
        (self.read)(&variables)
    }
}
