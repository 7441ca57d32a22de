//! `cargo run`: Partner Alerts on this machine, with a stand-in for Microsoft.

use std::{io::Write as _, process::ExitCode, sync::Arc};

use local::System;
use runtime::{StartError, Variables};

#[tokio::main]
async fn main() -> ExitCode {
    if let Err(error) = runtime::forbid_core_dumps() {
        eprintln!("Partner Alerts can't start: {}", runtime::chain(&StartError::CoreDumps(error)));
        return ExitCode::FAILURE;
    }
    let mut screen = std::io::stdout();
    let system = match System::start(Variables::of_process(), Arc::new(local::show)).await {
        Ok(system) => system,
        Err(error) => {
            eprintln!("Partner Alerts can't start: {}", runtime::chain(&error));
            return ExitCode::FAILURE;
        }
    };
    // From here on whoever stops it finds it stopped in order, the demonstration included.
    let stopped = local::stop_signal();
    let _ = writeln!(screen, "{}", system.welcome());
    let _ = screen.flush();
    system.demonstrate().await;
    stopped.await;
    let _ = writeln!(screen, "\nstopping");
    system.stop().await;
    ExitCode::SUCCESS
}
