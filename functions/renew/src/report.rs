//! What a run counts, over all credentials.

use jiff::Timestamp;
use models::CredentialDates;
use runtime::Counts;

/// What came of a look at a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Somebody has to do something.
    Failed,
    /// Another run is at it.
    LeftToAnother,
    /// Nobody knows; the next run may.
    Undecided,
    /// It works.
    Works,
}

/// The sum of it, and the worst of the moments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    checked: usize,
    failed: usize,
    undecided: usize,
    renewed: usize,
    oldest_token: Option<Timestamp>,
    first_end: Option<Timestamp>,
    undated: usize,
    unreadable: usize,
}

impl Report {
    /// Of tenants whose configuration can't be read: of their credentials nothing is known.
    pub(crate) fn of_unreadable(tenants: usize) -> Self {
        Self { unreadable: tenants, ..Self::default() }
    }

    /// Of one credential of a tenant that nobody uses: it counts as looked at, and otherwise alarms nobody.
    pub(crate) fn of_inactive(verdict: Verdict, renewed: bool) -> Self {
        let Self { checked, renewed, .. } = Self::of(verdict, renewed, CredentialDates::default());
        Self { checked, renewed, ..Self::default() }
    }

    /// Of one credential, with what is known of its moments.
    pub(crate) fn of(verdict: Verdict, renewed: bool, dates: CredentialDates) -> Self {
        Self {
            checked: usize::from(verdict != Verdict::LeftToAnother),
            failed: usize::from(verdict == Verdict::Failed),
            undecided: usize::from(verdict == Verdict::Undecided),
            renewed: usize::from(renewed),
            unreadable: 0,
            oldest_token: dates.refresh_token_obtained,
            first_end: dates.proof_expires,
            undated: usize::from(dates.proof_expires.is_none()),
        }
    }

    /// Both.
    pub(crate) fn and(self, other: Self) -> Self {
        let earlier = |one: Option<Timestamp>, other: Option<Timestamp>| one.into_iter().chain(other).min();
        Self {
            checked: self.checked + other.checked,
            failed: self.failed + other.failed,
            undecided: self.undecided + other.undecided,
            renewed: self.renewed + other.renewed,
            oldest_token: earlier(self.oldest_token, other.oldest_token),
            first_end: earlier(self.first_end, other.first_end),
            undated: self.undated + other.undated,
            unreadable: self.unreadable + other.unreadable,
        }
    }

    /// The counts at this moment. Of what there is none, there is no figure: no refresh token is not a young one.
    pub(crate) fn counts(&self, now: Timestamp) -> Counts {
        let mut counts = Counts::new()
            .with("CredentialsChecked", self.checked)
            .with("CredentialsFailed", self.failed)
            .with("CredentialsUndecided", self.undecided)
            .with("RefreshTokensRenewed", self.renewed)
            .with("CredentialsUndated", self.undated)
            .with("TenantsUnreadable", self.unreadable);
        if let Some(obtained) = self.oldest_token {
            counts = counts.with("OldestRefreshTokenDays", days(obtained, now));
        }
        if let Some(end) = self.first_end {
            counts = counts.with("FirstExpiryDays", days(now, end));
        }
        counts
    }
}

/// Whole days from one moment to another; none where that is over.
fn days(from: Timestamp, to: Timestamp) -> usize {
    usize::try_from(to.duration_since(from).as_hours() / 24).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_oldest_token_and_the_first_end_count_in_whole_days() {
        let now = moment("2026-03-02T09:00:00Z");
        let dates = |obtained: Option<&str>, expires: Option<&str>| CredentialDates {
            refresh_token_obtained: obtained.map(moment),
            proof_expires: expires.map(moment),
        };
        let sum = [
            Report::of_unreadable(3),
            Report::of_inactive(Verdict::Failed, true),
            Report::of(Verdict::Works, false, dates(Some("2026-03-01T09:00:01Z"), Some("2027-03-02T00:00:00Z"))),
            Report::of(Verdict::Works, true, dates(Some("2026-02-26T09:00:00Z"), None)),
            Report::of(Verdict::Failed, false, dates(None, Some("2026-04-01T08:59:59Z"))),
            Report::of(Verdict::Undecided, false, dates(None, None)),
            Report::of(
                Verdict::LeftToAnother,
                false,
                dates(Some("2026-03-02T08:00:00Z"), Some("2028-01-01T00:00:00Z")),
            ),
        ];
        let expected = Counts::new()
            .with("CredentialsChecked", 5)
            .with("CredentialsFailed", 1)
            .with("CredentialsUndecided", 1)
            .with("RefreshTokensRenewed", 2)
            .with("CredentialsUndated", 2)
            .with("TenantsUnreadable", 3);
        let expected = expected.with("OldestRefreshTokenDays", 4).with("FirstExpiryDays", 29);
        assert_eq!(sum.into_iter().fold(Report::default(), Report::and).counts(now), expected);
    }

    #[test]
    fn what_has_ended_ends_in_no_days_and_where_there_is_nothing_there_is_no_figure() {
        let now = moment("2026-03-02T09:00:00Z");
        let ended = CredentialDates { proof_expires: Some(moment("2025-12-31T00:00:00Z")), ..Default::default() };
        let none = Counts::new().with("CredentialsChecked", 0).with("CredentialsFailed", 0);
        let none = none.with("CredentialsUndecided", 0).with("RefreshTokensRenewed", 0).with("CredentialsUndated", 0);
        let none = none.with("TenantsUnreadable", 0);
        assert_eq!(Report::default().counts(now), none);
        let counted = Report::of(Verdict::LeftToAnother, false, ended).counts(now);
        assert_eq!(counted, none.with("FirstExpiryDays", 0));
    }
}
