//! The endpoints of the Microsoft side, and how often each was asked.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// An audit record.
    AuditRecord,
    /// Entra ID's page for signing in.
    Authorize,
    /// One Azure subscription.
    AzureEntitlement,
    /// Its cancellation.
    AzureEntitlementCancel,
    /// Its reactivation.
    AzureEntitlementReactivate,
    /// The Azure subscriptions below a customer's plan.
    AzureEntitlements,
    /// The download of the signing certificate.
    Certificate,
    /// A customer.
    Customer,
    /// A customer's subscriptions: plans and whatever else it bought.
    CustomerSubscriptions,
    /// Entra ID's device codes.
    DeviceCode,
    /// What Entra ID says of itself as an OpenID provider.
    Discovery,
    /// The list of fraudEvents.
    FraudEvents,
    /// The update of fraudEvents.
    FraudEventStatus,
    /// One alert.
    Get,
    /// The download of the certificate's issuer.
    Issuer,
    /// The keys that Entra ID signs tokens with.
    Keys,
    /// A page of alerts.
    List,
    /// The update of an alert.
    Patch,
    /// The events that a registration may name.
    RegistrationEvents,
    /// The registration, read.
    RegistrationGet,
    /// The registration, made.
    RegistrationPost,
    /// The registration, replaced.
    RegistrationPut,
    /// The request for a test event.
    TestEvent,
    /// What became of a test event.
    TestEventStatus,
    /// The token endpoint of Entra ID.
    Token,
}

impl Target {
    pub(crate) const fn is_download(self) -> bool {
        matches!(self, Self::Certificate | Self::Issuer)
    }

    pub(crate) const fn is_graph(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Patch)
    }

    pub(crate) const fn is_partner_center(self) -> bool {
        matches!(
            self,
            Self::AuditRecord
                | Self::AzureEntitlement
                | Self::AzureEntitlementCancel
                | Self::AzureEntitlementReactivate
                | Self::AzureEntitlements
                | Self::Customer
                | Self::CustomerSubscriptions
                | Self::FraudEvents
                | Self::FraudEventStatus
                | Self::RegistrationEvents
                | Self::RegistrationGet
                | Self::RegistrationPost
                | Self::RegistrationPut
                | Self::TestEvent
                | Self::TestEventStatus
        )
    }
}

/// How often each endpoint was asked, whatever it answered: members named as in [`Target`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "`Target` has the words")]
pub struct Requests {
    pub audit_record: u64,
    pub authorize: u64,
    pub azure_entitlement: u64,
    pub azure_entitlement_cancel: u64,
    pub azure_entitlement_reactivate: u64,
    pub azure_entitlements: u64,
    pub certificate: u64,
    pub customer: u64,
    pub customer_subscriptions: u64,
    pub device_code: u64,
    pub discovery: u64,
    pub fraud_events: u64,
    pub fraud_event_status: u64,
    pub get: u64,
    pub issuer: u64,
    pub keys: u64,
    pub list: u64,
    pub patch: u64,
    pub registration_events: u64,
    pub registration_get: u64,
    pub registration_post: u64,
    pub registration_put: u64,
    pub test_event: u64,
    pub test_event_status: u64,
    pub token: u64,
}

/// The counts.
#[derive(Default)]
pub(crate) struct Counts([AtomicU64; Target::Token as usize + 1]);

impl Counts {
    pub(crate) fn count(&self, target: Target) {
        self.0[target as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn requests(&self) -> Requests {
        let count = |target: Target| self.0[target as usize].load(Ordering::Relaxed);
        Requests {
            audit_record: count(Target::AuditRecord),
            authorize: count(Target::Authorize),
            azure_entitlement: count(Target::AzureEntitlement),
            azure_entitlement_cancel: count(Target::AzureEntitlementCancel),
            azure_entitlement_reactivate: count(Target::AzureEntitlementReactivate),
            azure_entitlements: count(Target::AzureEntitlements),
            certificate: count(Target::Certificate),
            customer: count(Target::Customer),
            customer_subscriptions: count(Target::CustomerSubscriptions),
            device_code: count(Target::DeviceCode),
            discovery: count(Target::Discovery),
            fraud_events: count(Target::FraudEvents),
            fraud_event_status: count(Target::FraudEventStatus),
            get: count(Target::Get),
            issuer: count(Target::Issuer),
            keys: count(Target::Keys),
            list: count(Target::List),
            patch: count(Target::Patch),
            registration_events: count(Target::RegistrationEvents),
            registration_get: count(Target::RegistrationGet),
            registration_post: count(Target::RegistrationPost),
            registration_put: count(Target::RegistrationPut),
            test_event: count(Target::TestEvent),
            test_event_status: count(Target::TestEventStatus),
            token: count(Target::Token),
        }
    }
}
