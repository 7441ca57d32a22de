//! `partner-alerts completions`: what a shell needs to complete the commands.

use std::io::{self, Write};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::Arguments;

/// For which shell.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  partner-alerts completions bash >~/.local/share/bash-completion/completions/partner-alerts\n  \
                  partner-alerts completions zsh >~/.zfunc/_partner-alerts\n  \
                  partner-alerts completions fish >~/.config/fish/completions/partner-alerts.fish"
)]
pub struct Command {
    /// The shell.
    shell: Shell,
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    ///
    /// Writing failed.
    pub fn run(self, mut out: impl Write) -> io::Result<()> {
        // To memory first: the generator has no way to say that writing failed.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "partner-alerts", &mut script);
        out.write_all(&script)
    }
}
