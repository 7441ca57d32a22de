//! What a process leaves behind when it crashes.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Sees to it that this process, and whatever it starts, leaves no core dump, which would hold the secrets that are in its memory.
///
/// Called before the first secret is read: before configuration. The limit is the hard one, too, so nobody raises it again.
///
/// # Errors
///
/// The system refused, as none does: a limit may always be lowered.
pub fn forbid_core_dumps() -> io::Result<()> {
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}
