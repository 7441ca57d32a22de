//! Binaries, variables and parameters.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use models::FraudThreshold;
use runtime::{AWS_OPERATION_LIMIT, ConfigError, LOG_LEVEL, OutgoingTls, Variable};
use serde_json::json;
use signers::FETCH_LIMIT;
use tests::binaries::STARTED_WITH;
use webhook::RING_LIMIT;

use crate::support::{FUNCTIONS, Template, listed};

#[test]
fn every_function_of_the_template_is_one_of_ours_and_builds_its_own_binary() {
    let template = Template::read();
    let named: BTreeSet<_> = template.of_type("AWS::Serverless::Function").into_keys().collect();
    assert_eq!(named, FUNCTIONS.iter().map(|function| function.resource).collect());
    for function in &FUNCTIONS {
        let metadata = template.at(&format!("/Resources/{}/Metadata", function.resource));
        let expected = json!({ "BuildMethod": "rust-cargolambda", "BuildProperties": { "Binary": function.binary } });
        assert_eq!(*metadata, expected, "{}", function.resource);
    }
}

#[test]
fn every_variable_of_a_function_is_one_that_it_reads() {
    let template = Template::read();
    let common: BTreeSet<_> = OutgoingTls::VARIABLES.iter().chain([&LOG_LEVEL]).map(|variable| variable.name).collect();
    let globals = template.at("/Globals/Function/Environment/Variables").as_object().unwrap();
    assert_eq!(globals.keys().map(String::as_str).collect::<BTreeSet<_>>(), common);
    for function in &FUNCTIONS {
        let read: BTreeSet<_> = function.variables.iter().map(|variable| variable.name).collect();
        let own = template.at(&format!("/Resources/{}/Properties/Environment/Variables", function.resource));
        for name in own.as_object().unwrap().keys() {
            assert!(read.contains(name.as_str()), "{} does not read {name}", function.resource);
        }
    }
}

#[test]
fn the_variables_of_a_function_are_all_that_it_needs() {
    let template = Template::read();
    for function in &FUNCTIONS {
        let variables = template.variables(function.resource);
        let result = function.try_with(&variables);
        assert!(result.is_ok(), "{}: {result:?}", function.resource);
    }
}

#[test]
fn starts_are_measured_with_all_that_the_template_gives() {
    let template = Template::read();
    let given: BTreeMap<String, String> = STARTED_WITH.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    for function in &FUNCTIONS {
        let (named, result) = (template.variables(function.resource), function.try_with(&given));
        assert!(named.keys().all(|name| given.contains_key(name)), "{}: {:?}", function.resource, named.keys());
        assert!(result.is_ok(), "{}: {result:?}", function.resource);
    }
}

#[test]
fn a_function_does_not_start_without_a_variable_that_names_a_resource_and_says_which() {
    let template = Template::read();
    for function in &FUNCTIONS {
        let variables = template.variables(function.resource);
        let resources = variables.iter().filter(|(_, value)| value.starts_with("made-up-"));
        let resources: Vec<_> = resources.map(|(name, _)| name).collect();
        assert!(!resources.is_empty(), "{}", function.resource);
        for name in resources {
            let mut fewer = variables.clone();
            fewer.remove(name);
            match function.try_with(&fewer) {
                Err(ConfigError::Missing { name: missing, .. }) => assert_eq!(missing, *name, "{}", function.resource),
                other => panic!("{} without {name}: {other:?}", function.resource),
            }
        }
    }
}

#[test]
fn each_value_that_a_parameter_allows_is_one_that_the_code_reads() {
    let template = Template::read();
    let severities = template.at("/Parameters/FraudSeverity/AllowedValues").as_array().unwrap();
    assert_eq!(severities.len(), 3);
    for severity in severities {
        assert!(severity.as_str().unwrap().parse::<FraudThreshold>().is_ok(), "{severity}");
    }
    let default = |variables: &[Variable], name| {
        variables.iter().find(|variable| variable.name == name).and_then(|variable| variable.default)
    };
    let severity = template.at("/Parameters/FraudSeverity/Default").as_str();
    assert_eq!(severity, default(&poll::VARIABLES, "FRAUD_SEVERITY"));
    assert_eq!(template.at("/Parameters/LogLevel/Default").as_str(), LOG_LEVEL.default);
    let levels: Vec<_> = listed(template.at("/Parameters/LogLevel/AllowedValues"));
    let levels: Vec<_> = levels.into_iter().map(|level| level.as_str().unwrap()).collect();
    assert_eq!(format!("one of {}", levels.join(", ")), LOG_LEVEL.meaning);
}

#[test]
fn nothing_has_a_fixed_name() {
    let template = Template::read();
    // What API Gateway calls its own may be called so twice, and a permission names what it is for.
    let is_named = |resource: &serde_json::Value| {
        let kind = resource["Type"].as_str().unwrap();
        !kind.starts_with("AWS::ApiGatewayV2::") && kind != "AWS::Lambda::Permission"
    };
    let resources = template.at("/Resources").as_object().unwrap().iter();
    for (name, resource) in resources.filter(|(_, resource)| is_named(resource)) {
        for property in ["FunctionName", "LogGroupName", "Name", "QueueName", "RoleName", "TableName", "TopicName"] {
            assert!(resource["Properties"].get(property).is_none(), "{name} has a {property}");
        }
    }
}

