//! What a tenant signs in with: kept in Secrets Manager, and consented to by a person.

use std::process::Output;

use reqwest::{Response, StatusCode};
use runtime::Schemes;
use serde_json::{Value, json};
use simulator::{Denial, FaultKind, Person, Target};
use tests::{CLIENT_ID, CLIENT_SECRET, PATIENCE, TENANT, secrets::assert_no_secret_in};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::Child,
};

use crate::support::{Here, refusal};

const NEW_SECRET: &str = "partner-alerts/read/new";
/// The seed tenant, added anew with a secret that is made for it.
const ADD: [&str; 11] = [
    "tenants",
    "add",
    TENANT,
    "--name",
    "Contoso",
    "--read-secret",
    NEW_SECRET,
    "--client-id",
    CLIENT_ID,
    "--client-secret-file",
    "-",
];

impl Here {
    pub(crate) async fn without_tenant() -> Self {
        let here = Self::new().await;
        here.told(&["tenants", "remove", TENANT]).await;
        here
    }

    /// What is in the secret.
    pub(crate) async fn secret(&self, name: &str) -> Option<Value> {
        let client = aws_sdk_secretsmanager::Client::new(&self.test.system.parts().aws);
        let value = client.get_secret_value().secret_id(name).send().await.ok()?;
        Some(serde_json::from_str(value.secret_string().unwrap()).unwrap())
    }

    /// What the person's browser is answered there. It follows nothing by itself.
    pub(crate) async fn browse(&self, url: &str) -> Response {
        let client = runtime::download_client(&self.test.system.parts().tls, PATIENCE, Schemes::HttpAndHttps).unwrap();
        // By its number, since this client follows no name to the machine that it is on.
        client.get(url.replace("http://localhost:", "http://127.0.0.1:")).send().await.unwrap()
    }

    /// Where the person is sent to from there.
    pub(crate) async fn sent_from(&self, url: &str) -> String {
        self.browse(url).await.headers()["location"].to_str().unwrap().to_owned()
    }

    /// What a command says that has a person sign in with a browser, as this person.
    pub(crate) async fn with_browser(&self, arguments: &[&str], person: Person) -> String {
        let mut asking = self.begin(&[arguments, &["--redirect-port", "0"]].concat()).await;
        self.simulator().approve_next(TENANT, person).unwrap();
        let back = self.browse(&self.sent_from(&asking.url().await).await).await;
        assert_eq!(back.status(), StatusCode::OK);
        let output = asking.end().await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) async fn begin(&self, arguments: &[&str]) -> Asking {
        let mut child = self.start(arguments);
        child.stdin.take().unwrap().write_all(format!("{CLIENT_SECRET}\n").as_bytes()).await.unwrap();
        let mut asked = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        asked.read_line(&mut told).await.unwrap();
        Asking { child, asked, told }
    }
}

/// A command that has asked a person for something and waits.
pub(crate) struct Asking {
    child: Child,
    asked: BufReader<tokio::process::ChildStderr>,
    told: String,
}

impl Asking {
    /// The address that a browser is to go to: it stands on a line of its own.
    pub(crate) async fn url(&mut self) -> String {
        let mut line = String::new();
        while !line.starts_with("https://") {
            line.clear();
            self.asked.read_line(&mut line).await.unwrap();
        }
        line.trim().to_owned()
    }

    pub(crate) async fn end(mut self) -> Output {
        let mut rest = Vec::new();
        self.asked.read_to_end(&mut rest).await.unwrap();
        let output = Output { stderr: rest, ..self.child.wait_with_output().await.unwrap() };
        assert_no_secret_in(&output);
        output
    }
}

