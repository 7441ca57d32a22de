//! A browser: it keeps cookies, follows nothing by itself, and is told by nobody what it must not send.

use std::collections::BTreeMap;

use reqwest::{Client, Method, Response, Url, header::HeaderValue, redirect::Policy};
use simulator::{Person, Simulator};
use tests::{ByHand, TENANT};

/// A browser at the pages of a system.
pub(crate) struct Browser<'a> {
    pub(crate) cookies: BTreeMap<String, String>,
    /// `Referrer-Policy` of the page that is open.
    policy: String,
    client: Client,
    origin: String,
    microsoft: &'a Simulator,
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) set_cookies: Vec<String>,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl<'a> Browser<'a> {
    #[expect(clippy::disallowed_methods, reason = "the client of a test's person")]
    pub(crate) fn new(system: &'a ByHand) -> Self {
        let root = reqwest::Certificate::from_pem(system.microsoft.trust_anchors_pem().as_bytes()).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().tls_certs_only([root]).redirect(Policy::none()).no_proxy().build().unwrap();
        let origin = system.test.system.origin().to_owned();
        Self { cookies: BTreeMap::new(), policy: String::new(), client, origin, microsoft: &system.microsoft }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, &[]).await
    }

    /// By a form of the page that is open, to our own origin: with the `Origin` that a browser gives it (Fetch, "append a request Origin header").
    pub(crate) async fn post(&mut self, path: &str) -> Page {
        let origin = if self.policy == "no-referrer" { "null".to_owned() } else { self.origin.clone() };
        self.send(Method::POST, path, &[("origin", &origin), ("sec-fetch-site", "same-origin")]).await
    }

    /// The same of a form with these fields.
    pub(crate) async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let origin = if self.policy == "no-referrer" { "null".to_owned() } else { self.origin.clone() };
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.post(format!("{}{path}", self.origin)).header("cookie", cookies.join("; "));
        let request = request.header("origin", origin).header("sec-fetch-site", "same-origin").form(fields);
        Page::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)]) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.send_with(method, path, headers, cookies.join("; ").parse().unwrap()).await
    }

    /// The same with these cookies in place of its own.
    pub(crate) async fn send_with(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        cookies: HeaderValue,
    ) -> Page {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin) };
        let mut request = self.client.request(method, url);
        if !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let page = Page::of(request.send().await.unwrap()).await;
        if page.location.is_empty() {
            let policy = page.headers.get("referrer-policy").map(|policy| policy.to_str().unwrap().to_owned());
            self.policy = policy.unwrap_or_default();
        }
        for cookie in &page.set_cookies {
            let (name, rest) = cookie.split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
            }
        }
        page
    }

    /// Goes to Entra ID, where this person signs in, and says where it is sent back to.
    pub(crate) async fn at_entra_id(&self, address: &str, person: Person) -> Url {
        self.microsoft.approve_next(TENANT, person).unwrap();
        let answer = self.client.get(address).send().await.unwrap();
        assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
        answer.headers()["location"].to_str().unwrap().parse().unwrap()
    }

    /// A whole sign-in: the answer to its coming back.
    pub(crate) async fn sign_in(&mut self, person: Person, query: &str) -> Page {
        let begun = self.get(&format!("/sign-in{query}")).await;
        assert_eq!(begun.status, 303, "{}", begun.text);
        let back = self.at_entra_id(&begun.location, person).await;
        self.get(back.as_str()).await
    }

    pub(crate) fn session(&self) -> Option<&str> {
        self.cookies.get("__Host-session").map(String::as_str)
    }
}

impl Page {
    async fn of(answer: Response) -> Self {
        let headers = answer.headers().clone();
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        Self {
            status: answer.status().as_u16(),
            location: headers.get("location").map(text).unwrap_or_default(),
            set_cookies: headers.get_all("set-cookie").iter().map(text).collect(),
            text: answer.text().await.unwrap(),
            headers,
        }
    }
}
