//! How findings are said.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use simulator::{Fault, FaultKind, Target};

use crate::support::{Here, steady};

#[tokio::test(flavor = "multi_thread")]
async fn people_get_a_report_by_part_and_its_sum() {
    let here = Here::well().await;
    let fault = Fault::new(Target::RegistrationGet, FaultKind::MissingMfa);
    here.test.system.simulator().set_fault(fault).unwrap();
    let output = here.run(&["doctor"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!("report", steady(&String::from_utf8(output.stdout).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn colour_is_for_terminals_and_never_for_programs() {
    let mut here = Here::well().await;
    let coloured = async |here: &Here, arguments: &[&str]| here.done(arguments).await.contains('\u{1b}');
    assert!(!coloured(&here, &["doctor"]).await, "no terminal");
    // What a terminal is said by, where there is none.
    here.environment.insert("CLICOLOR_FORCE".to_owned(), "1".to_owned());
    assert!(coloured(&here, &["doctor"]).await, "a terminal");
    assert!(!coloured(&here, &["--json", "doctor"]).await, "a program");
    here.environment.insert("NO_COLOR".to_owned(), "1".to_owned());
    assert!(!coloured(&here, &["doctor"]).await, "somebody who wants none");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_for_no_more_than_operators_are_told_that_they_need() {
    let here = Here::well().await;
    let _ = here.test.system.account().take_asked();
    here.done(&["doctor"]).await;
    let asked = here.test.system.account().take_asked();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/deploy.md")).unwrap();
    let (_, table) = page.split_once("| to do this | one needs |").unwrap();
    let row = table.lines().find(|line| line.starts_with("| `doctor` |")).unwrap();
    let told: BTreeSet<_> = row.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    // There is no CloudFormation here.
    let told = told.into_iter().filter(|action| !action.starts_with("cloudformation:")).collect::<BTreeSet<_>>();
    assert_eq!(asked, told);
}
