//! What the binary says of itself: examples that are understood, exit statuses, and what shells complete by.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has to fail loudly")]

use std::process::{Command, Output};

use clap::{CommandFactory as _, Parser as _};
use cli::Arguments;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partner-alerts"));
    let output = command.env_clear().args(arguments).output().unwrap();
    assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
    output
}

fn said(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that do something, each as the words that call it.
fn commands(command: &clap::Command, before: &[String]) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        let words = [before, &[inner.get_name().to_owned()]].concat();
        if inner.has_subcommands() { all.extend(commands(inner, &words)) } else { all.push(words) }
    }
    all
}

#[test]
fn every_command_has_examples_in_its_help_that_are_understood_and_call_it() {
    let all = commands(&Arguments::command(), &[]);
    assert!(all.len() >= 13, "{all:?}");
    for words in all {
        let arguments: Vec<_> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let help = said(&arguments);
        let examples: Vec<_> = help.lines().map(str::trim).filter(|line| line.starts_with("partner-alerts ")).collect();
        assert!(!examples.is_empty(), "{words:?}: {help}");
        for example in examples {
            assert!(example.contains(&words.join(" ")), "{words:?}: {example}");
            // Where its output goes is the shell's to know.
            let command = example.split(" >").next().unwrap();
            let understood = Arguments::try_parse_from(command.split_whitespace());
            assert!(understood.is_ok(), "{example}: {}", understood.unwrap_err());
        }
    }
}

#[test]
fn exit_statuses_are_said_in_the_help_and_on_the_page_alike() {
    let help = said(&["--help"]);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md")).unwrap();
    let (_, statuses) = help.split_once("Exit status:\n").unwrap();
    let statuses: Vec<_> = statuses.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(statuses.len(), 3, "{help}");
    for status in statuses {
        let (code, meaning) = status.trim().split_once("  ").unwrap();
        assert!(page.contains(&format!("| `{code}` | {meaning} |")), "{status}");
    }
    let doctor = said(&["doctor", "--help"]);
    assert!(doctor.contains("Exit status: 0 nothing is wrong"), "{doctor}");
    for arguments in [&["no-such-command"][..], &["doctor", "--tenant", "no-id"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_partner-alerts"));
        assert_eq!(command.env_clear().args(arguments).output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn every_shell_is_given_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = said(&["completions", shell]);
        for word in ["doctor", "webhook", "path-key"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn bash_completes_by_what_it_is_given() {
    // As bash calls it for `partner-alerts do<tab>` and `partner-alerts doctor --te<tab>`.
    for (words, expected) in [("partner-alerts do", "doctor"), ("partner-alerts doctor --te", "--tenant")] {
        let script = format!(
            "source <(\"$BINARY\" completions bash)\n\
             COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             function=$(complete -p partner-alerts | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n\
             $function partner-alerts \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
             echo \"${{COMPREPLY[@]}}\""
        );
        let mut bash = Command::new("bash");
        let output = bash.env("BINARY", env!("CARGO_BIN_EXE_partner-alerts")).arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), expected, "{words}");
    }
}
