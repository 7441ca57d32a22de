//! Which names a run's alerts need.

use std::collections::BTreeMap;

use crate::{
    Alert, AlertSource, BroughtReseller, CustomerId, NamesRequest, SubscriptionId, TenantId, TraceContext,
    WantedCustomer, WantedNames, WantedSubscription, names::carried,
};

/// What a message may weigh as JSON, in bytes: ten of them, which is a batch, are within SQS's 256 KiB.
const MESSAGE_BYTES: usize = 16_000;
/// What an entry weighs beside its id and its name.
const ENTRY_BYTES: usize = 48;

/// The members of fraudEvents that bring names ("Get fraud events").
const CUSTOMER: &str = "customerFriendlyName";
const SUBSCRIPTION: &str = "subscriptionName";
const RESELLER: &str = "valueAddedResellerFriendlyName";

/// The customers, subscriptions and resellers of some alerts, with the names that the alerts brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamesOfAlerts {
    customers: BTreeMap<CustomerId, Of>,
    resellers: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Of {
    name: Option<String>,
    subscriptions: BTreeMap<SubscriptionId, Option<String>>,
}

impl NamesOfAlerts {
    /// Whether an alert needs other names than it did.
    #[must_use]
    pub fn differ(before: &Alert, after: &Alert) -> bool {
        let ids = |alert: &Alert| (alert.customer_id.clone(), alert.subscription_id.clone(), alert.reseller_id.clone());
        ids(before) != ids(after)
    }

    /// Notes the names of an alert from this source. Graph brings ids alone; fraudEvents brings the names, too.
    pub fn add(&mut self, alert: &Alert, source: AlertSource) {
        let brought = |member: &str| {
            let text = alert.additional_details.get(member).and_then(serde_json::Value::as_str);
            text.filter(|_| source == AlertSource::FraudEvents).and_then(carried)
        };
        if let Some((reseller, name)) = alert.reseller_id.clone().filter(|id| id.is_ascii()).zip(brought(RESELLER)) {
            self.resellers.insert(reseller, name);
        }
        // The name of a subscription is asked for by its customer. Ids of Azure are ASCII; what is not, SQS might not take.
        let Some(customer) = alert.customer_id.as_ref().filter(|id| id.as_str().is_ascii()) else { return };
        let of = self.customers.entry(customer.clone()).or_default();
        of.name = brought(CUSTOMER).or(of.name.take());
        if let Some(subscription) = alert.subscription_id.as_ref().filter(|id| id.as_str().is_ascii()) {
            let name = of.subscriptions.entry(subscription.clone()).or_default();
            *name = brought(SUBSCRIPTION).or(name.take());
        }
    }

    /// The requests for all of them, each within what a message may weigh.
    #[must_use]
    pub fn requests(self, tenant: &TenantId, trace: Option<TraceContext>) -> Vec<NamesRequest> {
        let mut messages = Messages::default();
        for (id, of) in self.customers {
            messages.customer(WantedCustomer { id, name: of.name, subscriptions: Vec::new() });
            for (id, name) in of.subscriptions {
                messages.subscription(WantedSubscription { id, name });
            }
        }
        for (id, name) in self.resellers {
            messages.reseller(BroughtReseller { id, name });
        }
        let request = |(customers, resellers)| {
            NamesRequest::new(tenant.clone(), WantedNames::OfAlerts { customers, resellers }, trace)
        };
        messages
            .full
            .into_iter()
            .chain([messages.last])
            .filter(|last| *last != Default::default())
            .map(request)
            .collect()
    }
}

type Content = (Vec<WantedCustomer>, Vec<BroughtReseller>);

/// Messages that are filled one after the other.
#[derive(Default)]
struct Messages {
    full: Vec<Content>,
    last: Content,
    bytes: usize,
}

impl Messages {
    fn make_room(&mut self, texts: &[&str]) {
        // An escaped control character has six bytes in place of one.
        let bytes = ENTRY_BYTES + texts.iter().map(|text| text.escape_default().count()).sum::<usize>();
        if self.bytes > 0 && self.bytes + bytes > MESSAGE_BYTES {
            self.full.push(std::mem::take(&mut self.last));
            self.bytes = 0;
        }
        self.bytes += bytes;
    }

    fn customer(&mut self, customer: WantedCustomer) {
        self.make_room(&[customer.id.as_str(), customer.name.as_deref().unwrap_or_default()]);
        self.last.0.push(customer);
    }

    /// A subscription of the customer that was the last.
    fn subscription(&mut self, subscription: WantedSubscription) {
        let last = |content: &Content| content.0.last().map(|customer| customer.id.clone());
        let Some(customer) = last(&self.last) else { return };
        self.make_room(&[subscription.id.as_str(), subscription.name.as_deref().unwrap_or_default()]);
        if self.last.0.is_empty() {
            self.customer(WantedCustomer { id: customer, name: None, subscriptions: Vec::new() });
        }
        if let Some(customer) = self.last.0.last_mut() {
            customer.subscriptions.push(subscription);
        }
    }

