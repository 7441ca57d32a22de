//! What a request shows as proof of who sends it: a session's cookie, or a bearer token, or neither; never both.

use http::{HeaderMap, HeaderValue, header};

use crate::session::SessionId;

/// The cookie that holds the id of a session. The prefix has browsers take it only with Secure, for all paths and for no other host.
pub(crate) const SESSION_COOKIE: &str = "__Host-session";
/// The longest header that is looked at, in bytes. API Gateway takes 10,240 in all.
const MOST_HEADER_BYTES: usize = 10_240;
/// The most sessions of one request that signing out ends: a browser of ours has one, and each costs a read of the table.
pub const MOST_SESSIONS: usize = 4;

/// What a request shows.
#[derive(Debug)]
pub enum Presented<'a> {
    /// An access token, not verified.
    Bearer(&'a str),
    /// Nothing.
    Nothing,
    /// The id of a session, which may be none.
    Session(SessionId),
}

/// Why it is not clear what a request shows. The text is the reason in logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// Another scheme than `Bearer`, or no token behind it.
    #[error("authorization-malformed")]
    Authorization,
    /// A session and a token: one of them is not who it seems.
    #[error("two-proofs")]
    Both,
    /// The cookie holds what is no id.
    #[error("cookie-malformed")]
    Cookie,
    /// A header or a cookie comes twice, and it would be left to somebody's parser which one counts.
    #[error("repeated-proof")]
    Repeated,
    /// Longer than API Gateway takes.
    #[error("header-too-large")]
    TooLarge,
}

/// The cookies of a request, as they came: bytes. A pair that is none, or is not ours, costs no other: a neighbouring host may have set it.
#[derive(Clone, Debug, Default)]
pub struct Cookies<'a>(Vec<&'a [u8]>);

impl<'a> Cookies<'a> {
    /// Those of these headers.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Self {
        Self(headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect())
    }

    /// With these as well, which API Gateway has taken out of the headers.
    #[must_use]
    pub fn and(mut self, others: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.extend(others.into_iter().map(str::as_bytes));
        self
    }

    /// The value of a cookie.
    ///
    /// # Errors
    ///
    /// [`Unclear::Repeated`] where the name comes twice: who could set a second one would otherwise choose which counts. [`Unclear::Cookie`] where
    /// its value is no text.
    pub fn one(&self, name: &str) -> Result<Option<&'a str>, Unclear> {
        let mut values = self.values(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Unclear::Repeated);
        }
        first.map(|value| str::from_utf8(value).map_err(|_| Unclear::Cookie)).transpose()
    }

    /// Every session that they name, [`MOST_SESSIONS`] at most: what signing out has to end, whether or not it is clear which of them counts.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionId> {
        let texts = self.values(SESSION_COOKIE).filter_map(|value| str::from_utf8(value).ok());
        let mut found: Vec<SessionId> = Vec::new();
        for id in texts.filter_map(SessionId::read) {
            if !found.contains(&id) && found.len() < MOST_SESSIONS {
                found.push(id);
            }
        }
        found
    }

    /// The cookies whose names begin so, and are of letters, digits, `-` and `_`, as ours are: with their values, whatever those hold.
    pub fn beginning(&self, beginning: &str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let named = self.pairs().filter_map(|(name, value)| Some((str::from_utf8(name).ok()?, value)));
        named.filter(move |(name, _)| name.starts_with(beginning) && name.bytes().all(is_plain))
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let found = self.pairs().filter(move |(found, _)| *found == name.as_bytes());
        found.map(|(_, value)| value.trim_ascii_end())
    }

    fn pairs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let pairs = self.0.iter().flat_map(|value| value.split(|byte| *byte == b';'));
        pairs.filter_map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=')?;
            Some((pair[..equals].trim_ascii(), &pair[equals + 1..]))
        })
    }

    fn len(&self) -> usize {
        self.0.iter().map(|value| value.len()).sum()
    }
}

impl<'a> Presented<'a> {
    /// What is shown by these cookies and by these values of the header `Authorization`.
    ///
    /// # Errors
    ///
    /// [`Unclear`].
    pub fn read(cookies: &Cookies<'_>, authorization: &[&'a [u8]]) -> Result<Self, Unclear> {
        if cookies.len() + authorization.iter().map(|value| value.len()).sum::<usize>() > MOST_HEADER_BYTES {
            return Err(Unclear::TooLarge);
        }
        let session = cookies.one(SESSION_COOKIE)?;
        match (session, authorization) {
            (None, []) => Ok(Self::Nothing),
            (Some(_), [_, ..]) => Err(Unclear::Both),
            (Some(id), []) => SessionId::read(id).map(Self::Session).ok_or(Unclear::Cookie),
            (None, [value]) => {
                str::from_utf8(value).ok().and_then(bearer).map(Self::Bearer).ok_or(Unclear::Authorization)
            }
            (None, _) => Err(Unclear::Repeated),
        }
    }
}

/// The token of `Bearer <token>`: the scheme in any case, one blank, and no other mark than a token has (RFC 6750).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let is_token =
        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    (scheme.eq_ignore_ascii_case("bearer") && is_token).then_some(token)
}
