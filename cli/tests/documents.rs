//! The commands in the documents are ones that the binary understands.

use std::{fs, path::Path, process::Command};

const TENANT: &str = "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10";
const AUDIT_RECORD: &str =
    "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10_4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3_updatecustomer_639080287298312247";
/// What the binary's exit status says of a command that it could not understand.
const MISUNDERSTOOD: i32 = 2;

#[test]
fn every_documented_command_is_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut commands = 0;
    for page in ["README.md", "docs/configuration.md", "docs/deploy.md", "docs/operations.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        for line in text.lines().filter(|line| line.starts_with("partner-alerts ")) {
            let line = line.replace("<tenant id>", TENANT).replace("<audit id>", AUDIT_RECORD);
            // Without a stack there is nothing to be reached: what is understood fails for that.
            let line = line.replace("--stack partner-alerts ", "");
            let mut command = Command::new(env!("CARGO_BIN_EXE_partner-alerts"));
            command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "eu-west-1");
            let output = command.args(line.split_whitespace().skip(1)).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_ne!(output.status.code(), Some(MISUNDERSTOOD), "{page}: {line}: {said}");
            assert!(said.contains("TENANTS_TABLE") || said.contains("can't be opened"), "{page}: {line}: {said}");
            commands += 1;
        }
    }
    assert!(commands >= 4, "{commands}");
}
