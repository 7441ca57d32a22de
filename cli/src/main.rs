//! `partner-alerts`: the operators' command line.

use std::{io, process::ExitCode};

use clap::{Parser, Subcommand};
use cli::{Account, Output, callback, tenants, webhook};
use runtime::StartError;

/// What operators of Partner Alerts do from a terminal.
///
/// Commands that look into an account use AWS credentials as the AWS command line does, and `--stack` to find what is where.
/// Exit status: 0 done, 1 not done, 2 the command could not be understood.
#[derive(Debug, Parser)]
#[command(name = "partner-alerts", version)]
struct Arguments {
    /// The CloudFormation stack that Partner Alerts was deployed as.
    #[arg(long, global = true, env = "PARTNER_ALERTS_STACK")]
    stack: Option<String>,
    /// Write JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Partner Center webhook callbacks.
    #[command(subcommand)]
    Callback(callback::Command),
    /// The partner's tenants.
    #[command(subcommand)]
    Tenants(tenants::Command),
    /// Where Partner Center sends a tenant's events.
    #[command(subcommand)]
    Webhook(webhook::Command),
}

fn main() -> ExitCode {
    // Before the arguments are read, which may hold a path key.
    let done = match runtime::forbid_core_dumps() {
        Ok(()) => run(Arguments::parse()),
        Err(error) => Err(StartError::CoreDumps(error).into()),
    };
    match done {
        Ok(status) => status,
        Err(error) => {
            eprintln!("partner-alerts: {}", runtime::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut output = Output::new(io::stdout().lock(), arguments.json);
    match arguments.command {
        Command::Callback(command) => return Ok(command.run()?),
        Command::Tenants(command) => {
            let account = Account::open(arguments.stack.as_deref()).await?;
            if let Err(error) = command.run(&account, &mut output).await {
                return Err(told(&error, error.advice()).into());
            }
        }
        Command::Webhook(command) => {
            let account = Account::open(arguments.stack.as_deref()).await?;
            if let Err(error) = command.run(&account, &mut output).await {
                return Err(told(&error, error.advice()).into());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An error in words, with what to do where that is known.
fn told(error: &dyn std::error::Error, advice: Option<&str>) -> String {
    let advice = advice.map(|advice| format!("\nWhat to do: {advice}")).unwrap_or_default();
    format!("{}{advice}", runtime::chain(error))
}
