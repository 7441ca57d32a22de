//! Requests that change something, from a browser: only from our own pages.
//!
//! A browser sends a session's cookie with whatever makes it send a request. `SameSite=Lax` keeps it back from other sites' forms; that a
//! request of a browser comes from a page of *ours* is told by `Origin`, which no page can set, and by `Sec-Fetch-Site`.

use std::str::FromStr;

use http::{HeaderMap, Method, Uri, header};

/// Where we are: scheme, host and port. From configuration, never from a request's `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// Why a text is no origin of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not https://host or https://host:port in lower case, without a path (http for this machine alone)")]
pub struct OriginError;

impl Origin {
    /// As browsers write it: `https://host`, and the port where it is not the scheme's.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = text.split_once("://").ok_or(OriginError)?;
        let authority = text.parse::<Uri>().ok().and_then(|uri| uri.into_parts().authority).ok_or(OriginError)?;
        let host = authority.host();
        let here = host == "localhost" || host == "127.0.0.1" || host == "[::1]";
        let as_browsers = |port| authority.port_u16() != Some(port);
        let sound = match scheme {
            "https" => as_browsers(443),
            "http" => here && as_browsers(80),
            _ => false,
        };
        let plain =
            rest == authority.as_str() && !rest.contains('@') && !rest.contains(|mark: char| mark.is_ascii_uppercase());
        if sound && plain && !host.is_empty() { Ok(Self(text.to_owned())) } else { Err(OriginError) }
    }
}

/// Why a request may come from somebody else's page. The text is the reason in logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrossOrigin {
    /// `Origin` is another one, or `null`.
    #[error("origin-foreign")]
    Foreign,
    /// There is no `Origin`, which browsers send with every request that changes something.
    #[error("origin-missing")]
    Missing,
    /// A header comes twice.
    #[error("origin-repeated")]
    Repeated,
    /// `Sec-Fetch-Site` says that another site has begun it.
    #[error("fetch-site-foreign")]
    Site,
}

/// Whether a request comes from a page of ours, where it could change something. `GET`, `HEAD` and `OPTIONS` change nothing here.
///
/// # Errors
///
/// [`CrossOrigin`].
pub fn same_origin(own: &Origin, method: &Method, headers: &HeaderMap) -> Result<(), CrossOrigin> {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
        return Ok(());
    }
    if one(headers, header::ORIGIN.as_str())?.ok_or(CrossOrigin::Missing)? != own.as_str().as_bytes() {
        return Err(CrossOrigin::Foreign);
    }
    match one(headers, "sec-fetch-site")? {
        None | Some(b"same-origin") => Ok(()),
        Some(_) => Err(CrossOrigin::Site),
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a [u8]>, CrossOrigin> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(http::HeaderValue::as_bytes);
    if values.next().is_some() { Err(CrossOrigin::Repeated) } else { Ok(first) }
}
