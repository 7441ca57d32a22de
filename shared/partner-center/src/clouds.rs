//! Where each cloud lives, and how configuration replaces an address.

use std::{collections::BTreeMap, fmt, str::FromStr};

use models::{AlertSource, Cloud};

/// A base address: `https://host` or `https://host:port`, nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(reqwest::Url);

/// A text that is no base address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it should be https://host or https://host:port, with no path, query or user")]
pub struct BaseUrlError;

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let url: reqwest::Url = text.parse().map_err(|_| BaseUrlError)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        if url.scheme() == "https" && url.has_host() && bare && nobody { Ok(Self(url)) } else { Err(BaseUrlError) }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl BaseUrl {
    /// An address below this one, of segments that are escaped.
    #[must_use]
    pub fn join(&self, segments: &[&str]) -> reqwest::Url {
        let mut url = self.0.clone();
        // An https address always has a path; `Err` would leave the base, which is ours too.
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }

    /// Whether an address that came from outside lies on this very host, by https and the same port.
    #[must_use]
    pub fn hosts(&self, url: &reqwest::Url) -> bool {
        url.scheme() == self.0.scheme()
            && url.host() == self.0.host()
            && url.port_or_known_default() == self.0.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none()
    }
}

/// The base addresses of one cloud.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) graph: BaseUrl,
    pub(crate) login: BaseUrl,
    pub(crate) partner_center: BaseUrl,
}

/// A service that tokens are for. One is worth nothing at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Microsoft Graph.
    Graph,
    /// Partner Center's API.
    PartnerCenter,
}

impl Audience {
    /// The service that lists alerts where they come from this source.
    #[must_use]
    pub fn of_source(source: AlertSource) -> Self {
        match source {
            AlertSource::FraudEvents => Self::PartnerCenter,
            AlertSource::Graph => Self::Graph,
        }
    }
}

impl Addresses {
    pub(crate) fn of(&self, audience: Audience) -> &BaseUrl {
        match audience {
            Audience::Graph => &self.graph,
            Audience::PartnerCenter => &self.partner_center,
        }
    }
}

/// The variables that replace an address, by cloud and service.
pub const ADDRESS_VARIABLES: [(Cloud, &str, &str); 12] = [
    (Cloud::China, "GRAPH", "CHINA_GRAPH_URL"),
    (Cloud::China, "LOGIN", "CHINA_LOGIN_URL"),
    (Cloud::China, "PARTNER_CENTER", "CHINA_PARTNER_CENTER_URL"),
    (Cloud::Global, "GRAPH", "GLOBAL_GRAPH_URL"),
    (Cloud::Global, "LOGIN", "GLOBAL_LOGIN_URL"),
    (Cloud::Global, "PARTNER_CENTER", "GLOBAL_PARTNER_CENTER_URL"),
    (Cloud::UsGovernmentL4, "GRAPH", "US_GOVERNMENT_L4_GRAPH_URL"),
    (Cloud::UsGovernmentL4, "LOGIN", "US_GOVERNMENT_L4_LOGIN_URL"),
    (Cloud::UsGovernmentL4, "PARTNER_CENTER", "US_GOVERNMENT_L4_PARTNER_CENTER_URL"),
    (Cloud::UsGovernmentL5, "GRAPH", "US_GOVERNMENT_L5_GRAPH_URL"),
    (Cloud::UsGovernmentL5, "LOGIN", "US_GOVERNMENT_L5_LOGIN_URL"),
    (Cloud::UsGovernmentL5, "PARTNER_CENTER", "US_GOVERNMENT_L5_PARTNER_CENTER_URL"),
];

/// The names of these variables.
pub const ADDRESS_NAMES: [&str; ADDRESS_VARIABLES.len()] = {
    let mut names = [""; ADDRESS_VARIABLES.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = ADDRESS_VARIABLES[place].2;
        place += 1;
    }
    names
};

/// The addresses of all clouds.
#[derive(Clone, Debug)]
pub struct CloudDirectory(BTreeMap<Cloud, Addresses>);

