//! What happened to an alert, as it is shown: our own lines, and Microsoft's entries of what happened elsewhere.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::{Act, ActivityEntry, ActivityLine, Alert, Entry, GIVEN_UP_AFTER, OperationId, Status};

/// How far two clocks may be apart: Microsoft's moment of a change of ours lies between the one at which it was asked for and the one at which it was done,
/// or as far outside.
pub const SAME_CHANGE: SignedDuration = SignedDuration::from_mins(5);

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened<'a> {
    /// Microsoft recorded it, and nobody did it here.
    AtMicrosoft(&'a ActivityEntry),
    /// It was done here.
    Here(&'a ActivityLine),
}

/// These lines, which are all of the alert's or the first of them, and what Microsoft recorded, in the order of time.
///
/// A change that we made is recorded by Microsoft, too: in the name of the credential that the tenant acts with, so that no name tells, but the status and
/// the moment do. Where ours is what the alert is resolved by, Microsoft says whose name that is, and an entry in another is not ours. Each of ours, of `all`
/// lines, accounts for one entry at most. What was refused, what Microsoft was not told of, or where somebody else was quicker, accounts for none; nor does
/// what is on its way and known not to be told yet, where whoever asks leaves its lines out of `all` ([`on_their_way`]). An entry without a moment stands
/// behind the one before it.
#[must_use]
pub fn history<'a>(lines: &'a [ActivityLine], all: &[ActivityLine], alert: &'a Alert) -> Vec<Happened<'a>> {
    let mut unaccounted: Vec<Change<'_>> = all.iter().filter_map(|line| Change::of(line, all)).collect();
    let credential = credential(&unaccounted, alert);
    let mut last = Timestamp::MIN;
    let mut happened: Vec<(Timestamp, Happened<'a>)> = Vec::with_capacity(lines.len() + alert.activity.len());
    for entry in &alert.activity {
        last = entry.updated.unwrap_or(last);
        let nearest = unaccounted
            .iter()
            .enumerate()
            .filter_map(|(place, change)| Some((place, change.distance_of(entry, credential)?)))
            .min_by_key(|(_, distance)| *distance)
            .map(|(place, _)| place);
        match nearest {
            Some(place) => drop(unaccounted.remove(place)),
            None => happened.push((last, Happened::AtMicrosoft(entry))),
        }
    }
    happened.extend(lines.iter().map(|line| (line.entry.at, Happened::Here(line))));
    // What is of one moment stays in the order that it came in.
    happened.sort_by_key(|(at, _)| *at);
    happened.into_iter().map(|(_, happened)| happened).collect()
}

/// The operations that these lines begin, and whose end is not among them.
#[must_use]
pub fn on_their_way(lines: &[ActivityLine]) -> BTreeSet<&OperationId> {
    let begun = lines.iter().filter(|line| line.entry.act == Act::StatusAsked);
    let ended = lines.iter().filter(|line| is_end(&line.entry.act)).filter_map(|line| line.entry.operation.as_ref());
    let ended: BTreeSet<&OperationId> = ended.collect();
    begun.filter_map(|line| line.entry.operation.as_ref()).filter(|operation| !ended.contains(operation)).collect()
}

/// What Microsoft calls the credential by which the alert is resolved, if it is ours.
fn credential<'a>(changes: &[Change<'_>], alert: &'a Alert) -> Option<&'a str> {
    let resolved = |on: Timestamp| {
        changes.iter().any(|change| *change.to == Status::Resolved && change.distance(on) <= SAME_CHANGE)
    };
    alert.resolution.by.as_deref().filter(|_| alert.resolution.on.is_some_and(resolved))
}

/// A change of ours of which Microsoft was told, or may have been.
struct Change<'a> {
    to: &'a Status,
    from: Timestamp,
    until: Timestamp,
}

impl<'a> Change<'a> {
    /// The one that this line begins.
    fn of(asked: &'a ActivityLine, all: &[ActivityLine]) -> Option<Self> {
        let Entry { act: Act::StatusAsked, to: Some(to), at, operation, .. } = &asked.entry else { return None };
        let end = all.iter().find(|line| {
            line.number > asked.number
                && operation.is_some()
                && line.entry.operation == *operation
                && is_end(&line.entry.act)
        });
        let until = match end.map(|line| (&line.entry.act, line.entry.at)) {
            None => *at + GIVEN_UP_AFTER,
            Some((Act::StatusDone | Act::StatusOverlapped, at)) => at,
            Some((Act::StatusRefused(refusal), at)) if refusal.is_no_answer() => at,
            Some(_) => return None,
        };
        Some(Self { to: &to.status, from: *at, until })
    }

    /// How far outside of it this entry lies, if it may be what Microsoft recorded of it.
    fn distance_of(&self, entry: &ActivityEntry, credential: Option<&str>) -> Option<SignedDuration> {
        let updated = entry.updated.filter(|_| entry.status_to.as_ref() == Some(self.to))?;
        let name = credential.filter(|_| *self.to == Status::Resolved).zip(entry.updated_by.as_deref());
        let is_of_somebody_else = name.is_some_and(|(credential, by)| credential != by);
        let distance = self.distance(updated);
        (!is_of_somebody_else && distance <= SAME_CHANGE).then_some(distance)
    }

    /// How far outside of it a moment lies.
    fn distance(&self, moment: Timestamp) -> SignedDuration {
        let outside = self.from.duration_since(moment).max(moment.duration_since(self.until));
        outside.max(SignedDuration::ZERO)
    }
}

fn is_end(act: &Act) -> bool {
    matches!(
        act,
        Act::StatusAlreadySo | Act::StatusDone | Act::StatusOverlapped | Act::StatusRefused(_) | Act::StatusSuperseded
    )
}
