//! `partner-alerts`: the operators' command line.

use std::{io, process::ExitCode};

use anstream::AutoStream;
use clap::Parser as _;
use cli::{Account, Arguments, Command, Output};

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
    // Colour is left out where nobody sees it; JSON has none to begin with.
    let mut output = Output::new(AutoStream::auto(io::stdout().lock()), arguments.json);
    let stack = arguments.stack().map(str::to_owned);
    match arguments.command {
        Command::Callback(command) => return Ok(command.run()?),
        Command::Completions(command) => command.run(io::stdout())?,
        Command::Doctor(command) => {
            let something_is_wrong = command.run(stack.as_deref(), &mut output).await?;
            return Ok(if something_is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        Command::Tenants(command) => {
            let account = Account::open(stack.as_deref()).await?;
            command.run(&account, &mut output).await?;
        }
        Command::Webhook(command) => {
            let account = Account::open(stack.as_deref()).await?;
            if let Err(error) = command.run(&account, &mut output).await {
                let advice = error.advice().map(|advice| format!("\nWhat to do: {advice}")).unwrap_or_default();
                return Err(format!("{}{advice}", runtime::chain(&error)).into());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
