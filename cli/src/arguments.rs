//! The command line as a whole.

use clap::{Parser, Subcommand};

use crate::{
    activity, alerts, callback, completions, doctor, operations, sessions, statistics, subscriptions, tenants, webhook,
};

/// What operators of Partner Alerts do from a terminal.
///
/// Commands that look into an account use AWS credentials as the AWS command line does, and `--stack` to find what is where; without
/// it, variables say so (docs/configuration.md, "The command line").
///
/// Colour is for terminals alone, and `NO_COLOR` switches it off.
#[derive(Debug, Parser)]
#[command(
    name = "partner-alerts",
    version,
    after_help = "Exit status:\n  0  done\n  1  not done; for `doctor`: something is wrong, or not even the tenants could be seen; for `statistics recount`: figures differ; for `activity verify`: the log is not as it was written; for `alerts export`: alerts are missing\n  2  the command could not be understood\n\n\
                  Examples:\n  partner-alerts --stack partner-alerts doctor\n  partner-alerts --stack partner-alerts --json tenants list"
)]
pub struct Arguments {
    /// The CloudFormation stack that Partner Alerts was deployed as.
    #[arg(long, global = true, env = "PARTNER_ALERTS_STACK")]
    stack: Option<String>,
    /// Write JSON, for programs.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What people did, and whether the log of it is as it was written.
    #[command(subcommand)]
    Activity(activity::Command),
    /// Alerts, with all that is known of them.
    #[command(subcommand)]
    Alerts(alerts::Command),
    /// Partner Center webhook callbacks.
    #[command(subcommand)]
    Callback(callback::Command),
    /// Writes what a shell needs to complete these commands.
    Completions(completions::Command),
    /// Looks at everything that has to be right for alerts to arrive, and says what is wrong and what to do.
    ///
    /// Configuration, tables, topics and their subscriptions, schedules, queues, every tenant's credentials, registration and runs,
    /// Microsoft's signing certificate, and this machine's clock. Nothing is changed.
    ///
    /// Exit status: 0 nothing is wrong (there may be warnings, and what could not be seen), 1 something is, or not even the tenants could be
    /// seen.
    Doctor(doctor::Command),
    /// What somebody asked for, and how far it has come.
    #[command(subcommand)]
    Operations(operations::Command),
    /// Who is signed in by a browser.
    #[command(subcommand)]
    Sessions(sessions::Command),
    /// The figures of the dashboard.
    #[command(subcommand)]
    Statistics(statistics::Command),
    /// Customers' Azure subscriptions.
    #[command(subcommand)]
    Subscriptions(subscriptions::Command),
    /// The partner's tenants.
    #[command(subcommand)]
    Tenants(tenants::Command),
    /// Where Partner Center sends a tenant's events.
    #[command(subcommand)]
    Webhook(webhook::Command),
}

impl Arguments {
    /// What the process was called with.
    ///
    /// # Errors
    ///
    /// What can't be understood, or not be meant.
    pub fn understood() -> Result<Self, clap::Error> {
        let arguments = Self::try_parse()?;
        match &arguments.command {
            Command::Tenants(command) => command.check()?,
            Command::Activity(_)
            | Command::Alerts(_)
            | Command::Callback(_)
            | Command::Completions(_)
            | Command::Doctor(_)
            | Command::Operations(_)
            | Command::Sessions(_)
            | Command::Statistics(_)
            | Command::Subscriptions(_)
            | Command::Webhook(_) => {}
        }
        Ok(arguments)
    }

    /// The stack, where one is named.
    #[must_use]
    pub fn stack(&self) -> Option<&str> {
        self.stack.as_deref().filter(|stack| !stack.trim().is_empty())
    }
}
