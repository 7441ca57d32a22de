//! Moments as keys and as TTL.

use jiff::Timestamp;

/// A moment as a sort key: fixed width, so that text order is time order. Milliseconds, UTC.
pub(crate) fn sortable(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_order_is_time_order() {
        let moments =
            ["2026-03-02T06:12:09Z", "2026-03-02T06:12:09.0004Z", "2026-03-02T06:12:09.12Z", "2026-11-02T06:12:09Z"];
        let keys: Vec<String> = moments.iter().map(|text| sortable(text.parse().unwrap())).collect();
        assert!(keys.is_sorted());
        assert_eq!(keys[2], "2026-03-02T06:12:09.120Z");
    }
}
