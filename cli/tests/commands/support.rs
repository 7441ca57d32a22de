//! The binary, and the system that it works on.

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use simulator::{Alert, Fault, FaultKind, Simulator, Target};
use tests::{BY_HAND, PATH_KEY, Scripted, TENANT, TestSystem, secrets::assert_no_secret_in};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

/// A tenant that nobody looks after.
pub(crate) const OTHER: &str = "0a1b2c3d-2f0a-4f7b-8a34-0c5d1b7e6a11";
/// What the world calls the local gateway: registrations have to be https.
pub(crate) const PUBLIC: &str = "https://partner-alerts.localhost";

pub(crate) struct Here {
    pub(crate) test: TestSystem,
    pub(crate) environment: Vec<(String, String)>,
}

impl Here {
    pub(crate) async fn new() -> Self {
        let test = TestSystem::start(&[&BY_HAND[..], &[("LOCAL_PATH_KEY", PATH_KEY)]].concat()).await.unwrap();
        Self::over(test)
    }

    pub(crate) fn over(test: TestSystem) -> Self {
        let environment = test.system.environment().to_vec();
        Self { test, environment }
    }

    /// Sets a variable that the binary is started with.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Has the binary ask this in place of a service of the system's, by the variable that names its address.
    pub(crate) fn ask_instead(&mut self, other: &Scripted, variable: &str) {
        let anchors = "OUTGOING_TLS_TRUST_ANCHORS_FILE";
        let (_, file) = self.environment.iter_mut().find(|(name, _)| name == anchors).unwrap();
        let both = self.test.folder().join("both.pem");
        std::fs::write(&both, std::fs::read_to_string(&*file).unwrap() + other.certificate_pem()).unwrap();
        *file = both.display().to_string();
        self.environment.push((variable.to_owned(), other.url().to_owned()));
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        self.test.system.simulator()
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_partner-alerts"));
        command.env_clear().envs(self.environment.iter().cloned()).args(arguments).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) async fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.start(arguments);
        // One that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        let output = child.wait_with_output().await.unwrap();
        assert_no_secret_in(&output);
        output
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "").await
    }

    /// What the command says when it is done.
    pub(crate) async fn told(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.told(&[&["--json"], arguments].concat()).await).unwrap()
    }

    /// What the command says when it is not done.
    pub(crate) async fn refused(&self, arguments: &[&str]) -> String {
        refusal(&self.run(arguments).await)
    }

    pub(crate) fn fault(&self, kind: FaultKind, target: Target) {
        self.simulator().set_fault(Fault::new(target, kind)).unwrap();
    }

    /// How the webhook answers a genuine callback to this address.
    pub(crate) async fn deliver(&self, url: &str) -> u16 {
        let now = self.test.system.parts().clock.now();
        let body = json!({ "EventName": "test-created", "ResourceChangeUtcDate": now, "ResourceUri": url });
        self.send(url, body.to_string().as_bytes()).await
    }

    /// The same for one that says that there is fraud.
    pub(crate) async fn ring(&self, url: &str, alert: &Alert) -> u16 {
        let body = self.simulator().fraud_callback(alert);
        self.send(url, &body).await
    }

    async fn send(&self, url: &str, body: &[u8]) -> u16 {
        let local = url.replace(PUBLIC, self.test.system.callback_url().split_once("/callbacks").unwrap().0);
        self.simulator().deliver(&local, self.simulator().sign(body).unwrap()).await.unwrap()
    }
}

/// What a command said that was not done.
pub(crate) fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The seed tenant's callback address, as the world calls it.
pub(crate) fn callback_url() -> String {
    format!("{PUBLIC}/callbacks/{TENANT}/{PATH_KEY}")
}
