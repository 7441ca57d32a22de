//! `partner-alerts callback verify`, as an operator runs it.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Output, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use runtime::{OutgoingTls, Variables};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use simulator::{Forgery, MARKER, Options, SignedCallback, Simulator, Tenant};

const BODY: &[u8] = br#"{"EventName":"test-created","ResourceChangeUtcDate":"2026-03-02T09:00:00Z"}"#;

/// A Microsoft whose certificate was downloaded.
struct Microsoft {
    simulator: Simulator,
    certificate: String,
}

impl Microsoft {
    async fn start() -> Self {
        let tenant = Tenant {
            id: "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".to_owned(),
            client_id: "client".to_owned(),
            client_secret: MARKER.to_owned(),
            callback_url: None,
            ..Tenant::default()
        };
        let options = Options { tenants: vec![tenant], ..Options::default() };
        let simulator = Simulator::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let anchors = folder.path().join("anchors.pem");
        std::fs::write(&anchors, simulator.trust_anchors_pem()).unwrap();
        let file = ("OUTGOING_TLS_TRUST_ANCHORS_FILE", anchors.display().to_string());
        let tls = OutgoingTls::read(&Variables::default().over([file])).unwrap();
        let client = runtime::http_client(&tls, Duration::from_mins(1)).unwrap();
        let url = header(&simulator.sign(BODY).unwrap(), "X-MS-Certificate-Url");
        let bytes = client.get(url).send().await.unwrap().bytes().await.unwrap();
        Self { simulator, certificate: STANDARD.encode(bytes) }
    }

    /// The line of a callback, with everything that makes it authentic.
    fn line(&self, callback: &SignedCallback) -> Value {
        let der = |pem: &str| -> Vec<String> {
            CertificateDer::pem_slice_iter(pem.as_bytes()).map(|der| STANDARD.encode(der.unwrap())).collect()
        };
        let headers: serde_json::Map<_, _> =
            callback.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let location = self.simulator.certificate_location();
        let host = location.strip_prefix("https://").unwrap().split('/').next().unwrap();
        json!({
            "certificate": self.certificate,
            "intermediates": der(self.simulator.intermediates_pem()),
            "trust_anchors": der(self.simulator.trust_anchors_pem()),
            "headers": headers,
            "body": STANDARD.encode(&callback.body),
            "certificate_names": ["pcnotifications-dispatch.simulator.test"],
            "certificate_hosts": [host],
        })
    }

    fn genuine(&self) -> Value {
        self.line(&self.simulator.sign(BODY).unwrap())
    }
}

fn header(callback: &SignedCallback, name: &str) -> String {
    callback.headers.iter().find(|(known, _)| known == name).unwrap().1.clone()
}

/// The line with this member, or without it where the value is null.
fn with(mut line: Value, name: &str, value: Value) -> Value {
    let members = line.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name)
    } else {
        members.insert(name.to_owned(), value)
    };
    line
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partner-alerts"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_owned();
    // On a thread of its own, since the answers begin before the questions end.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = process.wait_with_output().unwrap();
    // Whoever does not read it all is done with it.
    let _ = writer.join().unwrap();
    output
}

/// The answers to these lines, and whether the status was that of success.
fn verify(lines: &[String]) -> (Vec<Value>, bool) {
    let output = run(&["callback", "verify"], &lines.join("\n"));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).unwrap();
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), output.status.success())
}

