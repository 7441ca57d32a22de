//! How patient a call is: what is worth another attempt, and how long to wait for it.
//!
//! A pause is never shorter than Microsoft asks for, grows with each attempt, and differs by chance, so that tenants that were refused
//! together don't come back together. What would take too long is given up at once: the next run tries again.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::MicrosoftError;

/// Bounds of calls.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How often a call is tried in all.
    pub attempts: u32,
    /// The first pause between attempts, at most; it doubles each time. Where Microsoft names a longer one, that one counts.
    pub first_pause: Duration,
    /// The longest pause that is waited for; where Microsoft asks for more, the call fails and the next run tries again.
    pub longest_pause: Duration,
    /// How long after the first attempt the last one may begin; `longest_pause` where that is longer.
    pub latest_attempt: Duration,
    /// The largest answer, in bytes.
    pub answer_bytes: usize,
    /// By chance, a number from 0 to 1: a pause is by so much of its half longer than the other half.
    pub jitter: fn() -> f64,
}

impl Default for Limits {
    /// Three attempts within a minute, with half a second first and 20 seconds at most; 16 MiB an answer (a page of 1,000 alerts of
    /// the samples' size has 2); the machine's randomness.
    fn default() -> Self {
        Self {
            attempts: 3,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
            latest_attempt: Duration::from_mins(1),
            answer_bytes: 16 << 20,
            jitter: by_chance,
        }
    }
}

impl Limits {
    /// The pause after so many attempts that failed, the first of which began so long ago. None where no other is to follow.
    pub(crate) fn pause(&self, attempts: u32, asked: Option<Duration>, elapsed: Duration) -> Option<Duration> {
        let asked = asked.unwrap_or_default();
        if attempts >= self.attempts || asked > self.longest_pause {
            return None;
        }
        let doubled = self.first_pause.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
        let half = doubled.min(self.longest_pause) / 2;
        let jitter = half.mul_f64((self.jitter)().clamp(0.0, 1.0));
        let pause = (asked.max(half) + jitter).min(self.longest_pause);
        (elapsed + pause <= self.latest_attempt.max(self.longest_pause)).then_some(pause)
    }
}

/// Without randomness, which on Linux is so at most while the machine starts, there is none.
fn by_chance() -> f64 {
    let mut bytes = [0; 4];
    let drawn = SystemRandom::new().fill(&mut bytes).map(|()| u32::from_le_bytes(bytes));
    drawn.map_or(0.0, |drawn| f64::from(drawn) / f64::from(u32::MAX))
}

/// Whether another attempt may go better.
///
/// Not where Microsoft has answered in full: what is refused for good, or can't be read, would come once more. A 200 whose JSON is cut
/// off though its bytes arrived is of that kind: Microsoft's side broke while it wrote, over something that it will most likely meet
/// again. The list then stays where it is, and the next run asks for that page.
pub(crate) fn is_passing(error: &MicrosoftError) -> bool {
    match error {
        // A request that could not even be made is no better the next time.
        MicrosoftError::NoAnswer { source, .. } => !source.is_builder(),
        MicrosoftError::Refused { status, .. } => passes(*status),
        MicrosoftError::AppOnly { .. }
        | MicrosoftError::BadAnswer { .. }
        | MicrosoftError::Credential { .. }
        | MicrosoftError::PlaceRefused { .. } => false,
    }
}

/// Too many requests, one that took too long to arrive, and trouble on the server's side but for what it can't do at all: 501 and 505.
fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599) && !matches!(status, 501 | 505)
}

/// The pause that Microsoft asks for: whole seconds, as its documents have it, or HTTP's other form, a date (RFC 9110, section
/// 10.2.3). A date that is past asks for none. Anything else counts as absent.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let asked = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(asked) = whole_seconds(asked) {
        return Some(asked);
    }
    let then = rfc2822::DateTimeParser::new().parse_timestamp(asked).ok()?;
    Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

