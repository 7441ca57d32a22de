//! Names for display: whose they are, which of them alerts need, and how they are searched for.
//!
//! Alerts hold ids; people know customers, resellers and subscriptions by names. What is missing is asked for by a message of its own
//! ([`NamesRequest`]), so that no alert waits for a name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    CustomerId, ReconcileCause, SubscriptionId, TenantId, TraceContext,
    looks::{is_none_yet, next_hop},
    text::cut,
};

/// Longest name that a message carries, in characters.
const NAME_CHARACTERS: usize = 256;
/// Longest text that names are searched by, in bytes: with an id of 128 behind it well within the 1,024 of a sort key.
const FOLDED_BYTES: usize = 512;

/// Whose name it is. Ids of Azure are compared without regard to case: here they are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId {
    kind: NameKind,
    id: String,
}

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameKind {
    /// A customer.
    Customer,
    /// An indirect reseller.
    Reseller,
    /// An Azure subscription.
    Subscription,
}

impl NameKind {
    /// Its name in keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Reseller => "reseller",
            Self::Subscription => "subscription",
        }
    }
}

impl NameId {
    /// A customer's.
    #[must_use]
    pub fn customer(id: &CustomerId) -> Self {
        Self { kind: NameKind::Customer, id: id.as_str().to_ascii_lowercase() }
    }

    /// An Azure subscription's.
    #[must_use]
    pub fn subscription(id: &SubscriptionId) -> Self {
        Self { kind: NameKind::Subscription, id: id.as_str().to_ascii_lowercase() }
    }

    /// An indirect reseller's. None where the text is as long as no id is.
    #[must_use]
    pub fn reseller(id: &str) -> Option<Self> {
        // What holds for a customer's id holds for a reseller's: both are tenants of Entra ID.
        let id: CustomerId = id.to_ascii_lowercase().parse().ok()?;
        Some(Self { kind: NameKind::Reseller, id: id.into() })
    }

    /// What has the name.
    #[must_use]
    pub fn kind(&self) -> NameKind {
        self.kind
    }

    /// The id, in lower case.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for NameId {
    /// `customer#` and the id.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}#{}", self.kind.as_str(), self.id)
    }
}

impl std::str::FromStr for NameId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, id) = text.split_once('#').unwrap_or_default();
        let kinds = [NameKind::Customer, NameKind::Reseller, NameKind::Subscription];
        let kind = kinds.into_iter().find(|known| known.as_str() == kind);
        let id = (!id.is_empty()).then(|| id.to_ascii_lowercase());
        kind.zip(id)
            .map(|(kind, id)| Self { kind, id })
            .ok_or_else(|| "customer#, reseller# or subscription#".to_owned())
    }
}

/// A name as it is searched for: in lower case, with single blanks, without what can't be seen or typed, at most 512 bytes of it.
#[must_use]
pub fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for mark in name.chars().flat_map(char::to_lowercase).filter(|mark| !is_invisible(*mark)) {
        if !mark.is_whitespace() {
            folded.push(mark);
        } else if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
        if folded.len() >= FOLDED_BYTES {
            break;
        }
    }
    folded.truncate(folded.floor_char_boundary(FOLDED_BYTES));
    folded.truncate(folded.trim_end().len());
    folded
}

/// Control characters that are no blanks, and marks of direction and width that show nothing of themselves (Unicode: `Bidi_Control`,
/// zero-width spaces and joiners, the byte-order mark).
#[must_use]
pub fn is_invisible(mark: char) -> bool {
    (mark.is_control() && !mark.is_whitespace())
        || matches!(mark, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A customer whose name is wanted, or names of whose subscriptions are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedCustomer {
    /// The customer.
    pub id: CustomerId,
    /// Its name, where the alert brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its subscriptions whose names are wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<WantedSubscription>,
}

/// A subscription whose name is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedSubscription {
    /// The subscription.
    pub id: SubscriptionId,
    /// Its name, where the alert brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An indirect reseller whose name an alert brought: no call of Microsoft's gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BroughtReseller {
    /// The reseller.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Which names are to be looked after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantedNames {
    /// Those that alerts need.
    OfAlerts {
        /// Customers and their subscriptions.
        #[serde(default)]
        customers: Vec<WantedCustomer>,
        /// Resellers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        resellers: Vec<BroughtReseller>,
    },
    /// Those that are old by now.
    Old {
        /// Whether this goes on with what was begun today.
        #[serde(default)]
        again: bool,
    },
}

/// The message on the names queue: "look after these names of this tenant".
///
/// Whoever takes it for a [`crate::ReconcileRequest`] reconciles the tenant, which does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamesRequest {
    /// Whose names.
    pub tenant: TenantId,
    /// What the release before reads.
    #[serde(default = "again")]
    cause: ReconcileCause,
    /// Which names.
    pub names: WantedNames,
    /// How often it was tried in vain.
    #[serde(default)]
    pub attempts: u32,
    /// How many messages came before it in its chain: at most [`crate::MOST_HOPS`]. Absent in a message of the release before.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub hops: u32,
    /// Where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "TraceContext::lenient")]
    pub trace: Option<TraceContext>,
}

