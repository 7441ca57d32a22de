//! A token that is kept: how long it is of use, and when the secret behind it is worth another look.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{credentials::CredentialPrint, sign_in::Given};

/// How long before its end a token is renewed: longer than any run uses it.
const RENEW_EARLY: SignedDuration = SignedDuration::from_mins(5);
/// How long a token is used on that was found to lack a right. After that another is asked for, in which shows what has been mended
/// since: a lasting refusal thereby costs a sign-in a minute at most, however often it is met, and as many readings of the secret.
const USED_ON: SignedDuration = SignedDuration::from_mins(1);

/// A token that is kept.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) given: Given,
    /// What it was given for. None of one that was at hand: its credential is no other.
    pub(crate) credential: Option<CredentialPrint>,
    /// When it was given to us.
    since: Timestamp,
    /// Whether a service has refused it for want of a right.
    pub(crate) lacks_a_right: bool,
    /// When the secret was last read again because of a refusal.
    looked: Option<Timestamp>,
}

impl Kept {
    pub(crate) fn new(given: Given, credential: Option<CredentialPrint>, since: Timestamp) -> Self {
        Self { given, credential, since, lacks_a_right: false, looked: None }
    }

    pub(crate) fn is_of_use(&self, now: Timestamp) -> bool {
        let is_worn = self.lacks_a_right && now.duration_since(self.since) >= USED_ON;
        self.given.expires - RENEW_EARLY > now && !is_worn
    }

    pub(crate) fn is(&self, token: &SecretString) -> bool {
        self.given.access_token.expose_secret() == token.expose_secret()
    }

    /// Whether the secret is to be read again, now that a call that began then was refused: once a minute, and not where it was
    /// read for that very call. Once this is true, it is not for a minute.
    pub(crate) fn is_worth_a_look(&mut self, began: Timestamp, now: Timestamp) -> bool {
        let is_due = self.looked.is_none_or(|looked| now.duration_since(looked) >= USED_ON);
        let looks = self.credential.is_some() && self.since < began && is_due;
        if looks {
            self.looked = Some(now);
        }
        looks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(lives: SignedDuration, credential: Option<CredentialPrint>) -> Kept {
        let expires = Timestamp::UNIX_EPOCH + lives;
        let given = Given { access_token: "a".into(), expires, refresh_token: None, id_token: None };
        Kept::new(given, credential, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_token_is_of_use_until_shortly_before_its_end_and_for_a_minute_where_it_lacks_a_right() {
        let seconds = SignedDuration::from_secs;
        for (lacks_a_right, lives, after, expected) in [
            (false, 3_600, 0, true),
            (false, 3_600, 3_299, true),
            (false, 3_600, 3_300, false),
            (true, 3_600, 59, true),
            (true, 3_600, 60, false),
            (true, 300, 0, false),
        ] {
            let kept = Kept { lacks_a_right, ..kept(seconds(lives), None) };
            assert_eq!(
                kept.is_of_use(Timestamp::UNIX_EPOCH + seconds(after)),
                expected,
                "{lacks_a_right} {lives} {after}"
            );
        }
    }

    #[test]
    fn a_refusal_is_worth_a_look_at_the_secret_once_a_minute_unless_it_was_read_for_that_call() {
        let at = |second| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        let mut one =
            kept(SignedDuration::from_hours(1), Some(CredentialPrint { hash: Vec::new(), is_app_only: true }));
        for (began, now, expected) in
            [(0, 5, false), (5, 6, true), (6, 7, false), (60, 65, false), (60, 66, true), (66, 125, false)]
        {
            assert_eq!(one.is_worth_a_look(at(began), at(now)), expected, "{began} {now}");
        }
        // One that was at hand has no secret that could say something else.
        assert!(!kept(SignedDuration::from_hours(1), None).is_worth_a_look(at(5), at(6)));
    }
}
