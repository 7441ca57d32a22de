//! `docs/getting-started.md`, followed from its first command to its last.

use std::{collections::BTreeSet, fs, path::Path};

use jiff::SignedDuration;
use models::{ReconcileCause, ReconcileRequest};
use simulator::{NewAlert, Person};
use tests::{CLIENT_ID, CLIENT_SECRET, Messages, PATH_KEY, TENANT, TestSystem};

use crate::support::{Here, PUBLIC};

/// What there is nothing to run for here: it makes the account, and the program itself.
const ELSEWHERE: [&str; 5] = ["rustup ", "sam ", "cargo install ", "export ", "aws cloudformation "];

/// The commands of the page, each with the heading that it stands below.
fn commands() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/getting-started.md");
    let (mut heading, mut is_shell, mut commands) = (String::new(), false, Vec::new());
    for line in fs::read_to_string(page).unwrap().lines() {
        match line {
            "```sh" => is_shell = true,
            "```" => is_shell = false,
            command if is_shell => commands.push((heading.clone(), command.to_owned())),
            other => {
                if let Some(text) = other.strip_prefix("## ") {
                    text.clone_into(&mut heading);
                }
            }
        }
    }
    commands
}

struct Follower {
    here: Here,
    /// The callback address that was said last.
    callback: String,
}

impl Follower {
    /// Somebody subscribes, and clicks the link that SNS sends.
    async fn subscribe(&self, topic: &str) {
        let client = aws_sdk_sns::Client::new(&self.here.test.system.parts().aws);
        client.subscribe().topic_arn(topic).protocol("sqs").endpoint("confirmed at once").send().await.unwrap();
    }

    async fn follow(&mut self, command: &str) -> String {
        let variable = |name: &str| {
            let (_, value) = self.here.environment.iter().find(|(known, _)| known == name).unwrap();
            value.clone()
        };
        let end = self.here.test.system.parts().clock.now() + SignedDuration::from_hours(180 * 24);
        let command = command
            .replace("<tenant id>", TENANT)
            .replace("<application id>", CLIENT_ID)
            .replace("<day>", &end.to_string()[..10])
            .replace("<FraudTopicArn>", &variable("FRAUD_TOPIC_ARN"))
            .replace("<OperationsTopicArn>", &variable("OPERATIONS_TOPIC_ARN"));
        let words: Vec<_> = command.split_whitespace().collect();
        if let ["aws", "sns", "subscribe", "--topic-arn", topic, ..] = words[..] {
            self.subscribe(topic).await;
            return String::new();
        }
        assert_eq!(words[0], "partner-alerts", "{command}");
        let said = self.run(&words[1..]).await;
        // With its key in it: everything else shows it without.
        let callback = said.split_whitespace().find(|word| word.starts_with(PUBLIC) && !word.contains('…'));
        if let Some(callback) = callback {
            callback.clone_into(&mut self.callback);
        }
        said
    }

    /// What the command says when it is done, with a person at hand who does what they are asked.
    async fn run(&self, words: &[&str]) -> String {
        if words.contains(&"browser") {
            return self.here.with_browser(words, Person::admin_agent(TENANT)).await;
        }
        let input = if words.contains(&"--url") { self.callback.as_str() } else { CLIENT_SECRET };
        let output = self.here.run_with(words, input).await;
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a tick of the schedule does.
    async fn tick(&self) {
        let poll = poll::wire(self.here.test.system.parts()).unwrap();
        let request =
            ReconcileRequest { tenant: TENANT.parse().unwrap(), cause: ReconcileCause::Schedule, trace: None };
        poll.reconcile(&request, None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_leads_from_an_empty_account_to_the_first_alert_and_back() {
    let test = TestSystem::start(&[("LOCAL_PATH_KEY", PATH_KEY)]).await.unwrap();
    let here = Here::over(test);
    here.told(&["tenants", "remove", TENANT]).await;
    let mut follower = Follower { here, callback: String::new() };
    let (mut count, mut asked) = (0, BTreeSet::new());
    for (heading, command) in commands() {
        if ELSEWHERE.iter().any(|other| command.starts_with(other)) {
            continue;
        }
        if heading.starts_with("7. ") {
            follower.tick().await;
        }
        let _ = follower.here.test.system.account().take_asked();
        let said = follower.follow(&command).await;
        if command.starts_with("partner-alerts tenants add") || command.starts_with("partner-alerts tenants set") {
            // Beside these only poll asks for secrets, and it reads them, too.
            let now = follower.here.test.system.account().take_asked();
            asked.extend(now.into_iter().filter(|action| action.starts_with("secretsmanager:")));
        }
        count += 1;
        match command.split(" <").next().unwrap() {
            "partner-alerts tenants add" => {
                let missing: Vec<_> = said.lines().filter(|line| line.trim().starts_with("problem")).collect();
                assert!(missing.len() == 1 && missing[0].contains("registered"), "{said}");
            }
            "partner-alerts webhook register" => assert!(said.contains("Its events come here."), "{said}"),
            "partner-alerts webhook test" => assert!(said.contains("OK (taken)"), "{said}"),
            "partner-alerts doctor" => {
                assert!(said.contains("0 problems, 0 warnings, 0 unknown"), "{said}");
                // The next step of the page is to wait for this.
                let (simulator, messages) = (follower.here.simulator(), &follower.here.test.messages);
                let alert = simulator.raise(NewAlert::default()).unwrap();
                assert_eq!(follower.here.ring(&follower.callback, &alert).await, 200);
                let tells = |all: &Messages| all.fraud().iter().any(|message| message.json.contains(&alert.id));
                messages.until("the first alert is published", tells).await;
            }
            _ => {}
        }
    }
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/deploy.md")).unwrap();
    let row = page.lines().find(|line| line.starts_with("| `tenants add`, `set` |")).unwrap();
    let told = row.split('`').filter(|word| word.starts_with("secretsmanager:")).map(str::to_owned);
    assert_eq!(asked, told.collect(), "what operators are told that they need");
    assert_eq!(count, 17, "commands of the page that were followed");
    assert_eq!(follower.here.json(&["tenants", "list"]).await, serde_json::json!([]));
}
