//! A secret with one part changed and the rest as it was, and what differs between two.

use jiff::Timestamp;
use secrecy::SecretString;

use super::{Moment, SecretText, StoredSecret};

impl StoredSecret {
    /// The same with this refresh token, obtained at this moment, in place of the one before.
    #[must_use]
    pub fn with_refresh_token(self, token: SecretString, obtained: Timestamp) -> Self {
        Self { refresh_token: Some(SecretText(token)), refresh_token_obtained: Some(Moment(obtained)), ..self }
    }

    /// The same with the application and the proof of another. A refresh token goes on only with the application that it was
    /// given to; what people wrote beside stays.
    #[must_use]
    pub fn for_application_of(self, given: Self) -> Self {
        let kept = if self.is_for_application_of(&given) { self } else { self.without_refresh_token() };
        Self {
            refresh_token: kept.refresh_token,
            refresh_token_obtained: kept.refresh_token_obtained,
            others: kept.others,
            ..given
        }
    }

    /// Whether both name the same application.
    #[must_use]
    pub fn is_for_application_of(&self, other: &Self) -> bool {
        self.client_id.eq_ignore_ascii_case(&other.client_id)
    }

    /// Whether it acts for a person (app+user).
    #[must_use]
    pub fn has_refresh_token(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// The same for the application alone (app-only).
    #[must_use]
    pub fn without_refresh_token(self) -> Self {
        Self { refresh_token: None, refresh_token_obtained: None, ..self }
    }

    /// Whether nothing but the refresh token differs, which `renew` replaces every day.
    #[must_use]
    pub fn differs_in_refresh_token_alone(&self, other: &Self) -> bool {
        let rest = |secret: &Self| serde_json::to_value(secret.clone().without_refresh_token()).ok();
        rest(self).is_some_and(|own| rest(other) == Some(own))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use serde_json::{Value, json};

    use super::*;

    const KEY: &str = include_str!("../../tests/data/test-only-application-key.pem");
    const CERTIFICATE: &str = include_str!("../../tests/data/test-only-application-certificate.pem");

    #[test]
    fn what_is_replaced_is_the_refresh_token_alone() {
        let stored = json!({
            "client_id": "a", "client_secret": "s", "client_secret_expires": "2027-05-01", "refresh_token": "old",
            "owner": "soc@example.com",
        });
        let obtained: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let secret = StoredSecret::read(&stored.to_string()).unwrap();
        assert_eq!(secret.refresh_token_obtained(), None, "nobody knows");
        let replaced = secret.with_refresh_token("new".into(), obtained);
        let text = replaced.text().unwrap();
        let expected = json!({
            "client_id": "a", "client_secret": "s", "client_secret_expires": "2027-05-01T00:00:00Z",
            "refresh_token": "new", "refresh_token_obtained": "2026-03-02T09:00:00Z", "owner": "soc@example.com",
        });
        assert_eq!(serde_json::from_str::<Value>(text.expose_secret()).unwrap(), expected);
        let again = StoredSecret::read(text.expose_secret()).unwrap();
        assert_eq!(again.refresh_token_obtained(), Some(obtained));
        assert_eq!(again.proof_expires(), Some("2027-05-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn another_proof_leaves_the_rest_and_another_application_leaves_no_refresh_token() {
        let stored = json!({
            "client_id": "a", "client_secret": "old", "client_secret_expires": "2027-05-01", "refresh_token": "token",
            "refresh_token_obtained": "2026-03-02T09:00:00Z", "owner": "soc@example.com",
        });
        let seen = StoredSecret::read(&stored.to_string()).unwrap();
        let written = |given: StoredSecret| {
            let text = seen.clone().for_application_of(given).text().unwrap();
            serde_json::from_str::<Value>(text.expose_secret()).unwrap()
        };
        let given = |id: &str| StoredSecret::with_client_secret(id.to_owned(), "new".into(), None);
        let mut expected = json!({
            "client_id": "A", "client_secret": "new", "refresh_token": "token",
            "refresh_token_obtained": "2026-03-02T09:00:00Z", "owner": "soc@example.com",
        });
        assert_eq!(written(given("A")), expected, "ids are the same in either case");
        for member in ["refresh_token", "refresh_token_obtained"] {
            expected.as_object_mut().unwrap().remove(member);
        }
        expected["client_id"] = "b".into();
        assert_eq!(written(given("b")), expected);
        let certified = StoredSecret::with_certificate("a".to_owned(), CERTIFICATE.to_owned(), KEY.into()).unwrap();
        let written = written(certified);
        assert_eq!(written["refresh_token"], "token");
        assert_eq!((written.get("client_secret"), written.get("client_secret_expires")), (None, None));
    }

    #[test]
    fn a_renewed_refresh_token_is_told_from_any_other_change() {
        let read = |text: Value| StoredSecret::parse(&text.to_string()).unwrap();
        let one = read(json!({ "client_id": "a", "client_secret": "s", "refresh_token": "1", "owner": "x" }));
        let renewed = json!({ "client_id": "a", "client_secret": "s", "refresh_token": "2", "owner": "x" });
        assert!(one.differs_in_refresh_token_alone(&read(renewed)));
        for (member, value) in [("client_id", "b"), ("client_secret", "t"), ("owner", "y"), ("more", "z")] {
            let mut other = json!({ "client_id": "a", "client_secret": "s", "refresh_token": "1", "owner": "x" });
            other[member] = value.into();
            assert!(!one.differs_in_refresh_token_alone(&read(other)), "{member}");
        }
    }
}
