//! The merge: which alert comes next, and which lanes have to be read before that can be told.
//!
//! A lane is one partition of one index, read in order. Its frontier is how far it was read: what is not read yet lies behind it. The order is that of moments,
//! and of lanes where moments are the same. Pure.

use std::{cmp::Ordering, collections::VecDeque};

use jiff::Timestamp;
use models::AlertId;

use super::Found;

/// How far a lane was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frontier {
    /// Not at all.
    Start,
    /// Up to this item.
    At(Timestamp, AlertId),
    /// To its end.
    End,
}

struct Lane {
    found: VecDeque<Found>,
    frontier: Frontier,
}

pub(super) struct Merge {
    newest_first: bool,
    lanes: Vec<Lane>,
}

impl Merge {
    pub(super) fn new(newest_first: bool, lanes: usize) -> Self {
        let lane = || Lane { found: VecDeque::new(), frontier: Frontier::Start };
        Self { newest_first, lanes: std::iter::repeat_with(lane).take(lanes).collect() }
    }

    /// The next alert and its lane. None where that can't be told before more is read, or nothing is left.
    pub(super) fn pop(&mut self) -> Option<(usize, Found)> {
        let (at, lane) = self.first()?;
        if self.waiting().any(|(other, frontier)| self.may_precede(frontier, other, (at, lane))) {
            return None;
        }
        self.lanes[lane].found.pop_front().map(|found| (lane, found))
    }

    /// The lanes that have to be read to tell the next alert, and how far they were read.
    pub(super) fn due(&self) -> Vec<(usize, Frontier)> {
        let first = self.first();
        let is_due = |frontier: &Frontier, lane| first.is_none_or(|first| self.may_precede(frontier, lane, first));
        self.waiting()
            .filter(|(lane, frontier)| is_due(frontier, *lane))
            .map(|(lane, frontier)| (lane, frontier.clone()))
            .collect()
    }

    /// Adds what was read of a lane.
    pub(super) fn add(&mut self, lane: usize, found: Vec<Found>, frontier: Frontier) {
        self.lanes[lane].found.extend(found);
        self.lanes[lane].frontier = frontier;
    }

    /// Whether nothing is left, read or unread.
    pub(super) fn is_over(&self) -> bool {
        self.lanes.iter().all(|lane| lane.found.is_empty() && lane.frontier == Frontier::End)
    }

    /// The place up to which everything was read: the frontier that comes first. None while a lane was not read at all.
    pub(super) fn horizon(&self) -> Option<(usize, Timestamp, AlertId)> {
        let places = self.waiting().map(|(lane, frontier)| match frontier {
            Frontier::At(at, alert) => Some((lane, *at, alert.clone())),
            Frontier::Start | Frontier::End => None,
        });
        let places: Option<Vec<_>> = places.collect();
        places?.into_iter().min_by(|one, other| self.order((one.1, one.0), (other.1, other.0)))
    }

    /// The lanes of which nothing is at hand and something may be left.
    fn waiting(&self) -> impl Iterator<Item = (usize, &Frontier)> {
        let lanes = self.lanes.iter().enumerate();
        lanes
            .filter(|(_, lane)| lane.found.is_empty() && lane.frontier != Frontier::End)
            .map(|(place, lane)| (place, &lane.frontier))
    }

    /// The moment and the lane of the alert at hand that comes first.
    fn first(&self) -> Option<(Timestamp, usize)> {
        let heads = self.lanes.iter().enumerate().filter_map(|(place, lane)| Some((lane.found.front()?.at, place)));
        heads.min_by(|one, other| self.order(*one, *other))
    }

    /// Whether something that is not read yet may come before this place.
    fn may_precede(&self, frontier: &Frontier, lane: usize, place: (Timestamp, usize)) -> bool {
        match frontier {
            Frontier::Start => true,
            Frontier::At(at, _) => self.order((*at, lane), place) == Ordering::Less,
            Frontier::End => false,
        }
    }

    fn order(&self, one: (Timestamp, usize), other: (Timestamp, usize)) -> Ordering {
        let moments = if self.newest_first { other.0.cmp(&one.0) } else { one.0.cmp(&other.0) };
        moments.then(one.1.cmp(&other.1))
    }
}
