//! How a process ends.

use std::os::unix::process::ExitStatusExt as _;

use tests::binaries::FUNCTIONS;

use crate::support::Here;

const SIGTERM: i32 = 15;

#[tokio::test]
async fn asked_to_end_an_idle_function_does_so_at_once_and_without_a_word() {
    let here = Here::new().await;
    for function in FUNCTIONS {
        let ended = here.start(function).await.terminate().await;
        assert_eq!(ended.status.signal(), Some(SIGTERM), "{function}: {ended}");
        assert_eq!([ended.stdout, ended.stderr], [[""; 0]; 2], "{function}");
    }
}
