//! Where our verdict is not theirs on purpose.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Theirs, Vector};

/// A difference: for all vectors of the sets that fit every condition, and for none but these, our verdict is `ours`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    sets: Vec<String>,
    #[serde(default)]
    bits: Option<(usize, usize)>,
    #[serde(default)]
    exponent_is_not: Option<u64>,
    #[serde(default)]
    hash_is_not: Option<String>,
    #[serde(default)]
    numbers: Option<Vec<usize>>,
    #[serde(default)]
    theirs: Option<Theirs>,
    ours: String,
    /// For the reader.
    #[serde(rename = "why")]
    _why: String,
}

impl Difference {
    fn is_about(&self, vector: &Vector) -> bool {
        self.sets.contains(&vector.set)
            && self.bits.is_none_or(|(least, most)| (least..=most).contains(&vector.bits()))
            && self.exponent_is_not.is_none_or(|exponent| number(vector.exponent()) != Some(exponent))
            && self.hash_is_not.as_ref().is_none_or(|hash| vector.hash != *hash)
            && self.numbers.as_ref().is_none_or(|numbers| numbers.contains(&vector.number))
            && self.theirs.is_none_or(|theirs| vector.theirs == theirs)
    }

    /// What has to be met for the difference to be one: each of its vectors where it names them, else each of its sets.
    fn expected(&self) -> BTreeSet<(String, Option<usize>)> {
        let numbers = |set: &String| match &self.numbers {
            Some(numbers) => numbers.iter().map(|number| (set.clone(), Some(*number))).collect(),
            None => vec![(set.clone(), None)],
        };
        self.sets.iter().flat_map(numbers).collect()
    }
}

/// The differences of a suite, and what of them has been met.
pub(super) struct Differences {
    listed: Vec<Difference>,
    not_met: Vec<BTreeSet<(String, Option<usize>)>>,
}

impl Differences {
    pub(super) fn read(json: &str) -> Self {
        let listed: Vec<Difference> = serde_json::from_str(json).expect("a list of differences");
        let not_met = listed.iter().map(Difference::expected).collect();
        Self { listed, not_met }
    }

    /// The first difference that is about a vector decides; without one, we agree.
    pub(super) fn compare(&mut self, vector: &Vector, ours: &str) -> Result<(), String> {
        let Some(index) = self.listed.iter().position(|difference| difference.is_about(vector)) else {
            return if agrees(vector.theirs, ours) { Ok(()) } else { Err(format!("{ours}, which is not listed")) };
        };
        let expected = self.listed[index].ours.as_str();
        if ours != expected {
            return Err(format!("{ours}, where difference {index} says {expected}"));
        }
        if agrees(vector.theirs, ours) {
            return Err(format!("{ours} is no difference, but {index} lists it"));
        }
        let named = self.listed[index].numbers.is_some().then_some(vector.number);
        self.not_met[index].remove(&(vector.set.clone(), named));
        Ok(())
    }

    pub(super) fn not_met(&self) -> impl Iterator<Item = String> {
        self.not_met.iter().enumerate().flat_map(|(index, missing)| {
            missing.iter().map(move |(set, number)| format!("difference {index} does not occur: {set} {number:?}"))
        })
    }
}

/// What is invalid has to fail by its signature: a key that we refuse would hide that.
fn agrees(theirs: Theirs, ours: &str) -> bool {
    match theirs {
        Theirs::Valid => ours == "accepted",
        Theirs::Acceptable => false,
        Theirs::Invalid => matches!(ours, "signature-length" | "signature-mismatch" | "signature-not-of-key-size"),
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0_u64, |number, byte| number.checked_mul(256)?.checked_add(u64::from(*byte)))
}
