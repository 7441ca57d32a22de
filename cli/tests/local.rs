//! The local system by hand: a shell that reads its file, and what the screen says to try then.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::process::Output;

use tests::{BY_HAND, TestSystem};
use tokio::process::Command;

/// Runs commands in a shell that was set up as the screen says.
async fn shell(test: &TestSystem, commands: &str) -> Output {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_partner-alerts")).parent().unwrap().to_owned();
    let file = test.folder().join("state/environment");
    let mut shell = Command::new("sh");
    shell.env_clear().env("PATH", format!("{}:/usr/bin:/bin", binary.display()));
    // What a shell of somebody who also has an account may hold.
    shell.env("PARTNER_ALERTS_STACK", "partner-alerts").env("AWS_SESSION_TOKEN", "of-another-account");
    shell.arg("-c").arg(format!(". {}\n{commands}", file.display())).output().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_commands_go_to_the_local_system_whatever_the_shell_was_set_up_for() {
    let test = TestSystem::start(&BY_HAND).await.unwrap();
    let output = shell(&test, "echo $AWS_ENDPOINT_URL $AWS_REGION $AWS_DEFAULT_REGION $ALERTS_TABLE").await;
    let said = String::from_utf8(output.stdout).unwrap();
    let words: Vec<_> = said.split_whitespace().collect();
    assert!(words[0].starts_with("http://127.0.0.1:"), "{said}");
    assert_eq!(words[1..], ["eu-west-1", "eu-west-1", "partner-alerts-alerts"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_on_the_screen_do_what_it_says() {
    let test = TestSystem::start(&BY_HAND).await.unwrap();
    let screen = test.system.welcome();
    let commands: Vec<_> =
        screen.lines().filter_map(|line| line.find("partner-alerts ").map(|place| &line[place..])).collect();
    assert_eq!(commands.len(), 5, "{screen}");
    // In the order in which they stand there; the first two say that something is left to be done.
    for (place, command) in commands.iter().enumerate() {
        let output = shell(&test, command).await;
        let said = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        match place {
            0 => assert!(said.contains("nothing is registered") && output.status.code() == Some(1), "{said}{error}"),
            1 => assert!(said.contains("Contoso Partner"), "{said}{error}"),
            2 => assert!(said.contains("Its events come here."), "{said}{error}"),
            3 => assert!(said.contains("https://partner-alerts.localhost/callbacks/"), "{said}{error}"),
            _ => assert!(said.contains("The test event is completed after 1 attempts."), "{said}{error}"),
        }
    }
}