#[tokio::test]
async fn a_genuine_callback_is_authentic_and_each_thing_that_is_wrong_has_its_reason() {
    let microsoft = Microsoft::start().await;
    let genuine = microsoft.genuine();
    let forged = |forgery| microsoft.line(&microsoft.simulator.forge(BODY, forgery).unwrap());
    let with_header = |name: &str, value: Value| {
        let mut line = genuine.clone();
        line["headers"][name] = value;
        line
    };
    let url = genuine["headers"]["X-MS-Certificate-Url"].clone();
    let table = [
        (genuine.clone(), "authentic"),
        (with(genuine.clone(), "certificate_hosts", json!([microsoft.simulator.certificate_location()])), "authentic"),
        (forged(Forgery::Body), "signature-mismatch"),
        (forged(Forgery::Key), "signature-mismatch"),
        (with(genuine.clone(), "now", json!("2001-01-01T00:00:00Z")), "certificate-not-yet-valid"),
        (with(genuine.clone(), "now", json!("2101-01-01T00:00:00Z")), "certificate-expired"),
        (with(genuine.clone(), "certificate_names", json!(["other.example"])), "certificate-name"),
        (with(genuine.clone(), "certificate_names", Value::Null), "certificate-name"),
        (with(genuine.clone(), "certificate_hosts", json!(["other.example"])), "certificate-url-not-allowed"),
        (with(genuine.clone(), "certificate_hosts", Value::Null), "certificate-url-not-allowed"),
        (with(genuine.clone(), "trust_anchors", Value::Null), "certificate-chain"),
        (with(genuine.clone(), "intermediates", json!([])), "certificate-chain"),
        (with(genuine.clone(), "certificate", json!(STANDARD.encode("none"))), "certificate-unreadable"),
        (with(genuine.clone(), "headers", Value::Null), "missing-algorithm"),
        (with_header("Authorization", json!("Bearer x")), "authorization-scheme"),
        (with_header("X-MS-Certificate-Url", json!([url, url])), "repeated-header"),
        (with_header("x-ms-certificate-url", json!("https://evil.example/a.cer")), "repeated-header"),
    ];
    let (answers, success) = verify(&table.iter().map(|(line, _)| line.to_string()).collect::<Vec<_>>());
    assert!(success);
    assert_eq!(answers.len(), table.len());
    for (answer, (line, reason)) in answers.iter().zip(&table) {
        assert_eq!(answer["reason"], *reason, "{line}");
        assert_eq!(answer["authentic"], *reason == "authentic", "{line}");
        assert!(answer["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{line}");
    }
}

#[tokio::test]
async fn a_line_that_can_t_be_read_is_named_by_its_number_and_stops_no_other() {
    let microsoft = Microsoft::start().await;
    let genuine = microsoft.genuine();
    let lines = [
        genuine.to_string(),
        "{".to_owned(),
        String::new(),
        with(genuine.clone(), "body", Value::Null).to_string(),
        with(genuine.clone(), "body", json!("no base64!")).to_string(),
        with(genuine.clone(), "certificate", Value::Null).to_string(),
        with(genuine.clone(), "certificate_name", json!(["misspelled"])).to_string(),
        with(genuine.clone(), "certificate_names", json!([])).to_string(),
        with(genuine.clone(), "certificate_hosts", json!(["no host!"])).to_string(),
        with(genuine.clone(), "trust_anchors", json!([STANDARD.encode("none")])).to_string(),
        with(genuine.clone(), "now", json!("yesterday")).to_string(),
        with(genuine.clone(), "headers", json!({ "no name": "x" })).to_string(),
        with(genuine.clone(), "headers", json!({ "x-name": "line\nend" })).to_string(),
        "[]".to_owned(),
        genuine.to_string(),
    ];
    let (answers, success) = verify(&lines);
    assert!(!success, "the status says that lines were not read");
    let named: Vec<_> = answers.iter().filter_map(|answer| answer["line"].as_u64()).collect();
    assert_eq!(named, [2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    for answer in &answers {
        assert!(
            answer["authentic"] == true || answer["error"].as_str().is_some_and(|error| !error.is_empty()),
            "{answer}"
        );
    }
    assert_eq!(answers.iter().filter(|answer| answer["authentic"] == true).count(), 2);
}

#[tokio::test]
async fn where_an_issuer_is_missing_it_is_said_what_a_function_would_ask() {
    let leaf = include_bytes!("../../shared/callback/tests/data/microsoft-chain/leaf-microsoft.com.pem");
    let microsoft = Microsoft::start().await;
    let mut line = with(microsoft.genuine(), "certificate", json!(STANDARD.encode(leaf)));
    line = with(line, "trust_anchors", Value::Null);
    line = with(line, "certificate_names", json!(["microsoft.com"]));
    line = with(line, "now", json!("2026-04-01T00:00:00Z"));
    let (answers, _) = verify(&[with(line.clone(), "intermediates", json!([])).to_string()]);
    assert_eq!(answers[0]["reason"], "certificate-chain");
    let address = "http://www.microsoft.com/pkiops/certs/Microsoft%20TLS%20G2%20RSA%20CA%20OCSP%2002.crt";
    assert!(answers[0]["detail"].as_str().unwrap().contains(address), "{}", answers[0]);
    // With those that are built in, the chain holds; the signature is somebody else's.
    let (answers, _) = verify(&[with(line, "intermediates", Value::Null).to_string()]);
    assert_eq!(answers[0]["reason"], "signature-mismatch");
}

#[tokio::test]
async fn an_answer_is_there_before_the_next_line_is_asked() {
    let line = Microsoft::start().await.genuine().to_string() + "\n";
    let mut command = Command::new(env!("CARGO_BIN_EXE_partner-alerts"));
    let mut process =
        command.args(["callback", "verify"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut asks, mut answers) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
    for _ in 0..3 {
        asks.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.contains("\"authentic\":true"), "{answer}");
    }
    drop(asks);
    assert!(process.wait().unwrap().success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_can_leave_no_core_dump() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partner-alerts"));
    let command = command.args(["callback", "verify"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let (mut asks, mut answers) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
    // Once it answers, it has long begun, and it waits for the next line.
    asks.write_all(b"no callback\n").unwrap();
    answers.read_line(&mut String::new()).unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
    drop(asks);
    process.wait().unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"], "soft and hard");
}

#[tokio::test]
async fn a_file_is_read_in_place_of_standard_input() {
    let microsoft = Microsoft::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("callbacks.jsonl");
    std::fs::write(&file, format!("{}\n", microsoft.genuine())).unwrap();
    let output = run(&["callback", "verify", file.to_str().unwrap()], "");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((answer["reason"].as_str(), output.status.success()), (Some("authentic"), true));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = run(&["callback", "verify", "nowhere.jsonl"], "");
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("partner-alerts: nowhere.jsonl can't be opened: "), "{said}");
}

#[test]
fn nothing_in_is_nothing_out() {
    let output = run(&["callback", "verify"], "");
    assert_eq!((output.stdout, output.status.success()), (Vec::new(), true));
}
