//! The commands in the documents are ones that the binary understands.

use std::{fs, path::Path};

use clap::Parser as _;
use cli::Arguments;

const OPERATION: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
const SUBSCRIPTION: &str = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
const AUDIT_RECORD: &str =
    "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10_4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3_updatecustomer_639080287298312247";

#[test]
fn every_documented_command_is_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut commands = 0;
    for page in ["README.md", "docs/configuration.md", "docs/deploy.md", "docs/operations.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        for line in text.lines().filter(|line| line.starts_with("partner-alerts ")) {
            let line = line
                .replace("<tenant id>", TENANT)
                .replace("<alert id>", "8ab0d1c2")
                .replace("<audit id>", AUDIT_RECORD)
                .replace("<operation id>", OPERATION)
                .replace("<subscription id>", SUBSCRIPTION);
            let understood = Arguments::try_parse_from(line.split_whitespace());
            assert!(understood.is_ok(), "{page}: {line}: {}", understood.unwrap_err());
            commands += 1;
        }
    }
    assert!(commands >= 5, "{commands}");
}
