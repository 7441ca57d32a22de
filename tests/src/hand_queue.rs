//! The queues of `poll` in a test's hand: with their delays, their second attempts and their dead letters, by the clock that the test
//! moves. Each has places of its own: whoever serves the one leaves what waits on the other where it is.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{ByHand, Call, Gate};

/// How long a message that failed stays away (`VisibilityTimeout` in `template.yaml`).
pub const VISIBILITY: SignedDuration = SignedDuration::from_mins(12);
/// How often a message is received before it goes to the dead letters (`maxReceiveCount` in `template.yaml`).
const RECEIVES: u32 = 3;

/// A message that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// From when on it is received.
    pub due: Timestamp,
    /// What it says.
    pub body: String,
    receives: u32,
    of_names: bool,
}

/// The queues.
#[derive(Debug, Default)]
pub struct HandQueue {
    /// What waits on the reconcile queue.
    pub waiting: Vec<Waiting>,
    /// What waits on the names queue, until [`HandQueue::deliver_names`].
    pub names: Vec<Waiting>,
    /// What was given up.
    pub dead: Vec<String>,
    /// What the functions asked of AWS.
    pub calls: Vec<Call>,
    /// When Microsoft was asked for a list.
    pub listed: Vec<Timestamp>,
    /// How many messages were delivered.
    pub delivered: usize,
    /// The most that waited at one time.
    pub most_waiting: usize,
    /// Every message that holds this comes a second time.
    pub twice: Option<&'static str>,
}

impl HandQueue {
    /// Puts a message onto the reconcile queue.
    pub fn put(&mut self, system: &ByHand, body: &str) {
        self.waiting.push(Waiting { due: system.now(), body: body.to_owned(), receives: 0, of_names: false });
        self.most_waiting = self.most_waiting.max(self.waiting.len());
    }

    /// Takes what the functions have sent since the last time.
    pub fn collect(&mut self, system: &ByHand) {
        let calls = system.tap.take();
        for call in calls.iter().filter(|call| call.operation.starts_with("SendMessage")) {
            let request: Value = serde_json::from_str(&call.body).unwrap();
            let of_names = match request["QueueUrl"].as_str().unwrap().rsplit('/').next() {
                Some("reconcile") => false,
                Some("names") => true,
                other => panic!("a queue of nobody: {other:?}"),
            };
            for message in request["Entries"].as_array().map_or(std::slice::from_ref(&request), Vec::as_slice) {
                let delay = message["DelaySeconds"].as_i64().unwrap_or_default();
                let due = system.now() + SignedDuration::from_secs(delay);
                let body = message["MessageBody"].as_str().unwrap().to_owned();
                self.keep(Waiting { due, body, receives: 0, of_names });
            }
        }
        self.most_waiting = self.most_waiting.max(self.waiting.len());
        self.calls.extend(calls);
    }

    fn keep(&mut self, message: Waiting) {
        if message.of_names { &mut self.names } else { &mut self.waiting }.push(message);
    }

    /// Hands over what is due on the names queue, oldest first.
    pub async fn deliver_names(&mut self, system: &ByHand) {
        self.collect(system);
        for message in due(&mut self.names, system.now()) {
            self.hand_over(system, message, None).await;
        }
    }

    /// Hands over what is due on the reconcile queue, oldest first.
    pub async fn deliver(&mut self, system: &ByHand) {
        self.collect(system);
        for message in due(&mut self.waiting, system.now()) {
            self.hand_over(system, message.clone(), None).await;
            if self.twice.is_some_and(|part| message.body.contains(part)) {
                self.hand_over(system, message, None).await;
            }
        }
    }

    /// Hands over the message that is due first on the reconcile queue, and ends the function when it comes to this gate. Whether it came to it.
    pub async fn crash(&mut self, system: &ByHand, gate: &Gate) -> bool {
        self.collect(system);
        let first = (0..self.waiting.len()).min_by_key(|place| self.waiting[*place].due).unwrap();
        let message = self.waiting.remove(first);
        self.hand_over(system, message, Some(gate)).await
    }

    async fn hand_over(&mut self, system: &ByHand, message: Waiting, gate: Option<&Gate>) -> bool {
        let asked = lists(system);
        self.delivered += 1;
        let (done, crashed) = {
            let messages = [("message", message.body.as_str())];
            let mut delivery = Box::pin(system.deliver(&messages));
            match gate {
                None => (delivery.await.is_empty(), false),
                Some(gate) => tokio::select! {
                    biased;
                    failed = &mut delivery => (failed.is_empty(), false),
                    () = gate.reached() => (false, true),
                },
            }
        };
        self.listed.extend((asked..lists(system)).map(|_| system.now()));
        self.collect(system);
        let receives = message.receives + 1;
        if done {
        } else if receives < RECEIVES {
            self.keep(Waiting { due: system.now() + VISIBILITY, receives, ..message });
        } else {
            self.dead.push(message.body);
        }
        crashed
    }

    /// Lets this much time pass; what comes due on the reconcile queue meanwhile is delivered at its time.
    pub async fn pass(&mut self, system: &ByHand, time: SignedDuration) {
        let end = system.now() + time;
        self.collect(system);
        while let Some(due) = self.waiting.iter().map(|message| message.due).min().filter(|due| *due <= end) {
            system.clock.advance(due.duration_since(system.now()).max(SignedDuration::ZERO));
            self.deliver(system).await;
        }
        system.clock.advance(end.duration_since(system.now()).max(SignedDuration::ZERO));
    }

    /// When Microsoft was asked for a list, in seconds since then.
    #[must_use]
    pub fn listed_since(&self, start: Timestamp) -> Vec<i64> {
        self.listed.iter().map(|at| at.duration_since(start).as_secs()).collect()
    }
}

/// Takes what is due, oldest first.
fn due(waiting: &mut Vec<Waiting>, now: Timestamp) -> Vec<Waiting> {
    let (mut due, later): (Vec<_>, _) = waiting.drain(..).partition(|message| message.due <= now);
    *waiting = later;
    due.sort_by_key(|message| message.due);
    due
}

fn lists(system: &ByHand) -> u64 {
    let requests = system.microsoft.requests();
    requests.list + requests.fraud_events
}
