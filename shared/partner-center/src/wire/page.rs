//! A page of Graph's list, read into alerts.

use models::Alert;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

use super::{UnreadableAlert, graph::WireAlert, read_alert};

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
struct WirePage<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
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
    let WirePage::<&RawValue> { value, next_link } = serde_json::from_slice(json)?;
    let mut page = GraphPage { alerts: Vec::new(), unreadable: Vec::new(), next_link };
    for alert in value {
        match read_alert(alert.get().as_bytes()) {
            Ok(alert) => page.alerts.push(alert),
            Err(unreadable) => page.unreadable.push(unreadable),
        }
    }
    Ok(page)
}

/// Reads a page whose alerts can all be read.
fn all_readable(json: &str) -> Result<GraphPage, serde_json::Error> {
    let WirePage { value, next_link } = serde_json::from_str(json)?;
    let alerts = value.into_iter().map(|Readable(alert)| alert).collect();
    Ok(GraphPage { alerts, unreadable: Vec::new(), next_link })
}
