//! Measurements beside their yardstick, as the binaries of `in-process` print them.

use serde::Deserialize;

/// One measurement of time on the processor, and of what is compared with it in the same moment; nanoseconds for one callback or page.
#[derive(Clone, Debug, Deserialize)]
pub struct Timed {
    /// What was done with it.
    pub what: String,
    /// The kind of callback or page.
    pub kind: String,
    took_ns: f64,
    bare_ns: f64,
}

impl Timed {
    fn ratio(&self) -> f64 {
        self.took_ns / self.bare_ns
    }
}

/// What memory was asked for: how often and how many bytes, in all and by what is compared with it.
#[derive(Clone, Debug, Deserialize)]
pub struct Asked {
    allocations: i32,
    bytes: i32,
    bare_allocations: i32,
    bare_bytes: i32,
}

impl Asked {
    /// How often more than the yardstick.
    #[must_use]
    pub fn allocations_beyond(&self) -> i32 {
        self.allocations - self.bare_allocations
    }

    /// How many bytes more than the yardstick.
    #[must_use]
    pub fn bytes_beyond(&self) -> i32 {
        self.bytes - self.bare_bytes
    }
}

/// What many rounds of one measurement come to. Medians: what else the machine does moves a mean, and them hardly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Typical {
    /// Of the ratios, each of a measurement and the yardstick of its own round.
    pub ratio: f64,
    /// Of the measurements.
    pub took_ns: f64,
}

/// What the rounds of this measurement come to.
///
/// # Panics
///
/// Where there was none.
#[must_use]
pub fn typical(timed: &[Timed], what: &str, kind: &str) -> Typical {
    let rounds = || timed.iter().filter(|timed| timed.what == what && timed.kind == kind);
    assert!(rounds().count() > 0, "nothing was {what} {kind}");
    Typical {
        ratio: median(rounds().map(Timed::ratio).collect()),
        took_ns: median(rounds().map(|timed| timed.took_ns).collect()),
    }
}

/// The middle one of these; of an even number the greater of two.
///
/// # Panics
///
/// Where there is none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn timed(kind: &str, took_ns: u32, bare_ns: u32) -> Timed {
        let line = json!({ "what": "judged", "kind": kind, "took_ns": took_ns, "bare_ns": bare_ns });
        serde_json::from_value(line).unwrap()
    }

    #[test]
    fn each_round_is_compared_with_its_own_yardstick_and_one_disturbed_round_decides_nothing() {
        let timed = [
            timed("genuine", 110, 100),
            // A slower processor: slower both.
            timed("genuine", 330, 300),
            timed("genuine", 9_000, 100),
            timed("forged", 1, 100),
        ];
        assert_eq!(typical(&timed, "judged", "genuine"), Typical { ratio: 1.1, took_ns: 330.0 });
    }

    #[test]
    fn the_median_does_not_go_by_the_order_of_measuring() {
        assert!((median(vec![9.0, -1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 3.0]) - 4.0).abs() < f64::EPSILON);
    }

    #[test]
    fn what_is_asked_for_beyond_the_yardstick_is_the_difference() {
        let asked = json!({ "allocations": 36, "bytes": 7_668, "bare_allocations": 28, "bare_bytes": 6_931 });
        let asked: Asked = serde_json::from_value(asked).unwrap();
        assert_eq!([asked.allocations_beyond(), asked.bytes_beyond()], [8, 737]);
    }
}