/// A wait of so many seconds. More than can be counted is the longest that there is, and not none.
pub(crate) fn whole_seconds(digits: &str) -> Option<Duration> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(digits.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SupportIds;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn limits(jitter: fn() -> f64) -> Limits {
        Limits { attempts: 9, jitter, ..Limits::default() }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_chance_takes_half_of_each() {
        for (attempts, shortest, middle, longest) in [
            (1, 250, 375, 500),
            (2, 500, 750, 1_000),
            (3, 1_000, 1_500, 2_000),
            (6, 8_000, 12_000, 16_000),
            (7, 10_000, 15_000, 20_000),
            (8, 10_000, 15_000, 20_000),
        ] {
            for (jitter, expected) in [((|| 0.0) as fn() -> f64, shortest), (|| 0.5, middle), (|| 1.0, longest)] {
                assert_eq!(limits(jitter).pause(attempts, None, Duration::ZERO), Some(MS(expected)), "{attempts}");
            }
        }
        let many = Limits { attempts: u32::MAX, ..limits(|| 1.0) };
        assert_eq!(many.pause(1_000_000, None, Duration::ZERO), Some(MS(20_000)));
    }

    #[test]
    fn a_pause_is_no_shorter_than_asked_for_and_what_asks_for_too_much_is_given_up() {
        for (asked, earliest, latest) in [
            (0, Some(250), Some(500)),
            (1, Some(1_000), Some(1_250)),
            (20, Some(20_000), Some(20_000)),
            (21, None, None),
            (u64::MAX, None, None),
        ] {
            for (jitter, expected) in [((|| 0.0) as fn() -> f64, earliest), (|| 1.0, latest)] {
                let pause = limits(jitter).pause(1, Some(Duration::from_secs(asked)), Duration::ZERO);
                assert_eq!(pause, expected.map(MS), "{asked}");
            }
        }
    }

    #[test]
    fn attempts_and_the_time_that_they_take_together_are_bounded() {
        let limits = Limits { attempts: 3, ..limits(|| 1.0) };
        assert_eq!(limits.pause(2, None, Duration::ZERO), Some(MS(1_000)));
        assert_eq!(limits.pause(3, None, Duration::ZERO), None);
        assert_eq!(limits.pause(1, None, MS(59_500)), Some(MS(500)));
        assert_eq!(limits.pause(1, None, MS(59_501)), None);
        // Whoever waits longer has more time.
        let patient = Limits { longest_pause: MS(90_000), ..limits };
        assert_eq!(patient.pause(1, Some(MS(80_000)), MS(9_750)), Some(MS(80_250)));
        assert_eq!(patient.pause(1, Some(MS(80_000)), MS(9_751)), None);
    }

    #[test]
    fn chance_lies_between_nothing_and_one_and_an_odd_one_does_no_harm() {
        let drawn: Vec<f64> = (0..50).map(|_| by_chance()).collect();
        assert!(drawn.iter().all(|drawn| (0.0..=1.0).contains(drawn)), "{drawn:?}");
        assert!(drawn.iter().any(|other| (other - drawn[0]).abs() > f64::EPSILON), "{drawn:?}");
        assert_eq!(limits(|| -7.0).pause(1, None, Duration::ZERO), Some(MS(250)));
        assert_eq!(limits(|| 7.0).pause(1, None, Duration::ZERO), Some(MS(500)));
    }

    #[test]
    fn what_may_go_better_the_next_time_is_tried_again_and_nothing_else() {
        let refused = |status| MicrosoftError::Refused {
            call: "a call",
            tenant: "a tenant".to_owned(),
            status,
            code: "none".to_owned(),
            body: crate::RefusalBody::Microsofts,
            description: None,
            ids: SupportIds::default(),
            attempts: 1,
            wait_until: None,
        };
        for status in [408, 429, 500, 502, 503, 504, 507, 509, 599] {
            assert!(is_passing(&refused(status)), "{status}");
        }
        for status in [300, 302, 304, 400, 401, 403, 404, 405, 409, 410, 412, 413, 422, 501, 505] {
            assert!(!is_passing(&refused(status)), "{status}");
        }
        let bad =
            MicrosoftError::BadAnswer { call: "a call", tenant: "a tenant".to_owned(), problem: "cut".to_owned() };
        assert!(!is_passing(&bad));
        let tenant = || "a tenant".to_owned();
        for source in [None, Some(Box::new(refused(503)))] {
            assert!(!is_passing(&MicrosoftError::PlaceRefused { call: "a call", tenant: tenant(), source }));
        }
    }

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_by_a_date_that_is_still_to_come() {
        let now = "2026-03-02T09:00:00Z".parse().unwrap();
        for (asked, expected) in [
            ("30", Some(30)),
            (" 30 ", Some(30)),
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", Some(u64::MAX)),
            ("99999999999999999999999999999999", Some(u64::MAX)),
            ("Mon, 02 Mar 2026 09:00:07 GMT", Some(7)),
            ("Mon, 02 Mar 2026 09:00:00 GMT", Some(0)),
            ("Mon, 02 Mar 2026 08:59:59 GMT", Some(0)),
            ("Tue, 03 Mar 2026 09:00:00 GMT", Some(86_400)),
            // Not a Tuesday.
            ("Tue, 02 Mar 2026 09:00:07 GMT", None),
            ("in a little while", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("", None),
        ] {
            let headers = [(RETRY_AFTER, asked.parse().unwrap())].into_iter().collect();
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{asked}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
