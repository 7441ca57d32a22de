//! What a function that crashes leaves behind: nothing.

use std::fs;

use tests::binaries::FUNCTIONS;

use crate::support::Here;

#[tokio::test]
async fn no_function_can_leave_a_core_dump() {
    let here = Here::new().await;
    for function in FUNCTIONS {
        let lambda = here.start(function).await;
        let limits = fs::read_to_string(format!("/proc/{}/limits", lambda.id())).unwrap();
        let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
        let [soft, hard, _] = core.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{core}") };
        assert_eq!([soft, hard], ["0", "0"], "{function}");
    }
}