/// A value that a pattern lets through is one that the function starts with, or the stack is updated and the function dead.
#[test]
fn addresses_and_names_that_a_pattern_allows_are_ones_that_webhook_starts_with_and_others_are_not() {
    let template = Template::read();
    let location = |text: &str| text.parse::<callback::CertificateLocation>().is_ok();
    let table = [
        ("https://host.example/cert/", true),
        ("https://host.example/", true),
        ("https://host.example:8443/a/b.c/_d/", true),
        ("https://host.example:10443/cert/", true),
        ("https://a.example/x/,https://b.example/y/", true),
        ("https://a.example/x/ , https://b.example/y/", true),
        ("https://host.example/cert", false),
        ("https://host.example", false),
        ("http://host.example/cert/", false),
        ("https://HOST.example/cert/", false),
        ("https://host..example/cert/", false),
        ("https://-host.example/cert/", false),
        ("https://host.example:99999/cert/", false),
        ("https://host.example:0/cert/", false),
        ("https://host.example/../cert/", false),
        ("https://host.example//cert/", false),
        ("https://user@host.example/cert/", false),
        ("https://a.example/x/,", false),
    ];
    for (text, allowed) in table {
        assert_eq!(template.allows("CertificateLocations", text), allowed, "the pattern: {text}");
        assert_eq!(text.split(',').map(str::trim).all(location), allowed, "the function: {text}");
    }
    for (text, allowed) in [("a.example", true), ("a.example, b-c.example", true), ("a", false), ("*.example", false)] {
        assert_eq!(template.allows("CertificateNames", text), allowed, "{text}");
    }
    let issuer_host = |text: &str| text.parse::<callback::IssuerHost>().is_ok();
    for (text, allowed) in [
        ("www.microsoft.com", true),
        ("a.example, b-c.example:8080", true),
        ("http://a.example", false),
        ("A.example", false),
        ("*.example", false),
        ("a.example/", false),
        ("a..example", false),
        ("a.example:0", false),
    ] {
        assert_eq!(template.allows("CertificateIssuerHosts", text), allowed, "the pattern: {text}");
        assert_eq!(text.split(',').map(str::trim).all(issuer_host), allowed, "the function: {text}");
    }
    for (text, allowed) in [("/opt/a/b.pem", true), ("/opt/../etc/x", false), ("/opt/", false), ("/etc/x", false)] {
        assert_eq!(template.allows("SignatureTrustAnchorsFile", text), allowed, "{text}");
    }
    for (text, allowed) in [("", true), ("1", true), ("100", true), ("0", false), ("many", false)] {
        assert_eq!(template.allows("WebhookReservedConcurrency", text), allowed, "{text}");
    }
}

