//! The documents say what the code does, and their links lead somewhere.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use runtime::Variable;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Every Markdown file of the project's own.
fn documents() -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(&root(), &mut found);
    found
}

fn variables() -> Vec<Variable> {
    let mut all = vec![runtime::LOG_LEVEL];
    all.extend(authorize::VARIABLES);
    all.extend(dashboard::VARIABLES);
    all.extend(sign_in::VARIABLES);
    all.extend(runtime::OutgoingTls::VARIABLES);
    all.extend(webhook::VARIABLES);
    all.extend(poll::VARIABLES);
    all.extend(notify::VARIABLES);
    all.extend(renew::VARIABLES);
    all.extend(resolve::VARIABLES);
    all.extend(local::VARIABLES);
    all
}

#[test]
fn every_variable_is_documented_with_its_default() {
    let text = read("docs/configuration.md");
    for variable in variables() {
        let name = format!("`{}`", variable.name);
        let row = text.lines().find(|line| line.starts_with('|') && line.contains(&name));
        let row = row.unwrap_or_else(|| panic!("{} has no row", variable.name));
        if let Some(default) = variable.default {
            assert!(row.contains(&format!("`{default}`")), "{}: its row does not say {default}", variable.name);
        }
    }
}

#[test]
fn no_variable_is_documented_that_does_not_exist() {
    let known: BTreeSet<&str> = variables().iter().map(|variable| variable.name).collect();
    let text = read("docs/configuration.md");
    // The tables of variables end where that of a tenant's secret begins.
    let (variables, _) = text.split_once("## A tenant").unwrap();
    let rows = variables.lines().filter(|line| line.starts_with("| `"));
    for name in rows.flat_map(|row| row.split('|').nth(1).unwrap().split(',')) {
        let name = name.trim().trim_matches('`');
        assert!(known.contains(name), "{name}");
    }
}

#[test]
fn links_lead_to_files_that_exist() {
    let mut links = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            links += 1;
            assert!(document.parent().unwrap().join(path).exists(), "{}: {target}", document.display());
        }
    }
    assert!(links > 10, "the search found {links} links only");
}

#[test]
fn every_decision_is_listed() {
    let list = read("docs/decisions/README.md");
    for entry in fs::read_dir(root().join("docs/decisions")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || list.contains(&format!("({name})")), "{name}");
    }
}

#[test]
fn files_that_documents_and_comments_name_exist() {
    let sources = ["docs/architecture.md", "README.md", "CONTRIBUTING.md"].map(read).join("\n");
    for word in sources.split('`').skip(1).step_by(2) {
        let looks_like_a_path =
            ["shared/", "functions/", "local/", "tests/", "docs/"].iter().any(|dir| word.starts_with(dir));
        if looks_like_a_path && !word.contains([' ', '*']) {
            assert!(root().join(word).exists(), "{word}");
        }
    }
}

fn template() -> serde_yaml_ng::Value {
    serde_yaml_ng::from_str(&read("template.yaml")).unwrap()
}

fn names(mapping: &serde_yaml_ng::Value) -> impl Iterator<Item = &str> {
    mapping.as_mapping().unwrap().keys().map(|name| name.as_str().unwrap())
}

/// The names in the first column of the rows whose first column is code.
fn first_column(text: &str) -> BTreeSet<&str> {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| row.split('|').nth(1).unwrap().split(',')).map(|name| name.trim().trim_matches('`')).collect()
}

#[test]
fn every_parameter_of_the_template_is_in_the_walk_through() {
    let (template, text) = (template(), read("docs/deploy.md"));
    let (_, table) = text.split_once("| parameter |").unwrap();
    let table = table.split("\n\n").next().unwrap();
    assert_eq!(first_column(table), names(&template["Parameters"]).collect());
}

