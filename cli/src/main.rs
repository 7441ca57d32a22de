//! `partner-alerts`: the operators' command line.

use std::{io, process::ExitCode};

use clap::{Parser, Subcommand};
use cli::{Account, Output, callback, doctor, tenants, webhook};

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
    Doctor(doctor::Command),
    /// The partner's tenants.
    #[command(subcommand)]
    Tenants(tenants::Command),
    /// Where Partner Center sends a tenant's events.
    #[command(subcommand)]
    Webhook(webhook::Command),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
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
        Command::Doctor(command) => {
            let wrong = command.run(arguments.stack.as_deref(), &mut output).await?;
            return Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        Command::Tenants(command) => {
            let account = Account::open(arguments.stack.as_deref()).await?;
            command.run(&account, &mut output).await?;
        }
        Command::Webhook(command) => {
            let account = Account::open(arguments.stack.as_deref()).await?;
            if let Err(error) = command.run(&account, &mut output).await {
                let advice = error.advice().map(|advice| format!("\nWhat to do: {advice}")).unwrap_or_default();
                return Err(format!("{}{advice}", runtime::chain(&error)).into());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
