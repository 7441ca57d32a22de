//! What a customer buys Azure by: plans, and the Azure subscriptions below them, which Partner Center calls entitlements.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::wire::{bounded_name, lenient};

pub(crate) const PLANS: &str = "listing a customer's subscriptions";
pub(crate) const ENTITLEMENTS: &str = "listing the Azure subscriptions of a plan";
/// What the offer of an Azure plan begins with ("Get an Azure entitlement for a subscription"). The Azure subscriptions that alerts are
/// about live below plans.
const AZURE_PLAN: &str = "DZH318Z0BPS6:0001:";

/// An Azure plan. Texts are cut to 1,000 bytes, and are otherwise as they came: whoever shows them escapes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its id at Partner Center.
    pub id: Uuid,
    /// What it is called: by somebody, or by its offer.
    pub name: Option<String>,
    /// Where it stands, in Partner Center's words, such as `active` or `suspended`.
    pub status: Option<String>,
}

/// An Azure subscription as Partner Center has it. Texts are as those of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlement {
    /// The subscription's id, which is the one of its alerts.
    pub id: Uuid,
    /// What it is called.
    pub name: Option<String>,
    /// Where it stands.
    pub status: EntitlementStatus,
}

/// Where an Azure subscription stands ("Azure entitlement" resource; Microsoft may add to it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntitlementStatus {
    /// It runs, and costs.
    Active,
    /// It is cancelled.
    Inactive,
    /// Something that is not documented, as it came.
    Other(String),
}

impl EntitlementStatus {
    fn read(text: &str) -> Self {
        match text {
            text if text.eq_ignore_ascii_case("active") => Self::Active,
            text if text.eq_ignore_ascii_case("inactive") => Self::Inactive,
            other => Self::Other(bounded_name(Some(other.to_owned())).unwrap_or_else(|| "none".to_owned())),
        }
    }
}

impl fmt::Display for EntitlementStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Other(text) => text,
        })
    }
}

/// Where an Azure subscription is found at Partner Center: what every call about it needs. An operation keeps it, to go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntitlementPlace {
    /// The customer.
    pub customer: Uuid,
    /// The Azure plan.
    pub plan: Uuid,
    /// The Azure subscription.
    pub subscription: Uuid,
}

impl EntitlementPlace {
    /// The segments of its address, and of what is asked of it.
    pub(crate) fn path<'a>(&self, ids: &'a mut [String; 3], act: Option<&'a str>) -> Vec<&'a str> {
        *ids = [self.customer, self.plan, self.subscription].map(|id| id.to_string());
        let [customer, plan, subscription] = ids;
        let mut path = vec!["v1", "customers", customer, "subscriptions", plan, "azureEntitlements", subscription];
        path.extend(act);
        path
    }
}

/// A commerce subscription; an Azure plan is one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WirePlan {
    pub(crate) id: String,
    pub(crate) offer_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    friendly_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    offer_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    status: Option<String>,
}

impl WirePlan {
    pub(crate) fn is_azure(&self) -> bool {
        let begins =
            |offer: &str| offer.get(..AZURE_PLAN.len()).is_some_and(|start| start.eq_ignore_ascii_case(AZURE_PLAN));
        self.offer_id.as_deref().is_some_and(begins)
    }

    /// The Azure plan, if it is one.
    pub(crate) fn plan(self) -> Option<Plan> {
        let id = guid(&self.id).filter(|_| self.is_azure())?;
        let name = bounded_name(self.friendly_name).or_else(|| bounded_name(self.offer_name));
        Some(Plan { id, name, status: bounded_name(self.status) })
    }
}

/// An Azure subscription, which Partner Center calls an entitlement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireEntitlement {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) friendly_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    status: Option<String>,
}

impl WireEntitlement {
    /// The Azure subscription. None where its id is no GUID.
    pub(crate) fn entitlement(self) -> Option<Entitlement> {
        let status = EntitlementStatus::read(self.status.as_deref().unwrap_or_default());
        Some(Entitlement { id: guid(&self.id)?, name: bounded_name(self.friendly_name), status })
    }
}

