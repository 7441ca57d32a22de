//! `partner-alerts`: the operators' command line.

use std::{io, process::ExitCode};

use anstream::AutoStream;
use cli::{Account, Arguments, Command, Output};
use runtime::StartError;

fn main() -> ExitCode {
    // Before the arguments are read, which may hold a path key.
    let done = match runtime::forbid_core_dumps() {
        Ok(()) => run(Arguments::understood().unwrap_or_else(|error| error.exit())),
        Err(error) => Err(StartError::CoreDumps(error).into()),
    };
    match done {
        Ok(status) => status,
        Err(error) => {
            // Findings may stand in it, with colour for terminals.
            anstream::eprintln!("partner-alerts: {}", runtime::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    // Colour is left out where nobody sees it; JSON has none to begin with.
    let mut output = Output::new(AutoStream::auto(io::stdout().lock()), arguments.json);
    let stack = arguments.stack().map(str::to_owned);
    match arguments.command {
        Command::Activity(command) => {
            let account = Account::open(stack.as_deref()).await?;
            let something_is_wrong = command.run(&account, &mut output).await?;
            return Ok(if something_is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        Command::Alerts(command) => {
            let account = Account::open(stack.as_deref()).await?;
            // What is written for programs stays as it is, escape codes and all.
            command.run(&account, io::stdout().lock(), &mut output).await?;
        }
        Command::Callback(command) => return Ok(command.run()?),
        Command::Completions(command) => command.run(io::stdout())?,
        Command::Doctor(command) => {
            let something_is_wrong = command.run(stack.as_deref(), &mut output).await?;
            return Ok(if something_is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        Command::Operations(command) => {
            let account = Account::open(stack.as_deref()).await?;
            command.run(&account, &mut output).await?;
        }
        Command::Sessions(command) => {
            let account = Account::open(stack.as_deref()).await?;
            command.run(&account, &mut output).await?;
        }
        Command::Statistics(command) => {
            let account = Account::open(stack.as_deref()).await?;
            let something_is_wrong = command.run(&account, &mut output).await?;
            return Ok(if something_is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        Command::Subscriptions(command) => {
            let account = Account::open(stack.as_deref()).await?;
            if let Err(error) = command.run(&account, &mut output).await {
                return Err(told(&error, error.advice()).into());
            }
        }
        Command::Tenants(command) => {
            let account = Account::open(stack.as_deref()).await?;
            if let Err(error) = command.run(&account, &mut output).await {
                return Err(told(&error, error.advice()).into());
            }
        }
        Command::Webhook(command) => {
            let account = Account::open(stack.as_deref()).await?;
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
