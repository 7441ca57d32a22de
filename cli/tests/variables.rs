//! The variables of the command line are on the page, and no others are.

use std::{collections::BTreeSet, fs};

#[test]
fn every_variable_of_the_command_line_is_documented_and_every_documented_one_exists() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md")).unwrap();
    let (_, section) = page.split_once("## The command line").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let names =
        rows.flat_map(|row| row.split('|').nth(1).unwrap().split(',')).map(|name| name.trim().trim_matches('`'));
    let mut documented: BTreeSet<_> = names.collect();
    for other in ["PARTNER_ALERTS_STACK", "NO_COLOR"] {
        assert!(documented.remove(other), "{other}");
    }
    assert_eq!(documented, cli::VARIABLES.iter().map(|variable| variable.name).collect());
}
