//! Whether a chain of activity lines is as it was written.
//!
//! Promises: pure, and it understands of a line only its number, its chain and the hash of the line before, so that lines of any release can be
//! verified. A line that the one after it, or the head, vouches for is believed; whatever contradicts what is believed is found, and said which.
//! Not found is what somebody changes who can rewrite all lines from there on *and* the head: keep heads elsewhere to catch that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Chain, Head, KeptLine, LineHash};

/// What is wrong with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// A line that the head does not know of: nothing of ours wrote it, or the head was set back.
    Added {
        /// Its number.
        line: u64,
    },
    /// A line is not what was written.
    Changed {
        /// Its number; 0 where that can't be told.
        line: u64,
    },
    /// The last lines are gone.
    Cut {
        /// The first that is gone.
        from: u64,
        /// The last.
        to: u64,
    },
    /// There is more than one line of a number.
    Doubled {
        /// The number.
        line: u64,
    },
    /// It grew each time that it was read: it is to be verified again.
    Growing,
    /// A line of another chain.
    Foreign {
        /// Its number.
        line: u64,
    },
    /// What says how the chain ends is gone, or was when this line was written: lines after the one before it may be, too.
    HeadLost {
        /// The line.
        line: u64,
    },
    /// What says how the chain ends is there, and can't be read.
    HeadUnreadable,
    /// Lines between others are gone.
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
}

/// What every release writes into a line.
#[derive(Deserialize)]
struct Envelope {
    chain: Chain,
    number: u64,
    previous: LineHash,
    #[serde(default)]
    head_was_gone: bool,
}

/// A line with what it says of itself.
struct Placed {
    previous: LineHash,
    /// Of its text.
    hash: LineHash,
    /// Whether the hash beside it is another.
    is_spoilt: bool,
}

/// What is wrong with these lines, which are all that is kept of a chain, in any order. Without a head: what should say how the chain ends is gone.
#[must_use]
pub fn verify(chain: &Chain, lines: &[KeptLine], head: Option<&Head>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut placed: BTreeMap<u64, Vec<Placed>> = BTreeMap::new();
    for line in lines {
        let number = line.number.unwrap_or(0);
        let Ok(envelope) = serde_json::from_str::<Envelope>(&line.text) else {
            findings.push(Finding::Changed { line: number });
            // It is there, whatever it was.
            let hash = LineHash::of(&line.text);
            placed.entry(number).or_default().push(Placed { previous: LineHash::of_nothing(), hash, is_spoilt: true });
            continue;
        };
        if envelope.chain != *chain {
            findings.push(Finding::Foreign { line: number });
            continue;
        }
        if envelope.head_was_gone {
            findings.push(Finding::HeadLost { line: envelope.number });
        }
        let hash = LineHash::of(&line.text);
        let is_spoilt = hash.as_str() != line.hash || line.number != Some(envelope.number) || envelope.number == 0;
        let line = Placed { previous: envelope.previous, hash, is_spoilt };
        placed.entry(number).or_default().push(line);
    }
    for (number, same) in &placed {
        if same.len() > 1 {
            findings.push(Finding::Doubled { line: *number });
        }
    }
    let last = placed.keys().next_back().copied().unwrap_or(0);
    let known = head.map_or(0, |head| head.count);
    match head {
        None if last > 0 => findings.push(Finding::HeadLost { line: last }),
        None => {}
        Some(_) if known > last => findings.push(Finding::Cut { from: last + 1, to: known }),
        Some(_) => findings.extend(placed.range(known + 1..).map(|(number, _)| Finding::Added { line: *number })),
    }
    findings.extend(gaps(placed.keys().copied()));
    findings.extend(changed(&placed, head));
    findings.sort_unstable();
    findings.dedup();
    findings
}

/// Numbers that are missing between others.
fn gaps(numbers: impl Iterator<Item = u64>) -> Vec<Finding> {
    let mut gaps = Vec::new();
    let mut expected = 1;
    for number in numbers {
        if number > expected {
            gaps.push(Finding::Missing { from: expected, to: number - 1 });
        }
        expected = number.saturating_add(1);
    }
    gaps
}

/// Lines that are not what was written, from the end on: what a line is to be, the one after it says, if that is itself what it is to be.
fn changed(placed: &BTreeMap<u64, Vec<Placed>>, head: Option<&Head>) -> Vec<Finding> {
    let mut changed = Vec::new();
    // What is vouched for: a number, and the hash of its line.
    let mut vouched = head.map(|head| (head.count, head.hash.clone()));
    for (number, same) in placed.iter().rev() {
        let expected = vouched.take_if(|vouched| vouched.0 == *number).map(|(_, hash)| hash);
        let line = same.iter().find(|line| expected.as_ref() == Some(&line.hash)).unwrap_or(&same[0]);
        let contradicts = expected.is_some_and(|hash| hash != line.hash);
        let begins_wrongly = *number == 1 && line.previous != LineHash::of_nothing();
        if contradicts || line.is_spoilt || begins_wrongly || *number == 0 {
            changed.push(Finding::Changed { line: *number });
        }
        // One that was added stands before nothing that it could vouch for.
        let is_known = head.is_none_or(|head| *number <= head.count);
        if is_known && !contradicts && *number > 0 && !line.is_spoilt {
            vouched = Some((number - 1, line.previous.clone()));
        }
    }
    changed
}
