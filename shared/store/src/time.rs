//! Moments as keys and as TTL.

use jiff::Timestamp;

/// The first moment of the year 0. What is before it has a sign, by which no text order is time order: it counts as this moment.
const FIRST: Timestamp = Timestamp::constant(-62_167_219_200, 0);

/// A moment as a sort key: fixed width, so that text order is time order. Milliseconds, UTC.
pub(crate) fn sortable(moment: Timestamp) -> String {
    moment.max(FIRST).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
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
        let ends = [
            Timestamp::MIN,
            FIRST,
            "0001-01-01T00:00:00Z".parse().unwrap(),
            moments[0].parse().unwrap(),
            Timestamp::MAX,
        ];
        let keys = ends.map(sortable);
        assert!(keys.is_sorted() && keys.iter().all(|key| key.len() == 24), "{keys:?}");
        assert_eq!((keys[0].as_str(), &keys[1]), ("0000-01-01T00:00:00.000Z", &keys[0]));
    }
}
