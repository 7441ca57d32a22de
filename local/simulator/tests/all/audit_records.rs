//! Audit records at Partner Center.

use simulator::{Denial, Fault, FaultKind, NewAuditRecord, Target};

use crate::support::{FIRST, SECOND, World, assert_shape, json};

fn path(id: &str) -> String {
    format!("/auditactivity/v1/auditrecords/{id}")
}

async fn written(world: &World) -> String {
    let answer = world.control("POST", "/audit-records", r#"{"customizedData":[{"key":"k","value":"v"}]}"#).await;
    assert_eq!(answer.status(), 201);
    json(answer).await["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_record_has_the_published_shape_and_an_id_of_tenants_operation_and_ticks() {
    let world = World::start().await;
    let id = written(&world).await;
    let token = world.partner_token(FIRST).await;
    let answer = world.partner("GET", &path(&id), &token, None).await;
    assert_eq!(answer.status(), 200);
    let record = json(answer).await;
    assert_shape(&record, "audit-record.json");
    let customer = record["customerId"].as_str().unwrap();
    // The world begins at 2026-03-02T05:40:00Z; the sample's ticks are those of 06:12:09.8312247 on that day.
    let ticks = 639_080_287_298_312_247_u64 - 32 * 600_000_000 - 9 * 10_000_000 - 8_312_247;
    assert_eq!(id, format!("{FIRST}_{customer}_azurefraudeventdetected_{ticks}"));
    assert_eq!(record["operationDate"], "2026-03-02T05:40:00.0000000Z");
}

#[tokio::test]
async fn a_record_is_its_tenants_own_and_kept_for_90_days() {
    let world = World::start().await;
    let id = world.simulator.write_audit_record(NewAuditRecord::default()).unwrap().id;
    let status = async |tenant| {
        let token = world.partner_token(tenant).await;
        world.partner("GET", &path(&id), &token, None).await.status().as_u16()
    };
    assert_eq!((status(FIRST).await, status(SECOND).await), (200, 404));
    world.advance(90 * 86_400);
    assert_eq!(status(FIRST).await, 200);
    world.advance(1);
    assert_eq!(status(FIRST).await, 404);
}

#[tokio::test]
async fn a_record_is_refused_as_everything_of_partner_centers_is() {
    let world = World::start().await;
    let id = written(&world).await;
    let token = world.partner_token(FIRST).await;
    world.simulator.set_fault(Fault::new(Target::AuditRecord, FaultKind::Denied(Denial::RoleMissing))).unwrap();
    let answer = world.partner("GET", &path(&id), &token, None).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(world.partner("GET", &path(&id), "", None).await.status(), 403);
    assert_eq!(world.simulator.requests().audit_record, 2);
}
