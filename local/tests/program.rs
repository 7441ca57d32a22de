//! The program as somebody runs it: started, used from a second terminal, stopped, killed and started again on the same
//! state.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on fails")]

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::Notify,
};

/// How long an event may be waited for before a test gives up. It decides nothing.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the secrets of the program and of its simulator have in them, and how an access token or an assertion begins.
const SECRETS: [&str; 4] = [simulator::MARKER, "eyJhbGciOi", "eyJ0eXAiOi", "-----BEGIN PRIVATE KEY"];
const PATH_KEY: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";

/// What the program has written so far.
#[derive(Clone, Default)]
struct Output {
    text: Arc<Mutex<String>>,
    more: Arc<Notify>,
}

impl Output {
    fn follow(&self, stream: impl AsyncRead + Unpin + Send + 'static) {
        let output = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut text = output.text.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
                output.more.notify_waiters();
            }
        });
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// Waits until the text holds all of these, in this order.
    async fn until(&self, parts: &[&str]) {
        let waiting = async {
            loop {
                let mut more = std::pin::pin!(self.more.notified());
                more.as_mut().enable();
                if in_order(&self.text(), parts) {
                    return;
                }
                more.await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(ended.is_ok(), "waited in vain for {parts:?} in:\n{}", self.text());
    }
}

fn in_order(text: &str, parts: &[&str]) -> bool {
    let mut rest = text;
    parts.iter().all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// The program, running.
struct Program {
    child: Child,
    screen: Output,
    log: Output,
}

impl Program {
    fn spawn(state: &Path, variables: &[(&str, &str)]) -> Self {
        Self::told(&[], state, variables)
    }

    /// Started with these arguments.
    fn told(arguments: &[&str], state: &Path, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_partner-alerts-local"))
            .args(arguments)
            .env_clear()
            .envs([
                ("LOCAL_GATEWAY", "127.0.0.1:0"),
                ("LOCAL_MICROSOFT", "127.0.0.1:0"),
                ("LOCAL_CONTROL", "127.0.0.1:0"),
            ])
            .env("LOCAL_STATE_DIRECTORY", state)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (screen, log) = (Output::default(), Output::default());
        screen.follow(child.stdout.take().unwrap());
        log.follow(child.stderr.take().unwrap());
        Self { child, screen, log }
    }

    async fn start(state: &Path, variables: &[(&str, &str)]) -> Self {
        let program = Self::spawn(state, variables);
        program.screen.until(&["Ctrl-C stops"]).await;
        program
    }

    /// An address that the program printed.
    fn address(&self, label: &str) -> String {
        let text = self.screen.text();
        let line = text.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    }

    /// A request to the simulator's control, as the program's own words say.
    async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.address("simulator's control"));
        let response = client().post(url).json(body).send().await.unwrap();
        assert!(response.status().is_success(), "{path} answered {}", response.status());
        response.json().await.unwrap()
    }

    /// An answer of the API, as an admin agent gets it.
    async fn api(&self, path: &str) -> Value {
        let token =
            client().post(format!("{}/access-tokens", self.address("simulator's control"))).send().await.unwrap();
        let token = token.text().await.unwrap();
        let url = self.address("sign in").replace("/sign-in", &format!("/api/v1/{path}"));
        client().get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap()
    }

    async fn raise(&self) -> String {
        self.control("/alerts", &json!({})).await["id"].as_str().unwrap().to_owned()
    }

    /// The statuses of the answers to a callback.
    async fn callback(&self, body: Value) -> Vec<u64> {
        let answer = self.control("/callbacks", &body).await;
        answer["answers"].as_array().unwrap().iter().map(|answer| answer["status"].as_u64().unwrap()).collect()
    }

    async fn published(&self, alert: &str) {
        let line = format!("Alert ID: {alert}");
        let parts = ["--- published to partner-alerts-fraud", &line, "---"];
        tokio::select! {
            () = self.screen.until(&parts) => {}
            // Never comes: only what the program logged is shown beside what it printed.
            () = self.log.until(&["the log, for the test that fails:"]) => {}
        }
    }

    /// Stops it as Ctrl-C does.
    async fn interrupt(mut self) -> ExitStatus {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it stops when it is told to").unwrap()
    }

    /// Ends it as a power cut does.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Whatever a test is about: the program writes no secret. Its path key is part of the address that it shows, and of nothing else.
impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let (screen, log) = (self.screen.text(), self.log.text());
        for (output, text) in [("screen", &screen), ("log", &log)] {
            let line = text.lines().find(|line| SECRETS.iter().any(|secret| line.contains(secret)));
            assert_eq!(line, None, "a secret stands in what it wrote to its {output}");
        }
        let shown = screen.lines().filter(|line| line.contains(PATH_KEY)).count();
        assert!(shown <= 1 && !log.contains(PATH_KEY), "the path key: {screen}\n{log}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a test talks to loopback over plain http")]