/// A GUID in its usual form, of 36 characters: what is none becomes part of no address.
pub(crate) fn guid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const LIST: &str = include_str!("../tests/data/azure-entitlements-list.json");
    const CANCELLED: &str = include_str!("../tests/data/azure-entitlement-cancel-response.json");
    const PLANS_OF_A_CUSTOMER: &str = include_str!("../tests/data/subscriptions-list.json");

    fn entitlement(wire: Value) -> Option<Entitlement> {
        serde_json::from_value::<WireEntitlement>(wire).unwrap().entitlement()
    }

    #[test]
    fn the_samples_are_read_with_names_and_status() {
        let list: Value = serde_json::from_str(LIST).unwrap();
        let read = |place: usize| entitlement(list["items"][place].clone()).unwrap();
        assert_eq!((read(0).name.as_deref(), read(0).status), (Some("Production"), EntitlementStatus::Active));
        assert_eq!((read(1).name.as_deref(), read(1).status), (Some("Old sandbox"), EntitlementStatus::Inactive));
        let cancelled = entitlement(serde_json::from_str(CANCELLED).unwrap()).unwrap();
        assert_eq!(cancelled, read(0), "Microsoft's sample of the answer still says active");

        let plans: Value = serde_json::from_str(PLANS_OF_A_CUSTOMER).unwrap();
        let plan = serde_json::from_value::<WirePlan>(plans["items"][0].clone()).unwrap().plan().unwrap();
        assert_eq!((plan.name.as_deref(), plan.status.as_deref()), (Some("Azure plan"), Some("active")));
        assert_eq!(plan.id.to_string(), "8e5a3c70-24d1-4b96-f8c2-6d09b7e1a4f5");
    }

    #[test]
    fn a_status_that_is_not_documented_is_neither_active_nor_inactive() {
        let id = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
        for (status, expected) in [
            (json!("ACTIVE"), EntitlementStatus::Active),
            (json!("Inactive"), EntitlementStatus::Inactive),
            (json!("warned"), EntitlementStatus::Other("warned".to_owned())),
            (json!(""), EntitlementStatus::Other("none".to_owned())),
            (json!(7), EntitlementStatus::Other("none".to_owned())),
            (Value::Null, EntitlementStatus::Other("none".to_owned())),
        ] {
            let read = entitlement(json!({ "id": id, "status": status })).unwrap();
            assert_eq!(read.status, expected, "{status}");
        }
    }

    #[test]
    fn only_a_guid_in_its_usual_form_is_part_of_an_address() {
        let id = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
        assert_eq!(guid(&id.to_uppercase()).map(|id| id.to_string()).as_deref(), Some(id));
        let other_forms = ["", "..", "s", "6c2e9a470d3b4f58b1e692a7c4d0f381", "{6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381}"];
        for text in other_forms
            .into_iter()
            .chain(["6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f38/", "urn:uuid:6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381"])
        {
            assert_eq!(guid(text), None, "{text}");
        }
        assert_eq!(entitlement(json!({ "id": "..", "status": "active" })), None);
    }

    #[test]
    fn what_is_no_azure_plan_is_none() {
        for (offer, is_one) in [
            (json!("DZH318Z0BPS6:0001:DZH318Z0BMJX"), true),
            (json!("dzh318z0bps6:0001:x"), true),
            (json!("CFQ7TTC0LH18:0001:CFQ7TTC0K971"), false),
            (json!("DZH318Z0BPS6"), false),
            (Value::Null, false),
        ] {
            let wire = json!({ "id": "8e5a3c70-24d1-4b96-f8c2-6d09b7e1a4f5", "offerId": offer });
            assert_eq!(serde_json::from_value::<WirePlan>(wire).unwrap().plan().is_some(), is_one, "{offer}");
        }
    }
}