    fn reseller(&mut self, reseller: BroughtReseller) {
        self.make_room(&[&reseller.id, &reseller.name]);
        self.last.1.push(reseller);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{AlertType, Resolution, Severity, Status};

    const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";

    fn alert(customer: &str, subscription: &str, details: Value) -> Alert {
        let moment = "2026-03-02T09:00:00Z".parse().unwrap();
        Alert {
            id: "a".parse().unwrap(),
            display_name: "made up".to_owned(),
            description: None,
            alert_type: AlertType::named("CryptoMining"),
            status: Status::Active,
            severity: Severity::High,
            confidence: None,
            customer_id: customer.parse().ok(),
            subscription_id: subscription.parse().ok(),
            reseller_id: Some("r".to_owned()),
            catalog_offer_id: None,
            detected: moment,
            first_observed: moment,
            last_observed: moment,
            resolution: Resolution::default(),
            is_test: false,
            affected_resources: Vec::new(),
            activity: Vec::new(),
            additional_details: serde_json::from_value(details).unwrap(),
        }
    }

    fn requests(names: NamesOfAlerts) -> Vec<NamesRequest> {
        names.requests(&TENANT.parse().unwrap(), None)
    }

    #[test]
    fn each_customer_is_named_once_with_all_its_subscriptions_and_an_alert_without_one_names_nobody() {
        let mut names = NamesOfAlerts::default();
        for (customer, subscription) in [("c", "s2"), ("c", "s1"), ("c", "s2"), ("b", ""), ("", "s3")] {
            names.add(&alert(customer, subscription, json!({})), AlertSource::Graph);
        }
        let subscriptions = json!([{ "id": "s1" }, { "id": "s2" }]);
        let [request] = &requests(names)[..] else { panic!("one message") };
        let expected =
            json!({ "of_alerts": { "customers": [{ "id": "b" }, { "id": "c", "subscriptions": subscriptions }] } });
        assert_eq!(serde_json::to_value(&request.names).unwrap(), expected);
        assert_eq!(requests(NamesOfAlerts::default()), []);
    }

    #[test]
    fn names_come_with_an_alert_of_fraud_events_and_with_none_of_graphs() {
        let details = json!({
            "customerFriendlyName": "Contoso", "subscriptionName": "Production", "valueAddedResellerFriendlyName": "Fabrikam"
        });
        let named = |source| {
            let mut names = NamesOfAlerts::default();
            names.add(&alert("c", "s", details.clone()), source);
            // A later one that says nothing takes nothing away.
            names.add(&alert("c", "s", json!({ "customerFriendlyName": 7, "subscriptionName": " \u{200b}" })), source);
            serde_json::to_value(&requests(names)[0].names).unwrap()["of_alerts"].clone()
        };
        let subscriptions = json!([{ "id": "s", "name": "Production" }]);
        assert_eq!(
            named(AlertSource::FraudEvents),
            json!({
                "customers": [{ "id": "c", "name": "Contoso", "subscriptions": subscriptions }],
                "resellers": [{ "id": "r", "name": "Fabrikam" }],
            })
        );
        assert_eq!(
            named(AlertSource::Graph),
            json!({ "customers": [{ "id": "c", "subscriptions": [{ "id": "s" }] }] })
        );
    }

    #[test]
    fn however_many_and_however_long_a_batch_of_requests_fits_into_a_batch_of_the_queue() {
        let mut names = NamesOfAlerts::default();
        let mut expected = 0;
        for customer in 0..60 {
            for subscription in 0..=(customer % 7) * 9 {
                let details = json!({
                    "customerFriendlyName": "\u{1}".repeat(10_000), "subscriptionName": "\u{202e}n\u{fffe}".repeat(5_000)
                });
                names.add(
                    &alert(&format!("c{customer}"), &format!("s{subscription}"), details),
                    AlertSource::FraudEvents,
                );
                expected += 1;
            }
        }
        let requests = requests(names);
        let mut subscriptions = 0;
        for request in &requests {
            let json = serde_json::to_string(request).unwrap();
            assert!(json.len() <= 26_000, "{}", json.len());
            assert!(!json.contains('\u{fffe}'), "SQS takes no such character");
            let WantedNames::OfAlerts { customers, .. } = &request.names else { panic!("of alerts") };
            subscriptions += customers.iter().map(|customer| customer.subscriptions.len()).sum::<usize>();
        }
        assert_eq!(subscriptions, expected);
        assert!(requests.len() > 10);
    }

    #[test]
    fn only_other_ids_are_other_names() {
        let before = alert("c", "s", json!({}));
        let moved = Alert { last_observed: "2026-03-03T09:00:00Z".parse().unwrap(), ..before.clone() };
        assert!(!NamesOfAlerts::differ(&before, &moved));
        assert!(NamesOfAlerts::differ(&before, &alert("d", "s", json!({}))));
        assert!(NamesOfAlerts::differ(&before, &alert("c", "t", json!({}))));
    }
}