impl CloudDirectory {
    /// Microsoft's published addresses, each replaced where `replace` has another. It is asked for a cloud and one of
    /// `GRAPH`, `LOGIN` and `PARTNER_CENTER`.
    ///
    /// # Errors
    ///
    /// What `replace` says, and [`BaseUrlError`] for a published address that is none.
    pub fn new<E: From<BaseUrlError>>(
        replace: impl FnMut(Cloud, &'static str) -> Result<Option<BaseUrl>, E>,
    ) -> Result<Self, E> {
        Self::replaced(replace, E::from)
    }

    /// Microsoft's published addresses, each replaced where `read` has another for its variable, one of [`ADDRESS_NAMES`].
    ///
    /// # Errors
    ///
    /// What `read` says, and what `malformed` makes of a published address that is none.
    pub fn configured<E>(
        mut read: impl FnMut(&'static str) -> Result<Option<BaseUrl>, E>,
        malformed: impl Fn(BaseUrlError) -> E,
    ) -> Result<Self, E> {
        let variable = |cloud, service| ADDRESS_VARIABLES.iter().find(|(of, kind, _)| (*of, *kind) == (cloud, service));
        let replace = |cloud, service| variable(cloud, service).map_or(Ok(None), |(_, _, name)| read(name));
        Self::replaced(replace, malformed)
    }

    /// Where people of this cloud sign in: an origin, as browsers write it.
    #[must_use]
    pub fn login(&self, cloud: Cloud) -> Option<String> {
        self.of(cloud).map(|addresses| addresses.login.to_string())
    }

    fn replaced<E>(
        mut replace: impl FnMut(Cloud, &'static str) -> Result<Option<BaseUrl>, E>,
        malformed: impl Fn(BaseUrlError) -> E,
    ) -> Result<Self, E> {
        let mut clouds = BTreeMap::new();
        for cloud in Cloud::ALL {
            let published = cloud.published_urls();
            let mut address = |service, published: String| -> Result<BaseUrl, E> {
                replace(cloud, service)?.map_or_else(|| published.parse().map_err(&malformed), Ok)
            };
            let addresses = Addresses {
                graph: address("GRAPH", published.graph)?,
                login: address("LOGIN", published.login)?,
                partner_center: address("PARTNER_CENTER", published.partner_center)?,
            };
            clouds.insert(cloud, addresses);
        }
        Ok(Self(clouds))
    }

    pub(crate) fn of(&self, cloud: Cloud) -> Option<&Addresses> {
        self.0.get(&cloud)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_address_is_https_and_nothing_but_a_host() {
        for good in ["https://graph.microsoft.com", "https://graph.microsoft.com/", "https://127.0.0.1:9443"] {
            assert_eq!(good.parse::<BaseUrl>().unwrap().to_string(), good.trim_end_matches('/'));
        }
        for bad in
            ["http://graph.microsoft.com", "https://a@graph.microsoft.com", "https://h/x", "https://h/?q", "h", ""]
        {
            assert_eq!(bad.parse::<BaseUrl>(), Err(BaseUrlError), "{bad}");
        }
    }

    #[test]
    fn only_the_very_host_is_ours() {
        let graph: BaseUrl = "https://graph.microsoft.com".parse().unwrap();
        for (url, ours) in [
            ("https://graph.microsoft.com/beta/x?$skiptoken=1", true),
            ("https://GRAPH.microsoft.com:443/x", true),
            ("http://graph.microsoft.com/x", false),
            ("https://graph.microsoft.com:444/x", false),
            ("https://graph.microsoft.com.evil.example/x", false),
            ("https://graph.microsoft.com@evil.example/x", false),
            ("https://u@graph.microsoft.com/x", false),
        ] {
            assert_eq!(graph.hosts(&url.parse().unwrap()), ours, "{url}");
        }
    }

    #[test]
    fn a_segment_cannot_climb_out() {
        let base: BaseUrl = "https://login.microsoftonline.com".parse().unwrap();
        assert_eq!(base.join(&["a/../b", "token"]).as_str(), "https://login.microsoftonline.com/a%2F..%2Fb/token");
    }
}
