//! A system with alerts of two tenants, and a program that asks.

use std::sync::Arc;

use jiff::SignedDuration;
use models::{Alert, Delta, Known, Tenant, TenantId};
use reqwest::{Client, Response, header::HeaderMap, redirect::Policy};
use serde_json::Value;
use simulator::Person;
use store::{
    Acquired, AlertWrite, Lease as _, LeaseTerms, ReadTenants as _, Store, WriteAlerts as _, WriteTenants as _,
};
use tests::{ByHand, Setup, TENANT};

use crate::document::Shapes;

/// Another partner tenant.
pub(crate) const OTHER: &str = "0a0a0a0a-1111-4222-8333-444444444444";
/// Everybody sees the tenant that they signed in to, and no other.
pub(crate) const OWN: (&str, &str) =
    ("ROLE_MAP", r#"[{"roles":["AdminAgent"],"permissions":["see"],"tenants":"own"}]"#);

pub(crate) struct World {
    pub(crate) system: ByHand,
    client: Client,
    shapes: Shapes,
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    /// What stands on it, without how it looks and what runs there.
    pub(crate) fn content(&self) -> String {
        let without = |text: &str, name: &str| match text.split_once(&format!("<{name}>")) {
            None => text.to_owned(),
            Some((before, behind)) => {
                before.to_owned() + behind.split_once(&format!("</{name}>")).map_or("", |(_, rest)| rest)
            }
        };
        without(&without(&self.text, "style"), "script")
    }

    /// The words of it, without markup; blanks between.
    pub(crate) fn words(&self) -> String {
        let (mut words, mut is_tag) = (String::new(), false);
        for mark in self.content().chars() {
            match mark {
                '<' => is_tag = true,
                '>' => {
                    is_tag = false;
                    words.push(' ');
                }
                mark if !is_tag => words.push(mark),
                _ => {}
            }
        }
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Where its links lead, as they stand there.
    pub(crate) fn links(&self) -> Vec<String> {
        let content = self.content();
        let links = content.split(" href=\"").skip(1);
        links.map(|link| link.split('"').next().unwrap().replace("&amp;", "&")).collect()
    }

    /// The alerts that its table leads to, in their order.
    pub(crate) fn alerts(&self) -> Vec<String> {
        let content = self.content();
        let table = content.split("<tbody").skip(1).find(|table| table.contains("href=\"/alerts/")).unwrap_or_default();
        let links = table.split("</tbody>").next().unwrap().split("href=\"/alerts/").skip(1);
        links
            .map(|link| {
                let path = link.split(['"', '?']).next().unwrap();
                let id = path.split_once('/').unwrap().1;
                percent_encoding::percent_decode_str(id).decode_utf8().unwrap().into_owned()
            })
            .collect()
    }
}

impl Answered {
    /// The type of the problem that it tells.
    pub(crate) fn problem(&self) -> (u16, &str) {
        (self.status, self.body["type"].as_str().unwrap_or_default())
    }

    /// The ids of the alerts that it lists.
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.body["alerts"].as_array().unwrap().iter().map(|alert| alert["id"].as_str().unwrap()).collect()
    }
}

impl World {
    /// With another tenant beside the seed tenant, without alerts.
    pub(crate) async fn start(variables: &[(&'static str, &str)]) -> Self {
        let system = ByHand::with(Setup { variables, ..Setup::default() }).await;
        let store = system.store();
        let seed = store.tenants().await.unwrap().remove(0);
        store.put_tenant(&Tenant { id: OTHER.parse().unwrap(), ..seed }).await.unwrap();
        // One is enough for the process, whoever brings it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(clippy::disallowed_methods, reason = "the client of a test's program")]
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { system, client, shapes: Shapes::of_document() }
    }

    /// A token of an admin agent.
    pub(crate) fn token(&self) -> String {
        self.token_of(&Person::admin_agent(TENANT))
    }

    pub(crate) fn token_of(&self, person: &Person) -> String {
        self.system.microsoft.access_token(TENANT, person).unwrap()
    }

    /// A token as a program gets it locally: from the control side of the stand-in.
    pub(crate) async fn given_token(&self, body: &'static str) -> String {
        let request = self.client.post(format!("{}/access-tokens", self.system.microsoft.control_url()));
        let request =
            if body.is_empty() { request } else { request.header("content-type", "application/json").body(body) };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    /// Asks as this token's owner, and holds the answer to the document.
    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Answered {
        let mut request = self.client.get(format!("{}/api/v1/{path}", self.system.test.system.origin()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {status}, {text}"));
        let answered = Answered { status, headers, body };
        self.shapes.hold(path, &answered);
        answered
    }

    /// What a path of ours is answered, as it comes.
    pub(crate) async fn fetch(&self, path: &str, token: Option<&str>) -> Response {
        let mut request = self.client.get(format!("{}{path}", self.system.test.system.origin()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    /// Asks for a page as this token's owner.
    pub(crate) async fn page(&self, path: &str, token: Option<&str>) -> Page {
        let answer = self.fetch(path, token).await;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Page { status, headers, text: answer.text().await.unwrap() }
    }

    /// A page that an admin agent is given.
    pub(crate) async fn shown(&self, path: &str) -> Page {
        let page = self.page(path, Some(&self.token())).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        page
    }

    /// Asks as this person, with this body of this type where there is one, for what need not be JSON.
    pub(crate) async fn asks(
        &self,
        person: &Person,
        (method, path): (&str, &str),
        body: Option<(&str, String)>,
    ) -> Response {
        let url = format!("{}{path}", self.system.test.system.origin());
        let mut request = self.client.request(method.parse().unwrap(), url).bearer_auth(self.token_of(person));
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }
        request.send().await.unwrap()
    }

    /// Asks as an admin agent, to whom this is given.
    pub(crate) async fn found(&self, path: &str) -> Answered {
        let answered = self.get(path, Some(&self.token())).await;
        assert_eq!(answered.status, 200, "{path}: {}", answered.body);
        answered
    }

    /// Keeps alerts as a run would.
    pub(crate) async fn keep(&self, tenant: &str, alerts: &[Alert]) {
        keep(&self.system.store(), &tenant.parse().unwrap(), alerts, &self.system).await;
    }
}

async fn keep(store: &Store, tenant: &TenantId, alerts: &[Alert], system: &ByHand) {
    let now = system.now();
    let terms = LeaseTerms { duration: SignedDuration::from_secs(120), gap: SignedDuration::ZERO };
    let Acquired::Granted(grant) = store.acquire(tenant, terms, "a test", now).await.unwrap() else {
        panic!("somebody has the lease")
    };
    let write = |alert: &Alert| AlertWrite {
        known: Known::seen(Arc::new(alert.clone()), models::AlertSource::Graph, 1),
        previous: None,
        was_decided: false,
        outbox: None,
        delta: Delta::between(None, alert),
        trace: None,
        turned: models::Turned::default(),
    };
    let writes: Vec<_> = alerts.iter().map(write).collect();
    let written = store.write(&grant, &writes, None, now).await.unwrap();
    assert_eq!(written.written.len(), alerts.len());
    store.release(&grant, store::Outcome::Failed, 0, now).await.unwrap();
}
