//! What ends some day and can't be seen to: it has to be made anew before.

use jiff::{SignedDuration, Timestamp};

use super::finding::{Finding, Subject};

/// How long before a client secret or a certificate ends somebody has to see to it.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// That something has ended, or does so soon. None where there is time.
pub(super) fn near(subject: &Subject, what: &str, ends: Timestamp, now: Timestamp, advice: &str) -> Option<Finding> {
    let days = |time: SignedDuration| time.as_hours() / 24;
    let left = ends.duration_since(now);
    if left <= SignedDuration::ZERO {
        return Some(subject.problem(format!("{what}, which expired {} days ago", days(-left)), advice));
    }
    (left < NOTICE).then(|| subject.warning(format!("{what}, which expires in {} days", days(left)), advice))
}

/// That nobody has said when it ends.
pub(super) fn unknown(subject: &Subject, what: &str, advice: &str) -> Finding {
    subject.warning(format!("{what}, of which nobody has said when it ends"), advice)
}
