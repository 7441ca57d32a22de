//! A page of either source's list, read into alerts.

use models::Alert;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

use super::{UnreadableAlert, graph::WireAlert, read_alert, read_fraud_event, tamed::Tamed};

/// A page of Graph's list.
#[derive(Debug)]
pub struct GraphPage {
    /// The alerts that could be read.
    pub alerts: Vec<Alert>,
    /// The alerts that could not.
    pub unreadable: Vec<UnreadableAlert>,
    /// The address of the next page, as it came. None where the list ends.
    pub next_link: Option<String>,
}

#[derive(Deserialize)]
struct WirePage<T, L> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<L>,
}

/// An alert that can be read: any other spoils the page.
struct Readable(Alert);

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let alert = WireAlert::deserialize(deserializer)?.into_alert();
        alert.map(Self).map_err(|_| D::Error::custom("an alert without a date"))
    }
}

/// Reads a page of Graph's list of alerts. One that can't be read costs no other.
///
/// # Errors
///
/// Where it is no page at all.
pub fn read_graph_page(json: &[u8]) -> Result<GraphPage, serde_json::Error> {
    // Nearly always all of them can be read, in one go. Where one can't, they are taken one by one, so that its bytes can be kept.
    // Text that is known to be text is read faster.
    if let Some(page) = std::str::from_utf8(json).ok().and_then(|json| all_readable(json).ok()) {
        return Ok(page);
    }
    let tamed = Tamed::new(json);
    let WirePage::<&RawValue, &RawValue> { value, next_link } = tamed.split()?;
    let next_link = next_link.map(|link| serde_json::from_slice(tamed.as_it_came(link))).transpose()?;
    let (alerts, unreadable) = one_by_one(value.into_iter().map(|alert| tamed.as_it_came(alert)), read_alert);
    Ok(GraphPage { alerts, unreadable, next_link })
}

/// Reads a page of fraudEvents' list: the events that could be read, and those that could not. One that can't be read costs no other.
///
/// # Errors
///
/// Where it is no list at all.
pub fn read_fraud_events(json: &[u8]) -> Result<(Vec<Alert>, Vec<UnreadableAlert>), serde_json::Error> {
    let tamed = Tamed::new(json);
    let events: Vec<&RawValue> = tamed.split()?;
    Ok(one_by_one(events.into_iter().map(|event| tamed.as_it_came(event)), read_fraud_event))
}

fn one_by_one<'a>(
    alerts: impl Iterator<Item = &'a [u8]>,
    read: impl Fn(&[u8]) -> Result<Alert, UnreadableAlert>,
) -> (Vec<Alert>, Vec<UnreadableAlert>) {
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for alert in alerts {
        match read(alert) {
            Ok(alert) => readable.push(alert),
            Err(alert) => unreadable.push(alert),
        }
    }
    (readable, unreadable)
}

/// Reads a page whose alerts can all be read.
fn all_readable(json: &str) -> Result<GraphPage, serde_json::Error> {
    let WirePage::<Readable, String> { value, next_link } = serde_json::from_str(json)?;
    let alerts = value.into_iter().map(|Readable(alert)| alert).collect();
    Ok(GraphPage { alerts, unreadable: Vec::new(), next_link })
}