fn again() -> ReconcileCause {
    ReconcileCause::Again
}

impl NamesRequest {
    /// A request that nobody has tried yet, the first message of a chain.
    #[must_use]
    pub fn new(tenant: TenantId, names: WantedNames, trace: Option<TraceContext>) -> Self {
        Self { tenant, cause: again(), names, attempts: 0, hops: 0, trace }
    }

    /// The request for what is left of this one. None where the chain of messages is long enough.
    #[must_use]
    pub fn rest(&self, names: WantedNames, attempts: u32) -> Option<Self> {
        Some(Self { names, attempts, hops: next_hop(self.hops)?, ..self.clone() })
    }
}

/// A name as a message carries it: without the two characters that SQS refuses. One that shows nothing is none.
pub(crate) fn carried(name: &str) -> Option<String> {
    let name: String =
        name.chars().filter(|mark| !matches!(mark, '\u{fffe}' | '\u{ffff}')).take(NAME_CHARACTERS + 1).collect();
    (!folded(&name).is_empty()).then(|| cut(&name, NAME_CHARACTERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whatever_its_case_its_blanks_and_what_is_hidden_in_it() {
        for (name, expected) in [
            ("Contoso Ltd", "contoso ltd"),
            ("  CONTOSO\t\u{a0} Ltd\r\n", "contoso ltd"),
            ("Con\u{202e}toso\0 \u{200b}Ltd\u{1b}", "contoso ltd"),
            ("ÄRZTE ÖL", "ärzte öl"),
            ("A#B", "a#b"),
            ("\u{202e}\0", ""),
        ] {
            assert_eq!(folded(name), expected, "{name:?}");
        }
        assert_eq!(folded(&"a".repeat(10_000)).len(), FOLDED_BYTES);
        assert!(folded(&"ẞ€".repeat(5_000)).len() <= FOLDED_BYTES);
        assert_eq!(folded(&folded("İstanbul  A.Ş.")), folded("İstanbul  A.Ş."), "what is searched for is folded, too");
    }

    #[test]
    fn one_id_is_one_name_whatever_its_case() {
        let of = |id: &str| NameId::customer(&id.parse().unwrap());
        assert_eq!(of("4A8F"), of("4a8f"));
        assert_ne!(of("4a8f"), NameId::subscription(&"4a8f".parse().unwrap()));
        assert_eq!(of("4A8F").to_string().parse(), Ok(of("4a8f")));
        assert_eq!(NameId::reseller("").or(NameId::reseller(&"r".repeat(129))), None);
        for bad in ["", "customer", "customer#", "alert#4a8f", "#4a8f"] {
            assert!(bad.parse::<NameId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_release_before_takes_a_request_for_names_for_one_of_a_run() {
        let tenant: TenantId = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap();
        let request = NamesRequest::new(tenant.clone(), WantedNames::Old { again: false }, None);
        let json = serde_json::to_string(&request).unwrap();
        let run: crate::ReconcileRequest = serde_json::from_str(&json).unwrap();
        assert_eq!(run, crate::ReconcileRequest { tenant, cause: ReconcileCause::Again, trace: None });
        assert_eq!(serde_json::from_str::<NamesRequest>(&json).unwrap(), request);
        assert!(serde_json::from_str::<NamesRequest>(&serde_json::to_string(&run).unwrap()).is_err());
    }
}
