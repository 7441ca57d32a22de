//! The operators' command line, which is told the stack's name and nothing else of where things are.

use serde_json::{Value, json};

use crate::{
    FRAUD,
    deployment::{OPERATED, World, in_world},
};

async fn said(world: &World, arguments: &[&str]) -> Value {
    let output = world.operate(arguments).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {output:?}"))
}

#[test]
fn what_is_where_is_found_by_the_name_of_the_stack() {
    in_world(async |world| {
        let tenants = said(world, &["tenants", "list"]).await;
        assert!(tenants.as_array().unwrap().iter().any(|tenant| tenant["id"] == OPERATED), "{tenants}");

        world.hears(FRAUD, OPERATED, "operated", json!({})).await;
        world.hears("OperationsTopicArn", OPERATED, "operations", json!({})).await;
        let url = world.callback_url(OPERATED);
        let registered = said(world, &["webhook", "register", OPERATED, "--url", &url]).await;
        assert_eq!(registered["problem"], Value::Null, "{registered}");
        let tested = said(world, &["webhook", "test", OPERATED, "--every", "0"]).await;
        assert_eq!(tested["status"], "completed", "{tested}");

        let report = said(world, &["doctor", "--tenant", OPERATED]).await;
        let findings = report["findings"].as_array().unwrap();
        // Another test puts schedules to rest while it has them fire.
        let of_schedules = findings.iter().filter(|finding| finding["area"] == "schedules");
        for schedule in of_schedules.clone() {
            assert!(
                schedule["state"] == "ok" || schedule["words"].as_str().unwrap().starts_with("it is off"),
                "{schedule}"
            );
        }
        assert_eq!(of_schedules.count(), 4, "{report:#}");
        // Whether renew has looked yet is for another test to say, too.
        let by_renew = |finding: &&Value| finding["subject"] == "read secret, by renew";
        let others = findings.iter().filter(|finding| finding["area"] != "schedules" && finding["state"] != "ok");
        let others = others.filter(|finding| !by_renew(finding));
        let (of_tables, others): (Vec<_>, Vec<_>) = others.partition(|finding| finding["area"] == "tables");
        // The tenant has none, and people sign in here.
        let [act_secret] = others.as_slice() else { panic!("{others:#?}") };
        assert_eq!((&act_secret["subject"], &act_secret["state"]), (&"act secret".into(), &"warning".into()));
        // The emulator's CloudFormation switches neither on, and doctor says so.
        let lacks =
            |words: &str| of_tables.iter().filter(|finding| finding["words"].as_str().unwrap().contains(words)).count();
        assert_eq!([lacks("TTL"), lacks("point-in-time recovery"), of_tables.len()], [3, 5, 8], "{of_tables:#?}");
        let seen = |area: &str| findings.iter().filter(|finding| finding["area"] == area).count();
        let areas = ["configuration", "tables", "topics", "queues", "people", "certificates", "clock", "tenant"];
        assert_eq!(areas.map(seen), [3, 8, 3, 7, 1, 1, 2, 9], "{report:#}");
    });
}
