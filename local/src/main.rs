//! `cargo run`: Partner Alerts on this machine, with a stand-in for Microsoft. `cargo run -- seed 100000`: the same, with so many alerts of one
//! more partner tenant.

use std::{io::Write as _, process::ExitCode, sync::Arc};

use local::{Seed, System};
use runtime::{Clock as _, StartError, Variables};

#[tokio::main]
async fn main() -> ExitCode {
    if let Err(error) = runtime::forbid_core_dumps() {
        return failed("start", &StartError::CoreDumps(error));
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seed = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => None,
        ["seed", alerts] => match Seed::of(alerts, runtime::SystemClock.now()) {
            Ok(seed) => Some(seed),
            Err(error) => return failed("bring in alerts", &error),
        },
        _ => {
            eprintln!(
                "Partner Alerts takes nothing, or `seed` and a number: how many alerts one more partner tenant is to have"
            );
            return ExitCode::FAILURE;
        }
    };
    let mut screen = std::io::stdout();
    let system = match System::start(Variables::of_process(), Arc::new(local::show)).await {
        Ok(system) => system,
        Err(error) => return failed("start", &error),
    };
    // From here on whoever stops it finds it stopped in order, the demonstration included.
    let stopped = local::stop_signal();
    let _ = writeln!(screen, "{}", system.welcome());
    let _ = screen.flush();
    system.demonstrate().await;
    let brought_in = async {
        let Some(seed) = seed else { return };
        match system.seed(&seed).await {
            Ok(is_new) => drop(writeln!(screen, "{}", seed.told(is_new))),
            Err(error) => eprintln!("Partner Alerts can't bring in alerts: {}", runtime::chain(&error)),
        }
    };
    tokio::pin!(stopped);
    tokio::select! {
        () = brought_in => stopped.await,
        () = &mut stopped => {}
    }
    let _ = writeln!(screen, "\nstopping");
    system.stop().await;
    ExitCode::SUCCESS
}

fn failed(to: &str, error: &dyn std::error::Error) -> ExitCode {
    eprintln!("Partner Alerts can't {to}: {}", runtime::chain(error));
    ExitCode::FAILURE
}
