//! `partner-alerts`: the operators' command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use cli::callback;

/// What operators of Partner Alerts do from a terminal.
#[derive(Debug, Parser)]
#[command(name = "partner-alerts", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Partner Center webhook callbacks.
    #[command(subcommand)]
    Callback(callback::Command),
}

fn main() -> ExitCode {
    let Command::Callback(command) = Arguments::parse().command;
    match command.run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("partner-alerts: {}", runtime::chain(&error));
            ExitCode::FAILURE
        }
    }
}