#[test]
fn what_says_who_signs_in_is_allowed_as_far_as_the_functions_start_with_it() {
    let template = Template::read();
    let function = FUNCTIONS.iter().find(|function| function.binary == "authorize").unwrap();
    let [one, two] = ["9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10", "0A0A0A0A-1111-4222-8333-444444444444"];
    for (parameter, variable, text, allowed) in [
        ("PublicUrl", "PUBLIC_URL", "https://alerts.contoso.example", true),
        ("PublicUrl", "PUBLIC_URL", "https://xn--alrts-gra.example", true),
        ("PublicUrl", "PUBLIC_URL", "https://alerts.example/", false),
        ("PublicUrl", "PUBLIC_URL", "https://Alerts.example", false),
        ("PublicUrl", "PUBLIC_URL", "https://alerts.example:443", false),
        ("PublicUrl", "PUBLIC_URL", "https://me@alerts.example", false),
        ("PublicUrl", "PUBLIC_URL", "http://alerts.example", false),
        ("SignInUrl", "SIGN_IN_URL", "https://login.microsoftonline.us", true),
        ("SignInUrl", "SIGN_IN_URL", "https://login.microsoftonline.us/common", false),
        ("SignInClientId", "SIGN_IN_CLIENT_ID", one, true),
        ("SignInClientId", "SIGN_IN_CLIENT_ID", "api://alerts", false),
        ("SignInTenants", "SIGN_IN_TENANTS", one, true),
        ("SignInTenants", "SIGN_IN_TENANTS", &format!("{one} , {two}"), true),
        ("SignInTenants", "SIGN_IN_TENANTS", &format!("{one};{two}"), false),
        ("SignInTenants", "SIGN_IN_TENANTS", "contoso.onmicrosoft.com", false),
        ("RoleMap", "ROLE_MAP", r#"[{"roles":["AdminAgent"],"permissions":["see"],"tenants":"own"}]"#, true),
        ("RoleMap", "ROLE_MAP", "{}", false),
        ("ApiClients", "API_CLIENTS", "", true),
        ("ApiClients", "API_CLIENTS", &format!("{one}, {two}"), true),
        ("ApiClients", "API_CLIENTS", "azure-cli", false),
    ] {
        assert_eq!(template.allows(parameter, text), allowed, "the pattern: {text}");
        let mut variables = template.variables(function.resource);
        variables.insert(variable.to_owned(), text.to_owned());
        assert_eq!(function.try_with(&variables).is_ok(), allowed, "the function: {text}");
    }
    for parameter in ["CursorSecret", "SealingSecret", "SignInSecret"] {
        for (text, allowed) in
            [("partner-alerts/sign-in/x", true), ("x", true), ("", false), ("x/", false), ("x*", false)]
        {
            assert_eq!(template.allows(parameter, text), allowed, "{parameter}: {text}");
        }
    }
}

/// The queue's look takes as long as a request, with what is asked of DynamoDB before it, and of DynamoDB and SQS behind it.
#[test]
fn resolve_leaves_to_the_queue_what_takes_too_long_before_lambda_or_api_gateway_end_it() {
    let template = Template::read();
    let request = resolve::VARIABLES.iter().find(|variable| variable.name == "REQUEST_SECONDS").unwrap();
    let request: u64 = request.default.unwrap().parse().unwrap();
    assert!(request < 30, "API Gateway waits for 30 seconds");
    let timeout = template.function("ResolveFunction")["Timeout"].as_u64().unwrap();
    let around = 4 * AWS_OPERATION_LIMIT.as_secs();
    assert!(request + around < timeout, "{request} s, and {around} around it, of {timeout}");
    assert_eq!(template.function("AuthorizeFunction")["Timeout"], 10, "API Gateway waits no longer for an authorizer");
    // Dashboard ends requests by itself, as tests of its queue have it.
    assert!(template.function("SignInFunction")["Timeout"].as_u64().unwrap() < 30);
}

#[test]
fn every_parameter_says_what_it_is_what_it_may_be_and_has_a_default_and_a_place_among_the_questions() {
    let template = Template::read();
    let parameters = template.at("/Parameters").as_object().unwrap();
    for (name, parameter) in parameters {
        assert!(parameter["Description"].as_str().is_some_and(|text| text.ends_with('.')), "{name}");
        assert!(parameter.get("Default").is_some(), "{name}");
        let bounded = match parameter["Type"].as_str().unwrap() {
            "Number" => parameter.get("MinValue").and(parameter.get("MaxValue")).or(parameter.get("AllowedValues")),
            _ => parameter.get("AllowedValues").or(parameter.get("AllowedPattern")),
        };
        assert!(bounded.is_some(), "{name} may be anything");
        let explained = parameter.get("AllowedPattern").is_none() || parameter.get("ConstraintDescription").is_some();
        assert!(explained, "{name}: a pattern alone tells nobody what is wrong");
    }
    let groups = template.at("/Metadata/AWS::CloudFormation::Interface/ParameterGroups").as_array().unwrap();
    let asked = groups.iter().flat_map(|group| group["Parameters"].as_array().unwrap());
    let asked: BTreeSet<_> = asked.map(|name| name.as_str().unwrap()).collect();
    assert_eq!(asked, parameters.keys().map(String::as_str).collect());
}

#[test]
fn nothing_is_reserved_of_the_accounts_concurrency_unless_somebody_says_so() {
    let template = Template::read();
    assert_eq!(*template.at("/Parameters/WebhookReservedConcurrency/Default"), "");
    for function in &FUNCTIONS {
        let reserved = template.function(function.resource).get("ReservedConcurrentExecutions").cloned();
        let expected = (function.binary == "webhook").then(|| {
            let parameter = json!({ "!Ref": "WebhookReservedConcurrency" });
            json!({ "!If": ["ReservesConcurrency", parameter, { "!Ref": "AWS::NoValue" }] })
        });
        assert_eq!(reserved, expected, "{}", function.resource);
    }
}

#[test]
fn renew_ends_a_look_at_a_credential_before_lambda_ends_it() {
    let template = Template::read();
    let look = renew::VARIABLES.iter().find(|variable| variable.name == "RENEWAL_SECONDS").unwrap();
    let look: u64 = look.default.unwrap().parse().unwrap();
    // Each of its two credentials, with what is asked of DynamoDB around it.
    let tenant = 2 * (look + 2 * AWS_OPERATION_LIMIT.as_secs());
    let timeout = template.function("RenewFunction")["Timeout"].as_u64().unwrap();
    assert!(tenant <= timeout / 4, "{tenant} s of {timeout}: no room for tenants behind one in trouble");
}

/// Its slowest way to an answer: the keys are read, certificate and issuers are fetched, the event is kept, and `poll` is rung for.
#[test]
fn webhook_answers_before_lambda_ends_it() {
    let template = Template::read();
    let limits = [AWS_OPERATION_LIMIT, FETCH_LIMIT, AWS_OPERATION_LIMIT, RING_LIMIT];
    let slowest: u64 = limits.iter().map(Duration::as_secs).sum();
    let timeout = template.function("WebhookFunction")["Timeout"].as_u64().unwrap();
    assert!(slowest < timeout, "{slowest} s of {timeout}");
    assert!(timeout < 30, "API Gateway waits for 30 seconds");
}
