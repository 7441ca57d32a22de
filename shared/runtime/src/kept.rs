//! What follows from secrets, at hand: read when it is first needed, and again every five minutes.
//!
//! What was read before stays where that fails, for an hour and no longer: what somebody has taken out of a secret must end here too. After a failure
//! nobody asks again for five seconds. Any number of waiting requests make one reading.

use std::{error::Error, fmt, future::Future, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

/// How long it is used without another reading, and so how long a change takes at most.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// How long nobody asks again after a failure.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// From which age on it is not used, whatever fails.
const MOST: SignedDuration = SignedDuration::from_hours(1);

/// Something that is read from outside and kept for a while. It does not print.
pub struct Kept<T> {
    // Held while it is read.
    state: Mutex<State<T>>,
}

struct State<T> {
    failed: Option<Timestamp>,
    read: Option<(Timestamp, Arc<T>)>,
}

/// Why it can't be had.
#[derive(Debug, thiserror::Error)]
pub enum NotKept<E: Error + 'static> {
    /// It could not be read a moment ago.
    #[error("it could not be read a moment ago")]
    Awaited,
    /// It can't be read.
    #[error(transparent)]
    Failed(E),
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { failed: None, read: None }) }
    }
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Kept")
    }
}

impl<T> Kept<T> {
    /// What is at hand, or what this reads.
    ///
    /// # Errors
    ///
    /// [`NotKept`] where nothing that is young enough is at hand.
    pub async fn get<E, F>(&self, now: Timestamp, read: impl FnOnce() -> F) -> Result<Arc<T>, NotKept<E>>
    where
        E: Error + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let mut state = self.state.lock().await;
        let young = |age: SignedDuration| {
            let read = state.read.as_ref().filter(|(at, _)| now.duration_since(*at).abs() < age);
            read.map(|(_, kept)| Arc::clone(kept))
        };
        if let Some(kept) = young(FRESH) {
            return Ok(kept);
        }
        let before = young(MOST);
        if state.failed.is_some_and(|failed| now.duration_since(failed).abs() < PAUSE) {
            return before.ok_or(NotKept::Awaited);
        }
        match read().await {
            Ok(read) => {
                let read = Arc::new(read);
                *state = State { failed: None, read: Some((now, Arc::clone(&read))) };
                Ok(read)
            }
            Err(error) => {
                state.failed = Some(now);
                let Some(kept) = before else { return Err(NotKept::Failed(error)) };
                let error = crate::chain(&error);
                tracing::warn!(error, "secrets could not be read again; those of before are used");
                Ok(kept)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("it is away")]
    struct Away;

    fn after(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[tokio::test]
    async fn what_was_read_is_read_again_after_five_minutes_and_used_for_an_hour_at_most() {
        let (kept, readings) = (Kept::default(), Cell::new(0));
        let get = async |seconds, outcome: Result<i32, Away>| {
            let read = || {
                readings.set(readings.get() + 1);
                std::future::ready(outcome)
            };
            kept.get(after(seconds), read).await.map(|kept| *kept).map_err(|error| error.to_string())
        };
        let away = || Err("it is away".to_owned());
        let awaited = || Err("it could not be read a moment ago".to_owned());
        for (seconds, outcome, expected, count) in [
            (0, Err(Away), away(), 1),
            (4, Ok(1), awaited(), 1),
            (5, Ok(1), Ok(1), 2),
            (304, Ok(2), Ok(1), 2),
            (305, Err(Away), Ok(1), 3),
            (309, Ok(2), Ok(1), 3),
            (310, Err(Away), Ok(1), 4),
            (3_604, Err(Away), Ok(1), 5),
            (3_605, Ok(2), awaited(), 5),
            (3_609, Err(Away), away(), 6),
            (3_614, Ok(3), Ok(3), 7),
        ] {
            assert_eq!(get(seconds, outcome).await, expected, "after {seconds} seconds");
            assert_eq!(readings.get(), count, "after {seconds} seconds");
        }
    }
}
