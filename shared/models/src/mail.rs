//! Messages as e-mail shows them: plain text, one fact a line.
//!
//! What came from outside stands behind our own words and can't start a line of its own.

use std::fmt::Write as _;

use crate::{
    AlertNotice, AlertSummary, DigestNotice, DigestReason, SignalNotice, SignalReason, TenantId, TransitionKind,
};

/// Why an alert wakes people of which nobody has said how bad it is.
const NO_SEVERITY: &str = "Microsoft gave no severity, as its older list of fraud events never does";

pub(crate) fn alert_text(notice: &AlertNotice, tenant: &TenantId) -> String {
    let alert = &notice.alert;
    let mut text = String::new();
    let headline = match notice.kind {
        TransitionKind::Opened => "A new alert of fraud severity needs an answer.",
        TransitionKind::Reopened => "A resolved alert of fraud severity is open again and needs an answer.",
        TransitionKind::Resolved => "An alert of fraud severity was resolved.",
        TransitionKind::SeverityRaised => "An open alert was raised to fraud severity and needs an answer.",
    };
    line(&mut text, "", headline);
    line(&mut text, "", "");
    line(&mut text, "Alert", &alert.name);
    line(&mut text, "Type", &format!("{} ({})", alert.portal_type.as_str(), alert.alert_type.0));
    if alert.severity.is_absent() {
        line(&mut text, "Severity", &format!("{} ({NO_SEVERITY}: it counts as the highest)", alert.severity));
    } else {
        line(&mut text, "Severity", alert.severity.as_str());
    }
    line(&mut text, "Status", alert.status.as_str());
    optional_line(&mut text, "Reason", alert.resolved_reason.as_ref().map(crate::ResolvedReason::as_str));
    optional_line(&mut text, "Customer", alert.customer_id.as_ref().map(crate::CustomerId::as_str));
    optional_line(&mut text, "Subscription", alert.subscription_id.as_ref().map(crate::SubscriptionId::as_str));
    line(&mut text, "Partner tenant", tenant.as_str());
    line(&mut text, "Detected", &alert.detected.to_string());
    if notice.kind != TransitionKind::Resolved {
        line(&mut text, "Answer by", &alert.respond_by.to_string());
    }
    line(&mut text, "Alert ID", alert.id.as_str());
    for resource in &alert.affected_resources {
        line(&mut text, "Resource", &resource.resource_id);
    }
    let unlisted = alert.affected_resource_count - alert.affected_resources.len().min(alert.affected_resource_count);
    if unlisted > 0 {
        line(&mut text, "", &format!("and {unlisted} resources more"));
    }
    if let Some(description) = &alert.description {
        line(&mut text, "", "");
        line(&mut text, "", description);
    }
    text
}

pub(crate) fn digest_text(digest: &DigestNotice, tenant: &TenantId) -> String {
    let mut text = String::new();
    let why = match digest.reason {
        DigestReason::Baseline => "open when Partner Alerts first read this partner tenant",
        DigestReason::Burst => "changed at once",
    };
    line(&mut text, "", &format!("{} alerts of fraud severity {why}.", digest.total));
    line(&mut text, "Partner tenant", tenant.as_str());
    let without = digest.alerts.iter().filter(|alert| alert.severity.is_absent()).count();
    if without > 0 {
        line(&mut text, "", &format!("To {without} of those below {NO_SEVERITY}: they count as the highest."));
    }
    line(&mut text, "", "");
    for alert in &digest.alerts {
        line(&mut text, "", &digest_line(alert, tenant));
    }
    let unlisted = digest.total - digest.alerts.len().min(digest.total);
    if unlisted > 0 {
        line(&mut text, "", &format!("and {unlisted} alerts more"));
    }
    text
}

/// One alert of a digest. Its name comes last, so that no word in it looks like one of the ids.
fn digest_line(alert: &AlertSummary, tenant: &TenantId) -> String {
    let AlertSummary { id, name, severity, status, detected, .. } = alert;
    let customer = alert.customer_id.as_ref().map_or("unknown", crate::CustomerId::as_str);
    let subscription = alert.subscription_id.as_ref().map_or("unknown", crate::SubscriptionId::as_str);
    format!(
        "{detected} {severity} [{status}] customer {customer}, subscription {subscription}, partner tenant {tenant}, \
         alert {id}: {name}"
    )
}

pub(crate) fn signal_text(signal: &SignalNotice, tenant: &TenantId) -> String {
    let mut text = String::new();
    line(&mut text, "", "Microsoft sent a fraud event, and its list of alerts does not confirm it.");
    line(&mut text, "", "");
    let (why, what_to_do) = match signal.reason {
        SignalReason::NotFound => (
            "nothing was found within five minutes",
            "look at the subscription in the Azure portal and at Partner Center's security alerts. An alert that comes later is \
             told as ever.",
        ),
        SignalReason::NotRead => (
            "Microsoft's list could not be read within five minutes",
            "look at Partner Center's security alerts yourself; the log of poll says what fails.",
        ),
        SignalReason::Refused => (
            "Microsoft refuses the credentials of this partner tenant, so nobody is looking",
            "look at Partner Center's security alerts yourself, and mend the credentials: `partner-alerts doctor` says what is wrong.",
        ),
    };
    line(&mut text, "Why", why);
    let whose = if signal.customer_known { "a customer of yours" } else { "we can't tell; it may be a stranger's" };
    line(&mut text, "Whose", whose);
    optional_line(&mut text, "Customer", signal.customer_id.as_ref().map(crate::CustomerId::as_str));
    optional_line(&mut text, "Subscription", signal.subscription_id.as_ref().map(crate::SubscriptionId::as_str));
    line(&mut text, "Partner tenant", tenant.as_str());
    line(&mut text, "Received", &signal.received.to_string());
    line(&mut text, "Changed", &signal.changed.to_string());
    line(&mut text, "Event ID", signal.event_id.as_str());
    line(&mut text, "", "");
    line(&mut text, "What to do", what_to_do);
    text
}

/// Adds a line. What came from outside can't start lines of its own: line breaks and other control characters of the value
/// become blanks.
pub(crate) fn line(text: &mut String, label: &str, value: &str) {
    let value: String = value.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let separator = if label.is_empty() { "" } else { ": " };
    // Writing to a String can't fail.
    let _ = writeln!(text, "{label}{separator}{value}");
}

pub(crate) fn optional_line(text: &mut String, label: &str, value: Option<&str>) {
    if let Some(value) = value {
        line(text, label, value);
    }
}
