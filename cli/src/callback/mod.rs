//! `partner-alerts callback`: why was this callback refused?

mod lines;
mod request;
mod verify;

use std::{
    fs::File,
    io::{self, BufReader, LineWriter, Read, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Subcommand;
use runtime::{Clock as _, SystemClock};

pub use lines::MAX_LINE_BYTES;
pub use verify::{Judged, Verifier, verify};

/// What can be done with callbacks.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judges callbacks with the code of the deployed function, without network and account
    ///
    /// Reads JSON lines, one callback each, of at most 8 MiB. `certificate`, `headers` and `body` are what came; the rest
    /// may be absent, and then stands what a deployed function uses, and for `now` this moment:
    ///
    /// `{"certificate": base64, "headers": {name: value}, "body": base64, "now": RFC 3339,`
    /// ` "intermediates": [base64], "trust_anchors": [base64], "certificate_names": [name], "certificate_hosts": [host]}`
    ///
    ///   `certificate`                     the file as its address serves it
    ///   `headers`                         a list of values for a header that came more than once
    ///   `intermediates`, `trust_anchors`  DER, in place of those that are built in
    ///   `certificate_hosts`               host or host:port, any directory of which will do; or a location as
    ///                                     `CERTIFICATE_LOCATIONS` has it: `https://host/directory/`
    ///
    /// Writes a JSON line for each, `{"authentic": bool, "reason": code, "detail": text}`; for a line that can't be read
    /// `{"line": number, "error": text}`. The reasons are explained in docs/operations.md. An issuer that is neither built in nor
    /// in `intermediates` is not downloaded: the detail says from where a function would.
    ///
    /// Exit status 0: every line was judged, whatever the verdict; 1: a line could not be read, or the file.
    #[command(verbatim_doc_comment, after_help = "Example:\n  partner-alerts callback verify callbacks.jsonl")]
    Verify {
        /// A file of callbacks; standard input if there is none.
        file: Option<PathBuf>,
    },
}

/// Why a command can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The file can't be opened.
    #[error("{} can't be opened", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Reading or writing failed on the way.
    #[error("reading or writing failed")]
    Io(#[from] io::Error),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    ///
    /// [`CommandError`].
    pub fn run(self) -> Result<ExitCode, CommandError> {
        let Self::Verify { file } = self;
        let input: Box<dyn Read> = match file {
            Some(path) => Box::new(File::open(&path).map_err(|source| CommandError::Open { path, source })?),
            None => Box::new(io::stdin()),
        };
        // Each answer goes out when it is there: whoever asks line by line waits for it.
        let mut output = LineWriter::new(io::stdout().lock());
        let unreadable = verify(&mut BufReader::new(input), &mut output, || SystemClock.now())?;
        output.flush()?;
        Ok(if unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
