//! Checks, side by side and bounded in time.

use std::{collections::BTreeMap, future::Future, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet};

use super::finding::{Finding, Subject};

/// How long one check may take, all its calls together: longer than those with their own bounds do.
const PATIENCE: Duration = Duration::from_secs(90);
/// How many are under way at once: as many tenants as one reads without being asked for patience by Microsoft.
const AT_ONCE: usize = 16;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Checks that are under way.
pub(super) struct Checks {
    running: JoinSet<(usize, Vec<Finding>)>,
    count: usize,
    /// Whether somebody watches.
    watched: bool,
}

impl Checks {
    pub(super) fn new(watched: bool) -> Self {
        Self { running: JoinSet::new(), count: 0, watched }
    }

    /// Starts a check. Where it does not come to an end, that is what is found of its subject.
    pub(super) fn add(&mut self, subject: Subject, check: impl Future<Output = Vec<Finding>> + Send + 'static) {
        let place = self.count;
        self.count += 1;
        self.running.spawn(async move {
            let _turn = TURNS.acquire().await;
            let found = tokio::time::timeout(PATIENCE, check).await;
            let unknown =
                |_| {
                    let words = format!("it was not looked at to the end within {} seconds", PATIENCE.as_secs());
                    vec![subject.unknown(
                        words,
                        "try again; if it stays so, does something hold up requests to AWS or Microsoft?",
                    )]
                };
            (place, found.unwrap_or_else(unknown))
        });
    }

    /// What all of them have found, in the order in which they were started.
    pub(super) async fn all(mut self) -> Vec<Finding> {
        let mut found = BTreeMap::new();
        self.show(0);
        while let Some(ended) = self.running.join_next().await {
            // A panic is ours to mend: it was said on standard error, and the other checks go on.
            let (place, findings) = ended.unwrap_or_else(|_| {
                let subject = Subject::new("doctor", "a check");
                let words = subject.unknown("it came to grief", "tell us what it said on standard error");
                (self.count + found.len(), vec![words])
            });
            found.insert(place, findings);
            self.show(found.len());
        }
        if self.watched {
            anstream::eprint!("\r\u{1b}[K");
        }
        found.into_values().flatten().collect()
    }

    fn show(&self, done: usize) {
        if self.watched {
            anstream::eprint!("\rlooked at {done} of {} parts", self.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_or_fails_hides_no_other_and_all_keep_their_order() {
        let mut checks = Checks::new(false);
        let subject = |name: &str| Subject::new("part", name);
        checks.add(subject("hangs"), std::future::pending());
        checks.add(subject("fails"), async { panic!("on purpose") });
        checks.add(subject("slow"), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            vec![Subject::new("part", "slow").ok("seen")]
        });
        checks.add(subject("quick"), async { vec![Subject::new("part", "quick").ok("seen")] });
        let found = checks.all().await;
        let found: Vec<_> = found.iter().map(|finding| (finding.subject.as_str(), finding.state)).collect();
        let expected =
            [("hangs", State::Unknown), ("slow", State::Ok), ("quick", State::Ok), ("a check", State::Unknown)];
        assert_eq!(found, expected);
    }
}
