//! What can be said of a tenant on the command line.

use clap::{Args, ValueEnum};
use models::{AlertSource, Cloud, TenantId};
use partner_center::Purpose;

use super::SignInArguments;

/// A tenant to be added.
#[derive(Debug, Args)]
pub struct Add {
    /// The tenant's id in Entra ID.
    pub(super) id: TenantId,
    /// A name for people.
    #[arg(long)]
    pub(super) name: String,
    /// The cloud that it lives in: global, us-government-l4, us-government-l5 or china.
    #[arg(long, default_value = "global")]
    pub(super) cloud: Cloud,
    /// Where its alerts are read from: graph, or fraud-events for Partner Center's older interface.
    #[arg(long, value_name = "SOURCE", default_value = "graph")]
    pub(super) alert_source: AlertSource,
    /// Name or ARN of the secret that can read alerts. Without it: what the stack has them begin with, and the tenant's id.
    #[arg(long, value_name = "NAME")]
    pub(super) read_secret: Option<String>,
    /// Name or ARN of the secret that can resolve alerts.
    #[arg(long, value_name = "NAME")]
    pub(super) act_secret: Option<String>,
    /// Add it without looking after it yet.
    #[arg(long)]
    pub(super) inactive: bool,
    /// Add it although a sign-in does not work, or functions may not read a secret of this name.
    #[arg(long)]
    pub(super) anyway: bool,
    /// Say what would be added, and add nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) sign_in: SignInArguments,
}

/// What changes of a tenant.
#[derive(Debug, Args)]
pub struct Set {
    /// The tenant's id in Entra ID.
    pub(super) id: TenantId,
    /// A name for people.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// The cloud that it lives in: global, us-government-l4, us-government-l5 or china.
    #[arg(long)]
    pub(super) cloud: Option<Cloud>,
    /// Where its alerts are read from: graph or fraud-events. The two have ids of their own: what is open comes a second time.
    #[arg(long, value_name = "SOURCE")]
    pub(super) alert_source: Option<AlertSource>,
    /// Name or ARN of the secret that can read alerts.
    #[arg(long, value_name = "NAME")]
    pub(super) read_secret: Option<String>,
    /// Name or ARN of the secret that can resolve alerts; empty for none.
    #[arg(long, value_name = "NAME")]
    pub(super) act_secret: Option<String>,
    /// Whether it is looked after.
    #[arg(long, action = clap::ArgAction::Set)]
    pub(super) active: Option<bool>,
    /// Make a second path key, and say its callback address.
    #[arg(long, conflicts_with = "drop_path_key")]
    pub(super) new_path_key: bool,
    /// Forget one of two path keys: the one from before, or the new one where its address was lost.
    #[arg(long, value_name = "WHICH", value_enum)]
    pub(super) drop_path_key: Option<WhichKey>,
    /// Change it although a sign-in does not work or no longer, alerts can't be listed by the new source, functions may not read a secret of this name, or the path key that
    /// is dropped is in use.
    #[arg(long)]
    pub(super) anyway: bool,
    /// Say what the tenant would be, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Which of its two secrets the options of the sign-in are about: read (if nothing is said) or act.
    #[arg(long, value_name = "SECRET", value_parser = purpose, requires = "signs_in_anew")]
    pub(super) secret: Option<Purpose>,
    #[command(flatten)]
    pub(super) sign_in: SignInArguments,
}

/// One of two path keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WhichKey {
    /// The one that was there first.
    Oldest,
    /// The one that was made last.
    Newest,
}

fn purpose(text: &str) -> Result<Purpose, &'static str> {
    Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == text).ok_or("it should be read or act")
}