fn client() -> reqwest::Client {
    // Fails where another test of this process was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A state in which the first look is over and the demonstration alert was told.
async fn state_after_a_first_start() -> TempDir {
    let folder = TempDir::new().unwrap();
    let program = Program::start(&folder.path().join("state"), &[]).await;
    program.screen.until(&["Subject: Partner Alerts: new fraud alert", "---"]).await;
    assert!(program.interrupt().await.success(), "Ctrl-C stops it cleanly");
    folder
}

#[tokio::test]
async fn a_first_start_shows_a_fraud_message_and_a_second_terminal_drives_it() {
    let folder = TempDir::new().unwrap();
    let program = Program::start(&folder.path().join("state"), &[]).await;
    program.screen.until(&["Subject: Partner Alerts: new fraud alert", "Answer by: "]).await;

    let alert = program.raise().await;
    assert_eq!(program.callback(json!({})).await, [200]);
    program.published(&alert).await;

    assert_eq!(program.callback(json!({ "repeat": true })).await, [200], "a second copy is taken");
    assert_eq!(program.callback(json!({ "forged": "key" })).await, [401]);
    assert_eq!(program.callback(json!({ "forged": "body" })).await, [401]);
    program.log.until(&["\"reason\":\"duplicate\"", "\"reason\":\"signature-mismatch\""]).await;

    // Another alert after them shows that nothing else was told in between.
    let last = program.raise().await;
    program.callback(json!({})).await;
    program.published(&last).await;
    let told = program.screen.text().matches(&format!("Alert ID: {alert}\n")).count();
    assert_eq!(told, 1, "the copy and the forgeries changed nothing");
    assert!(program.interrupt().await.success());
}

#[tokio::test]
async fn a_first_start_shows_ten_weeks_of_three_tenants_without_a_message_for_each_alert() {
    let folder = TempDir::new().unwrap();
    let program = Program::start(&folder.path().join("state"), &[]).await;
    program.screen.until(&["Subject: Partner Alerts: new fraud alert", "---"]).await;

    let figures = program.api("statistics").await;
    assert_eq!(figures["tenants"].as_array().unwrap().len(), 3);
    let (resolved, open) =
        (figures["resolved"]["all"].as_i64().unwrap(), figures["unresolved"]["now"].as_i64().unwrap());
    assert!(resolved > 100 && (5..40).contains(&open), "{figures}");
    assert!(figures["average_response"]["before"]["mean_seconds"].as_i64() > Some(300), "{figures}");
    let busy = figures["chart"].as_array().unwrap().iter().filter(|day| day["new"].as_i64() > Some(0)).count();
    assert!(busy > 30, "{busy} days of the chart have alerts");
    let messages = program.screen.text().matches("--- published to partner-alerts-fraud").count();
    assert!(messages <= 4, "a digest of each tenant, and the demonstration alert: {messages}");
}

#[tokio::test]
async fn without_a_demonstration_set_there_is_one_tenant_with_the_demonstration_alert() {
    let folder = TempDir::new().unwrap();
    let program = Program::start(&folder.path().join("state"), &[("LOCAL_DEMONSTRATION_ALERTS", "0")]).await;
    program.screen.until(&["Subject: Partner Alerts: new fraud alert", "---"]).await;
    assert_eq!(program.api("alerts").await["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(program.api("tenants").await["tenants"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn so_many_alerts_of_one_more_tenant_are_brought_in_by_a_command_and_once() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let mut refused = Program::told(&["seed", "a lot"], &state, &[]);
    refused.log.until(&["is no number of alerts: give one from 1 to"]).await;
    assert!(!refused.child.wait().await.unwrap().success());

    let quiet = [("LOCAL_DEMONSTRATION", "off")];
    let seeded = Program::told(&["seed", "1500"], &state, &quiet);
    seeded.screen.until(&["1500 alerts (made up) is brought in: tenant 5eed0000-0000-4000-8000-000000001500"]).await;
    let figures = seeded.api("statistics?tenant=5eed0000-0000-4000-8000-000000001500").await;
    let count = |of: &str, what: &str| figures[of][what].as_i64().unwrap();
    let all = count("resolved", "all") + count("unresolved", "now") + figures["tests"].as_i64().unwrap();
    assert_eq!(all, 1_500, "{figures}");
    let listed = seeded.api("alerts?tenant=5eed0000-0000-4000-8000-000000001500").await;
    assert_eq!(listed["alerts"].as_array().unwrap().len(), 50);
    assert!(seeded.interrupt().await.success());

    let again = Program::told(&["seed", "1500"], &state, &quiet);
    again.screen.until(&["was brought in before, and stays as it is"]).await;
    let after = again.api("statistics?tenant=5eed0000-0000-4000-8000-000000001500").await;
    assert_eq!(after["resolved"]["all"], figures["resolved"]["all"]);
}

#[tokio::test]
async fn killed_between_kept_and_reconciled_the_alert_is_still_published() {
    let folder = state_after_a_first_start().await;
    let state = folder.path().join("state");
    let deaf = Program::start(&state, &[("LOCAL_QUEUE", "off"), ("LOCAL_SCHEDULE", "off")]).await;
    let alert = deaf.raise().await;
    assert_eq!(deaf.callback(json!({})).await, [200], "kept");
    assert!(!deaf.screen.text().contains(&alert), "and not reconciled");
    deaf.kill().await;

    let again = Program::start(&state, &[]).await;
    again.published(&alert).await;
}

#[tokio::test]
async fn killed_between_written_and_published_the_stream_goes_on_where_it_was() {
    let (folder, alert) = written_and_not_published().await;
    let again = Program::start(&folder.path().join("state"), &[("LOCAL_SCHEDULE", "off")]).await;
    again.published(&alert).await;
}

#[tokio::test]
async fn killed_between_written_and_published_the_sweep_publishes_without_the_stream() {
    let (folder, alert) = written_and_not_published().await;
    let sweeping = [("LOCAL_STREAMS", "off"), ("LOCAL_SWEEP_SECONDS", "1"), ("SWEEP_AFTER_SECONDS", "1")];
    let again = Program::start(&folder.path().join("state"), &sweeping).await;
    again.published(&alert).await;
    again.log.until(&["the sweep found what the stream had left"]).await;
}

async fn written_and_not_published() -> (TempDir, String) {
    let folder = state_after_a_first_start().await;
    let mute = Program::start(&folder.path().join("state"), &[("LOCAL_STREAMS", "off")]).await;
    let alert = mute.raise().await;
    assert_eq!(mute.callback(json!({})).await, [200]);
    mute.log.until(&["tenant reconciled", "\"changed\":1"]).await;
    assert!(!mute.screen.text().contains(&alert), "not published");
    mute.kill().await;
    (folder, alert)
}

#[tokio::test]
async fn without_any_callback_the_schedule_finds_the_alert() {
    let folder = state_after_a_first_start().await;
    let program = Program::start(&folder.path().join("state"), &[("LOCAL_SCHEDULE_SECONDS", "1")]).await;
    let alert = program.raise().await;
    program.published(&alert).await;
    assert!(!program.log.text().contains("callback kept"));
}

#[tokio::test]
async fn what_was_told_is_not_told_again_after_a_restart() {
    let folder = state_after_a_first_start().await;
    let program = Program::start(&folder.path().join("state"), &[]).await;
    let alert = program.raise().await;
    program.callback(json!({})).await;
    program.published(&alert).await;
    assert_eq!(program.screen.text().matches("Subject: Partner Alerts: new fraud alert").count(), 1);
}

#[tokio::test]
async fn the_file_for_the_command_line_is_its_owners_and_goes_when_the_system_does() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let file = state.join("environment");
    let program = Program::start(&state, &[]).await;
    program.screen.until(&[&format!(". {}", file.display())]).await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let lines = std::fs::read_to_string(&file).unwrap();
    assert!(lines.lines().all(|line| line.starts_with("export ") && line.contains('=')), "{lines}");
    assert!(program.interrupt().await.success());
    assert!(!file.exists(), "its key opens nothing any more");
}

#[tokio::test]
async fn a_port_in_use_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for variable in ["LOCAL_GATEWAY", "LOCAL_MICROSOFT", "LOCAL_CONTROL"] {
        let folder = TempDir::new().unwrap();
        let mut program = Program::spawn(folder.path(), &[(variable, &address)]);
        let ended = tokio::time::timeout(PATIENCE, program.child.wait()).await.unwrap().unwrap();
        assert_eq!(ended.code(), Some(1), "{variable}");
        program.log.until(&[&format!("{variable} can't listen on {address}: set {variable} to another address")]).await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_configuration_stops_the_start_and_is_named() {
    for (variable, value, words) in [
        ("LOCAL_GATEWAY", "0.0.0.0:0", "which other machines could reach"),
        ("LOCAL_QUEUE", "maybe", "LOCAL_QUEUE can't be used"),
        ("FRAUD_SEVERITY", "extreme", "FRAUD_SEVERITY can't be used"),
        ("CERTIFICATE_LOCATIONS", "http://127.0.0.1/cert/", "CERTIFICATE_LOCATIONS can't be used"),
        ("SIGNATURE_TRUST_ANCHORS_FILE", "/nowhere", "SIGNATURE_TRUST_ANCHORS_FILE can't be used"),
        ("GLOBAL_GRAPH_URL", "http://127.0.0.1:1", "GLOBAL_GRAPH_URL can't be used"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL can't be used"),
        ("RUN_SECONDS", "100", "RUN_SECONDS can't be used"),
    ] {
        let folder = TempDir::new().unwrap();
        let mut program = Program::spawn(folder.path(), &[(variable, value)]);
        let ended = tokio::time::timeout(PATIENCE, program.child.wait()).await.unwrap().unwrap();
        assert_eq!(ended.code(), Some(1), "{variable}");
        program.log.until(&["Partner Alerts can't start", words]).await;
    }
}

#[tokio::test]
async fn names_of_tables_and_topics_are_honoured_and_empty_variables_count_as_absent() {
    let folder = TempDir::new().unwrap();
    let names = [
        ("ALERTS_TABLE", "my-alerts"),
        ("TENANTS_TABLE", "my-tenants"),
        ("FRAUD_TOPIC_ARN", "arn:aws:sns:eu-west-1:000000000000:my-fraud"),
        ("EVENTS_TABLE", ""),
        ("SIGNATURE_TRUST_ANCHORS_FILE", ""),
    ];
    let program = Program::start(&folder.path().join("state"), &names).await;
    program.screen.until(&["--- published to my-fraud", "Subject: Partner Alerts: new fraud alert"]).await;
}

#[tokio::test]
async fn two_systems_do_not_share_a_state() {
    let folder = TempDir::new().unwrap();
    let _first = Program::start(folder.path(), &[]).await;
    let mut second = Program::spawn(folder.path(), &[]);
    let ended = tokio::time::timeout(PATIENCE, second.child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(1));
    second.log.until(&["is used by another local system"]).await;
}

#[tokio::test]
async fn with_all_that_it_can_log_it_tells_of_trouble_with_microsoft_and_of_no_secret() {
    let folder = TempDir::new().unwrap();
    let talkative = [
        ("LOG_LEVEL", "trace"),
        ("LOCAL_PATH_KEY", PATH_KEY),
        ("LOCAL_SCHEDULE_SECONDS", "1"),
        ("RECONCILE_GAP_SECONDS", "1"),
    ];
    let program = Program::start(&folder.path().join("state"), &talkative).await;
    program.raise().await;
    assert_eq!(program.callback(json!({})).await, [200]);
    assert_eq!(program.callback(json!({ "forged": "key" })).await, [401]);
    program.log.until(&["\"message\":\"tenant reconciled\""]).await;
    assert!(program.address("callback address").ends_with(PATH_KEY));

    // The token that it has is refused, and it gets no other.
    for fault in [
        json!({ "target": "list", "kind": "expiredToken" }),
        json!({ "target": "token", "kind": "conditionalAccess", "times": 1 }),
        json!({ "target": "token", "kind": "truncated", "times": 1 }),
        json!({ "target": "token", "kind": "grantRevoked" }),
    ] {
        let url = format!("{}/faults", program.address("simulator's control"));
        assert_eq!(client().post(url).json(&fault).send().await.unwrap().status(), 204);
    }
    program.log.until(&["conditional-access", "no access_token and expires_in", "refresh-token-revoked"]).await;
    // Dropped, it is searched.
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_system_can_leave_no_core_dump() {
    let folder = TempDir::new().unwrap();
    let program = Program::start(&folder.path().join("state"), &[]).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.child.id().unwrap())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"], "soft and hard");
}

/// Somebody else's client, with a certificate authority of its own: only the variables say so.
#[tokio::test]
async fn another_certificate_authority_can_be_named_and_then_only_its_callbacks_pass() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let tenant = simulator::Tenant {
        id: "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".to_owned(),
        client_id: "client".to_owned(),
        client_secret: simulator::MARKER.to_owned(),
        callback_url: None,
        ..simulator::Tenant::default()
    };
    let options = simulator::Options { tenants: vec![tenant], ..simulator::Options::default() };
    let other = simulator::Simulator::start(options).await.unwrap();
    let anchors = write("root.pem", other.trust_anchors_pem());
    let intermediates = write("issuing.pem", other.intermediates_pem());
    let program = Program::start(
        &folder.path().join("state"),
        &[
            ("LOCAL_DEMONSTRATION", "off"),
            ("CERTIFICATE_LOCATIONS", &other.certificate_location()),
            ("SIGNATURE_TRUST_ANCHORS_FILE", &anchors),
            ("SIGNATURE_INTERMEDIATES_FILE", &intermediates),
            ("OUTGOING_TLS_TRUST_ANCHORS_FILE", &anchors),
        ],
    )
    .await;
    let alert = other.raise(simulator::NewAlert::default()).unwrap();
    let callback = other.sign(&other.fraud_callback(&alert)).unwrap();
    let answered = other.deliver(&program.address("callback address"), callback).await.unwrap();
    assert_eq!(answered, 200, "its callbacks pass");

    program.raise().await;
    assert_eq!(program.callback(json!({})).await, [401], "the built-in one's address is on no list any more");
    program.log.until(&["certificate-url-not-allowed"]).await;
}
