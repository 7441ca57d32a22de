//! What Microsoft says of an alert: what was seen and what to do, which resources it is about, and all else, known or not.

use maud::{Markup, html};
use models::{AffectedResource, Alert, PortalType};
use pages::{moment, theirs};
use serde_json::Value;

/// The words for what additional details are called, in any case. Both sources of alerts have them (Graph's `additionalDetails`, and those of fraudEvents).
const DETAILS: [(&str, &str); 6] = [
    ("connectioncount", "Connections"),
    ("cryptocurrencyminingpooldomainname", "Domain of the mining pool"),
    ("miningpool_ip", "Addresses of the mining pool"),
    ("resourceid", "Resource"),
    ("resourcetype", "Type of the resource"),
    ("vm_ip", "Addresses of the machine"),
];

/// Where Microsoft says more: what it tells partners of, and what they are to do about it.
const LEARN_MORE: [(&str, &str); 2] = [
    (
        "https://learn.microsoft.com/partner-center/security/azure-fraud-notification",
        "Azure fraud detection and notification",
    ),
    ("https://learn.microsoft.com/partner-center/security/security-alerts-dashboard", "The Security Alerts dashboard"),
];

/// What Microsoft says in words: of an Azure Notification the copy of what the customer got.
pub(super) fn description(alert: &Alert) -> Markup {
    let is_copy = alert.alert_type.portal_type() == PortalType::AzureNotification;
    html! {
        section class="panel" {
            h2 { @if is_copy { "The Service Health message to the customer" } @else { "What was seen, and what to do" } }
            @match &alert.description {
                Some(description) => { p class="text" { (theirs(&plain(description))) } }
                None => { p class="dim" { "Microsoft says nothing more of it." } }
            }
            p class="small" {
                "Learn more: "
                @for (n, (to, words)) in LEARN_MORE.iter().enumerate() { @if n > 0 { ", " } a rel="noreferrer" href=(to) { (words) } }
            }
        }
    }
}

/// The resources, with what their ids say of them.
pub(super) fn resources(alert: &Alert) -> Markup {
    html! {
        @if alert.affected_resources.is_empty() { p { "None is named: look at the whole subscription." } }
        @for resource in &alert.affected_resources { dl { (of_resource(resource, alert)) } }
    }
}

fn of_resource(resource: &AffectedResource, alert: &Alert) -> Markup {
    let id = &resource.resource_id;
    let kind = [provider_of(id), resource.resource_type.clone()].into_iter().flatten().next();
    html! {
        @if let Some(name) = id.rsplit('/').next().filter(|name| !name.is_empty() && *name != id) { dt { "Name" } dd { (theirs(name)) } }
        @if let Some(group) = part_of(id, "resourceGroups") { dt { "Resource group" } dd { (theirs(group)) } }
        @if let Some(kind) = kind { dt { "Type" } dd { (theirs(&kind)) } }
        dt { "Resource ID" } dd { code class="small" { (theirs(id)) } }
        dt { "First connection" } dd { (moment(alert.first_observed)) }
        dt { "Last connection" } dd { (moment(alert.last_observed)) }
    }
}

/// What stands behind a name in the id of a resource (Azure Resource Manager: `/subscriptions/{id}/resourceGroups/{group}/providers/{kind}/…`).
fn part_of<'a>(id: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = id.split('/');
    parts.find(|part| part.eq_ignore_ascii_case(name))?;
    parts.next().filter(|part| !part.is_empty())
}

/// The kind of a resource: its provider, and the names of its types.
fn provider_of(id: &str) -> Option<String> {
    let mut parts = id.split('/').skip_while(|part| !part.eq_ignore_ascii_case("providers")).skip(1);
    let provider = parts.next().filter(|part| !part.is_empty())?;
    // Types and names take turns.
    let types: Vec<_> = parts.step_by(2).collect();
    (!types.is_empty()).then(|| format!("{provider}/{}", types.join("/")))
}

/// Everything else, by the words for what is known, and by its own name where it is not.
pub(super) fn details(alert: &Alert) -> Markup {
    if alert.additional_details.is_empty() {
        return html! {};
    }
    html! {
        section class="panel" {
            h2 { "Additional information" }
            dl { @for (name, value) in &alert.additional_details {
                dt { @match words_of(name) { Some(words) => { span title=(::pages::seen(name)) { (words) } } None => (theirs(name)) } }
                dd { (shown(&opened(value))) }
            } }
        }
    }
}

fn words_of(name: &str) -> Option<&'static str> {
    DETAILS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, words)| *words)
}

/// The list that stands in a text, as Microsoft writes addresses; all else as it is.
fn opened(value: &Value) -> Value {
    let list = value.as_str().filter(|text| text.trim_start().starts_with('['));
    let list = list.and_then(|text| serde_json::from_str(text).ok()).filter(Value::is_array);
    list.unwrap_or_else(|| value.clone())
}

/// A value, whatever it is.
fn shown(value: &Value) -> Markup {
    html! {
        @match value {
            Value::Null => { span class="dim" { "-" } }
            Value::String(text) => { span class="text" { (theirs(text)) } }
            Value::Array(values) if values.iter().all(|value| !value.is_array() && !value.is_object()) => {
                @for (n, value) in values.iter().enumerate() { @if n > 0 { br; } (shown(value)) }
            }
            Value::Array(values) => { ul { @for value in values { li { (shown(value)) } } } }
            Value::Object(members) => { dl { @for (name, value) in members { dt { (theirs(name)) } dd { (shown(value)) } } } }
            other => { (other.to_string()) }
        }
    }
}

/// A description without its markup: tags are left out, and breaks stay. What remains is escaped like all else, so nothing hangs on this being exact.
fn plain(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, tag)) = rest.split_once('<') {
        plain.push_str(before);
        let is_tag = tag.starts_with(|mark: char| mark.is_ascii_alphabetic() || mark == '/');
        if let Some((name, behind)) = tag.split_once('>').filter(|_| is_tag) {
            let name = name.trim_start_matches('/').to_ascii_lowercase();
            if ["br", "p", "li", "div"].iter().any(|block| name.starts_with(block)) && !plain.ends_with('\n') {
                plain.push('\n');
            }
            rest = behind;
        } else {
            plain.push('<');
            rest = tag;
        }
    }
    plain.push_str(rest);
    plain
}