#[test]
fn the_deployer_is_told_of_every_service_that_the_template_uses() {
    let (template, text) = (template(), read("docs/deploy.md"));
    let (_, table) = text.split_once("| service |").unwrap();
    let listed = first_column(table);
    let mut seen = 0;
    for resource in names(&template["Resources"]) {
        let kind = template["Resources"][resource]["Type"].as_str().unwrap();
        let service = match kind.split("::").nth(1).unwrap() {
            "ApiGatewayV2" => "apigateway".to_owned(),
            "Serverless" if kind.ends_with("HttpApi") => "apigateway".to_owned(),
            "Serverless" => "lambda".to_owned(),
            other => other.to_lowercase(),
        };
        assert!(listed.contains(service.as_str()), "{resource}: {service}");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn the_walk_through_installs_what_the_checks_build_with() {
    let (check, text) = (read("check"), read("docs/deploy.md"));
    for tool in ["aws-sam-cli==", "cargo-lambda==", "ziglang=="] {
        let version = check.split(tool).nth(1).unwrap().split([' ', '"']).next().unwrap();
        assert!(text.contains(&format!("{tool}{version}")), "{tool}{version}");
    }
}

#[test]
fn every_metric_is_documented_and_every_documented_one_is_reported() {
    let text = read("docs/operations.md");
    let (_, table) = text.split_once("| metric |").unwrap();
    let table = table.split("\n\n").next().unwrap();
    let folders = ["webhook", "poll", "notify", "renew"].map(|function| format!("functions/{function}/src"));
    // Elsewhere in resolve a problem is made `with` members.
    let sweep = ["functions/resolve/src/follow_ups.rs"];
    let sources = sources(&[&folders.each_ref().map(String::as_str)[..], &sweep].concat());
    let after = |start| sources.split(start).skip(1).map(|rest| rest.split('"').next().unwrap());
    assert_eq!(first_column(table), after(".with(\"").chain(after(".because(\"")).collect());
}

#[test]
fn every_reason_is_documented_and_every_documented_one_exists() {
    let text = read("docs/operations.md");
    let (_, table) = text.split_once("| reason | status |").unwrap();
    let sources = read("shared/callback/src/refusal.rs") + &read("functions/webhook/src/outcome.rs");
    let words = sources.split(" => \"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let answers = ["ok", "malformed", "not authentic", "not found", "too large", "try again"];
    let reasons: BTreeSet<_> = words.filter(|word| !answers.contains(word)).collect();
    assert!(reasons.len() > 30, "{reasons:?}");
    assert_eq!(first_column(table.split("\n\n").next().unwrap()), reasons);
    // Each is said to belong to a check, or to what only our own side can cause.
    let security = read("docs/security.md");
    let (_, checks) = security.split_once("## The checks").unwrap();
    let checks = checks.split("\n## ").next().unwrap();
    for reason in reasons {
        assert_eq!(checks.matches(&format!("`{reason}`")).count(), 1, "{reason}");
    }
}

#[test]
fn every_diagnosis_is_documented_and_every_documented_one_exists() {
    let text = read("docs/operations.md");
    let (_, table) = text.split_once("| diagnosis | what it means |").unwrap();
    let existing: BTreeSet<_> =
        partner_center::Diagnosis::ALL.into_iter().map(partner_center::Diagnosis::code).collect();
    assert_eq!(existing.len(), partner_center::Diagnosis::ALL.len());
    assert_eq!(first_column(table.split("\n\n").next().unwrap()), existing);
}

#[test]
fn every_alarm_is_documented_with_its_threshold_and_every_documented_one_exists() {
    let (template, text) = (template(), read("docs/operations.md"));
    let (_, table) = text.split_once("| alarm |").unwrap();
    let table = table.split("\n\n").next().unwrap();
    let resources = &template["Resources"];
    let alarms: BTreeSet<_> =
        names(resources).filter(|name| resources[*name]["Type"] == "AWS::CloudWatch::Alarm").collect();
    assert_eq!(first_column(table), alarms);
    for alarm in alarms {
        let properties = &resources[alarm]["Properties"];
        let row = table.lines().find(|line| line.contains(&format!("`{alarm}`"))).unwrap();
        // One figure of ours, or several of AWS's.
        let several = properties["Metrics"].as_sequence().into_iter().flatten();
        let several = several.filter_map(|entry| entry["MetricStat"]["Metric"]["MetricName"].as_str());
        let metrics: BTreeSet<_> = several.chain(properties["MetricName"].as_str()).collect();
        assert!(!metrics.is_empty(), "{alarm}");
        for metric in metrics {
            assert!(row.contains(&format!("`{metric}`")), "{alarm}: {metric}");
        }
        let threshold = properties["Threshold"].as_i64().unwrap();
        assert!(threshold == 1 || row.contains(&format!(" {threshold} ")), "{alarm}: {threshold}");
    }
}

#[test]
fn every_outcome_of_a_credential_is_documented_and_every_documented_one_exists() {
    let text = read("docs/operations.md");
    let (_, table) = text.split_once("| outcome | what it means |").unwrap();
    let source = read("shared/partner-center/src/renewal.rs");
    let (_, codes) = source.split_once("fn code(&self)").unwrap();
    let codes = codes.split("\n    }\n").next().unwrap().to_owned();
    let words = codes.split('"').filter(|word| word.contains('-') && !word.contains([' ', '/', '.']));
    let mut existing: BTreeSet<_> = words.collect();
    existing.extend([partner_center::WORKS, partner_center::OUT_OF_TIME]);
    assert!(existing.len() > 4, "{existing:?}");
    assert_eq!(first_column(table.split("\n\n").next().unwrap()), existing);
}

/// The texts in a call, up to its closing parenthesis.
fn texts_of_call(call: &str) -> Vec<String> {
    let (mut texts, mut depth, mut marks) = (Vec::new(), 1, call.chars());
    while depth > 0 {
        match marks.next().unwrap() {
            '(' => depth += 1,
            ')' => depth -= 1,
            '"' => {
                let mut text = String::new();
                loop {
                    match marks.next().unwrap() {
                        '"' => break,
                        '\\' => text.extend(marks.next()),
                        mark => text.push(mark),
                    }
                }
                texts.push(text);
            }
            _ => {}
        }
    }
    texts
}

/// The sources below these folders, and these files.
fn sources(places: &[&str]) -> String {
    fn collect(path: &Path, text: &mut String) {
        if path.is_dir() {
            let mut entries: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            entries.sort();
            for entry in entries {
                collect(&entry, text);
            }
        } else {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    let mut text = String::new();
    for place in places {
        collect(&root().join(place), &mut text);
    }
    text
}

#[test]
fn every_warning_and_error_that_is_logged_is_explained_to_whoever_reads_it() {
    let text = read("docs/operations.md");
    let functions = [
        "functions/poll/src",
        "functions/webhook/src",
        "functions/notify/src",
        "functions/resolve/src",
        "functions/dashboard/src",
        "shared/api/src",
    ];
    let sources = sources(
        &[&functions[..], &["shared/store/src", "shared/partner-center/src", "shared/subscriptions/src"]].concat(),
    );
    let calls = ["tracing::warn!(", "tracing::error!("].into_iter().flat_map(|start| sources.split(start).skip(1));
    let messages: BTreeSet<String> = calls.map(|call| texts_of_call(call).pop().expect("a message in words")).collect();
    assert!(messages.len() > 35, "{messages:#?}");
    let missing: Vec<_> = messages.iter().filter(|message| !text.contains(&format!("`{message}`"))).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn what_a_run_that_failed_says_is_found_by_its_words() {
    let text = read("docs/operations.md");
    let errors = ["functions/poll/src", "shared/store/src", "shared/messaging/src/queue.rs"];
    let errors = sources(&[&errors[..], &["shared/partner-center/src/error.rs"]].concat());
    let answers = sources(&["shared/partner-center/src"]);
    let calls = errors.split("#[error(").skip(1).chain(answers.split("bad(").skip(1));
    // The longest piece between what differs from one to the next.
    let words = calls.filter_map(|call| texts_of_call(call).into_iter().next()).map(|words| {
        let pieces = words.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, rest)| rest));
        let pieces = pieces.map(|piece| piece.trim_matches([' ', '(', ')', ':']).to_owned());
        pieces.max_by_key(String::len).unwrap()
    });
    let words: BTreeSet<String> = words.collect();
    assert!(words.len() > 25, "{words:#?}");
    let missing: Vec<_> = words.iter().filter(|words| !text.contains(*words)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