fn query_of<'a>(url: &'a reqwest::Url, name: &str) -> std::borrow::Cow<'a, str> {
    url.query_pairs().find(|(known, _)| known == name).unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_is_kept_and_what_asks_by_itself_can_call() {
    let here = Here::without_tenant().await;
    let dry = here.told(&[&ADD[..], &["--dry-run"]].concat()).await;
    assert!(dry.starts_with("Would be added (--dry-run):") && dry.contains(NEW_SECRET), "{dry}");
    assert_eq!(here.secret(NEW_SECRET).await, None, "nothing was made");

    let day = ["--client-secret-expires", "2027-05-01"];
    let added = here.run_with(&[&ADD[..], &day].concat(), &format!("{CLIENT_SECRET}\n")).await;
    assert!(added.status.success(), "{added:?}");
    assert!(!String::from_utf8_lossy(&added.stdout).contains(CLIENT_SECRET), "{added:?}");
    let expected = json!({
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "client_secret_expires": "2027-05-01T00:00:00Z",
    });
    assert_eq!(here.secret(NEW_SECRET).await, Some(expected));
    assert!(here.told(&["webhook", "show", TENANT]).await.contains("nothing is registered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_consents_by_a_code_on_any_device() {
    let here = Here::without_tenant().await;
    let asking = here.begin(&[&ADD[..], &["--consent", "device-code"]].concat()).await;
    let sign_in = here.simulator().sign_in_begun(TENANT).await;
    let code = sign_in.user_code.unwrap();
    assert!(asking.told.contains(&code) && asking.told.contains("/devicelogin"), "{}", asking.told);
    here.simulator().approve(TENANT, Some(&code), Person::admin_agent(TENANT)).unwrap();

    let output = asking.end().await;
    assert!(output.status.success(), "{output:?}");
    let secret = here.secret(NEW_SECRET).await.unwrap();
    let token = secret["refresh_token"].as_str().unwrap();
    assert!(secret["refresh_token_obtained"].is_string(), "its age is known");
    for said in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(said).contains(token), "{output:?}");
    }
    // An application alone would be refused: the token is the person's.
    here.fault(FaultKind::Denied(Denial::AppOnly), Target::RegistrationGet);
    assert!(here.told(&["webhook", "show", TENANT]).await.contains("nothing is registered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_consents_in_a_browser_and_nobody_else_can_bring_it_back() {
    let here = Here::new().await;
    let before = here.secret("partner-alerts/read/local").await.unwrap();
    let mut asking = here.begin(&["tenants", "set", TENANT, "--consent", "browser", "--redirect-port", "0"]).await;
    let url = reqwest::Url::parse(&asking.url().await).unwrap();
    let way_back = query_of(&url, "redirect_uri").into_owned();

    for query in ["", "?code=stolen", "?code=stolen&state=guessed", "?error=access_denied&state=guessed"] {
        let answer = here.browse(&format!("{way_back}/{query}")).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
    }
    here.simulator().approve_next(TENANT, Person::admin_agent(TENANT)).unwrap();
    let back = here.browse(&here.sent_from(url.as_str()).await).await;
    assert_eq!((back.status(), back.headers()["referrer-policy"].to_str().unwrap()), (StatusCode::OK, "no-referrer"));
    assert!(back.text().await.unwrap().starts_with("Done."));

    let output = asking.end().await;
    assert!(output.status.success(), "{output:?}");
    let name = Person::admin_agent(TENANT).name;
    let said = [&output.stderr, &output.stdout].map(|said| String::from_utf8_lossy(said).contains(&name));
    assert_eq!(said, [true, false], "{output:?}");
    let mut after = here.secret("partner-alerts/read/local").await.unwrap();
    let members = after.as_object_mut().unwrap();
    assert!(members.remove("refresh_token").is_some() && members.remove("refresh_token_obtained").is_some());
    assert_eq!(after, before, "the rest stays as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_declines_leaves_everything_as_it_was() {
    let here = Here::without_tenant().await;
    let mut asking = here.begin(&[&ADD[..], &["--consent", "browser", "--redirect-port", "0"]].concat()).await;
    let url = asking.url().await;
    here.simulator().deny_next(TENANT).unwrap();
    let back = here.browse(&here.sent_from(&url).await).await;
    assert_eq!(back.status(), StatusCode::BAD_REQUEST);
    assert!(refusal(&asking.end().await).contains("did not consent"));

    here.simulator().deny_next(TENANT).unwrap();
    let asking = here.begin(&[&ADD[..], &["--consent", "device-code"]].concat()).await;
    assert!(refusal(&asking.end().await).contains("did not consent"));
    assert_eq!(here.secret(NEW_SECRET).await, None);
    assert_eq!(here.json(&["tenants", "list"]).await, json!([]));
}

#[tokio::test]
async fn a_sign_in_that_microsoft_refuses_says_what_to_do() {
    let here = Here::without_tenant().await;
    here.fault(FaultKind::Denied(Denial::ApplicationUnknown), Target::DeviceCode);
    let add = [&ADD[..], &["--consent", "device-code"]].concat();
    let refused = refusal(&here.run_with(&add, CLIENT_SECRET).await);
    assert!(refused.contains("What to do: check client id and tenant id"), "{refused}");
    assert!(!refused.contains(CLIENT_SECRET), "{refused}");
}

#[tokio::test]
async fn a_secret_that_is_there_is_not_replaced_by_adding_a_tenant() {
    let here = Here::without_tenant().await;
    let before = here.secret("partner-alerts/read/local").await;
    let add: Vec<_> =
        ADD.iter().map(|word| if *word == NEW_SECRET { "partner-alerts/read/local" } else { word }).collect();
    let refused = refusal(&here.run_with(&add, "another").await);
    assert!(refused.contains("partner-alerts/read/local already") && refused.contains("tenants set"), "{refused}");
    assert_eq!(here.secret("partner-alerts/read/local").await, before);

    let consent = [
        "tenants",
        "add",
        TENANT,
        "--name",
        "x",
        "--read-secret",
        "partner-alerts/read/none",
        "--consent",
        "device-code",
    ];
    let refused = here.refused(&consent).await;
    assert!(
        refused.contains("there is no secret partner-alerts/read/none yet") && refused.contains("--client-id"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_secret_to_act_with_is_another_one() {
    let here = Here::new().await;
    let credential = ["--client-id", CLIENT_ID, "--client-secret-file", "-"];
    let name = format!("partner-alerts/act/{TENANT}");
    let before = here.secret("partner-alerts/read/local").await.unwrap();
    let set = [&["tenants", "set", TENANT, "--secret", "act"], &credential[..]].concat();
    let refused = refusal(&here.run_with(&set, "act with this").await);
    assert!(refused.contains("problem  act sign-in to Graph") && refused.contains("client-secret-wrong"), "{refused}");
    assert_eq!(here.secret(&name).await, None);
    assert_eq!(here.json(&["tenants", "show", TENANT]).await["act_secret"], Value::Null);
    let shown = here.told(&["tenants", "show", TENANT]).await;
    assert!(shown.contains("act secret   none: its alerts can't be decided on here\n"), "{shown}");

    let output = here.run_with(&set, CLIENT_SECRET).await;
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("ok       act sign-in to Graph") && said.contains("act sign-in to Partner Center"), "{said}");
    assert_eq!(here.secret(&name).await.unwrap(), json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET }));
    assert_eq!(here.json(&["tenants", "show", TENANT]).await["act_secret"], json!(name));
    assert_eq!(here.secret("partner-alerts/read/local").await.unwrap(), before);
}

#[tokio::test]
async fn what_no_secret_can_be_made_of_is_refused() {
    let here = Here::without_tenant().await;
    let empty = refusal(&here.run_with(&ADD, " \n").await);
    assert!(empty.contains("there is no client secret"), "{empty}");

    let files = tempfile::TempDir::new().unwrap();
    let file = files.path().join("no.pem");
    let add =
        [&ADD[..9], &["--certificate-file", file.to_str().unwrap(), "--private-key-file", file.to_str().unwrap()]];
    let missing = here.refused(&add.concat()).await;
    assert!(missing.contains("no.pem can't be read"), "{missing}");
    std::fs::write(&file, "no certificate").unwrap();
    let refused = here.refused(&add.concat()).await;
    assert!(refused.contains("certificate is not a PEM certificate"), "{refused}");

    for (arguments, words) in [
        (&ADD[..9], "--client-secret-file"),
        (&[&ADD[..7], &["--client-id", "none", "--client-secret-file", "-"]].concat(), "none"),
        (&[&ADD[..], &["--client-secret-expires", "soon"]].concat(), "a day as in 2027-05-01"),
    ] {
        let output = here.run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{arguments:?}: {output:?}");
    }
}
